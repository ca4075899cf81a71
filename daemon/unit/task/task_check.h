/*
 * task_check.h - the unit that asks both servers, before a task starts, whether it can work.
 */
#ifndef SLUICE_UNIT_TASK_CHECK_H
#define SLUICE_UNIT_TASK_CHECK_H

#include "unit/unit.h"

struct job;
struct subtask;

/* Its report goes to the subtask, which outlives its run. */
struct unit *check_new(struct subtask *s);
extern const struct node_type check_type;

/* The same at once, on the caller's thread: seconds.  0 when nothing failed; -EINVAL with the
 * first line that did; other errors when the check could not be made.  The report is kept
 * anyway. */
int check_run(struct subtask *s, struct err *err);

#endif
