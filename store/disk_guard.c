#include "store/disk_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"

#define MIB (UINT64_C(1) << 20)
#define BALLAST_SIZE (512 * MIB)
#define LEAST_FREE (64 * MIB) /* below, the disk counts as full */
#define PART_OF_DISK 16       /* both are at most this part of it */

struct disk_guard {
    char *dir, *path;
    struct mutex lock;
    bool full GUARDED;
};

struct room {
    uint64_t total, free; /* bytes that we may use */
};

static bool look(const struct disk_guard *g, struct room *ret)
{
    struct statvfs v;

    if (statvfs(g->dir, &v) < 0)
        return false;
    ret->total = (uint64_t)v.f_blocks * v.f_frsize;
    ret->free = (uint64_t)v.f_bavail * v.f_frsize;
    return true;
}

static uint64_t at_most_part(uint64_t size, const struct room *r)
{
    return size < r->total / PART_OF_DISK ? size : r->total / PART_OF_DISK;
}

static uint64_t ballast_size(const struct room *r)
{
    return at_most_part(BALLAST_SIZE, r);
}

static uint64_t least_free(const struct room *r)
{
    return at_most_part(LEAST_FREE, r);
}

static void make_ballast(const struct disk_guard *g, const struct room *r)
{
    SCOPED(closep) int fd = open(g->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    /* A file system that cannot reserve does without: LEAST_FREE holds still. */
    if (fd >= 0 && fallocate(fd, 0, 0, (off_t)ballast_size(r)) < 0)
        (void)unlink(g->path);
}

static bool has_ballast(const struct disk_guard *g)
{
    struct stat st;

    return stat(g->path, &st) == 0 && st.st_size > 0;
}

/* With the ballast made and something to spare. */
static bool is_ample(const struct room *r)
{
    return r->free > ballast_size(r) + 2 * least_free(r);
}

struct disk_guard *disk_guard_new(const char *dir)
{
    struct disk_guard *g = xcalloc(1, sizeof *g);
    struct room r;

    g->dir = xstrdup(dir);
    g->path = xasprintf("%s/ballast", dir);
    mutex_init(&g->lock);
    if (!has_ballast(g) && look(g, &r) && is_ample(&r))
        make_ballast(g, &r);
    return g;
}

void disk_guard_free(struct disk_guard *g)
{
    if (!g)
        return;
    mutex_fini(&g->lock);
    free(g->dir);
    free(g->path);
    free(g);
}

static void set_full(struct disk_guard *g, bool full, const struct room *r)
{
    bool was;

    mutex_lock(&g->lock);
    was = g->full;
    g->full = full;
    mutex_unlock(&g->lock);
    if (was == full)
        return;
    if (full) {
        (void)unlink(g->path);
        log_error("store",
                  "the disk of %s is full: nothing is added to journals; the ballast file "
                  "is given up, so that what is old can be deleted",
                  g->dir);
    } else {
        make_ballast(g, r);
        log_info("store", "there is room on the disk of %s again", g->dir);
    }
}

void disk_guard_was_full(struct disk_guard *g)
{
    set_full(g, true, NULL);
}

static bool is_full(struct disk_guard *g)
{
    bool full;

    mutex_lock(&g->lock);
    full = g->full;
    mutex_unlock(&g->lock);
    return full;
}

int disk_guard_check(struct disk_guard *g, struct err *err)
{
    struct room r;

    if (!look(g, &r))
        return 0; /* who writes will be told */
    if (is_full(g) ? is_ample(&r) : r.free >= least_free(&r)) {
        set_full(g, false, &r);
        return 0;
    }
    set_full(g, true, NULL);
    return err_set(err, -ENOSPC,
                   "the disk of %s is full: %llu MiB are left, and nothing is added to journals "
                   "until %llu are",
                   g->dir, (unsigned long long)(r.free / MIB),
                   (unsigned long long)((ballast_size(&r) + 2 * least_free(&r)) / MIB + 1));
}
