/*
 * sync_aside.h - tables that were set aside (quarantine).
 *
 * With on_error: quarantine a table whose change is refused by the target is set
 * aside, with all tables joined to it by foreign keys; the others go on.  What
 * was set aside, and from which position, is a row in the target, written in the
 * transaction that is the first without it.  A release streams again from there,
 * for one table after the other, up to where the main stream is; each has a
 * checkpoint of its own meanwhile, so a release that fails goes on where it was.
 *
 * The list is read by the reader and extended by the writer.
 */
#ifndef SLUICE_UNIT_SYNC_ASIDE_H
#define SLUICE_UNIT_SYNC_ASIDE_H

#include "sink/sink_mysql.h"
#include "unit/job.h"

struct aside;

/* Makes the table, reads the list. */
int aside_open(struct aside **ret, struct mysql_conn *target, const struct job *job,
               enum flavor flavor, struct err *err);
void aside_free(struct aside *a); /* NULL is fine */

/* Is the table in the list?  Names at the target. */
bool aside_has(struct aside *a, const char *schema, const char *name);
bool aside_has_table(struct aside *a, const struct target_table *t);
char *aside_text(struct aside *a); /* "db.t,db.u"; caller frees */
/* The oldest place that one of them is to be streamed from: file and offset, no set; those whose
 * changes are gone do not count.  False: there is none. */
bool aside_oldest(struct aside *a, struct position *ret);

/* A table was refused, for 'err'.  0: it is set aside from 'from' on; write the
 * group again.  Else 'err' stands: the task does not want that, or no table was to blame. */
int aside_failed(struct aside *a, const struct target_table *t, const struct position *from,
                 struct err *err);
/* Records what was set aside since the last commit, inside the sink's transaction. */
int aside_write(struct aside *a, struct sink *s, struct err *err);

/* The i-th, and from where on ('from' is empty and the caller's); NULL: there are not so many.
 * Caller frees. */
char *aside_at(struct aside *a, unsigned i, struct position *from);
/* The source has purged what the table missed (sync_gone.h).  Known until the list is opened anew.
 */
void aside_mark_gone(struct aside *a, const char *table);
bool aside_is_gone(struct aside *a, const char *table);
bool aside_any_kept(struct aside *a);   /* is one there of which that is not so? */
char *aside_gone_text(struct aside *a); /* "db.t,db.u"; caller frees */

/* One by one: the first that is 'table' as aside_text() has it; "": any, but for those that are
 * gone unless 'gone'.  NULL: none.  Caller frees. */
char *aside_next(struct aside *a, const char *table, bool gone);
/* Leaves that one alone in the list, for the run that catches up with it, ... */
void aside_pick(struct aside *a, const char *table);
/* ... and where that run begins. */
const struct position *aside_from(struct aside *a);
/* Statement that takes it off the recorded list, for the transaction in which it is as the others;
 * and then off this list. */
int aside_write_drop(struct aside *a, const char *table, struct sink *s, struct err *err);
void aside_drop(struct aside *a, const char *table);

#endif
