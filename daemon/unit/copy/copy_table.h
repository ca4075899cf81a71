/*
 * copy_table.h - one table of a copy: what it is, how it goes over, how far it is.
 *
 * Ways to load:
 *
 *   bulk     one LOAD DATA LOCAL into an empty table, in one transaction with the
 *            table's state: the target's fast path.  A crash repeats the table
 *   ranges   multi-row INSERT, a transaction every few megabytes, with the last
 *            key in it.  A crash goes on after that key if the table is
 *            'resumable', else the table is emptied and repeated
 *   whole    as ranges, in one transaction: a table that others write to as
 *            well (merged shards) and that could not be continued
 *
 * Owned by the thread of the copy; workers change what is atomic and the range
 * they were given.
 */
#ifndef SLUICE_UNIT_COPY_TABLE_H
#define SLUICE_UNIT_COPY_TABLE_H

#include <stdatomic.h>

#include "route/router.h"
#include "unit/copy/copy_state.h"
#include "unit/read/read_columns.h"

struct copy_table {
    struct table_def *def; /* at the source */
    char *create;          /* SHOW CREATE TABLE there */
    char *label;           /* `db`.`table` without the quotes, for people */
    struct route to;
    struct router_extracted extra; /* columns there that say where a row is from */
    struct read_columns columns;

    const struct load_table *files; /* where its rows are, when they are loaded from a folder */
    atomic_uint n_files;            /* that a dump has begun */

    unsigned index; /* in the plan */
    bool sequence;  /* a MariaDB SEQUENCE: its value is set, it has no rows to copy */
    bool merged;    /* other tables or sources write to the same target table, or it had rows */
    bool resumable; /* a row key in which it can be read, no other unique key, no foreign keys,
                     * full row images */
    atomic_bool bulk;

    struct copy_table_row row; /* its state at the target; names are borrowed from 'def' */
    struct read_range *ranges;
    unsigned n_ranges;

    bool made; /* in this round, with its state: copy_fresh.c */

    atomic_uint ranges_left;
    atomic_bool again; /* its definition changed while it was read: next round */
    atomic_int state;  /* enum copy_table_state, for those who watch */
    _Atomic uint64_t rows, bytes;
};

void copy_table_free(struct copy_table *t);

/* Hash of a SHOW CREATE TABLE, without what changes by itself (AUTO_INCREMENT=n). */
uint64_t copy_table_shape(const char *create);

#endif
