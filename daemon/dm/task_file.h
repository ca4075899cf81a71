/*
 * task_file.h - DM's task files (task.yaml) as documents of tasks, and back: `cp task.yaml
 * tasks/T/config`, and the converters of DM's API.
 *
 * Such a file names its rules in sections (routes, filters, ...) and lets each instance call some.
 * A document has rules by source:
 *
 *   block-allow-list   a rule for each schema and table that a source is to give; without such a
 *                      list, one for all
 *   routes             a rule with a target, each
 *   filters            are those of the rules with their patterns; else a rule each
 *
 * Rules bring tables in, so where they would bring in what the list leaves out (a list of what is
 * ignored; a route wider than it), the document has the list, too: block_allow_list.
 *
 * Pure.  Source: "DM Advanced Task Configuration File"; dm/config of pingcap/tiflow.
 */
#ifndef SLUICE_DM_TASK_FILE_H
#define SLUICE_DM_TASK_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Has it the keys of such a file? */
bool task_file_is(const json_t *doc);
/* A new document; -EINVAL for what it says and no document can, or DM itself refuses: with a
 * reason (REASON_FILE_..., REASON_SAME_SOURCE) where DM has a number for it. */
int task_file_read(const json_t *file, json_t **ret, struct err *err);
/* A new file of a document.  -ENOTSUP for what no file can say. */
int task_file_write(const json_t *doc, json_t **ret, struct err *err);

#endif
