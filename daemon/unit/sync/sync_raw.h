/*
 * sync_raw.h - the events of a transaction as they came from the source.
 *
 * The body of each event is copied once, from the connection's buffer into a large
 * block; from then on everything is slices of it.  A block is shared by neighbouring
 * transactions and freed when the last of them is done.
 *
 * One thread adds; blocks may be released by another.
 */
#ifndef SLUICE_UNIT_SYNC_RAW_H
#define SLUICE_UNIT_SYNC_RAW_H

#include <stddef.h>
#include <stdint.h>

#include "binlog/event.h"

struct raw_block;

void raw_block_unref(struct raw_block *b); /* NULL is fine */

/* Where the next event goes. */
struct raw_writer {
    struct raw_block *block;
};

struct raw_event {
    struct slice body; /* without header and checksum */
    uint32_t timestamp;
    uint16_t flags;
    uint8_t type;
    uint8_t step;             /* enum txn_step that the grouper gave */
    struct sync_table *table; /* of a rows event, once it is known */
};

struct raw_txn {
    struct raw_event *events;
    size_t n_events, cap_events;
    struct raw_block **blocks;
    size_t n_blocks, cap_blocks;
    size_t size; /* bytes of its bodies */
};

void raw_writer_fini(struct raw_writer *w);
void raw_txn_fini(struct raw_txn *t);
void raw_txn_clear(struct raw_txn *t); /* releases its blocks, keeps the arrays */

void raw_txn_add(struct raw_writer *w, struct raw_txn *t, const struct event *ev, uint8_t step);
/* The event again, for decoders. */
struct event raw_event_view(const struct raw_event *e);
void raw_txn_truncate(struct raw_txn *t, size_t n_events); /* ROLLBACK TO SAVEPOINT */

/* What keeps blocks after the transaction is cleared. */
struct raw_hold {
    struct raw_block **blocks;
    size_t n, cap;
};
void raw_hold_add(struct raw_hold *h, const struct raw_txn *t);
void raw_hold_clear(struct raw_hold *h);
void raw_hold_fini(struct raw_hold *h);

#endif
