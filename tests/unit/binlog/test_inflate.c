#include <criterion/criterion.h>
#include <errno.h>
#include <zlib.h>

#include "base/scope.h"
#include "binlog/inflate.h"

/* 'head', the size in 'n' bytes, big-endian, and the text deflated. */
static struct slice packed(uint8_t *to, size_t cap, uint8_t head, unsigned n, const char *text,
                           int window_bits)
{
    size_t size = strlen(text);
    z_stream z = { .next_in = (Bytef *)text, .avail_in = (uInt)size };

    to[0] = head | (uint8_t)n;
    for (unsigned i = 0; i < n; i++)
        to[1 + i] = (uint8_t)(size >> 8 * (n - 1 - i));
    z.next_out = to + 1 + n;
    z.avail_out = (uInt)(cap - 1 - n);
    cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return slice_of(to, 1 + n + z.total_out);
}

Test(inflate, opens_events)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t data[200];
    struct slice in = packed(data, sizeof data, 0x80, 2, "some text, some text, text", 15), got;
    struct err err = ERR_INIT;

    buf_str(&out, "old");
    cr_assert_eq(inflate_event(in, &out, &err), 0, "%s", err.text);
    cr_expect_str_eq(out.data, "some text, some text, text");
    cr_assert_eq(inflate_event_arena(in, &arena, &got, &err), 0, "%s", err.text);
    cr_expect(slice_eq(got, slice_str("some text, some text, text")));
}

Test(inflate, refuses_damage)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    uint8_t data[200];
    struct slice in = packed(data, sizeof data, 0x80, 2, "some text, some text, text", 15);
    struct err err = ERR_INIT;

    for (size_t n = 0; n < in.size; n++)
        cr_expect_eq(inflate_event(slice_of(data, n), &out, &err), -EBADMSG, "%zu bytes", n);
    data[2]++; /* says one more than there is */
    cr_expect_eq(inflate_event(in, &out, &err), -EBADMSG);
    data[2] -= 2; /* and one fewer */
    cr_expect_eq(inflate_event(in, &out, &err), -EBADMSG);
    data[2]++;
    data[0] = 0x92; /* a method that is not known */
    cr_expect_eq(inflate_event(in, &out, &err), -EBADMSG);
}

Test(inflate, does_not_believe_a_size_that_cannot_be)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    uint8_t data[] = { 0x84, 0x30, 0, 0, 0, 1, 2, 3 }; /* 768 MiB in three bytes */
    struct err err = ERR_INIT;

    cr_expect_eq(inflate_event(slice_of(data, sizeof data), &out, &err), -EBADMSG);
    cr_expect_eq(out.cap, 0);
}

Test(inflate, opens_columns)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    uint8_t data[200];
    struct slice got;

    cr_assert(inflate_column(slice_of(NULL, 0), &arena, &got));
    cr_expect_eq(got.size, 0);
    cr_assert(inflate_column(slice_of("\0plain", 6), &arena, &got));
    cr_expect(slice_eq(got, slice_str("plain")));
    cr_assert(
        inflate_column(packed(data, sizeof data, 0x80, 1, "aaaaaaaaaaaaaaaa", 15), &arena, &got));
    cr_expect(slice_eq(got, slice_str("aaaaaaaaaaaaaaaa")));
    cr_assert(
        inflate_column(packed(data, sizeof data, 0x88, 1, "aaaaaaaaaaaaaaaa", -15), &arena, &got));
    cr_expect(slice_eq(got, slice_str("aaaaaaaaaaaaaaaa")));
    cr_expect_not(inflate_column(slice_of("\x90\x01x", 3), &arena, &got));
    cr_expect_not(inflate_column(slice_of("\x85\1\1\1\1\1x", 7), &arena, &got));
}
