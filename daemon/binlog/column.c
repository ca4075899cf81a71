#include "binlog/column.h"

#include "binlog/column_decode.h"
#include "binlog/decimal.h"

enum meta_kind {
    META_NONE,
    META_LENGTH,    /* 1 byte: how many bytes a value's length takes */
    META_SIZE,      /* 1 byte that repeats the type's own size */
    META_DIGITS,    /* 1 byte: fraction digits */
    META_MAX,       /* 2 bytes: most bytes */
    META_PRECISION, /* precision, scale */
    META_BITS,      /* bits beyond whole bytes, bytes */
    META_STRING,    /* the real type and its size, interwoven */
};

struct column_type_row {
    const char *name;
    enum meta_kind meta;
    column_decode decode;
};

static const struct column_type_row types[256] = {
    [COL_TINY] = { "TINYINT", META_NONE, decode_tiny },
    [COL_SHORT] = { "SMALLINT", META_NONE, decode_short },
    [COL_INT24] = { "MEDIUMINT", META_NONE, decode_int24 },
    [COL_LONG] = { "INT", META_NONE, decode_long },
    [COL_LONGLONG] = { "BIGINT", META_NONE, decode_longlong },
    [COL_FLOAT] = { "FLOAT", META_SIZE, decode_float },
    [COL_DOUBLE] = { "DOUBLE", META_SIZE, decode_double },
    [COL_NEWDECIMAL] = { "DECIMAL", META_PRECISION, decode_decimal },
    [COL_NULL] = { "NULL", META_NONE, decode_null },
    [COL_BIT] = { "BIT", META_BITS, decode_bit },
    [COL_YEAR] = { "YEAR", META_NONE, decode_year },
    [COL_DATE] = { "DATE", META_NONE, decode_date },
    [COL_NEWDATE] = { "DATE", META_NONE, decode_date },
    [COL_TIME] = { "TIME", META_NONE, decode_time_old },
    [COL_DATETIME] = { "DATETIME", META_NONE, decode_datetime_old },
    [COL_TIMESTAMP] = { "TIMESTAMP", META_NONE, decode_timestamp_old },
    [COL_TIME2] = { "TIME", META_DIGITS, decode_time2 },
    [COL_DATETIME2] = { "DATETIME", META_DIGITS, decode_datetime2 },
    [COL_TIMESTAMP2] = { "TIMESTAMP", META_DIGITS, decode_timestamp2 },
    [COL_VARCHAR] = { "VARCHAR", META_MAX, decode_varchar },
    [COL_VARCHAR_COMPRESSED] = { "VARCHAR", META_MAX, decode_varchar_compressed },
    [COL_STRING] = { "CHAR", META_STRING, decode_string },
    [COL_VAR_STRING] = { "VARCHAR", META_STRING, decode_varchar },
    [COL_ENUM] = { "ENUM", META_STRING, decode_packed_set },
    [COL_SET] = { "SET", META_STRING, decode_packed_set },
    [COL_TINY_BLOB] = { "TINYBLOB", META_LENGTH, decode_blob },
    [COL_BLOB] = { "BLOB", META_LENGTH, decode_blob },
    [COL_MEDIUM_BLOB] = { "MEDIUMBLOB", META_LENGTH, decode_blob },
    [COL_LONG_BLOB] = { "LONGBLOB", META_LENGTH, decode_blob },
    [COL_BLOB_COMPRESSED] = { "BLOB", META_LENGTH, decode_blob_compressed },
    [COL_JSON] = { "JSON", META_LENGTH, decode_json },
    [COL_GEOMETRY] = { "GEOMETRY", META_LENGTH, decode_blob },
    [COL_VECTOR] = { "VECTOR", META_LENGTH, decode_blob },
};

/* CHAR, ENUM and SET all say STRING.  Two bits of a CHAR's size hide, inverted, in the type:
 * MySQL put them there when 255 bytes became too few. */
static bool resolve_string(struct column *col, struct cursor *metadata)
{
    uint8_t type = cursor_u8(metadata), low = cursor_u8(metadata);

    if ((type & 0x30) != 0x30) {
        col->meta = (uint16_t)(low | ((type & 0x30) ^ 0x30) << 4);
        type |= 0x30;
    } else {
        col->meta = low;
    }
    if (types[type].meta != META_STRING)
        return false;
    col->type = type;
    if (type == COL_ENUM)
        return col->meta == 1 || col->meta == 2;
    return type != COL_SET || (col->meta >= 1 && col->meta <= 8);
}

static bool resolve_meta(struct column *col, struct cursor *metadata)
{
    unsigned first, second;

    switch (types[col->type].meta) {
    case META_NONE:
        return true;
    case META_LENGTH:
        col->meta = cursor_u8(metadata);
        return col->meta >= 1 && col->meta <= 4;
    case META_SIZE:
        col->meta = cursor_u8(metadata);
        return col->meta == (col->type == COL_FLOAT ? 4 : 8);
    case META_DIGITS:
        col->meta = cursor_u8(metadata);
        return col->meta <= 6;
    case META_MAX:
        col->meta = cursor_u16(metadata);
        return true;
    case META_PRECISION:
        first = cursor_u8(metadata);
        second = cursor_u8(metadata);
        col->meta = (uint16_t)(first << 8 | second);
        return decimal_valid(first, second);
    case META_BITS:
        first = cursor_u8(metadata);
        second = cursor_u8(metadata);
        col->meta = (uint16_t)(second * 8 + first);
        return first < 8 && col->meta >= 1 && col->meta <= 64;
    case META_STRING:
        return resolve_string(col, metadata);
    }
    return false;
}

bool column_resolve(struct column *col, struct cursor *metadata)
{
    if (!types[col->type].decode || !resolve_meta(col, metadata) || metadata->bad)
        return false;
    col->decode = types[col->type].decode;
    return true;
}

void column_set_old_fraction(struct column *col, unsigned digits)
{
    column_decode decode = col->type == COL_TIME        ? decode_time_mariadb53
                           : col->type == COL_DATETIME  ? decode_datetime_mariadb53
                           : col->type == COL_TIMESTAMP ? decode_timestamp_mariadb53
                                                        : NULL;

    if (!decode || digits < 1 || digits > 6)
        return;
    col->meta = (uint16_t)digits;
    col->decode = decode;
}

bool column_is_numeric(const struct column *col)
{
    switch (col->type) {
    case COL_TINY:
    case COL_SHORT:
    case COL_INT24:
    case COL_LONG:
    case COL_LONGLONG:
    case COL_FLOAT:
    case COL_DOUBLE:
    case COL_NEWDECIMAL:
    case COL_YEAR: /* never signed, yet it has a bit */
        return true;
    default:
        return false;
    }
}

bool column_is_character(const struct column *col, enum flavor flavor)
{
    switch (col->type) {
    case COL_STRING:
    case COL_VAR_STRING:
    case COL_VARCHAR:
    case COL_BLOB:
        return true;
    case COL_VECTOR:
        return flavor == FLAVOR_MYSQL;
    case COL_GEOMETRY:
    case COL_VARCHAR_COMPRESSED:
    case COL_BLOB_COMPRESSED:
        return flavor == FLAVOR_MARIADB;
    default:
        return false;
    }
}

bool column_is_enum_or_set(const struct column *col)
{
    return col->type == COL_ENUM || col->type == COL_SET;
}
