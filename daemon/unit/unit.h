/*
 * unit.h - a stage that runs: check, dump, load, sync, verify, relay, pump, drainer, server.
 *
 * A unit has one owner thread, made and joined in unit.c.  Others reach it by
 * the atomics it publishes, by fields under its lock, or by asking it to stop.
 * The owner calls ops->run again and again: 0 means finished, -ECANCELED that
 * it was asked to stop or pause, anything else is an error: unit.c retries
 * those that can pass (retry.h: finite, with back-off, visible) and stops on
 * the rest.  Which state may follow which is a table in unit_state.c.
 *
 *     struct sync { struct unit unit; ... };
 *     static const struct attr rows[] = { UNIT_ATTRS, ATTR_U64(struct sync, events, ...), { 0 } };
 *     static const struct node_type type = { .attrs = rows, .lock = unit_lock,
 *                                            .unlock = unit_unlock, .release = sync_release };
 *     unit_init(&s->unit, &sync_ops, &type, "sync");
 *     node_add(&subtask->node, &s->unit.node, err);
 *     unit_start(&s->unit, err);
 *
 * A unit is freed by its node's release (which calls unit_fini), and must have
 * been stopped before it is taken out of the tree.
 */
#ifndef SLUICE_UNIT_UNIT_H
#define SLUICE_UNIT_UNIT_H

#include <jansson.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/thread.h"
#include "binlog/position.h"
#include "node/node.h"

enum unit_state {
    UNIT_NEW,
    UNIT_RUNNING,
    UNIT_PAUSED,
    UNIT_STOPPED,
    UNIT_FINISHED,
    UNIT_ERROR,       /* does not run; next_retry_us says whether it will try again by itself */
    UNIT_QUARANTINED, /* runs, without the tables that it had to leave out */
    UNIT_N_STATES,
};
extern const char *const unit_state_names[]; /* lower case, NULL at the end */

/* May a unit go from one state to the other?  The same state is no move. */
bool unit_may_move(enum unit_state from, enum unit_state to);

struct unit;

/* How far a unit is, for its task's progress, lag_seconds and ETA.  Rates come of asking again. */
struct unit_progress {
    const char *phase;            /* a constant: "copying rows"; NULL: nothing to say */
    uint64_t tables, tables_done; /* of a copy */
    uint64_t rows, rows_estimated, bytes;
    double lag_s;                /* of sync; negative: not known, or no stream */
    char file[BINLOG_NAME_SIZE]; /* oldest binlog file that is still needed; "" if none */
    uint64_t offset;             /* ... and from where on; 0: all of it */
};

struct unit_ops {
    const char *name; /* "dump" */
    /* In the owner thread, without locks.  Polls unit_stopping() or is woken by ops->wake. */
    int (*run)(struct unit *u, struct err *err);
    /* Any thread, also when nothing runs: make a run() that waits on a server or a queue
     * return soon.  NULL if polling and unit_sleep() are enough. */
    void (*wake)(struct unit *u);
    /* Any thread, at any time, never waits; NULL if there is nothing to count.  'ret' is zeroed
     * with lag_s -1. */
    void (*progress)(struct unit *u, struct unit_progress *ret);
    /* What the task's file 'tables' shows of this source: an array of objects.  Likewise; or
     * NULL. */
    json_t *(*tables)(struct unit *u);
};

#define UNIT_MAX_RETRIES 100 /* about eight hours with the back-off of retry.h */

/* How a unit takes its errors.  Asked anew after each, so that settings are in effect at once. */
struct unit_patience {
    unsigned max_retries;
    bool resumes;       /* it tries again after errors that somebody may mend, too; of those: */
    int64_t longest_ms; /* ... it never waits longer; 0: as long as for others */
    int64_t calm_ms;    /* ... each time it ran so long, one doubling of the wait is forgotten */
};

struct unit {
    struct node node; /* first; the embedding struct is the node's owner */
    const struct unit_ops *ops;
    char *path; /* from the root, for the log; set by unit_start() */
    struct mutex lock;
    struct cond cond;
    enum unit_state state GUARDED;
    enum unit_state stop_to GUARDED; /* where to go once stopped */
    atomic_bool stop_wanted;
    atomic_bool progressed; /* since the last error: unit_progressed() */
    _Atomic uint64_t failures, gave_up;
    struct err error GUARDED; /* why it does not run; code 0: no reason */
    unsigned retries GUARDED, max_retries GUARDED;
    unsigned resumes GUARDED;      /* attempts after errors to be mended that count for the wait */
    int64_t begun_us GUARDED;      /* monotonic: its last attempt */
    int64_t next_retry_us GUARDED; /* monotonic; 0: none pending */
    pthread_t thread;
    bool has_thread GUARDED;                  /* 'thread' is to be joined */
    bool over GUARDED;                        /* it has left run() for good */
    void (*ended)(struct unit *u, void *arg); /* owner thread: run() is over for good */
    void (*moved)(struct unit *u, void *arg); /* any thread, unlocked: its state is another */
    /* Owner thread, unlocked: fills in what differs from the defaults in 'p'.  NULL: nothing. */
    void (*patience)(struct unit *u, void *arg, struct unit_patience *p);
    void *arg; /* for all of them */
};

/* 'ended', 'moved', 'patience' and 'arg' may be set after this and before unit_start(). */
void unit_init(struct unit *u, const struct unit_ops *ops, const struct node_type *type,
               const char *name);
void unit_fini(struct unit *u); /* it must not be running */

/* Starts the owner thread, or, if the unit waits for its next retry, retries now.
 * -EBUSY if it runs, -EALREADY if it has finished.  Any thread but the owner. */
int unit_start(struct unit *u, struct err *err);
/* A finished unit is new again, for those that do their work more than once. */
void unit_renew(struct unit *u);
/* Before it was ever started: what it was in an earlier process.  Takes in paused, stopped and
 * finished; others are new. */
void unit_was(struct unit *u, enum unit_state state);
/* What 'patience' says is another: one that waits thinks again. */
void unit_reconsider(struct unit *u);
/* Asks the owner to return and the unit to become 'to' (paused or stopped).  Does not wait. */
void unit_ask_stop(struct unit *u, enum unit_state to);
/* Waits until the owner has returned and 'ended' was called; at most 'timeout_ms' (-1: for
 * ever).  0 or -ETIMEDOUT.  Any thread but the owner. */
int unit_wait(struct unit *u, int64_t timeout_ms);
void unit_stop(struct unit *u, enum unit_state to); /* both: waits until the owner returned */

bool unit_stopping(const struct unit *u); /* any thread; run() polls it */
/* Sleeps at most 'ms', less when asked to stop.  False when stopping. */
bool unit_sleep(struct unit *u, int64_t ms);
/* The owner says that work got done: the next error counts as the first again.  Cheap. */
void unit_progressed(struct unit *u);
/* The owner says that it runs without some tables (true), or with all again. */
void unit_quarantined(struct unit *u, bool some);

enum unit_state unit_state(struct unit *u);
/* A copy of why it does not run; code 0 if there is no reason. */
void unit_error(struct unit *u, struct err *ret);
/* Seconds until it tries again by itself; 0: it will not, or it runs. */
double unit_retry_s(struct unit *u);

/* Rows that every unit has, for the head of its table: state, error, retries, ... */
void unit_lock(struct node *n);
void unit_unlock(struct node *n);
json_t *unit_get_state(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_error(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_reason(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_retries(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_max_retries(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_next_retry(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_failures(const struct node *n, const struct attr *a, struct err *err);
json_t *unit_get_gave_up(const struct node *n, const struct attr *a, struct err *err);

/* Of those that show the error of a unit: error_reason. */
#define REASON_HELP "The error in a word, for programs; empty where it has none: see the sentence"

#define UNIT_ATTRS                                                                             \
    { .name = "state",                                                                         \
      .help = "Whether this stage runs",                                                       \
      .type = ATTR_ENUM,                                                                       \
      .choices = unit_state_names,                                                             \
      .flags = ATTR_WATCHED | ATTR_METRIC,                                                     \
      .get = unit_get_state },                                                                 \
        { .name = "error",                                                                     \
          .help = "Why it does not run; empty if nothing is wrong",                            \
          .type = ATTR_TEXT,                                                                   \
          .get = unit_get_error },                                                             \
        { .name = "retries",                                                                   \
          .help = "Attempts made since it last got work done",                                 \
          .type = ATTR_COUNT,                                                                  \
          .flags = ATTR_GAUGE,                                                                 \
          .get = unit_get_retries },                                                           \
        { .name = "max_retries",                                                               \
          .help = "Attempts after which it gives up",                                          \
          .type = ATTR_COUNT,                                                                  \
          .flags = ATTR_GAUGE,                                                                 \
          .get = unit_get_max_retries },                                                       \
        { .name = "failures",                                                                  \
          .help = "Errors after which it tried again by itself",                               \
          .type = ATTR_COUNT,                                                                  \
          .get = unit_get_failures },                                                          \
        { .name = "gave_up",                                                                   \
          .help = "Errors after which it did not",                                             \
          .type = ATTR_COUNT,                                                                  \
          .get = unit_get_gave_up },                                                           \
    {                                                                                          \
        .name = "next_retry_seconds", .help = "Time until the next attempt; 0 if none is due", \
        .type = ATTR_SECONDS, .flags = ATTR_GAUGE, .get = unit_get_next_retry                  \
    }

#endif
