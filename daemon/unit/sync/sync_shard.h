/*
 * sync_shard.h - DDL of sharded tables: what the stream of one source does with them.
 *
 * The rules are route/shard_group.h's, the rows of the target unit/shard/shard_store.h's.  Here:
 *
 *     a DDL comes     everything before it is in the target; the group is read, the verdict is
 *                     asked, and the group as it is then is written with the checkpoint that is
 *                     past the DDL.  One that is run is claimed first, so that nobody else decides
 *                     meanwhile, and has an intent as any DDL (sync_ddl.h)
 *     a shard waits   its rows and statements are left out of the stream
 *     it is released  the stream stops between two transactions; a second reading, with a
 * checkpoint of its own (part "shard"), brings all that are released up to there, each from the DDL
 * that it waited at; one transaction ends it for all of them
 *
 * All in the reader's thread.
 */
#ifndef SLUICE_UNIT_SYNC_SHARD_H
#define SLUICE_UNIT_SYNC_SHARD_H

#include "binlog/position.h"
#include "binlog/query.h"
#include "route/ddl.h"

struct sync_run;
struct sync_shards;

/* Once the run is open: says which tables there are ('anew': asks the source), reads the groups.
 * Nothing to do for tasks without shard_mode. */
int sync_shard_open(struct sync_run *r, bool anew, struct err *err);
void sync_shard_close(struct sync_run *r);

/* Rows of the table are not for this run. */
bool sync_shard_skips(const struct sync_run *r, const char *schema, const char *name);

enum sync_shard_ddl {
    SHARD_DDL_OTHER,   /* it is no DDL of shards: as ever */
    SHARD_DDL_PASS_BY, /* nothing is to be done with it */
    SHARD_DDL_DONE,    /* and the checkpoint is past it */
};
/* 'pos' is its end. */
int sync_shard_ddl(struct sync_run *r, const struct query *q, const struct ddl *d,
                   uint32_t timestamp, const struct position *pos, enum sync_shard_ddl *ret,
                   struct err *err);

/* Between two transactions: looks whether somebody else changed a group. */
int sync_shard_turn(struct sync_run *r, struct err *err);
/* Before the loop: the second reading, if there is anything for one. */
int sync_shard_release(struct sync_run *r, struct err *err);

#endif
