/*
 * replica.h - who is connected to a server: servers/<s>/replicas/<id>/.
 *
 * A directory is made when a dump begins, by the mount itself, so that inotify sees it; it is
 * named by the replica's server_id.  When the replica goes, the directory stays and says so; a
 * tool without a server_id leaves nothing behind.  The thread of the dump writes the facts, under
 * the replica's lock; a second dump with the same server_id takes the directory over.
 */
#ifndef SLUICE_UNIT_REPLICA_H
#define SLUICE_UNIT_REPLICA_H

#include "base/thread.h"
#include "binlog/gtid_set.h"
#include "binlog/position.h"
#include "node/node.h"
#include "unit/rate.h"

struct journal;
struct server;

/* Plain data, copied as a whole. */
struct replica_facts {
    uint32_t connection; /* whose facts these are; 0: of one that is gone */
    uint32_t server_id;
    uint64_t port, seq, offset, lag_bytes, bytes_sent, events_sent, acked_offset;
    double heartbeat_s;
    int64_t connect_us, commit_us; /* wall; of the last transaction that was sent */
    bool connected, by_gtid, semi_sync;
    struct gtid gtid;
    char state[16];
    char server_uuid[40], user[64], host[256], tls_cipher[64];
    char file[BINLOG_NAME_SIZE], acked_file[BINLOG_NAME_SIZE];
    char last_error[512];
};

struct replica {
    struct node node; /* first */
    struct mutex lock;
    struct server *server; /* referenced */
    struct replica_facts facts GUARDED;
    int64_t waited_us GUARDED;       /* wall: when it last had all */
    struct rate rate GUARDED;        /* events and bytes sent */
    struct journal *journal GUARDED; /* a reference, while it is connected */
};

extern const struct node_type replica_type, replicas_type;

struct replica *replica_of(const struct node *n);

/* The directory of a dump that begins, with 'facts' in it; a reference: replica_disconnect() it.
 * 'journal' is borrowed. */
struct replica *replica_connect(struct server *s, const struct replica_facts *facts,
                                struct journal *journal);
/* What the dump did since; nothing when another connection has taken over. */
void replica_update(struct replica *r, const struct replica_facts *facts);
void replica_disconnect(struct replica *r, const struct replica_facts *facts, const char *why);

#endif
