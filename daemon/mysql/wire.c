#include "mysql/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/scope.h"
#include "mysql/wire_tls.h"

enum {
    READ_SIZE = 16 << 10,
    LEND_SIZE = 2 << 10, /* shorter pieces are copied */
    KEEP_SIZE = 1 << 20, /* buffers beyond are given back */
};

void wire_init(struct wire *w, int fd)
{
    *w = (struct wire){ .fd = fd, .in = BUF_INIT, .packet = BUF_INIT, .out = BUF_INIT };
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void wire_fini(struct wire *w)
{
    if (w->ssl) {
        SSL_shutdown(w->ssl);
        SSL_free(w->ssl);
    }
    closep(&w->fd);
    buf_fini(&w->in);
    buf_fini(&w->packet);
    buf_fini(&w->out);
}

/* --- waiting --- */

static int closed(struct err *err)
{
    return err_set(err, -EPIPE, "the connection is closed");
}

static int wait_for(struct wire *w, short events, int64_t deadline_us, struct err *err)
{
    struct pollfd p = { .fd = w->fd, .events = events };
    int64_t left_us = deadline_us - clock_mono_us();
    int n;

    if (left_us < 0)
        left_us = 0;
    do
        n = poll(&p, 1, (int)(left_us / 1000 + 1));
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return err_set(err, -ETIMEDOUT, "the peer does not %s",
                       events == POLLIN ? "answer" : "take what is sent");
    return n < 0 || (p.revents & POLLNVAL) ? closed(err) : 0;
}

/* What OpenSSL wants to wait for; 0: the connection is of no use any more. */
static short tls_wants(const struct wire *w, int result)
{
    switch (SSL_get_error(w->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return POLLIN;
    case SSL_ERROR_WANT_WRITE:
        return POLLOUT;
    default:
        ERR_clear_error();
        return 0;
    }
}

/* Bytes, or 0 with '*wait' set: nothing to read, or no room to write.  -EPIPE. */
static ssize_t raw_read(struct wire *w, void *to, size_t size, short *wait)
{
    ssize_t n;

    *wait = POLLIN;
    if (w->ssl) {
        int got = SSL_read(w->ssl, to, (int)size);

        if (got > 0)
            return got;
        *wait = tls_wants(w, got);
        return *wait ? 0 : -EPIPE;
    }
    do
        n = recv(w->fd, to, size, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -EPIPE;
}

static ssize_t raw_write(struct wire *w, struct slice bytes, short *wait)
{
    ssize_t n;

    *wait = POLLOUT;
    if (w->ssl) {
        int put =
            SSL_write(w->ssl, bytes.data, bytes.size > INT32_MAX ? INT32_MAX : (int)bytes.size);

        if (put > 0)
            return put;
        *wait = tls_wants(w, put);
        return *wait ? 0 : -EPIPE;
    }
    do
        n = send(w->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -EPIPE;
}

/* Likewise, of several pieces; in clear text. */
static ssize_t raw_write_pieces(struct wire *w, struct iovec *pieces, size_t n_pieces)
{
    struct msghdr m = { .msg_iov = pieces, .msg_iovlen = n_pieces };
    ssize_t n;

    do
        n = sendmsg(w->fd, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -EPIPE;
}

/* --- reading --- */

/* At least 'size' bytes behind 'in_at'. */
static int fill(struct wire *w, size_t size, int64_t deadline_us, struct err *err)
{
    if (w->in_at == w->in.size)
        buf_clear(&w->in), w->in_at = 0;
    while (w->in.size - w->in_at < size) {
        short wait;
        size_t room;
        ssize_t n;
        int rc;

        room = w->exact ? size - (w->in.size - w->in_at) : READ_SIZE;
        buf_reserve(&w->in, room);
        n = raw_read(w, w->in.data + w->in.size, room, &wait);
        if (n < 0)
            return closed(err);
        w->in.size += (size_t)n;
        if (n == 0 && (rc = wait_for(w, wait, deadline_us, err)) < 0)
            return rc;
    }
    return 0;
}

static struct slice take(struct wire *w, size_t size)
{
    struct slice s = slice_of(w->in.data + w->in_at, size);

    w->in_at += size;
    return s;
}

/* The payload of one packet on the wire; '*last': no other belongs to it. */
static int read_piece(struct wire *w, size_t limit, int64_t deadline_us, struct slice *ret,
                      bool *last, struct err *err)
{
    struct slice h;
    size_t size;
    int rc = fill(w, WIRE_HEADER_SIZE, deadline_us, err);

    if (rc < 0)
        return rc;
    h = take(w, WIRE_HEADER_SIZE);
    size = (size_t)h.data[0] | (size_t)h.data[1] << 8 | (size_t)h.data[2] << 16;
    w->seq = (uint8_t)(h.data[3] + 1);
    if (size > limit)
        return err_set(err, -EMSGSIZE, "a packet of more than %zu bytes", limit);
    rc = fill(w, size, deadline_us, err);
    if (rc < 0)
        return rc;
    *ret = take(w, size);
    *last = size < WIRE_MAX_PIECE;
    return 0;
}

int wire_read(struct wire *w, size_t limit, int64_t timeout_ms, struct slice *ret, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + timeout_ms * 1000;
    struct slice piece;
    bool last;
    int rc = read_piece(w, limit, deadline_us, &piece, &last, err);

    if (rc == 0 && last) {
        *ret = piece;
        return 0;
    }
    buf_clear(&w->packet);
    while (rc == 0) {
        buf_add(&w->packet, piece.data, piece.size);
        if (last) {
            *ret = slice_of(w->packet.data, w->packet.size);
            return 0;
        }
        rc = read_piece(w, limit - w->packet.size, deadline_us, &piece, &last, err);
    }
    return rc;
}

bool wire_readable(struct wire *w)
{
    struct pollfd p = { .fd = w->fd, .events = POLLIN };

    return w->in_at < w->in.size || (w->ssl && SSL_pending(w->ssl) > 0) || poll(&p, 1, 0) > 0;
}

/* --- writing --- */

struct buf *wire_begin(struct wire *w)
{
    w->begun = w->out.size;
    buf_le(&w->out, 0, WIRE_HEADER_SIZE);
    return &w->out;
}

static void put_header(struct wire *w, size_t at, size_t size)
{
    uint8_t h[WIRE_HEADER_SIZE] = { (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                                    w->seq++ };

    memcpy(w->out.data + at, h, sizeof h);
}

/* Makes room for the headers of the second piece and those behind it. */
static void split(struct wire *w, size_t size)
{
    size_t from = w->begun + WIRE_HEADER_SIZE + WIRE_MAX_PIECE;
    struct slice tail;

    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    buf_add(&rest, w->out.data + from, size - WIRE_MAX_PIECE);
    w->out.size = from;
    put_header(w, w->begun, WIRE_MAX_PIECE);
    tail = slice_of(rest.data, rest.size);
    for (bool more = true; more;) {
        size_t n = tail.size < WIRE_MAX_PIECE ? tail.size : WIRE_MAX_PIECE;

        wire_header(w, n);
        buf_add(&w->out, tail.data, n);
        tail = slice_of(tail.data + n, tail.size - n);
        more = n == WIRE_MAX_PIECE;
    }
}

void wire_end(struct wire *w)
{
    size_t size = w->out.size - w->begun - WIRE_HEADER_SIZE;

    if (size < WIRE_MAX_PIECE)
        put_header(w, w->begun, size);
    else
        split(w, size);
}

void wire_header(struct wire *w, size_t size)
{
    size_t at = w->out.size;

    buf_le(&w->out, 0, WIRE_HEADER_SIZE);
    put_header(w, at, size);
}

/* The deadline is for progress: each byte that goes moves it. */
static int send_all(struct wire *w, struct slice bytes, int64_t timeout_ms, struct err *err)
{
    while (bytes.size) {
        short wait;
        ssize_t n = raw_write(w, bytes, &wait);
        int rc;

        if (n < 0)
            return closed(err);
        w->bytes_sent += (size_t)n;
        bytes = slice_of(bytes.data + n, bytes.size - (size_t)n);
        if (n == 0 && (rc = wait_for(w, wait, clock_mono_us() + timeout_ms * 1000, err)) < 0)
            return rc;
    }
    return 0;
}

/* The pieces in their order: of 'out' up to what was lent, that, and so on. */
static size_t gather(const struct wire *w, struct iovec *ret)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < w->n_lent; i++) {
        const struct wire_lent *l = &w->lent[i];

        if (l->at > at)
            ret[n++] = (struct iovec){ w->out.data + at, l->at - at };
        ret[n++] = (struct iovec){ (void *)l->bytes.data, l->bytes.size };
        at = l->at;
    }
    if (w->out.size > at)
        ret[n++] = (struct iovec){ w->out.data + at, w->out.size - at };
    return n;
}

/* 'sent' bytes of the pieces are gone. */
static void advance(struct iovec **pieces, size_t *n, size_t sent)
{
    while (*n && sent >= (*pieces)->iov_len) {
        sent -= (*pieces)->iov_len;
        ++*pieces;
        --*n;
    }
    if (*n) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + sent;
        (*pieces)->iov_len -= sent;
    }
}

static int send_pieces(struct wire *w, int64_t timeout_ms, struct err *err)
{
    struct iovec all[2 * WIRE_LENT_MAX + 1], *pieces = all;
    size_t left = gather(w, all);

    while (left) {
        ssize_t n = raw_write_pieces(w, pieces, left);
        int rc;

        if (n < 0)
            return closed(err);
        w->bytes_sent += (size_t)n;
        advance(&pieces, &left, (size_t)n);
        if (n == 0 && (rc = wait_for(w, POLLOUT, clock_mono_us() + timeout_ms * 1000, err)) < 0)
            return rc;
    }
    return 0;
}

int wire_flush(struct wire *w, int64_t timeout_ms, struct err *err)
{
    int rc = w->n_lent ? send_pieces(w, timeout_ms, err)
                       : send_all(w, slice_of(w->out.data, w->out.size), timeout_ms, err);

    if (w->out.cap > KEEP_SIZE)
        buf_fini(&w->out);
    buf_clear(&w->out);
    w->n_lent = w->lent_size = 0;
    return rc;
}

int wire_lend(struct wire *w, struct slice bytes, int64_t timeout_ms, struct err *err)
{
    int rc = 0;

    if (w->ssl || bytes.size < LEND_SIZE) {
        buf_add(&w->out, bytes.data, bytes.size);
        return 0;
    }
    if (w->n_lent == WIRE_LENT_MAX)
        rc = wire_flush(w, timeout_ms, err);
    w->lent[w->n_lent++] = (struct wire_lent){ w->out.size, bytes };
    w->lent_size += bytes.size;
    return rc;
}

/* --- TLS --- */

int wire_start_tls(struct wire *w, struct wire_tls *tls, int64_t timeout_ms, struct err *err)
{
    int64_t deadline_us = clock_mono_us() + timeout_ms * 1000;
    int rc = wire_flush(w, timeout_ms, err);

    if (rc < 0)
        return rc;
    if (w->in_at < w->in.size)
        return err_set(err, -EBADMSG, "bytes in clear text behind the request for TLS");
    w->ssl = wire_tls_session(tls, w->fd);
    for (;;) {
        int done = SSL_accept(w->ssl);
        short wait;

        if (done == 1)
            return 0;
        wait = tls_wants(w, done);
        if (!wait)
            return err_set(err, -EPIPE, "the client gives up the TLS handshake");
        if ((rc = wait_for(w, wait, deadline_us, err)) < 0)
            return rc;
    }
}

const char *wire_cipher(const struct wire *w)
{
    return w->ssl ? SSL_get_cipher_name(w->ssl) : "";
}
