/*
 * dump_folder.h - the folder that a dump is written into, in mydumper's layout.
 *
 *     DB-schema-create.sql        CREATE DATABASE
 *     DB.TABLE-schema.sql         CREATE TABLE, SEQUENCE
 *     DB.TABLE.00000.sql ...      INSERTs
 *     DB.VIEW-schema-view.sql     CREATE VIEW (and DB.VIEW-schema.sql, a table of its columns, so
 *                                 that views may be made in any order)
 *     metadata                    the position of the binlog; its being there says: complete
 *     sluice.json                 whose dump it is, of which server; rows, bytes and XXH64 by file
 *
 * A file is written as NAME.partial, synced and renamed.  A dump is of one
 * moment, so one that was interrupted begins again: its files are removed, which
 * sluice.json and the store's note of the same number say are ours.  A folder
 * with anything else in it is refused.
 *
 * In names of files the characters % / . of a database or table are %25 %2F %2E.
 *
 * One folder has one dump at a time.  dump_folder_done() is for any thread.
 */
#ifndef SLUICE_UNIT_DUMP_FOLDER_H
#define SLUICE_UNIT_DUMP_FOLDER_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "binlog/position.h"
#include "mysql/dialect.h"

struct job;
struct dump_folder;

/* Makes the folder if need be.  1: the dump is there, complete; *ret is not set.
 * -EEXIST: it has files of others.  -EBUSY: another dump is at work there. */
int dump_folder_open(const struct job *job, struct server_kind from, struct dump_folder **ret,
                     struct err *err);
void dump_folder_free(struct dump_folder *f); /* NULL is fine */
/* All files are written: says so, with the position. */
int dump_folder_finish(struct dump_folder *f, const struct position *at, struct err *err);
/* Forgets the store's note: the files stay, and are somebody's. */
int dump_folder_forget(const struct job *job, struct err *err);

/* "db.table" as a file's name has it; 'table' NULL: "db". */
void dump_folder_name(struct buf *out, const char *db, const char *table);

struct dump_file {
    struct dump_folder *folder;
    char *name;
    int fd;
    uint64_t rows, bytes;
    void *hash; /* XXH64_state_t */
};

int dump_file_begin(struct dump_file *f, struct dump_folder *folder, const char *name,
                    struct err *err);
int dump_file_write(struct dump_file *f, const struct buf *b, struct err *err);
int dump_file_end(struct dump_file *f, struct err *err); /* synced, and under its name */
void dump_file_drop(struct dump_file *f);                /* instead; also after a failure */
/* All of a small file. */
int dump_file_whole(struct dump_folder *folder, const char *name, const struct buf *text,
                    struct err *err);

#endif
