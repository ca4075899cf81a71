/*
 * precheck_fit.h - would a column of the target change values without an error?
 *
 * Sessions are strict, so a value that does not fit stops the task.  Some servers
 * take and change all the same: bytes of another character set, the index of an
 * ENUM with other members, digits that are rounded away.  A table that was at the
 * target before the task is looked at for these.  Pure.
 */
#ifndef SLUICE_UNIT_PRECHECK_FIT_H
#define SLUICE_UNIT_PRECHECK_FIT_H

#include "mysql/table.h"

/* What would become of values, as the end of a sentence; NULL: all arrive, or are refused. */
const char *column_misfit(const struct table_column *from, const struct table_column *to);
/* Are values equal for the collation 'to' that 'from' tells apart, as far as their names say? */
bool collation_is_coarser(const char *from, const char *to);

#endif
