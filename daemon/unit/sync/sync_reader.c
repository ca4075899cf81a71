/* The stream: events in order, reconnects, and when to write what they made. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync_begun.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_shard.h"

#define RECONNECT_LIMIT_US \
    ((int64_t)60 * 1000000) /* without one event: give up, the unit retries */

#define RELAY_LOOK_US ((int64_t)1000000) /* so often a direct reader looks for the relay */

/* Ours, the same after a restart, so that the source ends the stream that a crash left. */
static uint32_t server_id(const struct job *job)
{
    SCOPED(freep)
    char *all = xasprintf("%s/%s/%s:%u/%s", job->task, job->source, job->to.host, job->to.port,
                          job->meta_schema);

    return 0x40000000u | ((uint32_t)XXH3_64bits(all, strlen(all)) & 0x3fffffffu);
}

static int set_feed(struct sync_run *r, struct feed *feed, struct err *err)
{
    struct sync *s = r->sync;
    struct feed *old;
    bool stopping;

    mutex_lock(&s->unit.lock);
    old = r->feed;
    r->feed = feed;
    stopping = unit_stopping(&s->unit);
    mutex_unlock(&s->unit.lock);
    feed_close(old);
    return stopping ? err_set(err, -ECANCELED, "stopping") : 0;
}

static void note_feed(struct sync_run *r)
{
    bool stored = feed_stored(r->feed);

    if (stored != atomic_exchange(&r->sync->from_relay, stored))
        log_info(r->sync->unit.path, "reads from %s", stored ? "the relay" : "the source itself");
}

/* Asks 'use' with all that a feed needs. */
static int with_feed_config(struct sync_run *r, const struct position *from,
                            int (*use)(struct sync_run *r, const struct feed_config *c,
                                       const struct position *from, struct err *err),
                            struct err *err)
{
    struct mysql_stream_options options = { .server_id = server_id(r->job),
                                            .by_gtid = r->job->by_gtid && from->gtids,
                                            .heartbeat_ms = SYNC_HEARTBEAT_MS };
    struct feed_config c = { .params = &r->job->from,
                             .stream = &options,
                             .source = r->job->origin,
                             .source_id = r->cp.source_id,
                             .no_journal = r->no_journal };

    return use(r, &c, from, err);
}

static int open_feed(struct sync_run *r, const struct feed_config *c, const struct position *from,
                     struct err *err)
{
    struct feed *feed;
    int rc = feed_open(&feed, c, from, err);

    if (rc < 0)
        return err_of_source(err);
    rc = set_feed(r, feed, err);
    r->opened = true;
    if (rc == 0)
        note_feed(r);
    return rc;
}

/* From the end of the last whole transaction, wherever the one before broke off. */
static int connect_feed(struct sync_run *r, struct err *err)
{
    struct position from = { .offset = 0 };
    int rc;

    position_copy(&from, &r->grouper.pos);
    grouper_fini(&r->grouper);
    grouper_init(&r->grouper, r->flavor, &from);
    sync_leaves_stream(r->sync);
    if (!atomic_load(&r->sync->heard_us))
        atomic_store(&r->sync->heard_us, clock_wall_us());
    rc = set_feed(r, NULL, err); /* the old connection first: there is one at a time */
    if (rc == 0)
        rc = with_feed_config(r, &from, open_feed, err);
    position_fini(&from);
    return rc;
}

static bool can_reconnect(const struct err *err)
{
    return err->code == -ECONNRESET || err->code == -ETIMEDOUT || err->code == -ECONNREFUSED ||
           err->code == -EPIPE;
}

static void note_reconnect(struct sync_run *r, const struct err *why)
{
    struct sync *s = r->sync;
    char *old;

    atomic_fetch_add(&s->reconnects, 1);
    mutex_lock(&s->unit.lock);
    old = s->reconnect_reason;
    s->reconnect_reason = xstrdup(why->text);
    mutex_unlock(&s->unit.lock);
    free(old);
    log_warn(s->unit.path, "connects to the source again: %s", why->text);
}

static int reconnect(struct sync_run *r, struct err *err)
{
    int64_t began = clock_mono_us(), delay_ms = 50;

    note_reconnect(r, err);
    sync_txn_drop(r);
    do {
        int rc = connect_feed(r, err);

        if (rc == 0 || !can_reconnect(err))
            return rc;
        if (!unit_sleep(&r->sync->unit, delay_ms))
            return err_set(err, -ECANCELED, "stopping");
        delay_ms = delay_ms < 4000 ? delay_ms * 2 : 4000;
    } while (clock_mono_us() - began < RECONNECT_LIMIT_US);
    return err->code;
}

/* Not again in this run, whose position is before the damage. */
static bool leave_journal(struct sync_run *r, const struct err *why)
{
    if (why->code != -EBADMSG || !feed_stored(r->feed))
        return false;
    r->no_journal = true;
    return true;
}

/* Nothing more of the source is known than what was read. */
static void publish_read(struct sync_run *r)
{
    struct sync *s = r->sync;

    mutex_lock(&s->unit.lock);
    memcpy(s->read_to.file, r->grouper.pos.file, sizeof s->read_to.file);
    s->read_to.offset = r->grouper.pos.offset;
    s->has_read = true;
    mutex_unlock(&s->unit.lock);
}

/* What the feed has: 1 an event, FEED_QUIET, <0 an error. */
static int wait_for_event(struct sync_run *r, struct slice *raw, struct err *err)
{
    bool wait = !feed_ready(r->feed);
    int rc;

    if (wait) {
        publish_read(r);
        sync_set_waiting(r->sync, feed_at_tip(r->feed));
        if (atomic_load(&r->sync->from_relay)) /* which knows it */
            sync_set_quiet(r->sync, feed_at_tip(r->feed));
    }
    rc = feed_next(r->feed, raw, err);
    if (rc == FEED_QUIET || (rc > 0 && (wait || r->sync->events % 256 == 0)))
        atomic_store(&r->sync->heard_us, feed_heard_us(r->feed));
    return rc;
}

/* For what only a new run does. */
static bool leaves(const struct sync_run *r)
{
    return atomic_load(&r->sync->leave) || r->reloads != atomic_load(&r->sync->reloads);
}

/* 1 an event, FEED_QUIET, <0 an error that a new connection does not mend. */
static int next_event(struct sync_run *r, struct slice *raw, struct err *err)
{
    for (;;) {
        int rc = wait_for_event(r, raw, err);

        if (rc > 0)
            return rc;
        if (unit_stopping(&r->sync->unit))
            return err_set(err, -ECANCELED, "stopping");
        if (leaves(r))
            return err_set(err, -ECANCELED, "leaves for what was asked");
        if (rc == 0)
            err_set(err, -ECONNRESET, "the source ended the stream");
        if (atomic_exchange(&r->sync->suspect, false))
            err_set(err, -ECONNRESET, "the source's binlog ends before what was read of it");
        if (!leave_journal(r, err) && !can_reconnect(err))
            return err_of_source(err);
        rc = reconnect(r, err);
        if (rc < 0)
            return rc;
    }
}

/* A heartbeat is sent by who has sent all else. */
static void note_kind(struct sync *s, bool is_heartbeat)
{
    if (is_heartbeat)
        atomic_fetch_add(&s->heartbeats, 1);
    else
        sync_set_waiting(s, false);
    sync_set_quiet(s, is_heartbeat);
}

static int handle(struct sync_run *r, struct slice raw, struct err *err)
{
    struct event ev;
    int step = event_parse(raw, &r->grouper.fmt, true, &ev, err);

    if (step < 0)
        return err_wrap(err, "%s after %llu", r->grouper.file,
                        (unsigned long long)r->grouper.offset);
    r->timestamp = ev.timestamp;
    r->event_size = (uint32_t)raw.size;
    step = grouper_feed(&r->grouper, &ev, err);
    if (step < 0)
        return step;
    atomic_fetch_add_explicit(&r->sync->events, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->sync->bytes, raw.size, memory_order_relaxed);
    histogram_observe(&r->sync->event_bytes, (int64_t)raw.size);
    note_kind(r->sync, ev.type == EVENT_HEARTBEAT || ev.type == EVENT_HEARTBEAT_V2);
    if (ev.type == EVENT_FORMAT_DESCRIPTION) {
        int rc = begun_see(r, ev.timestamp, err);

        if (rc < 0)
            return rc;
    }
    return sync_txn_event(r, &ev, step, err);
}

static bool reached(const struct position *at, const struct position *until)
{
    if (at->gtids && until->gtids)
        return gtid_set_subset(until->gtids, at->gtids);
    return position_compare(at, until) >= 0;
}

static int is_stored(struct sync_run *r, const struct feed_config *c, const struct position *from,
                     struct err *err)
{
    (void)r, (void)err;
    return feed_is_stored(c, from, false);
}

static int will_be_stored(struct sync_run *r, const struct feed_config *c,
                          const struct position *from, struct err *err)
{
    (void)r, (void)err;
    return feed_is_stored(c, from, true);
}

bool sync_is_stored(struct sync_run *r, const struct position *from, bool wait)
{
    struct err none = ERR_INIT;

    return r->job->origin && with_feed_config(r, from, wait ? will_be_stored : is_stored, &none);
}

/* What follows is of another server; the operator has said that it does. */
static int change_server(struct sync_run *r, struct err *err)
{
    SCOPED(position_fini) struct position pos = { .offset = 0 };
    char server[64];
    int rc = r->mode->drain(r, err);

    if (rc < 0)
        return rc;
    feed_moved(r->feed, &pos, server);
    pos.gtids = gtid_set_copy(r->grouper.pos.gtids);
    rc = checkpoint_set(&r->cp, r->admin, &pos, server, err);
    if (rc < 0)
        return rc;
    r->mode->passed(r, &pos);
    log_info(r->sync->unit.path, "goes on at %s:%llu of server %s", pos.file,
             (unsigned long long)pos.offset, server);
    return 0;
}

/* Once the relay has it, a connection of our own is one too many. */
static int prefer_relay(struct sync_run *r, struct err *err)
{
    int64_t now = clock_mono_us();

    if (!r->job->origin || feed_stored(r->feed) || now < r->look_us)
        return 0;
    r->look_us = now + RELAY_LOOK_US;
    if (!sync_is_stored(r, &r->grouper.pos, false))
        return 0;
    return connect_feed(r, err);
}

/* Between two transactions. */
static int turn(struct sync_run *r, struct err *err)
{
    int rc = r->mode->turn(r, feed_ready(r->feed), err);

    if (rc == 0)
        rc = sync_shard_turn(r, err);
    return rc < 0 ? rc : prefer_relay(r, err);
}

static int take(struct sync_run *r, int what, struct slice raw, struct err *err)
{
    if (what == FEED_QUIET)
        return 0;
    return what == FEED_MOVED ? change_server(r, err) : handle(r, raw, err);
}

/* As if it waited for the source, for who asks how late the target is. */
static void note_idle(struct sync_run *r)
{
    bool ready = feed_ready(r->feed);

    sync_set_waiting(r->sync, !ready && feed_at_tip(r->feed));
    if (!ready)
        atomic_store(&r->sync->heard_us, feed_heard_us(r->feed));
}

/* Between two transactions: a chunk of a table that is copied again.  1: look again instead of
 * waiting for the source. */
static int refill(struct sync_run *r, struct err *err)
{
    int64_t ms = r->grouper.in_txn || r->n_held ? -1 : refill_due_ms(r);

    if (ms < 0 || (ms > 0 && feed_ready(r->feed)))
        return 0;
    note_idle(r);
    if (ms > 0) {
        unit_sleep(&r->sync->unit, ms < 5 ? ms : 5);
        if (!feed_ready(r->feed))
            refill_hurry(r);
        return 1;
    }
    ms = refill_step(r, err);
    return ms < 0 ? (int)ms : 1;
}

static int read_on(struct sync_run *r, struct err *err)
{
    int rc = connect_feed(r, err);

    while (rc == 0) {
        struct slice raw;

        if (unit_stopping(&r->sync->unit))
            return err_set(err, -ECANCELED, "stopping");
        if (leaves(r) && !r->grouper.in_txn)
            return err_set(err, -ECANCELED, "leaves for what was asked");
        if (r->until && !r->grouper.in_txn && reached(&r->grouper.pos, r->until))
            return r->mode->drain(r, err);
        rc = refill(r, err);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            rc = 0;
            continue;
        }
        rc = next_event(r, &raw, err);
        if (rc < 0)
            return rc;
        rc = take(r, rc, raw, err);
        if (rc == 0 && !r->grouper.in_txn)
            rc = turn(r, err);
    }
    return rc;
}

int sync_read(struct sync_run *r, struct err *err)
{
    int rc = read_on(r, err);

    if (rc == -ECANCELED && leaves(r) && !unit_stopping(&r->sync->unit)) {
        struct err why = ERR_INIT;

        if (r->mode->drain(r, &why) < 0) {
            *err = why;
            return why.code;
        }
    }
    return rc;
}
