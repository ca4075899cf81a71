/*
 * proto.h - protobuf's wire format, as much of it as two small schemas need: varints, bytes,
 * and 64-bit fields.  Source: protobuf.dev, "Encoding".
 *
 * A message inside another is written between proto_begin() and proto_end(): its length is put in
 * front of it afterwards.
 */
#ifndef SLUICE_SINK_PROTO_H
#define SLUICE_SINK_PROTO_H

#include "base/buf.h"
#include "base/cursor.h"

void proto_varint(struct buf *b, uint64_t v);
void proto_zigzag(struct buf *b, int64_t v); /* as Go's binary.PutVarint */
void proto_u64(struct buf *b, unsigned field, uint64_t v);
void proto_bytes(struct buf *b, unsigned field, const void *p, size_t size);
void proto_str(struct buf *b, unsigned field, const char *s);
void proto_double(struct buf *b, unsigned field, double v);
/* Returns where the message begins, for proto_end(). */
size_t proto_begin(struct buf *b, unsigned field);
void proto_end(struct buf *b, size_t at);

struct proto_field {
    unsigned number;
    unsigned wire;      /* 0 varint, 1 64 bits, 2 bytes, 5 32 bits */
    uint64_t u;         /* of numbers */
    struct slice bytes; /* of bytes */
};

/* 1 a field, 0 the end; -1 these are not fields. */
int proto_next(struct cursor *c, struct proto_field *ret);
uint64_t proto_read_varint(struct cursor *c); /* c->bad when it is none */
int64_t proto_read_zigzag(struct cursor *c);

#endif
