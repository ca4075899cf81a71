/*
 * Into MySQL or MariaDB: what sync does with one source's stream, done with a stream merged of
 * several.  What belongs to one source (grouper, tables, flavour) is changed for each transaction;
 * queue, session and checkpoint are common.  The checkpoint's file is the pump and its offset the
 * commit_ts: the place in the merged stream (drain_merge.h).
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/secret.h"
#include "unit/drain/drain_ahead.h"
#include "unit/drain/drain_checkpoint.h"
#include "unit/drain/drain_feed.h"
#include "unit/drain/drain_judge.h"
#include "unit/drain/drain_shared.h"
#include "unit/drain/drain_target.h"
#include "unit/drain/drainer_priv.h"
#include "unit/source/source.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_ddl.h"

#define IDLE_MS 100
#define HOLD_US ((int64_t)3000000)

struct drain_sync {
    struct sync_run run; /* first: callbacks get it */
    struct drainer *drainer;
    struct drain_target target;
    struct drain_feed *feed;
    struct drain_judge *judge;
    struct drain_item item; /* at hand */
    struct position mark;
    struct buf also;
    uint64_t stop_ts, rows_seen;
    int64_t hold_us;
    struct drain_checkpoint *checkpoint;
    struct drain_shared *shared; /* tables of the target that several pumps write to */
    const struct drain_lane *last;
    bool running; /* there is who writes */
};

/* What a lane has of its own. */
struct lane_data {
    struct job job;
    struct sync_tables *tables;
};

static struct drain_sync *sync_of_run(struct sync_run *r)
{
    return (struct drain_sync *)r;
}

/* --- lanes --- */

/* A source that is disabled or half made may still be drained: its definitions are not to be had.
 */
static void source_of_lane(struct drain_sync *s, const char *name, struct mysql_params *ret)
{
    struct source *source = source_find(s->drainer->reg.config.sources, name);
    struct err ignored = ERR_INIT;

    if (!source || source_params(source, ret, &ignored) < 0)
        *ret = (struct mysql_params){ .port = 0 };
    ret->set = &s->target.job.conns;
    source_unref(source);
}

static int lane_opened(void *arg, struct drain_lane *lane, struct err *err)
{
    struct drain_sync *s = arg;
    struct lane_data *data = xcalloc(1, sizeof *data);

    (void)err;
    data->job = s->target.job;
    data->job.source = lane->name;
    source_of_lane(s, lane->source, &data->job.from);
    data->tables = sync_tables_new(&data->job, s->run.admin);
    lane->data = data;
    return 0;
}

static void lane_closed(void *arg, struct drain_lane *lane)
{
    struct lane_data *data = lane->data;
    struct drain_sync *s = arg;
    struct err later = ERR_INIT; /* the next call of the queue has it, too */

    if (!data)
        return;
    if (s->running) /* groups under way refer to its tables */
        s->run.mode->drain(&s->run, &later);
    sync_tables_free(data->tables);
    mysql_params_fini(&data->job.from);
    free(data);
    lane->data = NULL;
}

/* The run is about this lane until put_back(). */
static void take_up(struct drain_sync *s, struct drain_lane *lane)
{
    struct lane_data *data = lane->data;

    s->run.grouper = lane->grouper;
    s->run.tables = data->tables;
    s->run.flavor = lane->grouper.fmt.flavor;
    s->run.source_cascades = drain_target_cascades(&lane->grouper.fmt);
    s->run.lane = lane->name;
}

static void put_back(struct drain_sync *s, struct drain_lane *lane)
{
    lane->grouper = s->run.grouper;
    s->run.tables = NULL;
    s->run.lane = NULL;
}

/* --- what the run asks --- */

static int judge(struct sync_run *r, const struct event *ev, int step, struct err *err)
{
    struct drain_sync *s = sync_of_run(r);

    bool any = drain_shared_any(s->shared);

    if (step == TXN_MAP)
        drain_shared_see(s->shared, s->item.lane, ev);
    if (any != drain_shared_any(s->shared) && r->mode->drain(r, err) < 0)
        return err->code;
    return drain_judge_step(s->judge, r, ev, step, err);
}

static int look_ahead(struct sync_run *r, const struct event *map, const struct position *until,
                      struct err *err)
{
    struct drain_sync *s = sync_of_run(r);
    struct table_map m;
    int rc = table_map_decode(map, &r->grouper.fmt, &r->scratch, &m, err);
    SCOPED(freep) char *schema = NULL;
    SCOPED(freep) char *name = NULL;

    if (rc < 0)
        return rc;
    schema = xstrndup((const char *)m.db.data, m.db.size);
    name = xstrndup((const char *)m.name.data, m.name.size);
    return drain_ahead(s->item.lane, s->item.record.seq, until, schema, name,
                       &s->drainer->sync.unit, err);
}

/* Called by whoever committed: the writer, or the reader. */
static void published(struct sync_run *r)
{
    struct drain_sync *s = sync_of_run(r);
    struct drain_place place = { r->cp.pos.offset, r->cp.pos.file };
    uint64_t rows = atomic_load(&s->drainer->sync.rows);

    if (strcmp(r->cp.pos.file, DRAIN_ALL_LANES) == 0)
        place.lane = NULL;
    if (rows != s->rows_seen)
        drainer_wrote(s->drainer);
    s->rows_seen = rows;
    drainer_publish(s->drainer, &place);
}

/* --- opening --- */

/* The target's word, unless the operator has written another, or there is none yet. */
static int begin_place(struct drain_sync *s, const json_t *doc, struct drain_place *ret,
                       struct err *err)
{
    struct checkpoint *cp = &s->run.cp;
    struct drainer_savepoint at = { .ts = 0 };
    bool given;
    int rc = drainer_start_place(s->drainer, doc, &at, err);

    if (rc < 0)
        return rc;
    given = json_integer_value(doc_at(doc, "initial_commit_ts")) >= 0;
    if (!checkpoint_has_position(cp) || at.by_hand || (at.fresh && given)) {
        struct position pos = { .offset = at.ts };

        snprintf(pos.file, sizeof pos.file, "%s", at.lane);
        rc = checkpoint_set(cp, s->run.admin, &pos, "drainer", err);
    }
    /* Kept at once: what was set by hand, or by the document, is set once. */
    if (rc == 0 && (at.by_hand || at.fresh))
        rc = drainer_savepoint_save(
            s->drainer, &(struct drain_place){ cp->pos.offset, cp->pos.file }, false, false, err);
    json_decref(at.skip);
    *ret = (struct drain_place){ cp->pos.offset, cp->pos.file };
    if (strcmp(cp->pos.file, DRAIN_ALL_LANES) == 0)
        ret->lane = NULL;
    return rc;
}

static int open_target(struct drain_sync *s, const json_t *doc, struct err *err)
{
    struct sync_run *r = &s->run;
    struct checkpoint_key key = { s->target.job.meta_schema, s->target.job.task, "pumps", "sync" };
    int rc = sync_run_target(r, &key, err);

    if (rc == 0)
        rc = aside_open(&r->aside, r->admin, r->job, FLAVOR_MARIADB, err);
    if (rc == 0)
        rc = applied_open(&r->applied, r->admin, &r->cp, FLAVOR_MARIADB, false, err);
    if (rc == 0 && json_is_true(doc_at(doc, "syncer.loopback_control"))) {
        rc = drain_target_marks(r->admin, err);
        drain_target_mark_sql((uint64_t)json_integer_value(doc_at(doc, "syncer.channel_id")),
                              &s->also);
        r->also = slice_of(s->also.data, s->also.size);
    }
    return rc;
}

static int open_feed(struct drain_sync *s, const json_t *doc, const struct drain_place *place,
                     struct err *err)
{
    struct drain_feed_config c = {
        .pumps = s->drainer->pumps,
        .names = doc_at(doc, "pumps"),
        .owner = s->target.job.path,
        .detect_us = json_integer_value(doc_at(doc, "detect_interval")) * 1000000,
        .dedup = json_is_true(doc_at(doc, "syncer.dedup_gtid")),
        .stats = &s->drainer->stats,
        .opened = lane_opened,
        .closed = lane_closed,
        .arg = s,
    };
    int rc = drain_feed_open(&s->feed, &c, place, err);

    return rc == 0 ? drain_feed_hold(s->feed, place, err) : rc;
}

static int open_all(struct drain_sync *s, const json_t *doc, struct err *err)
{
    struct sync_run *r = &s->run;
    struct drain_place place;
    int rc = drain_target_open(&s->target, s->drainer, doc, err);

    if (rc < 0)
        return rc;
    *r = (struct sync_run){ .sync = &s->drainer->sync,
                            .job = &s->target.job,
                            .mode = &sync_merged,
                            .judge = judge,
                            .look_ahead = look_ahead,
                            .published = published };
    s->stop_ts = (uint64_t)json_integer_value(doc_at(doc, "stop_commit_ts"));
    s->checkpoint = drain_checkpoint_new(s->drainer->reg.name, doc, &s->target);
    s->shared = drain_shared_new(s->target.job.router);
    rc = drain_judge_new(&s->judge, s->drainer, &s->target, doc, err);
    if (rc == 0)
        rc = open_target(s, doc, err);
    if (rc == 0)
        rc = begin_place(s, doc, &place, err);
    if (rc == 0)
        rc = sync_ddl_open(r, err);
    if (rc == 0)
        rc = r->mode->open(r, err);
    return rc == 0 ? open_feed(s, doc, &place, err) : rc;
}

static void close_all(struct drain_sync *s)
{
    sync_run_close(&s->run);
    drain_feed_close(s->feed); /* and the tables that groups refer to */
    drain_judge_free(s->judge);
    drain_shared_free(s->shared);
    drain_checkpoint_free(s->checkpoint);
    buf_fini(&s->also);
    position_fini(&s->mark);
    drain_target_close(&s->target, s->drainer);
}

/* --- the stream --- */

static int one_event(struct drain_sync *s, struct slice raw, struct err *err)
{
    struct sync_run *r = &s->run;
    struct event ev;
    int step = event_parse(raw, &r->grouper.fmt, false, &ev, err);

    if (step == 0) {
        r->timestamp = ev.timestamp;
        step = grouper_feed(&r->grouper, &ev, err);
    }
    if (step < 0)
        return step;
    atomic_fetch_add_explicit(&r->sync->events, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->sync->bytes, raw.size, memory_order_relaxed);
    return sync_txn_event(r, &ev, step, err);
}

static void mark(struct drain_sync *s, uint64_t ts, const char *lane)
{
    snprintf(s->mark.file, sizeof s->mark.file, "%s", lane ? lane : DRAIN_ALL_LANES);
    s->mark.offset = ts;
    s->run.mark = &s->mark;
}

static int one_transaction(struct drain_sync *s, struct err *err)
{
    const struct drain_item *item = &s->item;
    struct slice raw;
    int rc;

    /* Changes of one table that come from two sources are not merged with one another. */
    if (s->last != item->lane && drain_shared_any(s->shared)) {
        rc = s->run.mode->drain(&s->run, err);
        if (rc < 0)
            return rc;
    }
    s->last = item->lane;
    mark(s, item->record.commit_ts, item->lane->name);
    drain_judge_begin(s->judge, item);
    take_up(s, item->lane);
    while ((rc = drain_feed_event(s->feed, item, &raw, err)) > 0) {
        rc = one_event(s, raw, err);
        if (rc < 0)
            break;
    }
    put_back(s, item->lane);
    if (rc < 0 && rc != -ECANCELED)
        err_wrap(err, "pump %s, commit_ts %llu", item->lane->name,
                 (unsigned long long)item->record.commit_ts);
    return rc;
}

/* Time has passed without a transaction: the checkpoint says so. */
static int pass_time(struct drain_sync *s, const struct drain_place *place, struct err *err)
{
    struct gtid none = { .number = 0 };
    struct queue_txn txn = { .gtid = &none, .pos = &s->mark };

    mark(s, place->ts, place->lane);
    txn.commit_us = (int64_t)(place->ts >> 18) * 1000;
    return s->run.mode->add(&s->run, &txn, err);
}

static int keep_up(struct drain_sync *s, struct err *err)
{
    struct drain_place place = { atomic_load(&s->drainer->last_ts), NULL };
    int rc = 0;

    atomic_store(&s->drainer->sync.heard_us, clock_wall_us());
    if (clock_mono_us() < s->hold_us)
        return 0;
    s->hold_us = clock_mono_us() + HOLD_US;
    drainer_show_pulled(s->drainer, s->feed);
    registrant_beat(&s->drainer->reg);
    if (place.ts)
        rc = drain_checkpoint_write(s->checkpoint, &place, false, err);
    return rc == 0 && place.ts ? drain_feed_hold(s->feed, &place, err) : rc;
}

/* 'place' is as far as the stream is, with nothing to be read. */
static int idle(struct drain_sync *s, const struct drain_place *place, struct err *err)
{
    bool later = place->ts > s->mark.offset ||
                 (place->ts == s->mark.offset && strcmp(s->mark.file, DRAIN_ALL_LANES) != 0);
    int rc = !place->lane && later ? pass_time(s, place, err) : 0;

    return rc == 0 ? s->run.mode->turn(&s->run, false, err) : rc;
}

/* 1: the range is at its end. */
static int one_turn(struct drain_sync *s, int64_t wait_ms, struct err *err)
{
    struct drain_place place;
    bool over;
    int rc = drain_feed_next(s->feed, &s->item, wait_ms, err);

    if (rc < 0)
        return rc;
    over = rc > 0 && s->stop_ts && s->item.record.commit_ts > s->stop_ts;
    if (rc > 0 && !over) {
        rc = one_transaction(s, err);
        return rc == 0 ? s->run.mode->turn(&s->run, true, err) : rc;
    }
    drain_feed_place(s->feed, &place);
    over = over || (s->stop_ts && !place.lane && place.ts >= s->stop_ts);
    if (over)
        place = (struct drain_place){ s->stop_ts, NULL };
    rc = idle(s, &place, err);
    return rc == 0 ? over : rc;
}

static int follow(struct drain_sync *s, struct err *err)
{
    int rc = 0;

    while (rc == 0) {
        uint64_t before = atomic_load(&s->drainer->sync.events);

        if (unit_stopping(&s->drainer->sync.unit))
            return err_set(err, -ECANCELED, "stopping");
        rc = one_turn(s, 0, err);
        if (rc == 0 && before == atomic_load(&s->drainer->sync.events)) {
            sync_set_waiting(&s->drainer->sync, true);
            sync_set_quiet(&s->drainer->sync, true); /* the pumps have no more */
            rc = one_turn(s, IDLE_MS, err);
        }
        if (before != atomic_load(&s->drainer->sync.events))
            sync_set_waiting(&s->drainer->sync, false);
        if (rc == 0)
            rc = keep_up(s, err);
    }
    return rc > 0 ? s->run.mode->drain(&s->run, err) : rc;
}

/* What was read is written before it ends, so that a pause leaves nothing half done. */
static int leave(struct drain_sync *s, int rc, struct err *err)
{
    struct err why = ERR_INIT;

    if (rc != -ECANCELED || s->run.mode->drain(&s->run, &why) == 0)
        return rc;
    *err = why;
    return why.code;
}

/* In TiDB-Binlog's table, too, if that is asked for; nothing before it is needed while it stands.
 */
static int say_where(struct drain_sync *s, int rc, struct err *err)
{
    struct drain_place place = { atomic_load(&s->drainer->last_ts), NULL };
    struct err why = ERR_INIT;

    if ((rc != 0 && rc != -ECANCELED) || place.ts == 0 ||
        (drain_checkpoint_write(s->checkpoint, &place, true, &why) == 0 &&
         drain_feed_hold(s->feed, &place, &why) == 0))
        return rc;
    *err = why;
    return why.code;
}

static void *pulse(void *run)
{
    return sync_pulse(run);
}

int drain_sync_run(struct drainer *d, const json_t *doc, struct err *err)
{
    struct drain_sync *s = xcalloc(1, sizeof *s);
    pthread_t pulse_thread;
    int rc;

    s->drainer = d;
    rc = open_all(s, doc, err);
    if (rc == 0) {
        sync_publish(&s->run);
        sync_run_show(&s->run, true);
        drain_target_feed(&s->target, d, s->feed);
        drainer_let_go_others(d, s->feed);
        s->run.mode->start(&s->run);
        s->running = true;
        pulse_thread = thread_start("drain-pulse", pulse, &s->run);
        rc = follow(s, err);
        rc = leave(s, rc, err);
        rc = say_where(s, rc, err);
        s->running = false;
        s->run.mode->stop(&s->run);
        s->run.mode->join(&s->run);
        thread_join(pulse_thread);
        drain_target_feed(&s->target, d, NULL);
        sync_run_show(&s->run, false);
        drainer_show_pulled(d, s->feed);
    }
    close_all(s);
    free(s);
    return rc;
}
