/*
 * tasks.h - the collection tasks/, and what the daemon does with it.
 *
 *     tasks = tasks_new(&config, err);  node_add(root, tasks, err);
 *     tasks_start(tasks);               what ran when the daemon ended runs again
 *     ...
 *     tasks_stop(tasks);                every unit has returned; nothing is forgotten
 *
 * A task is a document (task_doc.h), kept in the catalog together with what was
 * last asked of it, and one subtask for each of its sources, made when it
 * starts.  task_plan.h says what happens when.
 */
#ifndef SLUICE_UNIT_TASKS_H
#define SLUICE_UNIT_TASKS_H

#include "node/node.h"

struct catalog;
struct store;

struct tasks_config {
    struct catalog *catalog; /* all borrowed, until the last task is released */
    struct store *store;
    struct node *sources; /* unit/source/source.h */
};

/* For the root's parts, /schema and the manual. */
const struct node_type *tasks_type(void);

/* With every task of the catalog in it; one reference, the caller's.  A task whose document does
 * not open is skipped and logged. */
struct node *tasks_new(const struct tasks_config *c, struct err *err);
void tasks_start(struct node *tasks);
void tasks_stop(struct node *tasks);

/* For sources_on_users(): which tasks read a source. */
json_t *tasks_users(void *tasks, const char *source);
/* For sources_on_switched(). */
void tasks_source_switched(void *tasks, const char *source, bool on);

#endif
