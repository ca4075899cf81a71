/*
 * sync_shape.h - the columns of a table's rows in the binlog: what a TABLE_MAP
 * does not say, taken from a definition, and whether the two fit.
 *
 * Pure.
 */
#ifndef SLUICE_UNIT_SYNC_SHAPE_H
#define SLUICE_UNIT_SYNC_SHAPE_H

#include "binlog/rows.h"
#include "mysql/table.h"

/* Which columns of 'def' the rows have: all, or all but the virtual ones.  Fills 'cols' (room
 * for map->n_cols).  -EINVAL with a sentence if number or types do not fit. */
int shape_fit(const struct table_map *map, const struct table_def *def,
              const struct table_column **cols, struct err *err);

/* Completes the map: signs, bytes, UUIDs, fractions of MariaDB's old times. */
void shape_complete(struct table_map *map, const struct table_column *const *cols);

/* Have both the same columns in the same order, by name? */
bool shape_mirror(const struct table_def *a, const struct table_def *b);
/* The same columns, but in another order? */
bool shape_permuted(const struct table_def *a, const struct table_def *b);

#endif
