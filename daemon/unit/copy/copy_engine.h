/*
 * copy_engine.h - inside a copy: what its files share.  copy.h is the outside.
 */
#ifndef SLUICE_UNIT_COPY_ENGINE_H
#define SLUICE_UNIT_COPY_ENGINE_H

#include "base/thread.h"
#include "mysql/dialect.h"
#include "unit/copy/copy.h"
#include "unit/copy/copy_table.h"
#include "unit/job_link.h"
#include "unit/read/read_snapshot.h"

struct copy_view {
    char *schema, *name;
    char *create;
    bool unqualified; /* names in it are of its schema */
};

struct copy_tables {
    unsigned n, n_views;
    struct copy_table **all;
    struct copy_view *views;
};

struct copy_worker;
struct copy_rows;

/* Where rows come from and go to: from a server to another, into files (unit/dump), or from files
 * (unit/load). */
struct copy_way {
    bool source, target;                         /* the connections that a worker has */
    int (*run)(struct copy *c, struct err *err); /* copy_run() */
    void (*fini)(struct copy *c); /* what is kept from one run to the next; or NULL */
    /* Of a database; NULL if it is not known.  The caller's. */
    int (*collation)(struct copy *c, const char *db, char **ret, struct err *err);
    /* -EEXIST: 'there', which was at the target before, cannot take the rows of 't'. */
    int (*shape)(struct copy *c, const struct copy_table *t, const struct table_def *there,
                 struct err *err);
    /* How its rows go into 'there': columns, resumable, bulk. */
    int (*columns)(struct copy *c, struct copy_table *t, const struct table_def *there,
                   struct err *err);
    int (*cut)(struct copy *c, struct copy_table *t, struct err *err); /* into ranges */
    int (*range)(struct copy_worker *w, struct copy_table *t, struct read_range *r,
                 struct err *err);
    int (*end)(struct copy_worker *w, struct copy_table *t, struct err *err);
    /* The rows of a range, where there is a target: copy_rows_open() and its like. */
    int (*rows_open)(struct copy_rows *rows, const struct read_range *r, bool ordered,
                     struct err *err);
    int (*rows_next)(struct copy_rows *rows, struct mysql_row *row, struct err *err);
    void (*rows_at)(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out);
    void (*rows_close)(struct copy_rows *rows, bool broken);
};

struct copy {
    const struct job *job;
    const struct copy_way *way;
    struct job_link link;
    struct checkpoint fence;
    bool has_fence;
    struct mysql_conn *source, *target; /* the copy's own; workers have theirs */
    struct server_kind from, to;        /* what the source is, or was; and the target */
    struct dump_folder *folder;         /* that a dump writes */
    struct load_folder *files;          /* that a load reads; until the next run */
    struct mysql_conn *locked;          /* holds tables without transactions for a dump */
    bool full_images;                   /* binlog_row_image=FULL at the source */
    bool can_load;                      /* LOAD DATA LOCAL is allowed and safe at the target */
    uint64_t bulk_max_bytes;            /* that one transaction at the target may have */
    uint64_t max_packet;                /* of the target, for one statement */
    atomic_uint round;                  /* the copy's thread writes, those who watch read */
    struct read_snapshot snapshot;

    void (*progressed)(void *arg);
    void *progressed_arg;

    _Atomic uint64_t in_flight; /* rows read, and not yet committed at the target */
    atomic_uint refs;
    struct mutex lock;
    bool stop_wanted GUARDED;
    bool finished GUARDED;
    enum copy_phase phase GUARDED;
    struct copy_tables tables GUARDED; /* replaced under the lock; the copy's thread reads freely */
    struct position position GUARDED;  /* of the first round of this run */
    int64_t rate_us[2] GUARDED;        /* for the rates: two moments, and what was done by then */
    uint64_t rate_rows[2] GUARDED, rate_bytes[2] GUARDED;
};

struct copy_worker {
    struct copy *copy;
    struct mysql_conn *source; /* of the snapshot, borrowed; NULL when loading files */
    struct mysql_conn *target; /* its own; NULL when dumping */
    bool lost;                 /* its snapshot is gone: what is left waits for the next round */
    struct copy_table *counted[64]; /* all rows are there; the target is told of many at once */
    unsigned n_counted;
    pthread_t thread;
};

/* -ESTALE stands for "the table changed, read it in another round" throughout. */

/* copy.c */
int copy_stream_run(struct copy *c, struct err *err); /* of copy_way_stream */
void copy_phase_set(struct copy *c, enum copy_phase phase);
unsigned copy_threads(const struct job *job); /* connections at each end */
/* Shows the plan to those who watch; the old one goes. */
void copy_tables_publish(struct copy *c, struct copy_tables *tables);
char *copy_lock_text(const struct copy *c, const struct copy_tables *tables); /* or NULL */
void copy_position_publish(struct copy *c, const struct position *p);
/* copy_target.c: the target open, its state there, and the copy ours and nobody else's.  1: it is
 * finished. */
int copy_target_open(struct copy *c, struct err *err);
void copy_target_close(struct copy *c);

/* copy_plan.c: what is in scope, with its definition and its state. */
/* -ERESTART: a table that was copied already is gone or has another name now. */
int copy_plan(struct copy *c, struct copy_tables *ret, struct err *err);
/* What the target remembers of 'tables'.  -ERESTART likewise. */
int copy_plan_states(struct copy *c, struct copy_tables *tables, struct err *err);
void copy_plan_merged(const struct copy *c, struct copy_tables *tables);
/* After the snapshot: tables whose definition changed meanwhile wait for the next round.
 * -EAGAIN: there are new ones, plan again. */
int copy_plan_recheck(struct copy *c, struct copy_tables *tables, struct err *err);
struct copy_table *copy_tables_find(const struct copy_tables *tables, const char *db,
                                    const char *name); /* NULL if there is none */
/* copy_foreign.c: when one of a class is to be read, all of it is. */
int copy_foreign_classes(struct copy *c, struct copy_tables *tables, struct err *err);
/* Drops what was copied and forgets it. */
int copy_plan_start_over(struct copy *c, struct err *err);
void copy_tables_fini(struct copy_tables *t);

/* copy_schema.c: databases and tables at the target, ready for this round's rows. */
int copy_schema(struct copy *c, struct copy_tables *tables, struct err *err);
/* Makes it by a connection of one's own. */
int copy_schema_make(const struct copy *c, struct mysql_conn *target, const struct copy_table *t,
                     struct err *err);
/* How its rows go into 'there'.  True: both have the same columns in the same order. */
bool copy_schema_columns(struct copy *c, struct copy_table *t, const struct table_def *there);
/* Else: what the source says of it is remembered for sync. */
int copy_schema_keep(struct copy *c, const struct copy_table *t, struct err *err);
/* Its ranges, and a row that says that it begins in this round. */
int copy_schema_cut(struct copy *c, struct copy_table *t, struct err *err);
/* copy_fresh.c: those that the target lacks, many at once; they are 'made' then. */
int copy_fresh(struct copy *c, const struct copy_tables *tables, struct err *err);
/* copy_state.c: rows and ranges of tables that begin, in one transaction. */
int copy_state_put_new(struct mysql_conn *target, const struct job *job,
                       struct copy_table *const *all, unsigned n, struct err *err);
/* Rows of tables, in one statement. */
int copy_state_put_tables(struct mysql_conn *target, const struct job *job,
                          struct copy_table *const *all, unsigned n, struct err *err);
/* Its CREATE as the target is told it. */
int copy_schema_text(const struct copy *c, const struct copy_table *t, struct buf *out,
                     struct err *err);
int copy_schema_empty(struct copy *c, struct mysql_conn *target, const struct copy_table *t,
                      struct err *err);
/* copy_view.c: views; one that cannot be made is logged and left out. */
int copy_views(struct copy *c, const struct copy_tables *tables, struct err *err);

/* copy_work.c: the rows of all tables that the snapshot can give. */
int copy_work(struct copy *c, struct copy_tables *tables, struct err *err);
/* The way's range and end where there is a target. */
int copy_work_range(struct copy_worker *w, struct copy_table *t, struct read_range *r,
                    struct err *err);
int copy_work_end(struct copy_worker *w, struct copy_table *t, struct err *err);
int copy_work_flush(struct copy_worker *w, struct err *err); /* those that are counted are done */
/* One table with all its ranges, by a worker of one's own; counted at the end. */
int copy_work_table(struct copy_worker *w, struct copy_table *t, struct err *err);
/* copy_locked.c: tables of engines without transactions, each under a lock of its own. */
int copy_locked(struct copy *c, struct copy_tables *tables, struct err *err);
/* Sequences: their next value. */
int copy_sequence(struct copy *c, struct copy_table *t, struct err *err);
/* Opens a transaction at the target and makes sure that we still own the copy. */
int copy_begin(struct copy_worker *w, struct err *err);
/* The SELECT of a whole table, or of what is left of a range in the order of its key.
 * -ESTALE if the table changed. */
int copy_select(struct copy_worker *w, const struct copy_table *t, const struct read_range *r,
                bool ordered, struct mysql_result **ret, struct err *err);
/* copy_rows.c: the rows of a range, from wherever the way has them. */
struct copy_rows {
    struct copy_worker *w;
    const struct copy_table *t;
    struct mysql_result *result; /* of copy_select() */
    struct load_rows *files;     /* when loading */
};
int copy_rows_open(struct copy_rows *ret, struct copy_worker *w, const struct copy_table *t,
                   const struct read_range *r, bool ordered, struct err *err);
int copy_rows_next(struct copy_rows *rows, struct mysql_row *row, struct err *err); /* 1, 0, <0 */
/* Where to go on after 'row', the last one, as read_range.at wants it. */
void copy_rows_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out);
/* 'broken': the copy ends, do not read the rest. */
void copy_rows_close(struct copy_rows *rows, bool broken);
/* The same of the source alone: copy_way_stream. */
int copy_selected_open(struct copy_rows *rows, const struct read_range *r, bool ordered,
                       struct err *err);
int copy_selected_next(struct copy_rows *rows, struct mysql_row *row, struct err *err);
void copy_selected_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out);
void copy_selected_close(struct copy_rows *rows, bool broken);
int copy_stale(const struct err *err, int rc); /* rc, or -ESTALE if the error says so */
/* The same of the target's error: its table was made of another moment's definition than the
 * columns that are written (one of somebody else's making that lacks them was refused before). */
int copy_stale_there(const struct err *err, int rc);

/* copy_bulk.c; -EILSEQ: the target did not take the rows as they are. */
int copy_bulk(struct copy_worker *w, struct copy_table *t, struct err *err);
/* copy_insert.c */
int copy_insert(struct copy_worker *w, struct copy_table *t, struct read_range *r, struct err *err);
/* "INSERT INTO `db`.`t` (...) VALUES " and what follows the rows, as on_duplicate says. */
void copy_insert_head(const struct copy *c, const struct copy_table *t, struct buf *sql);
void copy_insert_tail(const struct copy *c, const struct copy_table *t, struct buf *sql);
/* Were 'n_rows' taken, by what the target says?  REPLACE counts the rows that went, too. */
bool copy_insert_fits(const struct copy *c, uint64_t affected, unsigned n_rows);
/* copy_big.c: one row, in the transaction that is open. */
int copy_big_row(struct copy_worker *w, const struct copy_table *t, const struct mysql_row *row,
                 struct err *err);

#endif
