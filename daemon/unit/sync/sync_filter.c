/* Statements against the filters of a task (binlog_filter_rule). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_session.h"

/* What filters may ask of the table that is changed: the target's, which is where the stream is. */
struct looked {
    struct sync_run *run;
    struct table_def *def;
    bool asked;
    const char *schema, *table;
};

static const struct table_def *def_of(struct looked *l)
{
    struct err ignored = ERR_INIT;
    struct route to;

    if (!l->asked && router_table(l->run->job->router, l->schema, l->table, &to) &&
        table_read(l->run->admin, to.to_schema, to.to_table, &l->def, &ignored) < 0)
        l->def = NULL;
    l->asked = true;
    return l->def;
}

static bool column(void *arg, struct slice name, struct slice *type, bool *auto_increment)
{
    const struct table_def *def = def_of(arg);

    for (unsigned i = 0; def && i < def->n_cols; i++) {
        const struct table_column *c = &def->cols[i];

        if (strlen(c->name) != name.size ||
            strncasecmp(c->name, (const char *)name.data, name.size) != 0)
            continue;
        *type = slice_str(c->column_type);
        *auto_increment = c->auto_increment;
        return true;
    }
    return false;
}

static bool is_unique(void *arg, struct slice index)
{
    const struct table_def *def = def_of(arg);

    for (unsigned i = 0; def && i < def->n_keys; i++)
        if (strlen(def->keys[i].name) == index.size &&
            strncasecmp(def->keys[i].name, (const char *)index.data, index.size) == 0)
            return def->keys[i].unique;
    return false;
}

/* One statement, as one of its tables. */
static enum filter_verdict ask(struct sync_run *r, const struct query *q, const struct ddl *d,
                               const struct ddl_name *n, struct buf *rest)
{
    struct slice schema = n && n->schema.size ? n->schema : q->db;
    SCOPED(freep) char *db = xstrndup((const char *)schema.data, schema.size);
    SCOPED(freep)
    char *table = n ? xstrndup((const char *)n->table.data, n->table.size) : xstrdup("");
    struct looked l = { .run = r, .schema = db, .table = table };
    uint64_t mode = sync_ddl_mode(r, q);
    struct filter_statement st = { .sql = q->sql,
                                   .ddl = d,
                                   .ansi_quotes = mode & SESSION_ANSI_QUOTES,
                                   .no_backslash_escapes = mode & SESSION_NO_BACKSLASH_ESCAPES,
                                   .schema = db,
                                   .table = table,
                                   .column = column,
                                   .is_unique = is_unique,
                                   .arg = &l };
    enum filter_verdict v = filter_ddl(r->job->filter, &st, &r->scratch, rest);

    table_free(l.def);
    return v;
}

static void add_name(struct buf *out, struct slice sql, const struct ddl_name *n)
{
    buf_add(out, sql.data + n->at, n->size);
}

/* DROP TABLE a, b and RENAME TABLE a TO b, c TO d are as many statements ('step' names each), of
 * which some may stay. */
static enum filter_verdict each(struct sync_run *r, const struct query *q, const struct ddl *d,
                                unsigned step, struct buf *rest)
{
    SCOPED(buf_fini) struct buf unused = BUF_INIT;
    unsigned n_ignored = 0;
    const char *between = " ";

    buf_str(rest, d->class == DDL_RENAME_TABLE ? "RENAME TABLE"
                  : d->if_exists               ? "DROP TABLE IF EXISTS"
                                               : "DROP TABLE");
    for (unsigned i = 0; i + step <= d->n_names; i += step) {
        if (ask(r, q, d, &d->names[i], &unused) == FILTER_IGNORE) {
            n_ignored++;
            continue;
        }
        buf_str(rest, between);
        add_name(rest, q->sql, &d->names[i]);
        if (step == 2) {
            buf_str(rest, " TO ");
            add_name(rest, q->sql, &d->names[i + 1]);
        }
        between = ", ";
    }
    return n_ignored == 0                  ? FILTER_KEEP
           : n_ignored * step < d->n_names ? FILTER_PART
                                           : FILTER_IGNORE;
}

enum filter_verdict sync_filter(struct sync_run *r, struct query *q, struct ddl *d)
{
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    enum filter_verdict v;

    if (!r->job->filter)
        return FILTER_KEEP;
    if (d->class == DDL_RENAME_TABLE || d->class == DDL_DROP_TABLE)
        v = each(r, q, d, d->class == DDL_RENAME_TABLE ? 2 : 1, &rest);
    else
        v = ask(r, q, d, d->n_names ? &d->names[0] : NULL, &rest);
    if (v == FILTER_PART) {
        q->sql = slice_of(arena_dup(&r->scratch, rest.data, rest.size), rest.size);
        sync_ddl_scan(r, q, d);
    }
    return v;
}
