/*
 * serve_ack.h - what a semi-synchronous replica was asked to acknowledge, and has.  Pure: the
 * thread of one dump asks and hears.
 *
 * Not every transaction is asked for: an answer counts for all before it.  While there is no end of
 * them one in a hundred is, and always the last before the dump waits.
 */
#ifndef SLUICE_UNIT_SERVE_ACK_H
#define SLUICE_UNIT_SERVE_ACK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "binlog/position.h"

enum { ACK_ASKED_MAX = 32 };

/* A record, and where it ends in its file. */
struct ack_point {
    uint64_t seq, offset;
    char file[BINLOG_NAME_SIZE];
};

struct acks {
    unsigned not_asked; /* transactions since the last that was asked for */
    uint64_t sent_seq;  /* of the last record that was sent, or need not be */
    uint64_t txn_seq;   /* of the last transaction that was sent */
    struct asked {
        struct ack_point at;
        int64_t us;         /* monotonic: when */
    } asked[ACK_ASKED_MAX]; /* the oldest first */
    unsigned n;
    struct ack_point has; /* all up to here; seq 0: nothing yet */
};

/* The replica has all up to 'at'; the dump begins behind. */
void acks_begin(struct acks *a, const struct ack_point *at);
/* Is the transaction that ends at 'at' to be asked for?  'more': the next is there already. */
bool acks_ask(struct acks *a, const struct ack_point *at, bool more, int64_t now_us);
/* A record that is not asked for: an event between transactions, or what the replica has. */
void acks_pass(struct acks *a, const struct ack_point *at);
/* The replica's answer: 0, or -EBADMSG. */
int acks_take(struct acks *a, struct slice packet, struct ack_point *ret, struct err *err);
/* When the oldest was asked that is not answered; 0: none is. */
int64_t acks_waits_us(const struct acks *a);

#endif
