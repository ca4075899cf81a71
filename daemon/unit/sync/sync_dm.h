/*
 * sync_dm.h - the checkpoint table of DM, beside our own.
 *
 * <meta_schema>.<task>_syncer_checkpoint has, for each source, a row with DM's columns: what tools
 * that know DM read.  It is written every half minute, and when sync ends, by a connection of its
 * own, so no transaction waits for it; our own row, which is written with every transaction, stays
 * the authority. Its position is one that the target has, so DM may go on from it: in its safe mode
 * unless the row says, as DM's do after a clean end, that nothing beyond it was applied
 * (exit_safe_*).
 *
 * The other way round, a task that has no checkpoint of ours and finds DM's (unit/dm_left.h) goes
 * on from there: in safe mode up to where the source is then, since DM may have applied some of
 * that already.
 */
#ifndef SLUICE_UNIT_SYNC_DM_H
#define SLUICE_UNIT_SYNC_DM_H

#include "unit/sync/sync_priv.h"

/* Safe mode from here up to 'end', kept in the store. */
int dm_safe_until(struct sync_run *r, const struct position *end, struct err *err);
/* At the start: is a safe mode from before still on? */
int dm_safe_load(struct sync_run *r, struct err *err);

/* Makes the table; a task with a name too long for one, or at a target that refuses it, goes
 * without. */
int dm_checkpoint_open(struct sync_run *r, struct err *err);
/* Any thread, at any time, by a connection of its own: once it is due. */
void dm_checkpoint_pulse(struct sync_run *r);
/* The reader's, when the run ends. */
void dm_checkpoint_close(struct sync_run *r);
int dm_checkpoint_forget(struct mysql_conn *c, const struct job *job, struct err *err);

#endif
