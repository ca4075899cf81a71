#include <criterion/criterion.h>
#include <stdlib.h>

#include "binlog/decimal.h"

static void expect(unsigned precision, unsigned scale, const char *packed, const char *expected)
{
    char to[DECIMAL_TEXT_SIZE];
    size_t n = decimal_print(to, (const uint8_t *)packed, precision, scale);

    cr_expect(n == strlen(expected) && memcmp(to, expected, n) == 0, "%.*s is not %s", (int)n, to,
              expected);
}

/* The example of MySQL's own source: 1234567890.1234 as DECIMAL(14,4). */
Test(decimal, prints_groups_of_nine_digits)
{
    cr_expect_eq(decimal_size(14, 4), 7);
    expect(14, 4, "\x81\x0d\xfb\x38\xd2\x04\xd2", "1234567890.1234");
    expect(14, 4, "\x7e\xf2\x04\xc7\x2d\xfb\x2d", "-1234567890.1234");
}

Test(decimal, keeps_the_zeros_of_the_scale_and_drops_those_in_front)
{
    expect(10, 2, "\x80\x00\x00\x00\x00", "0.00");
    expect(10, 2, "\x80\x00\x00\x00\x01", "0.01");
    expect(10, 2, "\x7f\xff\xff\xff\xfe", "-0.01");
    expect(1, 1, "\x89", "0.9");
    expect(5, 0, "\x80\x00\x0a", "10");
    expect(18, 9, "\x80\x00\x00\x01\x00\x00\x00\x01", "1.000000001");
}

Test(decimal, refuses_groups_that_are_no_digits)
{
    char to[DECIMAL_TEXT_SIZE];

    cr_expect_eq(decimal_print(to, (const uint8_t *)"\xe4", 2, 0), 0, "100 in two digits");
    cr_expect_eq(decimal_print(to, (const uint8_t *)"\xff\xff\xff\xff", 9, 0), 0);
}

Test(decimal, knows_which_declarations_exist)
{
    cr_expect(decimal_valid(65, 38));
    cr_expect(decimal_valid(1, 0));
    cr_expect(decimal_valid(38, 38));
    cr_expect_not(decimal_valid(0, 0));
    cr_expect_not(decimal_valid(66, 0));
    cr_expect_not(decimal_valid(65, 39));
    cr_expect_not(decimal_valid(3, 4));
    cr_expect_eq(decimal_size(65, 30), 16 + 14);
}

/* Packs as servers do, the plain way; all precisions and scales, random digits. */
static void pack(const char *digits, unsigned precision, unsigned scale, bool negative, uint8_t *to)
{
    static const unsigned size_of[] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };
    unsigned whole = precision - scale, at = 0, done = 0;

    while (done < precision) {
        unsigned part = done < whole ? whole - done : precision - done;
        unsigned n = done < whole ? (part % 9 ? part % 9 : 9) : (part < 9 ? part : 9);
        unsigned long v = 0;

        for (unsigned i = 0; i < n; i++)
            v = v * 10 + (unsigned)(digits[done + i] - '0');
        for (unsigned i = size_of[n]; i-- > 0; v >>= 8)
            to[at + i] = (uint8_t)v;
        at += size_of[n];
        done += n;
    }
    for (unsigned i = 0; negative && i < at; i++)
        to[i] ^= 0xff;
    to[0] ^= 0x80;
}

Test(decimal, reads_back_what_was_packed)
{
    srand(1);
    for (unsigned precision = 1; precision <= 65; precision++) {
        for (unsigned scale = 0; scale <= precision && scale <= 38; scale++) {
            char digits[66], expected[80], *p = expected;
            uint8_t packed[DECIMAL_MAX_SIZE];
            bool negative = rand() % 2;
            unsigned i = 0;

            for (unsigned k = 0; k < precision; k++)
                digits[k] = (char)('0' + (rand() % 3 ? rand() % 10 : 0));
            digits[precision - 1] = '7';
            pack(digits, precision, scale, negative, packed);
            if (negative)
                *p++ = '-';
            while (i < precision - scale && digits[i] == '0')
                i++;
            if (i == precision - scale)
                *p++ = '0';
            for (; i < precision; i++) {
                if (i == precision - scale)
                    *p++ = '.';
                *p++ = digits[i];
            }
            *p = '\0';
            expect(precision, scale, (const char *)packed, expected);
        }
    }
}
