#include "binlog/column_decode.h"
#include "binlog/temporal.h"

DECODE(decode_date)
{
    char *text;

    (void)col;
    if (end - at < 3)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 3, text, date_print(text, (uint32_t)le(at, 3)), ret);
}

DECODE(decode_time_old)
{
    char *text;

    (void)col;
    if (end - at < 3)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 3, text, time_print_old(text, (int32_t)((uint32_t)le(at, 3) << 8) >> 8),
                     ret);
}

DECODE(decode_datetime_old)
{
    char *text;

    (void)col;
    if (end - at < 8)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 8, text, datetime_print_old(text, le(at, 8)), ret);
}

DECODE(decode_timestamp_old)
{
    char *text;

    (void)col;
    if (end - at < 4)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 4, text, timestamp_print(text, (uint32_t)le(at, 4), 0, 0), ret);
}

/* The old types with a fraction, which only MariaDB had; sizes by digits. */
DECODE(decode_time_mariadb53)
{
    static const uint8_t size[] = { 3, 4, 4, 5, 5, 5, 6 };
    unsigned n = size[col->meta];
    char *text;

    if ((size_t)(end - at) < n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + n, text, time_print_mariadb53(text, be(at, n), col->meta), ret);
}

DECODE(decode_datetime_mariadb53)
{
    static const uint8_t size[] = { 5, 6, 6, 7, 7, 7, 8 };
    unsigned n = size[col->meta];
    char *text;

    if ((size_t)(end - at) < n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + n, text, datetime_print_mariadb53(text, be(at, n), col->meta), ret);
}

/* Seconds, then the fraction's digits as a number. */
DECODE(decode_timestamp_mariadb53)
{
    static const uint32_t scale[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
    unsigned n = temporal_fraction_size(col->meta);
    uint64_t fraction;
    char *text;

    if ((size_t)(end - at) < 4 + n)
        return NULL;
    fraction = be(at + 4, n) * scale[col->meta];
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + 4 + n, text,
                     timestamp_print(text, (uint32_t)be(at, 4),
                                     fraction < 1000000 ? (uint32_t)fraction : UINT32_MAX,
                                     col->meta),
                     ret);
}

DECODE(decode_timestamp2)
{
    static const uint32_t scale[] = { 0, 10000, 100, 1 };
    unsigned n = temporal_fraction_size(col->meta);
    char *text;

    if ((size_t)(end - at) < 4 + n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(
        at + 4 + n, text,
        timestamp_print(text, (uint32_t)be(at, 4), (uint32_t)be(at + 4, n) * scale[n], col->meta),
        ret);
}

DECODE(decode_datetime2)
{
    unsigned n = 5 + temporal_fraction_size(col->meta);
    char *text;

    if ((size_t)(end - at) < n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + n, text, datetime2_print(text, be(at, n), col->meta), ret);
}

DECODE(decode_time2)
{
    unsigned n = 3 + temporal_fraction_size(col->meta);
    char *text;

    if ((size_t)(end - at) < n)
        return NULL;
    text = arena_alloc(arena, TEMPORAL_SIZE);
    return give_text(at + n, text, time2_print(text, be(at, n), col->meta), ret);
}
