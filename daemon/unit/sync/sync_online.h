/*
 * sync_online.h - gh-ost and pt-online-schema-change on sharded tables.
 *
 * They build a new table (the ghost) beside the old one, change it while it is empty, fill it, and
 * swap names.  Where one table of the source is one of the target, the ghost is carried there with
 * its rows, and the RENAME does the same there (router.h).  Where several become one that cannot
 * be: here the ghost's rows are left out, its statements are remembered, and the RENAME is read as
 * those statements on the table itself, which then go the way of any DDL of a shard.
 *
 * Remembered in <meta_schema>.<task>_onlineddl, in DM's form, with the checkpoint that is past the
 * statement.  A table that waits at its RENAME has a copy for its second reading.
 */
#ifndef SLUICE_UNIT_SYNC_ONLINE_H
#define SLUICE_UNIT_SYNC_ONLINE_H

#include "unit/sync/sync_shard.h"

struct job;
struct mysql_conn;

int sync_online_prepare(struct sync_run *r, struct err *err);
/* SHARD_DDL_OTHER: it is about no such table. */
int sync_online_ddl(struct sync_run *r, const struct query *q, const struct ddl *d,
                    uint32_t timestamp, const struct position *pos, enum sync_shard_ddl *ret,
                    struct err *err);
int sync_online_forget(struct mysql_conn *c, const struct job *job, struct err *err);

#endif
