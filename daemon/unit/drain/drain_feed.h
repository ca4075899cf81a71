/*
 * drain_feed.h - the journals of pumps as one stream, by commit_ts.
 *
 *     drain_feed_open(&feed, pumps, names, &place, err);
 *     while ((rc = drain_feed_next(feed, &item, 100, err)) >= 0)
 *         if (rc > 0) ... drain_feed_event(feed, &item, &event, err) ...
 *
 * The list of pumps is looked at again every few seconds: new ones are taken in where the stream
 * is, those that are offline are taken out, and one that is paused holds the stream up.  Each lane
 * holds its journal (journal_hold()) at what the target may still need: drain_feed_hold().
 *
 * One thread, but for drain_feed_stop().
 */
#ifndef SLUICE_UNIT_DRAIN_FEED_H
#define SLUICE_UNIT_DRAIN_FEED_H

#include <jansson.h>

#include "binlog/txn.h"
#include "journal/journal.h"
#include "unit/drain/drain_merge.h"

struct node;
struct drain_feed;
struct drain_stats;

/* One pump in the stream. */
struct drain_lane {
    char *name, *node_id, *source;
    struct journal *journal;
    struct grouper grouper; /* fed with every event by whoever reads the stream */
    void *data;             /* the reader's own */
    uint64_t pulled_ts;     /* of the last record read */
    unsigned number;
};

struct drain_item {
    struct drain_lane *lane;
    struct journal_record record;
};

struct drain_feed_config {
    struct node *pumps;
    const json_t *names; /* NULL or empty: all; borrowed */
    const char *owner;   /* of holds: "drainers/d"; NULL: none are made */
    int64_t detect_us;
    bool dedup;                /* a GTID that another lane had is passed by */
    struct drain_stats *stats; /* NULL: nobody asks */
    /* A lane came (its grouper is ready) and goes; may be NULL. */
    int (*opened)(void *arg, struct drain_lane *lane, struct err *err);
    void (*closed)(void *arg, struct drain_lane *lane);
    void *arg;
};

/* After 'place'.  -ENOENT: there is no pump with a journal; -ERANGE: what comes first is purged. */
int drain_feed_open(struct drain_feed **ret, const struct drain_feed_config *c,
                    const struct drain_place *place, struct err *err);
void drain_feed_close(struct drain_feed *f); /* NULL is fine */

/* The next transaction: 1.  0: none came within 'timeout_ms'; then drain_feed_place() may have
 * moved.  Events outside of transactions are fed to the lane's grouper here. -ECANCELED: stopped.
 */
int drain_feed_next(struct drain_feed *f, struct drain_item *ret, int64_t timeout_ms,
                    struct err *err);
/* Its events, one by one: 1, 0 at the end. */
int drain_feed_event(struct drain_feed *f, const struct drain_item *item, struct slice *ret,
                     struct err *err);
/* Every transaction up to here was given out; the one given last is the end of it. */
void drain_feed_place(const struct drain_feed *f, struct drain_place *ret);
/* What lies before 'place' is not needed any more. */
int drain_feed_hold(struct drain_feed *f, const struct drain_place *place, struct err *err);
void drain_feed_stop(struct drain_feed *f); /* any thread */

void drain_feed_lanes(const struct drain_feed *f,
                      void (*visit)(void *arg, const struct drain_lane *l), void *arg);

/* Makes 'lane' ready to read from record 'seq' on: its file, offset and format. */
int drain_lane_place(struct drain_lane *lane, uint64_t seq, struct err *err);

#endif
