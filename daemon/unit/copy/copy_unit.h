/*
 * copy_unit.h - the two stages of a full copy as units: dump reads the source,
 * load fills the target.
 *
 * Rows go straight from one to the other, so both are one copy (copy.h), which
 * the dump's thread runs; the load's thread waits for its end.  What fails at
 * either end is the dump's error and is retried there; its sentence says where
 * it was.  The load shows what has arrived.
 *
 * A dump into a folder has no load, and a load from a folder no dump: the one
 * that there is does the work.
 */
#ifndef SLUICE_UNIT_COPY_UNIT_H
#define SLUICE_UNIT_COPY_UNIT_H

#include "unit/job.h"
#include "unit/unit.h"

/* New units, one reference each: the caller's.  The load shares the dump's
 * copy; either may go first.  'dump' is NULL where there is none. */
struct copy_way;
struct unit *copy_new_dump(const struct job *job, const struct copy_way *way);
struct unit *copy_new_load(const struct job *job, const struct copy_way *way, struct unit *dump);

extern const struct node_type dump_type, load_type;

#endif
