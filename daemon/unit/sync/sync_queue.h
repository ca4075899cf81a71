/*
 * sync_queue.h - between who reads the stream and who writes the target.
 *
 * There are two groups: one is being filled with whole transactions, one is being
 * written.  Whoever writes takes what queued while the last group ran, so nobody
 * waits for a group to become large: at the tip a group is one transaction, in a
 * backlog it is thousands.
 *
 * The reader may also write, once nothing is under way: inline at the tip, and for
 * what must stand alone (DDL, large transactions) after queue_drain().
 */
#ifndef SLUICE_UNIT_SYNC_QUEUE_H
#define SLUICE_UNIT_SYNC_QUEUE_H

#include "base/thread.h"
#include "unit/sync/sync_group.h"

struct queue_limits {
    uint64_t max_txns;
    uint64_t max_rows; /* 0: any number */
    size_t max_size;   /* of events, and of values made from them, each */
    int64_t idle_us;   /* groups without a row wait so long for one with */
};

struct queue {
    struct mutex lock;
    struct cond changed;
    struct queue_limits limits;
    struct group groups[2];
    struct group *filling GUARDED;
    struct group *spare GUARDED;  /* NULL while a group is being written */
    struct position tail GUARDED; /* after the last transaction that was added */
    int64_t written_us GUARDED;   /* monotonic: when the last group was done */
    unsigned waiting GUARDED;     /* threads that wait for 'changed' */
    bool stopping GUARDED, draining GUARDED;
    struct err error GUARDED; /* code 0: none */
    /* the oldest commit that is not in the target yet, wall time; 0: all are */
    _Atomic int64_t oldest_us, writing_oldest_us;
};

void queue_init(struct queue *q, const struct queue_limits *limits, const struct position *tail);
void queue_fini(struct queue *q);
/* Nothing is merged; before the first transaction. */
void queue_in_order(struct queue *q);
/* All waiting calls return -ECANCELED. */
void queue_stop(struct queue *q);

/* Sleeps; false when stopping. */
bool queue_sleep(struct queue *q, int64_t ms);

/* What the reader found at the end of a transaction. */
struct queue_txn {
    const struct gtid *gtid; /* number 0: none */
    const struct position *pos;
    int64_t commit_us;
    const struct raw_txn *raw; /* NULL: nothing of it is in scope */
    size_t size;
};

/* Reader: waits for room, then adds one transaction.  'fill' puts its changes into the group; it
 * is called with the queue locked, and must not wait.  Errors of the writer come back here.  When
 * 'fill' fails the queue gives out no group any more. */
int queue_add(struct queue *q, const struct queue_txn *txn,
              int (*fill)(void *arg, struct group *g, struct err *err), void *arg, struct err *err);

/* Writer: waits for a group worth writing.  NULL: stopping. */
struct group *queue_take(struct queue *q);
/* Reader: will not write now; whoever waits in queue_take() shall. */
void queue_wake(struct queue *q);
/* Reader: a group, if there is something to write and nobody does; else NULL. */
struct group *queue_try_take(struct queue *q);
/* Reader: why the writer has given up; 0 if it has not. */
int queue_error(struct queue *q, struct err *err);
/* The group is in the target, or 'err' says why not. */
void queue_done(struct queue *q, struct group *g, const struct err *err);

/* Reader: waits until all that was added is in the target.  Then nobody writes until the reader
 * adds again. */
int queue_drain(struct queue *q, struct err *err);
/* ... and wrote by itself up to 'pos'. */
void queue_passed(struct queue *q, const struct position *pos);

#endif
