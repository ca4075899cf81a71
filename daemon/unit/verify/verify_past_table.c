/* Tables of a reading of the past: which have rows, and how these are named. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/query_context.h"
#include "route/ddl.h"
#include "unit/read/read_range.h"
#include "unit/schema/schema_shape.h"
#include "unit/sync/sync_session.h"
#include "unit/verify/verify_past_priv.h"

/* --- a table --- */

static void forget_shape(struct past_table *t)
{
    table_free(t->def);
    free(t->key);
    free(t->map);
    free(t->body);
    t->def = NULL;
    t->key = NULL;
    t->n_key = 0;
    t->map = NULL;
    t->body = NULL;
    t->body_size = 0;
}

void past_tables_fini(struct past_tables *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        forget_shape(t->all[i]);
        free(t->all[i]->db);
        free(t->all[i]->name);
        free(t->all[i]);
    }
    free(t->all);
    free(t->open);
    arena_fini(&t->arena);
}

static int by_name(const char *db, const char *name, const struct past_table *t)
{
    int order = strcmp(name, t->name);

    return order ? order : strcmp(db, t->db);
}

/* Where it is, or would be. */
static unsigned place_of(const struct past_tables *t, const char *db, const char *name)
{
    unsigned first = 0, until = t->n;

    while (first < until) {
        unsigned middle = first + (until - first) / 2;

        if (by_name(db, name, t->all[middle]) > 0)
            first = middle + 1;
        else
            until = middle;
    }
    return first;
}

static struct past_table *find(const struct past_tables *t, const char *db, const char *name)
{
    unsigned i = place_of(t, db, name);

    return i < t->n && by_name(db, name, t->all[i]) == 0 ? t->all[i] : NULL;
}

static struct past_table *table_of(struct past_tables *t, const char *db, const char *name)
{
    const struct job *job = t->c->job;
    unsigned i = place_of(t, db, name);
    struct route to;

    if (i < t->n && by_name(db, name, t->all[i]) == 0)
        return t->all[i];
    t->all = xrealloc(t->all, (t->n + 1) * sizeof *t->all);
    memmove(t->all + i + 1, t->all + i, (t->n - i) * sizeof *t->all);
    t->all[i] = xcalloc(1, sizeof **t->all);
    *t->all[i] = (struct past_table){ .db = xstrdup(db),
                                      .name = xstrdup(name),
                                      .in_scope = strcmp(db, job->meta_schema) != 0 &&
                                                  router_table(job->router, db, name, &to) };
    t->n++;
    return t->all[i];
}

static void be_unsure(struct past_tables *t, struct past_table *of)
{
    if (!of->in_scope || of->unsure)
        return;
    of->unsure = true;
    forget_shape(of);
    t->c->unsure(t->c->arg, of->db, of->name);
}

/* --- its shape --- */

static void find_key(struct past_table *t, const struct table_column *const *cols)
{
    const struct table_key *key = read_range_key(t->def);
    unsigned n = 0;

    if (!key)
        return;
    t->key = xcalloc(key->n_parts, sizeof *t->key);
    for (unsigned i = 0; i < key->n_parts; i++)
        for (unsigned k = 0; k < t->map->n_cols; k++)
            if (cols[k] == &t->def->cols[key->cols[i]]) {
                t->key[n++] = k;
                break;
            }
    t->n_key = n == key->n_parts ? n : 0;
}

/* -EINVAL: it is another table by now. */
static int take_shape(struct past_tables *t, struct past_table *of, const struct table_map *map,
                      struct err *err)
{
    const struct table_column **cols = arena_alloc(&t->arena, (map->n_cols + 1) * sizeof *cols);
    int rc = of->def ? 0 : table_read(t->c->source, of->db, of->name, &of->def, err);

    if (rc == 0)
        rc = shape_fit(map, of->def, cols, err);
    if (rc < 0)
        return rc;
    free(of->map);
    free(of->key);
    of->key = NULL;
    of->n_key = 0;
    of->map = table_map_dup(map);
    shape_complete(of->map, cols);
    shape_say(of->map, NULL);
    find_key(of, cols);
    return 0;
}

#define ID_SIZE 6 /* at the head of the body; another one each time the table is opened */

static bool is_known(const struct past_table *t, const struct event *ev)
{
    return t->map && t->body_size == ev->body.size && t->body_size > ID_SIZE &&
           memcmp((const char *)t->body + ID_SIZE, ev->body.data + ID_SIZE,
                  t->body_size - ID_SIZE) == 0;
}

int past_tables_map(struct past_tables *t, const struct event *ev, const struct event_format *fmt,
                    struct err *err)
{
    char db[200], name[200];
    struct past_table *of;
    struct table_map map;
    int rc;

    arena_clear(&t->arena);
    rc = table_map_decode(ev, fmt, &t->arena, &map, err);
    if (rc < 0)
        return rc;
    snprintf(db, sizeof db, "%.*s", SLICE_ARG(map.db));
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(map.name));
    of = table_of(t, db, name);
    GROW(t->open, t->n_open, t->cap_open);
    t->open[t->n_open++] = (struct past_open){ map.table_id, of };
    if (!of->in_scope || of->unsure || is_known(of, ev))
        return 0;
    rc = take_shape(t, of, &map, err);
    if (rc == -EINVAL || rc == -ENOENT) {
        *err = ERR_INIT;
        be_unsure(t, of);
        return 0;
    }
    if (rc < 0)
        return rc;
    free(of->body);
    of->body = xmalloc(ev->body.size);
    memcpy(of->body, ev->body.data, ev->body.size);
    of->body_size = ev->body.size;
    return 0;
}

void past_tables_ended(struct past_tables *t)
{
    t->n_open = 0;
}

/* --- its rows --- */

/* The last that was called so. */
static struct past_table *by_id(const struct past_tables *t, uint64_t id)
{
    for (size_t i = t->n_open; i-- > 0;)
        if (t->open[i].id == id)
            return t->open[i].table;
    return NULL;
}

static int take_rows(struct past_tables *t, const struct past_table *of, struct rows *rows,
                     size_t *n, struct err *err)
{
    const struct verify_past_config *c = t->c;
    struct value *before = arena_alloc(&t->arena, (of->map->n_cols + 1) * sizeof *before);
    struct value *after = arena_alloc(&t->arena, (of->map->n_cols + 1) * sizeof *after);
    struct verify_pending_row row = { .source = c->job->source,
                                      .db = of->db,
                                      .name = of->name,
                                      .kind = rows->kind,
                                      .key = of->key,
                                      .n_key = of->n_key,
                                      .before = rows->kind == ROWS_INSERT ? NULL : before,
                                      .after = rows->kind == ROWS_DELETE ? NULL : after };
    int rc;

    while ((rc = rows_next(rows, row.before ? before : NULL, row.after ? after : NULL, err)) > 0) {
        verify_pending_add(c->pending, &row);
        ++*n;
    }
    return rc;
}

int past_tables_rows(struct past_tables *t, const struct event *ev, const struct event_format *fmt,
                     size_t *n, struct err *err)
{
    const struct past_table *of;
    struct table_map map;
    struct rows rows;
    uint64_t id;
    int rc = rows_table_id(ev, fmt, &id, err);

    of = rc == 0 ? by_id(t, id) : NULL;
    if (!of || !of->map)
        return rc;
    arena_clear(&t->arena);
    map = *of->map;
    map.table_id = id;
    rc = rows_open(&rows, ev, fmt, &map, &t->arena, err);
    return rc < 0 ? rc : take_rows(t, of, &rows, n, err);
}

/* --- statements --- */

static bool is_of_tables(enum ddl_class class)
{
    return class >= DDL_CREATE_TABLE && class <= DDL_DROP_INDEX;
}

/* A name of a whole schema. */
static void schema_changed(struct past_tables *t, const char *db)
{
    for (unsigned i = 0; i < t->n; i++)
        if (strcmp(t->all[i]->db, db) == 0)
            be_unsure(t, t->all[i]);
}

static void changed(struct past_tables *t, const struct ddl *d, const struct ddl_name *n,
                    struct slice schema)
{
    char db[200], name[200];
    struct past_table *of;

    snprintf(db, sizeof db, "%.*s", SLICE_ARG(schema));
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(n->table));
    if (d->class == DDL_DROP_DATABASE) {
        schema_changed(t, db);
        return;
    }
    /* Rows that a statement changed; else those that were named by what it was before. */
    of = d->class == DDL_DML || d->class == DDL_TRUNCATE_TABLE ? table_of(t, db, name)
                                                               : find(t, db, name);
    if (of)
        be_unsure(t, of);
}

void past_tables_statement(struct past_tables *t, const struct query *q, enum flavor flavor)
{
    struct query_context ctx;
    struct err ignored = ERR_INIT;
    struct ddl d;

    if (query_context_decode(q->status_vars, flavor, &ctx, &ignored) < 0)
        ctx = (struct query_context){ .sql_mode = 0 };
    arena_clear(&t->arena);
    ddl_scan(q->sql, ctx.sql_mode & SESSION_ANSI_QUOTES,
             ctx.sql_mode & SESSION_NO_BACKSLASH_ESCAPES, &t->arena, &d);
    if (!is_of_tables(d.class) && d.class != DDL_DROP_DATABASE && d.class != DDL_DML)
        return;
    for (unsigned i = 0; i < d.n_names; i++)
        changed(t, &d, &d.names[i], d.names[i].schema.size ? d.names[i].schema : q->db);
}
