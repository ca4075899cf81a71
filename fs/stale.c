/* stale.c - mounts that a dead daemon left behind. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "fs/fs.h"
#include "fs/private.h"

struct mounted {
    dev_t dev;
    pid_t pid; /* of the owner */
    unsigned long long start_time;
};

/* The n-th blank-separated word of 'text', from 0; "" if there are fewer. */
static const char *word(const char *text, int n)
{
    text += strspn(text, " ");
    while (n-- > 0) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return text;
}

/* When the process started, in clock ticks since boot; 0: there is none.
 * Source: proc(5), "/proc/[pid]/stat", fields 3 (state) and 22 (starttime). */
static unsigned long long start_time_of(pid_t pid)
{
    SCOPED(freep) char *path = xasprintf("/proc/%ld/stat", (long)pid);
    char text[1024], *rest;
    SCOPED(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (n <= 0)
        return 0;
    text[n] = '\0';
    rest = strrchr(text, ')'); /* the name, field 2, may hold anything */
    if (!rest || strchr("ZX", *word(rest + 1, 0)))
        return 0;
    return strtoull(word(rest + 1, 22 - 3), NULL, 10);
}

char *stale_source_name(void)
{
    return xasprintf("sluiced:%ld:%llu", (long)getpid(), start_time_of(getpid()));
}

/* mountinfo writes blanks and backslashes of paths as \040. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++) {
        if (*s == '\\' && s[1] && s[2] && s[3]) {
            *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else {
            *to++ = *s;
        }
    }
    *to = '\0';
}

/* "sluiced:<pid>:<start time>" */
static bool parse_source(const char *source, struct mounted *ret)
{
    static const char ours[] = "sluiced:";
    char *end;

    if (strncmp(source, ours, sizeof ours - 1) != 0)
        return false;
    ret->pid = (pid_t)strtol(source + sizeof ours - 1, &end, 10);
    if (*end != ':' || ret->pid <= 0)
        return false;
    ret->start_time = strtoull(end + 1, NULL, 10);
    return true;
}

/* Is the line of a sluice mount at 'mountpoint'?
 * Source: proc(5), "/proc/[pid]/mountinfo": (3) major:minor, (5) mount point, after " - " (9) type,
 * (10) source. */
static bool parse_line(char *line, const char *mountpoint, struct mounted *ret)
{
    const char *device = word(line, 2), *tail = strstr(line, " - ");
    SCOPED(freep) char *where = NULL;
    char *minor_no;
    unsigned major_no = (unsigned)strtoul(device, &minor_no, 10);

    if (!tail || *minor_no != ':' || strncmp(word(tail, 1), "fuse.sluice ", 12) != 0 ||
        !parse_source(word(tail, 2), ret))
        return false;
    ret->dev = makedev(major_no, (unsigned)strtoul(minor_no + 1, NULL, 10));
    where = xstrndup(word(line, 4), strcspn(word(line, 4), " "));
    unescape(where);
    return strcmp(where, mountpoint) == 0;
}

/* The topmost sluice mount at 'mountpoint'. */
static bool find_mounted(const char *mountpoint, struct mounted *ret)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    SCOPED(freep) char *line = NULL;
    size_t cap = 0;
    bool found = false;

    while (f && getline(&line, &cap, f) >= 0) {
        struct mounted m;

        if (parse_line(line, mountpoint, &m)) {
            *ret = m; /* later lines are on top */
            found = true;
        }
    }
    if (f)
        fclose(f);
    return found;
}

dev_t stale_device(const char *mountpoint)
{
    struct mounted m;

    return find_mounted(mountpoint, &m) ? m.dev : 0;
}

/* Ends requests that a dead owner's connection may still hold. */
static void abort_connection(dev_t dev)
{
    SCOPED(freep) char *path = xasprintf("/sys/fs/fuse/connections/%u/abort", minor(dev));
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && /* not mounted in a container: best effort */
        mount("none", "/sys/fs/fuse/connections", "fusectl", 0, NULL) == 0)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* a dead owner's descriptor is closed: the kernel did it then */
    if (write(fd, "1", 1) < 0)
        log_warn(NULL, "%s: %m", path);
    close(fd);
}

/* Other users than root mount through a helper that is setuid, and unmount through it. */
static bool fusermount_detach(const char *mountpoint)
{
    const char *argv[] = { "fusermount3", "-u", "-q", "-z", "--", mountpoint, NULL };
    int status;
    pid_t pid;

    return posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int detach(const char *mountpoint, struct err *err)
{
    if (umount2(mountpoint, MNT_DETACH) == 0)
        return 0;
    if (geteuid() == 0)
        return err_set(err, -errno, "cannot unmount %s: %m", mountpoint);
    if (fusermount_detach(mountpoint))
        return 0;
    return err_set(
        err, -EBUSY,
        "%s is what a dead daemon left mounted: run fusermount3 -u -z %s and start again",
        mountpoint, mountpoint);
}

int stale_clean(const char *mountpoint, struct err *err)
{
    struct mounted m;

    while (find_mounted(mountpoint, &m)) {
        unsigned long long start = start_time_of(m.pid);
        int rc;

        if (start && start == m.start_time)
            return err_set(err, -EBUSY,
                           "%s is served by another sluiced (pid %ld): stop it, or give another "
                           "--mount",
                           mountpoint, (long)m.pid);
        log_info(NULL, "removing the mount that sluiced (pid %ld) left at %s", (long)m.pid,
                 mountpoint);
        abort_connection(m.dev);
        rc = detach(mountpoint, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void fs_abandon(const char *mountpoint)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *path = *mountpoint ? stale_absolute(mountpoint, &err) : NULL;
    struct mounted m;

    if (path && find_mounted(path, &m) && m.pid == getpid() && detach(path, &err) < 0)
        log_warn(NULL, "%s", err.text);
}

char *stale_absolute(const char *path, struct err *err)
{
    SCOPED(freep) char *copy = xstrdup(path), *dir = NULL;
    size_t size = strlen(copy);
    const char *base;
    char *slash;

    while (size > 1 && copy[size - 1] == '/')
        copy[--size] = '\0';
    slash = strrchr(copy, '/');
    base = slash ? slash + 1 : copy;
    if (!*base || strcmp(base, ".") == 0 || strcmp(base, "..") == 0) {
        err_set(err, -EINVAL, "%s cannot be mounted on: name a directory", path);
        return NULL;
    }
    if (slash)
        *slash = '\0';
    dir = realpath(!slash ? "." : *copy ? copy : "/", NULL);
    if (!dir) {
        err_set(err, -errno, "%s: %m", path);
        return NULL;
    }
    return xasprintf("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, base);
}
