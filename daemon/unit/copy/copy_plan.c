/* What a copy is about: tables and views in scope, with what the target knows of them. */
#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "mysql/table_many.h"
#include "unit/copy/copy_engine.h"
#include "unit/read/read_range.h"

void copy_tables_fini(struct copy_tables *t)
{
    for (unsigned i = 0; i < t->n; i++)
        copy_table_free(t->all[i]);
    free(t->all);
    for (unsigned i = 0; i < t->n_views; i++) {
        free(t->views[i].schema);
        free(t->views[i].name);
        free(t->views[i].create);
    }
    free(t->views);
    *t = (struct copy_tables){ .n = 0 };
}

/* Column 1 of SHOW CREATE ...; -ENOENT if it is gone. */
static int show_create(struct mysql_conn *c, const char *kind, const char *db, const char *name,
                       char **ret, struct err *err)
{
    struct mysql_result *r;
    struct mysql_row row;
    int rc = sql_query(c, &r, err, "SHOW CREATE %r %i.%i", kind, db, name);

    if (rc < 0)
        return err->sql == 1146 || err->sql == 1049 || err->sql == 4089 ? -ENOENT : rc;
    rc = mysql_result_next(r, &row, err);
    if (rc > 0)
        *ret = mysql_row_text(&row, 1);
    mysql_result_free(r);
    return rc > 0 ? 0 : rc < 0 ? rc : -ENOENT;
}

static const char *kind_word(enum table_kind kind)
{
    return kind == TABLE_VIEW ? "VIEW" : kind == TABLE_SEQUENCE ? "SEQUENCE" : "TABLE";
}

/* Our own tables are no part of what is copied, even where an end is its own target.  -EEXIST when
 * two routes are for it. */
static int in_scope(const struct copy *c, const struct table_name *n, struct route *to,
                    struct err *err)
{
    if (strcmp(n->db, c->job->meta_schema) == 0 ||
        !router_table(c->job->router, n->db, n->name, to))
        return 0;
    return router_check(c->job->router, n->db, n->name, err) < 0 ? err->code : 1;
}

static bool other_unique_keys(const struct table_def *t, const struct table_key *key)
{
    for (unsigned i = 0; i < t->n_keys; i++)
        if (t->keys[i].unique && &t->keys[i] != key)
            return true;
    return false;
}

static int add_view(struct copy *c, struct copy_tables *tables, const struct table_name *n,
                    struct err *err)
{
    struct copy_view *v;
    char *create;
    int rc = show_create(c->source, "VIEW", n->db, n->name, &create, err);

    if (rc < 0) { /* a view over what is gone can be listed and not be shown */
        log_warn(c->job->path, "view %s.%s is left out: %s", n->db, n->name, err->text);
        return rc == -ECONNRESET || rc == -ETIMEDOUT ? rc : 0;
    }
    tables->views = xrealloc(tables->views, (tables->n_views + 1) * sizeof *tables->views);
    v = &tables->views[tables->n_views++];
    *v = (struct copy_view){ xstrdup(n->db), xstrdup(n->name), create, false };
    return 0;
}

/* As it says how it is made; its definition is read after that, so that what changes in between is
 * found by looking at this once more. */
static int add_table(struct copy *c, struct copy_tables *tables, const struct table_name *n,
                     const struct route *to, struct err *err)
{
    struct copy_table *t = xcalloc(1, sizeof *t);
    int rc = show_create(c->source, kind_word(n->kind), n->db, n->name, &t->create, err);

    if (rc < 0) {
        copy_table_free(t);
        return rc == -ENOENT ? 0 : err_wrap(err, "%s.%s", n->db, n->name);
    }
    t->label = xasprintf("%s.%s", n->db, n->name);
    t->to = *to;
    router_extracted(c->job->router, c->job->source, n->db, n->name, &t->extra);
    t->sequence = n->kind == TABLE_SEQUENCE;
    t->row = (struct copy_table_row){ .schema = n->db,
                                      .table = n->name,
                                      .shape = copy_table_shape(t->create) };
    tables->all = xrealloc(tables->all, (tables->n + 1) * sizeof(void *));
    tables->all[tables->n++] = t;
    return 0;
}

static void define(const struct copy *c, struct copy_table *t)
{
    const struct table_key *key = read_range_key(t->def);

    t->row.schema = t->def->db;
    t->row.table = t->def->name;
    t->resumable =
        key && !other_unique_keys(t->def, key) && c->full_images && t->def->transactional;
}

/* Those that are gone meanwhile are left out. */
static int read_definitions(struct copy *c, struct copy_tables *tables, struct err *err)
{
    struct table_many defs = { .conn = c->source };
    unsigned n = 0, i;
    int rc = 0;

    for (i = 0; i < tables->n; i++)
        table_many_want(&defs, tables->all[i]->row.schema, 1);
    for (i = 0; i < tables->n && rc == 0; i++) {
        struct copy_table *t = tables->all[i];

        rc = table_many_read(&defs, t->row.schema, t->row.table, &t->def, err);
        if (rc == 0) {
            define(c, t);
            tables->all[n++] = t;
        } else if (rc == -ENOENT) {
            copy_table_free(t);
            rc = 0;
        } else {
            err_wrap(err, "%s", t->label);
            break;
        }
    }
    while (i < tables->n)
        tables->all[n++] = tables->all[i++];
    tables->n = n;
    table_many_fini(&defs);
    return rc;
}

struct copy_table *copy_tables_find(const struct copy_tables *tables, const char *db,
                                    const char *name)
{
    for (unsigned i = 0; i < tables->n; i++)
        if (strcmp(tables->all[i]->def->db, db) == 0 &&
            strcmp(tables->all[i]->def->name, name) == 0)
            return tables->all[i];
    return NULL;
}

/* What the target remembers.  A known table that is gone was dropped or renamed
 * after its rows were read: replaying that over a copy of the new name would
 * be wrong, so all is done again. */
int copy_plan_states(struct copy *c, struct copy_tables *tables, struct err *err)
{
    struct copy_table_row *rows;
    unsigned n;
    int rc = copy_state_tables(c->target, c->job, &rows, &n, err);

    if (rc < 0)
        return rc;
    for (unsigned i = 0; rc == 0 && i < n; i++) {
        struct copy_table *t = copy_tables_find(tables, rows[i].schema, rows[i].table);

        if (!t) {
            rc = err_set(err, -ERESTART, "%s.%s is no longer at the source", rows[i].schema,
                         rows[i].table);
            break;
        }
        rows[i].shape = rows[i].state >= COPY_TABLE_LOADED ? t->row.shape : rows[i].shape;
        t->row.state = rows[i].state;
        t->row.first_round = rows[i].first_round;
        t->row.last_round = rows[i].last_round;
        t->row.rows = rows[i].rows;
        if (rows[i].shape != t->row.shape) /* changed, or was to be read again */
            t->row.first_round = 0;
        atomic_store(&t->state, (int)t->row.state);
        atomic_store(&t->rows, rows[i].rows);
        rc = copy_state_ranges(c->target, c->job, rows[i].schema, rows[i].table, &t->ranges,
                               &t->n_ranges, err);
    }
    copy_state_rows_free(rows, n);
    return rc;
}

static int by_target(const void *a, const void *b)
{
    const struct copy_table *x = *(struct copy_table *const *)a;
    const struct copy_table *y = *(struct copy_table *const *)b;
    int order = strcmp(x->to.to_schema, y->to.to_schema);

    return order ? order : strcmp(x->to.to_table, y->to.to_table);
}

void copy_plan_merged(const struct copy *c, struct copy_tables *tables)
{
    struct copy_table **sorted;

    if (tables->n == 0)
        return;
    sorted = xmalloc(tables->n * sizeof(struct copy_table *));
    memcpy(sorted, tables->all, tables->n * sizeof(struct copy_table *));
    qsort(sorted, tables->n, sizeof(struct copy_table *), by_target);
    for (unsigned i = 0; i < tables->n; i++) {
        sorted[i]->merged |= c->job->merges || c->job->on_duplicate != ON_DUPLICATE_ERROR;
        if (i > 0 && by_target(&sorted[i - 1], &sorted[i]) == 0)
            sorted[i - 1]->merged = sorted[i]->merged = true;
    }
    free(sorted);
}

int copy_plan(struct copy *c, struct copy_tables *ret, struct err *err)
{
    struct copy_tables tables = { .n = 0 };
    struct table_names names = { .n = 0 };
    int rc = table_list(c->source, NULL, &names, err);

    for (unsigned i = 0; rc == 0 && i < names.n; i++) {
        const struct table_name *n = &names.names[i];
        struct route to;

        rc = in_scope(c, n, &to, err);
        if (rc <= 0)
            continue;
        rc = n->kind == TABLE_VIEW ? add_view(c, &tables, n, err)
                                   : add_table(c, &tables, n, &to, err);
        if (job_link_stopping(&c->link))
            rc = err_set(err, -ECANCELED, "the copy is being stopped");
    }
    if (rc == 0)
        rc = read_definitions(c, &tables, err);
    table_names_fini(&names);
    if (rc == 0 && c->target)
        rc = copy_plan_states(c, &tables, err);
    if (rc < 0) {
        copy_tables_fini(&tables);
        return rc;
    }
    copy_plan_merged(c, &tables);
    rc = copy_foreign_classes(c, &tables, err);
    if (rc < 0) {
        copy_tables_fini(&tables);
        return rc;
    }
    *ret = tables;
    return 0;
}

int copy_plan_recheck(struct copy *c, struct copy_tables *tables, struct err *err)
{
    struct table_names names = { .n = 0 };
    struct route to;
    int rc = table_list(c->source, NULL, &names, err);

    for (unsigned i = 0; rc == 0 && i < names.n; i++)
        if (names.names[i].kind != TABLE_VIEW && in_scope(c, &names.names[i], &to, err) > 0 &&
            !copy_tables_find(tables, names.names[i].db, names.names[i].name))
            rc = err_set(err, -EAGAIN, "%s.%s was made meanwhile", names.names[i].db,
                         names.names[i].name);
    table_names_fini(&names);
    for (unsigned i = 0; rc == 0 && i < tables->n; i++) {
        struct copy_table *t = tables->all[i];
        SCOPED(freep) char *create = NULL;

        if (t->row.state >= COPY_TABLE_LOADED)
            continue;
        rc = show_create(c->source, t->sequence ? "SEQUENCE" : "TABLE", t->def->db, t->def->name,
                         &create, err);
        if (rc == -ENOENT || (rc == 0 && copy_table_shape(create) != copy_table_shape(t->create))) {
            atomic_store(&t->again, true);
            rc = 0;
        }
    }
    return rc;
}

int copy_plan_start_over(struct copy *c, struct err *err)
{
    struct copy_table_row *rows;
    unsigned n;
    int rc = copy_state_tables(c->target, c->job, &rows, &n, err);

    if (rc < 0)
        return rc;
    for (unsigned i = 0; rc == 0 && i < n; i++) {
        struct route to;

        if (c->job->merges)
            rc = err_set(err, -EIO,
                         "%s.%s changed its name or went while the copy was interrupted, and other "
                         "sources write to the same tables: empty them and start the task anew",
                         rows[i].schema, rows[i].table);
        else if (router_table(c->job->router, rows[i].schema, rows[i].table, &to))
            rc = sql_exec(c->target, err, "DROP TABLE IF EXISTS %i.%i", to.to_schema, to.to_table);
    }
    copy_state_rows_free(rows, n);
    return rc < 0 ? rc : copy_state_forget(c->target, c->job, err);
}
