/*
 * notify.c - tells the kernel what changed: the daemon's side.
 *
 * One thread takes the changes of the tree (node/watch.h).  It wakes poll(2),
 * makes the kernel forget names that are gone, and has the child touch the
 * files that are worth an inotify event: at most 500 a second, states first,
 * each file at most ten times a second (which watch.h sees to).
 *
 * What else the child does is in make.c.
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
#define STOP_TIMEOUT_MS 3000

enum { FIRST, SECOND, N_RANKS }; /* states and errors; the rest */

/* A file that waits for its touch, however often it changes meanwhile. */
struct touch {
    uint64_t ino; /* key */
    UT_hash_handle hh;
};

struct notify {
    struct fs *fs;
    struct watch *watch;
    int wake; /* eventfd */
    pthread_t thread;
    atomic_bool stopping;
    struct touch *waiting[N_RANKS];
    struct makings *makings;
};

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

struct makings *notify_makings(struct fs *fs)
{
    return fs->notifier->running->makings;
}

pid_t notify_pid(const struct fs *fs)
{
    return fs->notifier ? fs->notifier->pid : 0;
}

int notify_ask(struct fs_notifier *n, enum notify_op op, uint32_t id, const char *path, int flags)
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
    return notify_ask(n->fs->notifier, NOTIFY_TOUCH, 0, path, MSG_DONTWAIT) == -EAGAIN ? -EAGAIN
                                                                                       : 1;
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
        makings_ended(n->makings, r.id);
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
            makings_give_up(n->makings);
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
    n->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fs->notifier->running = n;
    n->watch = watch_subscribe_all(fs->root, wake, n);
    n->makings = makings_new(fs);
    n->thread = thread_start("notify", notify_run, n);
}

static void notify_end(struct notify *n)
{
    makings_give_up(n->makings);
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
    makings_free(n->makings);
    free(n);
}
