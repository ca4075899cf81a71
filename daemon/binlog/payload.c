#include "binlog/payload.h"

#include <errno.h>
#include <zstd.h>

#include "base/cursor.h"

#define WINDOW_LOG_MAX 27 /* 128 MiB: what servers make; a stream may ask for 2 GiB */

enum payload_field {
    FIELD_END = 0,
    FIELD_SIZE = 1,
    FIELD_COMPRESSION = 2,
    FIELD_PLAIN_SIZE = 3,
};

#define COMPRESSION_ZSTD 0
#define COMPRESSION_NONE 255

/* (type, size, value), all length-encoded, until the end mark; then the data. */
static int read_fields(struct cursor *c, struct payload *p, uint64_t *compression, struct err *err)
{
    uint64_t size = 0;

    for (;;) {
        uint64_t type = cursor_lenenc(c);
        struct cursor value;

        if (c->bad)
            return err_set(err, -EBADMSG, "transaction payload event is cut short");
        if (type == FIELD_END)
            break;
        value = cursor_of(cursor_bytes(c, cursor_lenenc(c)));
        if (type == FIELD_SIZE)
            size = cursor_lenenc(&value);
        else if (type == FIELD_COMPRESSION)
            *compression = cursor_lenenc(&value);
        else if (type == FIELD_PLAIN_SIZE)
            p->plain_size = cursor_lenenc(&value);
        c->bad |= value.bad;
    }
    p->data = cursor_rest(c);
    if (p->data.size < size || c->bad)
        return err_set(err, -EBADMSG, "transaction payload event is cut short");
    if (size)
        p->data.size = size;
    return 0;
}

int payload_open(struct payload *p, const struct event *ev, size_t limit, struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    struct payload payload = { .event.limit = limit };
    uint64_t compression = COMPRESSION_NONE;
    int rc = read_fields(&c, &payload, &compression, err);

    if (rc < 0)
        return rc;
    if (compression != COMPRESSION_ZSTD && compression != COMPRESSION_NONE)
        return err_set(err, -EBADMSG, "transaction payload: compression %u is not known",
                       (unsigned)compression);
    if (compression == COMPRESSION_ZSTD) {
        payload.zstd = ZSTD_createDCtx();
        if (!payload.zstd)
            return err_set(err, -ENOMEM, "transaction payload: out of memory");
        ZSTD_DCtx_setParameter(payload.zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    }
    payload.whole = !payload.zstd;
    *p = payload;
    return 0;
}

void payload_close(struct payload *p)
{
    ZSTD_freeDCtx(p->zstd);
    buf_fini(&p->event);
    *p = (struct payload){ 0 };
}

/* Appends up to 'want' plain bytes to p->event; fewer only at the end of the payload. */
static int read_plain(struct payload *p, size_t want, struct err *err)
{
    size_t target = p->event.size + want;

    if (!buf_reserve(&p->event, want))
        return err_set(err, -EFBIG, "transaction payload: an event of %zu bytes is over the limit",
                       target);
    if (!p->zstd) {
        size_t left = p->data.size - p->at, n = want < left ? want : left;

        buf_add(&p->event, p->data.data + p->at, n);
        p->at += n;
        return 0;
    }
    while (p->event.size < target) {
        ZSTD_inBuffer in = { .src = p->data.data, .size = p->data.size, .pos = p->at };
        ZSTD_outBuffer out = { .dst = p->event.data, .size = target, .pos = p->event.size };
        size_t rc = ZSTD_decompressStream(p->zstd, &out, &in);
        bool moved = in.pos > p->at || out.pos > p->event.size;

        if (ZSTD_isError(rc))
            return err_set(err, -EBADMSG, "transaction payload: %s", ZSTD_getErrorName(rc));
        p->at = in.pos;
        p->event.size = out.pos;
        if (!moved)
            break; /* all was read */
        p->whole = rc == 0;
    }
    p->event.data[p->event.size] = '\0';
    return 0;
}

/* Nothing is lost: the stream ended by itself and gave what the event promised. */
static int check_end(const struct payload *p, struct err *err)
{
    if (!p->whole || (p->plain_size && p->plain_size != p->read))
        return err_set(err, -EBADMSG, "transaction payload: it ends too early");
    return 0;
}

int payload_next(struct payload *p, struct event *ret, struct err *err)
{
    static const struct event_format no_checksum = { 0 };
    size_t size;
    int rc;

    buf_clear(&p->event);
    rc = read_plain(p, EVENT_HEADER_SIZE, err);
    if (rc < 0)
        return rc;
    if (p->event.size == 0)
        return check_end(p, err);
    size = p->event.size < EVENT_HEADER_SIZE ? 0 : event_size((const uint8_t *)p->event.data);
    if (size < EVENT_HEADER_SIZE)
        return err_set(err, -EBADMSG, "transaction payload: it ends inside an event");
    rc = read_plain(p, size - EVENT_HEADER_SIZE, err);
    if (rc < 0)
        return rc;
    if (p->event.size < size)
        return err_set(err, -EBADMSG, "transaction payload: it ends inside an event");
    rc = event_parse(slice_of(p->event.data, size), &no_checksum, false, ret, err);
    if (rc < 0)
        return rc;
    ret->in_payload = true;
    p->read += size;
    return 1;
}

int payload_each(const struct event *ev, size_t limit,
                 int (*each)(void *arg, const struct event *inner, struct err *err), void *arg,
                 struct err *err)
{
    struct payload p;
    struct event inner;
    int rc = payload_open(&p, ev, limit, err);

    if (rc < 0)
        return rc;
    while ((rc = payload_next(&p, &inner, err)) > 0)
        if ((rc = each(arg, &inner, err)) < 0)
            break;
    payload_close(&p);
    return rc;
}
