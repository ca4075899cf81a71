/* digits.h - decimal digits, fast: decimals and dates are most of a row's text. */
#ifndef SLUICE_BINLOG_DIGITS_H
#define SLUICE_BINLOG_DIGITS_H

#include <stdint.h>
#include <string.h>

extern const char digits_pairs[201]; /* "00" "01" ... "99" */

static inline char *digits_put2(char *p, unsigned v) /* v < 100 */
{
    memcpy(p, digits_pairs + 2 * v, 2);
    return p + 2;
}

/* Exactly nine digits; v < 1,000,000,000. */
static inline char *digits_put9(char *p, uint32_t v)
{
    *p = (char)('0' + v / 100000000);
    v %= 100000000;
    digits_put2(p + 1, v / 1000000);
    digits_put2(p + 3, v / 10000 % 100);
    digits_put2(p + 5, v / 100 % 100);
    digits_put2(p + 7, v % 100);
    return p + 9;
}

/* As many as it takes. */
static inline char *digits_put(char *p, uint32_t v)
{
    char nine[10], *end = nine + 10, *at = end;

    do {
        *--at = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    memcpy(p, at, (size_t)(end - at));
    return p + (end - at);
}

/* Exactly 'n' digits, n <= 9; v < 10^n. */
static inline char *digits_put_n(char *p, uint32_t v, unsigned n)
{
    for (unsigned i = n; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + n;
}

#endif
