/*
 * verify_pending.h - keys of the rows that sync took from the stream, until somebody looks at them.
 *
 * Bounded: past the limit nothing is taken any more, which verify_pending_over() says.
 * Tables whose rows cannot be named by a key in whose order both ends can be read are only counted.
 */
#ifndef SLUICE_UNIT_VERIFY_PENDING_H
#define SLUICE_UNIT_VERIFY_PENDING_H

#include "unit/sync/sync_watch.h"
#include "unit/verify/verify_marks.h"
#include "unit/verify/verify_set.h"

struct verify_pending;

/* 'marks' (NULL: none) are its own from now on; a table is marked before the first of its rows is
 * taken. */
struct verify_pending *verify_pending_new(uint64_t max_rows, struct verify_marks *marks);
/* For sync_set_watch(); one reference is the maker's. */
struct sync_watch *verify_pending_watch(struct verify_pending *p);

/* The rows of a table. */
struct verify_pending_table {
    char *source, *db, *name;
    struct verify_set keys; /* sorted when taken, each once; no values */
};
/* All there are; the caller's, to be freed. */
struct verify_pending_table *verify_pending_take(struct verify_pending *p, unsigned *n);
void verify_pending_tables_free(struct verify_pending_table *tables, unsigned n);

/* For verify_marks_drop(): is there a row of it? */
bool verify_pending_has(void *pending, const struct verify_mark *mark);

struct verify_pending_counts {
    uint64_t processed[3], pending[3]; /* by enum rows_kind */
    bool over;
};
void verify_pending_counts(struct verify_pending *p, struct verify_pending_counts *ret);
void verify_pending_clear(struct verify_pending *p);

#endif
