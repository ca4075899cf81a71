/*
 * notify.c - tells the kernel what changed: the daemon's side.
 *
 * One thread takes the changes of the tree (node/watch.h).  It wakes poll(2),
 * makes the kernel forget names that are gone, and has the child touch the
 * files that are worth an inotify event: at most 500 a second, states first,
 * each file at most ten times a second (which watch.h sees to).
 *
 * The child also makes and removes directories for HTTP (TREE.md 15): the
 * asking thread waits here, the child's mkdir comes back as a FUSE request,
 * and notify_make() runs what was asked.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/scope.h"
#include "fs/private.h"
#include "node/watch.h"

#define TICK_MS 100
#define TOUCHES_PER_TICK 50 /* 500 a second */
#define MAKE_TIMEOUT_MS 10000
#define STOP_TIMEOUT_MS 3000

enum { FIRST, SECOND, N_RANKS }; /* states and errors; the rest */

/* A file that waits for its touch, however often it changes meanwhile. */
struct touch {
    uint64_t ino; /* key */
    UT_hash_handle hh;
};

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

struct notify {
    struct fs *fs;
    struct watch *watch;
    int wake; /* eventfd */
    pthread_t thread;
    atomic_bool stopping, deserted; /* deserted: without a child */
    struct touch *waiting[N_RANKS];

    struct mutex lock;
    struct cond cond;
    struct making *makings GUARDED;
    uint32_t last_id GUARDED;
};

static struct fs *_Atomic maker_fs; /* whose child makes nodes for HTTP */

struct fs_notifier *fs_fork_notifier(void)
{
    struct fs_notifier *n = xcalloc(1, sizeof *n);
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
        abort();
    n->pid = fork();
    if (n->pid == 0) {
        close(fds[0]);
        notify_child_run(fds[1]);
    }
    close(fds[1]);
    n->fd = fds[0];
    if (n->pid < 0)
        abort();
    return n;
}

/* Closing the socket ends the child, unless it hangs in a call; then it is killed. */
static void end_child(struct fs_notifier *n)
{
    close(n->fd);
    for (int ms = 0; waitpid(n->pid, NULL, WNOHANG) == 0; ms += 2) {
        if (ms == STOP_TIMEOUT_MS)
            kill(n->pid, SIGKILL);
        usleep(2000);
    }
}

void fs_notifier_free(struct fs_notifier *n)
{
    if (!n)
        return;
    end_child(n);
    free(n);
}

pid_t notify_pid(const struct fs *fs)
{
    return fs->notifier ? fs->notifier->pid : 0;
}

static int ask_child(struct fs_notifier *n, enum notify_op op, uint32_t id, const char *path,
                     int flags)
{
    struct notify_request q = { .op = op, .id = id };
    size_t size = strlen(path) + 1;

    if (size > sizeof q.path)
        return -ENAMETOOLONG;
    memcpy(q.path, path, size);
    if (send(n->fd, &q, offsetof(struct notify_request, path) + size, MSG_NOSIGNAL | flags) < 0)
        return -errno;
    return 0;
}

/* --- files to touch --- */

static int rank_of(const struct attr *a)
{
    return a->type == ATTR_ENUM || a->type == ATTR_TEXT ? FIRST : SECOND;
}

static void touch_later(void *arg, const struct change *c, const struct attr *a)
{
    struct notify *n = arg;
    struct target t = { .node = c->node, .attr = a };
    struct touch **all = &n->waiting[rank_of(a)], *touch;
    uint64_t ino = target_ino(&t);

    HASH_FIND(hh, *all, &ino, sizeof ino, touch);
    if (touch)
        return;
    touch = xcalloc(1, sizeof *touch);
    touch->ino = ino;
    HASH_ADD(hh, *all, ino, sizeof ino, touch);
}

static void touch_drop(struct touch **all, struct touch *t)
{
    HASH_DEL(*all, t);
    free(t);
}

/* 1: asked for; 0: the file is gone; -EAGAIN: the child is behind. */
static int touch_now(struct notify *n, const struct touch *touch)
{
    SCOPED(target_release) struct target t = { 0 };
    SCOPED(freep) char *path = NULL;

    if (target_of_ino(touch->ino, &t) < 0)
        return 0;
    path = target_path(&t);
    return ask_child(n->fs->notifier, NOTIFY_TOUCH, 0, path, MSG_DONTWAIT) == -EAGAIN ? -EAGAIN : 1;
}

static void touch_some(struct notify *n)
{
    int budget = TOUCHES_PER_TICK;

    for (int rank = 0; rank < N_RANKS; rank++)
        while (n->waiting[rank] && budget > 0) {
            int rc = touch_now(n, n->waiting[rank]);

            if (rc == -EAGAIN)
                return; /* next time */
            budget -= rc;
            touch_drop(&n->waiting[rank], n->waiting[rank]);
        }
}

static bool has_waiting(const struct notify *n)
{
    return n->waiting[FIRST] || n->waiting[SECOND];
}

/* --- changes --- */

static void forget_name(struct fs *fs, const struct change *c)
{
    struct target dir = { .node = c->node };
    const char *slash = strrchr(c->path, '/'), *name = slash ? slash + 1 : c->path;

    if (c->node)
        fuse_lowlevel_notify_inval_entry(fs->session, fs_ino(fs, &dir), name, strlen(name));
}

static void take_changes(struct notify *n)
{
    struct change c;

    while (watch_next(n->watch, &c)) {
        switch (c.kind) {
        case CHANGE_VALUES:
            files_wake(n->fs, c.node);
            change_announced(&c, touch_later, n);
            break;
        case CHANGE_REMOVE:
            forget_name(n->fs, &c);
            break;
        case CHANGE_CREATE:
        case CHANGE_RESET: /* never: watch_subscribe_all() */
            break;
        }
        change_fini(&c);
    }
}

/* --- making and removing for HTTP --- */

static struct making *find_making(struct notify *n, const struct node *dir, const char *name,
                                  const struct node *victim) REQUIRES(n->lock)
{
    for (struct making *m = n->makings; m; m = m->next) {
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
static int serve(struct notify *n, const struct node *dir, const char *name,
                 const struct node *victim)
{
    struct making *m;
    int rc;

    mutex_lock(&n->lock);
    m = find_making(n, dir, name, victim);
    if (m)
        m->state = MAKING_RUNS;
    mutex_unlock(&n->lock);
    if (!m)
        return -ENOENT;
    run_making(m);
    rc = m->rc;
    mutex_lock(&n->lock);
    m->state = MAKING_DONE;
    cond_broadcast(&n->cond);
    mutex_unlock(&n->lock);
    return rc;
}

int notify_make(struct fs *fs, struct node *dir, const char *name)
{
    return serve(fs->notifier->running, dir, name, NULL);
}

int notify_destroy(struct fs *fs, struct node *n)
{
    return serve(fs->notifier->running, NULL, NULL, n);
}

/* The child's call ended.  If it did not reach us (the name exists, the path is gone), the asking
 * thread does it itself, and gets our own sentence. */
static void call_ended(struct notify *n, uint32_t id)
{
    mutex_lock(&n->lock);
    for (struct making *m = n->makings; m; m = m->next) {
        if (m->id != id)
            continue;
        m->answered = true;
        if (m->state == MAKING_ASKED)
            m->id = 0;
    }
    cond_broadcast(&n->cond);
    mutex_unlock(&n->lock);
}

static void making_add(struct notify *n, struct making *m) REQUIRES(n->lock)
{
    m->id = ++n->last_id ? n->last_id : ++n->last_id; /* 0 means given back */
    m->next = n->makings;
    n->makings = m;
}

static void making_take(struct notify *n, struct making *m) REQUIRES(n->lock)
{
    struct making **p = &n->makings;

    while (*p != m)
        p = &(*p)->next;
    *p = m->next;
}

/* For whoever makes it, and then for the end of the child's call: until then the kernel may not
 * know of it. */
static bool waits(const struct notify *n, const struct making *m, int64_t until) REQUIRES(n->lock)
{
    if (m->state == MAKING_RUNS)
        return true;
    if (clock_mono_us() >= until || n->stopping || n->deserted)
        return false;
    return m->state == MAKING_ASKED ? m->id != 0 : !m->answered;
}

/* Has the child call, and waits; whoever of the handler and this thread comes first runs it. */
static int make_through(struct notify *n, struct making *m, enum notify_op op, const char *path)
{
    int64_t until = clock_mono_us() + MAKE_TIMEOUT_MS * 1000LL;
    bool ours;

    mutex_lock(&n->lock);
    making_add(n, m);
    mutex_unlock(&n->lock);
    if (ask_child(n->fs->notifier, op, m->id, path, 0) < 0)
        call_ended(n, m->id);
    mutex_lock(&n->lock);
    while (waits(n, m, until))
        cond_wait(&n->cond, &n->lock, 100);
    making_take(n, m);
    ours = m->state == MAKING_ASKED;
    mutex_unlock(&n->lock);
    if (ours)
        run_making(m);
    return m->rc;
}

static int maker_create(struct node *dir, const char *name, const json_t *spec,
                        const struct caller *who, struct err *err)
{
    struct fs *fs = maker_fs;
    struct making m = { .dir = dir, .name = name, .spec = spec, .who = who, .err = err };
    SCOPED(freep) char *dir_path = node_path(dir);
    SCOPED(freep) char *path = xasprintf("%s%s%s", dir_path, *dir_path ? "/" : "", name);

    return make_through(fs->notifier->running, &m, NOTIFY_MKDIR, path);
}

static int maker_destroy(struct node *victim, const struct caller *who, struct err *err)
{
    struct fs *fs = maker_fs;
    struct making m = { .victim = victim, .who = who, .err = err };
    SCOPED(freep) char *path = node_path(victim);

    return make_through(fs->notifier->running, &m, NOTIFY_RMDIR, path);
}

static const struct node_maker maker = { .create = maker_create, .destroy = maker_destroy };

/* --- the thread --- */

static void wake(void *arg)
{
    struct notify *n = arg;

    eventfd_write(n->wake, 1);
}

static void take_replies(struct notify *n)
{
    struct notify_reply r;

    while (recv(n->fs->notifier->fd, &r, sizeof r, MSG_DONTWAIT) == sizeof r)
        call_ended(n, r.id);
}

static void *notify_run(void *arg)
{
    struct notify *n = arg;
    struct pollfd fds[] = { { .fd = n->wake, .events = POLLIN },
                            { .fd = n->fs->notifier->fd, .events = POLLIN } };
    int64_t next_us = 0;
    eventfd_t count;

    while (!n->stopping) {
        int64_t left_ms = (next_us - clock_mono_us()) / 1000 + 1;

        poll(fds, 2, has_waiting(n) ? (int)(left_ms > 0 ? left_ms : 0) : -1);
        if (fds[0].revents)
            eventfd_read(n->wake, &count);
        if (fds[1].revents & POLLHUP) {
            fds[1].fd = -1; /* the child is gone: nothing is announced any more */
            n->deserted = true;
        }
        take_replies(n);
        take_changes(n);
        if (clock_mono_us() >= next_us) {
            touch_some(n);
            next_us = clock_mono_us() + TICK_MS * 1000LL;
        }
    }
    return NULL;
}

static void tell_child(struct fs_notifier *child, const char *mountpoint, dev_t dev)
{
    struct notify_request q = { .op = NOTIFY_MOUNTED, .dev = dev };

    snprintf(q.path, sizeof q.path, "%s", mountpoint);
    (void)!send(child->fd, &q, sizeof q, MSG_NOSIGNAL);
}

void notify_start(struct fs *fs, dev_t dev)
{
    struct notify *n = xcalloc(1, sizeof *n);

    tell_child(fs->notifier, fs->mountpoint, dev);
    n->fs = fs;
    mutex_init(&n->lock);
    cond_init(&n->cond);
    n->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fs->notifier->running = n;
    n->watch = watch_subscribe_all(fs->root, wake, n);
    n->thread = thread_start("notify", notify_run, n);
    maker_fs = fs;
    node_set_maker(&maker);
}

static void notify_end(struct notify *n)
{
    node_set_maker(NULL);
    n->stopping = true;
    wake(n);
    thread_join(n->thread);
    watch_unsubscribe(n->watch);
    for (int rank = 0; rank < N_RANKS; rank++)
        while (n->waiting[rank])
            touch_drop(&n->waiting[rank], n->waiting[rank]);
}

void notify_stop(struct fs *fs)
{
    if (!fs->notifier)
        return;
    if (fs->notifier->running)
        notify_end(fs->notifier->running);
    end_child(fs->notifier);
}

void notify_free(struct fs *fs)
{
    struct notify *n = fs->notifier ? fs->notifier->running : NULL;

    free(fs->notifier);
    if (!n)
        return;
    close(n->wake);
    cond_fini(&n->cond);
    mutex_fini(&n->lock);
    free(n);
}
