/*
 * sync_mode.h - how whole transactions of the source become those of the target.
 *
 * The reader gives each transaction to the mode of its run, in the order of the
 * source, and knows nothing else of it.  A mode owns what is between the reader and
 * the target: memory, threads, sessions beyond the run's own.
 *
 *     merged      sync_order.c     what queued while the last group ran, as one, in order
 *     one-to-one  sync_order.c     each alone, in order
 *     parallel    sync_parallel.c  over several sessions, in order only where they conflict
 *
 * After drain() every transaction is in the target and the checkpoint is past it,
 * whatever the mode: what must stand alone (DDL, large transactions) is then written
 * by the reader with the run's own session, and passed() says how far.
 */
#ifndef SLUICE_UNIT_SYNC_MODE_H
#define SLUICE_UNIT_SYNC_MODE_H

#include <stdbool.h>

#include "base/err.h"
#include "binlog/position.h"
#include "unit/job.h"

struct queue_txn;
struct sync_run;

struct sync_mode {
    const char *order; /* what readers of the target may see, for the tree */

    /* From r->cp.pos on.  close() is for what open() made, also when it failed. */
    int (*open)(struct sync_run *r, struct err *err);
    void (*close)(struct sync_run *r);
    void (*start)(struct sync_run *r); /* threads */
    void (*stop)(struct sync_run *r);  /* any thread; what waits below returns -ECANCELED */
    void (*join)(struct sync_run *r);  /* once stopped: what is being written has ended */
    bool (*sleep)(struct sync_run *r, int64_t ms); /* any thread; false when stopped */

    /* The reader's.  Errors of those who write come back here.  add() takes the transaction at
     * hand, r->txn, and waits for room; turn() comes after each: is there more to read now? */
    int (*add)(struct sync_run *r, const struct queue_txn *txn, struct err *err);
    int (*turn)(struct sync_run *r, bool more, struct err *err);
    int (*drain)(struct sync_run *r, struct err *err);
    void (*passed)(struct sync_run *r, const struct position *pos);

    /* Commit, at the source, of the oldest transaction that is not in the target: 0 if none.
     * Any thread. */
    int64_t (*oldest_us)(struct sync_run *r);
};

const struct sync_mode *sync_mode_of(enum apply_mode mode);

extern const struct sync_mode sync_merged, sync_one_to_one, sync_parallel;

#endif
