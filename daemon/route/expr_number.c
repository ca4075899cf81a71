/* Numbers: integers and decimals are exact as long as 38 digits are enough. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "route/expr_impl.h"

#define MAX_SCALE 30
#define DIV_SCALE 4 /* div_precision_increment */

/* --- making them --- */

static struct expr_value of_int(int64_t i)
{
    return (struct expr_value){ .kind = EXPR_INT, .i = i };
}

static struct expr_value of_real(double d)
{
    return (struct expr_value){ .kind = EXPR_REAL, .d = d };
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Up to 38 digits fit; false if there are more.  *at is behind the last one. */
static bool digits(struct slice s, size_t *at, struct expr_decimal *d, bool fraction)
{
    for (; *at < s.size && is_digit(s.data[*at]); ++*at) {
        if (d->n > ((__int128)1 << 120) || (fraction && d->scale >= MAX_SCALE))
            return false;
        d->n = d->n * 10 + (s.data[*at] - '0');
        d->scale += fraction;
    }
    return true;
}

static size_t skip_digits(struct slice s, size_t at)
{
    while (at < s.size && is_digit(s.data[at]))
        at++;
    return at;
}

/* What text begins with, as a number; 0 if that is none. */
static struct expr_value real_prefix(struct slice s)
{
    size_t from = 0, at, end;
    char text[512];

    while (from < s.size && strchr(" \t\n\r\v\f", s.data[from]) && s.data[from])
        from++;
    at = from + (from < s.size && (s.data[from] == '-' || s.data[from] == '+'));
    at = skip_digits(s, at);
    if (at < s.size && s.data[at] == '.')
        at = skip_digits(s, at + 1);
    end = at + 1 + (at + 1 < s.size && (s.data[at + 1] == '-' || s.data[at + 1] == '+'));
    if (at < s.size && (s.data[at] == 'e' || s.data[at] == 'E') && skip_digits(s, end) > end)
        at = skip_digits(s, end);
    if (at - from >= sizeof text)
        at = from + sizeof text - 1;
    snprintf(text, sizeof text, "%.*s", (int)(at - from), (const char *)s.data + from);
    return of_real(strtod(text, NULL));
}

struct expr_value expr_decimal_of(struct slice s)
{
    struct expr_value v = { .kind = EXPR_DEC, .dec = { 0, 0 } };
    size_t at = 0;
    bool negative = s.size && s.data[0] == '-';

    if (s.size && (s.data[0] == '-' || s.data[0] == '+'))
        at = 1;
    if (!digits(s, &at, &v.dec, false))
        return real_prefix(s);
    if (at < s.size && s.data[at] == '.') {
        at++;
        if (!digits(s, &at, &v.dec, true))
            return real_prefix(s);
    }
    if (negative)
        v.dec.n = -v.dec.n;
    return v;
}

struct expr_value expr_number_of(const struct expr_value *v)
{
    return v->kind == EXPR_TEXT ? real_prefix(v->text) : *v;
}

static __int128 ten_to(unsigned n)
{
    __int128 ten = 1;

    while (n--)
        ten *= 10;
    return ten;
}

static long double dec_real(const struct expr_decimal *d)
{
    return (long double)d->n / (long double)ten_to(d->scale);
}

double expr_real_of(const struct expr_value *v)
{
    switch (v->kind) {
    case EXPR_NULL:
        return 0;
    case EXPR_INT:
        return (double)v->i;
    case EXPR_UINT:
        return (double)v->u;
    case EXPR_DEC:
        return (double)dec_real(&v->dec);
    case EXPR_REAL:
        return v->d;
    case EXPR_TEXT:
        return real_prefix(v->text).d;
    }
    return 0;
}

bool expr_truth(const struct expr_value *v)
{
    switch (v->kind) {
    case EXPR_NULL:
        return false;
    case EXPR_INT:
    case EXPR_UINT:
        return v->u != 0;
    case EXPR_DEC:
        return v->dec.n != 0;
    case EXPR_REAL:
    case EXPR_TEXT:
        return expr_real_of(v) != 0;
    }
    return false;
}

/* An integer as a decimal; false for a real. */
static bool exact(const struct expr_value *v, struct expr_decimal *ret)
{
    switch (v->kind) {
    case EXPR_INT:
        *ret = (struct expr_decimal){ v->i, 0 };
        return true;
    case EXPR_UINT:
        *ret = (struct expr_decimal){ v->u, 0 };
        return true;
    case EXPR_DEC:
        *ret = v->dec;
        return true;
    case EXPR_NULL:
    case EXPR_REAL:
    case EXPR_TEXT:
        break;
    }
    return false;
}

/* --- comparing --- */

/* Both with the same scale; false when that does not fit. */
static bool align(struct expr_decimal *a, struct expr_decimal *b)
{
    struct expr_decimal *low = a->scale < b->scale ? a : b, *high = low == a ? b : a;
    __int128 factor = ten_to(high->scale - low->scale), n;

    if (__builtin_mul_overflow(low->n, factor, &n))
        return false;
    low->n = n;
    low->scale = high->scale;
    return true;
}

int expr_compare_numbers(const struct expr_value *a, const struct expr_value *b)
{
    struct expr_decimal x, y;
    double p, q;

    if (exact(a, &x) && exact(b, &y) && align(&x, &y))
        return x.n < y.n ? -1 : x.n > y.n;
    p = expr_real_of(a);
    q = expr_real_of(b);
    return p < q ? -1 : p > q;
}

/* --- arithmetic --- */

static bool is_integer(const struct expr_value *v)
{
    return v->kind == EXPR_INT || v->kind == EXPR_UINT;
}

static int range(const char *type, struct err *err)
{
    return err_set(err, -ERANGE, "a %s value is out of range", type);
}

/* The result of integers is unsigned if one of them is. */
static int integer(__int128 n, const struct expr_value *a, const struct expr_value *b,
                   struct expr_value *ret, struct err *err)
{
    if (a->kind == EXPR_UINT || b->kind == EXPR_UINT) {
        if (n < 0 || n > UINT64_MAX)
            return range("BIGINT UNSIGNED", err);
        *ret = (struct expr_value){ .kind = EXPR_UINT, .u = (uint64_t)n };
        return 0;
    }
    if (n < INT64_MIN || n > INT64_MAX)
        return range("BIGINT", err);
    *ret = of_int((int64_t)n);
    return 0;
}

static bool exact_result(enum expr_op op, struct expr_decimal x, struct expr_decimal y,
                         struct expr_decimal *ret)
{
    if (op == OP_MUL) {
        ret->scale = x.scale + y.scale;
        return ret->scale <= MAX_SCALE && !__builtin_mul_overflow(x.n, y.n, &ret->n);
    }
    if (!align(&x, &y))
        return false;
    ret->scale = x.scale;
    return op == OP_ADD ? !__builtin_add_overflow(x.n, y.n, &ret->n)
                        : !__builtin_sub_overflow(x.n, y.n, &ret->n);
}

static int add_sub_mul(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
                       struct expr_value *ret, struct err *err)
{
    struct expr_decimal x, y, z;
    double p, q;

    if (exact(a, &x) && exact(b, &y) && exact_result(op, x, y, &z)) {
        if (is_integer(a) && is_integer(b))
            return integer(z.n, a, b, ret, err);
        *ret = (struct expr_value){ .kind = EXPR_DEC, .dec = z };
        return 0;
    }
    p = expr_real_of(a);
    q = expr_real_of(b);
    *ret = of_real(op == OP_ADD ? p + q : op == OP_SUB ? p - q : p * q);
    return isfinite(ret->d) ? 0 : range("DOUBLE", err);
}

static struct expr_value divide(const struct expr_value *a, const struct expr_value *b)
{
    struct expr_decimal x, y;
    __int128 n;
    unsigned up;

    if (exact(a, &x) && exact(b, &y)) {
        up = y.scale + DIV_SCALE + 5; /* a word of nine digits: what servers keep on the way */
        if (up <= 37 && x.scale + DIV_SCALE + 5 <= MAX_SCALE &&
            !__builtin_mul_overflow(x.n, ten_to(up), &n))
            return (struct expr_value){ .kind = EXPR_DEC,
                                        .dec = { n / y.n, x.scale + DIV_SCALE + 5 } };
    }
    return of_real(expr_real_of(a) / expr_real_of(b));
}

static int whole_division(const struct expr_value *a, const struct expr_value *b,
                          struct expr_value *ret, struct err *err)
{
    struct expr_decimal x, y;
    long double q;

    if (exact(a, &x) && exact(b, &y) && align(&x, &y))
        return integer(x.n / y.n, a, b, ret, err);
    q = truncl((long double)expr_real_of(a) / (long double)expr_real_of(b));
    if (!(q >= -9.2e18L && q <= 9.2e18L))
        return range("BIGINT", err);
    *ret = of_int((int64_t)q);
    return 0;
}

static int modulo(const struct expr_value *a, const struct expr_value *b, struct expr_value *ret)
{
    struct expr_decimal x, y;

    if (!exact(a, &x) || !exact(b, &y) || !align(&x, &y)) {
        *ret = of_real(fmod(expr_real_of(a), expr_real_of(b)));
        return 0;
    }
    x.n %= y.n;
    if (is_integer(a) && is_integer(b))
        *ret = a->kind == EXPR_UINT ? (struct expr_value){ .kind = EXPR_UINT, .u = (uint64_t)x.n }
                                    : of_int((int64_t)x.n);
    else
        *ret = (struct expr_value){ .kind = EXPR_DEC, .dec = x };
    return 0;
}

int expr_arithmetic(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
                    struct expr_value *ret, struct err *err)
{
    struct expr_value x = expr_number_of(a), y = expr_number_of(b);

    if (op == OP_ADD || op == OP_SUB || op == OP_MUL)
        return add_sub_mul(op, &x, &y, ret, err);
    if (!expr_truth(&y)) {
        *ret = (struct expr_value){ .kind = EXPR_NULL };
        return 0;
    }
    if (op == OP_INT_DIV)
        return whole_division(&x, &y, ret, err);
    if (op == OP_MOD)
        return modulo(&x, &y, ret);
    *ret = divide(&x, &y);
    return 0;
}

/* --- bits --- */

static bool bits_of(const struct expr_value *v, uint64_t *ret)
{
    struct expr_value n = expr_number_of(v);

    n = expr_round(&n, 0);
    if (n.kind == EXPR_REAL) {
        if (!(n.d >= -9.2e18 && n.d <= 1.8e19))
            return false;
        *ret = n.d < 0 ? (uint64_t)(int64_t)n.d : (uint64_t)n.d;
    } else if (n.kind == EXPR_DEC) {
        *ret = (uint64_t)n.dec.n;
    } else {
        *ret = n.u;
    }
    return true;
}

int expr_bits(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
              struct expr_value *ret)
{
    uint64_t x, y = 0, z = 0;

    if (!bits_of(a, &x) || (b && !bits_of(b, &y)))
        return -ERANGE;
    if (op == OP_BIT_OR)
        z = x | y;
    else if (op == OP_BIT_AND)
        z = x & y;
    else if (op == OP_BIT_XOR)
        z = x ^ y;
    else if (op == OP_BIT_NOT)
        z = ~x;
    else if (y < 64)
        z = op == OP_SHL ? x << y : x >> y;
    *ret = (struct expr_value){ .kind = EXPR_UINT, .u = z };
    return 0;
}

/* --- rounding and printing --- */

struct expr_value expr_round(const struct expr_value *v, int places)
{
    struct expr_value r = *v;
    __int128 unit, half;

    if (v->kind == EXPR_REAL) {
        double scale = pow(10, places);

        r.d = isfinite(scale) && scale != 0 ? rint(v->d * scale) / scale : v->d;
        return r;
    }
    if (v->kind != EXPR_DEC || places >= (int)v->dec.scale || places < 0)
        return r;
    unit = ten_to(v->dec.scale - (unsigned)places);
    half = v->dec.n < 0 ? -(unit / 2) : unit / 2;
    r.dec = (struct expr_decimal){ (v->dec.n + half) / unit, (unsigned)places };
    return r;
}

static size_t print_decimal(const struct expr_decimal *d, char to[static 96])
{
    unsigned __int128 n = d->n < 0 ? -(unsigned __int128)d->n : (unsigned __int128)d->n;
    char digits_back[64];
    unsigned len = 0;
    size_t at = 0;

    while (n || len <= d->scale) {
        digits_back[len++] = (char)('0' + (int)(n % 10));
        n /= 10;
    }
    if (d->n < 0)
        to[at++] = '-';
    while (len) {
        if (len == d->scale)
            to[at++] = '.';
        to[at++] = digits_back[--len];
    }
    return at;
}

struct slice expr_text_of(struct expr_state *s, const struct expr_value *v)
{
    char text[96];
    size_t n = 0;

    switch (v->kind) {
    case EXPR_TEXT:
        return v->text;
    case EXPR_INT:
        n = (size_t)snprintf(text, sizeof text, "%lld", (long long)v->i);
        break;
    case EXPR_UINT:
        n = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v->u);
        break;
    case EXPR_REAL:
        n = (size_t)snprintf(text, sizeof text, "%.17g", v->d);
        for (int p = 1; p < 17; p++) { /* the shortest that is this number */
            char shorter[96];

            n = (size_t)snprintf(shorter, sizeof shorter, "%.*g", p, v->d);
            memcpy(text, shorter, n + 1);
            if (strtod(text, NULL) == v->d)
                break;
            n = (size_t)snprintf(text, sizeof text, "%.17g", v->d);
        }
        break;
    case EXPR_DEC:
        n = print_decimal(&v->dec, text);
        break;
    case EXPR_NULL:
        break;
    }
    return slice_of(arena_dup(&s->arena, text, n ? n : 1), n);
}
