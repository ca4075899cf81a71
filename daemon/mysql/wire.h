/*
 * wire.h - the server's end of a client's connection: packets over TCP, with or without TLS.
 *
 *     struct wire w;
 *     wire_init(&w, fd);                           the socket is the wire's from here on
 *     buf_str(wire_begin(&w), "...");              a packet is built in place
 *     wire_end(&w);                                framed, queued
 *     wire_flush(&w, 10000, &err);                 sent
 *     wire_read(&w, limit, 10000, &packet, &err);  the next packet, joined if it was split
 *
 * Output is collected and sent in large pieces, so a stream of small events does not cost a
 * system call each.  Every wait has a limit; shutdown() of the socket by another thread ends it.
 * What arrives is not believed: a packet beyond the limit is an error before memory is taken.
 *
 * Source: MySQL Source Code Documentation, "Protocol Basics: MySQL Packets".
 */
#ifndef SLUICE_MYSQL_WIRE_H
#define SLUICE_MYSQL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define WIRE_HEADER_SIZE 4
#define WIRE_MAX_PIECE 0xffffff /* a longer payload is split */
enum { WIRE_LENT_MAX = 64 };    /* pieces that are queued without a copy */

struct ssl_st;
struct wire_tls; /* wire_tls.h */

struct wire {
    int fd;
    struct ssl_st *ssl; /* OpenSSL's; NULL: in clear text */
    uint8_t seq;
    bool exact; /* reads no byte more than it must: TLS may begin behind any packet */
    struct buf in;
    size_t in_at;      /* bytes of 'in' that were taken */
    struct buf packet; /* the last one read, when it had to be joined */
    struct buf out;
    size_t begun; /* where in 'out' the packet that is being built begins */
    struct wire_lent {
        size_t at; /* where in 'out' it belongs */
        struct slice bytes;
    } lent[WIRE_LENT_MAX];
    size_t n_lent, lent_size;
    uint64_t bytes_sent;
};

void wire_init(struct wire *w, int fd);
void wire_fini(struct wire *w); /* closes the socket */

/* Says which number the next packet has: 0 before a command is read. */
static inline void wire_restart(struct wire *w)
{
    w->seq = 0;
}

/* The next packet, at most 'limit' bytes, valid until the next call.  0; -ETIMEDOUT, -EPIPE when
 * the peer has closed, -EMSGSIZE, -EBADMSG. */
int wire_read(struct wire *w, size_t limit, int64_t timeout_ms, struct slice *ret, struct err *err);
/* Has the peer sent something, or closed?  Does not wait. */
bool wire_readable(struct wire *w);

/* Where to append the payload of a packet of any size; wire_end() frames it. */
struct buf *wire_begin(struct wire *w);
void wire_end(struct wire *w);
/* For a payload that is not built in one piece: the header of 'size' bytes of payload that the
 * caller appends to 'out', or lends, next. */
void wire_header(struct wire *w, size_t size);
/* Bytes as they are, behind what is queued; long ones without a copy: they stay where they are
 * until wire_flush(). */
int wire_lend(struct wire *w, struct slice bytes, int64_t timeout_ms, struct err *err);
static inline size_t wire_queued(const struct wire *w)
{
    return w->out.size + w->lent_size;
}
/* -ETIMEDOUT: nothing could be sent for so long.  -EPIPE. */
int wire_flush(struct wire *w, int64_t timeout_ms, struct err *err);

/* TLS from here on; what was queued is sent before.  Nothing may have been read that belongs to
 * it: 'exact' was set.  -EBADMSG. */
int wire_start_tls(struct wire *w, struct wire_tls *tls, int64_t timeout_ms, struct err *err);
const char *wire_cipher(const struct wire *w); /* "" in clear text */

#endif
