#include "binlog/artificial.h"

#include <assert.h>

enum {
    AT_SIZE = 9,
    AT_LOG_POS = 13,
    AT_FLAGS = 17,
    AT_CREATED = EVENT_HEADER_SIZE + 2 + 50, /* behind version and server's version */
    TLV_FILE = 1,
    TLV_OFFSET = 2,
};

struct header {
    enum event_type type;
    uint32_t server_id;
    uint64_t log_pos;
    unsigned flags;
};

static void begin(struct buf *out, const struct header *h)
{
    buf_le(out, 0, 4); /* time */
    buf_byte(out, (char)h->type);
    buf_le(out, h->server_id, 4);
    buf_le(out, 0, 4); /* size: end() */
    buf_le(out, h->log_pos & UINT32_MAX, 4);
    buf_le(out, h->flags, 2);
}

static void put_le(char *p, uint64_t v, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++)
        p[i] = (char)(v >> 8 * i);
}

/* The event that begins at 'from' is whole but for its checksum. */
static void end(struct buf *out, size_t from, bool crc)
{
    size_t size = out->size - from;

    put_le(out->data + from + AT_SIZE, size + (crc ? EVENT_CHECKSUM_SIZE : 0), 4);
    if (crc)
        buf_le(out, event_crc32((const uint8_t *)out->data + from, size), EVENT_CHECKSUM_SIZE);
}

void artificial_rotate(struct buf *out, uint32_t server_id, const char *file, uint64_t offset,
                       bool crc)
{
    size_t from = out->size;

    begin(out, &(struct header){ EVENT_ROTATE, server_id, 0, EVENT_FLAG_ARTIFICIAL });
    buf_le(out, offset, 8);
    buf_str(out, file);
    end(out, from, crc);
}

static unsigned lenenc_size(uint64_t v)
{
    return v < 0xfb ? 1 : v <= 0xffff ? 3 : v <= 0xffffff ? 4 : 9;
}

void artificial_heartbeat(struct buf *out, uint32_t server_id, const char *file, uint64_t offset,
                          bool v2, bool crc)
{
    size_t from = out->size;

    begin(out, &(struct header){ v2 ? EVENT_HEARTBEAT_V2 : EVENT_HEARTBEAT, server_id, offset, 0 });
    if (v2) {
        buf_byte(out, TLV_FILE);
        buf_lenenc(out, strlen(file));
        buf_str(out, file);
        buf_byte(out, TLV_OFFSET);
        buf_lenenc(out, lenenc_size(offset));
        buf_lenenc(out, offset);
        buf_byte(out, 0);
    } else {
        buf_str(out, file);
    }
    end(out, from, crc);
}

void artificial_gtid_list(struct buf *out, uint32_t server_id, const struct gtid_set *state,
                          unsigned flags, uint64_t offset, bool crc)
{
    size_t from = out->size, n = 0;
    const struct gtid_member *m = gtid_set_members(state, &n);

    begin(out,
          &(struct header){ EVENT_MARIADB_GTID_LIST, server_id, offset, EVENT_FLAG_ARTIFICIAL });
    buf_le(out, n | flags, 4);
    for (size_t i = 0; i < n; i++) {
        buf_le(out, m[i].id.domain, 4);
        buf_le(out, m[i].id.server_id, 4);
        buf_le(out, m[i].id.number, 8);
    }
    end(out, from, crc);
}

void artificial_format(struct buf *out, struct slice stored, bool without_place,
                       bool without_created)
{
    char *p;
    size_t from = out->size, size = stored.size - EVENT_CHECKSUM_SIZE;

    assert(stored.size > AT_CREATED + 4 + EVENT_CHECKSUM_SIZE); /* the journal parsed it */
    buf_add(out, stored.data, size);
    p = out->data + from;
    p[AT_FLAGS] = (char)(p[AT_FLAGS] & ~EVENT_FLAG_IN_USE);
    if (without_place)
        put_le(p + AT_LOG_POS, 0, 4);
    if (without_created)
        put_le(p + AT_CREATED, 0, 4);
    buf_le(out, event_crc32((const uint8_t *)p, size), EVENT_CHECKSUM_SIZE);
}
