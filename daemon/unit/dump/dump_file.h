/* dump_file.h - inside a dump into a folder: how rows become files. */
#ifndef SLUICE_UNIT_DUMP_FILE_H
#define SLUICE_UNIT_DUMP_FILE_H

#include "unit/copy/copy_engine.h"

/* What every file of rows begins with. */
extern const char dump_data_head[];

/* The rows of 't' that 'result' has.  -EAGAIN: the table changed. */
int dump_result(struct copy *c, struct copy_table *t, struct mysql_result *result, struct err *err);

/* Of dump_way: a range of 't' becomes files; and after the last one. */
int dump_rows(struct copy_worker *w, struct copy_table *t, struct read_range *r, struct err *err);
int dump_end(struct copy_worker *w, struct copy_table *t, struct err *err);

#endif
