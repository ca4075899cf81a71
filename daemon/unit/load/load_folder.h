/*
 * load_folder.h - a dump's folder as it is found: ours or mydumper's (0.10 and its like).
 *
 * Nothing is believed of a file's name but what it is for, and its database:
 * names of tables are those in the statements.  Every file of rows is opened
 * and read up to its first row, so that what does not fit together is found
 * before anything is written.
 */
#ifndef SLUICE_UNIT_LOAD_FOLDER_H
#define SLUICE_UNIT_LOAD_FOLDER_H

#include <jansson.h>

#include "binlog/position.h"
#include "mysql/dialect.h"
#include "unit/read/read_columns.h"

struct load_file {
    char *name;
    uint64_t size; /* on disk */
    uint64_t rows; /* as sluice.json says */
    bool checked;  /* rows and hash are known */
    uint64_t hash; /* XXH64 of all of it */
};

struct load_table {
    char *db, *name;
    char *create; /* NULL: only rows of it were found */
    bool is_view; /* 'create' is of a view: its names are unqualified unless ours */
    bool is_sequence;
    unsigned n_files;
    struct load_file *files;
    struct dump_words words;
    char *zone; /* of TIMESTAMPs, as a literal: '+00:00' */
};

struct load_database {
    char *name, *charset, *collation; /* the last two may be NULL */
};

struct load_folder {
    char *path;
    bool ours;
    struct server_kind from; /* version 0: not known */
    struct position position;
    uint64_t identity; /* of this dump: another one in the same folder has another */
    unsigned n_tables, n_databases, n_left_out; /* files with triggers, routines and events */
    struct load_table *tables;                  /* by database and name */
    struct load_database *databases;
    json_t *manifest;
};

/* -ENOENT: there is no complete dump.  -EBADMSG: what is wrong, with file and line. */
int load_folder_read(const char *path, struct load_folder **ret, struct err *err);
void load_folder_free(struct load_folder *f); /* NULL is fine */
const struct load_database *load_folder_database(const struct load_folder *f, const char *name);

/* load_metadata.c: all of it but the tables and databases. */
int load_metadata_read(struct load_folder *f, struct err *err);

#endif
