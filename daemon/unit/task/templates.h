/*
 * templates.h - templates/: documents of tasks that are none, to make tasks from.
 *
 * A template is checked as a task's document is, but its sources need not be there.  It is kept
 * in the catalog, its password sealed.
 */
#ifndef SLUICE_UNIT_TEMPLATES_H
#define SLUICE_UNIT_TEMPLATES_H

#include "base/err.h"

struct catalog;
struct node;
struct node_type;

extern const struct node_type templates_type;

/* With those of the catalog in it; one reference, the caller's.  'tasks' is where tasks are made
 * from them and taken from; both are borrowed until the last template is released. */
struct node *templates_new(struct catalog *catalog, struct node *tasks, struct err *err);

#endif
