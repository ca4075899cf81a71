#include "mysql/dump_command.h"

#include <errno.h>

#include "base/cursor.h"

#define ACK_MAGIC 0xef

static struct slice short_text(struct cursor *c)
{
    return cursor_bytes(c, cursor_u8(c));
}

/* A name to the end of the packet, as some clients NUL-terminated. */
static struct slice to_nul(struct slice s)
{
    const uint8_t *end = s.size ? memchr(s.data, 0, s.size) : NULL;

    return end ? slice_of(s.data, (size_t)(end - s.data)) : s;
}

int dump_register_parse(struct slice body, struct dump_register *ret, struct err *err)
{
    struct cursor c = cursor_of(body);
    struct dump_register r = { .server_id = cursor_u32(&c) };

    r.host = short_text(&c);
    r.user = short_text(&c);
    (void)short_text(&c); /* its password */
    r.port = cursor_u16(&c);
    cursor_skip(&c, 4 + 4); /* rank, source's id */
    if (c.bad)
        return err_set(err, -EBADMSG, "COM_REGISTER_SLAVE is cut short");
    *ret = r;
    return 0;
}

int dump_parse(struct slice body, struct dump_command *ret, struct err *err)
{
    struct cursor c = cursor_of(body);
    struct dump_command d = { .offset = cursor_u32(&c) };

    d.flags = cursor_u16(&c);
    d.server_id = cursor_u32(&c);
    d.file = to_nul(cursor_rest(&c));
    if (c.bad)
        return err_set(err, -EBADMSG, "COM_BINLOG_DUMP is cut short");
    *ret = d;
    return 0;
}

int dump_gtid_parse(struct slice body, struct dump_command *ret, struct err *err)
{
    struct cursor c = cursor_of(body);
    struct dump_command d = { .by_gtid = true, .flags = cursor_u16(&c) };

    d.server_id = cursor_u32(&c);
    d.file = to_nul(cursor_bytes(&c, cursor_u32(&c)));
    d.offset = cursor_u64(&c);
    d.gtids = cursor_bytes(&c, cursor_u32(&c));
    if (c.bad)
        return err_set(err, -EBADMSG, "COM_BINLOG_DUMP_GTID is cut short");
    *ret = d;
    return 0;
}

int dump_ack_parse(struct slice packet, struct dump_ack *ret, struct err *err)
{
    struct cursor c = cursor_of(packet);
    uint8_t magic = cursor_u8(&c);
    struct dump_ack a = { .offset = cursor_u64(&c) };

    a.file = to_nul(cursor_rest(&c));
    if (c.bad || magic != ACK_MAGIC)
        return err_set(err, -EBADMSG, "not the acknowledgement of an event");
    *ret = a;
    return 0;
}
