/*
 * verify_pending.h - keys of the rows that sync took from the stream, until somebody looks at them.
 *
 * Bounded: past the limit nothing is taken any more, which verify_pending_over() says.
 * Tables whose rows cannot be named by a key in whose order both ends can be read are only counted.
 */
#ifndef SLUICE_UNIT_VERIFY_PENDING_H
#define SLUICE_UNIT_VERIFY_PENDING_H

#include "unit/sync/sync_watch.h"
#include "unit/verify/verify_set.h"

struct verify_pending;

struct verify_pending *verify_pending_new(uint64_t max_rows);
/* For sync_set_watch(); one reference is the maker's. */
struct sync_watch *verify_pending_watch(struct verify_pending *p);

/* A row that changed, by what it was and is.  Columns that an image leaves out are as before. */
struct verify_pending_row {
    const char *source, *db, *name;
    enum rows_kind kind;
    const unsigned *key; /* columns of its key; 'n_key' 0: it has none that names it */
    unsigned n_key;
    const struct value *before, *after; /* NULL: there is none */
};
/* Any thread. */
void verify_pending_add(struct verify_pending *p, const struct verify_pending_row *row);

/* The rows of a table. */
struct verify_pending_table {
    char *source, *db, *name;
    struct verify_set keys; /* sorted when taken, each once; no values */
};
/* All there are; the caller's, to be freed. */
struct verify_pending_table *verify_pending_take(struct verify_pending *p, unsigned *n);
void verify_pending_tables_free(struct verify_pending_table *tables, unsigned n);

struct verify_pending_counts {
    uint64_t processed[3], pending[3]; /* by enum rows_kind */
    bool over;
};
void verify_pending_counts(struct verify_pending *p, struct verify_pending_counts *ret);
void verify_pending_clear(struct verify_pending *p);

#endif
