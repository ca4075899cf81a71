/* TiDB-Binlog's files: binlog-%016d-YYYYMMDDhhmmss, one record a transaction (sink/pb_file.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "sink/pb_file.h"
#include "unit/drain/drain_folder.h"
#include "unit/drain/drain_sink.h"

#define WRITE_SIZE ((size_t)1 << 20)
#define RETAIN_US ((int64_t)3600 * 1000000)

struct file_sink {
    struct drain_sink sink; /* first */
    struct drainer *drainer;
    char *dir;
    int fd, lock_fd;
    uint64_t number, size, max_size;
    struct buf pending, payload;
    bool unsynced;
    int64_t retain_us, retain_at_us;
    /* What the files have already, and the stream may bring again. */
    uint64_t has_ts;
    size_t has_at_ts, seen_at_ts;
};

static struct file_sink *of(struct drain_sink *s)
{
    return (struct file_sink *)s;
}

static int fail(const struct file_sink *s, const char *what, struct err *err)
{
    int code = errno;

    return err_set(err, -code, "cannot %s in %s: %s", what, s->dir, strerrordesc_np(code));
}

/* --- files --- */

static char *name_of(const struct file_sink *s)
{
    time_t now = (time_t)(clock_wall_us() / 1000000);
    struct tm tm;
    char when[32];

    localtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y%m%d%H%M%S", &tm);
    return xasprintf("%s/binlog-%016llu-%s", s->dir, (unsigned long long)s->number, when);
}

static int begin_file(struct file_sink *s, struct err *err)
{
    SCOPED(freep) char *path = name_of(s);
    SCOPED(closep) int dir = -1;

    s->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return fail(s, "make a file", err);
    s->size = 0;
    dir = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 || fsync(dir) < 0 ? fail(s, "keep a file", err) : 0;
}

/* Looks at the records that a crash left: what is torn at the end is cut off. */
static int read_tail(struct file_sink *s, const char *path, struct err *err)
{
    struct drain_folder_file f;
    struct drain_folder_record rec;
    int rc = drain_folder_open(&f, path, err);

    if (rc < 0)
        return rc;
    while ((rc = drain_folder_next(&f, &rec, err)) > 0) {
        if (rec.commit_ts != s->has_ts)
            s->has_at_ts = 0;
        s->has_ts = rec.commit_ts;
        s->has_at_ts++;
    }
    s->size = f.whole_size;
    drain_folder_close(&f);
    if (rc == -ENODATA)
        *err = ERR_INIT;
    return rc == -ENODATA ? 0 : rc;
}

static int go_on(struct file_sink *s, const struct drain_folder *files, struct err *err)
{
    const struct drain_folder_name *last = &files->names[files->n - 1];
    int rc = 0;

    s->number = last->number;
    rc = read_tail(s, last->path, err);
    if (rc == 0 && s->has_ts == 0 && files->n > 1) { /* it was just begun */
        uint64_t size = s->size;

        rc = read_tail(s, files->names[files->n - 2].path, err);
        s->size = size;
    }
    if (rc < 0)
        return rc;
    s->fd = open(last->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (s->fd < 0 || ftruncate(s->fd, (off_t)s->size) < 0)
        return fail(s, "go on with the last file", err);
    return 0;
}

static int lock_dir(struct file_sink *s, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("%s/.lock", s->dir);

    if (mkdir(s->dir, 0700) < 0 && errno != EEXIST)
        return fail(s, "make the folder", err);
    s->lock_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return fail(s, "make .lock", err);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, -EBUSY, "another drainer writes to %s", s->dir);
    return 0;
}

static void file_close(struct drain_sink *sink)
{
    struct file_sink *s = of(sink);

    if (s->fd >= 0)
        close(s->fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    buf_fini(&s->pending);
    buf_fini(&s->payload);
    free(s->dir);
    free(s);
}

static int open_files(struct file_sink *s, struct err *err)
{
    struct drain_folder files = { NULL, 0 };
    int rc = lock_dir(s, err);

    if (rc == 0)
        rc = drain_folder_read(&files, s->dir, err);
    if (rc < 0)
        return rc;
    rc = files.n ? go_on(s, &files, err) : begin_file(s, err);
    drain_folder_fini(&files);
    return rc;
}

static int file_open(const struct drain_sink_config *c, struct drain_place *start,
                     struct drain_sink **ret, struct err *err)
{
    const char *dir = json_string_value(doc_at(c->doc, "to.dir"));
    struct file_sink *s;
    int rc;

    if (!dir || !*dir)
        return err_set(err, -EINVAL, "to.dir: the folder of the files is not said");
    s = xcalloc(1, sizeof *s);
    s->sink.ops = &drain_sink_file;
    s->drainer = c->drainer;
    s->dir = xstrdup(dir);
    s->fd = s->lock_fd = -1;
    s->max_size = (uint64_t)json_integer_value(doc_at(c->doc, "to.file_size"));
    s->retain_us = json_integer_value(doc_at(c->doc, "to.retention_time")) * 86400000000;
    rc = open_files(s, err);
    if (rc < 0) {
        file_close(&s->sink);
        return rc;
    }
    if (s->has_ts <= start->ts) /* nothing of them comes again */
        s->has_ts = 0;
    *ret = &s->sink;
    return 0;
}

/* --- writing --- */

static int flush(struct file_sink *s, struct err *err)
{
    int64_t began_us = clock_mono_us();

    if (s->pending.size == 0)
        return 0;
    if (fd_write(s->fd, s->pending.data, s->pending.size) < 0)
        return fail(s, "write", err);
    s->unsynced = true;
    buf_clear(&s->pending);
    histogram_observe(&s->drainer->stats.file_write_us, clock_mono_us() - began_us);
    return 0;
}

static int next_file(struct file_sink *s, struct err *err)
{
    int rc = flush(s, err);

    if (rc < 0)
        return rc;
    if (fdatasync(s->fd) < 0)
        return fail(s, "sync", err);
    close(s->fd);
    s->fd = -1;
    s->number++;
    return begin_file(s, err);
}

/* The stream begins at the savepoint; the files may be beyond. */
static bool has_it(struct file_sink *s, uint64_t ts)
{
    if (s->has_ts == 0 || ts > s->has_ts)
        return false;
    return ts < s->has_ts || s->seen_at_ts++ < s->has_at_ts;
}

static int file_write(struct drain_sink *sink, const struct change_txn *t,
                      const struct drain_place *at, struct err *err)
{
    struct file_sink *s = of(sink);
    uint64_t before = s->pending.size;

    if (has_it(s, at->ts))
        return 0;
    buf_clear(&s->payload);
    pb_file_encode(t, &s->payload);
    if (s->payload.size > PB_FILE_MAX)
        return err_set(err, -EFBIG,
                       "transaction %llu is %zu bytes as a record (skip_txn leaves it "
                       "out)",
                       (unsigned long long)at->ts, s->payload.size);
    pb_file_frame(slice_of(s->payload.data, s->payload.size), &s->pending);
    s->size += s->pending.size - before;
    histogram_observe(&s->drainer->stats.file_write_bytes, (int64_t)(s->pending.size - before));
    if (s->size >= s->max_size)
        return next_file(s, err);
    return s->pending.size >= WRITE_SIZE ? flush(s, err) : 0;
}

/* The newest always stays. */
static void retain(struct file_sink *s)
{
    int64_t now = clock_mono_us(), before_s = (clock_wall_us() - s->retain_us) / 1000000;
    struct drain_folder files;
    struct err err = ERR_INIT;

    if (s->retain_us == 0 || now < s->retain_at_us)
        return;
    s->retain_at_us = now + RETAIN_US;
    if (drain_folder_read(&files, s->dir, &err) < 0) {
        log_warn(s->drainer->sync.unit.path, "retention_time: %s", err.text);
        return;
    }
    for (size_t i = 0; i + 1 < files.n; i++) {
        struct stat st;

        if (stat(files.names[i].path, &st) == 0 && st.st_mtime < before_s &&
            unlink(files.names[i].path) == 0)
            log_info(s->drainer->sync.unit.path, "%s is older than retention_time: deleted",
                     files.names[i].path);
    }
    drain_folder_fini(&files);
}

static int file_sync(struct drain_sink *sink, bool wait, struct drain_place *ret, struct err *err)
{
    struct file_sink *s = of(sink);
    int rc = flush(s, err);

    (void)wait, (void)ret;
    if (rc < 0)
        return rc;
    if (s->unsynced && fdatasync(s->fd) < 0)
        return fail(s, "sync", err);
    s->unsynced = false;
    retain(s);
    return 1;
}

const struct drain_sink_ops drain_sink_file = {
    .open = file_open, .write = file_write, .sync = file_sync, .close = file_close
};
