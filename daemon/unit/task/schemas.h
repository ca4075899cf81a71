/*
 * schemas.h - tasks/<t>/sources/<s>/schemas/<db>/<table>.sql: the definitions by which sync knows
 * the columns of the rows, as files.
 *
 * Reading one shows the definition that was set, else that of the target's table under the name of
 * the source's; writing one sets it (while sync does not run), removing it lets sync find out anew.
 */
#ifndef SLUICE_UNIT_SCHEMAS_H
#define SLUICE_UNIT_SCHEMAS_H

#include "base/err.h"

struct node_type;
struct subtask;

extern const struct node_type schemas_type;

int schemas_add(struct subtask *s, struct err *err); /* the directory below it */
void schemas_clear(struct subtask *s);               /* so that it can go */

#endif
