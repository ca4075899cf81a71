/*
 * schema_store.h - what the store keeps of the tables that sync has met: whether the target's
 * definition is the source's (sync_table.h), or a definition that somebody set, which tells the
 * columns of the rows from then on until a DDL on the table.  It is asked only where the binlog
 * itself does not name the columns.
 *
 * A record is (task, source, schema, table, seq); the one with the greatest seq holds, since the
 * checkpoint of the target never goes back.  Any thread; what is set while sync runs is not seen
 * by it.
 */
#ifndef SLUICE_UNIT_SCHEMA_STORE_H
#define SLUICE_UNIT_SCHEMA_STORE_H

#include "base/buf.h"
#include "mysql/table.h"
#include "unit/job.h"

enum schema_kept {
    SCHEMA_MIRROR, /* the target's table has the columns of the source's */
    SCHEMA_APART,  /* it has not: the source is asked */
    SCHEMA_NAMED,  /* the binlog has the names */
    SCHEMA_SET,    /* by hand */
};

/* -ENOENT: the table was not met.  'set' (NULL: not wanted) gets the definition of SCHEMA_SET. */
int schema_store_get(const struct job *job, const char *schema, const char *table,
                     enum schema_kept *ret, struct buf *set, struct err *err);
/* At 'seq' of the checkpoint. */
int schema_store_put(const struct job *job, const char *schema, const char *table,
                     enum schema_kept kept, uint64_t seq, struct err *err);

/* A copy gave the target's table the columns of the source's, in their order: remembered before
 * sync runs, so that what the source's DDL does meanwhile raises no doubt.  Not 'on_disk': with the
 * next that is. */
int schema_store_mirrored(const struct job *job, const char *schema, const char *table,
                          bool on_disk, struct err *err);

/* A definition, in the words of a CREATE TABLE; the name in it does not matter.  -EINVAL: it is
 * none. */
int schema_store_set(const struct job *job, const char *schema, const char *table,
                     struct slice create, struct err *err);
/* What a RENAME TABLE makes of the records, all at once, in its order: names that are no table's
 * any more have none.  The statement is known again by 'seq' and 'hash' when it comes a second time
 * after a crash, and then nothing changes. */
struct schema_rename {
    const char *from_schema, *from_table, *schema, *table;
};
int schema_store_rename(const struct job *job, const struct schema_rename *names, unsigned n,
                        uint64_t seq, uint64_t hash, struct err *err);
/* Sync finds out anew.  'table' NULL: of all tables of the schema. */
int schema_store_drop(const struct job *job, const char *schema, const char *table,
                      struct err *err);

/* Schemas of tables that were met (schema NULL), or the tables of one; in order, each once. */
int schema_store_each(const struct job *job, const char *schema,
                      void (*visit)(void *arg, const char *name), void *arg, struct err *err);

/* The CREATE TABLE, of a table of that name in the session's schema. */
void schema_named(struct slice create, const char *table, struct buf *ret);
/* The columns that a CREATE TABLE has, for schema_shape.h: no keys, no engine. */
int schema_def(struct slice create, const char *schema, const char *table, struct table_def **ret,
               struct err *err);

#endif
