/*
 * shards_priv.h - what the files behind shards.h share.
 *
 *     shards.c      what the sources of a task have in common, and which locks are shown
 *     shard_lock.c  one lock: its rows, and what the operator says of it
 */
#ifndef SLUICE_UNIT_SHARDS_PRIV_H
#define SLUICE_UNIT_SHARDS_PRIV_H

#include "base/thread.h"
#include "unit/shard/shards.h"

struct entrant; /* a source at work */

struct shards {
    struct node node;
    struct mutex showing; /* one thread at a time makes and removes locks */
    uint64_t shown_at;    /* under it: the generation of what is shown */
    struct mutex lock;
    struct entrant *entrants GUARDED;
    unsigned n_entrants GUARDED;
    const struct job *job GUARDED; /* of the last that came: where the target is; or NULL */
    struct shard_tried *tried;
    _Atomic uint64_t generation;
};

/* tasks/<t>/locks/<id>/ */
struct shard_lock {
    struct node node;
    struct shards *shards;
    char *schema, *table; /* at the target */
    struct mutex lock;
    json_t *shown GUARDED; /* attributes by name */
};

static inline struct shard_lock *shard_lock_of(const struct node *n)
{
    return node_owner((struct node *)n, struct shard_lock, node);
}

#endif
