#include "binlog/inflate.h"

#include <errno.h>
#include <zlib.h>

#include "base/cursor.h"

#define RATIO_LIMIT 1032 /* the most that deflate can do: 258 bytes from 2 bits */

/* Inflates 'packed' into exactly 'size' bytes at 'to'; window bits as zlib's. */
static bool inflate_exactly(struct slice packed, uint8_t *to, size_t size, int window_bits)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.data, .avail_in = (uInt)packed.size };
    bool whole;

    z.next_out = to;
    z.avail_out = (uInt)size;
    if (inflateInit2(&z, window_bits) != Z_OK)
        return false;
    whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0;
    inflateEnd(&z);
    return whole;
}

static bool plausible(struct slice packed, uint64_t size)
{
    return packed.size <= INFLATE_LIMIT && size <= INFLATE_LIMIT &&
           size / RATIO_LIMIT <= packed.size;
}

/* 1000 0lll: zlib, a length of lll bytes. */
static int event_head(struct slice packed, size_t *size, struct slice *rest, struct err *err)
{
    struct cursor c = cursor_of(packed);
    uint8_t head = cursor_u8(&c);
    unsigned n = head & 7;

    *size = cursor_be(&c, n);
    *rest = cursor_rest(&c);
    if (c.bad || (head & 0xf8) != 0x80 || n < 1 || n > 4 || !plausible(*rest, *size))
        return err_set(err, -EBADMSG, "bad head of compressed data");
    return 0;
}

int inflate_event(struct slice packed, struct buf *out, struct err *err)
{
    struct slice rest;
    size_t size;
    int rc = event_head(packed, &size, &rest, err);

    if (rc < 0)
        return rc;
    buf_clear(out);
    if (!buf_reserve(out, size) || !inflate_exactly(rest, (uint8_t *)out->data, size, MAX_WBITS))
        return err_set(err, -EBADMSG, "compressed data is damaged");
    out->size = size;
    out->data[size] = '\0';
    return 0;
}

int inflate_event_arena(struct slice packed, struct arena *arena, struct slice *ret,
                        struct err *err)
{
    struct slice rest;
    size_t size;
    int rc = event_head(packed, &size, &rest, err);
    uint8_t *to;

    if (rc < 0)
        return rc;
    to = arena_alloc(arena, size);
    if (!inflate_exactly(rest, to, size, MAX_WBITS))
        return err_set(err, -EBADMSG, "compressed data is damaged");
    *ret = slice_of(to, size);
    return 0;
}

/* 0000 0000: plain.  1000 wlll: zlib; w set: without zlib's own header. */
bool inflate_column(struct slice packed, struct arena *arena, struct slice *ret)
{
    struct cursor c = cursor_of(packed);
    struct slice rest;
    uint64_t size;
    uint8_t head, *to;

    if (!packed.size) {
        *ret = packed;
        return true;
    }
    head = cursor_u8(&c);
    if (head == 0) {
        *ret = cursor_rest(&c);
        return true;
    }
    size = cursor_be(&c, head & 7);
    rest = cursor_rest(&c);
    if (c.bad || (head & 0xf0) != 0x80 || (head & 7) < 1 || (head & 7) > 4 ||
        !plausible(rest, size))
        return false;
    to = arena_alloc(arena, size);
    if (!inflate_exactly(rest, to, size, head & 8 ? -MAX_WBITS : MAX_WBITS))
        return false;
    *ret = slice_of(to, size);
    return true;
}
