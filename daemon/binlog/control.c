#include "binlog/control.h"

#include <errno.h>

#include "base/cursor.h"

#define VERSION_SIZE 50
#define SUPPORTED_BINLOG_VERSION 4

int format_decode(const struct event *ev, struct event_format *ret, uint32_t *created,
                  struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    struct event_format fmt = { 0 };
    uint16_t version = cursor_u16(&c);
    struct slice server = cursor_bytes(&c, VERSION_SIZE), sizes;
    uint32_t when = cursor_u32(&c);
    uint8_t header_size = cursor_u8(&c);

    if (c.bad || cursor_left(&c) < 1)
        return err_set(err, -EBADMSG, "format description: %zu bytes are too few", ev->body.size);
    if (version != SUPPORTED_BINLOG_VERSION || header_size != EVENT_HEADER_SIZE)
        return err_set(err, -EBADMSG, "binlog version %u with headers of %u bytes is not supported",
                       version, header_size);
    sizes = cursor_bytes(&c, cursor_left(&c) - 1);
    fmt.checksum = cursor_u8(&c);
    if (fmt.checksum > 1)
        return err_set(err, -EBADMSG, "checksum algorithm %u is not known", fmt.checksum);
    memcpy(fmt.server_version, server.data, VERSION_SIZE);
    fmt.flavor = strstr(fmt.server_version, "MariaDB") ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    for (size_t i = 0; i < sizes.size && i + 1 < sizeof fmt.post_header_size; i++)
        fmt.post_header_size[i + 1] = sizes.data[i]; /* the array starts with type 1 */
    *ret = fmt;
    *created = when;
    return 0;
}

int rotate_decode(const struct event *ev, struct rotate *ret, struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    struct rotate r = { .offset = cursor_u64(&c), .file = cursor_rest(&c) };

    if (c.bad || !r.file.size)
        return err_set(err, -EBADMSG, "rotate event: %zu bytes are too few", ev->body.size);
    for (size_t i = 0; i < r.file.size; i++)
        if (r.file.data[i] < 0x20)
            return err_set(err, -EBADMSG, "rotate event: the file name has control bytes");
    *ret = r;
    return 0;
}

/* Version 2 is a list of (type, size, value): 1 is the name, 2 the offset. */
static int decode_v2(struct cursor *c, struct heartbeat *hb)
{
    while (cursor_left(c)) {
        uint64_t type = cursor_lenenc(c), size;

        if (type == 0)
            break;
        size = cursor_lenenc(c);
        struct cursor value = cursor_of(cursor_bytes(c, size));

        if (type == 1)
            hb->file = cursor_rest(&value);
        else if (type == 2)
            hb->offset = cursor_lenenc(&value);
        c->bad |= value.bad;
    }
    hb->whole = true;
    return c->bad ? -EBADMSG : 0;
}

/* MariaDB puts a 64-bit offset before the name when the header's cannot hold it: it then is 0. */
static void decode_v1(struct cursor *c, const struct event *ev, enum flavor flavor,
                      struct heartbeat *hb)
{
    hb->offset = ev->next_pos;
    if (flavor == FLAVOR_MARIADB && ev->next_pos == 0 && cursor_left(c) > 8) {
        hb->offset = cursor_u64(c);
        hb->whole = true;
    }
    hb->file = cursor_rest(c);
}

int heartbeat_decode(const struct event *ev, enum flavor flavor, struct heartbeat *ret,
                     struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    struct heartbeat hb = { 0 };

    if (ev->type == EVENT_HEARTBEAT_V2) {
        if (decode_v2(&c, &hb) < 0)
            return err_set(err, -EBADMSG, "heartbeat event is cut short");
    } else {
        decode_v1(&c, ev, flavor, &hb);
    }
    *ret = hb;
    return 0;
}
