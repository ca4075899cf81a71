/*
 * payload.h - TRANSACTION_PAYLOAD: a whole transaction of MySQL, compressed.
 *
 *     payload_open(&p, &ev, limit, &err);
 *     while ((rc = payload_next(&p, &inner, &err)) > 0)
 *         grouper_feed(&g, &inner, &err) ...
 *     payload_close(&p);
 *
 * The events inside come one by one out of a stream, so memory holds the
 * largest of them and no more, however large the transaction is.
 *
 * Source: MySQL Source Code Documentation, "Transaction_payload_event".
 */
#ifndef SLUICE_BINLOG_PAYLOAD_H
#define SLUICE_BINLOG_PAYLOAD_H

#include "base/buf.h"
#include "binlog/event.h"

struct ZSTD_DCtx_s;

struct payload {
    struct slice data; /* compressed, from 'at' on; a slice of the event */
    size_t at;
    uint64_t plain_size, read; /* what the event says (0 if it does not); what was read */
    bool whole;                /* the compressed stream has ended */
    struct ZSTD_DCtx_s *zstd;  /* NULL: the payload is not compressed */
    struct buf event;          /* the one being read */
};

/* 'limit' is the most bytes that one event inside may have.  'ev' must live as
 * long as the payload.  Returns 0 or -EBADMSG. */
int payload_open(struct payload *p, const struct event *ev, size_t limit, struct err *err);
void payload_close(struct payload *p); /* twice is fine */

/* 1 an event (valid until the next call), 0 the end, -EBADMSG, -EFBIG past the limit. */
int payload_next(struct payload *p, struct event *ret, struct err *err);

/* All of those in 'ev', until 'each' returns <0: that, or 0. */
int payload_each(const struct event *ev, size_t limit,
                 int (*each)(void *arg, const struct event *inner, struct err *err), void *arg,
                 struct err *err);

#endif
