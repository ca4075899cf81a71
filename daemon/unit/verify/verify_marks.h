/*
 * verify_marks.h - tables of which rows are suspected, or all are to be compared, kept in the
 * store: after a crash their rows are compared (verify_again.c).
 *
 * One key a table, synced before the place is that says that all before it was looked at
 * (verify_place.h): so nothing is passed over, whatever ends the process or the machine.
 * Belongs to the unit's thread, and to others while that does not run.
 */
#ifndef SLUICE_UNIT_VERIFY_MARKS_H
#define SLUICE_UNIT_VERIFY_MARKS_H

#include <stdbool.h>

#include "base/err.h"

struct store;
struct verify_marks;

struct verify_mark {
    char *source, *db, *name;
};

struct verify_marks *verify_marks_new(struct store *store,
                                      const char *task); /* the store outlives it */
void verify_marks_free(struct verify_marks *m);

/* One that is marked costs a look.  It is on disk when this returns. */
int verify_marks_add(struct verify_marks *m, const struct verify_mark *mark, struct err *err);
/* Its rows were looked at.  Not synced: at worst it is compared once more. */
void verify_marks_drop(struct verify_marks *m, const struct verify_mark *mark);
void verify_marks_clear(struct verify_marks *m);

/* All that are known; the caller's. */
struct verify_mark *verify_marks_all(struct verify_marks *m, unsigned *n);
void verify_mark_free(struct verify_mark *all, unsigned n);
/* Takes in what an earlier process left of a source. */
int verify_marks_load(struct verify_marks *m, const char *source, struct err *err);

#endif
