#include "base/buf.h"

#include <criterion/criterion.h>

#include "base/cursor.h"
#include "base/scope.h"

Test(buf, is_terminated_after_every_append)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    buf_str(&b, "row ");
    buf_i64_text(&b, INT64_MIN);
    buf_byte(&b, ' ');
    buf_u64_text(&b, UINT64_MAX);

    cr_assert_str_eq(b.data, "row -9223372036854775808 18446744073709551615");
    cr_assert_eq(b.size, strlen(b.data));
}

Test(buf, past_its_limit_goes_bad_and_stays_as_it_was)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    b.limit = 4;
    buf_str(&b, "abcd");
    cr_assert_not(b.bad);
    buf_byte(&b, 'e');
    buf_printf(&b, "%d", 7);

    cr_assert(b.bad);
    cr_assert_str_eq(b.data, "abcd");
    buf_clear(&b);
    cr_assert_not(b.bad);
}

Test(buf, little_and_big_endian_numbers_come_back)
{
    for (unsigned n = 1; n <= 8; n++) {
        SCOPED(buf_fini) struct buf b = BUF_INIT;
        uint64_t v = 0x8877665544332211u & (n == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1);

        buf_le(&b, v, n);
        buf_be(&b, v, n);

        struct cursor c = cursor_of(slice_of(b.data, b.size));

        cr_assert_eq(cursor_le(&c, n), v);
        cr_assert_eq(cursor_be(&c, n), v);
        cr_assert_not(c.bad);
    }
}

Test(buf, length_encoded_integers_come_back_at_every_width)
{
    static const uint64_t values[] = {
        0, 250, 251, 0xffff, 0x10000, 0xffffff, 0x1000000, UINT64_MAX
    };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        SCOPED(buf_fini) struct buf b = BUF_INIT;
        struct cursor c;

        buf_lenenc(&b, values[i]);
        c = cursor_of(slice_of(b.data, b.size));

        cr_assert_eq(cursor_lenenc(&c), values[i]);
        cr_assert_eq(cursor_left(&c), 0);
        cr_assert_not(c.bad);
    }
}

Test(cursor, reads_zeros_past_the_end_and_remembers)
{
    struct cursor c = cursor_of(slice_of("\x01\x02\x03", 3));

    cr_assert_eq(cursor_u16(&c), 0x0201);
    cr_assert_eq(cursor_u32(&c), 0);
    cr_assert(c.bad);
    cr_assert_eq(cursor_u8(&c), 0);
    cr_assert_eq(cursor_left(&c), 0);
}
