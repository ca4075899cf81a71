/*
 * forget.h - removes what the target and the store keep of a task: checkpoints,
 * the copy's state, prepared transactions.
 */
#ifndef SLUICE_UNIT_FORGET_H
#define SLUICE_UNIT_FORGET_H

#include <jansson.h>
#include <stdint.h>

#include "base/err.h"

struct job;
struct store;

/* Of one source of a task that does not run.  Asks the target: takes seconds. */
int forget_job(const struct job *job, struct err *err);

/* Of a deleted task, all its sources, in the background, unless its document says
 * remove_meta_on_delete: false.  A target that is not there is tried again for ten minutes, then
 * the log says what to type.  'store' outlives forget_stop(). */
void forget_later(const json_t *doc, struct store *store);
/* Waits until no deleted task of this name is left to forget.  0 or -ETIMEDOUT. */
int forget_wait(const char *task, int64_t timeout_ms);
/* Ends the background thread; what was not done is logged. */
void forget_stop(void);

#endif
