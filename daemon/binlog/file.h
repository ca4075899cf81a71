/*
 * file.h - a binlog file on disk as a stream of raw events.
 *
 * The file is mapped as long as it was when opened; events are slices of the
 * map, valid until binlog_file_close().
 */
#ifndef SLUICE_BINLOG_FILE_H
#define SLUICE_BINLOG_FILE_H

#include "base/err.h"
#include "base/slice.h"

#define BINLOG_MAGIC_SIZE 4

struct binlog_file {
    const uint8_t *map;
    size_t size;
    size_t offset; /* of the next event */
};

/* 0, -EBADMSG if it is no binlog, -ENOTSUP if it is encrypted, or open()'s errno. */
int binlog_file_open(struct binlog_file *f, const char *path, struct err *err);
void binlog_file_close(struct binlog_file *f); /* twice is fine */

/* 1 an event, 0 the end, -EBADMSG when the file ends inside an event. */
int binlog_file_next(struct binlog_file *f, struct slice *ret, struct err *err);

#endif
