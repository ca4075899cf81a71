/*
 * relay_ingest.h - events of a dump, in order, into records of the journal.
 *
 * What is in the source's file is stored as it came, byte for byte; what was made for this
 * connection (artificial events, heartbeats) only moves the position.  A transaction is one
 * record from its GTID event to its end, streamed into the journal; what stands between
 * transactions is a record each.
 *
 * A dump may begin before what is stored ends: those bytes are compared instead of stored, which
 * tells a source that was reset or replaced from one that was not.
 *
 * No I/O but the journal's; the relay's thread.
 */
#ifndef SLUICE_UNIT_RELAY_INGEST_H
#define SLUICE_UNIT_RELAY_INGEST_H

#include "base/buf.h"
#include "binlog/txn.h"
#include "journal/journal.h"

struct ingest {
    struct journal *journal;
    /* After the last record; no file before the first of an incarnation.  The set: all
     * transactions so far, NULL while not known. */
    struct position head;
    uint32_t incarnation;

    /* of this connection */
    struct grouper grouper;
    struct gtid_set *skip; /* transactions that are in the journal, though not at this place;
                              NULL: none.  Passed by without being stored */
    struct buf expect;     /* the stored bytes from 'expect_from' to the head, as far as known */
    uint64_t expect_from;

    /* its own */
    struct gtid gtid;  /* of the open record */
    struct buf format; /* the last format description */
    char at_file[BINLOG_NAME_SIZE];
    uint64_t at; /* end of the last event there */
    uint8_t last_type;
    bool open;     /* a transaction is under way: */
    bool skipping; /* ... which is not stored */
};

/* What one event did. */
struct ingest_did {
    bool committed;               /* a record was written: */
    struct journal_record record; /* ... this one */
    bool known;                   /* ... was stored before, and ends here */
    bool alive;                   /* a heartbeat: the source has nothing for us */
    bool incident;                /* the source lost events before this one */
};

/* 'head' is copied. */
void ingest_init(struct ingest *in, struct journal *j, const struct position *head,
                 uint32_t incarnation);
void ingest_fini(struct ingest *in);
/* A new connection, whose dump begins at file and offset of 'from': at the head, or before it in
 * the head's file.  What was open is dropped. */
void ingest_connect(struct ingest *in, enum flavor flavor, const struct position *from);
/* One raw event.  -EBADMSG: damaged, or not understood; -EREMCHG: not what is stored of this
 * place; errors of the journal. */
int ingest_event(struct ingest *in, struct slice raw, struct ingest_did *ret, struct err *err);

/* The number of a binlog file: its suffix; 0 if it has none. */
uint32_t binlog_file_number(const char *name);

#endif
