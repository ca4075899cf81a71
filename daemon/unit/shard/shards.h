/*
 * shards.h - the DDL locks of a task: tasks/<t>/locks/, and what its sources have in common.
 *
 * The target has the groups (shard_store.h); this is what is remembered of them in memory, so that
 * getters never wait: each lock a directory, made and removed as locks come and go.  A source that
 * changed a group says so here, and those that are to read some table again are woken.
 *
 * Made with its task, shared by its jobs.  Locks: 'lock' guards the fields; a unit's lock may be
 * taken under it, not the other way round.
 */
#ifndef SLUICE_UNIT_SHARDS_H
#define SLUICE_UNIT_SHARDS_H

#include "node/node.h"
#include "unit/shard/shard_store.h"
#include "unit/shard/shard_tried.h"

struct shards;

/* "locks"; one reference, the caller's. */
struct shards *shards_new(void);
struct node *shards_node(struct shards *s);
struct shards *shards_ref(struct shards *s);
void shards_unref(struct shards *s);                /* NULL is fine */
struct shard_tried *shards_tried(struct shards *s); /* borrowed */
/* The task ends or begins anew: lets go of jobs, shows no lock. */
void shards_clear(struct shards *s);

extern const struct node_type shards_type, shard_lock_type;

/* A source is at work: 'wake' is called, from any thread, when it is to read some table again. */
void shards_enter(struct shards *s, const struct job *job, void (*wake)(void *arg), void *arg);
void shards_leave(struct shards *s, const void *arg);

/* Groups are read from the target by several at once, and who read first may speak last. So whoever
 * has changed one says so, then takes the generation, then reads:
 *
 *     shards_moved(s);
 *     at = shards_generation(s);
 *     shard_store_read(c, job, &rows, err);
 *     shards_tell(s, &rows, at, me);
 *
 * What was read at 'at' has all that was said before, and is not shown once something newer is. One
 * who knows groups as of 'at' looks again when the generation is another one. */
uint64_t shards_generation(const struct shards *s);
void shards_moved(struct shards *s);
/* Shows the locks among them. */
void shards_show(struct shards *s, const struct shard_rows *rows, uint64_t at);
/* The same, and wakes who has tables to read again, but for 'but' (NULL: nobody). */
void shards_tell(struct shards *s, const struct shard_rows *rows, uint64_t at, const char *but);

/* Of one source, for its subtask: ids of locks that it waits in, joined by ','; statements; of
 * those that can never pass by themselves [{reason, conflict}]; and [{target, DDLs, first_location,
 * synced, unsynced}].  New references. */
json_t *shards_lock_ids(struct shards *s, const char *source);
json_t *shards_blocking(struct shards *s, const char *source);
json_t *shards_conflicts(struct shards *s, const char *source);
json_t *shards_unresolved(struct shards *s, const char *source);

#endif
