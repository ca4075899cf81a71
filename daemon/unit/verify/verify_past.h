/*
 * verify_past.h - rows that changed before anybody watched, read once more from the source's
 * binlog: after a pause, a crash, a start with start_time.
 *
 *     verify_past_open(&past, &config, &from, &err);
 *     while ((rc = verify_past_step(past, &at, &err)) > 0) ...   look at what is pending; go on
 * from 'at' verify_past_close(past);
 *
 * It ends at the end of the binlog as that is when it gets there: who watched since before it was
 * opened has the rest.  Keys are found by the table's definition of now.  A DDL that comes after
 * rows of a table may have made it another one: of such a table, and of what cannot be told, all
 * rows are to be compared (unsure()).  Since a definition is read before the end is reached, no DDL
 * between the two is overlooked.
 *
 * One thread, but for verify_past_stop().
 */
#ifndef SLUICE_UNIT_VERIFY_PAST_H
#define SLUICE_UNIT_VERIFY_PAST_H

#include "unit/job.h"
#include "unit/verify/verify_pending.h"

struct verify_past;

struct verify_past_config {
    const struct job *job;
    struct mysql_conn *source; /* for definitions; borrowed, used by nobody else meanwhile */
    struct verify_pending *pending;
    /* All rows of a table are to be compared; 'db' NULL: of all tables of the source. */
    void (*unsure)(void *arg, const char *db, const char *name);
    void *arg;
};

/* -ENODATA, -ERANGE: 'from' is not in the binlog any more (the first step may say so, too). */
int verify_past_open(struct verify_past **ret, const struct verify_past_config *c,
                     const struct position *from, struct err *err);
/* Some rows.  1: there are more; 0: that was all.  '*at' is a place to begin from again, before
 * which all was taken.  -EBADMSG: it is not a place between two events. */
int verify_past_step(struct verify_past *p, struct position *at, struct err *err);
void verify_past_stop(struct verify_past *p);  /* any thread: a step returns -ECANCELED */
void verify_past_close(struct verify_past *p); /* NULL is fine */

#endif
