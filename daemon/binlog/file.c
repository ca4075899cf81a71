#include "binlog/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/scope.h"
#include "binlog/event.h"

static int check_magic(const uint8_t *p, const char *path, struct err *err)
{
    if (memcmp(p,
               "\xfd"
               "bin",
               BINLOG_MAGIC_SIZE) == 0)
        return err_set(err, -ENOTSUP, "%s: the binlog is encrypted: read it from its server", path);
    if (memcmp(p,
               "\xfe"
               "bin",
               BINLOG_MAGIC_SIZE) != 0)
        return err_set(err, -EBADMSG, "%s: not a binlog", path);
    return 0;
}

int binlog_file_open(struct binlog_file *f, const char *path, struct err *err)
{
    SCOPED(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *map;
    int rc;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, -errno, "%s: %s", path, strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode) || st.st_size < BINLOG_MAGIC_SIZE)
        return err_set(err, -EBADMSG, "%s: not a binlog", path);
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return err_set(err, -errno, "%s: %s", path, strerrordesc_np(errno));
    rc = check_magic(map, path, err);
    if (rc < 0) {
        munmap(map, (size_t)st.st_size);
        return rc;
    }
    madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
    *f = (struct binlog_file){
        .map = map,
        .size = (size_t)st.st_size,
        .offset = BINLOG_MAGIC_SIZE,
    };
    return 0;
}

void binlog_file_close(struct binlog_file *f)
{
    if (f->map)
        munmap((void *)(uintptr_t)f->map, f->size);
    *f = (struct binlog_file){ 0 };
}

int binlog_file_next(struct binlog_file *f, struct slice *ret, struct err *err)
{
    size_t left = f->size - f->offset, size;

    if (left == 0)
        return 0;
    size = left >= EVENT_HEADER_SIZE ? event_size(f->map + f->offset) : 0;
    if (size < EVENT_HEADER_SIZE || size > left)
        return err_set(err, -EBADMSG, "the event at %zu is not whole", f->offset);
    *ret = slice_of(f->map + f->offset, size);
    f->offset += size;
    return 1;
}
