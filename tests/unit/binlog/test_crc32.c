#include <criterion/criterion.h>
#include <zlib.h>

#include "binlog/crc32.h"

Test(crc32, is_zlibs_for_every_size_and_alignment)
{
    static uint8_t data[1200];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 167 + i / 256);
    for (size_t from = 0; from < 16; from++)
        for (size_t n = 0; n + from <= sizeof data; n += n < 300 ? 1 : 37)
            cr_assert_eq(crc32_update(0, data + from, n), crc32(0, data + from, (uInt)n),
                         "%zu bytes from %zu", n, from);
}

Test(crc32, goes_on_from_what_came_before)
{
    const uint8_t text[] = "the quick brown fox jumps over the lazy dog, again and again and again";

    for (size_t n = 0; n < sizeof text; n++)
        cr_assert_eq(crc32_update(crc32_update(0, text, n), text + n, sizeof text - n),
                     crc32(0, text, sizeof text));
}
