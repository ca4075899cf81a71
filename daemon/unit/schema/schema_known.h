/*
 * schema_known.h - what is known of each table of the source, beyond one TABLE_MAP.
 *
 * What holds after a restart is in the store (schema_store.h) and read when it is needed first;
 * the rest is found out anew.  One thread.
 */
#ifndef SLUICE_UNIT_SCHEMA_KNOWN_H
#define SLUICE_UNIT_SCHEMA_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "mysql/table.h"
#include "unit/job.h"

struct known_table {
    char *schema, *name;
    bool mirror;                /* the target goes through the same DDL */
    struct table_def *given;    /* set by hand; NULL: none was */
    struct table_def *proposal; /* the source's, waiting for the stream */
    bool accepted;              /* the stream was there */
    struct table_def *told;     /* known_tell() */
};

struct known {
    const struct job *job;
    struct known_table *all;
    unsigned n, cap;
};

void known_fini(struct known *k);

/* Nothing is known of it yet; good until the next is added. */
struct known_table *known_add(struct known *k, const char *schema, const char *name);
/* -ENOENT: nothing is. */
int known_load(struct known *k, const char *schema, const char *name, struct known_table **ret,
               struct err *err);
/* Whether the target goes through its DDL; all else that was known is of before. */
int known_save(struct known *k, const char *schema, const char *name, bool mirror, uint64_t seq,
               struct err *err);
/* Where the binlog has the names, nothing needs to be known but that the table is there. */
int known_save_named(struct known *k, const char *schema, const char *name, uint64_t seq,
                     struct err *err);
/* The stream is where the proposals were read. */
void known_accept(struct known *k);
/* Its rows are as this CREATE TABLE has them, unless its columns are others than the target's by
 * design. */
void known_tell(struct known *k, const char *schema, const char *name, const char *create);
/* What the store has of it, if anything, is read when it is needed.  'name' NULL: of all tables of
 * the schema. */
void known_forget(struct known *k, const char *schema, const char *name);

#endif
