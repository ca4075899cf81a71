#include "binlog/query.h"

#include <errno.h>

#include "base/cursor.h"
#include "binlog/inflate.h"

#define QUERY_POST_HEADER_SIZE 13
#define LOAD_POST_HEADER_SIZE 26 /* file id, two offsets, duplicate handling */

int query_decode(const struct event *ev, const struct event_format *fmt, struct buf *scratch,
                 struct query *ret, struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    unsigned known =
        ev->type == EVENT_EXECUTE_LOAD_QUERY ? LOAD_POST_HEADER_SIZE : QUERY_POST_HEADER_SIZE;
    unsigned post = fmt->post_header_size[ev->type];
    struct query q = { .thread_id = cursor_u32(&c), .exec_time = cursor_u32(&c) };
    size_t db_size = cursor_u8(&c), vars_size;

    q.error_code = cursor_u16(&c);
    vars_size = cursor_u16(&c);
    cursor_skip(&c, (post > known ? post : known) - QUERY_POST_HEADER_SIZE);
    q.status_vars = cursor_bytes(&c, vars_size);
    q.db = cursor_bytes(&c, db_size);
    cursor_skip(&c, 1);
    q.sql = cursor_rest(&c);
    if (c.bad)
        return err_set(err, -EBADMSG, "%s event of %zu bytes is cut short",
                       event_type_name(ev->type), ev->raw.size);
    if (ev->type == EVENT_MARIADB_QUERY_COMPRESSED) {
        if (inflate_event(q.sql, scratch, err) < 0)
            return err_wrap(err, "compressed query event");
        q.sql = slice_of(scratch->data, scratch->size);
    }
    *ret = q;
    return 0;
}
