/*
 * query.h - QUERY, MariaDB's QUERY_COMPRESSED and EXECUTE_LOAD_QUERY events.
 */
#ifndef SLUICE_BINLOG_QUERY_H
#define SLUICE_BINLOG_QUERY_H

#include "base/buf.h"
#include "binlog/event.h"

struct query {
    uint32_t thread_id, exec_time;
    uint16_t error_code;
    struct slice db, sql, status_vars; /* slices of the event (sql: of 'scratch' if compressed) */
};

/* Returns 0 or -EBADMSG.  'scratch' is overwritten when the text is compressed. */
int query_decode(const struct event *ev, const struct event_format *fmt, struct buf *scratch,
                 struct query *ret, struct err *err);

#endif
