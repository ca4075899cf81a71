#include "unit/drain/drainer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/commit_ts.h"
#include "store/catalog.h"
#include "unit/drain/drain_feed.h"
#include "unit/drain/drainer_priv.h"
#include "unit/drain/pump.h"

#define AHEAD_MAX_US ((int64_t)3600000000) /* clocks may differ */

/* --- how far it is --- */

void drainer_publish(struct drainer *d, const struct drain_place *place)
{
    mutex_lock(&d->sync.unit.lock);
    snprintf(d->last_lane, sizeof d->last_lane, "%s", place->lane ? place->lane : DRAIN_ALL_LANES);
    atomic_store(&d->last_ts, place->ts);
    mutex_unlock(&d->sync.unit.lock);
    /* The word for others: everything up to it, so without the transactions of the same moment. */
    atomic_store(&d->reg.max_commit_ts, place->lane && place->ts ? place->ts - 1 : place->ts);
    node_changed(&d->sync.unit.node, "last_ts");
}

void drainer_wrote(struct drainer *d)
{
    atomic_store(&d->written_us, clock_wall_us());
}

static void add_pulled(void *arg, const struct drain_lane *l)
{
    json_object_set_new(arg, l->node_id, json_integer((json_int_t)l->pulled_ts));
}

void drainer_show_pulled(struct drainer *d, const struct drain_feed *f)
{
    json_t *now = json_object(), *old;

    drain_feed_lanes(f, add_pulled, now);
    mutex_lock(&d->sync.unit.lock);
    old = d->pump_pos;
    d->pump_pos = now;
    mutex_unlock(&d->sync.unit.lock);
    json_decref(old);
}

/* --- the savepoint --- */

static char *savepoint_path(const struct drainer *d)
{
    return xasprintf("drainer_savepoints/%s", d->reg.unit->node.name);
}

static void read_kept(const json_t *kept, struct drainer_savepoint *ret)
{
    *ret = (struct drainer_savepoint){
        .ts = (uint64_t)json_integer_value(json_object_get(kept, "commit_ts")),
        .consistent = json_is_true(json_object_get(kept, "consistent")),
        .by_hand = json_is_true(json_object_get(kept, "by_hand")),
        .fresh = !json_is_true(json_object_get(kept, "begun")),
        .skip = json_deep_copy(json_object_get(kept, "skip")),
    };
    snprintf(ret->lane, sizeof ret->lane, "%s",
             json_string_value(json_object_get(kept, "lane")) ?: DRAIN_ALL_LANES);
}

int drainer_savepoint_load(struct drainer *d, struct drainer_savepoint *ret, struct err *err)
{
    SCOPED(freep) char *path = savepoint_path(d);
    json_t *kept = NULL;
    int rc = catalog_get(d->reg.config.catalog, path, &kept, err);

    if (rc < 0)
        return rc;
    read_kept(kept, ret);
    json_decref(kept);
    return 0;
}

/* "begun": it has run, so that what the document says of the start holds no more. */
static int keep(struct drainer *d, const struct drainer_savepoint *at, struct err *err)
{
    SCOPED(freep) char *path = savepoint_path(d);
    SCOPED(json_decrefp) json_t *kept = NULL;
    json_t *skip;

    mutex_lock(&d->sync.unit.lock);
    skip = d->skip ? json_deep_copy(d->skip) : json_array();
    mutex_unlock(&d->sync.unit.lock);
    kept = json_pack("{s:I, s:s, s:b, s:b, s:b, s:o}", "commit_ts", (json_int_t)at->ts, "lane",
                     at->lane, "consistent", at->consistent, "by_hand", at->by_hand, "begun",
                     !at->fresh, "skip", skip);
    return catalog_put(d->reg.config.catalog, path, kept, err);
}

int drainer_savepoint_save(struct drainer *d, const struct drain_place *place, bool consistent,
                           bool by_hand, struct err *err)
{
    struct drainer_savepoint at = { .ts = place->ts, .consistent = consistent, .by_hand = by_hand };

    snprintf(at.lane, sizeof at.lane, "%s", place->lane ? place->lane : DRAIN_ALL_LANES);
    atomic_fetch_add(&d->stats.savepoints, 1);
    return keep(d, &at, err);
}

int drainer_skips_save(struct drainer *d, struct err *err)
{
    struct drainer_savepoint at = { .fresh = true };
    int rc = drainer_savepoint_load(d, &at, err);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    json_decref(at.skip);
    if (rc == -ENOENT)
        snprintf(at.lane, sizeof at.lane, DRAIN_ALL_LANES);
    return keep(d, &at, err);
}

/* A digit too many, and all that comes for years would be taken as written already. */
int drainer_check_ts(uint64_t ts, const char *what, struct err *err)
{
    int64_t ahead_us = commit_ts_us(ts) - clock_wall_us();

    if (ahead_us <= AHEAD_MAX_US)
        return 0;
    return err_set(err, -EINVAL,
                   "%s: %llu is %lld hours from now: all that is committed before would be left "
                   "out",
                   what, (unsigned long long)ts, (long long)(ahead_us / 3600000000));
}

int drainer_start_place(struct drainer *d, const json_t *doc, struct drainer_savepoint *ret,
                        struct err *err)
{
    json_int_t initial = json_integer_value(doc_at(doc, "initial_commit_ts"));
    int rc = drainer_savepoint_load(d, ret, err);

    if (rc == 0 && !ret->fresh)
        return 0;
    if (rc < 0 && rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    if (rc == -ENOENT)
        *ret = (struct drainer_savepoint){ .fresh = true };
    /* Our own clock may be ahead of commit_ts, which MariaDB's binlog tells by the second. */
    ret->ts = initial < 0 ? pumps_fresh_ts(d->pumps, doc_at(doc, "pumps"), d->reg.config.registry)
                          : (uint64_t)initial;
    snprintf(ret->lane, sizeof ret->lane, DRAIN_ALL_LANES);
    return drainer_check_ts(ret->ts, "initial_commit_ts", err);
}

static bool has_ts(const json_t *list, uint64_t ts)
{
    const json_t *v;
    size_t i;

    json_array_foreach (list, i, v)
        if (strtoull(json_string_value(v) ?: "", NULL, 10) == ts)
            return true;
    return false;
}

bool drainer_ignores(struct drainer *d, uint64_t ts)
{
    bool is;

    mutex_lock(&d->sync.unit.lock);
    is = has_ts(doc_at(d->reg.full, "ignore_txn_commit_ts"), ts) || has_ts(d->skip, ts);
    mutex_unlock(&d->sync.unit.lock);
    if (is)
        atomic_fetch_add(&d->skipped, 1);
    return is;
}

/* --- running --- */

static bool goes_to_mysql(const json_t *doc)
{
    static const char *const types[] = { "mysql", "mariadb", "tidb" };
    const char *type = json_string_value(doc_at(doc, "to.db_type"));

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (type && strcmp(type, types[i]) == 0)
            return !json_is_true(doc_at(doc, "syncer.reverse")) &&
                   !json_string_length(doc_at(doc, "data_dir"));
    return false;
}

/* The place that was reached is kept; what was written by hand is what the next run begins at. */
static void keep_place(struct drainer *d)
{
    struct err err = ERR_INIT;
    struct drain_place place;
    char lane[256];

    mutex_lock(&d->sync.unit.lock);
    memcpy(lane, d->last_lane, sizeof lane);
    mutex_unlock(&d->sync.unit.lock);
    place = (struct drain_place){ atomic_load(&d->last_ts), lane };
    if (place.ts && drainer_savepoint_save(d, &place, true, false, &err) < 0)
        log_error(d->sync.unit.path, "the savepoint is not kept: %s", err.text);
}

static void set_end(struct drainer *d, bool is)
{
    mutex_lock(&d->sync.unit.lock);
    d->at_end = is;
    mutex_unlock(&d->sync.unit.lock);
}

static int drainer_run(struct unit *u, struct err *err)
{
    struct drainer *d = node_owner(u, struct drainer, sync.unit);
    SCOPED(json_decrefp) json_t *doc = registrant_doc(&d->reg);
    int rc;

    uint64_t pull_errors = atomic_load(&d->stats.errors[DRAIN_ERROR_PULL]);

    set_end(d, false);
    drainer_wrote(d);
    registrant_beat(&d->reg);
    rc = goes_to_mysql(doc) ? drain_sync_run(d, doc, err) : drain_sinks_run(d, doc, err);
    if (rc == 0 || rc == -ECANCELED)
        keep_place(d);
    else if (pull_errors == atomic_load(&d->stats.errors[DRAIN_ERROR_PULL]))
        atomic_fetch_add(&d->stats.errors[DRAIN_ERROR_EXECUTE], 1);
    if (rc != 0)
        return rc;
    set_end(d, true); /* it may be started again, with another end */
    log_info(u->path, "is at stop_commit_ts");
    unit_ask_stop(u, UNIT_STOPPED);
    return err_set(err, -ECANCELED, "the end");
}

static void drainer_wake(struct unit *u)
{
    struct drainer *d = node_owner(u, struct drainer, sync.unit);

    mutex_lock(&u->lock);
    if (d->feed)
        drain_feed_stop(d->feed);
    mutex_unlock(&u->lock);
}

static void drainer_progress(struct unit *u, struct unit_progress *ret)
{
    struct drainer *d = node_owner(u, struct drainer, sync.unit);

    ret->phase = "draining";
    ret->rows = atomic_load(&d->sync.rows);
    ret->bytes = atomic_load(&d->sync.bytes);
}

const struct unit_ops drainer_ops = {
    .name = "drainer",
    .run = drainer_run,
    .wake = drainer_wake,
    .progress = drainer_progress,
};
