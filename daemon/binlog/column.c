#include "binlog/column.h"

#include "binlog/decimal.h"
#include "binlog/inflate.h"
#include "binlog/json_binary.h"
#include "binlog/temporal.h"

#define DECODE(name)                                                                            \
    static const uint8_t *name(const struct column *col, const uint8_t *at, const uint8_t *end, \
                               struct arena *arena, struct value *ret)

static inline uint64_t le(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t be(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* Integers: little-endian, two's complement. */
static inline const uint8_t *decode_integer(const struct column *col, const uint8_t *at,
                                            const uint8_t *end, unsigned n, struct value *ret)
{
    unsigned unused = 64 - 8 * n;
    uint64_t v;

    if ((size_t)(end - at) < n)
        return NULL;
    v = le(at, n);
    ret->size = 0;
    if (col->is_unsigned) {
        ret->kind = VALUE_UINT;
        ret->u = v;
    } else {
        ret->kind = VALUE_INT;
        ret->i = (int64_t)(v << unused) >> unused;
    }
    return at + n;
}

DECODE(decode_tiny)
{
    (void)arena;
    return decode_integer(col, at, end, 1, ret);
}

DECODE(decode_short)
{
    (void)arena;
    return decode_integer(col, at, end, 2, ret);
}

DECODE(decode_int24)
{
    (void)arena;
    return decode_integer(col, at, end, 3, ret);
}

DECODE(decode_long)
{
    (void)arena;
    return decode_integer(col, at, end, 4, ret);
}

DECODE(decode_longlong)
{
    (void)arena;
    return decode_integer(col, at, end, 8, ret);
}

static const uint8_t *give_uint(const uint8_t *next, uint64_t v, struct value *ret)
{
    ret->kind = VALUE_UINT;
    ret->size = 0;
    ret->u = v;
    return next;
}

/* ENUM (meta: 1 or 2 bytes) and SET (1 to 8). */
DECODE(decode_packed_set)
{
    (void)arena;
    if ((size_t)(end - at) < col->meta)
        return NULL;
    return give_uint(at + col->meta, le(at, col->meta), ret);
}

DECODE(decode_bit)
{
    unsigned n = (col->meta + 7u) / 8;

    (void)arena;
    if ((size_t)(end - at) < n)
        return NULL;
    return give_uint(at + n, be(at, n), ret);
}

DECODE(decode_year)
{
    (void)col;
    (void)arena;
    if (at == end)
        return NULL;
    ret->kind = VALUE_INT;
    ret->size = 0;
    ret->i = *at ? 1900 + *at : 0;
    return at + 1;
}

DECODE(decode_float)
{
    uint32_t bits;

    (void)col;
    (void)arena;
    if (end - at < 4)
        return NULL;
    bits = (uint32_t)le(at, 4);
    ret->kind = VALUE_FLOAT;
    ret->size = 0;
    ret->u = 0; /* who hashes or compares values takes all eight bytes */
    memcpy(&ret->f, &bits, sizeof ret->f);
    return at + 4;
}

DECODE(decode_double)
{
    uint64_t bits;

    (void)col;
    (void)arena;
    if (end - at < 8)
        return NULL;
    bits = le(at, 8);
    ret->kind = VALUE_DOUBLE;
    ret->size = 0;
    memcpy(&ret->d, &bits, sizeof ret->d);
    return at + 8;
}

DECODE(decode_null)
{
    (void)col;
    (void)end;
    (void)arena;
    ret->kind = VALUE_NULL;
    ret->size = 0;
    return at;
}

/* Texts made here: 'size' 0 says that the bits were no value. */
static const uint8_t *give_text(const uint8_t *next, const void *text, size_t size,
                                struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->size = (uint32_t)size;
    ret->p = text;
    return size ? next : NULL;
}

DECODE(decode_decimal)
{
    unsigned precision = col->meta >> 8, scale = col->meta & 255;
    unsigned n = decimal_size(precision, scale);
    char text[DECIMAL_TEXT_SIZE];
    size_t size;

    if ((size_t)(end - at) < n)
        return NULL;
    size = decimal_print(text, at, precision, scale);
    return give_text(at + n, arena_dup(arena, text, size), size, ret);
}

DECODE(decode_date)
{
    char *text;

    (void)col;
    if (end - at < 3)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 3, text, date_print(text, (uint32_t)le(at, 3)), ret);
}

DECODE(decode_time_old)
{
    char *text;

    (void)col;
    if (end - at < 3)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 3, text, time_print_old(text, (int32_t)((uint32_t)le(at, 3) << 8) >> 8),
                     ret);
}

DECODE(decode_datetime_old)
{
    char *text;

    (void)col;
    if (end - at < 8)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 8, text, datetime_print_old(text, le(at, 8)), ret);
}

DECODE(decode_timestamp_old)
{
    char *text;

    (void)col;
    if (end - at < 4)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 4, text, timestamp_print(text, (uint32_t)le(at, 4), 0, 0), ret);
}

DECODE(decode_timestamp2)
{
    static const uint32_t scale[] = { 0, 10000, 100, 1 };
    unsigned n = temporal_fraction_size(col->meta);
    char *text;

    if ((size_t)(end - at) < 4 + n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(
        at + 4 + n, text,
        timestamp_print(text, (uint32_t)be(at, 4), (uint32_t)be(at + 4, n) * scale[n], col->meta),
        ret);
}

DECODE(decode_datetime2)
{
    unsigned n = 5 + temporal_fraction_size(col->meta);
    char *text;

    if ((size_t)(end - at) < n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + n, text, datetime2_print(text, be(at, n), col->meta), ret);
}

DECODE(decode_time2)
{
    unsigned n = 3 + temporal_fraction_size(col->meta);
    char *text;

    if ((size_t)(end - at) < n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + n, text, time2_print(text, be(at, n), col->meta), ret);
}

/* Bytes after their length, which takes 'n' bytes. */
static inline const uint8_t *sized_bytes(const uint8_t *at, const uint8_t *end, unsigned n,
                                         struct slice *ret)
{
    uint64_t size;

    if ((size_t)(end - at) < n)
        return NULL;
    size = le(at, n);
    if ((size_t)(end - at) - n < size)
        return NULL;
    *ret = slice_of(at + n, size);
    return at + n + size;
}

static inline const uint8_t *give_bytes(const uint8_t *next, struct slice s, struct value *ret)
{
    ret->kind = VALUE_BYTES;
    ret->size = (uint32_t)s.size;
    ret->p = s.data;
    return next;
}

DECODE(decode_varchar)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta > 255 ? 2 : 1, &s);

    (void)arena;
    return next ? give_bytes(next, s, ret) : NULL;
}

DECODE(decode_blob)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta, &s);

    (void)arena;
    return next ? give_bytes(next, s, ret) : NULL;
}

/* BINARY values are logged without their trailing zeros. */
static struct slice pad_binary(const struct column *col, struct slice s, struct arena *arena)
{
    uint8_t *padded;

    if (s.size >= col->meta)
        return s;
    padded = arena_alloc(arena, col->meta);
    memcpy(padded, s.data, s.size);
    memset(padded + s.size, 0, col->meta - s.size);
    return slice_of(padded, col->meta);
}

/* MariaDB keeps UUIDs of versions 1 to 5 with the time last, so that they sort by node and
 * time; others as they are written.  Source: MariaDB's sql_type_uuid.h, record_to_memory(). */
static struct slice uuid_of_record(struct slice s, struct arena *arena)
{
    static const uint8_t from[16] = { 12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5 };
    const uint8_t *r = s.data;
    uint8_t *uuid;

    if (s.size != 16 || !(r[6] & 0x80) || r[8] == 0 || r[8] > 0x80)
        return s;
    uuid = arena_alloc(arena, 16);
    for (size_t i = 0; i < 16; i++)
        uuid[i] = r[from[i]];
    return slice_of(uuid, 16);
}

DECODE(decode_string)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta > 255 ? 2 : 1, &s);

    if (!next)
        return NULL;
    if (col->collation == COLLATION_BINARY || col->uuid)
        s = pad_binary(col, s, arena);
    if (col->uuid)
        s = uuid_of_record(s, arena);
    return give_bytes(next, s, ret);
}

DECODE(decode_varchar_compressed)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta > 255 ? 2 : 1, &s);

    return next && inflate_column(s, arena, &s) ? give_bytes(next, s, ret) : NULL;
}

DECODE(decode_blob_compressed)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta, &s);

    return next && inflate_column(s, arena, &s) ? give_bytes(next, s, ret) : NULL;
}

DECODE(decode_json)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta, &s);

    if (!next || !json_binary_text(s, arena, &s))
        return NULL;
    ret->kind = VALUE_JSON;
    ret->size = (uint32_t)s.size;
    ret->p = s.data;
    return next;
}

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

const char *column_type_name(uint8_t type)
{
    return types[type].name;
}

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
