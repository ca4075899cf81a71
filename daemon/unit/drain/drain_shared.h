/*
 * drain_shared.h - do several pumps write to one table of the target?
 *
 * Shards that are merged, and servers that replicate from one another, do.  Neighbouring
 * transactions of different sources then must not be merged: each source has its own idea of the
 * table, and within a group only changes of one idea are in order.
 *
 * The thread that reads the stream.
 */
#ifndef SLUICE_UNIT_DRAIN_SHARED_H
#define SLUICE_UNIT_DRAIN_SHARED_H

#include "unit/drain/drain_feed.h"

struct drain_shared;
struct router;

struct drain_shared *drain_shared_new(const struct router *router); /* borrowed */
void drain_shared_free(struct drain_shared *s);                     /* NULL is fine */
/* A TABLE_MAP event of the lane. */
void drain_shared_see(struct drain_shared *s, const struct drain_lane *lane,
                      const struct event *ev);
bool drain_shared_any(const struct drain_shared *s);

#endif
