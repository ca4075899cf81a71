/*
 * sync.h - follows the binlog of a source into a target.
 *
 *     sync_reader.c   stream -> events -> whole transactions        one thread, the unit's owner
 *     sync_table.c    what a table id means here and at the target
 *     schema_store.c   ... what is kept of it, and definitions set by hand
 *     sync_mode.h     transactions of the source -> those of the target, in three ways
 *     sync_order.c    ... in order, some together or each alone      a second thread
 *     sync_parallel.c ... over several sessions                      a thread each
 *     sync_queue.c    transactions -> groups                         between the threads
 *     sync_schedule.c transactions -> batches that may run side by side
 *     sync_conflict.c what a transaction touches
 *     sync_ledger.c   how far the target is when they end out of order
 *     sync_applied.c  ... and what it has beyond, kept in the target
 *     sync_group.c    rows -> what they come down to
 *     sync_apply.c    group -> one transaction of the target
 *     sync_ddl.c      statements that commit by themselves, once
 *     sync_operator.c what an operator wants done about one of them
 *     sync_ddl_look.c what tables look like, and what a statement would make of them
 *     sync_spill.c    transactions too large for memory
 *     sync_xa.c       prepared transactions
 *     sync_aside.c    tables that were set aside (quarantine)
 *     sync_node.h     the node: rows, those in DM's words (sync_status.c), actions
 *
 * The target's checkpoint row says where to go on (sink/checkpoint.h), so a run
 * may end at any moment, by kill -9 too.
 */
#ifndef SLUICE_UNIT_SYNC_H
#define SLUICE_UNIT_SYNC_H

#include "unit/job.h"
#include "unit/unit.h"

/* A unit called "sync" for 'job', of which it keeps a reference.  It starts from the
 * target's checkpoint; else from job->start; else from where the full copy left off; else from
 * the source's present position.  The node goes below tasks/<t>/sources/<s>/. */
struct unit *sync_new(const struct job *job);

extern const struct node_type sync_type;

/* What a struct sync owns, for who embeds one (a drainer); the unit is its own business. */
struct sync;
void sync_fini(struct sync *s);

/* The target's list of tables to be copied again has changed: refill.h.  Any thread. */
void sync_reload(struct unit *u);
/* Up to where the target has everything; no set, file "" while it never ran.  Any thread. */
void sync_position(struct unit *u, struct position *ret);
/* ... as a set of GTIDs, in text; "" where it knows none.  The caller's. */
char *sync_gtids(struct unit *u);
/* What it says of them: an array; a new reference. */
json_t *sync_copied_again(struct unit *u);

/* Forgets the position, and all else that the target and the store keep for this job. The unit
 * must not run. */
int sync_forget(const struct job *job, struct err *err);

/* Commit at the source to now of the oldest transaction that the target lacks; 0 when there is
 * none; <0 while it does not run and does not know.  Any thread. */
double sync_lag_seconds(struct unit *u);
/* Where it is, or was when it ended, as {file, offset, gtid}, a new reference; NULL: it never was
 * anywhere.  And for one that has not run: what is shown until it does. */
json_t *sync_place(struct unit *u);
void sync_show_place(struct unit *u, const json_t *place);
/* 'u', which is new, goes on where 'before' ended: it is as far behind until it knows better. */
void sync_succeeds(struct unit *u, struct unit *before);

#endif
