/* refill_priv.h - what the files of a refill share; refill.h says which does what. */
#ifndef SLUICE_UNIT_REFILL_PRIV_H
#define SLUICE_UNIT_REFILL_PRIV_H

#include "unit/job_link.h"
#include "unit/refill/refill.h"
#include "unit/refill/refill_values.h"
#include "unit/row_left.h"
#include "unit/sync/sync_extra.h"
#include "unit/sync/sync_priv.h"

struct refill_entry {
    struct refill_row row;
    bool absent;                /* the target does not have it */
    int64_t not_before_us;      /* monotonic: it waits until then, */
    struct position not_before; /* and until the stream is there; file "": nowhere */
    bool misfit;                /* ... because the ends differ in its columns */
};

struct refill {
    struct job_link link;      /* the source's connections */
    struct mysql_conn *source; /* NULL while there is none */
    struct refill_entry *entries;
    unsigned n;
    int64_t next_us; /* monotonic: the others' turn until then */
};

/* One chunk: made of definitions of both ends, filled from the source, written to the target. */
struct refill_chunk {
    struct sync_run *run;
    struct refill_entry *entry;
    struct route to_name;
    struct table_def *from, *to; /* 'to' NULL: the target has none */
    char *create;                /* SHOW CREATE TABLE at the source */
    const struct table_key *key; /* of 'from', in whose order it is read; NULL: whole */
    char *key_names;
    struct row_left left;    /* what filters leave out of it */
    char *wanted;            /* a condition at the source: rows that are to be copied; NULL: all */
    bool locked;             /* the source's table is locked against writes while it is read */
    struct mysql_conn *lock; /* that keeps it so; else NULL */
    struct position moment;  /* of the rows; of keyed ones: not later than that */
    struct refill_columns columns;
    struct target_table *target;
    struct extra extra; /* its columns that the source lacks */
    struct group group;
    struct buf at;                               /* key of the last row */
    struct buf source_rows, target_rows, hashes; /* of single rows: conditions; the list's names */
    unsigned n_listed;
    uint64_t n_rows;
    bool last;
    bool at_target; /* what failed did so there */
};

void refill_chunk_fini(struct refill_chunk *k);

/* --- refill_read.c: the source.  -EAGAIN: not now, try again. --- */

/* Definitions of both ends, and how it is to be read. */
int refill_look(struct refill_chunk *k, struct err *err);
/* Begins the moment that the rows are of. */
int refill_moment(struct refill_chunk *k, struct err *err);
void refill_moment_end(struct refill_chunk *k);
/* After the rows were read: sets 'moment' where it is only known now. */
int refill_moment_after(struct refill_chunk *k, struct err *err);
/* Rows of "SELECT ..." 'rest' ("" or " WHERE ...") into the group; 'flush' gives it to the
 * target's open transaction now and then. */
int refill_rows(struct refill_chunk *k, struct slice rest, bool flush, struct err *err);
uint64_t refill_limit(const struct refill_chunk *k); /* rows of a chunk */

/* --- refill_write.c: the target --- */

/* Makes the table there. */
int refill_make(struct refill_chunk *k, struct err *err);
/* Reads and writes the chunk, with the entry's new state. */
int refill_write(struct refill_chunk *k, struct err *err);
/* Only the state. */
int refill_write_state(struct sync_run *r, struct refill_entry *e, struct err *err);

/* --- refill_list.c --- */

bool refill_reached(const struct sync_run *r, const char *server, const struct position *p);

#endif
