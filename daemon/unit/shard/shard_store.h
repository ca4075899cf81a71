/*
 * shard_store.h - groups of shards as rows of the target.
 *
 * <meta_schema>.sluice_shard has one row a table of the target, with its group
 * (route/shard_group.h) as JSON and a version; and one a source (its schema is "") that has said
 * which tables it has. All sources of a task and the operator change the same row, so a change is a
 * compare-and-set: the statement fails (shard_store_stale()) when somebody else was there first;
 * then read again and decide again.  It goes into the transaction that moves the source's
 * checkpoint past the DDL, so nothing of it is lost or doubled by a crash.  Rows are never removed
 * while the task lives.
 */
#ifndef SLUICE_UNIT_SHARD_STORE_H
#define SLUICE_UNIT_SHARD_STORE_H

#include "mysql/conn.h"
#include "route/shard_group.h"

#define SHARD_TABLE "sluice_shard"

struct buf;
struct job;

struct shard_row {
    struct shard_group group;
    uint64_t version;
};

struct shard_rows {
    unsigned n;
    struct shard_row *at; /* by name at the target */
    unsigned n_sources;   /* that said which tables they have */
    char **sources;
};

int shard_store_prepare(struct mysql_conn *c, const struct job *job, struct err *err);
/* All of the task.  'ret' is to be fini'ed in any case. */
int shard_store_read(struct mysql_conn *c, const struct job *job, struct shard_rows *ret,
                     struct err *err);
void shard_rows_fini(struct shard_rows *r);
struct shard_row *shard_rows_find(const struct shard_rows *r, const char *schema,
                                  const char *table);
/* One.  -ENOENT. */
int shard_store_read_one(struct mysql_conn *c, const struct job *job, const char *schema,
                         const char *table, struct shard_row *ret, struct err *err);
void shard_row_fini(struct shard_row *r);

/* The compare-and-set, without ';'. */
void shard_store_sql(const struct job *job, const struct shard_row *r, struct buf *sql);
bool shard_store_stale(const struct err *err);
/* Makes the rows of new groups; those that are there stay as they are. */
int shard_store_insert(struct mysql_conn *c, const struct job *job, const struct shard_rows *r,
                       struct err *err);
/* The source has said which tables it has. */
int shard_store_register(struct mysql_conn *c, const struct job *job, struct err *err);

/* The source has no part in them any more; with the last one all rows of the task go. */
int shard_store_forget(struct mysql_conn *c, const struct job *job, struct err *err);

#endif
