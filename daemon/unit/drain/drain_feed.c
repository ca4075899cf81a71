#include "unit/drain/drain_feed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/drain/drain_stats.h"
#include "unit/drain/pump.h"

#define WAIT_MS 20 /* for one lane at a time: others may have come meanwhile */

struct feed_lane {
    struct drain_lane lane;
    struct journal_reader *reader;
    struct journal_record head;
    bool has_head;
    uint64_t held; /* record that is held; 0: none */
    enum node_state state;
    bool gone;
    struct lane_stats *stats; /* NULL: nobody asks */
    int64_t opened_us;        /* monotonic */
};

struct drain_feed {
    struct drain_feed_config config;
    json_t *names;
    struct drain_merge *merge;
    struct feed_lane **lanes; /* by number */
    unsigned n;
    struct drain_place place;
    char place_lane[256];
    int64_t look_us;
    struct gtid_set *seen[2]; /* by flavour: all that were given out; only with dedup */
    atomic_bool stopped;
};

/* --- lanes --- */

/* How long the stream of a pump was read, for its journal. */
static void note_stream(struct feed_lane *l, bool well)
{
    struct journal_stats *s = l->lane.journal ? journal_stats(l->lane.journal) : NULL;

    if (s && l->opened_us)
        histogram_observe(&s->streams_us[well], clock_mono_us() - l->opened_us);
    l->opened_us = 0;
}

static void lane_free(struct feed_lane *l)
{
    note_stream(l, true);
    journal_reader_free(l->reader);
    grouper_fini(&l->lane.grouper);
    journal_close(l->lane.journal);
    free(l->lane.name);
    free(l->lane.node_id);
    free(l->lane.source);
    free(l);
}

/* The format is told before anything else; its place in the file is not. */
static int begin_at(struct drain_lane *lane, const struct journal_file *file, uint64_t offset,
                    struct err *err)
{
    struct event_format none = { 0 };
    struct position at = { .offset = offset };
    struct event ev;
    int rc;

    grouper_fini(&lane->grouper);
    snprintf(at.file, sizeof at.file, "%s", file->name);
    grouper_init(&lane->grouper, FLAVOR_MYSQL, &at);
    if (file->format.size == 0)
        return 0;
    rc = event_parse(file->format, &none, false, &ev, err);
    if (rc == 0)
        rc = grouper_feed(&lane->grouper, &ev, err);
    if (rc < 0)
        return rc;
    lane->grouper.offset = lane->grouper.pos.offset = offset;
    return 0;
}

/* Where a record begins: the reader tells. */
static int offset_of(struct journal *j, uint64_t seq, const struct journal_file *file,
                     uint64_t *ret, struct err *err)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec = { .seq = 0 };
    int rc = journal_reader_seek(r, seq, err);

    *ret = file->from;
    if (rc == 0)
        rc = journal_reader_next(r, &rec, 0, err);
    if (rc > 0)
        *ret = rec.from;
    journal_reader_free(r);
    return rc < 0 ? rc : 0;
}

int drain_lane_place(struct drain_lane *lane, uint64_t seq, struct err *err)
{
    struct journal_file file = { .no = 0 };
    uint64_t offset = 4;
    int rc = journal_file_of(lane->journal, seq, &file, err);

    if (rc == -ENOENT) { /* it is empty: the format comes with the first record */
        struct position none = { .offset = 4 };

        grouper_fini(&lane->grouper);
        grouper_init(&lane->grouper, FLAVOR_MYSQL, &none);
        return 0;
    }
    if (rc == 0)
        rc = offset_of(lane->journal, seq, &file, &offset, err);
    if (rc == 0)
        rc = begin_at(lane, &file, offset, err);
    journal_file_fini(&file);
    return rc;
}

/* All that it had before was given out, by it or another. */
static int know_before(struct drain_feed *f, struct journal *j, uint64_t seq, struct err *err)
{
    struct err why = ERR_INIT;
    struct gtid_set *before = journal_gtids_before(j, seq, &why);

    if (before)
        gtid_set_union(f->seen[gtid_set_flavor(before)], before);
    gtid_set_free(before);
    if (before || why.code == 0 || why.code == -ENOENT) /* nothing is known of an empty journal */
        return 0;
    *err = why;
    return why.code;
}

/* The first record after the place. */
static int seek_lane(struct drain_feed *f, struct feed_lane *l, struct err *err)
{
    const struct drain_place *place = &f->place;
    struct journal *j = l->lane.journal;
    struct journal_state state;
    uint64_t seq;
    int rc;

    journal_state(j, &state);
    rc = journal_find_ts(j, place->ts, &seq, err);
    if (rc == -ERANGE && place->ts + 1 >= state.first_ts)
        seq = state.first_seq, rc = 0; /* nothing was before it */
    if (rc == -ENOENT)                 /* of those on disk; what is written only comes after */
        seq = state.durable_seq + 1, rc = 0;
    if (rc < 0)
        return err_wrap(err, "pump %s", l->lane.name);
    rc = journal_reader_seek(l->reader, seq, err);
    if (rc == 0 && f->config.dedup)
        rc = know_before(f, j, seq, err);
    if (rc == 0)
        rc = drain_lane_place(&l->lane, seq, err);
    return rc < 0 ? err_wrap(err, "pump %s", l->lane.name) : 0;
}

static struct feed_lane *find(const struct drain_feed *f, const char *name)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->lanes[i] && !f->lanes[i]->gone && strcmp(f->lanes[i]->lane.name, name) == 0)
            return f->lanes[i];
    return NULL;
}

static int add_lane(struct drain_feed *f, struct pump_view *v, struct err *err)
{
    struct feed_lane *l = xcalloc(1, sizeof *l);
    int rc;

    l->lane.name = xstrdup(v->name);
    l->lane.node_id = xstrdup(v->node_id);
    l->lane.source = xstrdup(v->source);
    l->lane.journal = STEAL(v->journal);
    l->reader = journal_reader_new(l->lane.journal, JOURNAL_DURABLE);
    l->state = v->state;
    rc = seek_lane(f, l, err);
    if (rc == 0 && f->config.opened)
        rc = f->config.opened(f->config.arg, &l->lane, err);
    if (rc < 0) {
        lane_free(l);
        return rc;
    }
    l->opened_us = clock_mono_us();
    l->stats = f->config.stats ? drain_stats_lane(f->config.stats, v->node_id) : NULL;
    l->lane.number = drain_merge_add(f->merge, v->name);
    f->lanes = xrealloc(f->lanes, (l->lane.number + 1) * sizeof *f->lanes);
    f->lanes[l->lane.number] = l;
    f->n = l->lane.number + 1;
    log_info(f->config.owner, "pump %s: from %llu on", v->name, (unsigned long long)f->place.ts);
    return 0;
}

static void drop_lane(struct drain_feed *f, struct feed_lane *l)
{
    struct err ignored = ERR_INIT;

    drain_merge_remove(f->merge, l->lane.number);
    if (f->config.owner)
        journal_release(l->lane.journal, f->config.owner, &ignored);
    if (f->config.closed)
        f->config.closed(f->config.arg, &l->lane);
    l->gone = true;
    log_info(f->config.owner, "pump %s is offline: taken out", l->lane.name);
}

/* --- the list of pumps --- */

static const struct pump_view *view_of(const struct pump_view *views, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(views[i].name, name) == 0)
            return &views[i];
    return NULL;
}

static void look_at_lane(struct drain_feed *f, struct feed_lane *l, const struct pump_view *v)
{
    if (!v || v->state == NODE_OFFLINE)
        drop_lane(f, l);
    else
        l->state = v->state;
}

static int look(struct drain_feed *f, struct err *err)
{
    size_t n;
    struct pump_view *views = pump_views(f->config.pumps, f->names, &n);
    int rc = 0;

    for (unsigned i = 0; i < f->n; i++)
        if (f->lanes[i] && !f->lanes[i]->gone)
            look_at_lane(f, f->lanes[i], view_of(views, n, f->lanes[i]->lane.name));
    for (size_t i = 0; i < n && rc == 0; i++)
        if (views[i].state != NODE_OFFLINE && views[i].journal && !find(f, views[i].name))
            rc = add_lane(f, &views[i], err);
    pump_views_free(views, n);
    f->look_us = clock_mono_us() + f->config.detect_us;
    return rc;
}

int drain_feed_open(struct drain_feed **ret, const struct drain_feed_config *c,
                    const struct drain_place *place, struct err *err)
{
    struct drain_feed *f = xcalloc(1, sizeof *f);
    int rc;

    f->config = *c;
    f->names = json_deep_copy(c->names);
    f->merge = drain_merge_new();
    f->place.ts = place->ts;
    if (place->lane) {
        snprintf(f->place_lane, sizeof f->place_lane, "%s", place->lane);
        f->place.lane = f->place_lane;
    }
    for (int i = 0; i < 2 && c->dedup; i++)
        f->seen[i] = gtid_set_new((enum flavor)i);
    rc = look(f, err);
    if (rc < 0) {
        drain_feed_close(f);
        return rc;
    }
    *ret = f;
    return 0;
}

void drain_feed_close(struct drain_feed *f)
{
    if (!f)
        return;
    for (unsigned i = 0; i < f->n; i++) {
        if (f->lanes[i] && !f->lanes[i]->gone && f->config.closed)
            f->config.closed(f->config.arg, &f->lanes[i]->lane);
        if (f->lanes[i])
            lane_free(f->lanes[i]);
    }
    free(f->lanes);
    gtid_set_free(f->seen[0]);
    gtid_set_free(f->seen[1]);
    drain_merge_free(f->merge);
    json_decref(f->names);
    free(f);
}

/* --- reading --- */

/* An event outside of transactions concerns its lane alone. */
static int feed_aside(struct feed_lane *l, struct err *err)
{
    struct slice raw;
    int rc = journal_reader_event(l->reader, &raw, err);
    struct event ev;

    if (rc <= 0)
        return rc;
    rc = event_parse(raw, &l->lane.grouper.fmt, false, &ev, err);
    if (rc == 0)
        rc = grouper_feed(&l->lane.grouper, &ev, err);
    return rc < 0 ? rc : 0;
}

/* Which of its records follow the place, and are no repetition? */
static bool is_new(struct drain_feed *f, const struct feed_lane *l)
{
    return drain_place_before(&f->place, l->head.commit_ts, l->lane.name);
}

static void note_read(const struct feed_lane *l)
{
    const struct journal_record *r = &l->head;

    histogram_observe(&l->stats->read_bytes, (int64_t)r->size);
    if (r->commit_us)
        histogram_observe(&l->stats->reach_us, clock_wall_us() - r->commit_us);
}

static int read_fails(struct drain_feed *f, struct feed_lane *l, int rc)
{
    if (rc == -ECANCELED)
        return rc;
    note_stream(l, false);
    if (f->config.stats)
        atomic_fetch_add(&f->config.stats->errors[DRAIN_ERROR_PULL], 1);
    return rc;
}

/* The lane's next transaction becomes its head.  1; 0: none yet. */
static int pull(struct drain_feed *f, struct feed_lane *l, int64_t timeout_ms, struct err *err)
{
    struct journal_state state;
    int rc;

    if (l->state == NODE_PAUSED)
        return 0;
    for (;;) {
        journal_state(l->lane.journal, &state);
        rc = journal_reader_next(l->reader, &l->head, timeout_ms, err);
        if (rc < 0)
            return read_fails(f, l, err_wrap(err, "pump %s", l->lane.name));
        if (rc == 0) {
            drain_merge_safe(f->merge, l->lane.number, state.safe_ts);
            return 0;
        }
        l->lane.pulled_ts = l->head.commit_ts;
        timeout_ms = 0;
        if (l->head.kind == JOURNAL_EVENT) {
            rc = feed_aside(l, err);
            if (rc < 0)
                return err_wrap(err, "pump %s, record %llu", l->lane.name,
                                (unsigned long long)l->head.seq);
        } else if (is_new(f, l)) {
            break;
        }
    }
    if (l->stats)
        note_read(l);
    drain_merge_head(f->merge, l->lane.number, l->head.commit_ts);
    l->has_head = true;
    return 1;
}

static int pull_all(struct drain_feed *f, struct err *err)
{
    for (unsigned i = 0; i < f->n; i++) {
        struct feed_lane *l = f->lanes[i];
        int rc;

        if (!l || l->gone || l->has_head)
            continue;
        rc = pull(f, l, 0, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void arrive(struct drain_feed *f, uint64_t ts, const char *lane)
{
    f->place.ts = ts;
    f->place.lane = NULL;
    if (lane) {
        snprintf(f->place_lane, sizeof f->place_lane, "%s", lane);
        f->place.lane = f->place_lane;
    }
}

/* Nothing came: time has passed all the same. */
static void pass_time(struct drain_feed *f)
{
    uint64_t done = drain_merge_done(f->merge);

    if (done > f->place.ts || (done == f->place.ts && f->place.lane))
        arrive(f, done, NULL);
}

static bool repeated(struct drain_feed *f, const struct feed_lane *l)
{
    struct gtid_set *seen = f->seen[l->head.gtid.flavor];

    if (!seen || l->head.gtid.number == 0)
        return false;
    if (gtid_set_has(seen, &l->head.gtid))
        return true;
    gtid_set_add(seen, &l->head.gtid);
    return false;
}

/* Two pumps of one source read one journal: the first of them by name brings its records. */
static bool brought_by_another(const struct drain_feed *f, const struct feed_lane *l)
{
    for (unsigned i = 0; i < f->n; i++) {
        const struct feed_lane *o = f->lanes[i];

        if (o && !o->gone && o->lane.journal == l->lane.journal &&
            strcmp(o->lane.name, l->lane.name) < 0)
            return true;
    }
    return false;
}

/* The merged stream's next.  As drain_merge_take(). */
static int take(struct drain_feed *f, struct feed_lane **ret, struct err *err)
{
    unsigned lane;
    int rc;

    for (;;) {
        rc = pull_all(f, err);
        if (rc < 0)
            return rc;
        rc = drain_merge_take(f->merge, &lane);
        if (rc < 0)
            return 0;
        *ret = f->lanes[lane];
        if (rc == 0)
            return 0;
        (*ret)->has_head = false;
        if (f->config.stats && (*ret)->head.commit_ts < f->place.ts)
            atomic_fetch_add(&f->config.stats->disorder, 1);
        arrive(f, (*ret)->head.commit_ts, (*ret)->lane.name);
        if (!brought_by_another(f, *ret) && !repeated(f, *ret))
            return 1;
    }
}

static int wait_for(struct drain_feed *f, struct feed_lane *l, int64_t ms, struct err *err)
{
    struct timespec nap = { .tv_nsec = WAIT_MS * 1000000 };

    if (!l || l->state == NODE_PAUSED || l->has_head || l->gone) {
        nanosleep(&nap, NULL);
        return 0;
    }
    return pull(f, l, ms < WAIT_MS ? ms : WAIT_MS, err);
}

int drain_feed_next(struct drain_feed *f, struct drain_item *ret, int64_t timeout_ms,
                    struct err *err)
{
    int64_t until = clock_mono_us() + timeout_ms * 1000, left;
    struct feed_lane *l = NULL;
    int rc = 0;

    do {
        if (atomic_load(&f->stopped))
            return err_set(err, -ECANCELED, "stopping");
        if (clock_mono_us() >= f->look_us && (rc = look(f, err)) < 0)
            return rc;
        l = NULL;
        rc = take(f, &l, err);
        if (rc != 0)
            break;
        left = (until - clock_mono_us()) / 1000;
        if (left > 0)
            rc = wait_for(f, l, left, err);
    } while (rc >= 0 && left > 0);
    if (rc < 0)
        return rc;
    if (rc == 0 || !l) {
        pass_time(f);
        return 0;
    }
    *ret = (struct drain_item){ .lane = &l->lane, .record = l->head };
    return 1;
}

int drain_feed_event(struct drain_feed *f, const struct drain_item *item, struct slice *ret,
                     struct err *err)
{
    int rc = journal_reader_event(f->lanes[item->lane->number]->reader, ret, err);

    return rc < 0 ? err_wrap(err, "pump %s, commit_ts %llu", item->lane->name,
                             (unsigned long long)item->record.commit_ts)
                  : rc;
}

void drain_feed_place(const struct drain_feed *f, struct drain_place *ret)
{
    *ret = f->place;
}

/* --- what the journals keep for us --- */

static int hold_lane(struct drain_feed *f, struct feed_lane *l, uint64_t ts, struct err *err)
{
    struct journal_state state;
    struct err none = ERR_INIT;
    uint64_t seq;
    int rc;

    journal_state(l->lane.journal, &state); /* first: what is stored meanwhile is held, too */
    rc = journal_find_ts(l->lane.journal, ts, &seq, &none);

    if (rc == -ENOENT)
        seq = state.durable_seq + 1;
    else if (rc < 0)
        seq = state.first_seq;
    if (seq == l->held)
        return 0;
    l->held = seq;
    return journal_hold(l->lane.journal, f->config.owner, seq, true, err);
}

int drain_feed_hold(struct drain_feed *f, const struct drain_place *place, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < f->n && rc == 0 && f->config.owner; i++)
        if (f->lanes[i] && !f->lanes[i]->gone)
            rc = hold_lane(f, f->lanes[i], place->ts, err);
    return rc;
}

void drain_feed_stop(struct drain_feed *f)
{
    atomic_store(&f->stopped, true);
}

void drain_feed_lanes(const struct drain_feed *f,
                      void (*visit)(void *arg, const struct drain_lane *l), void *arg)
{
    for (unsigned i = 0; i < f->n; i++)
        if (f->lanes[i] && !f->lanes[i]->gone)
            visit(arg, &f->lanes[i]->lane);
}
