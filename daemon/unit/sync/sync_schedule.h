/*
 * sync_schedule.h - which batch a transaction goes into, and which batch may run.
 *
 * A batch is transactions of the source that become one of the target.  There are
 * at most SCHEDULE_BATCHES; several are open, and take transactions until they are
 * full or begin to run.  A transaction goes
 *
 *     into the open batch that it conflicts with, if there is one: order is kept inside
 *     if there are more, these are closed, and run first
 *     else into a new one, or, once enough are open, into the one with the least in it,
 *     if possible one that waits for nothing else because of it
 *
 * and its batch runs after all others that it conflicts with.  No circle can come of
 * that: a batch only ever waits for batches that take no more.
 *
 * Conflicts are of footprints (sync_conflict.h).  Pure: no threads, no lock.
 */
#ifndef SLUICE_UNIT_SYNC_SCHEDULE_H
#define SLUICE_UNIT_SYNC_SCHEDULE_H

#include <stdbool.h>

#include "unit/sync/sync_conflict.h"

#define SCHEDULE_BATCHES 64

enum batch_state { BATCH_FREE, BATCH_OPEN, BATCH_CLOSED, BATCH_RUNNING };

struct schedule_limits {
    unsigned n_open;
    uint64_t max_txns, max_rows; /* of a batch; max_rows 0: any number */
    size_t max_size;
};

struct batch {
    enum batch_state state;
    uint64_t after; /* bits of the batches that run first */
    uint64_t n_txns, n_rows;
    size_t size;
    uint64_t first_seq;
    uint64_t *keys; /* what it touches, each once */
    size_t n_keys, cap_keys;
};

struct conflict_entry {
    uint64_t key;           /* 0: free */
    uint64_t alone, shared; /* bits of the batches that touch it */
};

struct schedule {
    struct schedule_limits limits;
    struct batch batches[SCHEDULE_BATCHES];
    struct conflict_entry
        *entries; /* open addressing; what no batch touches any more stays a while */
    size_t n_entries, n_used;
};

void schedule_init(struct schedule *s, const struct schedule_limits *limits);
void schedule_fini(struct schedule *s);

/* A transaction: the number of its batch, or -1 while there is no room. */
int schedule_add(struct schedule *s, const struct footprint *f, uint64_t seq, uint64_t n_rows,
                 size_t size);
/* The batch to run now, the one with the oldest transaction first; -1: none may. */
int schedule_take(struct schedule *s);
/* It is in the target. */
void schedule_done(struct schedule *s, int batch);
bool schedule_empty(const struct schedule *s);

#endif
