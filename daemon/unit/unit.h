/*
 * unit.h - a stage that runs: dump, load, sync (later relay, pump, drainer, serve).
 *
 * A unit has one owner thread, made and joined in unit.c.  Others reach it by
 * the atomics it publishes, by fields under its lock, or by asking it to stop.
 * The owner calls ops->run again and again: 0 means finished, -ECANCELED that
 * it was asked to stop or pause, anything else is an error: unit.c retries
 * those that can pass (finite, with back-off, visible) and stops on the rest.
 */
#ifndef SLUICE_UNIT_UNIT_H
#define SLUICE_UNIT_UNIT_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/thread.h"
#include "node/node.h"

enum unit_state {
    UNIT_NEW,
    UNIT_RUNNING,
    UNIT_PAUSED,
    UNIT_STOPPED,
    UNIT_FINISHED,
    UNIT_ERROR,
    UNIT_QUARANTINED,
};
extern const char *const unit_state_names[]; /* lower case, NULL at the end */

struct unit;

struct unit_ops {
    const char *name; /* "dump" */
    /* In the owner thread, without locks.  Polls unit_stopping() or is woken by ops->wake. */
    int (*run)(struct unit *u, struct err *err);
    /* Any thread: make a run() that waits on a server or a queue return soon. */
    void (*wake)(struct unit *u);
};

struct unit {
    struct node node; /* first; the embedding struct is the node's owner */
    const struct unit_ops *ops;
    struct mutex lock;
    struct cond cond;
    enum unit_state state GUARDED;
    bool stop_wanted GUARDED;
    struct err error GUARDED; /* why it does not run; code 0: no reason */
    unsigned retries GUARDED, max_retries GUARDED;
    int64_t next_retry_us GUARDED; /* monotonic; 0: none pending */
    pthread_t thread;
    bool has_thread GUARDED;
    void (*ended)(struct unit *u, void *arg); /* owner thread: run() is over for good */
    void *ended_arg;
};

void unit_init(struct unit *u, const struct unit_ops *ops, const struct node_type *type,
               const char *name);
void unit_fini(struct unit *u);
int unit_start(struct unit *u, struct err *err);    /* -EBUSY if it runs */
void unit_stop(struct unit *u, enum unit_state to); /* waits until the owner returned */
bool unit_stopping(struct unit *u);                 /* any thread; run() polls it */
/* Sleeps at most 'ms', less when asked to stop.  False when stopping. */
bool unit_sleep(struct unit *u, int64_t ms);
enum unit_state unit_state(struct unit *u);

#endif
