/*
 * drain_folder.h - a folder of TiDB-Binlog's files, read.
 *
 * Names: binlog-NUMBER-DATETIME, binlog-VERSION-NUMBER-DATETIME, binlog-NUMBER; in the order of
 * their numbers.  A file is mapped and its records are walked one by one.
 */
#ifndef SLUICE_UNIT_DRAIN_FOLDER_H
#define SLUICE_UNIT_DRAIN_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/err.h"

struct drain_folder_name {
    char *path;
    uint64_t number;
};

struct drain_folder {
    struct drain_folder_name *names;
    size_t n;
};

int drain_folder_read(struct drain_folder *ret, const char *dir, struct err *err);
void drain_folder_fini(struct drain_folder *f);

struct drain_folder_file {
    char *path;
    void *map;
    size_t size;
    struct cursor at;
    size_t whole_size; /* after the last whole record so far */
};

struct drain_folder_record {
    uint64_t commit_ts;
    struct slice payload; /* of the map */
};

int drain_folder_open(struct drain_folder_file *ret, const char *path, struct err *err);
void drain_folder_close(struct drain_folder_file *f);
/* 1; 0 the end; -ENODATA: the rest is no whole record (a write was cut off); -EBADMSG: damaged,
 * with file and offset in the sentence. */
int drain_folder_next(struct drain_folder_file *f, struct drain_folder_record *ret,
                      struct err *err);

#endif
