#include "unit/schema/schema_shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "binlog/address.h"
#include "binlog/column.h"

/* What a definition calls a type, and what a TABLE_MAP may call it. */
static const struct type_row {
    const char *data_type;
    uint8_t types[6]; /* 0 ends (DECIMAL, 0, is not written any more) */
} rows[] = {
    { "tinyint", { COL_TINY } },
    { "smallint", { COL_SHORT } },
    { "mediumint", { COL_INT24 } },
    { "int", { COL_LONG } },
    { "bigint", { COL_LONGLONG } },
    { "decimal", { COL_NEWDECIMAL } },
    { "float", { COL_FLOAT } },
    { "double", { COL_DOUBLE } },
    { "bit", { COL_BIT } },
    { "year", { COL_YEAR } },
    { "date", { COL_DATE, COL_NEWDATE } },
    { "time", { COL_TIME, COL_TIME2 } },
    { "datetime", { COL_DATETIME, COL_DATETIME2 } },
    { "timestamp", { COL_TIMESTAMP, COL_TIMESTAMP2 } },
    { "char", { COL_STRING } },
    { "binary", { COL_STRING } },
    { "varchar", { COL_VARCHAR, COL_VAR_STRING, COL_VARCHAR_COMPRESSED } },
    { "varbinary", { COL_VARCHAR, COL_VAR_STRING, COL_VARCHAR_COMPRESSED } },
    { "enum", { COL_ENUM } },
    { "set", { COL_SET } },
};

static bool is_blob(uint8_t type)
{
    return type == COL_BLOB || type == COL_TINY_BLOB || type == COL_MEDIUM_BLOB ||
           type == COL_LONG_BLOB || type == COL_BLOB_COMPRESSED;
}

static enum address_kind kept_address(const struct column *from, const struct table_column *c)
{
    return from->type == COL_STRING ? address_kept_as(c->column_type, from->meta) : ADDRESS_NONE;
}

static bool type_fits(const struct table_column *c, const struct column *from)
{
    uint8_t type = from->type;

    if (kept_address(from, c))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].data_type, c->data_type) != 0)
            continue;
        for (size_t t = 0; t < ARRAY_LEN(rows[i].types) && rows[i].types[t]; t++)
            if (rows[i].types[t] == type)
                return true;
        return false;
    }
    if (strstr(c->data_type, "blob") || strstr(c->data_type, "text"))
        return is_blob(type) || type == COL_JSON; /* JSON of MySQL, LONGTEXT at MariaDB */
    if (c->json)
        return type == COL_JSON || is_blob(type);
    return true; /* geometry, uuid, inet6, vector: the decoder knows its own */
}

static int try_fit(const struct table_map *map, const struct table_def *def, bool with_virtual,
                   const struct table_column **cols, struct err *err)
{
    unsigned n = 0;

    for (unsigned i = 0; i < def->n_cols; i++) {
        const struct table_column *c = &def->cols[i];

        if (c->is_virtual && !with_virtual)
            continue;
        if (n == map->n_cols) {
            err_set(err, -EINVAL, "the rows have %u columns, the table more", map->n_cols);
            return err_because(err, REASON_COLUMN_COUNT);
        }
        if (!type_fits(c, &map->cols[n]))
            return err_set(err, -EINVAL, "column '%s' is %s, but the rows have type %u there",
                           c->name, c->column_type, map->cols[n].type);
        cols[n++] = c;
    }
    if (n == map->n_cols)
        return 0;
    err_set(err, -EINVAL, "the rows have %u columns, the table %u", map->n_cols, n);
    return err_because(err, REASON_COLUMN_COUNT);
}

int shape_fit(const struct table_map *map, const struct table_def *def,
              const struct table_column **cols, struct err *err)
{
    struct err ignored = ERR_INIT;

    if (try_fit(map, def, true, cols, err) == 0)
        return 0;
    return try_fit(map, def, false, cols, &ignored) == 0 ? 0 : err->code;
}

bool shape_guesses(const struct table_map *map, const struct table_column *const *cols,
                   const struct table_def *now)
{
    for (unsigned i = 0; i < map->n_cols; i++) {
        enum address_kind kept = cols[i] ? kept_address(&map->cols[i], cols[i]) : ADDRESS_NONE;
        int at = kept && now ? table_column_find(now, cols[i]->name) : -1;

        if (kept && (at < 0 || address_of_type(now->cols[at].data_type) != kept))
            return true;
    }
    return false;
}

static bool is_text(const struct table_column *c)
{
    return strstr(c->data_type, "char") || strstr(c->data_type, "text");
}

bool shape_asks(const struct column *from, const struct table_column *kept)
{
    return from->type == COL_STRING && is_text(kept) && !strstr(kept->data_type, "binary") &&
           (from->meta == address_size(ADDRESS_INET6) || from->meta == address_size(ADDRESS_INET4));
}

static bool is_bytes(const char *data_type)
{
    return strcmp(data_type, "binary") == 0 || address_of_type(data_type);
}

static enum address_kind address_of(const struct column *from, const struct table_column *c)
{
    enum address_kind kind = address_of_type(c->data_type);

    return kind ? kind : kept_address(from, c);
}

/* "time(6)" has 6. */
static unsigned fraction_digits(const struct table_column *c)
{
    const char *bracket = strchr(c->column_type, '(');

    return bracket ? (unsigned)strtoul(bracket + 1, NULL, 10) : 0;
}

void shape_complete(struct table_map *map, const struct table_column *const *cols)
{
    for (unsigned i = 0; i < map->n_cols; i++) {
        struct column *to = &map->cols[i];

        if (!map->has_signedness)
            to->is_unsigned = cols[i]->is_unsigned;
        to->address = (uint8_t)address_of(to, cols[i]);
        column_set_old_fraction(to, fraction_digits(cols[i]));
        if (!to->collation && is_bytes(cols[i]->data_type))
            to->collation = COLLATION_BINARY;
    }
}

void shape_say(struct table_map *map, const struct target_table *target)
{
    for (unsigned i = 0; i < map->n_cols; i++)
        map->cols[i].as_text =
            map->cols[i].address && (!target || target->cols[i].class == TARGET_TEXT);
}

bool shape_mirror(const struct table_def *a, const struct table_def *b)
{
    if (a->n_cols != b->n_cols)
        return false;
    for (unsigned i = 0; i < a->n_cols; i++)
        if (strcasecmp(a->cols[i].name, b->cols[i].name) != 0)
            return false;
    return true;
}

static bool has_column(const struct table_def *t, const char *name)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (strcasecmp(t->cols[i].name, name) == 0)
            return true;
    return false;
}

bool shape_permuted(const struct table_def *a, const struct table_def *b)
{
    if (a->n_cols != b->n_cols || shape_mirror(a, b))
        return false;
    for (unsigned i = 0; i < a->n_cols; i++)
        if (!has_column(b, a->cols[i].name))
            return false;
    return true;
}
