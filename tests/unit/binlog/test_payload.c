#include "build.h"

#include <errno.h>
#include <zstd.h>

#include "base/scope.h"
#include "binlog/payload.h"

static void add_event(struct buf *out, uint8_t type, const void *body, size_t size)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    build_event(&b, type, 0, 0, body, size, false);
    buf_add(out, b.data, b.size);
}

/* The body of an event: fields, and 'plain' compressed (or not). */
static void make_body(struct buf *out, const struct buf *plain, bool compress, uint64_t says)
{
    SCOPED(buf_fini) struct buf packed = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    if (compress) {
        buf_reserve(&packed, ZSTD_compressBound(plain->size));
        packed.size = ZSTD_compress(packed.data, packed.cap, plain->data, plain->size, 3);
    } else {
        buf_add(&packed, plain->data, plain->size);
    }
    buf_clear(out);
    buf_lenenc(&value, packed.size);
    buf_add(out, "\1", 1);
    buf_lenenc(out, value.size);
    buf_add(out, value.data, value.size);
    buf_add(out, compress ? "\2\1\0" : "\2\3\xfc\xff\0", compress ? 3 : 5);
    buf_clear(&value);
    buf_lenenc(&value, says);
    buf_add(out, "\3", 1);
    buf_lenenc(out, value.size);
    buf_add(out, value.data, value.size);
    buf_add(out, "\0", 1);
    buf_add(out, packed.data, packed.size);
}

/* The number of events read, or the error. */
static int count_events(struct slice body, size_t limit, size_t *largest)
{
    struct event ev = { .type = EVENT_TRANSACTION_PAYLOAD, .body = body }, inner;
    SCOPED(payload_close) struct payload p = { 0 };
    struct err err = ERR_INIT;
    int rc = payload_open(&p, &ev, limit, &err), n = 0;

    while (rc >= 0 && (rc = payload_next(&p, &inner, &err)) > 0) {
        cr_expect(inner.in_payload);
        if (largest && inner.body.size > *largest)
            *largest = inner.body.size;
        n++;
    }
    return rc < 0 ? rc : n;
}

static void make_events(struct buf *plain)
{
    static char large[100000];

    add_event(plain, EVENT_QUERY, "some bytes", 10);
    add_event(plain, EVENT_WRITE_ROWS_V2, large, sizeof large);
    add_event(plain, EVENT_XID, "12345678", 8);
}

Test(payload, gives_events_one_by_one)
{
    SCOPED(buf_fini) struct buf plain = BUF_INIT;
    SCOPED(buf_fini) struct buf body = BUF_INIT;

    make_events(&plain);
    for (int compress = 0; compress < 2; compress++) {
        size_t largest = 0;

        make_body(&body, &plain, compress, plain.size);
        cr_expect_eq(count_events(slice_of(body.data, body.size), 1 << 20, &largest), 3);
        cr_expect_eq(largest, 100000);
    }
}

static int take_until_rows(void *n, const struct event *inner, struct err *err)
{
    ++*(int *)n;
    return inner->type == EVENT_WRITE_ROWS_V2 ? err_set(err, -ECANCELED, "enough") : 1;
}

Test(payload, gives_all_until_one_is_refused)
{
    SCOPED(buf_fini) struct buf plain = BUF_INIT;
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    struct event ev = { .type = EVENT_TRANSACTION_PAYLOAD };
    struct err err = ERR_INIT;
    int n = 0;

    add_event(&plain, EVENT_QUERY, "some bytes", 10);
    add_event(&plain, EVENT_XID, "12345678", 8);
    make_body(&body, &plain, true, plain.size);
    ev.body = slice_of(body.data, body.size);
    cr_expect_eq(payload_each(&ev, 1 << 20, take_until_rows, &n, &err), 0);
    cr_expect_eq(n, 2);

    buf_clear(&plain);
    buf_clear(&body);
    make_events(&plain);
    make_body(&body, &plain, true, plain.size);
    ev.body = slice_of(body.data, body.size);
    n = 0;
    cr_expect_eq(payload_each(&ev, 1 << 20, take_until_rows, &n, &err), -ECANCELED);
    cr_expect_eq(n, 2);
}

Test(payload, holds_to_its_limit)
{
    SCOPED(buf_fini) struct buf plain = BUF_INIT;
    SCOPED(buf_fini) struct buf body = BUF_INIT;

    make_events(&plain);
    make_body(&body, &plain, true, plain.size);
    cr_expect_eq(count_events(slice_of(body.data, body.size), 100000, NULL), -EFBIG);
    cr_expect_eq(count_events(slice_of(body.data, body.size), 100019, NULL), 3);
}

Test(payload, loses_nothing_silently)
{
    SCOPED(buf_fini) struct buf plain = BUF_INIT;
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    size_t whole;

    make_events(&plain);
    make_body(&body, &plain, true, plain.size + 1);
    cr_expect_eq(count_events(slice_of(body.data, body.size), 1 << 20, NULL), -EBADMSG);
    make_body(&body, &plain, true, 0); /* does not say how much it is: the stream's end counts */
    whole = body.size;
    for (size_t n = 0; n < whole; n++)
        cr_expect_eq(count_events(slice_of(body.data, n), 1 << 20, NULL), -EBADMSG, "%zu", n);
    plain.size -= 3; /* ends inside the last event */
    make_body(&body, &plain, true, plain.size);
    cr_expect_eq(count_events(slice_of(body.data, body.size), 1 << 20, NULL), -EBADMSG);
}

Test(payload, refuses_other_compressions)
{
    cr_expect_eq(count_events(slice_of("\2\1\7\0x", 5), 100, NULL), -EBADMSG);
}
