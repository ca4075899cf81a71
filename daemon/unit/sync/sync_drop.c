#include "unit/sync/sync_drop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/expr.h"
#include "unit/row_filter_doc.h"
#include "unit/sync/sync_members.h"

struct drop_rule {
    const char *name;
    enum rows_kind kind;
    struct expr *first, *second; /* both must be true; 'second' of the new values of an update */
};

/* How a column's value is given to an expression. */
struct drop_column {
    enum expr_type type;
    struct members members; /* of ENUM and SET */
    bool is_set, is_text;
};

struct drops {
    struct drop_rule *rules;
    size_t n_rules;
    unsigned n_cols;
    struct drop_column *cols;
};

/* --- columns --- */

static enum expr_type type_of(const struct column *c, const struct table_column *def)
{
    switch ((enum column_type)c->type) {
    case COL_TINY:
    case COL_SHORT:
    case COL_INT24:
    case COL_LONG:
    case COL_LONGLONG:
    case COL_YEAR:
    case COL_BIT:
        return EXPR_TYPE_INTEGER;
    case COL_NEWDECIMAL:
        return EXPR_TYPE_DECIMAL;
    case COL_FLOAT:
    case COL_DOUBLE:
        return EXPR_TYPE_REAL;
    case COL_DATE:
    case COL_NEWDATE:
        return EXPR_TYPE_DATE;
    case COL_DATETIME:
    case COL_DATETIME2:
    case COL_TIMESTAMP:
    case COL_TIMESTAMP2:
        return EXPR_TYPE_DATETIME;
    case COL_TIME:
    case COL_TIME2:
        return EXPR_TYPE_TIME;
    case COL_ENUM:
    case COL_SET:
        return def ? EXPR_TYPE_ENUM : EXPR_TYPE_OPAQUE;
    case COL_STRING:
    case COL_VARCHAR:
    case COL_VAR_STRING:
    case COL_VARCHAR_COMPRESSED:
    case COL_BLOB:
    case COL_TINY_BLOB:
    case COL_MEDIUM_BLOB:
    case COL_LONG_BLOB:
    case COL_BLOB_COMPRESSED:
        return def && !c->address ? EXPR_TYPE_TEXT : EXPR_TYPE_OPAQUE;
    case COL_DECIMAL:
    case COL_NULL:
    case COL_VECTOR:
    case COL_JSON:
    case COL_GEOMETRY:
        break;
    }
    return EXPR_TYPE_OPAQUE;
}

static struct expr_column *columns_of(struct drops *d, const struct table_map *map,
                                      const struct table_column *const *cols,
                                      const char *const *names)
{
    struct expr_column *columns = xcalloc(map->n_cols + 1, sizeof *columns);

    d->n_cols = map->n_cols;
    d->cols = xcalloc(map->n_cols + 1, sizeof *d->cols);
    for (unsigned i = 0; i < map->n_cols; i++) {
        const struct table_column *def = cols[i];

        d->cols[i].type = type_of(&map->cols[i], def);
        d->cols[i].is_set = map->cols[i].type == COL_SET;
        if (d->cols[i].type == EXPR_TYPE_ENUM)
            members_init(&d->cols[i].members, def->column_type);
        columns[i] = (struct expr_column){ .name = names[i],
                                           .type = d->cols[i].type,
                                           .collation = def ? def->collation : NULL };
    }
    return columns;
}

/* --- making --- */

void drops_free(struct drops *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_rules; i++) {
        expr_free(d->rules[i].first);
        expr_free(d->rules[i].second);
    }
    for (unsigned i = 0; i < d->n_cols; i++)
        members_fini(&d->cols[i].members);
    free(d->rules);
    free(d->cols);
    free(d);
}

static void drops_freep(struct drops **d)
{
    drops_free(*d);
}

/* 0 too when a column is not there: the rule then drops nothing. */
static int add(struct drops *d, const struct job *job, const struct row_rule *r,
               const struct expr_column *columns, struct err *err)
{
    const char *first = r->insert       ? r->insert
                        : r->delete     ? r->delete
                        : r->update_old ? r->update_old
                                        : NULL;
    struct drop_rule made = { .name = r->name,
                              .kind = r->insert   ? ROWS_INSERT
                                      : r->delete ? ROWS_DELETE
                                                  : ROWS_UPDATE };
    int rc = first ? expr_new(first, columns, d->n_cols, &made.first, err) : 0;

    if (rc == 0 && r->update_new)
        rc = expr_new(r->update_new, columns, d->n_cols, &made.second, err);
    if (rc == 0) {
        d->rules[d->n_rules++] = made;
        return 0;
    }
    expr_free(made.first);
    if (rc != -ENOENT)
        return err_wrap(err, "expression_filter %s", r->name);
    log_warn(job->path, "expression_filter %s leaves nothing out: %s", r->name, err->text);
    *err = ERR_INIT;
    return 0;
}

int drops_new(const struct job *job, const char *schema, const char *table,
              const struct table_map *map, const struct table_column *const *cols,
              const char *const *its_names, struct drops **ret, struct err *err)
{
    SCOPED(drops_freep) struct drops *d = NULL;
    SCOPED(freep) struct expr_column *columns = NULL;

    *ret = NULL;
    for (size_t i = 0; i < job->n_row_rules; i++) {
        const struct row_rule *r = &job->row_rules[i];

        if (!row_rule_is_for(r, schema, table))
            continue;
        if (!d) {
            d = xcalloc(1, sizeof *d);
            d->rules = xcalloc(job->n_row_rules, sizeof *d->rules);
            columns = columns_of(d, map, cols, its_names);
        }
        if (add(d, job, r, columns, err) < 0)
            return err->code;
    }
    *ret = STEAL(d);
    return 0;
}

/* --- asking --- */

struct image {
    const struct drops *drops;
    const struct value *row, *rest; /* where a column of 'row' is absent: what it was before */
    bool absent;                    /* one that was asked for is in neither */
};

static struct expr_value text_of(const struct value *v)
{
    return (struct expr_value){ .kind = EXPR_TEXT, .text = slice_of(v->p, v->size) };
}

static struct expr_value number_of(const struct drop_column *c, const struct value *v)
{
    bool is_int = v->kind == VALUE_INT;
    uint64_t n = v->u;

    if (c->type == EXPR_TYPE_ENUM)
        return (struct expr_value){ .kind = EXPR_TEXT,
                                    .text = c->is_set ? members_set(&c->members, n)
                                                      : members_one(&c->members, n) };
    return is_int ? (struct expr_value){ .kind = EXPR_INT, .i = v->i }
                  : (struct expr_value){ .kind = EXPR_UINT, .u = n };
}

static struct expr_value value_of(void *arg, unsigned column)
{
    struct image *m = arg;
    const struct drop_column *c = &m->drops->cols[column];
    const struct value *v = &m->row[column];

    if (v->kind == VALUE_ABSENT && m->rest)
        v = &m->rest[column];
    switch (v->kind) {
    case VALUE_ABSENT:
        m->absent = true;
        break;
    case VALUE_NULL:
        break;
    case VALUE_INT:
    case VALUE_UINT:
        return number_of(c, v);
    case VALUE_FLOAT:
        return (struct expr_value){ .kind = EXPR_REAL, .d = v->f };
    case VALUE_DOUBLE:
        return (struct expr_value){ .kind = EXPR_REAL, .d = v->d };
    case VALUE_TEXT:
        return c->type == EXPR_TYPE_DECIMAL ? expr_decimal_of(slice_of(v->p, v->size)) : text_of(v);
    case VALUE_BYTES:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
        return text_of(v);
    }
    return (struct expr_value){ .kind = EXPR_NULL };
}

/* 1 true, 0 not. */
static int holds(const struct expr *e, struct image *m, struct err *err)
{
    int rc = e ? expr_true(e, value_of, m, err) : 1;

    if (rc < 0 || !m->absent)
        return rc;
    err_set(err, -ENOTSUP,
            "the source left a column out of a change that it asks for (binlog_row_image of a "
            "session is not FULL)");
    return err_because(err, REASON_ROW_IMAGE);
}

int drops_row(const struct drops *d, enum rows_kind kind, const struct value *row, unsigned n_cols,
              struct err *err)
{
    struct image first = { .drops = d, .row = kind == ROWS_UPDATE ? row + n_cols : row };
    struct image second = { .drops = d, .row = row, .rest = first.row };

    for (size_t i = 0; i < d->n_rules; i++) {
        const struct drop_rule *r = &d->rules[i];
        int rc;

        if (r->kind != kind)
            continue;
        rc = holds(r->first, &first, err);
        if (rc > 0)
            rc = holds(r->second, &second, err);
        if (rc < 0)
            return err_wrap(err, "expression_filter %s", r->name);
        if (rc > 0)
            return 1;
    }
    return 0;
}
