/* Dates and times, from text as people write it and from numbers as 20310102. */
#include <string.h>

#include "route/expr_impl.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool number(struct slice s, size_t *at, unsigned most, unsigned *ret, unsigned *len)
{
    *ret = *len = 0;
    while (*at < s.size && is_digit(s.data[*at]) && *len < most) {
        *ret = *ret * 10 + (unsigned)(s.data[*at] - '0');
        ++*len;
        ++*at;
    }
    return *len > 0;
}

static bool accept(struct slice s, size_t *at, const char *one_of)
{
    if (*at >= s.size || !strchr(one_of, s.data[*at]) || s.data[*at] == '\0')
        return false;
    ++*at;
    return true;
}

static bool fraction(struct slice s, size_t *at, unsigned *micro)
{
    unsigned len;

    *micro = 0;
    if (!accept(s, at, "."))
        return true;
    if (!number(s, at, 6, micro, &len))
        return true;
    while (len++ < 6)
        *micro *= 10;
    return *at == s.size; /* more digits would have to be rounded */
}

static unsigned full_year(unsigned year, unsigned len)
{
    return len > 2 ? year : year < 70 ? 2000 + year : 1900 + year;
}

/* hh:mm:ss, of which the last may be missing */
static bool read_clock(struct slice s, size_t *at, struct expr_moment_parts *p)
{
    unsigned len;

    if (!number(s, at, 3, &p->hour, &len))
        return false;
    if (accept(s, at, ":") && !number(s, at, 2, &p->minute, &len))
        return false;
    if (accept(s, at, ":") && !number(s, at, 2, &p->second, &len))
        return false;
    return p->minute < 60 && p->second < 60 && fraction(s, at, &p->micro);
}

static bool datetime_text(struct slice s, struct expr_moment_parts *p)
{
    unsigned len;
    size_t at = 0;

    if (!number(s, &at, 4, &p->year, &len))
        return false;
    p->year = full_year(p->year, len);
    if (!accept(s, &at, "-/.:") || !number(s, &at, 2, &p->month, &len) || !accept(s, &at, "-/.:") ||
        !number(s, &at, 2, &p->day, &len))
        return false;
    if (p->month > 12 || p->day > 31)
        return false;
    if (at == s.size)
        return true;
    return accept(s, &at, " T") && read_clock(s, &at, p) && p->hour < 24 && at == s.size;
}

static bool time_text(struct slice s, struct expr_moment_parts *p)
{
    size_t at = 0;

    p->negative = accept(s, &at, "-");
    return memchr(s.data, ':', s.size) && read_clock(s, &at, p) && at == s.size;
}

static bool datetime_number(uint64_t n, struct expr_moment_parts *p)
{
    uint64_t time = 0;

    if (n >= 10000101000000) {
        time = n % 1000000;
        n /= 1000000;
    }
    if (n < 10000101 || n > 99991231)
        return false;
    p->year = (unsigned)(n / 10000);
    p->month = (unsigned)(n / 100 % 100);
    p->day = (unsigned)(n % 100);
    p->hour = (unsigned)(time / 10000);
    p->minute = (unsigned)(time / 100 % 100);
    p->second = (unsigned)(time % 100);
    return p->month <= 12 && p->day <= 31 && p->hour < 24 && p->minute < 60 && p->second < 60;
}

bool expr_moment_split(const struct expr_value *v, enum expr_type as, struct expr_moment_parts *ret)
{
    *ret = (struct expr_moment_parts){ .year = 0 };
    if (v->kind == EXPR_TEXT && v->text.size == 0)
        return false;
    if (v->kind == EXPR_TEXT)
        return as == EXPR_TYPE_TIME ? time_text(v->text, ret) : datetime_text(v->text, ret);
    if (as == EXPR_TYPE_TIME || (v->kind != EXPR_INT && v->kind != EXPR_UINT) ||
        (v->kind == EXPR_INT && v->i < 0))
        return false;
    return datetime_number(v->u, ret);
}

bool expr_moment(const struct expr_value *v, enum expr_type as, int64_t *ret)
{
    struct expr_moment_parts p;

    if (!expr_moment_split(v, as, &p))
        return false;
    *ret = ((((((int64_t)p.year * 13 + p.month) * 32 + p.day) * 24 + p.hour) * 60 + p.minute) * 60 +
            p.second) *
               1000000 +
           p.micro;
    if (p.negative)
        *ret = -*ret;
    return true;
}
