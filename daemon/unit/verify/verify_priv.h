/* verify_priv.h - what the files of a verification share; verify.h says which does what. */
#ifndef SLUICE_UNIT_VERIFY_PRIV_H
#define SLUICE_UNIT_VERIFY_PRIV_H

#include "mysql/table.h"
#include "unit/job_link.h"
#include "unit/row_left.h"
#include "unit/unit.h"
#include "unit/verify/verify.h"
#include "unit/verify/verify_expr.h"
#include "unit/verify/verify_set.h"

struct subtask;
struct verify_follow;
struct task;

/* One source of the task while a comparison runs. */
struct verify_source {
    struct subtask *sub; /* referenced: as it was when the run began */
    const struct job *job;
    struct job_link link;
    struct mysql_conn *conn;
};

/* A table of the target with all of the sources' that go there. */
struct verify_part {
    unsigned source;
    char *db, *name;
    struct table_def *def;
    struct verify_exprs exprs; /* its own text, and the target's that compares with it */
    struct row_left left;
};

enum verify_state {
    VERIFY_PENDING,
    VERIFY_RUNNING,
    VERIFY_DONE,
    VERIFY_FAILED,
};
extern const char *const verify_state_names[]; /* NULL at the end */

struct verify_table {
    char *db, *name; /* at the target */
    struct verify_part *parts;
    unsigned n_parts;
    struct table_def *def;
    bool ranges;  /* compared by ranges of its key; else as a whole, by hashes of rows */
    char way[16]; /* how it was compared, for people: "ranges", "hashes"; "" not yet */
    enum verify_state state;
    char *at; /* the last key compared */
    uint64_t rows, differing, unsettled;
    uint64_t left_out;   /* rows that a filter keeps from the target, as it should be */
    uint64_t not_judged; /* rows that differ, for which a filter may be the reason */
    char *reason;        /* why it failed, or what was left out of it; "" */
};

#define SURE 2 /* rounds that must say the same of a row */

/* A row that may differ. */
struct verify_suspect {
    char *key;
    unsigned part, seen;
    int64_t since_us;      /* monotonic; of who cares */
    char *source, *target; /* what they said when it was seen; NULL: no such row */
    bool over;
};

struct verify_suspects {
    struct verify_suspect *all;
    size_t n, cap, left;
};

struct verify_run {
    /* A row differs for sure. */
    int (*report)(struct verify_run *r, struct verify_table *t, struct verify_suspect *s,
                  struct err *err);

    struct task *task;
    struct unit *unit;     /* that runs it */
    struct verify *verify; /* NULL: of the continuous one */
    struct verify_source *sources;
    unsigned n_sources;
    struct mysql_conn *target; /* of the first source's link */
    struct verify_table *tables;
    unsigned n_tables;
    int64_t began_us; /* of what the rate is counted over */
    uint64_t paced_rows, paced_rate;
};

/* What was found. */
enum verify_kind { VERIFY_MISSING, VERIFY_EXTRA, VERIFY_DIFFERENT };
extern const char *const verify_kind_names[];

struct verify_found {
    enum verify_kind kind;
    unsigned part;
    const char *key;   /* hex of each part, commas between; of a table as a whole: the row's hash */
    const char *there; /* the key for people */
};

struct verify {
    struct unit unit; /* first */
    struct task *task;
    struct verify_follow *follow; /* referenced: its node is below */
    struct mutex settings;
    uint64_t rate, chunk_rows; /* rows a second, 0 any; rows compared at once */
    _Atomic uint64_t rows_checked, rows_differing, rows_unsettled, rows_not_judged, tables,
        tables_done, tables_failed;
    char *now GUARDED;      /* what it is at: "q.t, waits for the stream" */
    json_t *found GUARDED;  /* the first rows that differ */
    json_t *report GUARDED; /* each table */
    bool fresh GUARDED;     /* the next run begins anew */
    bool repairs GUARDED;   /* ... copies what was found again, and compares nothing */
    struct verify_run *run GUARDED;
};

/* --- verify_plan.c --- */
int verify_plan(struct verify_run *r, struct err *err);
void verify_tables_free(struct verify_table *tables, unsigned n);
/* Definitions of both ends of a table, and how it is compared. */
int verify_look(struct verify_run *r, struct verify_table *t, struct err *err);

/* --- verify_read.c --- */
struct verify_sum {
    uint64_t rows;
    char hash[48]; /* a decimal */
};
bool verify_sum_same(const struct verify_sum *a, const struct verify_sum *b);
/* Of rows after 'at' ("" from the first) up to 'upto' (NULL to the last). */
int verify_sum_source(struct verify_run *r, const struct verify_table *t, const char *at,
                      const char *upto, struct verify_sum *ret, struct err *err);
int verify_sum_target(struct verify_run *r, const struct verify_table *t, const char *at,
                      const char *upto, struct verify_sum *ret, struct err *err);
/* Where a chunk ends; *ret NULL: at the table's end. */
int verify_cut(struct verify_run *r, const struct verify_table *t, const char *at, char **ret,
               struct err *err);
int verify_rows_source(struct verify_run *r, const struct verify_table *t, const char *at,
                       const char *upto, struct verify_set *ret, struct err *err);
int verify_rows_target(struct verify_run *r, const struct verify_table *t, const char *at,
                       const char *upto, struct verify_set *ret, struct err *err);
/* The rows of some keys (by their number, of 'keys'). */
int verify_keys_source(struct verify_run *r, const struct verify_table *t,
                       const struct verify_set *keys, struct verify_set *ret, struct err *err);
int verify_keys_target(struct verify_run *r, const struct verify_table *t,
                       const struct verify_set *keys, struct verify_set *ret, struct err *err);

/* --- verify_wait.c --- */
/* Until the target has all that the sources have committed by now. */
int verify_pass(struct verify_run *r, const struct verify_table *t, struct err *err);
int verify_pace(struct verify_run *r, uint64_t rows, struct err *err);
void verify_say(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* --- verify_compare.c --- */
int verify_compare(struct verify_run *r, struct verify_table *t, struct err *err);
int verify_report(struct verify_run *r, struct verify_table *t, struct verify_suspect *s,
                  struct err *err);
/* The target lacks row 'a', which a filter kept from it; 'there': what it has, or NULL. */
bool verify_left_out(const struct verify_table *t, const struct verify_item *a, const char *there);
/* Filters may be why it differs: it is nobody's to report or to mend. */
bool verify_not_judged(const struct verify_table *t, const struct verify_suspect *s);
void verify_suspects_fini(struct verify_suspects *s);
void verify_suspect_add(void *arg, const struct verify_item *a, const struct verify_item *b);
/* Asks the source, waits, asks the target and the source again about the suspects from 'first' to
 * 'until'; *left are those that it did not settle. */
int verify_round(struct verify_run *r, struct verify_table *t, struct verify_suspects *s,
                 size_t first, size_t until, size_t *left, struct err *err);
enum verify_kind verify_kind_of(const struct verify_table *t, const struct verify_suspect *s);
char *verify_key_text(const struct verify_table *t, const struct verify_suspect *s);

/* --- verify_state.c --- */
int verify_state_create(struct verify_run *r, struct err *err);
int verify_state_clear(struct verify_run *r, struct err *err);
int verify_state_read(struct verify_run *r, struct err *err);
int verify_state_put(struct verify_run *r, const struct verify_table *t, struct err *err);
int verify_state_found(struct verify_run *r, struct verify_table *t, const struct verify_found *f,
                       struct err *err);
/* Replaces what is shown of the rows that differ by what the target has. */
int verify_state_show(struct verify_run *r, struct err *err);

/* --- verify_repair.c --- */
int verify_repair(struct verify_run *r, struct err *err);

/* --- verify.c --- */
enum verify_how { VERIFY_ALL, VERIFY_GO_ON, VERIFY_REPAIR };
int verify_run(struct verify *v, enum verify_how how, struct err *err);

/* --- verify_kept.c --- */
/* What is wanted, for after a restart. */
int verify_keep(struct verify *v, bool runs, struct err *err);
void verify_keep_shown(struct verify *v); /* and what is shown */

/* --- verify_run.c --- */
/* The sources of r->task; then their connections. */
void verify_take_sources(struct verify_run *r);
int verify_open(struct verify_run *r, struct err *err);
void verify_stop_links(struct verify_run *r); /* any thread, while it is shown; NULL is fine */
void verify_close(struct verify_run *r);
/* What the target remembers, to the tree. */
int verify_show(struct verify_run *r, struct err *err);
int verify_main(struct unit *u, struct err *err);
void verify_wake(struct unit *u);

#endif
