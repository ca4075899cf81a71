/* load_priv.h - inside a load: what load_way (load_table.c) is made of. */
#ifndef SLUICE_UNIT_LOAD_PRIV_H
#define SLUICE_UNIT_LOAD_PRIV_H

#include "unit/copy/copy_engine.h"

/* load_run.c */
int load_run(struct copy *c, struct err *err);
void load_fini(struct copy *c); /* the folder goes */

/*
 * load_rows.c: the rows of a table's files, as those of a SELECT would come.
 *
 * A range of a table is a run of its files (read_range.low and .high, as
 * numbers); where it goes on is FILE:BYTE, the end of the last row that was
 * committed.  A file is always read from its beginning, so that what its head
 * says holds, and its hash covers all of it.
 */
/* Sets the time zone of the worker's session at the target to the files'. */
int load_rows_open(struct copy_rows *rows, const struct read_range *r, bool ordered,
                   struct err *err);
int load_rows_next(struct copy_rows *rows, struct mysql_row *row, struct err *err);
void load_rows_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out);
void load_rows_close(struct copy_rows *rows, bool broken);

#endif
