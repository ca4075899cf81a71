/* verify_follow_priv.h - what the files of continuous verification share. */
#ifndef SLUICE_UNIT_VERIFY_FOLLOW_PRIV_H
#define SLUICE_UNIT_VERIFY_FOLLOW_PRIV_H

#include "unit/verify/verify_follow.h"
#include "unit/verify/verify_pending.h"
#include "unit/verify/verify_priv.h"

/* What is known of a table of the target. */
struct verify_followed {
    char *db, *name;
    struct verify_suspects suspects;
    int64_t looked_us; /* monotonic: at its definitions */
};

struct verify_follow {
    struct unit unit; /* first */
    struct task *task;
    struct verify_pending *pending;
    struct mutex settings;
    bool fast;      /* only whether rows are there */
    double delay_s; /* a row that differs for so long is an error row */
    _Atomic uint64_t checked, suspects, errors_new, errors_ignored, errors_resolved;
    json_t *errors GUARDED; /* the error rows */
    json_t *tables GUARDED; /* those that are not looked at, and why */
    struct verify_run *run GUARDED;
    struct verify_followed *followed; /* the owner's, while it runs */
    unsigned n_followed;
};

/* --- verify_follow.c --- */
int verify_follow_main(struct unit *u, struct err *err);
void verify_follow_wake(struct unit *u);
void verify_follow_forget(struct verify_follow *u); /* what was suspected; it does not run */

/* --- verify_error.c --- */
int verify_error_create(struct mysql_conn *target, const struct job *job, struct err *err);
int verify_error_put(struct verify_run *r, const struct verify_table *t,
                     const struct verify_suspect *s, struct err *err);
/* What the target has, to the tree. */
int verify_error_show(struct verify_follow *f, struct mysql_conn *target, const struct job *job,
                      struct err *err);
/* 'to' "ignored" or "resolved"; NULL removes them.  'id' 0: all. -ENOENT. */
int verify_error_set(struct verify_follow *f, uint64_t id, const char *to, struct err *err);

#endif
