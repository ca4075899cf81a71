/* sync_ddl_text.c - a statement as the target takes it: on its tables there, or on empty ones. */
#include <xxhash.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/sync/sync_collate.h"
#include "unit/sync/sync_ddl_look.h"
#include "unit/sync/sync_ddl_priv.h"
#include "unit/sync/sync_session.h"

struct renaming {
    struct sync_run *run;
    const struct query *query;
};

/* The statement as the target takes it. */
static void rewritten(struct sync_run *r, const struct query *q, const struct ddl *d,
                      bool (*rename)(void *arg, const struct ddl_name *n, struct buf *quoted),
                      struct renaming *m, struct buf *out)
{
    struct server_kind from = { r->flavor, r->version };
    struct server_kind to = { mysql_conn_flavor(r->admin), mysql_conn_version(r->admin) };
    SCOPED(buf_fini) struct buf renamed = BUF_INIT;
    struct query_context ctx;

    if (from.flavor == to.flavor) {
        ddl_rewrite(q->sql, d, rename, m, out);
        return;
    }
    sync_ddl_context(r, q, &ctx);
    ddl_rewrite(q->sql, d, rename, m, &renamed);
    collate_translate(slice_of(renamed.data, renamed.size), ctx.sql_mode & SESSION_ANSI_QUOTES,
                      ctx.sql_mode & SESSION_NO_BACKSLASH_ESCAPES, from, to, out);
}

static bool rename_name(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    struct renaming *m = arg;
    struct route to;

    if (!sync_ddl_in_scope(m->run, m->query, n, &to))
        return false;
    sql_table(quoted, to.to_schema, n->table.size ? to.to_table : NULL);
    return true;
}

void sync_ddl_text(struct sync_run *r, const struct query *q, const struct ddl *d, struct buf *out)
{
    struct renaming m = { r, q };

    rewritten(r, q, d, rename_name, &m, out);
}

/* Only the tables in scope; after a crash some may be gone. */
static void drop_tables(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct buf *out)
{
    const char *between = d->if_exists || r->ddl_again ? "DROP TABLE IF EXISTS " : "DROP TABLE ";

    for (unsigned i = 0; i < d->n_names; i++) {
        struct route to;

        if (!sync_ddl_in_scope(r, q, &d->names[i], &to))
            continue;
        buf_str(out, between);
        sql_table(out, to.to_schema, to.to_table);
        between = ",";
    }
}

void sync_ddl_statement(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct buf *out)
{
    struct renaming m = { r, q };
    struct route to;

    /* A slash-star-slash in a name cannot end the comment: names are shown as hex digits. */
    buf_printf(out, "/* sluice %016llx seq %llu */ ",
               (unsigned long long)XXH3_64bits(r->cp.key.task, strlen(r->cp.key.task)),
               (unsigned long long)r->cp.seq);
    if (d->class == DDL_DROP_TABLE) {
        drop_tables(r, q, d, out);
    } else if (d->class == DDL_CREATE_DATABASE && !d->if_exists &&
               sync_ddl_in_scope(r, q, d->names, &to) && !to.whole) {
        buf_str(out, "CREATE DATABASE IF NOT EXISTS ");
        sql_ident(out, slice_str(to.to_schema));
    } else {
        rewritten(r, q, d, rename_name, &m, out);
    }
}

/* --- tried on empty tables --- */

/* Those in scope, in the order written; caller frees. */
static struct route *tables_of(struct sync_run *r, const struct query *q, const struct ddl *d,
                               size_t *n)
{
    struct route *tables = xcalloc(d->n_names + 1, sizeof *tables);

    *n = 0;
    for (unsigned i = 0; i < d->n_names; i++) {
        struct route *to = &tables[*n];

        if (!sync_ddl_in_scope(r, q, &d->names[i], to))
            continue;
        if (d->names[i].table.size == 0)
            to->to_table[0] = '\0';
        ++*n;
    }
    return tables;
}

int sync_ddl_look(struct sync_run *r, const struct query *q, const struct ddl *d, struct buf *ret,
                  struct err *err)
{
    size_t n;
    SCOPED(freep) struct route *tables = tables_of(r, q, d, &n);

    return ddl_look(r->admin, tables, n, ret, err);
}

/* The schema in which a statement is tried on empty tables. */
static char *scratch_schema(const struct sync_run *r)
{
    SCOPED(freep)
    char *whose = xasprintf("%s/%s/%s", r->job->task, r->job->source, r->cp.key.part);

    return xasprintf("%.40s_try_%08x", r->job->meta_schema,
                     (unsigned)XXH3_64bits(whose, strlen(whose)));
}

static bool name_in_scratch(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    struct renaming *m = arg;
    SCOPED(freep) char *schema = scratch_schema(m->run);
    struct route to;

    if (!sync_ddl_in_scope(m->run, m->query, n, &to))
        return false;
    sql_table(quoted, schema, n->table.size ? to.to_table : NULL);
    return true;
}

/* How the tables would look after the statement. */
int sync_ddl_try(struct sync_run *r, const struct query *q, const struct ddl *d,
                 struct slice before, struct buf *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf session = BUF_INIT, sql = BUF_INIT;
    SCOPED(freep) char *scratch = scratch_schema(r);
    struct renaming m = { r, q };
    struct query_context ctx;
    struct mysql_conn *c;
    size_t n;
    SCOPED(freep) struct route *tables = tables_of(r, q, d, &n);
    int rc = mysql_conn_open(&c, &r->job->to, err);

    if (rc < 0)
        return rc;
    sync_ddl_context(r, q, &ctx);
    session_sql(&ctx, 0, r->flavor, mysql_conn_flavor(c), r->job->time_zone, &session);
    rewritten(r, q, d, name_in_scratch, &m, &sql);
    rc = ddl_try(c, tables, n, before, scratch, slice_of(session.data, session.size),
                 slice_of(sql.data, sql.size), ret, err);
    mysql_conn_close(c);
    return rc;
}

int sync_ddl_try_database(struct sync_run *r, const struct query *q, const struct ddl *d,
                          char **collation, struct err *err)
{
    SCOPED(freep) char *scratch = scratch_schema(r);
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct renaming m = { r, q };
    struct err ignored = ERR_INIT;
    int rc = sql_exec(r->admin, err, "DROP DATABASE IF EXISTS %i", scratch);

    rewritten(r, q, d, name_in_scratch, &m, &sql);
    if (rc == 0)
        rc = mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, err);
    if (rc == 0)
        rc = sql_scalar(r->admin, collation, err,
                        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
                        " WHERE SCHEMA_NAME=%q",
                        scratch);
    sql_exec(r->admin, &ignored, "DROP DATABASE IF EXISTS %i", scratch);
    return rc;
}
