#include "unit/read/read_columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "mysql/quote.h"
#include "route/router.h"

static const struct {
    const char *type;
    enum read_kind kind;
} kinds[] = {
    { "tinyint", READ_NUMBER },  { "smallint", READ_NUMBER }, { "mediumint", READ_NUMBER },
    { "int", READ_NUMBER },      { "bigint", READ_NUMBER },   { "year", READ_PLAIN },
    { "decimal", READ_PLAIN },   { "float", READ_PLAIN },     { "double", READ_PLAIN },
    { "date", READ_PLAIN },      { "time", READ_PLAIN },      { "datetime", READ_PLAIN },
    { "timestamp", READ_PLAIN }, { "uuid", READ_TEXT },       { "inet6", READ_TEXT },
    { "inet4", READ_TEXT },      { NULL, READ_BYTES },
};

static enum read_kind kind_of(const struct table_column *c)
{
    size_t i = 0;

    if (c->json)
        return READ_TEXT;
    if (strcmp(c->data_type, "enum") == 0 && enum_has_blank(c->column_type))
        return READ_INDEX;
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
    else if (kind_of(c) == READ_INDEX)
        buf_str(out, "+0");
}

struct builder {
    struct read_columns *c;
    struct buf select, names, load, set;
};

static void column_add(struct builder *b, const struct table_column *col, enum read_kind kind,
                       const char *constant)
{
    struct read_column *copy = &b->c->cols[b->c->n++];
    const char *comma = b->names.size ? ", " : "";

    *copy = (struct read_column){ .kind = kind,
                                  .is_enum = strcmp(col->data_type, "enum") == 0,
                                  .is_bit = strcmp(col->data_type, "bit") == 0,
                                  .charset = col->charset ? xstrdup(col->charset) : NULL };
    buf_str(&b->select, comma);
    if (constant)
        sql_quote(&b->select, slice_str(constant));
    else
        select_add(&b->select, col);
    buf_str(&b->names, comma);
    sql_ident(&b->names, slice_str(col->name));
    if (!b->c->first)
        b->c->first = xstrndup(b->names.data, b->names.size);
    buf_str(&b->load, comma);
    if (kind < READ_TEXT) {
        sql_ident(&b->load, slice_str(col->name));
        return;
    }
    buf_printf(&b->load, "@v%u", b->c->n);
    buf_str(&b->set, b->set.size ? ", " : " SET ");
    sql_ident(&b->set, slice_str(col->name));
    buf_printf(&b->set, kind == READ_TEXT ? " = CONVERT(@v%u USING utf8mb4)" : " = @v%u + 0",
               b->c->n);
}

static void columns_end(struct builder *b)
{
    buf_add(&b->load, ")", 1);
    if (b->set.size)
        buf_add(&b->load, b->set.data, b->set.size);
    b->c->select = buf_steal(&b->select);
    b->c->names = buf_steal(&b->names);
    b->c->load = xasprintf("(%s", b->load.data);
    buf_fini(&b->load);
    buf_fini(&b->set);
}

static void add_constants(struct builder *b, const struct table_def *to,
                          const struct router_extracted *extra)
{
    b->c->constants = extra;
    for (unsigned i = 0; to && extra && i < extra->n; i++) {
        const struct table_column *there = column_named(to, extra->at[i].column);

        if (!there)
            continue;
        column_add(b, there, kind_of(there), extra->at[i].value);
        b->c->n_constants++;
    }
}

void read_columns_init(struct read_columns *c, const struct table_def *from,
                       const struct table_def *to, const struct router_extracted *extra)
{
    unsigned n_extra = extra && to ? extra->n : 0;
    struct builder b = { .c = c };

    *c = (struct read_columns){ .cols = xcalloc(from->n_cols + n_extra + 1, sizeof *c->cols) };
    for (unsigned i = 0; i < from->n_cols; i++) {
        const struct table_column *col = &from->cols[i], *there = column_named(to, col->name);
        enum read_kind kind = kind_of(col);

        if (col->generated)
            continue;
        if (kind == READ_BYTES && there && kind_of(there) == READ_TEXT)
            kind = READ_TEXT;
        column_add(&b, col, kind, NULL);
    }
    add_constants(&b, to, extra);
    columns_end(&b);
}

/* Where '' is a member of an ENUM, another's dump has '' for it, and ours the index. */
static enum read_kind kind_in_file(const struct table_column *col, const struct dump_words *words)
{
    enum read_kind kind = kind_of(col);

    if (kind == READ_INDEX && !words->ours)
        kind = READ_BYTES;
    return kind == READ_BYTES && words->utf8 && col->charset ? READ_TEXT : kind;
}

int read_columns_named(struct read_columns *c, const struct table_def *to,
                       const struct dump_words *words, const struct router_extracted *extra,
                       struct err *err)
{
    unsigned n = words->n_names ? words->n_names : to->n_cols - (extra ? extra->n : 0);
    struct builder b = { .c = c };

    *c = (struct read_columns){ .cols = xcalloc(n + 1 + ROUTER_EXTRACTS, sizeof *c->cols) };
    for (unsigned i = 0; i < n; i++) {
        int at = words->n_names ? table_column_find(to, words->names[i]) : (int)i;

        if (at < 0)
            return err_set(err, -EINVAL, "%s.%s at the target has no column %s", to->db, to->name,
                           words->names[i]);
        if (to->cols[at].generated)
            continue;
        column_add(&b, &to->cols[at], kind_in_file(&to->cols[at], words), NULL);
        if (!words->ours && enum_has_blank(to->cols[at].column_type))
            c->cols[c->n - 1].is_enum = false; /* '' is no index 0 there: nothing warns */
    }
    add_constants(&b, to, extra);
    columns_end(&b);
    return 0;
}

void read_columns_fini(struct read_columns *c)
{
    for (unsigned i = 0; i < c->n; i++)
        free(c->cols[i].charset);
    free(c->cols);
    free(c->first);
    free(c->select);
    free(c->names);
    free(c->load);
    *c = (struct read_columns){ .n = 0 };
}
