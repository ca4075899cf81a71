/*
 * packet.h - statements that go to the target together, and what each must change.
 *
 * Statements are text, separated by ';', sent at once; what came of each is read
 * in their order.  One that changed other than the rows it should have says that
 * somebody else writes to the target.
 */
#ifndef SLUICE_SINK_PACKET_H
#define SLUICE_SINK_PACKET_H

#include "base/buf.h"
#include "binlog/rows.h"
#include "mysql/conn.h"
#include "sink/target.h"

/* What a statement must change. */
struct expected {
    const struct target_table *table; /* NULL: none of a table */
    enum rows_kind kind;
    uint64_t rows;
    bool exact; /* else any number will do */
};

struct packet {
    struct mysql_conn *conn; /* borrowed */
    size_t full_size;        /* packet_flush_if_full() sends what has grown so far */
    struct buf text;
    struct expected *expected; /* of each statement in 'text' */
    size_t n_expected, cap_expected;
    const struct target_table *failed; /* whose statement failed last; NULL: none of a table */
    bool sent;                         /* some of it; for who began the transaction */
};

void packet_fini(struct packet *p);
void packet_clear(struct packet *p);

/* A statement: packet_next(), its text into 'text', packet_expect(). */
void packet_next(struct packet *p);
void packet_expect(struct packet *p, const struct target_table *t, enum rows_kind kind,
                   uint64_t rows, bool exact);
void packet_add(struct packet *p, struct slice sql); /* one that may change any number of rows */

/* Does one wait whose count may yet ask for a rollback? */
bool packet_must_look(const struct packet *p);

/* 0, or -ESTALE with a sentence if a statement changed other than what is expected. */
int packet_check(struct packet *p, const struct expected *e, uint64_t affected, struct err *err);

/* Sends what was built and reads what came of it; the first error of a statement. */
int packet_flush(struct packet *p, struct err *err);
int packet_flush_if_full(struct packet *p, struct err *err);

#endif
