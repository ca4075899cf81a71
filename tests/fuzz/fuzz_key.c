/* Keys: any bytes parse or are refused; what parses, made again, is the same bytes; two numbers
 * sort as their keys do. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"

static void parse_and_make(struct slice in)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    struct slice a, b;
    uint64_t number;
    uint32_t chunk;

    if (key_document_parse(in, &a)) {
        SCOPED(freep) char *path = xstrndup((const char *)a.data, a.size);

        key_document(&k, path);
        assert(strlen(path) < a.size || slice_eq(key_slice(&k), in));
    }
    if (key_table_parse(in, &a, &b, &number)) {
        SCOPED(freep) char *source = xstrdup((const char *)in.data + 1);

        key_table(&k, source, (const char *)a.data, (const char *)b.data, number);
        assert(slice_eq(key_slice(&k), in));
    }
    if (key_line_parse(in, &number)) {
        key_line(&k, (const char *)in.data + 1, number);
        assert(slice_eq(key_slice(&k), in));
    }
    if (key_xa_parse(in, &a, &chunk)) {
        const char *task = (const char *)in.data + 1, *source = task + strlen(task) + 1;

        key_xa(&k, task, source, (const char *)a.data, chunk);
        assert(slice_eq(key_slice(&k), in));
    }
}

static void numbers_sort(uint64_t a, uint64_t b)
{
    SCOPED(buf_fini) struct buf ka = BUF_INIT;
    SCOPED(buf_fini) struct buf kb = BUF_INIT;
    int order;

    key_line(&ka, "l", a);
    key_line(&kb, "l", b);
    order = memcmp(ka.data, kb.data, ka.size);
    assert((order < 0) == (a < b) && (order == 0) == (a == b));
}

static void nothing_lies_between_a_prefix_and_its_end(struct slice in)
{
    SCOPED(buf_fini) struct buf end = BUF_INIT;

    buf_add(&end, in.data, in.size);
    if (key_after(&end))
        assert(end.size <= in.size && memcmp(end.data, in.data, end.size) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    uint64_t a = cursor_u64(&c), b = cursor_u64(&c);

    parse_and_make(slice_of(data, size));
    nothing_lies_between_a_prefix_and_its_end(slice_of(data, size));
    numbers_sort(a, b);
    return 0;
}
