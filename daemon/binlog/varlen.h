/*
 * varlen.h - integers of MySQL's serialization library (tagged GTIDs).
 *
 * The number of trailing one bits in the first byte is the number of bytes
 * that follow; the value is little-endian above those bits and a zero bit.
 * Source: mysql/serialization/readme.md in the MySQL server.
 */
#ifndef SLUICE_BINLOG_VARLEN_H
#define SLUICE_BINLOG_VARLEN_H

#include "base/buf.h"
#include "base/cursor.h"

static inline uint64_t cursor_varlen(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    unsigned more = first == 0xff ? 8 : (unsigned)__builtin_ctz(~(unsigned)first);
    uint64_t rest = cursor_le(c, more);

    if (more >= 7)
        return rest;
    return (uint64_t)first >> (more + 1) | rest << (7 - more);
}

/* Signed numbers have their sign in the lowest bit. */
static inline int64_t cursor_varlen_signed(struct cursor *c)
{
    uint64_t v = cursor_varlen(c);

    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

static inline void buf_varlen(struct buf *b, uint64_t v)
{
    unsigned more = 0;

    while (more < 8 && v >> (7 * (more + 1)))
        more++;
    if (more == 8) {
        buf_le(b, 0xff, 1);
        buf_le(b, v, 8);
    } else {
        buf_le(b, v << (more + 1) | ((1u << more) - 1), more + 1);
    }
}

#endif
