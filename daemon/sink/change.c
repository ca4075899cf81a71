#include "sink/change.h"

#include "base/mem.h"

/* Source: pingcap/tidb types/etc.go, TypeToStr, and parser/mysql/type.go. */
static const struct type_row {
    uint8_t type, code;
    const char *name, *binary; /* 'binary' NULL: the same */
} rows[] = {
    { COL_DECIMAL, 0xf6, "decimal", NULL },
    { COL_TINY, 1, "tinyint", NULL },
    { COL_SHORT, 2, "smallint", NULL },
    { COL_LONG, 3, "int", NULL },
    { COL_FLOAT, 4, "float", NULL },
    { COL_DOUBLE, 5, "double", NULL },
    { COL_NULL, 6, "null", NULL },
    { COL_TIMESTAMP, 7, "timestamp", NULL },
    { COL_LONGLONG, 8, "bigint", NULL },
    { COL_INT24, 9, "mediumint", NULL },
    { COL_DATE, 10, "date", NULL },
    { COL_TIME, 11, "time", NULL },
    { COL_DATETIME, 12, "datetime", NULL },
    { COL_YEAR, 13, "year", NULL },
    { COL_NEWDATE, 10, "date", NULL },
    { COL_VARCHAR, 15, "varchar", "varbinary" },
    { COL_BIT, 16, "bit", NULL },
    { COL_TIMESTAMP2, 7, "timestamp", NULL },
    { COL_DATETIME2, 12, "datetime", NULL },
    { COL_TIME2, 11, "time", NULL },
    { COL_BLOB_COMPRESSED, 0xfc, "text", "blob" },
    { COL_VARCHAR_COMPRESSED, 15, "varchar", "varbinary" },
    { COL_VECTOR, 0xfc, "blob", NULL },
    { COL_JSON, 0xf5, "json", NULL },
    { COL_NEWDECIMAL, 0xf6, "decimal", NULL },
    { COL_ENUM, 0xf7, "enum", NULL },
    { COL_SET, 0xf8, "set", NULL },
    { COL_TINY_BLOB, 0xf9, "tinytext", "tinyblob" },
    { COL_MEDIUM_BLOB, 0xfa, "mediumtext", "mediumblob" },
    { COL_LONG_BLOB, 0xfb, "longtext", "longblob" },
    { COL_BLOB, 0xfc, "text", "blob" },
    { COL_VAR_STRING, 15, "varchar", "varbinary" },
    { COL_STRING, 0xfe, "char", "binary" },
    { COL_GEOMETRY, 0xff, "geometry", NULL },
};

static const struct type_row *row_of(uint8_t type)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].type == type)
            return &rows[i];
    return NULL;
}

const char *change_type_name(const struct change_column *c)
{
    const struct type_row *row = row_of(c->type);

    if (!row)
        return "unknown";
    return c->binary && row->binary ? row->binary : row->name;
}

uint8_t change_type_code(const struct change_column *c)
{
    const struct type_row *row = row_of(c->type);

    return row ? row->code : c->type;
}
