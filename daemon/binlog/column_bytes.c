#include "binlog/address.h"
#include "binlog/column_decode.h"
#include "binlog/inflate.h"
#include "binlog/json_binary.h"

/* Bytes after their length, which takes 'n' bytes. */
static inline const uint8_t *sized_bytes(const uint8_t *at, const uint8_t *end, unsigned n,
                                         struct slice *ret)
{
    uint64_t size;

    if ((size_t)(end - at) < n)
        return NULL;
    size = le(at, n);
    if ((size_t)(end - at) - n < size)
        return NULL;
    *ret = slice_of(at + n, size);
    return at + n + size;
}

static inline const uint8_t *give_bytes(const uint8_t *next, struct slice s, struct value *ret)
{
    ret->kind = VALUE_BYTES;
    ret->size = (uint32_t)s.size;
    ret->p = s.data;
    return next;
}

DECODE(decode_varchar)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta > 255 ? 2 : 1, &s);

    (void)arena;
    return next ? give_bytes(next, s, ret) : NULL;
}

DECODE(decode_blob)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta, &s);

    (void)arena;
    return next ? give_bytes(next, s, ret) : NULL;
}

/* BINARY values are logged without their trailing zeros. */
static struct slice pad_binary(const struct column *col, struct slice s, struct arena *arena)
{
    uint8_t *padded;

    if (s.size >= col->meta)
        return s;
    padded = arena_alloc(arena, col->meta);
    memcpy(padded, s.data, s.size);
    memset(padded + s.size, 0, col->meta - s.size);
    return slice_of(padded, col->meta);
}

/* MariaDB keeps UUIDs of versions 1 to 5 with the time last, so that they sort by node and
 * time; others as they are written.  Source: MariaDB's sql_type_uuid.h, record_to_memory(). */
static struct slice uuid_of_record(struct slice s, struct arena *arena)
{
    static const uint8_t from[16] = { 12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5 };
    const uint8_t *r = s.data;
    uint8_t *uuid;

    if (!(r[6] & 0x80) || r[8] == 0 || r[8] > 0x80)
        return s;
    uuid = arena_alloc(arena, 16);
    for (size_t i = 0; i < 16; i++)
        uuid[i] = r[from[i]];
    return slice_of(uuid, 16);
}

static struct slice text_of(const struct column *col, struct slice s, struct arena *arena)
{
    char text[ADDRESS_TEXT_MAX];
    size_t size = address_text(col->address, s.data, text);

    return slice_of(arena_dup(arena, text, size), size);
}

static struct slice address_of(const struct column *col, struct slice s, struct arena *arena)
{
    if (s.size != address_size(col->address))
        return s;
    if (col->address == ADDRESS_UUID)
        s = uuid_of_record(s, arena);
    return col->as_text ? text_of(col, s, arena) : s;
}

DECODE(decode_string)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta > 255 ? 2 : 1, &s);

    if (!next)
        return NULL;
    if (col->collation == COLLATION_BINARY || col->address)
        s = pad_binary(col, s, arena);
    if (col->address)
        s = address_of(col, s, arena);
    return give_bytes(next, s, ret);
}

DECODE(decode_varchar_compressed)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta > 255 ? 2 : 1, &s);

    return next && inflate_column(s, arena, &s) ? give_bytes(next, s, ret) : NULL;
}

DECODE(decode_blob_compressed)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta, &s);

    return next && inflate_column(s, arena, &s) ? give_bytes(next, s, ret) : NULL;
}

DECODE(decode_json)
{
    struct slice s;
    const uint8_t *next = sized_bytes(at, end, col->meta, &s);

    if (!next || !json_binary_text(s, arena, &s))
        return NULL;
    ret->kind = VALUE_JSON;
    ret->size = (uint32_t)s.size;
    ret->p = s.data;
    return next;
}
