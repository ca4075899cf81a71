/* What becomes of each statement of the stream: an operator's word, filters, sharded tables, online
 * schema changes, and what is left for the target. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "route/ddl.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_online.h"
#include "unit/sync/sync_operator.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_shard.h"

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

/* --- inside a transaction --- */

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
        return sync_txn_statement(r, q.sql, err);
    case SYNC_DDL_RUN:
        if (r->inner_ddl || sync_txn_events(r))
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

int sync_statement_inside(struct sync_run *r, struct err *err)
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

/* --- sharded tables --- */

/* Of the tables that online schema change tools work on. */
static int on_online_ddl(struct sync_run *r, const struct query *q, enum sync_shard_ddl *ret,
                         struct err *err)
{
    struct ddl d;
    int rc;

    arena_clear(&r->scratch);
    sync_ddl_scan(r, q, &d);
    rc = sync_online_ddl(r, q, &d, r->timestamp, sync_txn_end(r), ret, err);
    return rc == 0 && *ret == SHARD_DDL_PASS_BY ? sync_txn_pass_by(r, err) : rc;
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
        rc = sync_txn_none_held(r, "a DDL", err);
        if (rc == 0)
            rc = sync_shard_ddl(r, q, d, r->timestamp, sync_txn_end(r), ret, err);
        if (rc < 0)
            return rc;
    }
    return *ret == SHARD_DDL_PASS_BY ? sync_txn_pass_by(r, err) : 0;
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
    return sync_ddl_run(r, &q, &d, r->timestamp, last ? sync_txn_end(r) : &r->cp.pos,
                        last ? 0 : i + 1, err);
}

/* Those of 'sqls', and then, if 'after', the statement itself. */
static int run_instead(struct sync_run *r, const struct query *q, const json_t *sqls, bool after,
                       struct err *err)
{
    unsigned n = (unsigned)json_array_size(sqls) + after;
    int rc = sync_txn_none_held(r, "a DDL", err);

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
    return strcmp(what, "skip") == 0 ? sync_txn_pass_by(r, err)
                                     : run_instead(r, q, sqls, false, err);
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

/* --- alone --- */

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
        rc = sync_txn_none_held(r, "a DDL", err);
        return rc < 0 ? rc : sync_ddl_run(r, &q, &d, r->timestamp, sync_txn_end(r), 0, err);
    case SYNC_DDL_REFUSE:
        rc = refused(r, &q, &d, err);
        return rc < 0 ? rc : sync_txn_pass_by(r, err);
    case SYNC_DDL_TRANSACTION:
        return sync_txn_pass_by(r, err);
    case SYNC_DDL_SKIP:
        rc = sync_ddl_skipped(r, &q, &d, err);
        return rc < 0 ? rc : sync_txn_pass_by(r, err);
    }
    return 0;
}

int sync_statement_ddl(struct sync_run *r, struct err *err)
{
    int rc;

    r->at_gtid = &r->grouper.gtid;
    r->at = &r->grouper.pos;
    sync_txn_drop(r);
    rc = use_ddl(r, err);
    operators_failed(r, &r->grouper.query, rc < 0 ? err : NULL);
    return rc;
}
