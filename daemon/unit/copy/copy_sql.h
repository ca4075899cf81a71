/*
 * copy_sql.h - SQL text with its names and values quoted.
 *
 *     copy_sql(&b, "DELETE FROM %i.%i WHERE task = %q AND n < %u", db, table, task, n);
 *
 * %i an identifier, %q a string (NULL gives NULL), both const char *; %u a
 * uint64_t; %r text as it is; %% a percent sign.
 */
#ifndef SLUICE_UNIT_COPY_SQL_H
#define SLUICE_UNIT_COPY_SQL_H

#include <stddef.h>
#include <stdint.h>

#include "mysql/conn.h"

void copy_sql(struct buf *out, const char *fmt, ...);

/* The same, run at once. */
int copy_sql_exec(struct mysql_conn *c, struct err *err, const char *fmt, ...);
int copy_sql_query(struct mysql_conn *c, struct mysql_result **ret, struct err *err,
                   const char *fmt, ...); /* buffered */
/* First column of the first row, caller frees; -ENOENT without a row. */
int copy_sql_scalar(struct mysql_conn *c, char **ret, struct err *err, const char *fmt, ...);
/* Column 'col' of a row as a string; NULL for NULL. */
char *copy_row_text(const struct mysql_row *row, unsigned col);
uint64_t copy_row_u64(const struct mysql_row *row, unsigned col);

#endif
