/* The second reading: shards that were released, from where they waited to where the stream is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_shard_priv.h"

#define PART "shard"
#define TRIES 50

static bool under_way(const struct sync_run *r)
{
    return shard_any_mine(r, SHARD_PICKED) || shard_any_mine(r, SHARD_PASSING);
}

static unsigned move(const struct sync_run *r, struct shard_group *g, enum shard_state from,
                     enum shard_state to)
{
    unsigned n = 0;

    for (unsigned i = 0; i < g->n; i++) {
        struct shard_member *m = &g->members[i];

        if (strcmp(m->source, r->job->source) != 0 || m->state != from)
            continue;
        m->state = to;
        n++;
    }
    return n;
}

static void forget_sql(const struct sync_run *r, struct buf *sql)
{
    sql_add(sql, "DELETE FROM %i.sluice_checkpoint WHERE task=%q AND source=%q AND part=%q",
            r->job->meta_schema, r->job->task, r->job->source, PART);
}

/* Those that are released when it begins are in it, and no others.  The one before may have ended
 * early, all of its tables waiting again: where it was says nothing of this one. */
static int pick(struct sync_run *r, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    forget_sql(r, &sql);
    rc = mysql_conn_exec(r->admin, slice_of(sql.data, sql.size), NULL, err);
    if (rc == 0)
        rc = sql_exec(r->admin, err,
                      "DELETE FROM %i.sluice_ddl WHERE task=%q AND source=%q AND part=%q",
                      r->job->meta_schema, r->job->task, r->job->source, PART);

    for (unsigned i = 0; i < r->shards->rows.n && rc == 0; i++) {
        struct shard_row *row = &r->shards->rows.at[i];

        if (move(r, &row->group, SHARD_RELEASED, SHARD_PICKED) == 0)
            continue;
        rc = shard_claim(r, row, err);
        if (rc == -EAGAIN) /* read again, and pick it the next time */
            rc = 0;
    }
    return rc == 0 ? shard_reload(r, err) : rc;
}

static int from_of(const struct sync_run *r, const struct shard_member *m, struct position *ret,
                   struct err *err)
{
    *ret = (struct position){ .offset = m->from_at };
    snprintf(ret->file, sizeof ret->file, "%s", m->from_file ? m->from_file : "");
    return m->from_gtids ? gtid_set_parse(&ret->gtids, r->flavor, m->from_gtids, err) : 0;
}

static bool is_before(const struct position *a, const struct position *b)
{
    if (a->gtids && b->gtids)
        return gtid_set_subset(a->gtids, b->gtids);
    return position_compare(a, b) < 0;
}

/* The first of them. */
static int where_to_begin(const struct sync_run *r, struct position *ret, struct err *err)
{
    bool any = false;
    int rc = 0;

    for (unsigned i = 0; i < r->shards->n_mine && rc == 0; i++) {
        const struct shard_member *m = r->shards->mine[i];
        SCOPED(position_fini) struct position from = { .offset = 0 };

        if (m->state != SHARD_PICKED && m->state != SHARD_PASSING)
            continue;
        rc = from_of(r, m, &from, err);
        if (rc == 0 && (!any || is_before(&from, ret))) {
            position_fini(ret);
            position_copy(ret, &from);
            any = true;
        }
    }
    return rc;
}

/* Up to where the main stream stands. */
static int read_again(struct sync_run *main_run, struct err *err)
{
    SCOPED(position_fini) struct position from = { .offset = 0 };
    struct sync_run r = { .second = true, .second_from = &from, .until = &main_run->cp.pos };
    int rc = where_to_begin(main_run, &from, err);

    if (rc < 0)
        return rc;
    sync_publish_catching_up(main_run->sync, "tables that waited for a DDL");
    rc = sync_run_open(&r, main_run->sync, PART, err);
    if (rc == 0)
        rc = sync_run_loop(&r, err);
    sync_run_close(&r);
    sync_publish_catching_up(main_run->sync, "");
    return rc;
}

/* One that did not come to its DDL again: the task's rules leave that out by now. */
static void pass_picked(struct sync_run *r, struct shard_group *g)
{
    for (unsigned i = 0; i < g->n; i++) {
        struct shard_member *m = &g->members[i];

        if (strcmp(m->source, r->job->source) != 0 || m->state != SHARD_PICKED)
            continue;
        log_warn(r->sync->unit.path, "table %s.%s did not come to its DDL again, and goes on",
                 m->schema, m->table);
        m->word = SHARD_SKIP;
        shard_done(g, m, m->ddl ? m->ddl : "", NULL, false);
    }
}

/* In one transaction of the main stream: they follow, and the second checkpoint goes. */
static int join_once(struct sync_run *r, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = shard_reload(r, err);

    if (rc < 0)
        return rc;
    sink_begin(r->main.sink, &r->cp.pos, 0);
    for (unsigned i = 0; i < r->shards->rows.n && rc == 0; i++) {
        struct shard_row *row = &r->shards->rows.at[i];

        pass_picked(r, &row->group);
        if (move(r, &row->group, SHARD_PASSING, SHARD_FOLLOWS) == 0)
            continue;
        shard_settle(&row->group);
        buf_clear(&sql);
        shard_store_sql(r->job, row, &sql);
        rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    }
    buf_clear(&sql);
    forget_sql(r, &sql);
    if (rc == 0)
        rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc < 0)
        sink_rollback(r->main.sink);
    return rc < 0 && shard_store_stale(err) ? (err->code = -EAGAIN) : rc;
}

static int join(struct sync_run *r, struct err *err)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < TRIES && rc == -EAGAIN; i++) {
        *err = ERR_INIT;
        rc = join_once(r, err);
    }
    return rc == 0 ? shard_tell(r, err) : rc;
}

int sync_shard_release(struct sync_run *r, struct err *err)
{
    int rc = 0;

    if (!r->shards)
        return 0;
    while (rc == 0 && (under_way(r) || shard_any_mine(r, SHARD_RELEASED))) {
        if (applied_left(r->applied) || r->ddl_again) {
            r->shards->pending = true;
            return 0;
        }
        if (!under_way(r))
            rc = pick(r, err);
        if (rc == 0 && under_way(r))
            rc = read_again(r, err);
        if (rc == 0)
            rc = join(r, err);
        r->shards->pending = false;
    }
    return rc < 0 ? err_wrap(err, "tables that waited for a DDL") : 0;
}
