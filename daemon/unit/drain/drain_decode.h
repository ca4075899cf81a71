/*
 * drain_decode.h - transactions of a stream with their rows decoded.
 *
 * For all who do not apply rows as sync does: files, Kafka, SQL text, undo, time travel.  A
 * transaction is in memory whole, so one above DRAIN_TXN_MAX is refused by name.
 *
 * The thread that reads the stream.
 */
#ifndef SLUICE_UNIT_DRAIN_DECODE_H
#define SLUICE_UNIT_DRAIN_DECODE_H

#include "sink/change.h"
#include "unit/drain/drain_feed.h"
#include "unit/drain/drain_judge.h"
#include "unit/drain/drain_table.h"

#define DRAIN_TXN_MAX ((uint64_t)1 << 30)

struct node;
struct drain_decoder;

struct drain_decoder_config {
    struct node *sources; /* who is asked for definitions */
    const struct drain_filter *filter;
    struct drain_judge *judge; /* NULL: nothing is left out */
    struct conn_set *conns;
    struct unit *unit;
};

struct drain_decoder *drain_decoder_new(const struct drain_decoder_config *c);
void drain_decoder_free(struct drain_decoder *d); /* NULL is fine */
/* For struct drain_feed_config: what a lane needs. */
int drain_decoder_opened(void *decoder, struct drain_lane *lane, struct err *err);
void drain_decoder_closed(void *decoder, struct drain_lane *lane);

/* What a record is: a statement, rows, or first the one and then the other (CREATE ... SELECT).
 * Valid until the next call. */
struct drain_decoded {
    bool has_ddl, has_rows;
    struct change_txn ddl, rows;
};

/* Where the events come from: 1 an event, 0 the end. */
typedef int (*drain_event_fn)(void *arg, struct slice *ret, struct err *err);

int drain_decode(struct drain_decoder *d, const struct drain_item *item, drain_event_fn next,
                 void *arg, struct drain_decoded *ret, struct err *err);

#endif
