/*
 * dm_left.h - what DM left at the target of a task of the same name, in its meta schema.
 *
 *   <task>_syncer_checkpoint           where sync was: a task of ours goes on from there, without
 *                                      a copy
 *   <task>_lightning_checkpoint_list   whether the load is finished; older releases have
 *   <task>_loader_checkpoint           the files that it had, and how far it was in each
 *   <task>_onlineddl                   changes by gh-ost or pt-osc that were under way
 *
 * A task that has been at work here before looks at its own tables, and finds nothing: the first
 * of DM's is written by us, too (sync/sync_dm.h).
 *
 * Source: dm/syncer/checkpoint.go, dm/loader/checkpoint.go of pingcap/tiflow.
 */
#ifndef SLUICE_UNIT_DM_LEFT_H
#define SLUICE_UNIT_DM_LEFT_H

#include "unit/job.h"

enum dm_load { DM_LOAD_NONE, DM_LOAD_UNFINISHED, DM_LOAD_FINISHED };

struct dm_left {
    bool sync;          /* it has followed the binlog: 'at' is where it was */
    struct position at; /* file and offset, a GTID set, or both */
    enum dm_load load;
    unsigned n_online; /* online schema changes under way */
};

/* Asks the target.  'flavor' is the source's.  'ret' is to be fini'ed if it succeeds. */
int dm_left_read(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                 struct dm_left *ret, struct err *err);
void dm_left_fini(struct dm_left *left);

/* The position alone, whoever wrote it: 1, or 0 without one.  'ret' is set and to be fini'ed if
 * it is 1. */
int dm_left_position(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                     struct position *ret, struct err *err);
/* "<task>_<what>", the caller frees; NULL if no table can be called so. */
char *dm_left_table(const struct job *job, const char *what);

#endif
