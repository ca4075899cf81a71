/*
 * power.c - for LD_PRELOAD: what a power loss leaves of files that are only appended to.
 *
 *     POWER_DIR=/data POWER_LOG=/log LD_PRELOAD=power.so sluiced --data /data
 *
 * Each fsync() and fdatasync() of a file below POWER_DIR adds "size <file> <size>" to POWER_LOG: so
 * much of it the disk has.  An fsync() of a folder adds "name <file> <name>" for each that it has.
 * A file is its inode and its birth, since inodes are used again.  After a kill,
 * tests/lib/power.sh cuts every file to what is on the disk, takes away those whose name is not,
 * and gives back old names.  What was written and not synced is gone, as after the worst power
 * loss; only what was deleted stays deleted, and what sync_file_range() asked for does not count.
 * Syncs of logs (*.log) take POWER_SLOW_MS longer, so that a kill finds what is not synced.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct text {
    char *at;
    size_t size;
};

/* Where 'fd' is, if below POWER_DIR. */
static int is_below(int fd, char path[PATH_MAX])
{
    const char *dir = getenv("POWER_DIR");
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    if (!dir || n <= 0)
        return 0;
    path[n] = '\0';
    return strncmp(path, dir, strlen(dir)) == 0;
}

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
    va_list args;
    int n;

    t->at = realloc(t->at, t->size + PATH_MAX + 64);
    if (!t->at)
        abort();
    va_start(args, fmt);
    n = vsnprintf(t->at + t->size, PATH_MAX + 64, fmt, args);
    va_end(args);
    t->size += (size_t)n;
}

static int look(int at, const char *name, struct statx *st)
{
    return statx(at, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME,
                 st);
}

#define FILE_FMT "%llu:%lld.%09u"
#define FILE_ARG(st)                                                    \
    (unsigned long long)(st).stx_ino, (long long)(st).stx_btime.tv_sec, \
        (unsigned)(st).stx_btime.tv_nsec

static void list(const char *path, struct text *ret)
{
    DIR *d = opendir(path);
    struct dirent *e;
    struct statx st;

    if (!d)
        abort();
    while ((e = readdir(d)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            look(dirfd(d), e->d_name, &st) == 0)
            add(ret, "name " FILE_FMT " %s\n", FILE_ARG(st), e->d_name);
    closedir(d);
}

static void dawdle(const char *path)
{
    const char *ms = getenv("POWER_SLOW_MS"), *end = strrchr(path, '.');

    if (ms && end && strcmp(end, ".log") == 0)
        usleep((useconds_t)strtoul(ms, NULL, 10) * 1000);
}

/* Before the sync: what is added meanwhile does not count. */
static void what_is_there(int fd, struct text *ret)
{
    char path[PATH_MAX];
    struct statx st;

    if (!is_below(fd, path) || look(fd, "", &st) < 0)
        return;
    if (S_ISDIR(st.stx_mode))
        list(path, ret);
    if (!S_ISREG(st.stx_mode))
        return;
    add(ret, "size " FILE_FMT " %llu\n", FILE_ARG(st), (unsigned long long)st.stx_size);
    dawdle(path);
}

static void note(const struct text *t)
{
    const char *log = getenv("POWER_LOG");
    int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd < 0 || write(fd, t->at, t->size) != (ssize_t)t->size)
        abort();
    close(fd);
}

static int synced(int fd, const char *name)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    struct text there = { 0 };
    int rc;

    what_is_there(fd, &there);
    rc = real(fd);
    if (rc == 0 && there.size)
        note(&there);
    free(there.at);
    return rc;
}

int fsync(int fd)
{
    return synced(fd, "fsync");
}

int fdatasync(int fd)
{
    return synced(fd, "fdatasync");
}
