/*
 * drain_merge.h - which of several ordered streams comes next.
 *
 * A lane is one pump's stream of commit timestamps, growing.  What is taken next is the least of
 * all heads, and only once every lane has a head or has promised not to come with an earlier one
 * ('safe': no later item will have a timestamp up to it).  So a lane that stands still holds all
 * others up (a paused pump) until it goes on or is taken out (an offline one).
 *
 * Equal timestamps are two transactions of two sources: both are taken, in the order of the lanes'
 * names, and a place in the merged stream is (timestamp, name of the lane), or (timestamp, all
 * lanes).  Lanes that come later begin after that place.
 *
 * Pure; one thread.
 */
#ifndef SLUICE_UNIT_DRAIN_MERGE_H
#define SLUICE_UNIT_DRAIN_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drain_place {
    uint64_t ts;
    const char *lane; /* NULL: all lanes */
};

struct drain_merge;

struct drain_merge *drain_merge_new(void);
void drain_merge_free(struct drain_merge *m); /* NULL is fine */

/* Lanes keep their number; 'name' is copied and not yet there. */
unsigned drain_merge_add(struct drain_merge *m, const char *name);
void drain_merge_remove(struct drain_merge *m, unsigned lane);

/* The lane's next item has this timestamp; it has no head. */
void drain_merge_head(struct drain_merge *m, unsigned lane, uint64_t ts);
/* It has no head, and none up to 'ts' will come. */
void drain_merge_safe(struct drain_merge *m, unsigned lane, uint64_t ts);

/* 1: take *lane's head: it is taken, and has no head any more.  0: not yet; *lane is the one that
 * is waited for.  -1: there are no lanes. */
int drain_merge_take(struct drain_merge *m, unsigned *lane);
/* Would not take anything up to this: every item up to it was taken.  0 without lanes. */
uint64_t drain_merge_done(const struct drain_merge *m);

/* Is the item at (ts, lane) after the place? */
bool drain_place_before(const struct drain_place *p, uint64_t ts, const char *lane);

#endif
