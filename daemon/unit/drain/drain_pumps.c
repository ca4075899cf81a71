/* From pumps: the merged stream, decoded, into a sink. */
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "unit/drain/drain_decode.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drain_target.h"
#include "unit/drain/drainer_priv.h"

#define IDLE_MS 100
#define SAVE_US ((int64_t)3000000)
#define SAVE_QUIET_US ((int64_t)500000) /* when nothing comes: somebody may wait for it */

struct pumps_run {
    struct drain_run *run;
    struct drain_judge *judge;
    struct drain_decoder *decoder;
    struct drain_feed *feed;
    struct drain_item item;
    int64_t save_us;
    bool wrote; /* since the last save */
};

static int next_event(void *arg, struct slice *ret, struct err *err)
{
    struct pumps_run *p = arg;
    int rc = drain_feed_event(p->feed, &p->item, ret, err);

    if (rc > 0) {
        atomic_fetch_add_explicit(&p->run->drainer->sync.events, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&p->run->drainer->sync.bytes, ret->size, memory_order_relaxed);
    }
    return rc;
}

static int one_transaction(struct pumps_run *p, struct err *err)
{
    struct drain_place at = { p->item.record.commit_ts, p->item.lane->name };
    struct drain_decoded got;
    int rc = drain_decode(p->decoder, &p->item, next_event, p, &got, err);

    got.ddl.more = rc == 0 && got.has_ddl && got.has_rows;
    if (rc == 0 && got.has_ddl)
        rc = drain_run_write(p->run, &got.ddl, &at, err);
    if (rc == 0 && got.has_rows)
        rc = drain_run_write(p->run, &got.rows, &at, err);
    if (rc < 0)
        return rc;
    p->wrote = p->wrote || got.has_ddl || got.has_rows;
    drain_run_pass(p->run, &at);
    return 0;
}

static int save(struct pumps_run *p, struct err *err)
{
    struct drain_run *r = p->run;
    struct drain_place safe;
    bool moved;
    int rc = drain_run_save(r, false, &moved, err);

    p->save_us = clock_mono_us() + SAVE_US;
    p->wrote = false;
    drainer_show_pulled(r->drainer, p->feed);
    registrant_beat(&r->drainer->reg);
    if (rc < 0 || !moved)
        return rc;
    safe = (struct drain_place){ atomic_load(&r->drainer->last_ts), NULL };
    return drain_feed_hold(p->feed, &safe, err);
}

/* 1: the range is at its end. */
static int one_turn(struct pumps_run *p, int64_t wait_ms, struct err *err)
{
    struct drain_run *r = p->run;
    struct drain_place place;
    bool over;
    int rc = drain_feed_next(p->feed, &p->item, wait_ms, err);

    if (rc < 0)
        return rc;
    over = rc > 0 && r->stop_ts && p->item.record.commit_ts > r->stop_ts;
    if (rc > 0 && !over)
        return one_transaction(p, err);
    drain_feed_place(p->feed, &place);
    over = over || (r->stop_ts && !place.lane && place.ts >= r->stop_ts);
    if (over)
        place = (struct drain_place){ r->stop_ts, NULL };
    if (!place.lane && place.ts >= r->place.ts)
        drain_run_pass(r, &place);
    if (p->wrote && p->save_us > clock_mono_us() + SAVE_QUIET_US)
        p->save_us = clock_mono_us() + SAVE_QUIET_US;
    return over;
}

static int follow(struct pumps_run *p, struct err *err)
{
    struct unit *u = &p->run->drainer->sync.unit;
    int rc = 0;

    while (rc == 0) {
        uint64_t before = atomic_load(&p->run->drainer->sync.events);

        if (unit_stopping(u))
            return err_set(err, -ECANCELED, "stopping");
        rc = one_turn(p, 0, err);
        if (rc == 0 && before == atomic_load(&p->run->drainer->sync.events))
            rc = one_turn(p, IDLE_MS, err);
        if (rc == 0 && clock_mono_us() >= p->save_us)
            rc = save(p, err);
    }
    return rc > 0 ? 0 : rc;
}

int drain_from_pumps(struct drain_run *r, struct err *err)
{
    struct drainer *d = r->drainer;
    struct pumps_run p = { .run = r };
    struct drain_decoder_config dc = { .sources = d->reg.config.sources,
                                       .filter = r->target.filter,
                                       .conns = &r->target.job.conns,
                                       .unit = &d->sync.unit };
    struct drain_feed_config fc = {
        .pumps = d->pumps,
        .names = doc_at(r->doc, "pumps"),
        .owner = r->target.job.path,
        .detect_us = json_integer_value(doc_at(r->doc, "detect_interval")) * 1000000,
        .dedup = json_is_true(doc_at(r->doc, "syncer.dedup_gtid")),
        .stats = &d->stats,
        .opened = drain_decoder_opened,
        .closed = drain_decoder_closed,
    };
    int rc = drain_judge_new(&p.judge, d, &r->target, r->doc, err);

    dc.judge = p.judge;
    p.decoder = fc.arg = drain_decoder_new(&dc);
    if (rc == 0)
        rc = drain_feed_open(&p.feed, &fc, &r->place, err);
    if (rc == 0)
        rc = drain_feed_hold(p.feed, &r->place, err);
    if (rc == 0) {
        drain_target_feed(&r->target, d, p.feed);
        drainer_let_go_others(d, p.feed);
        rc = follow(&p, err);
        drain_target_feed(&r->target, d, NULL);
    }
    drain_feed_close(p.feed);
    drain_decoder_free(p.decoder);
    drain_judge_free(p.judge);
    return rc;
}
