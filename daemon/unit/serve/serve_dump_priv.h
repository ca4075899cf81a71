/*
 * serve_dump_priv.h - one dump while it runs, for its three files.
 *
 *     serve_dump.c     who asks, beginning and ending
 *     serve_stream.c   first events, then records, heartbeats when there are none
 *     serve_report.c   what the dump tells of its replica, and what the replica says
 */
#ifndef SLUICE_UNIT_SERVE_DUMP_PRIV_H
#define SLUICE_UNIT_SERVE_DUMP_PRIV_H

#include "mysql/frame.h"
#include "unit/serve/replica.h"
#include "unit/serve/serve_ack.h"
#include "unit/serve/serve_admit.h"
#include "unit/serve/serve_quorum.h"
#include "unit/serve/server_priv.h"

enum { DUMP_PUBLISH_MS = 500 }; /* how often the replica's directory is written while sending */

struct dump {
    struct session *s;
    struct serve *v;
    struct dump_start start;
    struct frame frame;
    struct journal_reader *reader;
    struct replica *replica;
    struct replica_facts facts;
    char *hold; /* its name in the journal */
    bool mariadb, non_block, heartbeat_v2;
    bool asks; /* for acknowledgements */
    /* where it is */
    uint32_t incarnation, file_no;
    char file[BINLOG_NAME_SIZE];
    uint64_t offset;
    bool checksum;          /* as the last format description says */
    bool skipped;           /* something, since the last event */
    bool list_due;          /* MariaDB: a GTID list where the client goes on */
    bool done;              /* UNTIL is reached */
    struct gtid_set *state; /* MariaDB: all transactions up to here, while that matters */
    struct buf event;       /* an artificial one */
    /* time */
    int64_t heartbeat_us, sent_us, published_us, held_us, looked_us;
    struct acks acks;
};

/* serve_stream.c: 0 when the binlog, or what was asked for, is at its end. */
int dump_stream(struct dump *d, struct err *err);

/* --- serve_report.c --- */
/* Into the replica's directory. */
void dump_publish(struct dump *d, const char *state);
/* The journal keeps all from 'seq' on. */
void dump_hold(struct dump *d, uint64_t seq);
/* Both, now and then while sending. */
void dump_tick(struct dump *d);
/* The place behind record 'seq' in the file at hand. */
struct ack_point dump_point(const struct dump *d, uint64_t seq, uint64_t offset);
/* How far the replica has acknowledged, to those who wait for it. */
void dump_report(struct dump *d);
/* Record 'seq' was sent, or need not be, and nobody is asked for it. */
void dump_pass(struct dump *d, uint64_t seq);
/* Takes what the replica has said; does not wait. */
int dump_take_input(struct dump *d, struct err *err);
/* Who does not answer in time counts as asynchronous until he does. */
void dump_check_acks(struct dump *d);

#endif
