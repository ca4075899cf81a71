#include "unit/sync/sync_ddl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/copy/copy_sql.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_collate.h"
#include "unit/sync/sync_ddl_look.h"
#include "unit/sync/sync_ddl_pass.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_session.h"

enum { ER_BAD_TABLE = 1051 };

struct sync_ddl {
    char *sql, *db, *status_vars;
    size_t sql_size, db_size, status_size;
    uint32_t timestamp;
};

/* --- what it is, and whose --- */

static void context_of(struct sync_run *r, const struct query *q, struct query_context *ret)
{
    struct err ignored = ERR_INIT;

    if (query_context_decode(q->status_vars, r->flavor, ret, &ignored) < 0)
        *ret = (struct query_context){ .explicit_defaults_for_timestamp = -1 };
}

uint64_t sync_ddl_mode(struct sync_run *r, const struct query *q)
{
    struct query_context ctx;

    context_of(r, q, &ctx);
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
    struct query_context ctx;

    context_of(r, q, &ctx);
    return ddl_clauses(q->sql, d, ctx.sql_mode & SESSION_ANSI_QUOTES,
                       ctx.sql_mode & SESSION_NO_BACKSLASH_ESCAPES, &r->scratch, ret);
}

struct names {
    char schema[200], table[200]; /* at the source; 64 characters of UTF-8 each */
};

static void names_of(const struct query *q, const struct ddl_name *n, struct names *ret)
{
    struct slice schema = n->schema.size ? n->schema : q->db;

    snprintf(ret->schema, sizeof ret->schema, "%.*s", SLICE_ARG(schema));
    snprintf(ret->table, sizeof ret->table, "%.*s", SLICE_ARG(n->table));
}

void sync_ddl_names(const struct query *q, const struct ddl_name *n, char schema[static 200],
                    char table[static 200])
{
    struct names at;

    names_of(q, n, &at);
    memcpy(schema, at.schema, sizeof at.schema);
    memcpy(table, at.table, sizeof at.table);
}

/* Does this run apply to the table?  *to is its name at the target.  A DDL from before the moment
 * that the full copy read the table is in the copy already. */
bool sync_ddl_in_scope(struct sync_run *r, const struct query *q, const struct ddl_name *n,
                       struct route *to)
{
    struct names at;

    names_of(q, n, &at);
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

enum kind { KIND_TABLES, KIND_DATABASE, KIND_SEQUENCE, KIND_NEVER, KIND_REFUSED, KIND_INNER };

static const enum kind kinds[DDL_N_CLASSES] = {
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

static enum sync_ddl_use database_use(struct sync_run *r, const struct query *q,
                                      const struct ddl *d)
{
    struct route to;

    if (r->only_aside || d->n_names == 0 || !sync_ddl_in_scope(r, q, &d->names[0], &to))
        return SYNC_DDL_SKIP;
    return to.whole || d->class == DDL_CREATE_DATABASE ? SYNC_DDL_RUN : SYNC_DDL_SKIP;
}

static enum sync_ddl_use tables_use(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    unsigned n = count_in_scope(r, q, d);

    if (n == 0 || d->temporary)
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

    switch (kinds[d->class]) {
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
    int shown = (int)(q->sql.size < 300 ? q->sql.size : 300);

    if (d->class == DDL_DML)
        return err_set(err, -ENOTSUP,
                       "the source logged a change as a statement (binlog_format of a session is "
                       "not ROW), which cannot be repeated exactly: make it at the target by hand, "
                       "then " SAY_DONE ": %.*s",
                       shown, q->sql.data);
    if (d->tablespace)
        return err_set(err, -ENOTSUP,
                       "rows came or went with the files of a tablespace and are not in the "
                       "binlog: copy the task again, or copy the table by hand, then " SAY_DONE
                       ": %.*s",
                       shown, q->sql.data);
    if (d->class == DDL_UNKNOWN)
        return err_set(err, -ENOTSUP,
                       "a statement of a kind not known touches the task: run what is needed of it "
                       "at the target, then " SAY_DONE ": %.*s",
                       shown, q->sql.data);
    return err_set(err, -ENOTSUP,
                   "a %s joins tables of the task with others: run what is needed of it at the "
                   "target, then " SAY_DONE ": %.*s",
                   ddl_class_name(d->class), shown, q->sql.data);
}

/* --- what it changes in what we know --- */

static int changed(struct sync_run *r, const struct query *q, const struct ddl *d, bool ran,
                   struct err *err)
{
    bool creates = d->class == DDL_CREATE_TABLE || d->class == DDL_CREATE_TABLE_LIKE ||
                   d->class == DDL_CREATE_TABLE_SELECT || d->class == DDL_CREATE_SEQUENCE;
    int rc = 0;

    for (unsigned i = 0; i < d->n_names && rc == 0; i++) {
        const struct ddl_name *n = &d->names[i];
        bool is_new = n->to || (creates && i == 0);
        struct names at, from;

        names_of(q, n, &at);
        if (n->to && i > 0 && ran && !r->ddl_apart) {
            names_of(q, n - 1, &from);
            rc = sync_tables_renamed(r->tables, from.schema, from.table, at.schema, at.table,
                                     r->cp.seq, err);
            continue;
        }
        rc = sync_tables_changed(r->tables, at.schema, n->table.size ? at.table : NULL,
                                 !ran || r->ddl_apart ? SYNC_CHANGE_SOURCE
                                 : is_new             ? SYNC_CHANGE_CREATED
                                                      : SYNC_CHANGE_BOTH,
                                 r->cp.seq, err);
    }
    return rc;
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
    if (kinds[d->class] != KIND_TABLES || d->temporary || count_in_scope(r, q, d) == 0)
        return 0;
    return changed(r, q, d, false, err);
}

/* --- how its tables look --- */

struct renaming {
    struct sync_run *run;
    const struct query *query;
};

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
    if (n->table.size)
        sql_table(quoted, schema, to.to_table);
    else
        sql_ident(quoted, slice_str(schema));
    return true;
}

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
    context_of(r, q, &ctx);
    ddl_rewrite(q->sql, d, rename, m, &renamed);
    collate_translate(slice_of(renamed.data, renamed.size), ctx.sql_mode & SESSION_ANSI_QUOTES,
                      ctx.sql_mode & SESSION_NO_BACKSLASH_ESCAPES, from, to, out);
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
    context_of(r, q, &ctx);
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
    int rc = copy_sql_exec(r->admin, err, "DROP DATABASE IF EXISTS %i", scratch);

    rewritten(r, q, d, name_in_scratch, &m, &sql);
    if (rc == 0)
        rc = mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, err);
    if (rc == 0)
        rc = copy_sql_scalar(r->admin, collation, err,
                             "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA"
                             " WHERE SCHEMA_NAME=%q",
                             scratch);
    copy_sql_exec(r->admin, &ignored, "DROP DATABASE IF EXISTS %i", scratch);
    return rc;
}

/* --- intents --- */

static const char create_intents[] =
    "CREATE TABLE IF NOT EXISTS %i.sluice_ddl (task VARBINARY(255) NOT NULL,"
    " source VARBINARY(255) NOT NULL, part VARBINARY(64) NOT NULL, seq BIGINT UNSIGNED NOT NULL,"
    " db VARBINARY(255) NOT NULL, status_vars LONGBLOB NOT NULL, statement LONGBLOB NOT NULL,"
    " looked LONGBLOB NOT NULL, owned TINYINT NOT NULL,"
    " PRIMARY KEY (task, source, part)) ENGINE=InnoDB";

static int write_intent(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct err *err)
{
    SCOPED(buf_fini) struct buf looked = BUF_INIT, sql = BUF_INIT;
    int rc = sync_ddl_look(r, q, d, &looked, err);

    if (rc < 0)
        return rc;
    copy_sql(&sql,
             "REPLACE INTO %i.sluice_ddl (task,source,part,seq,db,status_vars,statement,looked,"
             "owned) VALUES (%q,%q,%q,%u,",
             r->job->meta_schema, r->cp.key.task, r->cp.key.source, r->cp.key.part, r->cp.seq);
    sql_quote(&sql, q->db);
    buf_byte(&sql, ',');
    sql_quote(&sql, q->status_vars);
    buf_byte(&sql, ',');
    sql_quote(&sql, q->sql);
    buf_byte(&sql, ',');
    sql_quote(&sql, slice_of(looked.data, looked.size));
    buf_str(&sql, ",IF(");
    checkpoint_owned_sql(&r->cp, &sql);
    buf_str(&sql, ",1,NULL))");
    return mysql_conn_exec(sink_conn(r->main.sink), slice_of(sql.data, sql.size), NULL, err);
}

void sync_ddl_delete_intent(const struct sync_run *r, struct buf *sql)
{
    copy_sql(sql, "DELETE FROM %i.sluice_ddl WHERE task=%q AND source=%q AND part=%q",
             r->job->meta_schema, r->cp.key.task, r->cp.key.source, r->cp.key.part);
}

static bool has_word(struct slice sql, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= sql.size; i++)
        if (strncasecmp((const char *)sql.data + i, word, n) == 0)
            return true;
    return false;
}

/* Names that are there after a RENAME and were not before, or the other way round: a swap by way of
 * a third name has none, those of online schema changes have. */
static bool comes_or_goes(const struct query *q, const struct ddl *d, unsigned i)
{
    bool first = true, last_is_to = d->names[i].to;
    struct names at, other;

    names_of(q, &d->names[i], &at);
    for (unsigned k = 0; k < d->n_names; k++) {
        names_of(q, &d->names[k], &other);
        if (strcmp(at.schema, other.schema) != 0 || strcmp(at.table, other.table) != 0)
            continue;
        if (k < i)
            first = false;
        last_is_to = d->names[k].to;
    }
    return first && last_is_to == d->names[i].to;
}

static bool tells_itself(const struct query *q, const struct ddl *d)
{
    for (unsigned i = 0; i < d->n_names; i++)
        if (comes_or_goes(q, d, i))
            return true;
    return false;
}

/* What hashes cannot tell: a swap of names, or of a partition, undoes itself when run again. */
static bool is_ambiguous(const struct query *q, const struct ddl *d)
{
    if (d->class == DDL_RENAME_TABLE && d->n_names > 2)
        return !tells_itself(q, d);
    return d->class == DDL_ALTER_TABLE && has_word(q->sql, "EXCHANGE");
}

static int ask(const struct query *q, struct err *err)
{
    return err_set(err, -EUCLEAN,
                   "a crash left it open whether this ran at the target: look there, then "
                   "'echo as=done > resolve_ddl' or 'echo as=run > resolve_ddl' and resume: %.*s",
                   (int)(q->sql.size < 300 ? q->sql.size : 300), q->sql.data);
}

/* What the operator said of an open intent, kept until the next run: a key of the store. */
static void word_key(const struct job *job, struct buf *key)
{
    key_position(key, job->task, job->source, "resolve_ddl");
}

int sync_ddl_resolve(const struct job *job, const char *as, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    word_key(job, &key);
    return job->store
               ? store_put(job->store, STORE_CHECKPOINT, key_slice(&key), slice_str(as), true, err)
               : err_set(err, -ENOTSUP, "there is no store to remember it in");
}

int sync_ddl_unresolve(const struct job *job, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    word_key(job, &key);
    return job->store ? store_delete(job->store, STORE_CHECKPOINT, key_slice(&key), true, err) : 0;
}

/* 1 the operator said so, 0 nobody did.  It is said of one statement. */
static int operators_word(const struct job *job, bool *done, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT, word = BUF_INIT;
    int rc;

    if (!job->store)
        return 0;
    word_key(job, &key);
    rc = store_get(job->store, STORE_CHECKPOINT, key_slice(&key), &word, err);
    if (rc == -ENOENT)
        return 0;
    *done = slice_eq(slice_of(word.data, word.size), slice_str("done"));
    return rc < 0 || (rc = sync_ddl_unresolve(job, err)) < 0 ? rc : 1;
}

int sync_ddl_excused(struct sync_run *r, const struct query *q, const struct ddl *d,
                     struct err *err)
{
    bool done = false;
    int rc = operators_word(r->job, &done, err);

    if (rc <= 0 || !done)
        return rc < 0 ? rc : 0;
    log_warn(r->sync->unit.path, "passes by, as the operator said: %.*s",
             (int)(q->sql.size < 300 ? q->sql.size : 300), q->sql.data);
    rc = kinds[d->class] == KIND_TABLES ? changed(r, q, d, true, err) : 0;
    return rc < 0 ? rc : 1;
}

enum outcome { NOT_RUN, RUN, UNKNOWN };

static bool all_gone(struct slice look)
{
    for (size_t i = 0; i < look.size; i++)
        if (look.data[i])
            return false;
    return true;
}

/* Of several, each gone or as it was: the rest is dropped IF EXISTS. */
static enum outcome dropped(const struct ddl *d, struct slice before, struct slice now)
{
    if (all_gone(now))
        return RUN;
    for (unsigned i = 0; i < d->n_names; i++) {
        struct slice left = ddl_look_of(now, i);

        if (left.size && !slice_eq(left, ddl_look_of(before, i)))
            return UNKNOWN;
    }
    return NOT_RUN;
}

/* The looks differ: is that what the statement does? */
static int explain(struct sync_run *r, const struct query *q, const struct ddl *d,
                   struct slice before, struct slice now, enum outcome *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf after = BUF_INIT;
    int rc = 0;

    if (d->class == DDL_DROP_TABLE || d->class == DDL_DROP_SEQUENCE) {
        *ret = dropped(d, before, now);
    } else if (kinds[d->class] == KIND_DATABASE) {
        *ret = all_gone(now) == (d->class == DDL_DROP_DATABASE) ? RUN : UNKNOWN;
    } else {
        rc = sync_ddl_try(r, q, d, before, &after, err);
        *ret = rc == 0 && slice_eq(now, slice_of(after.data, after.size)) ? RUN : UNKNOWN;
        if (rc < 0 && !mysql_err_transient(err)) {
            log_warn(r->sync->unit.path, "what the DDL at the crash does cannot be tried: %s",
                     err->text);
            rc = 0;
        }
    }
    return rc;
}

/* 1 it ran, 0 it did not. */
static int did_it_run(struct sync_run *r, const struct query *q, struct slice before,
                      struct err *err)
{
    SCOPED(buf_fini) struct buf now = BUF_INIT;
    enum outcome outcome = NOT_RUN;
    bool done = false;
    struct ddl d;
    int rc = operators_word(r->job, &done, err);

    if (rc != 0)
        return rc < 0 ? rc : done;
    sync_ddl_scan(r, q, &d);
    if (is_ambiguous(q, &d))
        return ask(q, err);
    rc = sync_ddl_look(r, q, &d, &now, err);
    if (rc == 0 && !slice_eq(slice_of(now.data, now.size), before))
        rc = explain(r, q, &d, before, slice_of(now.data, now.size), &outcome, err);
    if (rc < 0)
        return rc;
    return outcome == UNKNOWN ? ask(q, err) : outcome == RUN;
}

static int decide(struct sync_run *r, const struct mysql_row *row, struct err *err)
{
    struct slice before = slice_of(row->values[4], row->sizes[4]);
    struct query q = { .db = slice_of(row->values[1], row->sizes[1]),
                       .status_vars = slice_of(row->values[2], row->sizes[2]),
                       .sql = slice_of(row->values[3], row->sizes[3]) };
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    if (copy_row_u64(row, 0) == r->cp.seq) {
        rc = did_it_run(r, &q, before, err);
        if (rc < 0)
            return rc;
        r->ddl_again = true;
        r->ddl_done = rc == 1;
        r->ddl_hash = XXH3_64bits(q.sql.data, q.sql.size);
        log_warn(r->sync->unit.path, "the DDL at the crash had %s: %.*s", rc ? "run" : "not run",
                 (int)(q.sql.size < 300 ? q.sql.size : 300), q.sql.data);
        if (rc == 1)
            return 0;
    }
    sync_ddl_delete_intent(r, &sql);
    return mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, err);
}

int sync_ddl_open(struct sync_run *r, struct err *err)
{
    struct mysql_result *res = NULL;
    struct mysql_row row;
    int rc = copy_sql_exec(r->admin, err, create_intents, r->job->meta_schema);

    if (rc == 0)
        rc = copy_sql_query(r->admin, &res, err,
                            "SELECT seq,db,status_vars,statement,looked FROM %i.sluice_ddl"
                            " WHERE task=%q AND source=%q AND part=%q",
                            r->job->meta_schema, r->cp.key.task, r->cp.key.source, r->cp.key.part);
    if (rc < 0)
        return rc;
    assert(res);
    rc = mysql_result_next(res, &row, err);
    if (rc > 0)
        rc = decide(r, &row, err);
    mysql_result_free(res);
    return rc;
}

/* --- running it --- */

static bool rename_name(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    struct renaming *m = arg;
    struct route to;

    if (!sync_ddl_in_scope(m->run, m->query, n, &to))
        return false;
    sql_ident(quoted, slice_str(to.to_schema));
    if (n->table.size) {
        buf_byte(quoted, '.');
        sql_ident(quoted, slice_str(to.to_table));
    }
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

static void text_of(struct sync_run *r, const struct query *q, const struct ddl *d, struct buf *out)
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

static int run_it(struct sync_run *r, const struct query *q, const struct ddl *d,
                  uint32_t timestamp, struct err *err)
{
    SCOPED(buf_fini) struct buf session = BUF_INIT, sql = BUF_INIT;
    struct mysql_conn *c = sink_conn(r->main.sink);
    struct query_context ctx;
    struct err back = ERR_INIT;
    int rc, rc_back;

    context_of(r, q, &ctx);
    session_sql(&ctx, timestamp, r->flavor, mysql_conn_flavor(c), r->job->time_zone, &session);
    text_of(r, q, d, &sql);
    rc = mysql_conn_exec(c, slice_of(session.data, session.size), NULL, err);
    if (rc == 0 && r->job->sql_mode)
        rc = copy_sql_exec(c, err, "SET SESSION sql_mode=%q", r->job->sql_mode);
    atomic_store(&r->main.writing_us, clock_mono_us());
    if (rc == 0)
        rc = mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
    atomic_store(&r->main.writing_us, 0);
    rc_back = sink_session(r->main.sink, session_restore, &back);
    if (rc < 0)
        return err_wrap(err, "the target refused %.*s", (int)(sql.size < 300 ? sql.size : 300),
                        sql.data);
    if (rc_back < 0) {
        *err = back;
        return rc_back;
    }
    return 0;
}

static int commit(struct sync_run *r, const struct position *pos, uint32_t sub_seq, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    sync_ddl_delete_intent(r, &sql);
    sink_begin(r->main.sink, pos, sub_seq);
    rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc == 0)
        sync_publish(r);
    return rc;
}

/* Would the target's rows get other values than the source's? */
static int would_differ(struct sync_run *r, const struct query *q, const struct ddl *d, bool *ret,
                        struct err *err)
{
    SCOPED(freep) char *some = NULL;
    struct table_def *def;
    struct route to;
    int rc;

    *ret = false;
    if ((!d->own_values && !d->numbers_rows) || !sync_ddl_in_scope(r, q, &d->names[0], &to))
        return 0;
    rc = copy_sql_scalar(r->admin, &some, err, "SELECT EXISTS (SELECT 1 FROM %i.%i)", to.to_schema,
                         to.to_table);
    if (rc < 0 || strcmp(some, "0") == 0)
        return rc;
    rc = table_read(r->admin, to.to_schema, to.to_table, &def, err);
    if (rc < 0)
        return rc;
    *ret = d->own_values || !table_row_key(def);
    table_free(def);
    return 0;
}

/* Only the operator can say that it may.  Sets r->ddl_done when it was done by hand. */
static int check_values(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct err *err)
{
    bool differ = false;
    int rc = would_differ(r, q, d, &differ, err);

    if (rc < 0 || !differ)
        return rc;
    rc = operators_word(r->job, &r->ddl_done, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return err_set(err, -ENOTSUP,
                   "each server gives the rows that are there %s of its own here: 'echo as=run > "
                   "resolve_ddl' (an action of sync) and resume if it does not matter, or make the "
                   "target's as the source's by hand and 'echo as=done > resolve_ddl': %.*s",
                   d->own_values ? "values" : "numbers, in an order",
                   (int)(q->sql.size < 300 ? q->sql.size : 300), q->sql.data);
}

bool sync_ddl_begun(const struct sync_run *r, const struct query *q)
{
    return (r->ddl_again || r->ddl_done) && r->ddl_hash == XXH3_64bits(q->sql.data, q->sql.size);
}

/* The target said no, so it did not run and nothing is open: whoever mends what is in the way there
 * is not asked about it.  Of several tables, or a schema's, some may be done all the same. */
static void forget_refused(struct sync_run *r, const struct ddl *d, const struct err *why)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct err ignored = ERR_INIT;
    bool partly = d->class == DDL_DROP_DATABASE || (d->class == DDL_DROP_TABLE && d->n_names > 1) ||
                  (d->class == DDL_RENAME_TABLE && d->n_names > 2);

    if (partly || why->sql < 1000 || (why->sql >= 2000 && why->sql < 3000) ||
        why->code == -ECONNRESET || why->code == -ETIMEDOUT || why->code == -ECANCELED)
        return;
    sync_ddl_delete_intent(r, &sql);
    buf_str(&sql, " AND ");
    checkpoint_owned_sql(&r->cp, &sql); /* it may be another owner's by now */
    mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, &ignored);
}

/* DM passes over such refusals whatever the target has; here it is to be what the statement makes.
 */
static int pass(struct sync_run *r, const struct query *q, const struct ddl *d, uint32_t timestamp,
                struct err *err)
{
    struct err why = *err;
    int rc;

    if (d->class == DDL_DROP_TABLE && why.sql == ER_BAD_TABLE) {
        r->ddl_again = true; /* of several, those that are there */
        *err = ERR_INIT;
        return run_it(r, q, d, timestamp, err);
    }
    *err = ERR_INIT;
    rc = sync_ddl_has_it(r, q, d, &why, err);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        log_warn(r->sync->unit.path, "passed over, since the target has it so already: %s",
                 why.text);
        return 0;
    }
    *err = why;
    return err_wrap(err, "the target has it otherwise, or only in part: mend it there and resume, "
                         "or 'echo > skip' (an action of sync)");
}

int sync_ddl_execute(struct sync_run *r, const struct query *q, const struct ddl *d,
                     uint32_t timestamp, bool (*passes)(const struct err *err), struct err *err)
{
    int rc = 0;

    if (!sync_ddl_begun(r, q))
        r->ddl_again = r->ddl_done = false; /* an operator has had it replaced since */
    if (rc == 0 && !r->ddl_done && !r->ddl_again)
        rc = check_values(r, q, d, err);
    if (rc == 0 && !r->ddl_done) {
        rc = write_intent(r, q, d, err);
        if (rc == 0)
            rc = run_it(r, q, d, timestamp, err);
        if (rc < 0 && passes && passes(err)) {
            log_info(r->sync->unit.path, "passed over: %s", err->text);
            *err = ERR_INIT;
            rc = 0;
        }
        if (rc < 0 && !passes && sync_ddl_ignorable(err))
            rc = pass(r, q, d, timestamp, err);
        if (rc < 0)
            forget_refused(r, d, err);
    }
    return rc < 0 ? rc : changed(r, q, d, true, err); /* stored before anything after it is sent */
}

void sync_ddl_consumed(struct sync_run *r)
{
    r->ddl_done = r->ddl_again = false;
    atomic_fetch_add(&r->sync->ddl, 1);
}

int sync_ddl_run(struct sync_run *r, const struct query *q, const struct ddl *d, uint32_t timestamp,
                 const struct position *pos, uint32_t sub_seq, struct err *err)
{
    int rc = r->mode->drain(r, err);

    if (rc == 0)
        rc = sync_ddl_execute(r, q, d, timestamp, NULL, err);
    if (rc == 0)
        rc = commit(r, pos, sub_seq, err);
    if (rc < 0)
        return rc;
    sync_ddl_consumed(r);
    r->mode->passed(r, pos);
    return 0;
}

/* --- kept until its transaction is whole --- */

struct sync_ddl *sync_ddl_keep(const struct query *q, uint32_t timestamp)
{
    struct sync_ddl *k = xcalloc(1, sizeof *k);

    k->sql = xmemdup(q->sql.data, q->sql.size);
    k->sql_size = q->sql.size;
    k->db = xmemdup(q->db.data, q->db.size);
    k->db_size = q->db.size;
    k->status_vars = xmemdup(q->status_vars.data, q->status_vars.size);
    k->status_size = q->status_vars.size;
    k->timestamp = timestamp;
    return k;
}

void sync_ddl_free(struct sync_ddl *k)
{
    if (!k)
        return;
    free(k->sql);
    free(k->db);
    free(k->status_vars);
    free(k);
}

int sync_ddl_run_kept(struct sync_run *r, const struct sync_ddl *k, struct err *err)
{
    struct query q = { .sql = slice_of(k->sql, k->sql_size),
                       .db = slice_of(k->db, k->db_size),
                       .status_vars = slice_of(k->status_vars, k->status_size) };
    struct ddl d;
    int rc = r->mode->drain(r, err);

    if (rc < 0 || r->cp.sub_seq)
        return rc;
    arena_clear(&r->scratch);
    sync_ddl_scan(r, &q, &d);
    return sync_ddl_run(r, &q, &d, k->timestamp, &r->cp.pos, 1, err);
}
