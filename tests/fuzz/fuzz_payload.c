/* The body of a TRANSACTION_PAYLOAD event; no more memory than its limit. */
#include <assert.h>

#include "base/scope.h"
#include "binlog/payload.h"

#define LIMIT ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event ev = { .type = EVENT_TRANSACTION_PAYLOAD, .body = slice_of(data, size) };
    SCOPED(payload_close) struct payload p = { 0 };
    struct event inner;
    struct err err;

    if (payload_open(&p, &ev, LIMIT, &err) < 0)
        return 0;
    while (payload_next(&p, &inner, &err) > 0)
        assert(inner.in_payload && inner.raw.size <= LIMIT);
    return 0;
}
