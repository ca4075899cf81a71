/* verify_follow_priv.h - what the files of continuous verification share. */
#ifndef SLUICE_UNIT_VERIFY_FOLLOW_PRIV_H
#define SLUICE_UNIT_VERIFY_FOLLOW_PRIV_H

#include "unit/verify/verify_cutover.h"
#include "unit/verify/verify_follow.h"
#include "unit/verify/verify_marks.h"
#include "unit/verify/verify_past.h"
#include "unit/verify/verify_pending.h"
#include "unit/verify/verify_place.h"
#include "unit/verify/verify_priv.h"

/* What is known of a table of the target. */
struct verify_followed {
    char *db, *name;
    struct verify_suspects suspects;
    int64_t looked_us; /* monotonic: at its definitions */
};

/* All rows of a table are to be compared. */
struct verify_again {
    struct verify_mark mark;
    char *at; /* the last key compared */
};

struct verify_follow {
    struct unit unit; /* first */
    struct task *task;
    struct verify_pending *pending;
    struct verify_places places; /* before them all was looked at, */
    struct verify_marks *marks;  /* ... but for rows of these tables */
    struct mutex settings;
    bool fast;        /* only whether rows are there */
    double delay_s;   /* a row that differs for so long is an error row */
    char *start_time; /* what changed since then is looked at, too; "" what changes from now on */
    struct verify_cutovers cutovers;
    bool paused; /* it was asked to, and does not run */
    _Atomic uint64_t checked, suspects, errors_new, errors_ignored, errors_resolved;
    json_t *errors GUARDED; /* the error rows */
    json_t *looked GUARDED; /* places, as they are shown */
    json_t *tables GUARDED; /* those that are not looked at, and why */
    struct verify_run *run GUARDED;
    struct verify_past **pasts GUARDED; /* a source each; NULL: over; */
    unsigned n_pasts GUARDED;
    atomic_bool began;                /* where it begins is known */
    atomic_bool catching_up;          /* ... they are not all over, or it does not run yet */
    struct verify_followed *followed; /* the owner's, while it runs */
    unsigned n_followed;
    struct verify_again *again; /* likewise */
    unsigned n_again;
    bool loaded;               /* what an earlier process left is in it */
    _Atomic uint64_t unlooked; /* n_again */
};

/* A run of it. */
struct follow {
    struct verify_run run; /* first */
    struct verify_follow *unit;
    bool found;          /* error rows were added */
    bool more, was_more; /* of the past is left to be read; was, a tick before */
    bool whole;          /* a tick was, and places are those of the last that was */
    struct follow_source {
        struct follow *of;
        unsigned i;
        char server[128];
        struct position at; /* all before it is pending, or was looked at */
        char *gtids;        /* ... likewise; NULL: the past is still being read */
    } * sources;            /* as those of 'run' */
    int64_t saved_us;       /* monotonic */
};

/* --- verify_follow_action.c --- */
extern const struct action verify_follow_actions[];
int verify_follow_go(struct verify_follow *f, struct err *err); /* from where it was */

/* --- verify_node.c --- */
extern const char *const verify_modes[]; /* NULL at the end */
int verify_follow_keep(struct verify_follow *f, bool runs, struct err *err);
bool verify_follow_wanted(struct verify_follow *f); /* it runs, or tries to */

/* --- verify_since.c --- */
/* What changed before it ran: opens the pasts, and keeps where they begin. */
int verify_since_open(struct follow *f, struct err *err);
/* Before what is pending is taken. */
int verify_since_step(struct follow *f, struct err *err);
/* All of that was looked at. */
int verify_since_done(struct follow *f, struct err *err);
void verify_since_close(struct follow *f);
void verify_since_stop(struct verify_follow *u); /* any thread */

/* --- verify_follow.c --- */
struct verify_followed *verify_followed_of(struct verify_follow *u, const struct verify_table *t);

int verify_follow_main(struct unit *u, struct err *err);
void verify_follow_wake(struct unit *u);
void verify_follow_forget(struct verify_follow *u); /* what was suspected; it does not run */

/* --- verify_again.c --- */
typedef void verify_differs(void *arg, const struct verify_item *a, const struct verify_item *b);
void verify_again_add(struct verify_follow *u, const struct verify_mark *m);
void verify_again_clear(struct verify_follow *u);
bool verify_again_has(const struct verify_follow *u, const struct verify_mark *m);
int verify_again_load(struct verify_follow *u, const struct verify_run *r, struct err *err);
/* Some chunks of the first table, which is 't'; 1: it was compared to its end. */
int verify_again_step(struct verify_follow *u, struct verify_run *r, struct verify_table *t,
                      struct verify_suspects *s, verify_differs *differs, struct err *err);
void verify_again_done(struct verify_follow *u); /* the first */

/* --- verify_error.c --- */
int verify_error_create(struct mysql_conn *target, const struct job *job, struct err *err);
int verify_error_put(struct verify_run *r, const struct verify_table *t,
                     const struct verify_suspect *s, struct err *err);
/* What the target has, to the tree. */
int verify_error_show(struct verify_follow *f, struct mysql_conn *target, const struct job *job,
                      struct err *err);
/* What is shown, for after a restart; that again; and forgotten. */
void verify_error_keep(struct verify_follow *f);
void verify_error_take(struct verify_follow *f);
void verify_error_drop(struct verify_follow *f);
/* 'to' "ignored" or "resolved"; NULL removes them.  'id' 0: all. -ENOENT. */
int verify_error_set(struct verify_follow *f, uint64_t id, const char *to, struct err *err);

#endif
