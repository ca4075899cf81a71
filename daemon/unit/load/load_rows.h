/*
 * load_rows.h - the rows of a table's files, as those of a SELECT would come.
 *
 * A range of a table is a run of its files (read_range.low and .high, as
 * numbers); where it goes on is FILE:BYTE, the end of the last row that was
 * committed.  A file is always read from its beginning, so that what its head
 * says holds, and its hash covers all of it.
 */
#ifndef SLUICE_UNIT_LOAD_ROWS_H
#define SLUICE_UNIT_LOAD_ROWS_H

#include "unit/copy/copy_engine.h"

struct load_rows;

/* Sets the time zone of the worker's session at the target to the files'. */
int load_rows_open(struct load_rows **ret, struct copy_worker *w, const struct copy_table *t,
                   const struct read_range *r, struct err *err);
int load_rows_next(struct load_rows *l, struct mysql_row *row, struct err *err); /* 1, 0, <0 */
void load_rows_at(const struct load_rows *l, struct buf *out);
void load_rows_free(struct load_rows *l); /* NULL is fine */

#endif
