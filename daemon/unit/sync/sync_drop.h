/*
 * sync_drop.h - rows of a table that are left out by their values (expression_filter).
 *
 * Made with what is known of a table at its TABLE_MAP, so anew after each DDL on it; asked for each
 * row of a table that has rules, by one thread at a time.
 */
#ifndef SLUICE_UNIT_SYNC_DROP_H
#define SLUICE_UNIT_SYNC_DROP_H

#include "binlog/rows.h"
#include "mysql/table.h"
#include "unit/job.h"

struct drops;

/* '*ret' is NULL when no rule is for the table.  'cols': as shape_fit(), NULL where nothing is
 * known but the map; 'names' in their order.  A column that is not there makes its rule drop
 * nothing; it is logged. */
int drops_new(const struct job *job, const char *schema, const char *table,
              const struct table_map *map, const struct table_column *const *cols,
              const char *const *names, struct drops **ret, struct err *err);
void drops_free(struct drops *d); /* NULL is fine */

/* 1: it is left out; 0; <0: that cannot be told.  'row' is as statement.h has it,
 * of 'n_cols' values an image. */
int drops_row(const struct drops *d, enum rows_kind kind, const struct value *row, unsigned n_cols,
              struct err *err);

#endif
