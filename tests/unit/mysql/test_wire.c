#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

#include "mysql/frame.h"
#include "mysql/packet.h"
#include "mysql/wire.h"

#define LIMIT (64 << 20)

struct pair {
    struct wire a, b;
};

static void setup_pair(struct pair *p)
{
    int fds[2], size = 1 << 20;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    wire_init(&p->a, fds[0]);
    wire_init(&p->b, fds[1]);
}

static void teardown_pair(struct pair *p)
{
    wire_fini(&p->a);
    wire_fini(&p->b);
}

static void *flush(void *arg)
{
    struct err err = ERR_INIT;

    cr_assert_eq(wire_flush(arg, 10000, &err), 0, "%s", err.text);
    return NULL;
}

/* What 'p->a' has queued, as 'p->b' reads it: one packet. */
static struct slice pass(struct pair *p)
{
    struct err err = ERR_INIT;
    struct slice got;
    pthread_t t;

    pthread_create(&t, NULL, flush, &p->a);
    cr_assert_eq(wire_read(&p->b, LIMIT, 10000, &got, &err), 0, "%s", err.text);
    pthread_join(t, NULL);
    return got;
}

Test(wire, a_packet_arrives_as_it_was_sent)
{
    struct pair p;
    struct slice got;

    setup_pair(&p);
    buf_str(wire_begin(&p.a), "hello");
    wire_end(&p.a);

    got = pass(&p);

    cr_assert(slice_eq(got, slice_str("hello")));
    cr_assert_eq(p.b.seq, 1);
    teardown_pair(&p);
}

Test(wire, payloads_around_the_largest_piece_are_split_and_joined)
{
    static const long sizes[] = { WIRE_MAX_PIECE - 1, WIRE_MAX_PIECE, WIRE_MAX_PIECE + 1,
                                  2 * WIRE_MAX_PIECE - 1, 2 * WIRE_MAX_PIECE };
    struct pair p;

    setup_pair(&p);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf *b = wire_begin(&p.a);
        struct slice got;

        buf_reserve(b, (size_t)sizes[i]);
        memset(b->data + b->size, 'x', (size_t)sizes[i]);
        b->size += (size_t)sizes[i];
        wire_end(&p.a);

        got = pass(&p);

        cr_assert_eq(got.size, (size_t)sizes[i]);
        cr_assert_eq(p.a.seq, p.b.seq);
    }
    teardown_pair(&p);
}

Test(wire, a_packet_over_the_limit_is_refused_before_its_bytes_are_here)
{
    struct pair p;
    struct slice got;
    struct err err = ERR_INIT;

    setup_pair(&p);
    cr_assert_eq(send(p.a.fd, "\xff\xff\x7f\x00", 4, 0), 4);

    cr_assert_eq(wire_read(&p.b, 65536, 1000, &got, &err), -EMSGSIZE);

    cr_assert_lt(p.b.in.cap, 65536);
    teardown_pair(&p);
}

Test(wire, a_peer_that_is_gone_or_silent_is_an_error)
{
    struct pair p;
    struct slice got;
    struct err err = ERR_INIT;

    setup_pair(&p);

    cr_assert_eq(wire_read(&p.b, 100, 10, &got, &err), -ETIMEDOUT);
    shutdown(p.a.fd, SHUT_RDWR);
    cr_assert_eq(wire_read(&p.b, 100, 1000, &got, &err), -EPIPE);
    teardown_pair(&p);
}

/* --- frames --- */

static void put_event(struct buf *out, uint8_t type, size_t size)
{
    size_t from = out->size;

    buf_le(out, 0, 4);
    buf_byte(out, (char)type);
    buf_le(out, 7, 4);
    buf_le(out, size, 4);
    buf_le(out, 0, 6);
    buf_reserve(out, size);
    memset(out->data + out->size, 'e', size - (out->size - from));
    out->size = from + size;
}

static struct slice slice_of_buf(const struct buf *b)
{
    return slice_of(b->data, b->size);
}

/* Sends 'record' in pieces of 'piece' bytes and checks that its events arrive one a packet. */
static void check_frames(const struct buf *record, size_t piece, bool semi_sync)
{
    struct pair p;
    struct frame f = { .timeout_ms = 10000, .semi_sync = semi_sync };
    struct err err = ERR_INIT;
    size_t at = 0;

    setup_pair(&p);
    f.wire = &p.a;
    frame_begin(&f, record->size, false);
    for (size_t i = 0; i < record->size; i += piece) {
        size_t n = record->size - i < piece ? record->size - i : piece;

        cr_assert_eq(frame_bytes(&f, slice_of(record->data + i, n), &err), 0, "%s", err.text);
    }
    while (at < record->size) {
        size_t prefix = semi_sync ? 3 : 1, size = event_size((const uint8_t *)record->data + at);
        struct slice got = pass(&p);

        cr_assert_eq(got.size, size + prefix);
        cr_assert_eq(got.data[0], 0);
        cr_assert(slice_eq(slice_of(got.data + prefix, size), slice_of(record->data + at, size)));
        at += size;
    }
    teardown_pair(&p);
}

Test(frame, events_in_pieces_that_end_anywhere_arrive_whole)
{
    struct buf record = BUF_INIT;

    for (size_t size = EVENT_HEADER_SIZE; size < 80; size += 7)
        put_event(&record, 30, size);
    for (size_t piece = 1; piece < 100; piece++) {
        check_frames(&record, piece, false);
        check_frames(&record, piece, true);
    }
    buf_fini(&record);
}

/* What arrives must be the events of 'record', in their order. */
struct expected {
    struct wire *wire;
    const struct buf *record;
    bool semi_sync, equal;
};

static void *compare_all(void *arg)
{
    struct expected *e = arg;
    size_t at = 0, prefix = e->semi_sync ? 3 : 1;
    struct slice got;
    struct err err = ERR_INIT;

    while (at < e->record->size && wire_read(e->wire, LIMIT, 10000, &got, &err) == 0) {
        size_t size = event_size((const uint8_t *)e->record->data + at);

        if (got.size != size + prefix || memcmp(got.data + prefix, e->record->data + at, size) != 0)
            break;
        at += size;
    }
    e->equal = at == e->record->size;
    return NULL;
}

Test(frame, long_and_short_events_of_a_large_piece_keep_their_order)
{
    struct buf record = BUF_INIT;

    for (size_t i = 0; i < 500; i++)
        put_event(&record, (uint8_t)i, i % 3 ? EVENT_HEADER_SIZE + i : 2000 + 37 * i);
    for (int semi_sync = 0; semi_sync < 2; semi_sync++) {
        struct pair p;
        struct frame f = { .timeout_ms = 10000, .semi_sync = semi_sync };
        struct expected e = { .record = &record, .semi_sync = semi_sync };
        struct err err = ERR_INIT;
        pthread_t t;

        setup_pair(&p);
        f.wire = &p.a;
        e.wire = &p.b;
        pthread_create(&t, NULL, compare_all, &e);
        frame_begin(&f, record.size, false);
        for (size_t i = 0; i < record.size; i += 1000001) {
            size_t n = record.size - i < 1000001 ? record.size - i : 1000001;

            cr_assert_eq(frame_bytes(&f, slice_of(record.data + i, n), &err), 0, "%s", err.text);
        }
        wire_flush(&p.a, 10000, &err);
        pthread_join(t, NULL);
        cr_assert(e.equal);
        teardown_pair(&p);
    }
    buf_fini(&record);
}

static void *drain(void *arg)
{
    struct wire *w = arg;
    struct slice got;
    struct err err = ERR_INIT;

    while (wire_read(w, LIMIT, 10000, &got, &err) == 0)
        w->begun = got.size; /* for the test */
    return NULL;
}

static size_t size_received(size_t event, bool semi_sync, size_t piece)
{
    struct pair p;
    struct frame f = { .timeout_ms = 10000, .semi_sync = semi_sync };
    struct buf record = BUF_INIT;
    struct err err = ERR_INIT;
    pthread_t t;
    size_t got;

    setup_pair(&p);
    f.wire = &p.a;
    put_event(&record, 30, event);
    pthread_create(&t, NULL, drain, &p.b);
    frame_begin(&f, record.size, false);
    for (size_t i = 0; i < record.size; i += piece) {
        size_t n = record.size - i < piece ? record.size - i : piece;

        cr_assert_eq(frame_bytes(&f, slice_of(record.data + i, n), &err), 0, "%s", err.text);
    }
    wire_flush(&p.a, 10000, &err);
    shutdown(p.a.fd, SHUT_RDWR);
    pthread_join(t, NULL);
    got = p.b.begun;
    buf_fini(&record);
    teardown_pair(&p);
    return got;
}

Test(frame, events_around_the_largest_packet_are_split_as_their_prefix_demands)
{
    static const int around[] = { -20, -4, -3, -2, -1, 0, 1, 2, 10 };

    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        size_t size = (size_t)(WIRE_MAX_PIECE + around[i]);

        cr_assert_eq(size_received(size, false, size), size + 1);
        cr_assert_eq(size_received(size, true, 65536), size + 3);
    }
}

Test(frame, an_event_to_acknowledge_restarts_the_numbers)
{
    struct pair p;
    struct frame f = { .timeout_ms = 1000, .semi_sync = true };
    struct buf record = BUF_INIT;
    struct err err = ERR_INIT;

    setup_pair(&p);
    f.wire = &p.a;
    put_event(&record, 30, 30);
    put_event(&record, 16, 31);
    p.a.seq = 77;

    frame_begin(&f, record.size, true);
    cr_assert_eq(frame_bytes(&f, slice_of_buf(&record), &err), 0);

    cr_assert_eq(p.a.seq, 1);
    cr_assert_eq(pass(&p).data[2], 0); /* the first does not ask */
    cr_assert_eq(pass(&p).data[2], 1);
    buf_fini(&record);
    teardown_pair(&p);
}

Test(frame, what_is_no_event_is_refused)
{
    struct pair p;
    struct frame f = { .timeout_ms = 1000 };
    struct err err = ERR_INIT;
    uint8_t bytes[30] = { 0 };

    setup_pair(&p);
    f.wire = &p.a;
    frame_begin(&f, sizeof bytes, false);

    cr_assert_eq(frame_bytes(&f, slice_of(bytes, sizeof bytes), &err), -EBADMSG);
    teardown_pair(&p);
}
