/*
 * copy_state.h - what the target remembers about a full copy, and what sync
 * gets from it.
 *
 * A copy proceeds in rounds.  A round is one consistent snapshot of the source,
 * with its position.  One round is the rule; a restart, or a table whose
 * definition changed while it was read, adds a round for what is left.  So the
 * rows of a table come from one round, or, when a restart went on in the middle
 * of a table, from several.  The target keeps, in the meta schema:
 *
 *   sluice_copy_round   the position of each round, written before its rows
 *   sluice_copy_table   for each table: state, shape, first and last round
 *   sluice_copy_range   for each key range of a chunked table: the last key
 *                       copied, changed in the transaction that has the rows
 *
 * For sync a table is then a window of two positions.  An event on it is
 *
 *   at or before 'skip'    in all of the table's rows already: left out
 *   at or before 'safe'    in some of them: applied so that twice does no harm
 *                          (INSERT and UPDATE replace the row by its key, DELETE
 *                          and UPDATE of a missing row are fine)
 *   later                  applied as always
 *
 * Only tables with a row key, no other unique key, no foreign keys and full row
 * images ever get skip != safe (all others are loaded again from their start),
 * so after 'safe' each row is the source's.  Tables joined by foreign keys always
 * have one window.  A DDL of a table between 'skip' and 'safe' cannot be applied.  No key is
 * compared with a range outside of a server: collations stay the servers' business.
 *
 * Threads: whoever owns the connection.
 */
#ifndef SLUICE_UNIT_COPY_STATE_H
#define SLUICE_UNIT_COPY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "unit/job.h"
#include "unit/read/read_range.h"

enum copy_when { COPY_SKIP, COPY_SAFE, COPY_APPLY };

struct copy_window {
    char *schema, *table; /* as the source calls them */
    struct position skip, safe;
};

struct copy_handover {
    struct position start; /* where to stream from: the smallest 'skip' */
    unsigned n_windows;
    struct copy_window *windows; /* only of tables for which it is not (start, start) */
};

/* What a finished copy of 'job' left for sync.  -ENOENT: there was no copy, or
 * it is not finished. */
int copy_handover_read(struct mysql_conn *target, const struct job *job, struct copy_handover *ret,
                       struct err *err);
void copy_handover_fini(struct copy_handover *h);
/* NULL: the table needs no care. */
const struct copy_window *copy_handover_find(const struct copy_handover *h, const char *schema,
                                             const char *table);
/* What to do with an event of a transaction that ends at 'end' and has the GTID
 * 'gtid' (used if 'by_gtid').  'w' may be NULL. */
enum copy_when copy_window_when(const struct copy_window *w, bool by_gtid, const struct gtid *gtid,
                                const struct position *end);

/* Forgets the copy of this task and source (the task was deleted or starts over). */
int copy_state_forget(struct mysql_conn *target, const struct job *job, struct err *err);

/* --- for the copy itself --- */

enum copy_table_state {
    COPY_TABLE_NEW,     /* nothing of it is at the target, or nothing that we made */
    COPY_TABLE_LOADING, /* ours, with some rows, or empty */
    COPY_TABLE_LOADED,  /* all rows committed, not counted yet */
    COPY_TABLE_DONE,
};
extern const char *const copy_table_state_names[];

struct copy_table_row {
    char *schema, *table;
    enum copy_table_state state;
    uint64_t shape; /* hash of its definition at the source when its rows were read */
    unsigned first_round, last_round;
    uint64_t rows;
};

int copy_state_create(struct mysql_conn *target, const struct job *job, struct err *err);
/* All tables known; caller frees with copy_state_rows_free(). */
int copy_state_tables(struct mysql_conn *target, const struct job *job, struct copy_table_row **ret,
                      unsigned *n, struct err *err);
void copy_state_rows_free(struct copy_table_row *rows, unsigned n);
int copy_state_ranges(struct mysql_conn *target, const struct job *job, const char *schema,
                      const char *table, struct read_range **ret, unsigned *n, struct err *err);
/* Adds a round and returns its number, from 1. */
int copy_state_add_round(struct mysql_conn *target, const struct job *job,
                         const struct position *low, const struct position *high, unsigned *ret,
                         struct err *err);
int copy_state_put_table(struct mysql_conn *target, const struct job *job,
                         const struct copy_table_row *row, struct err *err);
int copy_state_put_ranges(struct mysql_conn *target, const struct job *job, const char *schema,
                          const char *table, const struct read_range *rows, unsigned n,
                          struct err *err);
/* SQL of the statement that belongs into the rows' own transaction. */
struct buf;
void copy_state_sql_range(struct buf *out, const struct job *job, const char *schema,
                          const char *table, const struct read_range *row);
/* The whole copy is finished; copy_state_finished() is 1, 0 or <0.  Without a round it was DM's. */
int copy_state_finish(struct mysql_conn *target, const struct job *job, struct err *err);
int copy_state_finished(struct mysql_conn *target, const struct job *job, struct err *err);

#endif
