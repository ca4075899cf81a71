/*
 * statement.h - SQL that changes rows, as text.
 *
 * Pure: values in, text out.  Three shapes: one statement for one row, one for
 * many rows, and one with '?' for a prepared statement that is then executed for
 * many rows at once.
 *
 * A row is an array of values in the order of the source's columns: for an
 * INSERT what is inserted, for a DELETE what was there, for an UPDATE first all
 * columns after it, then all columns before it.  Columns that are VALUE_ABSENT
 * are left alone.
 */
#ifndef SLUICE_SINK_STATEMENT_H
#define SLUICE_SINK_STATEMENT_H

#include "base/buf.h"
#include "binlog/rows.h"
#include "sink/target.h"

enum statement_insert { STATEMENT_INSERT, STATEMENT_REPLACE };

/* One statement for one row; without ';'.  A keyless table is matched on all
 * columns, bytes by bytes, LIMIT 1. */
void statement_row(const struct target_table *t, enum rows_kind kind, enum statement_insert how,
                   const struct value *row, struct buf *out);

/* One statement for many rows that all have the same columns; without ';'.
 * Stops early when 'out' has grown by 'max_size'.  Returns how many rows went in, at least one.
 * The caller made sure that statement_many_ok() says so. */
size_t statement_rows(const struct target_table *t, enum rows_kind kind, enum statement_insert how,
                      const struct value *const *rows, size_t n_rows, size_t max_size,
                      struct buf *out);
/* INSERT always; DELETE of tables with a key; UPDATE, by joining with a VALUES list, on
 * MySQL 8.0.19 and later where all parts of the key are numbers, so that the key is searched. */
bool statement_rows_ok(const struct target_table *t, enum rows_kind kind, bool has_values_list);

/* Text with '?', and which value each stands for: an index into the row.  'params' has room
 * for 2 * n_cols; returns how many.  For rows with all columns. */
unsigned statement_prepared(const struct target_table *t, enum rows_kind kind,
                            enum statement_insert how, bool json_convert, struct buf *out,
                            unsigned *params);

/* Does the row have every column that is written? */
bool statement_full(const struct target_table *t, const struct value *row);
/* Bytes of a row's values, about. */
size_t statement_row_size(const struct target_table *t, enum rows_kind kind,
                          const struct value *row);
/* A column of the row is ENUM index 0, which strict mode refuses. */
bool statement_needs_lenient(const struct target_table *t, const struct value *row);

void statement_literal(const struct target_column *c, const struct value *v, struct buf *out);

#endif
