/*
 * quote.h - SQL text with its names and values quoted.
 *
 *     sql_add(&b, "DELETE FROM %i.%i WHERE task = %q AND n < %u", db, table, task, n);
 *
 * %i an identifier, %q a string (NULL gives NULL), both const char *; %u a
 * uint64_t; %r text as it is; %% a percent sign.
 */
#ifndef SLUICE_MYSQL_QUOTE_H
#define SLUICE_MYSQL_QUOTE_H

#include <stdint.h>

#include "mysql/conn.h"

struct buf;
void sql_quote(struct buf *out, struct slice text); /* 'text', with backslashes */
void sql_ident(struct buf *out, struct slice name); /* `name` */
void sql_text(struct buf *out, const char *text);   /* _utf8mb4'...': to compare with names */
/* `db`.`name`; 'name' NULL: `db` alone. */
void sql_table(struct buf *out, const char *db, const char *name);

void sql_add(struct buf *out, const char *fmt, ...);

/* The same, run at once. */
int sql_exec(struct mysql_conn *c, struct err *err, const char *fmt, ...);
int sql_query(struct mysql_conn *c, struct mysql_result **ret, struct err *err, const char *fmt,
              ...); /* buffered */
/* First column of the first row, caller frees, "" for NULL; -ENOENT without a row. */
int sql_scalar(struct mysql_conn *c, char **ret, struct err *err, const char *fmt, ...);

/* Column 'col' of a row as a string, caller frees, NULL for NULL; and as a number, 0 for NULL. */
char *mysql_row_text(const struct mysql_row *row, unsigned col);
uint64_t mysql_row_u64(const struct mysql_row *row, unsigned col);

#endif
