/* drainer_priv.h - a drainer, for its parts; see drainer.h for who is who. */
#ifndef SLUICE_UNIT_DRAINER_PRIV_H
#define SLUICE_UNIT_DRAINER_PRIV_H

#include "unit/drain/drain_merge.h"
#include "unit/drain/drain_stats.h"
#include "unit/drain/drainer.h"
#include "unit/sync/sync_priv.h"

#define DRAIN_ALL_LANES "*" /* as the lane of a place that is kept */

struct conn_set;
struct drain_feed;

struct drainer {
    struct sync sync; /* first; its unit is the drainer's */
    struct registrant reg;
    struct node *pumps;
    json_t *pump_pos GUARDED;    /* by node id: commit_ts last pulled; NULL: none yet */
    char last_lane[256] GUARDED; /* with last_ts: the place */
    bool set_by_hand GUARDED;    /* the savepoint was written: it holds, whatever the target says */
    bool at_end;                 /* reached stop_commit_ts; under the lock */
    _Atomic uint64_t last_ts;    /* all up to it is in the target */
    _Atomic uint64_t skipped;
    struct drain_stats stats;
    _Atomic int64_t written_us;      /* wall: when something was last written to the target */
    json_t *skip GUARDED;            /* commit_ts of transactions to be left out, as texts */
    struct drain_feed *feed GUARDED; /* what a stop interrupts; NULL: nothing */
    struct conn_set *conns GUARDED;  /* what is cut off when that takes too long */
};

static inline struct drainer *drainer_of(const struct node *n)
{
    return node_owner((struct node *)n, struct drainer, sync.unit.node);
}

/* --- drainer.c --- */
extern const struct unit_ops drainer_ops;
/* The stream's place, taken into the registry and shown. */
void drainer_publish(struct drainer *d, const struct drain_place *place);
void drainer_show_pulled(struct drainer *d, const struct drain_feed *f);
/* Something was written to the target. */
void drainer_wrote(struct drainer *d);

struct drainer_savepoint {
    uint64_t ts;
    char lane[256]; /* DRAIN_ALL_LANES, or a pump's name */
    bool consistent;
    bool by_hand;
    bool fresh; /* none was kept: it is what the document says */
    json_t *skip;
};
/* -ENOENT: none yet. */
int drainer_savepoint_load(struct drainer *d, struct drainer_savepoint *ret, struct err *err);
int drainer_savepoint_save(struct drainer *d, const struct drain_place *place, bool consistent,
                           bool by_hand, struct err *err);
/* The transactions to be left out, beside it; there may be none yet. */
int drainer_skips_save(struct drainer *d, struct err *err);
/* Where to begin: the savepoint, else what the document says. */
int drainer_start_place(struct drainer *d, const json_t *doc, struct drainer_savepoint *ret,
                        struct err *err);
/* -EINVAL for one that is yet to come. */
int drainer_check_ts(uint64_t ts, const char *what, struct err *err);
bool drainer_ignores(struct drainer *d, uint64_t ts);

/* --- drainer_holds.c --- */
/* No journal keeps anything for it any more. */
void drainer_let_go(struct registrant *r);
/* Only those of 'f' do. */
void drainer_let_go_others(struct drainer *d, const struct drain_feed *f);

/* --- drain_sync.c --- */
int drain_sync_run(struct drainer *d, const json_t *doc, struct err *err);

/* --- drain_sinks.c: all other targets --- */
int drain_sinks_run(struct drainer *d, const json_t *doc, struct err *err);

#endif
