/*
 * cursor.h - bounded reader of bytes that came from outside.
 *
 * Reading past the end sets 'bad' and yields zeros from then on, so a decoder
 * reads like the specification and is checked once, at the end.
 */
#ifndef SLUICE_BASE_CURSOR_H
#define SLUICE_BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
    const uint8_t *at, *end;
    bool bad;
};

static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){ .at = s.data, .end = slice_end(s) };
}

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* The next 'size' bytes, borrowed from the input; empty and bad if there are fewer. */
static inline struct slice cursor_bytes(struct cursor *c, size_t size)
{
    const uint8_t *p = c->at;

    if (size > cursor_left(c)) {
        c->bad = true;
        c->at = c->end;
        return (struct slice){ c->end, 0 };
    }
    c->at += size;
    return (struct slice){ p, size };
}

static inline struct slice cursor_rest(struct cursor *c)
{
    return cursor_bytes(c, cursor_left(c));
}

static inline void cursor_skip(struct cursor *c, size_t size)
{
    (void)cursor_bytes(c, size);
}

/* Little-endian unsigned number of 1 to 8 bytes. */
static inline uint64_t cursor_le(struct cursor *c, unsigned n_bytes)
{
    struct slice s = cursor_bytes(c, n_bytes);
    uint64_t v = 0;

    for (size_t i = s.size; i-- > 0;)
        v = v << 8 | s.data[i];
    return v;
}

/* Big-endian likewise. */
static inline uint64_t cursor_be(struct cursor *c, unsigned n_bytes)
{
    struct slice s = cursor_bytes(c, n_bytes);
    uint64_t v = 0;

    for (size_t i = 0; i < s.size; i++)
        v = v << 8 | s.data[i];
    return v;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)cursor_le(c, 1);
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    return (uint16_t)cursor_le(c, 2);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    return (uint32_t)cursor_le(c, 4);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
    return cursor_le(c, 8);
}

/* Length-encoded integer of the MySQL protocol; 0xfb (NULL) and 0xff are bad. */
static inline uint64_t cursor_lenenc(struct cursor *c)
{
    uint8_t first = cursor_u8(c);

    if (first < 0xfb)
        return first;
    if (first == 0xfc)
        return cursor_le(c, 2);
    if (first == 0xfd)
        return cursor_le(c, 3);
    if (first == 0xfe)
        return cursor_le(c, 8);
    c->bad = true;
    return 0;
}

#endif
