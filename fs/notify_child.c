/*
 * notify_child.c - the process that makes our own calls through the mount.
 *
 * It was forked before the mount, so it never holds /dev/fuse: when the daemon
 * is killed with one of these calls in flight, the kernel ends the connection,
 * the call fails and this process goes.  In the daemon itself the
 * same call could never end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/private.h"

struct place {
    char mountpoint[sizeof(((struct notify_request *)0)->path)];
    dev_t dev;
};

static void settle(int fd)
{
    int null = open("/dev/null", O_RDWR);

    prctl(PR_SET_NAME, "sluice-notify");
    signal(SIGINT,
           SIG_IGN); /* Ctrl-C goes to the whole group: the daemon ends us when it is time */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (int i = 0; i <= 2; i++)
        dup2(null, i);
    if (fd != 3)
        dup2(fd, 3);
    close_range(4, ~0U, 0);
    if (chdir("/") < 0)
        _exit(1);
}

/* Enters the mount, if it is still ours that is there.  Not kept open: that would keep it busy. */
static int enter(const struct place *place)
{
    struct stat st;
    int fd = open(place->mountpoint, O_PATH | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || fchdir(fd) < 0)
        rc = -errno;
    else if (st.st_dev != place->dev)
        rc = -ENODEV;
    close(fd);
    return rc;
}

/* IN_MODIFY; changes nothing.  The kernel asks for the file's mode first, and tells us
 * apart (stat_of() in fs.c); another's question in between is what the second try is for. */
static int touch(const char *path)
{
    int rc = truncate(path, 0);

    return rc < 0 && errno == EACCES ? truncate(path, 0) : rc;
}

static int call(const struct notify_request *q)
{
    int rc = 0;

    switch ((enum notify_op)q->op) {
    case NOTIFY_TOUCH:
        rc = touch(q->path);
        break;
    case NOTIFY_MKDIR:
        rc = mkdir(q->path, 0755);
        break;
    case NOTIFY_RMDIR:
        rc = rmdir(q->path);
        break;
    case NOTIFY_MOUNTED:
        break;
    }
    return rc < 0 ? -errno : 0;
}

static void answer(int fd, const struct notify_request *q, int code)
{
    struct notify_reply r = { q->id, code };

    if (q->op == NOTIFY_MKDIR || q->op == NOTIFY_RMDIR)
        (void)!send(fd, &r, sizeof r, MSG_NOSIGNAL);
}

void notify_child_run(int fd)
{
    static struct notify_request q;
    static struct place place;

    settle(fd);
    while (recv(3, &q, sizeof q, 0) > 0) {
        int rc;

        if (q.op == NOTIFY_MOUNTED) {
            memcpy(place.mountpoint, q.path, sizeof place.mountpoint);
            place.dev = (dev_t)q.dev;
            continue;
        }
        rc = enter(&place);
        if (rc == 0)
            rc = call(&q);
        if (chdir("/") < 0 || rc == -ENOTCONN || rc == -ECONNABORTED)
            break; /* the daemon is dead */
        answer(3, &q, rc);
    }
    _exit(0);
}
