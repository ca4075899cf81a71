/*
 * txn.h - which events make a transaction.
 *
 * A grouper is fed every event of a dump connection or a file, in order, and
 * says what the event is for.  It keeps no event bytes: the caller stores the
 * bodies.  Compressed transaction payloads are opened by payload.h and their
 * events fed one by one.
 */
#ifndef SLUICE_BINLOG_TXN_H
#define SLUICE_BINLOG_TXN_H

#include "binlog/event.h"
#include "binlog/gtid_set.h"
#include "binlog/position.h"
#include "binlog/query.h"

enum txn_step {
    TXN_NOTHING,    /* heartbeat, checkpoint, annotate, ...: nobody's business */
    TXN_FORMAT,     /* format description: grouper.fmt changed */
    TXN_ROTATE,     /* grouper.pos.file changed */
    TXN_BEGIN,      /* GTID event, or BEGIN without one: a transaction starts */
    TXN_MAP,        /* TABLE_MAP inside a transaction */
    TXN_ROWS,       /* a rows event inside a transaction */
    TXN_STATEMENT,  /* QUERY inside a transaction that is no BEGIN/COMMIT: a statement, SAVEPOINT,
                       ... */
    TXN_CONTEXT,    /* INTVAR, RAND, USER_VAR, LOAD: belongs to the next statement */
    TXN_COMMIT,     /* XID or COMMIT: the transaction is whole */
    TXN_ROLLBACK,   /* drop what was collected; the position is beyond it */
    TXN_DDL,        /* QUERY that stands alone (commits implicitly): a whole transaction */
    TXN_XA_PREPARE, /* the body is to be kept under grouper.xid */
    TXN_XA_COMMIT,  /* apply what was kept under grouper.xid */
    TXN_XA_ROLLBACK,
    TXN_PAYLOAD,  /* TRANSACTION_PAYLOAD: open it and feed its events */
    TXN_INCIDENT, /* the source lost events: stop */
};

struct grouper {
    struct event_format fmt;
    struct position pos; /* safe to start from again: after the last whole transaction, or after
                            the last event when none is open; gtids: all whole transactions so
                            far, NULL while not known */
    struct gtid gtid;    /* of the transaction that is open or just ended; number 0: none */
    bool in_txn;
    bool ddl_in_txn;   /* MariaDB: the GTID event says that rows and DDL come together */
    bool standalone;   /* MariaDB FL_STANDALONE: no COMMIT follows */
    int64_t commit_us; /* MySQL: immediate_commit_timestamp; else the event's seconds; in wall us */
    struct slice xid;  /* XA steps: serialised "X'..',X'..',n", valid until the next feed */
    struct query query; /* TXN_STATEMENT, TXN_DDL: decoded, valid until the next feed */
    uint64_t size;      /* bytes of the open transaction's events so far */

    bool whole_payloads; /* set by who does not open them: a payload is its whole transaction */

    /* the grouper's own */
    char file[BINLOG_NAME_SIZE]; /* where the last event ended, inside a transaction too */
    uint64_t offset;
    bool opened;     /* a GTID event came and nothing yet that says what it opened */
    bool half_alter; /* MariaDB: a two-phase ALTER's start or rollback: not to be run */
    struct buf scratch, xid_text;
};

/* 'start' is copied. */
void grouper_init(struct grouper *g, enum flavor flavor, const struct position *start);
void grouper_fini(struct grouper *g);

/* Returns an enum txn_step, or -EBADMSG; after an error the grouper is of no
 * more use.  g->pos and g->pos.gtids advance only when a transaction is whole,
 * so g->pos after COMMIT/DDL is a safe checkpoint.
 *
 * A format description of a server that started anew while a transaction was
 * open gives TXN_ROLLBACK: the rest of it was never written.  A dump that
 * begins inside a file beyond 4 GiB by GTID alone counts offsets modulo 2^32
 * until a heartbeat tells the rest. */
int grouper_feed(struct grouper *g, const struct event *ev, struct err *err);

#endif
