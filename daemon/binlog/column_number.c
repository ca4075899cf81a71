#include "binlog/column_decode.h"
#include "binlog/decimal.h"

/* Integers: little-endian, two's complement. */
static inline const uint8_t *decode_integer(const struct column *col, const uint8_t *at,
                                            const uint8_t *end, unsigned n, struct value *ret)
{
    unsigned unused = 64 - 8 * n;
    uint64_t v;

    if ((size_t)(end - at) < n)
        return NULL;
    v = le(at, n);
    ret->size = 0;
    if (col->is_unsigned) {
        ret->kind = VALUE_UINT;
        ret->u = v;
    } else {
        ret->kind = VALUE_INT;
        ret->i = (int64_t)(v << unused) >> unused;
    }
    return at + n;
}

DECODE(decode_tiny)
{
    (void)arena;
    return decode_integer(col, at, end, 1, ret);
}

DECODE(decode_short)
{
    (void)arena;
    return decode_integer(col, at, end, 2, ret);
}

DECODE(decode_int24)
{
    (void)arena;
    return decode_integer(col, at, end, 3, ret);
}

DECODE(decode_long)
{
    (void)arena;
    return decode_integer(col, at, end, 4, ret);
}

DECODE(decode_longlong)
{
    (void)arena;
    return decode_integer(col, at, end, 8, ret);
}

static const uint8_t *give_uint(const uint8_t *next, uint64_t v, struct value *ret)
{
    ret->kind = VALUE_UINT;
    ret->size = 0;
    ret->u = v;
    return next;
}

/* ENUM (meta: 1 or 2 bytes) and SET (1 to 8). */
DECODE(decode_packed_set)
{
    (void)arena;
    if ((size_t)(end - at) < col->meta)
        return NULL;
    return give_uint(at + col->meta, le(at, col->meta), ret);
}

DECODE(decode_bit)
{
    unsigned n = (col->meta + 7u) / 8;

    (void)arena;
    if ((size_t)(end - at) < n)
        return NULL;
    return give_uint(at + n, be(at, n), ret);
}

DECODE(decode_year)
{
    (void)col;
    (void)arena;
    if (at == end)
        return NULL;
    ret->kind = VALUE_INT;
    ret->size = 0;
    ret->i = *at ? 1900 + *at : 0;
    return at + 1;
}

DECODE(decode_float)
{
    uint32_t bits;

    (void)col;
    (void)arena;
    if (end - at < 4)
        return NULL;
    bits = (uint32_t)le(at, 4);
    ret->kind = VALUE_FLOAT;
    ret->size = 0;
    ret->u = 0; /* who hashes or compares values takes all eight bytes */
    memcpy(&ret->f, &bits, sizeof ret->f);
    return at + 4;
}

DECODE(decode_double)
{
    uint64_t bits;

    (void)col;
    (void)arena;
    if (end - at < 8)
        return NULL;
    bits = le(at, 8);
    ret->kind = VALUE_DOUBLE;
    ret->size = 0;
    memcpy(&ret->d, &bits, sizeof ret->d);
    return at + 8;
}

DECODE(decode_null)
{
    (void)col;
    (void)end;
    (void)arena;
    ret->kind = VALUE_NULL;
    ret->size = 0;
    return at;
}

DECODE(decode_decimal)
{
    unsigned precision = col->meta >> 8, scale = col->meta & 255;
    unsigned n = decimal_size(precision, scale);
    char text[DECIMAL_TEXT_SIZE];
    size_t size;

    if ((size_t)(end - at) < n)
        return NULL;
    size = decimal_print(text, at, precision, scale);
    return give_text(at + n, arena_dup(arena, text, size), size, ret);
}
