/* Steps of the grouper -> whole transactions -> the queue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/ddl.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_online.h"
#include "unit/sync/sync_operator.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_shard.h"
#include "unit/sync/sync_spill.h"

#define SPILL_SIZE ((size_t)16 << 20) /* a larger transaction goes to disk */
#define HELD_SIZE ((size_t)64 << 20)

/* --- the open transaction --- */

struct savepoint {
    char *name;
    size_t n_events; /* of the transaction, also when it went to disk */
};

static void drop_savepoints(struct sync_run *r, unsigned keep)
{
    while (r->n_savepoints > keep)
        free(r->savepoints[--r->n_savepoints].name);
}

static void drop_open(struct sync_run *r)
{
    raw_txn_clear(&r->txn);
    spill_free(r->spill);
    r->spill = NULL;
    sync_ddl_free(r->inner_ddl);
    r->inner_ddl = NULL;
    drop_savepoints(r, 0);
}

void sync_txn_drop(struct sync_run *r)
{
    drop_open(r);
}

int sync_txn_add(struct sync_run *r, const struct event *ev, int step, struct err *err)
{
    int rc;

    raw_txn_add(&r->raw, &r->txn, ev, (uint8_t)step);
    if (r->spill) {
        rc = spill_add(r->spill, &r->txn.events[0], err);
        raw_txn_clear(&r->txn);
        return rc;
    }
    if (r->txn.size < SPILL_SIZE)
        return 0;
    rc = spill_new(&r->spill, r->job->data_dir, &r->txn, err);
    raw_txn_clear(&r->txn);
    atomic_fetch_add(&r->sync->spilled, 1);
    return rc;
}

/* --- savepoints: the servers write them only around changes that they cannot take back --- */

static size_t events_so_far(const struct sync_run *r)
{
    return r->spill ? spill_events(r->spill) : r->txn.n_events;
}

static struct slice after_word(struct slice sql, const char *word)
{
    size_t n = strlen(word);

    if (sql.size <= n || strncasecmp((const char *)sql.data, word, n) != 0)
        return slice_of(NULL, 0);
    return slice_of(sql.data + n, sql.size - n);
}

static void savepoint_set(struct sync_run *r, struct slice name)
{
    r->savepoints = xrealloc(r->savepoints, (r->n_savepoints + 1) * sizeof *r->savepoints);
    r->savepoints[r->n_savepoints++] =
        (struct savepoint){ xstrndup((const char *)name.data, name.size), events_so_far(r) };
}

static int savepoint_return(struct sync_run *r, struct slice name, struct err *err)
{
    for (unsigned i = r->n_savepoints; i-- > 0;) {
        if (!slice_eq(slice_str(r->savepoints[i].name), name))
            continue;
        drop_savepoints(r, i + 1);
        if (r->spill)
            return spill_truncate(r->spill, r->savepoints[i].n_events, err);
        raw_txn_truncate(&r->txn, r->savepoints[i].n_events);
        return 0;
    }
    return err_set(err, -EBADMSG, "ROLLBACK TO an unknown savepoint %.*s", SLICE_ARG(name));
}

static int transaction_statement(struct sync_run *r, struct slice sql, struct err *err)
{
    struct slice name = after_word(sql, "SAVEPOINT ");

    if (name.size) {
        savepoint_set(r, name);
        return 0;
    }
    name = after_word(sql, "ROLLBACK TO SAVEPOINT ");
    if (!name.size)
        name = after_word(sql, "ROLLBACK TO ");
    return name.size ? savepoint_return(r, name, err) : 0;
}

/* 0: the operator took care of it, or else will find all that comes before it in the target. */
static int refused(struct sync_run *r, const struct query *q, const struct ddl *d, struct err *err)
{
    int rc = r->mode->drain(r, err);

    if (rc == 0)
        rc = sync_ddl_excused(r, q, d, err);
    return rc == 0 ? sync_ddl_refuse(q, d, err) : rc < 0 ? rc : 0;
}

/* What is to be done with it, once the filters have had their say: they may leave some of it. */
static int judge(struct sync_run *r, struct query *q, struct ddl *d, enum sync_ddl_use *use,
                 struct err *err)
{
    r->ddl_apart = false;
    arena_clear(&r->scratch);
    sync_ddl_scan(r, q, d);
    *use = sync_ddl_use(r, q, d);
    if (*use != SYNC_DDL_RUN && *use != SYNC_DDL_REFUSE)
        return 0;
    switch (sync_filter(r, q, d)) {
    case FILTER_KEEP:
        return 0;
    case FILTER_PART:
        r->ddl_apart = true;
        *use = sync_ddl_use(r, q, d);
        return 0;
    case FILTER_IGNORE:
        r->ddl_apart = true;
        *use = SYNC_DDL_SKIP;
        return r->mode->drain(r, err); /* what is known of its tables will be forgotten */
    case FILTER_TANGLE:
        return err_set(err, -ENOTSUP,
                       "a filter leaves out a part of it that stands in an executable comment: "
                       "%.*s",
                       SLICE_HEAD(q->sql, 300));
    }
    return 0;
}

/* An operator wants that this one of the transaction is passed by: 1. */
static int is_skipped(struct sync_run *r, const struct query *q, struct err *err)
{
    json_t *op = NULL;
    const char *what;
    int rc;

    if (!operators_any(r))
        return 0;
    rc = r->mode->drain(r, err);
    if (rc < 0)
        return rc;
    op = operators_find(r, &r->inside);
    what = op ? json_string_value(json_object_get(op, "op")) : "";
    rc = strcmp(what, "skip") == 0;
    if (rc)
        log_warn(r->sync->unit.path, "skip, as the operator said: %.*s", SLICE_HEAD(q->sql, 300));
    else if (op)
        rc = err_set(err, -ENOTSUP, "a statement within a transaction can only be skipped, not: %s",
                     what);
    json_decref(op);
    return rc;
}

/* A statement inside a transaction. */
static int use_statement(struct sync_run *r, struct err *err)
{
    struct query q = r->grouper.query;
    enum sync_ddl_use use;
    struct ddl d;
    int rc;

    rc = is_skipped(r, &q, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = judge(r, &q, &d, &use, err);
    if (rc < 0)
        return rc;
    switch (use) {
    case SYNC_DDL_TRANSACTION:
        return transaction_statement(r, q.sql, err);
    case SYNC_DDL_RUN:
        if (r->inner_ddl || events_so_far(r))
            return err_set(err, -ENOTSUP, "two statements in one transaction: %.*s",
                           SLICE_HEAD(q.sql, 200));
        r->inner_ddl = sync_ddl_keep(&q, r->timestamp);
        return 0;
    case SYNC_DDL_REFUSE:
        return refused(r, &q, &d, err);
    case SYNC_DDL_SKIP:
        return r->ddl_apart ? sync_ddl_skipped(r, &q, &d, err) : 0;
    }
    return 0;
}

static int on_statement(struct sync_run *r, struct err *err)
{
    int rc;

    memcpy(r->inside.file, r->grouper.file, sizeof r->inside.file);
    r->inside.offset = r->grouper.offset;
    r->at_gtid = &r->grouper.gtid;
    r->at = &r->inside;
    rc = use_statement(r, err);
    operators_failed(r, &r->grouper.query, rc < 0 ? err : NULL);
    return rc;
}

/* --- whole transactions --- */

/* Where the stream is after the transaction at hand. */
static const struct position *end_of(const struct sync_run *r)
{
    return r->mark ? r->mark : &r->grouper.pos;
}

static int enqueue(struct sync_run *r, const struct gtid *gtid, const struct position *pos,
                   int64_t commit_us, bool any, struct err *err)
{
    struct queue_txn txn = { .gtid = gtid,
                             .pos = pos,
                             .commit_us = commit_us,
                             .raw = any ? &r->txn : NULL,
                             .size = any ? r->txn.size : 0 };
    int rc = r->mode->add(r, &txn, err);

    if (rc == 0 && applied_is_over(r->applied)) {
        rc = r->mode->drain(r, err);
        if (rc == 0)
            rc = applied_remove(r->applied, r->admin, &r->cp, err);
    }
    atomic_store(&r->sync->read_commit_us, commit_us);
    raw_txn_clear(&r->txn);
    return rc;
}

static void tell_held(struct sync_run *r)
{
    atomic_store(&r->sync->held_us, r->n_held ? r->held[0].commit_us : 0);
}

/* Keeps the transaction until the stream is where its table's definition was read. */
static int hold(struct sync_run *r, struct err *err)
{
    struct held *h;

    r->held_size += r->txn.size;
    if (r->held_size > HELD_SIZE)
        return err_set(err, -EINVAL,
                       "%s; the source's cannot be told before the stream is at %s:%llu, and too "
                       "much comes before: give the target's table the same columns in the same "
                       "order (SET GLOBAL binlog_row_metadata=FULL at the source avoids this)",
                       r->hold_why.text, r->hold_until.file,
                       (unsigned long long)r->hold_until.offset);
    r->held = xrealloc(r->held, (r->n_held + 1) * sizeof *r->held);
    h = &r->held[r->n_held++];
    *h = (struct held){ .raw = r->txn, .gtid = r->grouper.gtid, .commit_us = r->grouper.commit_us };
    memcpy(h->pos.file, r->grouper.pos.file, sizeof h->pos.file);
    h->pos.offset = r->grouper.pos.offset;
    r->txn = (struct raw_txn){ 0 };
    tell_held(r);
    return sync_txn_unhold(r, err);
}

static int queue_open(struct sync_run *r, const struct gtid *gtid, const struct position *pos,
                      int64_t commit_us, struct err *err)
{
    bool any = false;
    int rc;

    if (applied_take(r->applied, gtid, pos))
        return enqueue(r, gtid, pos, commit_us, false, err);
    r->at_gtid = gtid;
    r->at = pos;
    rc = sync_find_tables(r, &r->txn, &any, err);
    return rc < 0 ? rc : enqueue(r, gtid, pos, commit_us, any, err);
}

int sync_txn_unhold(struct sync_run *r, struct err *err)
{
    struct raw_txn open = r->txn;
    int rc = 0;
    unsigned i;

    if (r->n_held == 0 || position_compare(&r->grouper.pos, &r->hold_until) < 0)
        return 0;
    sync_tables_accept(r->tables);
    for (i = 0; i < r->n_held && rc == 0; i++) {
        struct held *h = &r->held[i];

        r->txn = h->raw;
        rc = queue_open(r, &h->gtid, &h->pos, h->commit_us, err);
        h->raw = r->txn;
        if (rc == -EAGAIN)
            break; /* another table: the rest waits on */
        raw_txn_fini(&h->raw);
    }
    memmove(r->held, r->held + i, (r->n_held - i) * sizeof *r->held);
    r->n_held -= i;
    tell_held(r);
    r->txn = open;
    if (r->n_held == 0)
        r->held_size = 0;
    return rc == -EAGAIN ? 0 : rc;
}

static int nothing_held(const struct sync_run *r, const char *what, struct err *err)
{
    if (r->n_held == 0)
        return 0;
    return err_set(err, -EINVAL,
                   "%s; and %s comes before the source's can be told: make the target's table as "
                   "the source's was at the task's position, or copy it again (SET GLOBAL "
                   "binlog_row_metadata=FULL at the source avoids this)",
                   r->hold_why.text, what);
}

static int commit_rows(struct sync_run *r, struct err *err)
{
    struct grouper *g = &r->grouper;
    int rc;

    r->at_gtid = &g->gtid;
    r->at = &g->pos;
    if (r->spill) {
        rc = nothing_held(r, "a large transaction", err);
        if (rc == 0 && applied_take(r->applied, &g->gtid, &g->pos))
            return enqueue(r, &g->gtid, end_of(r), g->commit_us, false, err);
        return rc < 0 ? rc : sync_write_spill(r, r->spill, end_of(r), err);
    }
    rc = r->n_held ? -EAGAIN : queue_open(r, &g->gtid, end_of(r), g->commit_us, err);
    return rc == -EAGAIN ? hold(r, err) : rc;
}

static int on_commit(struct sync_run *r, struct err *err)
{
    int rc = 0;

    if (r->inner_ddl) {
        rc = nothing_held(r, "a DDL", err);
        if (rc == 0)
            rc = sync_ddl_run_kept(r, r->inner_ddl, err);
    }
    if (rc == 0)
        rc = commit_rows(r, err);
    drop_open(r);
    return rc;
}

/* A transaction of which nothing is to be done: only the position moves. */
static int pass_by(struct sync_run *r, struct err *err)
{
    drop_open(r);
    if (r->n_held) {
        int rc = hold(r, err);

        return rc;
    }
    return enqueue(r, &r->grouper.gtid, end_of(r), r->grouper.commit_us, false, err);
}

/* Of the tables that online schema change tools work on. */
static int on_online_ddl(struct sync_run *r, const struct query *q, enum sync_shard_ddl *ret,
                         struct err *err)
{
    struct ddl d;
    int rc;

    arena_clear(&r->scratch);
    sync_ddl_scan(r, q, &d);
    rc = sync_online_ddl(r, q, &d, r->timestamp, end_of(r), ret, err);
    return rc == 0 && *ret == SHARD_DDL_PASS_BY ? pass_by(r, err) : rc;
}

static bool renames(const struct ddl *d)
{
    return d->n_names > 1 && d->names[1].to;
}

/* Of sharded tables.  What filters leave out stays out; a schema that goes takes shards along even
 * where its own statement is not run, and a shard may get a name that is out of scope. */
static int on_shard_ddl(struct sync_run *r, const struct query *q, const struct ddl *d,
                        enum sync_ddl_use use, enum sync_shard_ddl *ret, struct err *err)
{
    int rc;

    *ret = r->second ? SHARD_DDL_PASS_BY : SHARD_DDL_OTHER;
    if (use == SYNC_DDL_RUN || d->class == DDL_DROP_DATABASE ||
        (use == SYNC_DDL_REFUSE && renames(d))) {
        rc = nothing_held(r, "a DDL", err);
        if (rc == 0)
            rc = sync_shard_ddl(r, q, d, r->timestamp, end_of(r), ret, err);
        if (rc < 0)
            return rc;
    }
    return *ret == SHARD_DDL_PASS_BY ? pass_by(r, err) : 0;
}

/* --- what an operator wants instead --- */

/* Statement number 'i' of 'n', which are one transaction of the source together. */
static int run_one(struct sync_run *r, const struct query *like, struct slice sql, unsigned i,
                   unsigned n, struct err *err)
{
    struct query q = *like;
    bool last = i + 1 == n;
    struct ddl d;

    if (!last && r->cp.sub_seq > i) /* before a crash */
        return 0;
    q.sql = sql;
    sync_ddl_scan(r, &q, &d);
    return sync_ddl_run(r, &q, &d, r->timestamp, last ? end_of(r) : &r->cp.pos, last ? 0 : i + 1,
                        err);
}

/* Those of 'sqls', and then, if 'after', the statement itself. */
static int run_instead(struct sync_run *r, const struct query *q, const json_t *sqls, bool after,
                       struct err *err)
{
    unsigned n = (unsigned)json_array_size(sqls) + after;
    int rc = nothing_held(r, "a DDL", err);

    r->ddl_apart = true;
    for (unsigned i = 0; i < n && rc == 0; i++) {
        const json_t *sql = json_array_get(sqls, i);

        rc = run_one(r, q, sql ? slice_str(json_string_value(sql)) : q->sql, i, n, err);
    }
    return rc;
}

static int skip_it(struct sync_run *r, const struct query *q, const struct ddl *d, struct err *err)
{
    r->ddl_again = r->ddl_done = false;
    return sync_ddl_skipped(r, q, d, err);
}

static int do_operation(struct sync_run *r, const struct query *q, const struct ddl *d,
                        const json_t *op, struct err *err)
{
    const char *what = json_string_value(json_object_get(op, "op"));
    const json_t *sqls = json_object_get(op, "sqls");
    int rc;

    log_warn(r->sync->unit.path, "%s, as the operator said: %.*s", what, SLICE_HEAD(q->sql, 300));
    r->ddl_apart = true;
    if (strcmp(what, "inject") == 0)
        return run_instead(r, q, sqls, true, err);
    rc = skip_it(r, q, d, err); /* the source's tables are not as the target's will be */
    if (rc < 0)
        return rc;
    return strcmp(what, "skip") == 0 ? pass_by(r, err) : run_instead(r, q, sqls, false, err);
}

/* 1: an operator had it done otherwise; 0: nobody says anything. */
static int operated(struct sync_run *r, const struct query *q, const struct position *end,
                    struct err *err)
{
    enum sync_ddl_use use;
    json_t *op = NULL;
    struct ddl d;
    int rc;

    if (!operators_any(r))
        return 0;
    arena_clear(&r->scratch);
    sync_ddl_scan(r, q, &d);
    use = sync_ddl_use(r, q, &d);
    if (use != SYNC_DDL_RUN && use != SYNC_DDL_REFUSE)
        return 0;
    rc = r->mode->drain(r, err);
    if (rc == 0)
        op = operators_find(r, end);
    if (op)
        rc = do_operation(r, q, &d, op, err);
    if (op && rc == 0)
        rc = r->mode->drain(r, err);
    if (op && rc == 0)
        rc = operators_purge(r, err);
    rc = rc < 0 ? rc : op != NULL;
    json_decref(op);
    return rc;
}

static int use_ddl(struct sync_run *r, struct err *err)
{
    struct query q = r->grouper.query;
    enum sync_shard_ddl shards = SHARD_DDL_OTHER;
    enum sync_ddl_use use;
    struct ddl d;
    int rc = r->second ? 0 : operated(r, &q, &r->grouper.pos, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (r->shards) {
        rc = on_online_ddl(r, &q, &shards, err);
        if (rc < 0 || shards != SHARD_DDL_OTHER)
            return rc;
    }
    rc = judge(r, &q, &d, &use, err);
    if (rc < 0)
        return rc;
    if (r->shards) {
        rc = on_shard_ddl(r, &q, &d, use, &shards, err);
        if (rc < 0 || shards != SHARD_DDL_OTHER)
            return rc;
    }
    switch (use) {
    case SYNC_DDL_RUN:
        rc = nothing_held(r, "a DDL", err);
        return rc < 0 ? rc : sync_ddl_run(r, &q, &d, r->timestamp, end_of(r), 0, err);
    case SYNC_DDL_REFUSE:
        rc = refused(r, &q, &d, err);
        return rc < 0 ? rc : pass_by(r, err);
    case SYNC_DDL_TRANSACTION:
        return pass_by(r, err);
    case SYNC_DDL_SKIP:
        rc = sync_ddl_skipped(r, &q, &d, err);
        return rc < 0 ? rc : pass_by(r, err);
    }
    return 0;
}

static int on_ddl(struct sync_run *r, struct err *err)
{
    int rc;

    r->at_gtid = &r->grouper.gtid;
    r->at = &r->grouper.pos;
    drop_open(r);
    rc = use_ddl(r, err);
    operators_failed(r, &r->grouper.query, rc < 0 ? err : NULL);
    return rc;
}

static int on_xa(struct sync_run *r, int step, struct err *err)
{
    SCOPED(freep)
    char *xid = xasprintf("%s%s%.*s", r->lane ? r->lane : "", r->lane ? "/" : "",
                          SLICE_ARG(r->grouper.xid));
    int rc;

    if (step == TXN_XA_PREPARE) {
        rc = sync_xa_prepare(r, xid, err);
        return rc < 0 ? rc : pass_by(r, err);
    }
    drop_open(r);
    if (step == TXN_XA_COMMIT) {
        rc = sync_xa_load(r, xid, err);
        if (rc == 0)
            rc = commit_rows(r, err);
    } else {
        rc = pass_by(r, err);
    }
    if (rc == 0)
        rc = r->mode->drain(r, err); /* the body goes once its end is in the target */
    drop_open(r);
    if (r->n_held) /* it may be among those that wait in memory: the body stays */
        return rc;
    return rc < 0 ? rc : sync_xa_drop(r, xid, err);
}

int sync_txn_event(struct sync_run *r, const struct event *ev, int step, struct err *err)
{
    if (r->judge && (step = r->judge(r, ev, step, err)) < 0)
        return step;
    switch ((enum txn_step)step) {
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
        return r->grouper.in_txn ? 0 : sync_txn_unhold(r, err);
    case TXN_CONTEXT:
        return 0; /* what it is for is refused if it is in scope */
    case TXN_BEGIN:
        drop_open(r);
        return 0;
    case TXN_MAP:
    case TXN_ROWS:
        return sync_txn_add(r, ev, step, err);
    case TXN_STATEMENT:
        return on_statement(r, err);
    case TXN_COMMIT:
        return on_commit(r, err);
    case TXN_ROLLBACK:
        return pass_by(r, err);
    case TXN_DDL:
        return on_ddl(r, err);
    case TXN_XA_PREPARE:
    case TXN_XA_COMMIT:
    case TXN_XA_ROLLBACK:
        return on_xa(r, step, err);
    case TXN_PAYLOAD:
        return sync_payload(r, ev, err);
    case TXN_INCIDENT:
        return err_set(err, -ENODATA,
                       "the source says that it lost events before %s:%llu: copy the task again",
                       r->grouper.file, (unsigned long long)r->grouper.offset);
    }
    return 0;
}
