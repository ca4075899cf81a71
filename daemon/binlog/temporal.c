#include "binlog/temporal.h"

#include <stdbool.h>

#include "binlog/digits.h"

#define MICROSECOND_BITS 24
#define DATETIME_OFFSET ((uint64_t)1 << 39) /* the sign bit of 5 bytes */
#define TIME_OFFSET ((uint64_t)1 << 23)
#define TIME_SECONDS_END ((uint64_t)839 * 3600) /* one more than TIME can be */

struct clock {
    bool negative;
    unsigned year, month, day, hour, minute, second, microsecond;
};

static char *print_date(char *p, const struct clock *t)
{
    p = digits_put2(p, t->year / 100);
    p = digits_put2(p, t->year % 100);
    *p++ = '-';
    p = digits_put2(p, t->month);
    *p++ = '-';
    return digits_put2(p, t->day);
}

static char *print_time(char *p, const struct clock *t, unsigned digits)
{
    unsigned scale = 100000;

    if (t->negative)
        *p++ = '-';
    if (t->hour >= 100)
        p = digits_put(p, t->hour);
    else
        p = digits_put2(p, t->hour);
    *p++ = ':';
    p = digits_put2(p, t->minute);
    *p++ = ':';
    p = digits_put2(p, t->second);
    if (digits)
        *p++ = '.';
    for (unsigned i = 0; i < digits; i++, scale /= 10)
        *p++ = (char)('0' + t->microsecond / scale % 10);
    return p;
}

static size_t print_datetime(char *to, const struct clock *t, unsigned digits)
{
    char *p;

    if (t->year > 9999 || t->month > 12 || t->microsecond > 999999)
        return 0;
    p = print_date(to, t);
    *p++ = ' ';
    return (size_t)(print_time(p, t, digits) - to);
}

/* Fraction bytes hold 1/100, 1/10000 or 1/1000000 seconds. */
static unsigned microseconds_of(uint64_t fraction, unsigned digits)
{
    static const unsigned scale[] = { 0, 10000, 100, 1 };

    return (unsigned)fraction * scale[temporal_fraction_size(digits)];
}

size_t date_print(char *to, uint32_t packed)
{
    struct clock t = { .year = packed >> 9, .month = packed >> 5 & 15, .day = packed & 31 };

    if (t.year > 9999)
        return 0;
    return (size_t)(print_date(to, &t) - to);
}

size_t time_print_old(char *to, int32_t hhmmss)
{
    unsigned v = hhmmss < 0 ? 0u - (unsigned)hhmmss : (unsigned)hhmmss;
    struct clock t = {
        .negative = hhmmss < 0, .hour = v / 10000, .minute = v / 100 % 100, .second = v % 100
    };

    return (size_t)(print_time(to, &t, 0) - to);
}

size_t datetime_print_old(char *to, uint64_t v)
{
    struct clock t = { .year = (unsigned)(v / 10000000000 % 100000),
                       .month = (unsigned)(v / 100000000 % 100),
                       .day = (unsigned)(v / 1000000 % 100),
                       .hour = (unsigned)(v / 10000 % 100),
                       .minute = (unsigned)(v / 100 % 100),
                       .second = (unsigned)(v % 100) };

    return v > 99991231235959 ? 0 : print_datetime(to, &t, 0);
}

/* 'digits' digits of a second as microseconds. */
static uint64_t micro(uint64_t v, unsigned digits)
{
    static const unsigned scale[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };

    return v * scale[digits];
}

size_t time_print_mariadb53(char *to, uint64_t packed, unsigned digits)
{
    uint64_t zero = TIME_SECONDS_END * 1000000, v = micro(packed, digits);
    uint64_t size = v < zero ? zero - v : v - zero, seconds = size / 1000000;
    struct clock t = { .negative = v < zero,
                       .hour = (unsigned)(seconds / 3600),
                       .minute = (unsigned)(seconds / 60 % 60),
                       .second = (unsigned)(seconds % 60),
                       .microsecond = (unsigned)(size % 1000000) };

    return t.hour > 838 ? 0 : (size_t)(print_time(to, &t, digits) - to);
}

size_t datetime_print_mariadb53(char *to, uint64_t packed, unsigned digits)
{
    uint64_t v = micro(packed, digits), s = v / 1000000, days = s / 86400;
    struct clock t = { .year = (unsigned)(days / 32 / 13),
                       .month = (unsigned)(days / 32 % 13),
                       .day = (unsigned)(days % 32),
                       .hour = (unsigned)(s / 3600 % 24),
                       .minute = (unsigned)(s / 60 % 60),
                       .second = (unsigned)(s % 60),
                       .microsecond = (unsigned)(v % 1000000) };

    return days / 32 / 13 > 9999 ? 0 : print_datetime(to, &t, digits);
}

/* Days since 1970 to the civil date; the year starts in March, so that leap days come last. */
static void civil_from_days(uint32_t days, struct clock *t)
{
    uint32_t z = days + 719468, era = z / 146097, doe = z % 146097;
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

    t->day = doy - (153 * mp + 2) / 5 + 1;
    t->month = mp < 10 ? mp + 3 : mp - 9;
    t->year = yoe + era * 400 + (t->month <= 2);
}

size_t timestamp_print(char *to, uint32_t seconds, uint32_t microseconds, unsigned digits)
{
    struct clock t = { .microsecond = microseconds };

    if (seconds == 0 && microseconds == 0)
        return print_datetime(to, &t, digits); /* the zero date, not 1970 */
    civil_from_days(seconds / 86400, &t);
    t.hour = seconds / 3600 % 24;
    t.minute = seconds / 60 % 60;
    t.second = seconds % 60;
    return print_datetime(to, &t, digits);
}

/* 17 bits year * 13 + month, 5 day, 5 hour, 6 minute, 6 second. */
static struct clock clock_of_datetime(uint64_t v)
{
    uint64_t ym = v >> 22;

    return (struct clock){ .year = (unsigned)(ym / 13),
                           .month = (unsigned)(ym % 13),
                           .day = v >> 17 & 31,
                           .hour = v >> 12 & 31,
                           .minute = v >> 6 & 63,
                           .second = v & 63 };
}

static struct clock clock_of_time(bool negative, uint64_t v)
{
    return (struct clock){
        .negative = negative, .hour = v >> 12 & 1023, .minute = v >> 6 & 63, .second = v & 63
    };
}

size_t datetime2_print(char *to, uint64_t packed, unsigned digits)
{
    unsigned shift = 8 * temporal_fraction_size(digits);
    uint64_t whole = packed >> shift;
    struct clock t;

    if (whole < DATETIME_OFFSET)
        return 0; /* negative: servers reserve it */
    t = clock_of_datetime(whole - DATETIME_OFFSET);
    t.microsecond = microseconds_of(packed & (((uint64_t)1 << shift) - 1), digits);
    return print_datetime(to, &t, digits);
}

/* Below the offset it is negative, fraction included. */
size_t time2_print(char *to, uint64_t packed, unsigned digits)
{
    unsigned shift = 8 * temporal_fraction_size(digits);
    uint64_t zero = TIME_OFFSET << shift;
    bool negative = packed < zero;
    uint64_t v = negative ? zero - packed : packed - zero;
    struct clock t = clock_of_time(negative, v >> shift);

    t.microsecond = microseconds_of(v & (((uint64_t)1 << shift) - 1), digits);
    if (t.microsecond > 999999)
        return 0;
    return (size_t)(print_time(to, &t, digits) - to);
}

size_t datetime_print_packed(char *to, int64_t packed)
{
    struct clock t;

    if (packed < 0)
        return 0;
    t = clock_of_datetime((uint64_t)packed >> MICROSECOND_BITS);
    t.microsecond = packed & ((1 << MICROSECOND_BITS) - 1);
    return print_datetime(to, &t, 6);
}

size_t date_print_packed(char *to, int64_t packed)
{
    struct clock t;

    if (packed < 0)
        return 0;
    t = clock_of_datetime((uint64_t)packed >> MICROSECOND_BITS);
    return t.year > 9999 ? 0 : (size_t)(print_date(to, &t) - to);
}

size_t time_print_packed(char *to, int64_t packed)
{
    uint64_t v = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;
    struct clock t = clock_of_time(packed < 0, v >> MICROSECOND_BITS);

    t.microsecond = v & ((1 << MICROSECOND_BITS) - 1);
    return t.microsecond > 999999 ? 0 : (size_t)(print_time(to, &t, 6) - to);
}
