/*
 * sync_merge.h - what a run of changes to one table comes down to.
 *
 * Changes are merged by row key, byte by byte: a row image of the
 * source is exact, so the row that a change found is the one with the very same
 * key bytes that the change before it left.  The result is, for each key, at most
 * one DELETE and one UPDATE or INSERT.  Written to the target in the order
 * DELETE, UPDATE, INSERT they cannot collide on any unique key, because an UPDATE
 * here never changes one: whatever does becomes a DELETE and an INSERT.
 *
 * What cannot be merged (a change that moves a row but has not all columns) is
 * refused, and from then on the table is ordered: sync_group.h.
 *
 * Shards, tables of the source that are one at the target, are merged as one table.  A row may go
 * in one and then come in another; anything else means that two have the same key at a time, and is
 * refused too: the target is to say so.
 *
 * Where the target may be ahead of the stream ('safe'), a row that came and went
 * is a DELETE: the target may have been left, or copied, while it was there.
 *
 * Values are borrowed; they must outlive the merge.  Pure; one thread at a time.
 */
#ifndef SLUICE_UNIT_SYNC_MERGE_H
#define SLUICE_UNIT_SYNC_MERGE_H

#include "base/arena.h"
#include "binlog/rows.h"
#include "sink/target.h"

enum net {
    NET_NOTHING, /* came and went */
    NET_INSERT,
    NET_UPDATE,
    NET_DELETE,
    NET_REPLACE, /* DELETE of 'gone', INSERT of 'row' */
};

struct merge_entry {
    uint64_t hash;
    enum net net;
    const struct target_table *of; /* the shard that the last change was in */
    struct value *row;             /* as statement.h has them */
    const struct value *gone;      /* NET_REPLACE: the row before */
};

struct merge {
    const struct target_table *table;
    const struct target_table *of; /* the shard whose change is added next */
    bool safe; /* the target may have changes of the group, and later ones, already */
    struct merge_entry *entries; /* in the order of their first change */
    size_t n_entries, cap_entries;
    uint32_t *index; /* by hash: 1 + number of the entry; 0 free */
    size_t index_size;
};

void merge_init(struct merge *m, const struct target_table *t);
void merge_fini(struct merge *m);
void merge_clear(struct merge *m); /* empty; memory kept */

/* Adds one change.  'row' is as statement.h has it and may be changed later;
 * 'arena' is for what has to be made.  False: it cannot be merged, nothing was done. */
bool merge_add(struct merge *m, enum rows_kind kind, struct value *row, struct arena *arena);

/* The rows to be deleted, updated or inserted.  'ret' has room for n_entries; returns how many. */
size_t merge_rows(const struct merge *m, enum rows_kind kind, const struct value **ret);

#endif
