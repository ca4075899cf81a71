#include "sink/proto.h"

#include <string.h>

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* A length of a message is not known before: room for the longest, then the message moves up. */
#define LENGTH_ROOM 5

static size_t put_varint(uint8_t *p, uint64_t v)
{
    size_t n = 0;

    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    return n;
}

void proto_varint(struct buf *b, uint64_t v)
{
    uint8_t bytes[10];

    buf_add(b, bytes, put_varint(bytes, v));
}

void proto_zigzag(struct buf *b, int64_t v)
{
    proto_varint(b, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void tag(struct buf *b, unsigned field, unsigned wire)
{
    proto_varint(b, (uint64_t)field << 3 | wire);
}

void proto_u64(struct buf *b, unsigned field, uint64_t v)
{
    tag(b, field, WIRE_VARINT);
    proto_varint(b, v);
}

void proto_bytes(struct buf *b, unsigned field, const void *p, size_t size)
{
    tag(b, field, WIRE_BYTES);
    proto_varint(b, size);
    buf_add(b, p, size);
}

void proto_str(struct buf *b, unsigned field, const char *s)
{
    proto_bytes(b, field, s, strlen(s));
}

void proto_double(struct buf *b, unsigned field, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    tag(b, field, WIRE_64);
    buf_le(b, bits, 8);
}

size_t proto_begin(struct buf *b, unsigned field)
{
    tag(b, field, WIRE_BYTES);
    buf_add(b, "\0\0\0\0\0", LENGTH_ROOM);
    return b->size;
}

void proto_end(struct buf *b, size_t at)
{
    uint8_t bytes[10];
    size_t size, n;

    if (b->bad)
        return;
    size = b->size - at;
    n = put_varint(bytes, size);
    memcpy(b->data + at - LENGTH_ROOM, bytes, n);
    memmove(b->data + at - LENGTH_ROOM + n, b->data + at, size);
    b->size -= LENGTH_ROOM - n;
}

/* --- reading --- */

uint64_t proto_read_varint(struct cursor *c)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);

        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}

int64_t proto_read_zigzag(struct cursor *c)
{
    uint64_t v = proto_read_varint(c);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

int proto_next(struct cursor *c, struct proto_field *ret)
{
    uint64_t head;

    if (c->bad)
        return -1;
    if (cursor_left(c) == 0)
        return 0;
    head = proto_read_varint(c);
    *ret = (struct proto_field){ .number = (unsigned)(head >> 3),
                                 .wire = (unsigned)(head & 7),
                                 .bytes = slice_str("") };
    if (head >> 32 || ret->number == 0)
        return -1;
    if (ret->wire == WIRE_VARINT)
        ret->u = proto_read_varint(c);
    else if (ret->wire == WIRE_64)
        ret->u = cursor_u64(c);
    else if (ret->wire == WIRE_32)
        ret->u = cursor_u32(c);
    else if (ret->wire == WIRE_BYTES)
        ret->bytes = cursor_bytes(c, proto_read_varint(c));
    else
        return -1;
    return c->bad ? -1 : 1;
}
