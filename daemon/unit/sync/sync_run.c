/* One run: takes the checkpoint over, opens what it needs, reads and writes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"
#include "mysql/server_find.h"
#include "unit/dm_left.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_begun.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_dm.h"
#include "unit/sync/sync_gone.h"
#include "unit/sync/sync_operator.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_shard.h"
#include "unit/sync/sync_spill.h"

/* --- the source --- */

/* Where its binlog ends now, and who it is. */
static int source_now(struct mysql_conn *c, struct position *ret, struct err *err)
{
    const struct dialect *d = dialect_of(c);
    SCOPED(freep) char *gtids = NULL;
    struct mysql_result *res;
    struct mysql_row row;
    int rc = mysql_conn_queryf(c, &res, err, "%s", d->show_position);

    if (rc < 0)
        return rc;
    rc = mysql_result_next(res, &row, err);
    if (rc > 0) {
        snprintf(ret->file, sizeof ret->file, "%.*s", (int)row.sizes[0], row.values[0]);
        ret->offset = mysql_row_u64(&row, 1);
    }
    mysql_result_free(res);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(err, -ENODATA, "the source has no binary log");
    if (!d->gtid_position)
        return 0;
    rc = mysql_scalar(c, &gtids, err, "SELECT %s", d->gtid_position);
    return rc < 0 ? rc : gtid_set_parse(&ret->gtids, d->flavor, gtids, err);
}

static int probe_source(struct sync_run *r, struct position *now, char identity[static 128],
                        struct err *err)
{
    struct mysql_conn *c;
    SCOPED(freep) char *id = NULL;
    int rc = mysql_conn_open(&c, &r->job->from, err);

    if (rc < 0)
        return err_of_source(err);
    r->flavor = mysql_conn_flavor(c);
    r->version = mysql_conn_version(c);
    r->source_cascades = dialect_of(c)->logs_cascades;
    rc = source_now(c, now, err);
    if (rc == 0)
        rc = mysql_scalar(c, &id, err, "SELECT %s",
                          dialect_of(c)->server_uuid ? dialect_of(c)->server_uuid : "@@server_id");
    if (rc == 0)
        snprintf(identity, 128, "%s", id);
    mysql_conn_close(c);
    return rc < 0 ? err_of_source(err) : 0;
}

/* --- where to begin --- */

/* GTIDs mean the same on every server of a group; a file and an offset do not, and nothing of the
 * new server tells which GTIDs they stood for. */
static int check_identity(struct sync_run *r, const char *identity, struct err *err)
{
    bool has_set = r->cp.pos.gtids && !gtid_set_empty(r->cp.pos.gtids);

    if (!r->cp.source_id[0] || strcmp(r->cp.source_id, identity) == 0)
        return 0;
    if (r->job->by_gtid && has_set) {
        log_info(r->sync->unit.path, "the source was server %s and is now %s", r->cp.source_id,
                 identity);
        return checkpoint_rehome(&r->cp, r->admin, identity, err);
    }
    /* Up to where the other server follows; after a restart the relay may not be there yet. */
    if (sync_is_stored(r, &r->cp.pos, true))
        return 0;
    return err_set(err, -EREMCHG,
                   "the position %s:%llu is of server %s, but the source is now %s: %sstart the "
                   "task again from a position of the new server",
                   r->cp.pos.file, (unsigned long long)r->cp.pos.offset, r->cp.source_id, identity,
                   has_set ? "follow it by GTID (enable_gtid), or " : "");
}

static int first_position(struct sync_run *r, const struct position *now,
                          const struct position **ret, struct err *err)
{
    const struct job *job = r->job;

    if (job->has_start) {
        *ret = &job->start;
    } else if (r->has_handover) {
        *ret = &r->handover.start;
    } else if (job->copies) {
        return err_set(err, -ENODATA, "the full copy is not finished: sync has no position");
    } else {
        *ret = now;
    }
    return 0;
}

/* 1: DM was here before, and its checkpoint says where to go on. */
static int after_dm(struct sync_run *r, const struct position *now, struct position *ret,
                    struct err *err)
{
    int rc = r->has_handover ? 0 : dm_left_position(r->admin, r->job, r->flavor, ret, err);

    if (rc <= 0)
        return rc;
    log_info(r->sync->unit.path, "goes on from DM's checkpoint, in safe mode up to %s:%llu",
             now->file, (unsigned long long)now->offset);
    rc = dm_safe_until(r, now, err);
    return rc < 0 ? rc : 1;
}

static int begin_checkpoint(struct sync_run *r, const struct position *now, const char *identity,
                            struct err *err)
{
    const struct position *from = NULL;
    struct position timed = { .offset = 0 };
    bool at_end;
    int rc = check_identity(r, identity, err);

    if (rc < 0 || checkpoint_has_position(&r->cp))
        return rc;
    if (r->only_aside) {
        from = aside_from(r->aside);
    } else if (r->second) {
        from = r->second_from;
    } else if (r->job->start_us) {
        rc = server_find_time(&r->job->from, r->job->start_us, &timed, &at_end, err);
        from = &timed;
    } else {
        rc = after_dm(r, now, &timed, err);
        from = &timed;
        if (rc == 0)
            rc = first_position(r, now, &from, err);
        if (rc > 0)
            rc = 0;
    }
    if (rc == 0)
        rc = checkpoint_set(&r->cp, r->admin, from, identity, err);
    if (rc == 0)
        log_info(r->sync->unit.path, "starts at %s:%llu", from->file,
                 (unsigned long long)from->offset);
    position_fini(&timed);
    return rc;
}

/* A position by file that is to be followed by GTID gets its set, and the other way round: what
 * was started by one goes on by the other. */
static int complete_position(struct sync_run *r, struct err *err)
{
    struct position *pos = &r->cp.pos;
    int rc = 0;

    if (r->job->by_gtid && !pos->gtids && pos->file[0])
        rc = server_find_gtids(&r->job->from, pos, err);
    else if (!r->job->by_gtid && !pos->file[0] && pos->gtids)
        rc = server_find_file(&r->job->from, pos, err);
    else
        return 0;
    if (rc == 0)
        log_info(r->sync->unit.path, "goes on by %s", r->job->by_gtid ? "GTID" : "file and offset");
    return rc < 0 ? err_of_source(err) : 0;
}

/* What a finished copy says of its tables; it is not there for incremental tasks. */
static int read_handover(struct sync_run *r, struct err *err)
{
    struct err none = ERR_INIT;
    int rc = copy_handover_read(r->admin, r->job, &r->handover, &none);

    r->has_handover = rc == 0;
    if (rc == 0 || rc == -ENOENT || none.sql == 1146 || none.sql == 1049)
        return 0;
    *err = none;
    return rc;
}

/* --- opening and closing --- */

static int open_applied(struct sync_run *r, struct err *err)
{
    int rc = applied_open(&r->applied, r->admin, &r->cp, r->flavor, r->job->by_gtid, err);

    if (rc == 0 && applied_left(r->applied))
        log_info(r->sync->unit.path, "the target has %zu transactions beyond the checkpoint",
                 applied_left(r->applied));
    return rc;
}

int sync_run_target(struct sync_run *r, const struct checkpoint_key *key, struct err *err)
{
    int rc = mysql_conn_open(&r->admin, &r->job->to, err);

    if (rc < 0)
        return err_of_target(err);
    rc = mysql_conn_execf(r->admin, err, "SET SESSION sql_mode='STRICT_ALL_TABLES'");
    if (rc == 0)
        rc = checkpoint_take(r->admin, key, r->flavor, &r->cp, err);
    if (rc == 0)
        rc = sink_open(&r->main.sink, &r->job->to, &r->cp, err);
    return rc;
}

int sync_run_open(struct sync_run *r, struct sync *s, const char *part, struct err *err)
{
    struct checkpoint_key key = { s->job->meta_schema, s->job->task, s->job->source, part };
    struct position now = { .offset = 0 };
    char identity[128] = "";
    int rc;

    r->sync = s;
    r->job = s->job;
    atomic_store(&s->rows_in_flight, 0);
    r->mode = r->only_aside || r->second ? &sync_merged : sync_mode_of(r->job->apply_mode);
    rc = probe_source(r, &now, identity, err);
    if (rc == 0)
        rc = sync_run_target(r, &key, err);
    if (rc == 0)
        rc = aside_open(&r->aside, r->admin, r->job, r->flavor, err);
    if (rc == 0 && r->only_aside)
        aside_pick(r->aside, r->only_aside);
    if (rc == 0)
        rc = read_handover(r, err);
    if (rc == 0)
        rc = begin_checkpoint(r, &now, identity, err);
    if (rc == 0)
        rc = complete_position(r, err);
    position_fini(&now);
    if (rc == 0)
        rc = open_applied(r, err);
    if (rc == 0)
        rc = begun_open(r, err);
    if (rc == 0)
        rc = sync_ddl_open(r, err);
    if (rc == 0)
        rc = operators_purge(r, err);
    if (rc == 0)
        rc = dm_safe_load(r, err);
    if (rc == 0)
        rc = dm_checkpoint_open(r, err);
    r->reloads = atomic_load(&s->reloads);
    if (rc == 0 && !r->only_aside && !r->second)
        rc = refill_open(&r->refill, r, err);
    if (rc < 0)
        return rc;
    r->tables = sync_tables_new(r->job, r->admin);
    grouper_init(&r->grouper, r->flavor, &r->cp.pos);
    r->has_grouper = true;
    rc = r->only_aside ? 0 : sync_shard_open(r, !atomic_load(&s->shards_known), err);
    if (rc < 0)
        return rc;
    atomic_store(&s->shards_known, true);
    return r->mode->open(r, err);
}

void sync_run_close(struct sync_run *r)
{
    sync_txn_drop(r);
    raw_txn_fini(&r->txn);
    raw_writer_fini(&r->raw);
    atomic_store(&r->sync->held_us, 0);
    for (unsigned i = 0; i < r->n_held; i++)
        raw_txn_fini(&r->held[i].raw);
    free(r->held);
    free(r->savepoints);
    position_fini(&r->hold_until);
    arena_fini(&r->scratch);
    dm_checkpoint_close(r);
    if (r->mode)
        r->mode->close(r);
    if (r->has_grouper)
        grouper_fini(&r->grouper);
    sync_shard_close(r);
    sync_tables_free(r->tables);
    if (r->has_handover)
        copy_handover_fini(&r->handover);
    aside_free(r->aside);
    refill_free(r->refill);
    applied_free(r->applied);
    sink_close(r->main.sink);
    mysql_conn_close(r->admin);
    checkpoint_fini(&r->cp);
}

/* --- the loop --- */

void sync_run_show(struct sync_run *r, bool running)
{
    struct sync *s = r->sync;
    struct feed *feed = NULL;

    mutex_lock(&s->unit.lock);
    s->run = running ? r : NULL;
    s->has_read = false;
    if (!running) {
        feed = r->feed;
        r->feed = NULL;
    }
    mutex_unlock(&s->unit.lock);
    feed_close(feed);
}

int sync_run_loop(struct sync_run *r, struct err *err)
{
    pthread_t pulse;
    int rc;

    sync_publish(r);
    sync_run_show(r, true);
    r->mode->start(r);
    pulse = thread_start("sync-pulse", sync_pulse, r);
    rc = sync_read(r, err);
    r->mode->stop(r);
    r->mode->join(r);
    thread_join(pulse);
    sync_run_show(r, false);
    atomic_store(&r->sync->rows_in_flight, 0);
    sync_leaves_stream(r->sync);
    return rc;
}

/* --- taking back what was set aside --- */

/* Names can be longer than a part of a checkpoint. */
static void part_of(const char *table, char ret[static 32])
{
    snprintf(ret, 32, "aside/%016llx", (unsigned long long)XXH3_64bits(table, strlen(table)));
}

/* Up to where the main stream stands, with a checkpoint of its own. */
static int catch_up(struct sync_run *main_run, const char *table, struct err *err)
{
    struct sync_run r = { .only_aside = table, .until = &main_run->cp.pos };
    char part[32];
    int rc;

    part_of(table, part);
    rc = sync_run_open(&r, main_run->sync, part, err);
    if (rc == 0)
        rc = sync_run_loop(&r, err);
    sync_run_close(&r);
    return rc;
}

int sync_run_join(struct sync_run *r, const char *table, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    char part[32];
    int rc = aside_write_drop(r->aside, table, r->main.sink, err);

    part_of(table, part);
    sql_add(&sql, "DELETE FROM %i.sluice_checkpoint WHERE task=%q AND source=%q AND part=%q",
            r->job->meta_schema, r->job->task, r->job->source, part);
    return rc == 0 ? sink_statement(r->main.sink, slice_of(sql.data, sql.size), err) : rc;
}

/* List and second checkpoint go in the transaction that is the first of all together. */
static int join(struct sync_run *r, const char *table, struct err *err)
{
    int rc;

    sink_begin(r->main.sink, &r->cp.pos, 0);
    rc = sync_run_join(r, table, err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc < 0) {
        sink_rollback(r->main.sink);
        return rc;
    }
    aside_drop(r->aside, table);
    log_info(r->sync->unit.path, "table %s is no longer set aside", table);
    return 0;
}

static int take_back(struct sync_run *r, const char *table, bool skip, struct err *err)
{
    int rc = 0;

    sync_publish_catching_up(r->sync, table);
    if (!skip)
        rc = catch_up(r, table, err);
    sync_publish_catching_up(r->sync, "");
    if (rc == 0)
        rc = join(r, table, err);
    return rc < 0 ? err_wrap(err, "table %s stays set aside", table) : 0;
}

int sync_run_release(struct sync_run *r, const char *table, bool skip, struct err *err)
{
    char *next;
    int rc = 0;

    if (applied_left(r->applied))
        return err_set(err, -EBUSY,
                       "%zu transactions that the target had before the last start are still to "
                       "come by: ask again",
                       applied_left(r->applied));
    while (rc == 0 && (next = aside_next(r->aside, table, skip))) {
        rc = take_back(r, next, skip, err);
        sync_publish_aside(r);
        if (rc == -ENODATA) {
            gone_look(r);
            if (aside_is_gone(r->aside, next))
                rc = gone_refusal(r->job, next, err);
        }
        free(next);
    }
    return rc;
}
