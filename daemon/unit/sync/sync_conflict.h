/*
 * sync_conflict.h - which changes must keep the order of the source.
 *
 * Two changes must if they are of one row, or if a row of one has, had or will have
 * the value of a unique key that a row of the other has, had or will have.  A
 * footprint is what a transaction touches, as numbers: transactions without one in
 * common may run side by side.
 *
 *     the value of a unique key     folded so that what is equal at the target is equal
 *                                   here; a key with a NULL is none
 *     the table, shared             by every change of it
 *     the table, alone              by a change whose values do not tell: no key, keys of
 *                                   expressions or floats, text that a collation may
 *                                   find equal to other text, columns that are not in the image
 *
 * Tables joined by foreign keys are one table here.  Too coarse is slow,
 * too fine loses rows: in doubt it is coarse.  Pure.
 */
#ifndef SLUICE_UNIT_SYNC_CONFLICT_H
#define SLUICE_UNIT_SYNC_CONFLICT_H

#include <stddef.h>
#include <stdint.h>

#include "binlog/rows.h"
#include "sink/target.h"

/* The lowest bit of a key: touched together with others that say so too. */
#define FOOTPRINT_SHARED ((uint64_t)1)

struct footprint {
    uint64_t *keys;
    size_t n, cap;
};

void footprint_fini(struct footprint *f);
void footprint_clear(struct footprint *f);
/* One change; 'row' is as statement.h has it.  'by_table': all changes of a table in order. */
void footprint_add(struct footprint *f, const struct target_table *t, enum rows_kind kind,
                   const struct value *row, bool by_table);

/* What tables of one name, or joined by foreign keys, have in common. */
uint64_t conflict_class(const struct target_table *t);

#endif
