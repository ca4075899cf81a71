/*
 * verify_marks.h - tables with changed rows that nobody has looked at yet, kept in the store: after
 * kill -9 their rows are compared (verify_again.c).
 *
 * One key a table, however many of its rows have changed: bounded, and written once between two
 * looks.  Not synced: it survives the process, not the machine.
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

/* Before its rows go to the target.  Any thread; one that is marked costs a look. */
void verify_marks_add(struct verify_marks *m, const char *source, const char *db, const char *name);
/* Its rows were looked at, unless 'more' says that others have come; no add is under way then. */
void verify_marks_drop(struct verify_marks *m, const struct verify_mark *mark,
                       bool (*more)(void *arg, const struct verify_mark *mark), void *arg);
void verify_marks_clear(struct verify_marks *m);

/* All that are known; the caller's. */
struct verify_mark *verify_marks_all(struct verify_marks *m, unsigned *n);
void verify_mark_free(struct verify_mark *all, unsigned n);
/* Takes in what an earlier process left of a source. */
int verify_marks_load(struct verify_marks *m, const char *source, struct err *err);

#endif
