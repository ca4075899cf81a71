/* sync_priv.h - what the parts of sync share; see sync.h for who is who. */
#ifndef SLUICE_UNIT_SYNC_PRIV_H
#define SLUICE_UNIT_SYNC_PRIV_H

#include "base/histogram.h"
#include "binlog/query.h"
#include "binlog/txn.h"
#include "route/filter.h"
#include "unit/copy/copy_state.h"
#include "unit/rate.h"
#include "unit/sync/sync.h"
#include "unit/sync/sync_feed.h"
#include "unit/sync/sync_mode.h"
#include "unit/sync/sync_queue.h"
#include "unit/sync/sync_table.h"

#define SYNC_HEARTBEAT_MS 5000

struct applied;
struct aside;
struct parallel;
struct refill;
struct sync_watch;
struct spill;
struct sync_run;
struct sync_shards;

/* The unit: lives as long as its node. */
struct sync {
    struct unit unit; /* first */
    const struct job *job;
    struct sync_run *run GUARDED; /* while run() is in its loop */
    /* as last committed */
    char *gtid GUARDED, *binlog_file GUARDED;
    uint64_t binlog_offset GUARDED;
    char *aside_text GUARDED;             /* "db.t,db.u": tables that are set aside */
    char *aside_gone GUARDED;             /* ... of them those whose changes were purged */
    struct position aside_oldest GUARDED; /* from where they are needed; no set, file "": none */
    atomic_bool suspect;                  /* the stream is to be opened again: see sync_begun.h */
    atomic_bool leave;                /* a release waits until all that was read is in the target */
    _Atomic unsigned reloads;         /* times that the list of refill.h was changed */
    char *catching_up GUARDED;        /* the table that a release is at; NULL or "": none */
    struct position aside_at GUARDED; /* and how far it is; no set */
    char *release GUARDED;            /* the table to take back, "" for all; NULL: none asked */
    bool release_skips GUARDED;       /* without what it missed */
    struct sync_watch *watch GUARDED; /* referenced; NULL: nobody */
    atomic_bool watched;              /* there is one */
    json_t *refill GUARDED;           /* tables that are copied again: refill_json() */
    _Atomic uint64_t rows_in_flight;  /* read, and not yet committed at the target */
    _Atomic uint64_t events, bytes, transactions, rows, groups, statements, ddl, ddl_skipped,
        reconnects, heartbeats, spilled, write_retries;
    struct histogram group_us, exec_us, commit_us, mark_us; /* of a transaction of the target */
    _Atomic int64_t read_commit_us; /* commit of the last transaction read, or what is not read
                                     * yet is younger than this, wall time; 0: not known */
    _Atomic int64_t held_us;        /* commit of the oldest transaction that is held; 0: none is */
    _Atomic int64_t heard_us;       /* when anything came from the source, wall time */
    _Atomic bool from_relay;        /* the events come from the journal */
    _Atomic uint64_t ignored;       /* rows events that a filter left out */
    _Atomic uint64_t rows_ignored;  /* rows that an expression left out */
    atomic_bool shards_known;       /* this start has said which tables the source has */
    _Atomic int64_t waiting_us;     /* monotonic: since when nothing comes; 0: something does */
    atomic_bool quiet;              /* the source said that it has no more */
    atomic_bool has_txn;            /* a transaction, of this stream */
    char *reconnect_reason GUARDED;
    _Atomic uint64_t changes[3]; /* rows by enum rows_kind, as decoded */
    struct histogram event_bytes, event_rows, write_us, write_rows, lag_us; /* see "histograms" */
    struct position read_to GUARDED; /* by the stream, when it last had to wait; no set */
    bool has_read GUARDED;           /* ... in the run that is under way */
    struct rate_point first GUARDED; /* when it first ran */
    struct rate rate GUARDED;        /* row changes and DDL */
    json_t *operators GUARDED;       /* sync_operator.h; NULL: none */
    char *error_position GUARDED, *error_sql GUARDED; /* of the DDL that failed; NULL: none */
};

/* A transaction whose tables are not known yet. */
struct held {
    struct raw_txn raw;
    struct gtid gtid;
    struct position pos; /* without a set: the queue has one */
    int64_t commit_us;
};

/* A session of the target that writes. */
struct sync_hand {
    struct sink *sink;
    _Atomic int64_t writing_us; /* monotonic: since when it is being waited for; 0: it is not */
};

/* One run(): from a takeover of the checkpoint to the next stop or error. */
struct sync_run {
    struct sync *sync;
    const struct job *job;
    struct checkpoint cp;
    struct sync_hand main;    /* the session that moves the checkpoint */
    struct mysql_conn *admin; /* target: definitions and lists */
    const struct sync_mode *mode;
    struct queue queue; /* merged, one-to-one */
    bool has_queue;
    pthread_t writer;
    struct parallel *parallel; /* parallel */
    struct sync_hand *appliers;
    unsigned n_appliers;
    bool has_grouper;
    struct sync_tables *tables;
    struct copy_handover handover;
    bool has_handover;
    struct aside *aside;
    struct refill *refill; /* NULL: none in this run */
    unsigned reloads;      /* of its list: when it was read */
    struct applied *applied;
    const char *only_aside;       /* the table that this pass catches up with, set aside before */
    const struct position *until; /* where that pass ends */
    bool second;                  /* this pass is the second reading of shards: sync_shard.h, */
    const struct position *second_from; /* ... and where it begins */
    struct sync_shards *shards;         /* NULL: the task merges none */
    struct slice shard_also; /* a statement with what a DDL of shards commits; empty: none */
    struct feed *feed;       /* wake() shuts it down: under sync->unit.lock */
    bool opened;             /* the feed was, and no file of it has come by yet */
    char begun_file[BINLOG_NAME_SIZE]; /* the one that came by last; "" none */
    struct {
        struct position at; /* how far the stream was; no set; file "": nothing is known */
        int64_t us;         /* wall */
        bool asked;         /* and the source ended before, so that it was opened again */
    } reached;              /* the pulse's, see begun_pulse() */
    bool no_journal;        /* it is damaged where we are */
    int64_t look_us;        /* monotonic: when to look next whether the relay has it */

    char *dm_table;    /* sync_dm.h; NULL: none */
    int64_t dm_due_us; /* monotonic: when to write there next; 0: never yet */
    char *dm_written;  /* what was written there last, as text; NULL: nothing yet */

    /* the reader's */
    struct position safe_to; /* what DM may have applied, up to here; file "": nothing */
    struct grouper grouper;
    struct raw_writer raw;
    struct raw_txn txn;
    struct spill *spill; /* the open transaction went to disk */
    struct arena scratch;
    bool source_cascades;       /* rows changed by foreign keys come with the stream */
    enum flavor flavor;         /* of the source, */
    uint32_t version;           /* ... and its release: server_kind */
    struct sync_ddl *inner_ddl; /* CREATE ... SELECT: the statement of the open transaction */
    struct savepoint *savepoints;
    unsigned n_savepoints;
    struct held *held;
    unsigned n_held;
    size_t held_size;
    struct position hold_until;
    struct err hold_why;
    uint32_t timestamp;         /* of the event at hand */
    uint32_t event_size;        /* and its bytes, as in the binlog */
    int64_t safe_until_s;       /* of the source's clock: see job.safe_us; 0: nothing came yet */
    const struct gtid *at_gtid; /* of the transaction at hand, which may have been held, */
    const struct position *at;  /* and where it ends */
    struct position inside;     /* where it is, while it is open; no set */
    bool ddl_again;             /* the next DDL was begun before a crash */
    bool ddl_done;              /* ... and had run */
    uint64_t ddl_hash;          /* ... and was this statement */
    bool ddl_apart;             /* the target does not go through all of the one at hand */

    /* a drainer's, whose stream is merged from several sources; see drain_sync.c */
    const struct position *mark; /* where its stream is, for the checkpoint; NULL: r->at is that */
    const char *lane;            /* of which source the transaction at hand is */
    struct slice also;           /* a statement in each transaction of the target; empty: none */
    /* What a step of the stream is to mean: the same, or TXN_NOTHING, or TXN_ROLLBACK. */
    int (*judge)(struct sync_run *r, const struct event *ev, int step, struct err *err);
    /* The source's definition was read when it was at 'until': 0 if no DDL on the table comes
     * before.  Without it rows are held until the stream is there. */
    int (*look_ahead)(struct sync_run *r, const struct event *map, const struct position *until,
                      struct err *err);
    void (*published)(struct sync_run *r);
};

/* Where the event at hand begins, in r->grouper.file. */
static inline uint64_t sync_event_at(const struct sync_run *r)
{
    return r->grouper.offset - r->event_size;
}

/* --- sync_run.c --- */
/* Takes the checkpoint over and opens all that a run needs. */
int sync_run_open(struct sync_run *r, struct sync *s, const char *part, struct err *err);
void sync_run_close(struct sync_run *r);
/* Of opening: the target's sessions and the checkpoint, under 'key'. */
int sync_run_target(struct sync_run *r, const struct checkpoint_key *key, struct err *err);
void sync_run_show(struct sync_run *r, bool running); /* to the unit */
/* Reads and writes until stopped, an error, or r->until. */
int sync_run_loop(struct sync_run *r, struct err *err);
/* Before the loop: brings the table ("": all) that was set aside to where the others are, or
 * ('skip') takes it back as it is. */
int sync_run_release(struct sync_run *r, const char *table, bool skip, struct err *err);
/* In the sink's open transaction: the table that was set aside is as the others from here on. */
int sync_run_join(struct sync_run *r, const char *table, struct err *err);

/* --- sync_apply.c --- */
struct sync_write {
    struct group *group;
    struct slice beside; /* as sink_begin_beside(); empty: the checkpoint moves to group->pos */
    struct slice also;   /* a statement in the same transaction; empty: none */
    /* Where the stream of a table begins that is set aside because its changes in the group are
     * refused: its own changes before are all in the target.  'ret' is empty and the caller's. */
    void (*from)(void *arg, const struct target_table *t, struct position *ret);
    void *arg;
};

/* Writes one group with the session 'h', whoever calls; retries what may succeed the second time.
 */
int sync_write(struct sync_run *r, struct sync_hand *h, const struct sync_write *w,
               struct err *err);
void sync_publish(struct sync_run *r); /* the checkpoint's position, for the tree */
void sync_publish_aside(struct sync_run *r);
void sync_publish_refill(struct sync_run *r);
void sync_publish_catching_up(struct sync *s, const char *table);
/* The rows of a group that go in its transaction, or ('plain') before it: those of tables without.
 */
int sync_write_rows(struct sync_run *r, struct sink *s, struct group *g, bool plain,
                    struct err *err);

/* --- sync_status.c --- */
void sync_sample(struct sync *s); /* once a second */
/* Whether the reader waits for what comes next. */
void sync_set_waiting(struct sync *s, bool is);
/* ... and the source, or who has its binlog, says that there is nothing more. */
void sync_set_quiet(struct sync *s, bool is);
/* It does not read any more, or from elsewhere: what it has not read is younger than what it had.
 */
void sync_leaves_stream(struct sync *s);

/* --- sync_pulse.c: once a second, what nobody else has the time for --- */
void *sync_pulse(void *run); /* thread; ends with the queue */

/* --- sync_rows.c --- */
/* Finds the table of every rows event; may ask servers.  -EAGAIN: r->hold_until. */
int sync_find_tables(struct sync_run *r, struct raw_txn *txn, bool *any, struct err *err);
/* Decodes all rows of 'txn', or of one event, into 'g'. */
int sync_add_rows(struct sync_run *r, const struct raw_txn *txn, struct group *g, struct err *err);
int sync_add_event(struct sync_run *r, const struct raw_event *e, struct group *g, struct err *err);
/* Is the transaction at hand in what the full copy read of the table? */
enum copy_when sync_when(const struct sync_run *r, const char *schema, const char *name);

/* --- sync_reader.c: the stream --- */
int sync_read(struct sync_run *r, struct err *err);
/* The source's relay has what follows this position of the server that the checkpoint is of. */
bool sync_is_stored(struct sync_run *r, const struct position *from, bool wait);

/* --- sync_txn.c: transactions --- */
int sync_txn_event(struct sync_run *r, const struct event *ev, int step, struct err *err);
/* Releases what was held, if the stream is there. */
int sync_txn_unhold(struct sync_run *r, struct err *err);
void sync_txn_drop(struct sync_run *r); /* the open transaction */

/* One event into the open transaction. */
int sync_txn_add(struct sync_run *r, const struct event *ev, int step, struct err *err);
/* What it has so far; SAVEPOINT and its like in it. */
size_t sync_txn_events(const struct sync_run *r);
int sync_txn_statement(struct sync_run *r, struct slice sql, struct err *err);
/* Nothing is to be done of it: only the position moves. */
int sync_txn_pass_by(struct sync_run *r, struct err *err);
/* Where the stream is after it. */
const struct position *sync_txn_end(const struct sync_run *r);
/* -EINVAL if some are held, which 'what' cannot overtake. */
int sync_txn_none_held(const struct sync_run *r, const char *what, struct err *err);

/* --- sync_statement.c: the statement that the grouper has --- */
int sync_statement_inside(struct sync_run *r, struct err *err); /* of a transaction */
int sync_statement_ddl(struct sync_run *r, struct err *err);    /* one that is a transaction */

/* --- sync_filter.c --- */
/* What filters leave of a statement in scope: FILTER_PART, '*q' has the text of the rest and 'd' is
 * of it, in r->scratch. */
enum filter_verdict sync_filter(struct sync_run *r, struct query *q, struct ddl *d);

/* --- sync_large.c --- */
int sync_payload(struct sync_run *r, const struct event *ev, struct err *err);
/* Applies it as one transaction of the target, in the order of the source; drains first. */
int sync_write_spill(struct sync_run *r, struct spill *s, const struct position *pos,
                     struct err *err);
int sync_xa_prepare(struct sync_run *r, const char *xid, struct err *err); /* keeps the body */
/* Brings the body back as the open transaction. */
int sync_xa_load(struct sync_run *r, const char *xid, struct err *err);
int sync_xa_drop(struct sync_run *r, const char *xid, struct err *err);

#endif
