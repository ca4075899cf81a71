/* sync_ddl_intent.c - what is about to be run, and what of it a crash, or a refusal, left to be
 * told: by the tables, or by the operator. */
#include <assert.h>
#include <errno.h>
#include <strings.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/sync/sync_ddl_look.h"
#include "unit/sync/sync_ddl_priv.h"

static const char create_intents[] =
    "CREATE TABLE IF NOT EXISTS %i.sluice_ddl (task VARBINARY(255) NOT NULL,"
    " source VARBINARY(255) NOT NULL, part VARBINARY(64) NOT NULL, seq BIGINT UNSIGNED NOT NULL,"
    " db VARBINARY(255) NOT NULL, status_vars LONGBLOB NOT NULL, statement LONGBLOB NOT NULL,"
    " looked LONGBLOB NOT NULL, owned TINYINT NOT NULL,"
    " PRIMARY KEY (task, source, part)) ENGINE=InnoDB";

int sync_ddl_write_intent(struct sync_run *r, const struct query *q, const struct ddl *d,
                          struct err *err)
{
    SCOPED(buf_fini) struct buf looked = BUF_INIT, sql = BUF_INIT;
    int rc = sync_ddl_look(r, q, d, &looked, err);

    if (rc < 0)
        return rc;
    sql_add(&sql,
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
    sql_add(sql, "DELETE FROM %i.sluice_ddl WHERE task=%q AND source=%q AND part=%q",
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
    struct ddl_names at, other;

    sync_ddl_names_of(q, &d->names[i], &at);
    for (unsigned k = 0; k < d->n_names; k++) {
        sync_ddl_names_of(q, &d->names[k], &other);
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
                   SLICE_HEAD(q->sql, 300));
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
int sync_ddl_word(const struct job *job, bool *done, struct err *err)
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
    int rc = sync_ddl_word(r->job, &done, err);

    if (rc <= 0 || !done)
        return rc < 0 ? rc : 0;
    log_warn(r->sync->unit.path, "passes by, as the operator said: %.*s", SLICE_HEAD(q->sql, 300));
    rc = sync_ddl_kind(d) == KIND_TABLES ? sync_ddl_changed(r, q, d, err) : 0;
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
    } else if (sync_ddl_kind(d) == KIND_DATABASE) {
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
    int rc = sync_ddl_word(r->job, &done, err);

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

    if (mysql_row_u64(row, 0) == r->cp.seq) {
        rc = did_it_run(r, &q, before, err);
        if (rc < 0)
            return rc;
        r->ddl_again = true;
        r->ddl_done = rc == 1;
        r->ddl_hash = XXH3_64bits(q.sql.data, q.sql.size);
        log_warn(r->sync->unit.path, "the DDL at the crash had %s: %.*s", rc ? "run" : "not run",
                 SLICE_HEAD(q.sql, 300));
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
    int rc = sql_exec(r->admin, err, create_intents, r->job->meta_schema);

    if (rc == 0)
        rc = sql_query(r->admin, &res, err,
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
