/*
 * schema_shape.h - the columns of a table's rows in the binlog: what a TABLE_MAP
 * does not say, taken from a definition, and whether the two fit.
 *
 * MariaDB's UUID and INET (binlog/address.h) are bytes in the rows, and text at a server without
 * the type.  The definition that such a server has of them fits, by the type that it was given for
 * it: so the target's tells of the source's, as ever.
 *
 * Pure.
 */
#ifndef SLUICE_UNIT_SCHEMA_SHAPE_H
#define SLUICE_UNIT_SCHEMA_SHAPE_H

#include "binlog/rows.h"
#include "mysql/table.h"
#include "sink/target.h"

/* Which columns of 'def' the rows have: all, or all but the virtual ones.  Fills 'cols' (room
 * for map->n_cols).  -EINVAL with a sentence if number or types do not fit. */
int shape_fit(const struct table_map *map, const struct table_def *def,
              const struct table_column **cols, struct err *err);

/* Completes the map: signs, bytes, addresses, fractions of MariaDB's old times. */
void shape_complete(struct table_map *map, const struct table_column *const *cols);
/* Addresses become text where the target keeps text; 'target' NULL: all of them. */
void shape_say(struct table_map *map, const struct target_table *target);
/* May rows with this column be of addresses, which 'kept' keeps as text? */
bool shape_asks(const struct column *from, const struct table_column *kept);
/* Are columns of a definition ('cols' may have NULLs) taken for kept addresses, which 'now', the
 * source's definition of another moment (NULL: none is known), does not bear out? */
bool shape_guesses(const struct table_map *map, const struct table_column *const *cols,
                   const struct table_def *now);

/* Have both the same columns in the same order, by name? */
bool shape_mirror(const struct table_def *a, const struct table_def *b);
/* The same columns, but in another order? */
bool shape_permuted(const struct table_def *a, const struct table_def *b);

#endif
