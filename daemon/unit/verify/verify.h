/*
 * verify.h - are the rows of the target those of the source?  tasks/<t>/verify/.
 *
 *     verify_plan.c     which tables, and how each is compared
 *     verify_expr.c     a row as text that is the same at both ends
 *     verify_read.c     sums and rows, computed by the servers
 *     verify_compare.c  a table: chunks, suspects, proof
 *     verify_wait.c     the stream's place, the rate
 *     verify_state.c    what the target remembers
 *     verify_run.c      one run over all tables
 *     verify_repair.c   rows that differ, copied again
 *     verify_kept.c     what is wanted, and was shown, across restarts
 *     verify.c          the unit and its files
 *     verify_follow.h   continuous verification, below it
 *
 * The servers make the sums; only what differs is read here.  Both ends go on meanwhile: a row is
 * reported once the target was asked after it had caught up with what the source had said, and
 * the source still says the same, twice.  Rows that change all the time are counted as unsettled.
 *
 * Tables with a key in whose order both ends can be read are compared by its ranges.  All others
 * are compared as multisets of rows' hashes: what differs is told by hash and count.
 */
#ifndef SLUICE_UNIT_VERIFY_H
#define SLUICE_UNIT_VERIFY_H

#include "base/err.h"
#include "node/node.h"

struct job;
struct task;
struct verify;

extern const struct node_type verify_type;

/* For 'task', below which its node goes; it keeps a reference of it until it is taken out. */
struct verify *verify_new(struct task *task);
struct node *verify_node(struct verify *v);

/* The daemon starts: what ran goes on. */
void verify_resume(struct verify *v);
/* Asks it to return, without changing what is wanted; verify_wait() waits.  0 or -ETIMEDOUT. */
void verify_halt(struct verify *v);
int verify_wait(struct verify *v, int64_t timeout_ms);
/* The task was deleted: what is kept here, and what the target keeps for one of its sources. */
void verify_drop(struct verify *v);
int verify_forget(const struct job *job, struct err *err);

#endif
