/* Functions. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "route/expr_impl.h"

#define FUNCTION(name)                                                                        \
    static int name(struct expr_state *s, const struct expr_node *n, struct expr_value *args, \
                    struct expr_value *ret)

static struct expr_value whole(int64_t i)
{
    return (struct expr_value){ .kind = EXPR_INT, .i = i };
}

static struct expr_value text(struct slice t)
{
    return (struct expr_value){ .kind = EXPR_TEXT, .text = t };
}

/* As an index: far out stays far out. */
static int64_t index_of(const struct expr_value *v)
{
    struct expr_value n = expr_number_of(v);
    double d;

    n = expr_round(&n, 0);
    d = expr_real_of(&n);
    return d > 1e9 ? 1000000000 : d < -1e9 ? -1000000000 : (int64_t)d;
}

/* --- what chooses --- */

FUNCTION(run_if)
{
    (void)s, (void)n;
    *ret = args[expr_truth(&args[0]) ? 1 : 2];
    return 0;
}

FUNCTION(run_coalesce)
{
    (void)s;
    for (unsigned i = 0; i < n->n; i++)
        if (args[i].kind != EXPR_NULL) {
            *ret = args[i];
            return 0;
        }
    return 0;
}

FUNCTION(run_nullif)
{
    int order = 1, rc = 0;

    if (args[0].kind != EXPR_NULL && args[1].kind != EXPR_NULL)
        rc = expr_compare(s, n->args[0], &args[0], n->args[1], &args[1], &n->collation, false,
                          &order);
    if (rc == 0 && order != 0)
        *ret = args[0];
    return rc;
}

FUNCTION(run_isnull)
{
    (void)s, (void)n;
    *ret = whole(args[0].kind == EXPR_NULL);
    return 0;
}

static int extreme(struct expr_state *s, const struct expr_node *n, struct expr_value *args,
                   int sign, struct expr_value *ret)
{
    unsigned best = 0;

    for (unsigned i = 1; i < n->n; i++) {
        int order, rc = expr_compare(s, n->args[best], &args[best], n->args[i], &args[i],
                                     &n->collation, true, &order);

        if (rc < 0)
            return rc;
        if (order * sign < 0)
            best = i;
    }
    *ret = args[best];
    return 0;
}

FUNCTION(run_greatest)
{
    return extreme(s, n, args, 1, ret);
}

FUNCTION(run_least)
{
    return extreme(s, n, args, -1, ret);
}

/* --- numbers --- */

FUNCTION(run_abs)
{
    const struct expr_value zero = whole(0);
    struct expr_value v = expr_number_of(&args[0]);

    (void)n;
    if (expr_compare_numbers(&v, &zero) < 0)
        return expr_arithmetic(OP_SUB, &zero, &v, ret, s->err);
    *ret = v;
    return 0;
}

FUNCTION(run_sign)
{
    const struct expr_value zero = whole(0);
    struct expr_value v = expr_number_of(&args[0]);

    (void)s, (void)n;
    *ret = whole(expr_compare_numbers(&v, &zero));
    return 0;
}

FUNCTION(run_mod)
{
    (void)n;
    return expr_arithmetic(OP_MOD, &args[0], &args[1], ret, s->err);
}

/* Towards -infinity, or of the negative number: towards +infinity. */
static int floor_of(struct expr_value v, struct expr_value *ret)
{
    *ret = v;
    if (v.kind == EXPR_REAL) {
        ret->d = floor(v.d);
    } else if (v.kind == EXPR_DEC) {
        __int128 unit = 1, n;

        for (unsigned i = 0; i < v.dec.scale; i++)
            unit *= 10;
        n = v.dec.n / unit - (v.dec.n % unit < 0);
        ret->dec = (struct expr_decimal){ n, 0 };
    }
    return 0;
}

FUNCTION(run_floor)
{
    (void)s, (void)n;
    return floor_of(expr_number_of(&args[0]), ret);
}

FUNCTION(run_ceiling)
{
    struct expr_value v = expr_number_of(&args[0]);

    (void)s, (void)n;
    if (v.kind == EXPR_REAL) {
        v.d = ceil(v.d);
    } else if (v.kind == EXPR_DEC) {
        v.dec.n = -v.dec.n;
        floor_of(v, &v);
        v.dec.n = -v.dec.n;
    }
    *ret = v;
    return 0;
}

FUNCTION(run_round)
{
    struct expr_value v = expr_number_of(&args[0]);
    int64_t places = n->n > 1 ? index_of(&args[1]) : 0;

    if (places < 0 || places > 30)
        return err_set(s->err, -ENOTSUP, "ROUND to %lld places is not known here",
                       (long long)places);
    *ret = expr_round(&v, (int)places);
    return 0;
}

/* --- text --- */

FUNCTION(run_length)
{
    (void)n;
    *ret = whole((int64_t)expr_text_of(s, &args[0]).size);
    return 0;
}

static int64_t characters(struct slice t, const struct expr_collation *c)
{
    int64_t many = 0;

    for (size_t at = 0; at < t.size; at += expr_character(t, at, c))
        many++;
    return many;
}

/* Bytes of the first 'many' characters. */
static size_t bytes_of(struct slice t, int64_t many, const struct expr_collation *c)
{
    size_t at = 0;

    while (many-- > 0 && at < t.size)
        at += expr_character(t, at, c);
    return at;
}

FUNCTION(run_char_length)
{
    *ret = whole(characters(expr_text_of(s, &args[0]), &n->args[0]->collation));
    return 0;
}

static struct slice middle(struct slice t, int64_t from, int64_t many,
                           const struct expr_collation *c)
{
    int64_t total = characters(t, c);
    size_t a, b;

    if (from < 0)
        from += total + 1;
    if (from <= 0 || from > total || many <= 0)
        return slice_of(t.data, 0);
    a = bytes_of(t, from - 1, c);
    b = bytes_of(t, from - 1 + many, c);
    return slice_of(t.data + a, b - a);
}

FUNCTION(run_substring)
{
    int64_t many = n->n > 2 ? index_of(&args[2]) : INT32_MAX;

    *ret =
        text(middle(expr_text_of(s, &args[0]), index_of(&args[1]), many, &n->args[0]->collation));
    return 0;
}

FUNCTION(run_left)
{
    *ret = text(middle(expr_text_of(s, &args[0]), 1, index_of(&args[1]), &n->args[0]->collation));
    return 0;
}

FUNCTION(run_right)
{
    struct slice t = expr_text_of(s, &args[0]);
    int64_t total = characters(t, &n->args[0]->collation), many = index_of(&args[1]);

    if (many > total)
        many = total;
    *ret = text(middle(t, total - many + 1, many, &n->args[0]->collation));
    return 0;
}

static struct slice trimmed(struct slice t, bool front, bool back)
{
    while (front && t.size && t.data[0] == ' ')
        t = slice_of(t.data + 1, t.size - 1);
    while (back && t.size && t.data[t.size - 1] == ' ')
        t.size--;
    return t;
}

FUNCTION(run_trim)
{
    (void)n;
    *ret = text(trimmed(expr_text_of(s, &args[0]), true, true));
    return 0;
}

FUNCTION(run_ltrim)
{
    (void)n;
    *ret = text(trimmed(expr_text_of(s, &args[0]), true, false));
    return 0;
}

FUNCTION(run_rtrim)
{
    (void)n;
    *ret = text(trimmed(expr_text_of(s, &args[0]), false, true));
    return 0;
}

FUNCTION(run_concat)
{
    size_t size = 0, at = 0;
    uint8_t *to;

    for (unsigned i = 0; i < n->n; i++) {
        args[i] = text(expr_text_of(s, &args[i]));
        size += args[i].text.size;
    }
    to = arena_alloc(&s->arena, size + 1);
    for (unsigned i = 0; i < n->n; i++) {
        if (args[i].text.size)
            memcpy(to + at, args[i].text.data, args[i].text.size);
        at += args[i].text.size;
    }
    *ret = text(slice_of(to, size));
    return 0;
}

static int change_case(struct expr_state *s, const struct expr_node *n, struct slice t,
                       uint8_t from, struct expr_value *ret)
{
    uint8_t *to = arena_dup(&s->arena, t.data, t.size ? t.size : 1);

    *ret = text(slice_of(to, t.size));
    if (!n->args[0]->collation.name) /* bytes have no letters */
        return 0;
    for (size_t i = 0; i < t.size; i++) {
        if (to[i] >= 0x80)
            return err_set(s->err, -ENOTSUP,
                           "the case of letters beyond ASCII is known to the server alone");
        if (to[i] >= from && to[i] <= from + 25)
            to[i] ^= 0x20;
    }
    return 0;
}

FUNCTION(run_upper)
{
    return change_case(s, n, expr_text_of(s, &args[0]), 'a', ret);
}

FUNCTION(run_lower)
{
    return change_case(s, n, expr_text_of(s, &args[0]), 'A', ret);
}

/* --- dates and times --- */

static int part(struct expr_state *s, const struct expr_node *n, const struct expr_value *v,
                struct expr_moment_parts *p)
{
    return expr_moment_split(v, n->args[0]->type, p)
               ? 0
               : err_set(s->err, -ENOTSUP, "a date or time cannot be read");
}

#define PART(name, field)                   \
    FUNCTION(name)                          \
    {                                       \
        struct expr_moment_parts p;         \
        int rc = part(s, n, &args[0], &p);  \
                                            \
        *ret = whole(rc < 0 ? 0 : p.field); \
        return rc;                          \
    }
PART(run_year, year)
PART(run_month, month)
PART(run_day, day)
PART(run_hour, hour)
PART(run_minute, minute)
PART(run_second, second)

/* --- CAST --- */

FUNCTION(run_signed)
{
    struct expr_value v = expr_number_of(&args[0]);

    (void)n;
    if (args[0].kind == EXPR_TEXT) /* up to what is no digit */
        v.d = trunc(v.d);
    if (expr_bits(OP_BIT_OR, &v, &v, ret) < 0)
        return err_set(s->err, -ERANGE, "a BIGINT value is out of range");
    *ret = whole(ret->i);
    return 0;
}

FUNCTION(run_unsigned)
{
    int rc = run_signed(s, n, args, ret);

    ret->kind = EXPR_UINT;
    return rc;
}

FUNCTION(run_char)
{
    (void)n;
    *ret = text(expr_text_of(s, &args[0]));
    return 0;
}

FUNCTION(run_double)
{
    (void)s, (void)n;
    *ret = (struct expr_value){ .kind = EXPR_REAL, .d = expr_real_of(&args[0]) };
    return 0;
}

FUNCTION(run_date)
{
    enum expr_type from = n->args[0]->type;
    struct expr_moment_parts p;
    char shown[48];
    int len;

    if (!expr_moment_split(&args[0], expr_is_moment(from) ? from : EXPR_TYPE_DATETIME, &p) ||
        from == EXPR_TYPE_TIME)
        return err_set(s->err, -ENOTSUP, "a date or time cannot be read");
    if (n->type == EXPR_TYPE_DATE)
        len = snprintf(shown, sizeof shown, "%04u-%02u-%02u", p.year, p.month, p.day);
    else
        len = snprintf(shown, sizeof shown, "%04u-%02u-%02u %02u:%02u:%02u", p.year, p.month, p.day,
                       p.hour, p.minute, p.second);
    *ret = text(slice_of(arena_dup(&s->arena, shown, (size_t)len), (size_t)len));
    return 0;
}

/* Those with min > max are of CAST alone. */
static const struct expr_function functions[] = {
    { "IF", 3, 3, -1, run_if, true, ARGS_ANY },
    { "IFNULL", 2, 2, -1, run_coalesce, true, ARGS_ANY },
    { "COALESCE", 1, 64, -1, run_coalesce, true, ARGS_ANY },
    { "NULLIF", 2, 2, -1, run_nullif, true, ARGS_COMPARED },
    { "ISNULL", 1, 1, EXPR_TYPE_INTEGER, run_isnull, true, ARGS_ANY },
    { "GREATEST", 2, 64, -1, run_greatest, false, ARGS_COMPARED },
    { "LEAST", 2, 64, -1, run_least, false, ARGS_COMPARED },
    { "ABS", 1, 1, -1, run_abs, false, ARGS_NUMBERS },
    { "SIGN", 1, 1, EXPR_TYPE_INTEGER, run_sign, false, ARGS_NUMBERS },
    { "MOD", 2, 2, -1, run_mod, false, ARGS_NUMBERS },
    { "FLOOR", 1, 1, -1, run_floor, false, ARGS_NUMBERS },
    { "CEIL", 1, 1, -1, run_ceiling, false, ARGS_NUMBERS },
    { "CEILING", 1, 1, -1, run_ceiling, false, ARGS_NUMBERS },
    { "ROUND", 1, 2, -1, run_round, false, ARGS_NUMBERS },
    { "LENGTH", 1, 1, EXPR_TYPE_INTEGER, run_length, false, ARGS_TEXT },
    { "OCTET_LENGTH", 1, 1, EXPR_TYPE_INTEGER, run_length, false, ARGS_TEXT },
    { "CHAR_LENGTH", 1, 1, EXPR_TYPE_INTEGER, run_char_length, false, ARGS_TEXT },
    { "CHARACTER_LENGTH", 1, 1, EXPR_TYPE_INTEGER, run_char_length, false, ARGS_TEXT },
    { "SUBSTRING", 2, 3, EXPR_TYPE_TEXT, run_substring, false, ARGS_TEXT },
    { "SUBSTR", 2, 3, EXPR_TYPE_TEXT, run_substring, false, ARGS_TEXT },
    { "MID", 3, 3, EXPR_TYPE_TEXT, run_substring, false, ARGS_TEXT },
    { "LEFT", 2, 2, EXPR_TYPE_TEXT, run_left, false, ARGS_TEXT },
    { "RIGHT", 2, 2, EXPR_TYPE_TEXT, run_right, false, ARGS_TEXT },
    { "TRIM", 1, 1, EXPR_TYPE_TEXT, run_trim, false, ARGS_TEXT },
    { "LTRIM", 1, 1, EXPR_TYPE_TEXT, run_ltrim, false, ARGS_TEXT },
    { "RTRIM", 1, 1, EXPR_TYPE_TEXT, run_rtrim, false, ARGS_TEXT },
    { "CONCAT", 1, 64, EXPR_TYPE_TEXT, run_concat, false, ARGS_TEXT },
    { "UPPER", 1, 1, EXPR_TYPE_TEXT, run_upper, false, ARGS_TEXT },
    { "UCASE", 1, 1, EXPR_TYPE_TEXT, run_upper, false, ARGS_TEXT },
    { "LOWER", 1, 1, EXPR_TYPE_TEXT, run_lower, false, ARGS_TEXT },
    { "LCASE", 1, 1, EXPR_TYPE_TEXT, run_lower, false, ARGS_TEXT },
    { "YEAR", 1, 1, EXPR_TYPE_INTEGER, run_year, false, ARGS_MOMENTS },
    { "MONTH", 1, 1, EXPR_TYPE_INTEGER, run_month, false, ARGS_MOMENTS },
    { "DAY", 1, 1, EXPR_TYPE_INTEGER, run_day, false, ARGS_MOMENTS },
    { "DAYOFMONTH", 1, 1, EXPR_TYPE_INTEGER, run_day, false, ARGS_MOMENTS },
    { "HOUR", 1, 1, EXPR_TYPE_INTEGER, run_hour, false, ARGS_MOMENTS },
    { "MINUTE", 1, 1, EXPR_TYPE_INTEGER, run_minute, false, ARGS_MOMENTS },
    { "SECOND", 1, 1, EXPR_TYPE_INTEGER, run_second, false, ARGS_MOMENTS },
    { "DATE", 1, 1, EXPR_TYPE_DATE, run_date, false, ARGS_ANY },
    { "SIGNED", 1, 0, EXPR_TYPE_INTEGER, run_signed, false, ARGS_NUMBERS },
    { "UNSIGNED", 1, 0, EXPR_TYPE_INTEGER, run_unsigned, false, ARGS_NUMBERS },
    { "CHAR", 1, 0, EXPR_TYPE_TEXT, run_char, false, ARGS_ANY },
    { "BINARY", 1, 0, EXPR_TYPE_TEXT, run_char, false, ARGS_ANY },
    { "DOUBLE", 1, 0, EXPR_TYPE_REAL, run_double, false, ARGS_NUMBERS },
    { "DATETIME", 1, 0, EXPR_TYPE_DATETIME, run_date, false, ARGS_ANY },
};

const struct expr_function *expr_function_of(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (slice_eq_nocase(name, functions[i].name))
            return &functions[i];
    return NULL;
}
