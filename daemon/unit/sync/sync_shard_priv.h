/* sync_shard_priv.h - what the parts of sync_shard share.
 *
 *     sync_shard.c        the groups as this run knows them; what is left out of the stream
 *     sync_shard_ddl.c    what becomes of a statement
 *     sync_shard_names.c  ... that drops or renames tables
 *     sync_shard_again.c  the second reading
 *     sync_shard_join.c   which tables the source has
 */
#ifndef SLUICE_UNIT_SYNC_SHARD_PRIV_H
#define SLUICE_UNIT_SYNC_SHARD_PRIV_H

#include "unit/shard/shards.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_shard.h"

struct sync_shards {
    struct shards *view; /* borrowed: the job's */
    struct shard_rows rows;
    uint64_t generation;        /* of the view, when they were read */
    struct shard_member **mine; /* of this source, and not just following; into 'rows' */
    unsigned n_mine;
    bool pending; /* a second reading is due, but something of a crash comes first */
};

/* Reads all groups again; what is cached of the tables that others changed goes. */
int shard_reload(struct sync_run *r, struct err *err);
/* The same after a change of our own, of which the others are told. */
int shard_tell(struct sync_run *r, struct err *err);
bool shard_any_mine(const struct sync_run *r, enum shard_state state);
/* May the statement at hand, on this table, be looked at by this run? */
bool shard_is_for(const struct sync_run *r, const char *schema, const char *name);

/* Which tables the source has now, and which it has no more by the rules of the task. */
int shard_register(struct sync_run *r, struct err *err);

/* They leave their groups; their rows stay at the target.  The checkpoint is past it then. */
int shard_drop_tables(struct sync_run *r, const struct query *q, const struct ddl *d,
                      const struct position *pos, struct err *err);
/* The same for names: one that stays a shard of its target keeps its place in the group, one that
 * goes out of the task's sight, or to another target, leaves it.  -ENOTSUP says what cannot be
 * done, and what to do. */
int shard_rename_tables(struct sync_run *r, const struct query *q, const struct ddl *d,
                        const struct position *pos, struct err *err);

/* A change of a group beside the stream; fails when another process has taken over.  -EAGAIN:
 * somebody else was first. */
int shard_claim(struct sync_run *r, struct shard_row *row, struct err *err);

#endif
