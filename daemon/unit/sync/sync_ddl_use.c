/* sync_ddl_use.c - what a statement is, whose its tables are, and what it changes in what we know
 * of them. */
#include <errno.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/refill/refill.h"
#include "unit/schema/schema_store.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_ddl_priv.h"
#include "unit/sync/sync_session.h"

void sync_ddl_context(struct sync_run *r, const struct query *q, struct query_context *ret)
{
    struct err ignored = ERR_INIT;

    if (query_context_decode(q->status_vars, r->flavor, ret, &ignored) < 0)
        *ret = (struct query_context){ .explicit_defaults_for_timestamp = -1 };
}

uint64_t sync_ddl_mode(struct sync_run *r, const struct query *q)
{
    struct query_context ctx;

    sync_ddl_context(r, q, &ctx);
    return ctx.sql_mode;
}

void sync_ddl_scan(struct sync_run *r, const struct query *q, struct ddl *ret)
{
    uint64_t mode = sync_ddl_mode(r, q);

    ddl_scan(q->sql, mode & SESSION_ANSI_QUOTES, mode & SESSION_NO_BACKSLASH_ESCAPES, &r->scratch,
             ret);
}

unsigned sync_ddl_clauses(struct sync_run *r, const struct query *q, const struct ddl *d,
                          struct slice **ret)
{
    uint64_t mode = sync_ddl_mode(r, q);

    return ddl_clauses(q->sql, d, mode & SESSION_ANSI_QUOTES, mode & SESSION_NO_BACKSLASH_ESCAPES,
                       &r->scratch, ret);
}

unsigned sync_ddl_parts(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct slice **ret)
{
    uint64_t mode = sync_ddl_mode(r, q);

    return ddl_parts(q->sql, d, mode & SESSION_ANSI_QUOTES, mode & SESSION_NO_BACKSLASH_ESCAPES,
                     &r->scratch, ret);
}

void sync_ddl_names_of(const struct query *q, const struct ddl_name *n, struct ddl_names *ret)
{
    struct slice schema = n->schema.size ? n->schema : q->db;

    snprintf(ret->schema, sizeof ret->schema, "%.*s", SLICE_ARG(schema));
    snprintf(ret->table, sizeof ret->table, "%.*s", SLICE_ARG(n->table));
}

void sync_ddl_names(const struct query *q, const struct ddl_name *n, char schema[static 200],
                    char table[static 200])
{
    struct ddl_names at;

    sync_ddl_names_of(q, n, &at);
    memcpy(schema, at.schema, sizeof at.schema);
    memcpy(table, at.table, sizeof at.table);
}

/* Does this run apply to the table?  *to is its name at the target.  A DDL from before the moment
 * that the full copy read the table is in the copy already. */
bool sync_ddl_in_scope(struct sync_run *r, const struct query *q, const struct ddl_name *n,
                       struct route *to)
{
    struct ddl_names at;

    sync_ddl_names_of(q, n, &at);
    if (n->table.size == 0)
        return router_schema(r->job->router, at.schema, to);
    return router_table(r->job->router, at.schema, at.table, to) &&
           aside_has(r->aside, to->to_schema, to->to_table) == (r->only_aside != NULL) &&
           sync_when(r, at.schema, at.table) != COPY_SKIP &&
           !refill_skips_ddl(r, at.schema, at.table);
}

static unsigned count_in_scope(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    struct route to;
    unsigned n = 0;

    for (unsigned i = 0; i < d->n_names; i++)
        n += sync_ddl_in_scope(r, q, &d->names[i], &to);
    return n;
}

static const enum ddl_kind kinds[DDL_N_CLASSES] = {
    [DDL_UNKNOWN] = KIND_REFUSED,
    [DDL_CREATE_DATABASE] = KIND_DATABASE,
    [DDL_DROP_DATABASE] = KIND_DATABASE,
    [DDL_ALTER_DATABASE] = KIND_DATABASE,
    [DDL_CREATE_TABLE] = KIND_TABLES,
    [DDL_CREATE_TABLE_LIKE] = KIND_TABLES,
    [DDL_CREATE_TABLE_SELECT] = KIND_TABLES,
    [DDL_DROP_TABLE] = KIND_TABLES,
    [DDL_ALTER_TABLE] = KIND_TABLES,
    [DDL_RENAME_TABLE] = KIND_TABLES,
    [DDL_TRUNCATE_TABLE] = KIND_TABLES,
    [DDL_CREATE_INDEX] = KIND_TABLES,
    [DDL_DROP_INDEX] = KIND_TABLES,
    [DDL_CREATE_VIEW] = KIND_NEVER,
    [DDL_DROP_VIEW] = KIND_NEVER,
    [DDL_ALTER_VIEW] = KIND_NEVER,
    [DDL_CREATE_SEQUENCE] = KIND_SEQUENCE,
    [DDL_ALTER_SEQUENCE] = KIND_SEQUENCE,
    [DDL_DROP_SEQUENCE] = KIND_SEQUENCE,
    [DDL_TRIGGER] = KIND_NEVER,
    [DDL_ROUTINE] = KIND_NEVER,
    [DDL_EVENT] = KIND_NEVER,
    [DDL_ACCOUNT] = KIND_NEVER,
    [DDL_ADMIN] = KIND_NEVER,
    [DDL_DML] = KIND_REFUSED,
    [DDL_TRANSACTION] = KIND_INNER,
};

enum ddl_kind sync_ddl_kind(const struct ddl *d)
{
    return kinds[d->class];
}

static enum sync_ddl_use database_use(struct sync_run *r, const struct query *q,
                                      const struct ddl *d)
{
    struct route to;

    if (r->only_aside || d->n_names == 0 || !sync_ddl_in_scope(r, q, &d->names[0], &to))
        return SYNC_DDL_SKIP;
    return to.whole || d->class == DDL_CREATE_DATABASE ? SYNC_DDL_RUN : SYNC_DDL_SKIP;
}

/* Nothing becomes of a table by another one that is made like it. */
static bool makes_one_of_ours(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    struct route to;

    return d->class != DDL_CREATE_TABLE_LIKE || sync_ddl_in_scope(r, q, &d->names[0], &to);
}

static enum sync_ddl_use tables_use(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    unsigned n = count_in_scope(r, q, d);

    if (n == 0 || d->temporary || !makes_one_of_ours(r, q, d))
        return SYNC_DDL_SKIP;
    if (d->tablespace)
        return SYNC_DDL_REFUSE;
    return n == d->n_names || d->class == DDL_DROP_TABLE ? SYNC_DDL_RUN : SYNC_DDL_REFUSE;
}

/* A change without a table's name, such as SELECT f(), may be of any in the session's schema. */
static bool touches_scope(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    struct ddl_name session = { .at = 0 };
    struct route to;

    if (d->class == DDL_DML && d->n_names == 0)
        return q->db.size == 0 || sync_ddl_in_scope(r, q, &session, &to);
    return count_in_scope(r, q, d) > 0;
}

enum sync_ddl_use sync_ddl_use(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    bool sequences =
        r->flavor == FLAVOR_MARIADB && mysql_conn_flavor(sink_conn(r->main.sink)) == FLAVOR_MARIADB;

    switch (sync_ddl_kind(d)) {
    case KIND_TABLES:
        return tables_use(r, q, d);
    case KIND_DATABASE:
        return database_use(r, q, d);
    case KIND_SEQUENCE:
        return sequences ? tables_use(r, q, d) : SYNC_DDL_SKIP;
    case KIND_NEVER:
        return SYNC_DDL_SKIP;
    case KIND_REFUSED:
        return touches_scope(r, q, d) ? SYNC_DDL_REFUSE : SYNC_DDL_SKIP;
    case KIND_INNER:
        return SYNC_DDL_TRANSACTION;
    }
    return SYNC_DDL_SKIP;
}

#define SAY_DONE "'echo as=done > resolve_ddl' (an action of sync) and resume"

int sync_ddl_refuse(const struct query *q, const struct ddl *d, struct err *err)
{
    if (d->class == DDL_DML) {
        err_set(err, -ENOTSUP,
                "the source logged a change as a statement (binlog_format of a session is not ROW),"
                " which cannot be repeated exactly: make it at the target by hand, then " SAY_DONE
                ": %.*s",
                SLICE_HEAD(q->sql, 300));
        return err_because(err, REASON_STATEMENT_LOGGED);
    }
    if (d->tablespace) {
        err_set(err, -ENOTSUP,
                "rows came or went with the files of a tablespace and are not in the binlog: copy "
                "the task again, or copy the table by hand, then " SAY_DONE ": %.*s",
                SLICE_HEAD(q->sql, 300));
        return err_because(err, REASON_STATEMENT_UNSUPPORTED);
    }
    if (d->class == DDL_UNKNOWN) {
        err_set(err, -ENOTSUP,
                "a statement of a kind not known touches the task: run what is needed of it at the "
                "target, then " SAY_DONE ": %.*s",
                SLICE_HEAD(q->sql, 300));
        return err_because(err, REASON_STATEMENT_UNKNOWN);
    }
    err_set(err, -ENOTSUP,
            "a %s joins tables of the task with others: run what is needed of it at the target, "
            "then " SAY_DONE ": %.*s",
            ddl_class_name(d->class), SLICE_HEAD(q->sql, 300));
    return err_because(err, REASON_STATEMENT_UNSUPPORTED);
}

/* --- what it changes in what we know --- */

/* Of a statement that gives tables other names, all it names but those that it refers to. */
static bool is_renamed(const struct ddl *d, unsigned i)
{
    if (d->class == DDL_RENAME_TABLE || d->names[i].to)
        return true;
    for (unsigned k = 1; k < d->n_names && i == 0; k++)
        if (d->names[k].to)
            return true;
    return false;
}

static int renamed(struct sync_run *r, const struct query *q, const struct ddl *d, struct err *err)
{
    SCOPED(freep) struct ddl_names *at = xcalloc(d->n_names + 1, sizeof *at);
    SCOPED(freep) struct schema_rename *all = xcalloc(d->n_names + 1, sizeof *all);
    unsigned n = 0;

    for (unsigned i = 0; i < d->n_names; i++) {
        const struct ddl_names *from = &at[d->class == DDL_RENAME_TABLE && i ? i - 1 : 0];

        sync_ddl_names_of(q, &d->names[i], &at[i]);
        if (i > 0 && d->names[i].to)
            all[n++] =
                (struct schema_rename){ from->schema, from->table, at[i].schema, at[i].table };
    }
    return n ? sync_tables_renamed(r->tables, all, n, r->cp.seq,
                                   XXH3_64bits(q->sql.data, q->sql.size), err)
             : 0;
}

static enum sync_change change_of(const struct ddl *d, unsigned i, bool both)
{
    bool creates = d->class == DDL_CREATE_TABLE || d->class == DDL_CREATE_TABLE_LIKE ||
                   d->class == DDL_CREATE_TABLE_SELECT || d->class == DDL_CREATE_SEQUENCE;

    if (!both)
        return SYNC_CHANGE_SOURCE;
    if (creates && i == 0)
        return SYNC_CHANGE_CREATED;
    return d->class == DDL_DROP_TABLE || d->class == DDL_DROP_DATABASE ? SYNC_CHANGE_DROPPED
                                                                       : SYNC_CHANGE_BOTH;
}

static int changed(struct sync_run *r, const struct query *q, const struct ddl *d, bool ran,
                   struct err *err)
{
    unsigned n_names = d->class == DDL_CREATE_TABLE_LIKE ? 1 : d->n_names;
    bool both = ran && !r->ddl_apart;
    int rc = 0;

    for (unsigned i = 0; i < n_names && rc == 0; i++) {
        const struct ddl_name *n = &d->names[i];
        struct ddl_names at;

        if (both && is_renamed(d, i))
            continue;
        sync_ddl_names_of(q, n, &at);
        rc = sync_tables_changed(r->tables, at.schema, n->table.size ? at.table : NULL,
                                 change_of(d, i, both), r->cp.seq, err);
    }
    return rc == 0 && both ? renamed(r, q, d, err) : rc;
}

int sync_ddl_changed(struct sync_run *r, const struct query *q, const struct ddl *d,
                     struct err *err)
{
    return changed(r, q, d, true, err);
}

int sync_ddl_skipped(struct sync_run *r, const struct query *q, const struct ddl *d,
                     struct err *err)
{
    atomic_fetch_add(&r->sync->ddl_skipped, 1);
    if (sync_ddl_kind(d) != KIND_TABLES || d->temporary || count_in_scope(r, q, d) == 0)
        return 0;
    return changed(r, q, d, false, err);
}
