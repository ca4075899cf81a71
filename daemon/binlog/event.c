#include "binlog/event.h"

#include <errno.h>

#include "base/cursor.h"
#include "binlog/crc32.h"

#define CREATED_AT (EVENT_HEADER_SIZE + 2 + 50) /* in a format description */
#define CREATED_SIZE 4
#define CHECKSUM_NONE 0

static const char *const type_names[256] = {
    [EVENT_QUERY] = "QUERY",
    [EVENT_STOP] = "STOP",
    [EVENT_ROTATE] = "ROTATE",
    [EVENT_INTVAR] = "INTVAR",
    [EVENT_APPEND_BLOCK] = "APPEND_BLOCK",
    [EVENT_DELETE_FILE] = "DELETE_FILE",
    [EVENT_RAND] = "RAND",
    [EVENT_USER_VAR] = "USER_VAR",
    [EVENT_FORMAT_DESCRIPTION] = "FORMAT_DESCRIPTION",
    [EVENT_XID] = "XID",
    [EVENT_BEGIN_LOAD_QUERY] = "BEGIN_LOAD_QUERY",
    [EVENT_EXECUTE_LOAD_QUERY] = "EXECUTE_LOAD_QUERY",
    [EVENT_TABLE_MAP] = "TABLE_MAP",
    [EVENT_WRITE_ROWS_V1] = "WRITE_ROWS_V1",
    [EVENT_UPDATE_ROWS_V1] = "UPDATE_ROWS_V1",
    [EVENT_DELETE_ROWS_V1] = "DELETE_ROWS_V1",
    [EVENT_INCIDENT] = "INCIDENT",
    [EVENT_HEARTBEAT] = "HEARTBEAT",
    [EVENT_IGNORABLE] = "IGNORABLE",
    [EVENT_ROWS_QUERY] = "ROWS_QUERY",
    [EVENT_WRITE_ROWS_V2] = "WRITE_ROWS_V2",
    [EVENT_UPDATE_ROWS_V2] = "UPDATE_ROWS_V2",
    [EVENT_DELETE_ROWS_V2] = "DELETE_ROWS_V2",
    [EVENT_GTID] = "GTID",
    [EVENT_ANONYMOUS_GTID] = "ANONYMOUS_GTID",
    [EVENT_PREVIOUS_GTIDS] = "PREVIOUS_GTIDS",
    [EVENT_TRANSACTION_CONTEXT] = "TRANSACTION_CONTEXT",
    [EVENT_VIEW_CHANGE] = "VIEW_CHANGE",
    [EVENT_XA_PREPARE] = "XA_PREPARE",
    [EVENT_PARTIAL_UPDATE_ROWS] = "PARTIAL_UPDATE_ROWS",
    [EVENT_TRANSACTION_PAYLOAD] = "TRANSACTION_PAYLOAD",
    [EVENT_HEARTBEAT_V2] = "HEARTBEAT_V2",
    [EVENT_GTID_TAGGED] = "GTID_TAGGED",
    [EVENT_MARIADB_ANNOTATE_ROWS] = "ANNOTATE_ROWS",
    [EVENT_MARIADB_BINLOG_CHECKPOINT] = "BINLOG_CHECKPOINT",
    [EVENT_MARIADB_GTID] = "MARIADB_GTID",
    [EVENT_MARIADB_GTID_LIST] = "GTID_LIST",
    [EVENT_MARIADB_START_ENCRYPTION] = "START_ENCRYPTION",
    [EVENT_MARIADB_QUERY_COMPRESSED] = "QUERY_COMPRESSED",
    [EVENT_MARIADB_WRITE_ROWS_COMPRESSED_V1] = "WRITE_ROWS_COMPRESSED_V1",
    [EVENT_MARIADB_UPDATE_ROWS_COMPRESSED_V1] = "UPDATE_ROWS_COMPRESSED_V1",
    [EVENT_MARIADB_DELETE_ROWS_COMPRESSED_V1] = "DELETE_ROWS_COMPRESSED_V1",
};

const char *event_type_name(uint8_t type)
{
    return type_names[type] ? type_names[type] : "UNKNOWN";
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t event_size(const uint8_t *p)
{
    return le32(p + 9);
}

uint32_t event_crc32(const uint8_t *p, size_t size)
{
    return crc32_update(0, p, size);
}

/* The flag that a file is in use is set in place and is not part of the checksum. */
static bool checksum_matches(struct slice raw)
{
    size_t n = raw.size - EVENT_CHECKSUM_SIZE;
    uint8_t header[EVENT_HEADER_SIZE];

    if (raw.data[4] != EVENT_FORMAT_DESCRIPTION)
        return event_crc32(raw.data, n) == le32(raw.data + n);
    memcpy(header, raw.data, sizeof header);
    header[17] &= (uint8_t)~EVENT_FLAG_IN_USE;
    return crc32_update(event_crc32(header, sizeof header), raw.data + sizeof header,
                        n - sizeof header) == le32(raw.data + n);
}

/* A source whose checksums are off changes the format description that begins a dump inside a file
 * (its time of creation becomes 0) and leaves the checksum as it was. */
static bool is_touched_format(struct slice raw)
{
    static const uint8_t zero[CREATED_SIZE] = { 0 };

    return raw.data[4] == EVENT_FORMAT_DESCRIPTION && raw.size >= CREATED_AT + CREATED_SIZE + 5 &&
           raw.data[raw.size - EVENT_CHECKSUM_SIZE - 1] == CHECKSUM_NONE &&
           memcmp(raw.data + CREATED_AT, zero, sizeof zero) == 0;
}

/* A format description always ends in its algorithm and a checksum (since MySQL 5.6.1 and
 * MariaDB 5.3, the oldest that we read).  Source: MySQL's Log_event_footer. */
static bool has_checksum(const struct event *ev, const struct event_format *fmt)
{
    if (ev->raw.size < EVENT_HEADER_SIZE + EVENT_CHECKSUM_SIZE)
        return false;
    if (ev->type == EVENT_FORMAT_DESCRIPTION)
        return true;
    if (ev->type == EVENT_ROTATE && (ev->next_pos == 0 || (ev->flags & EVENT_FLAG_ARTIFICIAL)))
        return checksum_matches(ev->raw);
    return fmt->checksum != 0;
}

int event_parse(struct slice raw, const struct event_format *fmt, bool verify, struct event *ret,
                struct err *err)
{
    struct cursor c = cursor_of(raw);
    struct event ev = { .raw = raw };
    size_t tail;
    uint32_t size;

    ev.timestamp = cursor_u32(&c);
    ev.type = cursor_u8(&c);
    ev.server_id = cursor_u32(&c);
    size = cursor_u32(&c);
    ev.next_pos = cursor_u32(&c);
    ev.flags = cursor_u16(&c);
    if (c.bad || size != raw.size)
        return err_set(err, -EBADMSG, "a binlog event of %zu bytes says it has %u", raw.size, size);
    tail = has_checksum(&ev, fmt) ? EVENT_CHECKSUM_SIZE : 0;
    if (fmt->checksum && ev.type != EVENT_ROTATE && !tail)
        return err_set(err, -EBADMSG, "%s event of %zu bytes has no room for its checksum",
                       event_type_name(ev.type), raw.size);
    if (tail && verify && !checksum_matches(raw) && !is_touched_format(raw))
        return err_set(err, -EBADMSG, "%s event that ends at %u: its checksum is wrong",
                       event_type_name(ev.type), ev.next_pos);
    ev.body = slice_of(raw.data + EVENT_HEADER_SIZE, raw.size - EVENT_HEADER_SIZE - tail);
    *ret = ev;
    return 0;
}
