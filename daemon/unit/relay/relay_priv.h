/* relay_priv.h - what the parts of the relay share; see relay.h for who is who. */
#ifndef SLUICE_UNIT_RELAY_PRIV_H
#define SLUICE_UNIT_RELAY_PRIV_H

#include <jansson.h>

#include "journal/journal.h"
#include "mysql/server.h"
#include "mysql/stream.h"
#include "unit/rate.h"
#include "unit/relay/relay_gate.h"
#include "unit/relay/relay_ingest.h"
#include "unit/relay/relay_unit.h"
#include "unit/unit.h"

#define RELAY_HEARTBEAT_MS 5000

struct relay_acks;

/* The unit; as old as its source, which frees it. */
struct relay {
    struct unit unit; /* first */
    struct source *source;
    struct relay_gate *gate;
    struct journal *journal GUARDED; /* NULL while there is none */
    json_t *kept GUARDED;            /* what survives a restart: relay.c says what */
    char **wants GUARDED;            /* who wants it */
    unsigned n_wants GUARDED;
    char *accept GUARDED; /* where the operator says to go on: "bin.000007:4", "oldest" */
    atomic_bool full;     /* the disk is: waits for space */
    char *reconnect_reason GUARDED;
    struct gtid current_gtid GUARDED; /* of the last transaction stored; number 0: not known */
    json_t *corruption GUARDED;       /* what the last verify found */
    bool verifying GUARDED, has_verifier GUARDED;
    pthread_t verifier;                  /* joined by the next one, or at the end */
    struct mysql_stream *stream GUARDED; /* of the same: shut down to connect with other settings */
    struct conn_set *conns GUARDED;      /* of the run that is under way: wake() shuts it */

    _Atomic uint64_t transactions, events, bytes_read, heartbeats, reconnects, purged_records;
    _Atomic int64_t heard_us;       /* wall: the source was heard */
    _Atomic int64_t read_commit_us; /* wall: of the last transaction stored */
    atomic_bool connected, caught_up;
    _Atomic bool semi_sync_active;
    int64_t purged_us, holds_due_us; /* the keeper's; monotonic: when it last looked; is due */
    double shown_lag;                /* likewise */
    /* once a second: events read; records and bytes stored; reads of the store and their bytes */
    struct rate event_rate GUARDED, store_rate GUARDED, read_rate GUARDED;
};

static inline struct relay *relay_of(const struct node *n)
{
    return node_owner((struct node *)n, struct relay, unit.node);
}

/* --- relay.c --- */
void relay_release(struct node *n);
json_t *relay_kept(struct relay *r, const char *key); /* a new reference or NULL */
int relay_keep(struct relay *r, const char *key, json_t *v, struct err *err); /* steals v */
struct journal *relay_journal(struct relay *r, bool create, struct err *err); /* a reference */
/* A setting of relay_config or purge, with its default; a new reference. */
json_t *relay_setting(struct relay *r, const char *path);
uint32_t relay_server_id(struct relay *r);
void relay_server_uuid(struct relay *r, char ret[static 40]);
double relay_lag_seconds(struct relay *r);

extern const struct unit_ops relay_ops; /* relay_run.c */

/* --- relay_place.c --- */
struct relay_place {
    struct position pos; /* the dump begins here; the set: all before the head */
    enum flavor flavor;
    char server[64];       /* who the source is now */
    bool fresh;            /* a new incarnation begins */
    struct gtid_set *skip; /* see struct ingest */
    struct buf expect;     /* likewise; empty: nothing is compared */
    uint64_t expect_from;
    struct gtid last;                /* of the last record; number 0: none */
    char end_file[BINLOG_NAME_SIZE]; /* where the source's binlog ends now */
    uint64_t end_offset;
};
void relay_place_fini(struct relay_place *p);
/* Asks the source who it is and where the dump goes on after 'head'.  -EREMCHG: that is the
 * operator's to decide; -ENODATA: what follows was purged.  Both sentences say what to type. */
int relay_find_place(struct relay *r, const struct mysql_params *params, struct journal *j,
                     const struct journal_head *head, const char *accept, struct relay_place *ret,
                     struct err *err);

/* --- relay_ack.c: a thread that acknowledges what is on disk, and beyond the gate --- */
struct relay_acks *relay_acks_new(struct journal *j, struct relay_gate *gate,
                                  struct mysql_stream *s, const char *path);
/* The source wants to hear when 'seq', which ends at file and offset, is on disk. */
void relay_acks_add(struct relay_acks *a, uint64_t seq, const char *file, uint64_t offset);
void relay_acks_free(struct relay_acks *a); /* ends the thread; NULL is fine */

/* --- relay_keep.c --- */
/* DM's purge by hand: all before a file, or before a record. */
struct relay_until {
    const char *file;     /* of the source; NULL: 'seq' says it */
    uint32_t incarnation; /* which server's file that is; 0: that of the last that has one */
    uint64_t seq;
};
int relay_purge(struct relay *r, const struct relay_until *until, bool force, struct err *err);
/* The disk is too full for another record; the sentence says so. */
bool relay_disk_full(struct relay *r, struct err *why);
/* Reads the whole journal in a thread of its own: r->corruption. -EBUSY: it is at it. */
int relay_verify(struct relay *r, struct err *err);
void relay_verify_join(struct relay *r);

/* --- relay_rows.c --- */
extern const struct attr relay_attrs[];

#endif
