/* Status variables of a QUERY event, and the event around them. */
#include <assert.h>

#include "base/scope.h"
#include "binlog/query.h"
#include "binlog/query_context.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t types[] = { EVENT_QUERY, EVENT_MARIADB_QUERY_COMPRESSED,
                                     EVENT_EXECUTE_LOAD_QUERY, EVENT_QUERY };
    SCOPED(buf_fini) struct buf scratch = BUF_INIT;
    struct event_format fmt = { 0 };
    struct event ev = { 0 };
    struct query_context ctx;
    struct query q;
    struct err err;

    if (size < 1)
        return 0;
    fmt.flavor = data[0] & 1 ? FLAVOR_MARIADB : FLAVOR_MYSQL;
    ev.type = types[data[0] >> 1 & 3];
    ev.body = slice_of(data + 1, size - 1);
    if (data[0] & 8)
        query_context_decode(ev.body, fmt.flavor, &ctx, &err);
    else if (query_decode(&ev, &fmt, &scratch, &q, &err) == 0)
        query_context_decode(q.status_vars, fmt.flavor, &ctx, &err);
    return 0;
}
