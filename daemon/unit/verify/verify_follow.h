/*
 * verify_follow.h - tasks/<t>/verify/continuous/: each row that sync has written is looked at, once
 * the target has it; DM's validator.
 *
 *     verify_pending.c  keys of changed rows
 *     verify_follow.c   the run: look at them, look again at those that differ
 *     verify_since.c    what changed before it ran: from where the binlog is read again
 *     verify_past.h     ... and how
 *     verify_place.c    up to where all was looked at, in the store
 *     verify_marks.c    tables of which rows are suspected, or that cannot be told so, in the store
 *     verify_again.c    all rows of those tables
 *     verify_cutover.c  places after which the target is to be used
 *     verify_error.c    rows that stay different: new, ignored, resolved; kept at the target
 *     verify_node.c     the unit and its files; verify_follow_action.c its actions
 *
 * 'full' compares values, 'fast' whether the row is there.  A row that differs is looked at again
 * until it does not, or has for row_error_delay_seconds: then it is an error row.
 */
#ifndef SLUICE_UNIT_VERIFY_FOLLOW_H
#define SLUICE_UNIT_VERIFY_FOLLOW_H

#include "node/node.h"

struct task;
struct verify_follow;

extern const struct node_type verify_follow_type;

/* Not in the tree yet, one reference, the caller's; holds the task until its release. */
struct verify_follow *verify_follow_new(struct task *task);
struct node *verify_follow_node(struct verify_follow *f); /* borrowed */
/* The daemon starts: its settings are those that were kept, and it runs if it did. */
void verify_follow_resume(struct verify_follow *f);
/* The task, or the daemon, ends: asks it to stop; waits for that: 0 or -ETIMEDOUT (unit_wait()). */
void verify_follow_halt(struct verify_follow *f);
int verify_follow_wait(struct verify_follow *f, int64_t timeout_ms);
/* The task is removed: what was kept of it goes. */
void verify_follow_drop(struct verify_follow *f);

#endif
