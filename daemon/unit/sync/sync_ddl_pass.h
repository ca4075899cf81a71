/*
 * sync_ddl_pass.h - a DDL that the target refuses because it has done what it says already: the
 * table is there, the column is, the index is not (DM passes over all of these).
 *
 * Passed over only if the target's tables are what the statement would have made of them, which is
 * tried on empty tables in a schema of their own (sync_ddl_look.h): what the target has under the
 * name is taken away there, the statement is run, and the outcome is to be as the target is now.
 */
#ifndef SLUICE_UNIT_SYNC_DDL_PASS_H
#define SLUICE_UNIT_SYNC_DDL_PASS_H

#include <stdbool.h>

#include "base/err.h"
#include "binlog/query.h"
#include "route/ddl.h"

struct sync_run;

/* DM's list. */
bool sync_ddl_ignorable(const struct err *why);
/* After a refusal of that list. 1: the target is as if it had run; 0: it is otherwise. */
int sync_ddl_has_it(struct sync_run *r, const struct query *q, const struct ddl *d,
                    const struct err *why, struct err *err);

#endif
