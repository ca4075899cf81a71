/*
 * copy.h - a full copy of one source, streamed into the target.
 *
 *     list tables, read definitions        copy_plan.c
 *     snapshot, its position made durable  read_snapshot.c, copy_state.c
 *     databases, tables                    copy_schema.c, copy_dialect.c
 *     rows                                 copy_work.c: workers, each with a connection at both
 *                                          ends; copy_bulk.c, copy_insert.c
 *     count and compare, then views        copy_work.c, copy_view.c
 *
 * No files and no queue in between: while the target takes LOAD DATA, the
 * client asks us for bytes, and we take them from the running SELECT.  What is
 * under way is in the sockets' buffers, so memory is bounded by the largest
 * row and a few statements for each worker.
 *
 * Kill it at any moment: what the target holds is enough to go on.
 */
#ifndef SLUICE_UNIT_COPY_H
#define SLUICE_UNIT_COPY_H

#include <jansson.h>

#include "unit/job.h"

struct copy;
struct copy_way; /* where rows come from and go to: see copy_engine.h */
extern const struct copy_way copy_way_stream; /* from the source into the target */

/* Takes a reference of 'job'. */
struct copy *copy_new(const struct job *job, const struct copy_way *way);
struct copy *copy_ref(struct copy *c);
void copy_unref(struct copy *c); /* the last one not while it runs; NULL is fine */

/* Copies what is not copied yet.  0: all of it is at the target.  -ECANCELED:
 * asked to stop.  -ECONNRESET, -ETIMEDOUT: an end went away, run it again.
 * One thread. */
int copy_run(struct copy *c, struct err *err);
/* Any thread: makes copy_run() return soon; it stays so until copy_restart(). */
void copy_stop(struct copy *c);
void copy_restart(struct copy *c);
bool copy_finished(struct copy *c); /* any thread */
/* 'progressed' is called, in any thread, whenever a table is done.  Before copy_run(). */
void copy_on_progress(struct copy *c, void (*progressed)(void *arg), void *arg);

/* --- what can be seen of it; any thread, never waits --- */

enum copy_phase {
    COPY_IDLE,
    COPY_PLANNING,
    COPY_SNAPSHOT,
    COPY_SCHEMA,
    COPY_ROWS,
    COPY_VIEWS,
    COPY_FINISHED,
};
extern const char *const copy_phase_names[];

struct copy_totals {
    enum copy_phase phase;
    uint64_t tables, tables_done;
    uint64_t rows_estimated, rows; /* 'rows' are committed at the target or on their way */
    uint64_t rows_in_flight;       /* of 'rows': not yet committed */
    uint64_t bytes;                /* of the rows, as text */
    double rows_s, bytes_s;        /* of the last seconds */
    double eta_s;                  /* 0 if not known or done */
    unsigned rounds;
};
void copy_totals_read(struct copy *c, struct copy_totals *ret);
/* [{"table": "db.t", "target": "db.t", "state": "loading", "rows": 5, "rows_estimated": 10,
 *   "bytes": 100, "way": "bulk"}, ...]; a new reference. */
json_t *copy_tables_json(struct copy *c);
/* {"file": "bin.000003", "offset": 4711, "gtid_set": "0-1-100"} or null; a new reference. */
json_t *copy_position_json(struct copy *c);

#endif
