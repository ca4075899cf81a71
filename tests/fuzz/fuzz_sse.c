/* sluicectl's reader of event streams: what it hears does not depend on how the bytes arrive. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "ctl/sse.h"

static bool hear(void *arg, const char *event, const char *data)
{
    struct buf *heard = arg;

    assert(*event && data);
    buf_printf(heard, "%s=%s;", event, data);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(buf_fini) struct buf whole = BUF_INIT, parts = BUF_INIT;
    SCOPED(sse_fini) struct sse a = { .fn = hear, .arg = &whole };
    SCOPED(sse_fini) struct sse b = { .fn = hear, .arg = &parts };

    sse_feed(&a, (const char *)data, size);
    for (size_t i = 0; i < size; i += 3)
        sse_feed(&b, (const char *)data + i, size - i < 3 ? size - i : 3);
    assert(whole.size == parts.size && strcmp(a.id, b.id) == 0);
    assert(whole.size == 0 || memcmp(whole.data, parts.data, whole.size) == 0);
    return 0;
}
