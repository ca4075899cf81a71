#include "node/watch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "node/node.h"
#include "node/private.h"

#define TICK_MS 100       /* the least time between two gatherings */
#define QUEUE_MAX 2000    /* changes that may wait for a reader who can start over */
#define HISTORY_SIZE 4096 /* changes that a reader can resume from */

/* A change in a watch's queue; those of values are hashed by node, to melt.  Their path is made
 * when they are taken. */
struct queued {
    struct change c;
    UT_hash_handle hh; /* key: 'key' */
    uint64_t key;      /* a node's id for CHANGE_VALUES, else a number never used twice */
};

struct watch {
    struct watch *next;
    struct node *below;
    char *path;
    struct queued *queue; /* oldest first */
    size_t max;           /* changes that may wait */
    bool told_gone;
    void (*wake)(void *arg);
    void *arg;
};

/* What node_changed() and friends leave for the thread. */
struct mark {
    struct mark *next;
    enum change_kind kind;
    struct node *node; /* referenced */
    char *path;        /* of nodes that came or went */
};

struct past {
    uint64_t seq, id, rows;
    enum change_kind kind;
    char *path; /* of nodes that came or went */
};

static struct mutex mark_lock = MUTEX_INIT; /* a leaf */
static struct cond mark_cond = { PTHREAD_COND_INITIALIZER };
static struct mark *marks GUARDED;
static struct mark **marks_end GUARDED = &marks;
static bool stopping GUARDED;
static atomic_bool running;
static pthread_t thread;

static struct mutex watch_lock = MUTEX_INIT; /* before tree_lock and mark_lock */
static struct watch *watches GUARDED;
static uint64_t last_seq GUARDED;
static uint64_t last_key GUARDED;
static struct past history[HISTORY_SIZE] GUARDED; /* by seq % HISTORY_SIZE */
static uint64_t oldest_seq GUARDED;               /* what a reader can resume after */

/* --- marking: cheap, from anywhere --- */

static void mark_add(enum change_kind kind, struct node *n, char *path)
{
    struct mark *m = xmalloc(sizeof *m);

    *m = (struct mark){ .kind = kind, .node = node_ref(n) };
    m->path = path;
    mutex_lock(&mark_lock);
    *marks_end = m;
    marks_end = &m->next;
    cond_signal(&mark_cond);
    mutex_unlock(&mark_lock);
}

void node_changed(struct node *n, const char *attr)
{
    struct node_private *p = n->priv;
    uint64_t bit = 1ULL << ROW_ANY;

    atomic_fetch_add_explicit(&p->changes, 1, memory_order_relaxed);
    atomic_store_explicit(&p->changed_us, clock_wall_us(), memory_order_relaxed);
    if (!atomic_load_explicit(&running, memory_order_relaxed))
        return;
    if (attr) {
        struct target t = { .node = n, .attr = type_attr(n->type, attr) };

        if (t.attr)
            bit = 1ULL << target_row(&t);
    }
    if (atomic_fetch_or(&p->dirty, bit) == 0)
        mark_add(CHANGE_VALUES, n, NULL);
}

uint64_t node_changes(const struct node *n)
{
    return atomic_load_explicit(&n->priv->changes, memory_order_relaxed);
}

void watch_node_added(struct node *n)
{
    if (running)
        mark_add(CHANGE_CREATE, n, node_path(n));
}

void watch_node_removed(struct node *parent, const char *name)
{
    SCOPED(freep) char *dir = NULL;

    if (!running)
        return;
    dir = node_path(parent);
    mark_add(CHANGE_REMOVE, parent, xasprintf("%s%s%s", dir, *dir ? "/" : "", name));
}

/* --- queues --- */

static void queue_drop(struct watch *w, struct queued *q) REQUIRES(watch_lock)
{
    HASH_DEL(w->queue, q);
    change_fini(&q->c);
    free(q);
}

static void queue_clear(struct watch *w) REQUIRES(watch_lock)
{
    while (w->queue)
        queue_drop(w, w->queue);
}

/* One key for all changes of a node's values; each other change has one of its own. */
static uint64_t key_of(const struct change *c) REQUIRES(watch_lock)
{
    return c->kind == CHANGE_VALUES ? c->node->priv->id : ++last_key | 1ULL << 63;
}

/* Adds a copy of 'c' to the queue.  Changes of a node's values melt into the one that waits, which
 * keeps its place and its number: whoever resumes after that number gets the later ones again. */
static void queue_add(struct watch *w, const struct change *c) REQUIRES(watch_lock)
{
    bool was_empty = !w->queue;
    uint64_t key = key_of(c);
    struct queued *q;

    HASH_FIND(hh, w->queue, &key, sizeof key, q);
    if (q) {
        q->c.rows |= c->rows;
        return;
    }
    q = xcalloc(1, sizeof *q);
    q->key = key;
    q->c = *c;
    q->c.path = c->path ? xstrdup(c->path) : NULL;
    q->c.node = c->node ? node_ref(c->node) : NULL;
    HASH_ADD(hh, w->queue, key, sizeof q->key, q);
    if (was_empty)
        w->wake(w->arg);
}

static void queue_reset(struct watch *w, uint64_t seq) REQUIRES(watch_lock)
{
    queue_clear(w);
    queue_add(w, &(struct change){ .kind = CHANGE_RESET, .seq = seq, .path = w->path });
}

static bool is_below(const struct node *n, const struct node *below)
{
    bool found = false;

    pthread_rwlock_rdlock(&tree_lock);
    for (; n && !found; n = n->parent)
        found = n == below;
    pthread_rwlock_unlock(&tree_lock);
    return found;
}

static void offer(struct watch *w, const struct change *c) REQUIRES(watch_lock)
{
    if (!is_below(c->node, w->below))
        return;
    if (HASH_CNT(hh, w->queue) >= w->max)
        queue_reset(w, c->seq);
    else
        queue_add(w, c);
}

/* A watched node that was itself removed: its watchers hear it once. */
static void offer_gone(struct watch *w) REQUIRES(watch_lock)
{
    if (w->told_gone || !w->below->removed)
        return;
    w->told_gone = true;
    queue_add(w, &(struct change){ .kind = CHANGE_REMOVE, .seq = last_seq, .path = w->path });
}

/* --- gathering --- */

static void remember(const struct change *c) REQUIRES(watch_lock)
{
    struct past *p = &history[c->seq % HISTORY_SIZE];

    if (p->seq)
        oldest_seq = p->seq;
    free(p->path);
    *p = (struct past){ c->seq, c->node->priv->id, c->rows, c->kind,
                        c->path ? xstrdup(c->path) : NULL };
}

static void publish(struct mark *m)
{
    struct change c = { .kind = m->kind, .node = m->node, .path = m->path };

    if (m->kind == CHANGE_VALUES)
        c.rows = atomic_exchange(&m->node->priv->dirty, 0);
    mutex_lock(&watch_lock);
    c.seq = ++last_seq;
    remember(&c);
    for (struct watch *w = watches; w; w = w->next) {
        offer(w, &c);
        offer_gone(w);
    }
    mutex_unlock(&watch_lock);
    free(c.path);
    node_unref(c.node);
}

static struct mark *take_marks(void)
{
    struct mark *all;

    mutex_lock(&mark_lock);
    while (!marks && !stopping)
        cond_wait(&mark_cond, &mark_lock, -1);
    all = marks;
    marks = NULL;
    marks_end = &marks;
    mutex_unlock(&mark_lock);
    return all;
}

/* Sleeps one tick; false if the thread shall end. */
static bool tick(void)
{
    int64_t until = clock_mono_us() + TICK_MS * 1000LL;
    bool go_on;

    mutex_lock(&mark_lock);
    while (!stopping && clock_mono_us() < until)
        cond_wait(&mark_cond, &mark_lock, (until - clock_mono_us()) / 1000 + 1);
    go_on = !stopping;
    mutex_unlock(&mark_lock);
    return go_on;
}

static void *watch_run(void *arg)
{
    do {
        for (struct mark *m = take_marks(), *next; m; m = next) {
            next = m->next;
            publish(m);
            free(m);
        }
    } while (tick());
    return arg;
}

static void start(void)
{
    static struct mutex once = MUTEX_INIT;

    mutex_lock(&once);
    if (!running) {
        cond_init(&mark_cond);
        mutex_lock(&watch_lock);
        /* numbers of an earlier run are smaller: whoever resumes with one gets a reset */
        last_seq = oldest_seq = (uint64_t)clock_wall_us();
        mutex_unlock(&watch_lock);
        mutex_lock(&mark_lock);
        stopping = false;
        mutex_unlock(&mark_lock);
        thread = thread_start("watch", watch_run, NULL);
        running = true;
    }
    mutex_unlock(&once);
}

static void free_marks(struct mark *m)
{
    while (m) {
        struct mark *next = m->next;

        node_unref(m->node);
        free(m->path);
        free(m);
        m = next;
    }
}

void watch_stop(void)
{
    struct mark *left;

    if (!atomic_exchange(&running, false))
        return;
    mutex_lock(&mark_lock);
    stopping = true;
    cond_signal(&mark_cond);
    mutex_unlock(&mark_lock);
    thread_join(thread);
    mutex_lock(&mark_lock);
    left = marks;
    marks = NULL;
    marks_end = &marks;
    mutex_unlock(&mark_lock);
    free_marks(left);
    mutex_lock(&watch_lock);
    for (size_t i = 0; i < HISTORY_SIZE; i++)
        free(history[i].path);
    memset(history, 0, sizeof history);
    mutex_unlock(&watch_lock);
}

/* --- watching --- */

/* Puts into the queue what happened after 'since'. */
static void replay(struct watch *w, uint64_t since) REQUIRES(watch_lock)
{
    if (since < oldest_seq || since > last_seq) {
        queue_reset(w, last_seq);
        return;
    }
    for (uint64_t seq = since + 1; seq <= last_seq; seq++) {
        const struct past *p = &history[seq % HISTORY_SIZE];
        struct target t = { 0 };

        if (p->seq != seq || target_of_ino(p->id << 8, &t) < 0)
            continue; /* gone since: its removal follows */
        offer(w, &(struct change){ p->kind, seq, t.node, p->path, p->rows });
        target_release(&t);
    }
}

static struct watch *subscribe(struct watch *w, uint64_t since)
{
    start();
    node_ref(w->below);
    w->path = node_path(w->below);
    mutex_lock(&watch_lock);
    if (since)
        replay(w, since);
    w->next = watches;
    watches = w;
    mutex_unlock(&watch_lock);
    return w;
}

struct watch *watch_subscribe(struct node *below, uint64_t since, void (*wake)(void *arg),
                              void *arg)
{
    struct watch *w = xcalloc(1, sizeof *w);

    *w = (struct watch){ .below = below, .max = QUEUE_MAX, .wake = wake, .arg = arg };
    return subscribe(w, since);
}

struct watch *watch_subscribe_all(struct node *below, void (*wake)(void *arg), void *arg)
{
    struct watch *w = xcalloc(1, sizeof *w);

    *w = (struct watch){ .below = below, .max = SIZE_MAX, .wake = wake, .arg = arg };
    return subscribe(w, 0);
}

void watch_unsubscribe(struct watch *w)
{
    if (!w)
        return;
    mutex_lock(&watch_lock);
    for (struct watch **p = &watches; *p; p = &(*p)->next)
        if (*p == w) {
            *p = w->next;
            break;
        }
    queue_clear(w);
    mutex_unlock(&watch_lock);
    node_unref(w->below);
    free(w->path);
    free(w);
}

static bool take(struct watch *w, struct change *ret)
{
    struct queued *q;

    mutex_lock(&watch_lock);
    q = w->queue;
    if (q)
        HASH_DEL(w->queue, q);
    mutex_unlock(&watch_lock);
    if (!q)
        return false;
    *ret = q->c;
    free(q);
    return true;
}

bool watch_next(struct watch *w, struct change *ret)
{
    while (take(w, ret)) {
        if (ret->kind != CHANGE_VALUES)
            return true;
        ret->path = node_path(ret->node);
        if (!ret->node->removed)
            return true;
        change_fini(ret); /* its removal follows */
    }
    return false;
}
