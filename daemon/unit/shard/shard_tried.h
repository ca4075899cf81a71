/*
 * shard_tried.h - what statements make of tables, as the target said when it was last asked.
 *
 * To ask it means a schema, a table and a statement there; shards that are alike come to the same
 * statement one after the other.  A few answers are kept, by all that they depend on.
 *
 * Shared by the sources of a task; any thread.
 */
#ifndef SLUICE_UNIT_SHARD_TRIED_H
#define SLUICE_UNIT_SHARD_TRIED_H

#include "base/slice.h"

struct shard_tried;

struct shard_tried *shard_tried_new(void);
void shard_tried_free(struct shard_tried *t);
void shard_tried_clear(struct shard_tried *t); /* the target may be another one */
/* The table after it; NULL: not known.  Caller frees. */
char *shard_tried_find(struct shard_tried *t, struct slice key);
void shard_tried_add(struct shard_tried *t, struct slice key, struct slice after);

#endif
