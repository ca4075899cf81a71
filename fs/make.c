/*
 * make.c - directories that HTTP makes and removes, by way of the mount.
 *
 * The kernel must learn of them, and mkdir of a name that exists never reaches us.  So the
 * notifier's child makes the directory: the asking thread waits here, the child's mkdir comes back
 * as a FUSE request, and making_create() runs what was asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "fs/private.h"

#define MAKE_TIMEOUT_MS 10000

enum making_state { MAKING_ASKED, MAKING_RUNS, MAKING_DONE };

/* A mkdir or rmdir that somebody waits for; on the stack of who waits. */
struct making {
    struct making *next;
    uint32_t id;
    enum making_state state;
    bool answered;             /* the child's call has ended */
    struct node *dir, *victim; /* of mkdir; of rmdir */
    const char *name;
    const json_t *spec;
    const struct caller *who;
    struct err *err;
    int rc;
};

struct makings {
    struct fs *fs;
    struct mutex lock;
    struct cond cond;
    struct making *first GUARDED;
    uint32_t last_id GUARDED;
    atomic_bool given_up; /* without a child */
};

static struct makings *_Atomic maker_of; /* whose child makes nodes for HTTP */

static struct making *find_making(struct makings *a, const struct node *dir, const char *name,
                                  const struct node *victim) REQUIRES(a->lock)
{
    for (struct making *m = a->first; m; m = m->next) {
        if (m->state != MAKING_ASKED)
            continue;
        if (victim ? m->victim == victim : m->dir == dir && name && strcmp(m->name, name) == 0)
            return m;
    }
    return NULL;
}

static void run_making(struct making *m)
{
    m->rc = m->victim ? node_destroy_direct(m->victim, m->who, m->err)
                      : node_create_direct(m->dir, m->name, m->spec, m->who, m->err);
}

/* In the handler of the child's mkdir or rmdir. */
static int serve(struct makings *a, const struct node *dir, const char *name,
                 const struct node *victim)
{
    struct making *m;
    int rc;

    mutex_lock(&a->lock);
    m = find_making(a, dir, name, victim);
    if (m)
        m->state = MAKING_RUNS;
    mutex_unlock(&a->lock);
    if (!m)
        return -ENOENT;
    run_making(m);
    rc = m->rc;
    mutex_lock(&a->lock);
    m->state = MAKING_DONE;
    cond_broadcast(&a->cond);
    mutex_unlock(&a->lock);
    return rc;
}

int making_create(struct fs *fs, struct node *dir, const char *name)
{
    return serve(notify_makings(fs), dir, name, NULL);
}

int making_destroy(struct fs *fs, struct node *n)
{
    return serve(notify_makings(fs), NULL, NULL, n);
}

/* The child's call ended.  If it did not reach us (the name exists, the path is gone), the asking
 * thread does it itself, and gets our own sentence. */
void makings_ended(struct makings *a, uint32_t id)
{
    mutex_lock(&a->lock);
    for (struct making *m = a->first; m; m = m->next) {
        if (m->id != id)
            continue;
        m->answered = true;
        if (m->state == MAKING_ASKED)
            m->id = 0;
    }
    cond_broadcast(&a->cond);
    mutex_unlock(&a->lock);
}

static void making_add(struct makings *a, struct making *m) REQUIRES(a->lock)
{
    m->id = ++a->last_id ? a->last_id : ++a->last_id; /* 0 means given back */
    m->next = a->first;
    a->first = m;
}

static void making_take(struct makings *a, struct making *m) REQUIRES(a->lock)
{
    struct making **p = &a->first;

    while (*p != m)
        p = &(*p)->next;
    *p = m->next;
}

/* For whoever makes it, and then for the end of the child's call: until then the kernel may not
 * know of it. */
static bool waits(const struct makings *a, const struct making *m, int64_t until) REQUIRES(a->lock)
{
    if (m->state == MAKING_RUNS)
        return true;
    if (clock_mono_us() >= until || a->given_up)
        return false;
    return m->state == MAKING_ASKED ? m->id != 0 : !m->answered;
}

/* Has the child call, and waits; whoever of the handler and this thread comes first runs it. */
static int make_through(struct makings *a, struct making *m, enum notify_op op, const char *path)
{
    int64_t until = clock_mono_us() + MAKE_TIMEOUT_MS * 1000LL;
    bool ours;

    mutex_lock(&a->lock);
    making_add(a, m);
    mutex_unlock(&a->lock);
    if (notify_ask(a->fs->notifier, op, m->id, path, 0) < 0)
        makings_ended(a, m->id);
    mutex_lock(&a->lock);
    while (waits(a, m, until))
        cond_wait(&a->cond, &a->lock, 100);
    making_take(a, m);
    ours = m->state == MAKING_ASKED;
    mutex_unlock(&a->lock);
    if (ours)
        run_making(m);
    return m->rc;
}

static int maker_create(struct node *dir, const char *name, const json_t *spec,
                        const struct caller *who, struct err *err)
{
    struct making m = { .dir = dir, .name = name, .spec = spec, .who = who, .err = err };
    SCOPED(freep) char *dir_path = node_path(dir);
    SCOPED(freep) char *path = xasprintf("%s%s%s", dir_path, *dir_path ? "/" : "", name);

    return make_through(maker_of, &m, NOTIFY_MKDIR, path);
}

static int maker_destroy(struct node *victim, const struct caller *who, struct err *err)
{
    struct making m = { .victim = victim, .who = who, .err = err };
    SCOPED(freep) char *path = node_path(victim);

    return make_through(maker_of, &m, NOTIFY_RMDIR, path);
}

static const struct node_maker maker = { .create = maker_create, .destroy = maker_destroy };

/* --- its life --- */

struct makings *makings_new(struct fs *fs)
{
    struct makings *a = xcalloc(1, sizeof *a);

    a->fs = fs;
    mutex_init(&a->lock);
    cond_init(&a->cond);
    maker_of = a;
    node_set_maker(&maker);
    return a;
}

void makings_give_up(struct makings *a)
{
    node_set_maker(NULL);
    atomic_store(&a->given_up, true);
}

void makings_free(struct makings *a)
{
    cond_fini(&a->cond);
    mutex_fini(&a->lock);
    free(a);
}
