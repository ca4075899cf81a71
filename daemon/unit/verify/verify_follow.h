/*
 * verify_follow.h - tasks/<t>/verify/continuous/: each row that sync has written is looked at, once
 * the target has it; DM's validator.
 *
 *     verify_pending.c  keys of changed rows
 *     verify_follow.c   the run: look at them, look again at those that differ
 *     verify_error.c    rows that stay different: new, ignored, resolved; kept at the target
 *     verify_node.c     the unit and its files
 *
 * 'full' compares values, 'fast' whether the row is there.  A row that differs is looked at again
 * until it does not, or has for row_error_delay_seconds: then it is an error row.  After kill -9
 * the rows of the last second are not looked at; a comparison of all rows finds what is wrong with
 * them.
 */
#ifndef SLUICE_UNIT_VERIFY_FOLLOW_H
#define SLUICE_UNIT_VERIFY_FOLLOW_H

#include "node/node.h"

struct task;
struct verify_follow;

extern const struct node_type verify_follow_type;

struct verify_follow *verify_follow_new(struct task *task);
struct node *verify_follow_node(struct verify_follow *f);
void verify_follow_resume(struct verify_follow *f);
void verify_follow_halt(struct verify_follow *f);
int verify_follow_wait(struct verify_follow *f, int64_t timeout_ms);
void verify_follow_drop(struct verify_follow *f);

#endif
