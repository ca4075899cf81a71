/*
 * watch.h - who is told that something changed: HTTP's event streams, and fs/ for poll(2),
 * inotify and the kernel's cache of names.
 *
 *     w = watch_subscribe(task, 0, wake, conn);         wake: "there is something", from any thread
 *     while (watch_next(w, &c)) { v = change_json(&c); send; change_fini(&c); }
 *     watch_unsubscribe(w);                             no wake after it returns
 *
 * node_changed() only marks rows.  One thread of this module gathers the marks
 * at most ten times a second, numbers them and puts them into each watch's
 * queue, where changes of the same node melt into one: a slow reader costs
 * nothing and misses no last state.  A reader that falls too far behind, or
 * resumes after too long, gets one CHANGE_RESET: read everything again.  The
 * mount cannot: of it nothing is lost, and its queue holds at most one change
 * of values for each node.
 *
 * Any thread.
 */
#ifndef SLUICE_NODE_WATCH_H
#define SLUICE_NODE_WATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct attr;
struct node;
struct watch;

enum change_kind { CHANGE_VALUES, CHANGE_CREATE, CHANGE_REMOVE, CHANGE_RESET };
extern const char *const change_kind_names[]; /* change create remove reset: SSE's "event:" */

struct change {
    enum change_kind kind;
    uint64_t seq;      /* grows, also over restarts of the daemon: SSE's "id:" */
    struct node *node; /* referenced; of CHANGE_REMOVE the parent (or NULL), of a reset NULL */
    char *path;        /* from the root: "tasks/t1" */
    uint64_t rows;     /* of CHANGE_VALUES: see change_has() */
};

/* Everything at and below 'below' from now on; or, if 'since' is not 0, from after that number
 * (Last-Event-ID).  'wake' is called when the queue is no longer empty, under a lock of this
 * module: it must only signal.  The first call starts the thread. */
struct watch *watch_subscribe(struct node *below, uint64_t since, void (*wake)(void *arg),
                              void *arg);
/* The same for a reader that cannot start over, and therefore keeps up: never a reset. */
struct watch *watch_subscribe_all(struct node *below, void (*wake)(void *arg), void *arg);
void watch_unsubscribe(struct watch *w); /* NULL is fine */
/* Takes the oldest change off the queue; false if there is none. */
bool watch_next(struct watch *w, struct change *ret);
void change_fini(struct change *c);

/* Did this row change?  A change of "something" counts as a change of each. */
bool change_has(const struct change *c, const struct attr *a);
/* Calls 'visit' with each changed row that is announced through the mount: ATTR_WATCHED, lines,
 * and status when a value of it changed. */
void change_announced(const struct change *c,
                      void (*visit)(void *arg, const struct change *c, const struct attr *a),
                      void *arg);
/* {"path":…, "changed":{…}, "seq":…}: what SSE's "data:" carries.  Values are read now. */
json_t *change_json(const struct change *c);

/* Ends the thread, at the daemon's end, after every front. */
void watch_stop(void);

#endif
