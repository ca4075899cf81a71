/*
 * task_file.h - DM's task files (task.yaml) as documents of tasks: `cp task.yaml tasks/T/config`.
 *
 * Such a file names its rules in sections (routes, filters, ...) and lets each instance call some.
 * A document has rules by source, so each source gets a rule that covers all, one for each route
 * and one for each filter that it calls; what the block-allow-list leaves out is left out after
 * that.  Pure.
 */
#ifndef SLUICE_UNIT_TASK_FILE_H
#define SLUICE_UNIT_TASK_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Has it the keys of such a file? */
bool task_file_is(const json_t *doc);
/* A new document; -EINVAL for what it says and no document can. */
int task_file_read(const json_t *file, json_t **ret, struct err *err);

#endif
