/*
 * refill.h - tables copied again while the stream goes on: one that is added, one that went
 * wrong, a part of one, single rows.
 *
 *     refill_state.c   what the target remembers: sluice_refill
 *     refill_list.c    the list of a run; what is to be done with a table's events
 *     refill_read.c    rows of the source, as the stream would give them
 *     refill_write.c   a chunk of them into the target
 *     refill_step.c    whose chunk is next, and what becomes of it
 *
 * Between two transactions, with all that came before in the target (it is at A), the reader
 * of the stream takes the next chunk of a table: rows of the source as they are now, which is
 * later than A, in one transaction of the target with the place where the next one begins.  No
 * lock: the stream brings what happened between A and now once more, and until it has, the table's
 * changes are applied so that twice does no harm (COPY_SAFE, copy_state.h).  Once it is past the
 * last chunk's moment the table is as the source's, and its changes are applied as all others.
 *
 * That takes a row key in whose order both ends can be read, full row images, and no foreign
 * keys.  All other tables go over whole, in one transaction: rows of one known moment, and the
 * stream's changes up to it are left out.  The moment is the snapshot's own on MariaDB; on MySQL
 * the table is locked against writes while the snapshot begins.
 *
 * Kill it at any moment: what the target remembers is written with the rows.
 */
#ifndef SLUICE_UNIT_REFILL_H
#define SLUICE_UNIT_REFILL_H

#include <jansson.h>

#include "unit/copy/copy_state.h"

enum refill_state {
    REFILL_NEW,
    REFILL_LOADING,
    REFILL_SETTLING, /* all rows are there; the stream is not yet past the last chunk's moment */
    REFILL_DONE,
    REFILL_FAILED,
};
extern const char *const refill_state_names[]; /* NULL at the end */

struct refill_row {
    char *schema, *table; /* as the source calls them */
    char *where;          /* a condition over its columns; "": all rows */
    bool create;          /* it was not followed so far: its changes are left out before the first
                           * rows of it are copied */
    bool replace;         /* ... and rows that the target has are to go */
    bool rows_only;       /* of those that a comparison found (verify_rows.h) */
    bool keep_extra;      /* what the source does not have stays: others write there as well */
    enum refill_state state;
    bool whole;
    char *key; /* columns in whose order it is read; "" before the first chunk */
    char *at;  /* the last key: hex of each part, commas between; "" none */
    uint64_t rows, estimated;
    char source_id[128];     /* the server that the positions are of */
    struct position skip;    /* changes up to here are in the rows, */
    struct position ddl;     /* ... statements up to here in the table's columns */
    struct position settled; /* once the stream is here, the rows are the source's */
    char *reason;            /* why it failed, or waits; "" */
};
void refill_row_fini(struct refill_row *row);

/* --- what is asked for; any thread, with a connection of its own --- */

/* -EBUSY: the table is being copied already.  A run that goes on must be told: sync_reload(). */
int refill_ask(const struct job *job, const struct refill_row *want, struct err *err);

/* --- the target's record --- */

int refill_state_create(struct mysql_conn *target, const struct job *job, struct err *err);
/* All of them; the caller's, to be freed with refill_rows_free(). */
int refill_state_read(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                      struct refill_row **ret, unsigned *n, struct err *err);
void refill_rows_free(struct refill_row *rows, unsigned n);
/* A statement for the transaction that has the rows. */
struct buf;
void refill_state_sql(struct buf *out, const struct job *job, const struct refill_row *row);

/* --- the reader's; see refill_step.c --- */

struct refill;
struct sync_run;

/* Reads the list; r->admin, r->router and r->cp are there. */
int refill_open(struct refill **ret, struct sync_run *r, struct err *err);
void refill_free(struct refill *f); /* NULL is fine */
void refill_stop(
    struct refill *f); /* any thread: what waits for the source returns; NULL is fine */
/* What to do with rows of a table, in the transaction at hand of 'r'; and with its statements. */
enum copy_when refill_when(const struct sync_run *r, const char *schema, const char *table);
bool refill_skips_ddl(const struct sync_run *r, const char *schema, const char *table);
/* Is its shape of a time before the rows that the target got, so that its changes are in them? */
bool refill_outran(const struct sync_run *r, const char *schema, const char *table);
/* Any table that refill_when() may say something else about than COPY_APPLY? */
bool refill_any(const struct refill *f);
bool refill_concerns(const struct refill *f, const char *schema, const char *table);

/* Between two transactions: <0 nothing is to be done; else in how many ms, 0 now. */
int64_t refill_due_ms(const struct sync_run *r);
/* Nobody else has anything to do: the others' turn is over. */
void refill_hurry(struct sync_run *r);
/* Does it.  Errors of a table stay with it; only those of the target's connection come back. */
int refill_step(struct sync_run *r, struct err *err);
/* [{"table": "db.t", "state": "loading", "rows": 5, "rows_estimated": 10, ...}, ...] */
json_t *refill_json(const struct refill *f);

#endif
