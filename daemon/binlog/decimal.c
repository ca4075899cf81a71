#include "binlog/decimal.h"

#include "binlog/digits.h"

#define GROUP_DIGITS 9
#define GROUP_SIZE 4

static const uint8_t size_of_digits[GROUP_DIGITS + 1] = { 0, 1, 1, 2, 2, 3, 3, 4, 4, 4 };
static const uint32_t power_of_10[GROUP_DIGITS + 1] = { 1,         10,        100,     1000,
                                                        10000,     100000,    1000000, 10000000,
                                                        100000000, 1000000000 };
/* clang-format off */
const char digits_pairs[201] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293"
    "949596979899";
/* clang-format on */

unsigned decimal_size(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;

    return whole / GROUP_DIGITS * GROUP_SIZE + size_of_digits[whole % GROUP_DIGITS] +
           scale / GROUP_DIGITS * GROUP_SIZE + size_of_digits[scale % GROUP_DIGITS];
}

struct unpacker {
    const uint8_t *at;
    uint8_t invert; /* 0xff if negative */
    uint8_t sign;   /* 0x80 until the first byte was read */
    bool bad;
};

static uint32_t next_group(struct unpacker *u, unsigned n_digits)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < size_of_digits[n_digits]; i++) {
        v = v << 8 | (uint8_t)(*u->at++ ^ u->invert ^ u->sign);
        u->sign = 0;
    }
    if (v >= power_of_10[n_digits])
        u->bad = true;
    return u->bad ? 0 : v;
}

static char *print_whole(char *p, struct unpacker *u, unsigned n_digits)
{
    char *start = p;
    unsigned head = n_digits % GROUP_DIGITS;

    if (head) {
        uint32_t v = next_group(u, head);

        if (v)
            p = digits_put(p, v);
    }
    for (unsigned i = 0; i < n_digits / GROUP_DIGITS; i++) {
        uint32_t v = next_group(u, GROUP_DIGITS);

        if (p > start)
            p = digits_put9(p, v);
        else if (v)
            p = digits_put(p, v);
    }
    if (p == start)
        *p++ = '0';
    return p;
}

static char *print_fraction(char *p, struct unpacker *u, unsigned n_digits)
{
    *p++ = '.';
    for (unsigned i = 0; i < n_digits / GROUP_DIGITS; i++)
        p = digits_put9(p, next_group(u, GROUP_DIGITS));
    if (n_digits % GROUP_DIGITS)
        p = digits_put_n(p, next_group(u, n_digits % GROUP_DIGITS), n_digits % GROUP_DIGITS);
    return p;
}

size_t decimal_print(char *to, const uint8_t *packed, unsigned precision, unsigned scale)
{
    bool negative = !(packed[0] & 0x80);
    struct unpacker u = { .at = packed, .invert = negative ? 0xff : 0, .sign = 0x80 };
    char *p = to;

    if (negative)
        *p++ = '-';
    p = print_whole(p, &u, precision - scale);
    if (scale)
        p = print_fraction(p, &u, scale);
    return u.bad ? 0 : (size_t)(p - to);
}
