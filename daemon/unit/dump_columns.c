#include "unit/dump_columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct {
    const char *type;
    enum copy_kind kind;
} kinds[] = {
    { "tinyint", COPY_NUMBER },  { "smallint", COPY_NUMBER }, { "mediumint", COPY_NUMBER },
    { "int", COPY_NUMBER },      { "bigint", COPY_NUMBER },   { "year", COPY_PLAIN },
    { "decimal", COPY_PLAIN },   { "float", COPY_PLAIN },     { "double", COPY_PLAIN },
    { "date", COPY_PLAIN },      { "time", COPY_PLAIN },      { "datetime", COPY_PLAIN },
    { "timestamp", COPY_PLAIN }, { "uuid", COPY_TEXT },       { "inet6", COPY_TEXT },
    { "inet4", COPY_TEXT },      { NULL, COPY_BYTES },
};

static enum copy_kind kind_of(const struct table_column *c)
{
    size_t i = 0;

    if (c->json)
        return COPY_TEXT;
    if (strcmp(c->data_type, "enum") == 0 && enum_has_blank(c->column_type))
        return COPY_INDEX;
    while (kinds[i].type && strcmp(kinds[i].type, c->data_type) != 0)
        i++;
    return kinds[i].kind;
}

bool enum_has_blank(const char *column_type)
{
    const char *p = strchr(column_type, '(');

    while (p && (*p == '(' || *p == ',') && p[1] == '\'') {
        const char *member = p += 2;

        while (*p && (*p != '\'' || p[1] == '\''))
            p += *p == '\'' ? 2 : 1;
        if (p == member)
            return true;
        if (*p)
            p++;
    }
    return false;
}

static const struct table_column *column_named(const struct table_def *t, const char *name)
{
    for (unsigned i = 0; t && i < t->n_cols; i++)
        if (strcmp(t->cols[i].name, name) == 0)
            return &t->cols[i];
    return NULL;
}

static void select_add(struct buf *out, const struct table_column *c)
{
    sql_ident(out, slice_str(c->name));
    if (strcmp(c->data_type, "float") == 0)
        buf_str(out, "*1e0"); /* not +0e0: that would lose the sign of -0 */
    else if (kind_of(c) == COPY_INDEX)
        buf_str(out, "+0");
}

void dump_columns_init(struct copy_columns *c, const struct table_def *from,
                       const struct table_def *to)
{
    struct buf select = BUF_INIT, names = BUF_INIT, load = BUF_INIT, set = BUF_INIT;

    *c = (struct copy_columns){ .cols = xcalloc(from->n_cols + 1, sizeof *c->cols) };
    for (unsigned i = 0; i < from->n_cols; i++) {
        const struct table_column *col = &from->cols[i], *there = column_named(to, col->name);
        struct copy_column *copy = &c->cols[c->n];
        const char *comma = c->n ? ", " : "";

        if (col->generated)
            continue;
        copy->kind = kind_of(col);
        if (copy->kind == COPY_BYTES && there && kind_of(there) == COPY_TEXT)
            copy->kind = COPY_TEXT;
        copy->is_enum = strcmp(col->data_type, "enum") == 0;
        c->n++;
        buf_str(&select, comma);
        select_add(&select, col);
        buf_str(&names, comma);
        sql_ident(&names, slice_str(col->name));
        buf_str(&load, comma);
        if (copy->kind < COPY_TEXT) {
            sql_ident(&load, slice_str(col->name));
            continue;
        }
        buf_printf(&load, "@v%u", c->n);
        buf_str(&set, set.size ? ", " : " SET ");
        sql_ident(&set, slice_str(col->name));
        buf_printf(&set, copy->kind == COPY_TEXT ? " = CONVERT(@v%u USING utf8mb4)" : " = @v%u + 0",
                   c->n);
    }
    c->select = buf_steal(&select);
    c->names = buf_steal(&names);
    buf_add(&load, ")", 1);
    if (set.size)
        buf_add(&load, set.data, set.size);
    c->load = xasprintf("(%s", load.data);
    buf_fini(&load);
    buf_fini(&set);
}

void dump_columns_fini(struct copy_columns *c)
{
    free(c->cols);
    free(c->select);
    free(c->names);
    free(c->load);
    *c = (struct copy_columns){ .n = 0 };
}
