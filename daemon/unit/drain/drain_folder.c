#include "unit/drain/drain_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "sink/pb_file.h"
#include "sink/proto.h"

/* --- names --- */

static bool all_digits(const char *s, size_t n)
{
    return n > 0 && strspn(s, "0123456789") >= n;
}

/* The part with sixteen digits. */
static bool number_of(const char *name, uint64_t *ret)
{
    const char *at = name;

    if (strncmp(name, "binlog-", 7) != 0 || strstr(name, ".tmp"))
        return false;
    while ((at = strchr(at, '-'))) {
        const char *part = ++at, *end = strchrnul(part, '-');

        if (end - part == 16 && all_digits(part, 16)) {
            *ret = strtoull(part, NULL, 10);
            return true;
        }
    }
    return false;
}

static int by_number(const void *a, const void *b)
{
    const struct drain_folder_name *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

int drain_folder_read(struct drain_folder *ret, const char *dir, struct err *err)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    *ret = (struct drain_folder){ NULL, 0 };
    if (!d)
        return err_set(err, -errno, "cannot read the folder %s: %m", dir);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads from this stream
    while ((e = readdir(d))) {
        uint64_t number;

        if (!number_of(e->d_name, &number))
            continue;
        ret->names = xrealloc(ret->names, (ret->n + 1) * sizeof *ret->names);
        ret->names[ret->n++] =
            (struct drain_folder_name){ xasprintf("%s/%s", dir, e->d_name), number };
    }
    closedir(d);
    if (ret->n)
        qsort(ret->names, ret->n, sizeof *ret->names, by_number);
    return 0;
}

void drain_folder_fini(struct drain_folder *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->names[i].path);
    free(f->names);
    *f = (struct drain_folder){ NULL, 0 };
}

/* --- a file --- */

int drain_folder_open(struct drain_folder_file *ret, const char *path, struct err *err)
{
    SCOPED(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, -errno, "cannot read %s: %m", path);
    *ret = (struct drain_folder_file){ .size = (size_t)st.st_size };
    if (st.st_size > 0) {
        ret->map = mmap(NULL, ret->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (ret->map == MAP_FAILED)
            return err_set(err, -errno, "cannot read %s: %m", path);
        madvise(ret->map, ret->size, MADV_SEQUENTIAL);
    }
    ret->path = xstrdup(path);
    ret->at = cursor_of(slice_of(ret->map, ret->size));
    return 0;
}

void drain_folder_close(struct drain_folder_file *f)
{
    if (f->map)
        munmap(f->map, f->size);
    free(f->path);
    *f = (struct drain_folder_file){ .path = NULL };
}

static uint64_t ts_of(struct slice payload)
{
    enum { COMMIT_TS = 2 };
    struct cursor c = cursor_of(payload);
    struct proto_field f;

    while (proto_next(&c, &f) > 0)
        if (f.number == COMMIT_TS)
            return f.u;
    return 0;
}

int drain_folder_next(struct drain_folder_file *f, struct drain_folder_record *ret, struct err *err)
{
    uint64_t need;
    int rc = pb_file_next(&f->at, &ret->payload, &need, err);

    if (rc > 0) {
        ret->commit_ts = ts_of(ret->payload);
        f->whole_size = f->size - cursor_left(&f->at);
    }
    if (rc == -EBADMSG)
        return err_wrap(err, "%s at %zu", f->path, f->whole_size);
    return rc;
}
