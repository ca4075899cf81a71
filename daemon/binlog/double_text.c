#include "binlog/double_text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Source: strings/dtoa.cc of MySQL, my_gcvt(): no exponent for as many digits. */
#define MAX_POINT DBL_DIG

struct digits {
    char text[24]; /* significant ones */
    int n;
    int point; /* where the decimal point is, from the first digit */
};

#define EXACT_DIGITS 1e15 /* no two decimals of this few digits are the same double */

/* Most numbers are a whole number over a small power of ten: then no search is needed. */
static bool few_decimals(double d, struct digits *r)
{
    static const double scales[] = { 1, 10, 100, 1000, 10000, 100000, 1000000 };

    for (int i = 0; i < 7 && d * scales[i] < EXACT_DIGITS; i++) {
        int64_t whole = (int64_t)(d * scales[i] + 0.5);

        if ((double)whole / scales[i] != d)
            continue;
        r->n = snprintf(r->text, sizeof r->text, "%" PRId64, whole);
        r->point = r->n - i;
        return true;
    }
    return false;
}

/* The fewest digits that give the same double: 15 do when the shortest has no more, save for
 * numbers so small that they have fewer. */
static struct digits shortest(double d) /* d > 0 */
{
    struct digits r = { 0 };
    char text[40], *p;

    if (few_decimals(d, &r))
        return r;
    for (int n = d < DBL_MIN ? 1 : DBL_DIG; n <= DBL_DECIMAL_DIG; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, d);
        if (strtod(text, NULL) == d)
            break;
    }
    for (p = text; *p && *p != 'e'; p++)
        if (*p != '.')
            r.text[r.n++] = *p;
    r.point = (int)strtol(p + 1, NULL, 10) + 1;
    return r;
}

static char *put(char *p, const char *from, int n)
{
    memcpy(p, from, (size_t)n);
    return p + n;
}

static char *put_zeros(char *p, int n)
{
    for (; n > 0; n--)
        *p++ = '0';
    return p;
}

static char *put_plain(char *p, const struct digits *r)
{
    if (r->point <= 0) {
        p = put(p, "0.", 2);
        p = put_zeros(p, -r->point);
        return put(p, r->text, r->n);
    }
    if (r->n <= r->point) {
        p = put(p, r->text, r->n);
        return put_zeros(p, r->point - r->n);
    }
    p = put(p, r->text, r->point);
    *p++ = '.';
    return put(p, r->text + r->point, r->n - r->point);
}

static char *put_exponent(char *p, const struct digits *r)
{
    *p++ = r->text[0];
    if (r->n > 1) {
        *p++ = '.';
        p = put(p, r->text + 1, r->n - 1);
    }
    return p + snprintf(p, 8, "e%d", r->point - 1);
}

size_t double_text(char *to, double d)
{
    struct digits r;
    char *p = to;

    if (!isfinite(d))
        return (size_t)(put(to, "null", 4) - to);
    if (signbit(d))
        *p++ = '-';
    r = d == 0 ? (struct digits){ .text = "0", .n = 1, .point = 1 } : shortest(fabs(d));
    while (r.n > 1 && r.text[r.n - 1] == '0')
        r.n--;
    if (r.point > -MAX_POINT && (r.point <= MAX_POINT || r.n > r.point))
        p = put_plain(p, &r);
    else
        p = put_exponent(p, &r);
    return (size_t)(p - to);
}
