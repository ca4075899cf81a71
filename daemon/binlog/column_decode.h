/*
 * column_decode.h - how a value of each type is read from a row image; the rows of column.c
 * choose.  column_number.c has numbers and sets, column_time.c dates and times, column_bytes.c
 * texts and bytes.
 */
#ifndef SLUICE_BINLOG_COLUMN_DECODE_H
#define SLUICE_BINLOG_COLUMN_DECODE_H

#include "binlog/rows.h"

/* A column_decode. */
#define DECODE(name)                                                                     \
    const uint8_t *name(const struct column *col, const uint8_t *at, const uint8_t *end, \
                        struct arena *arena, struct value *ret)

/* column_number.c */
DECODE(decode_tiny);
DECODE(decode_short);
DECODE(decode_int24);
DECODE(decode_long);
DECODE(decode_longlong);
DECODE(decode_packed_set);
DECODE(decode_bit);
DECODE(decode_year);
DECODE(decode_float);
DECODE(decode_double);
DECODE(decode_null);
DECODE(decode_decimal);

/* column_time.c */
DECODE(decode_date);
DECODE(decode_time_old);
DECODE(decode_datetime_old);
DECODE(decode_timestamp_old);
DECODE(decode_time_mariadb53);
DECODE(decode_datetime_mariadb53);
DECODE(decode_timestamp_mariadb53);
DECODE(decode_timestamp2);
DECODE(decode_datetime2);
DECODE(decode_time2);

/* column_bytes.c */
DECODE(decode_varchar);
DECODE(decode_blob);
DECODE(decode_string);
DECODE(decode_varchar_compressed);
DECODE(decode_blob_compressed);
DECODE(decode_json);

static inline uint64_t le(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = n; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static inline uint64_t be(const uint8_t *p, unsigned n)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

/* Texts made here: 'size' 0 says that the bits were no value. */
static inline const uint8_t *give_text(const uint8_t *next, const void *text, size_t size,
                                       struct value *ret)
{
    ret->kind = VALUE_TEXT;
    ret->size = (uint32_t)size;
    ret->p = text;
    return size ? next : NULL;
}

#endif
