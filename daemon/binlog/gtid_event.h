/*
 * gtid_event.h - the event that opens a transaction: MySQL's GTID (33),
 * ANONYMOUS_GTID (34) and GTID_TAGGED (42), MariaDB's GTID (162).
 *
 * Sources: MySQL Source Code Documentation, "Gtid_event" and
 * "libs/mysql/serialization"; MariaDB Knowledge Base, "GTID_EVENT".
 */
#ifndef SLUICE_BINLOG_GTID_EVENT_H
#define SLUICE_BINLOG_GTID_EVENT_H

#include "binlog/event.h"
#include "binlog/gtid_set.h"

/* flags of MariaDB's */
#define GTID_STANDALONE 0x01
#define GTID_GROUP_COMMIT 0x02
#define GTID_TRANSACTIONAL 0x04
#define GTID_ALLOW_PARALLEL 0x08
#define GTID_WAITED 0x10
#define GTID_DDL 0x20
#define GTID_PREPARED_XA 0x40
#define GTID_COMPLETED_XA 0x80

/* flags_extra of MariaDB's: binlog_alter_two_phase logs an ALTER when it starts
 * and again when it ends; only the second is to be run. */
#define GTID_EXTRA_START_ALTER 0x02
#define GTID_EXTRA_COMMIT_ALTER 0x04
#define GTID_EXTRA_ROLLBACK_ALTER 0x08

struct gtid_xid {
    uint32_t format;
    struct slice gtrid, bqual;
};

struct gtid_event {
    struct gtid gtid; /* number 0: anonymous */
    uint8_t flags, flags_extra;
    uint64_t commit_id;  /* MariaDB: same number, same group commit; 0 if none */
    struct gtid_xid xid; /* MariaDB, with one of the XA flags */
    int64_t last_committed, sequence_number;         /* MySQL's logical clock */
    int64_t immediate_commit_us, original_commit_us; /* MySQL; 0 if not said */
    uint64_t transaction_size;                    /* MySQL: bytes with this event; 0 if not said */
    uint32_t immediate_version, original_version; /* MySQL: 80036 */
};

/* Returns 0 or -EBADMSG. */
int gtid_event_decode(const struct event *ev, struct gtid_event *ret, struct err *err);

#endif
