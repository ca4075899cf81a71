/*
 * task_again.h - tables that join a task while it runs, or are copied once more: the actions
 * add_table and resnapshot of tasks/<t>/.  The sync unit of the source does the work
 * (unit/refill); its file copied_again, and the task's tables, show how far it is.
 */
#ifndef SLUICE_UNIT_TASK_AGAIN_H
#define SLUICE_UNIT_TASK_AGAIN_H

#include "node/node.h"

extern const struct attr task_add_table_params[], task_resnapshot_params[];
/* As actions are run (node.h).  They return once the source's sync has it on its list: -EINVAL,
 * -ENOENT, -EEXIST for the wrong one of the two, -EBUSY before sync is at work. */
int task_run_add_table(struct node *n, const json_t *args, struct err *err);
int task_run_resnapshot(struct node *n, const json_t *args, struct err *err);

#endif
