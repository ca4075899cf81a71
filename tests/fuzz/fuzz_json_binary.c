/* Binary JSON, and diffs applied to it: size of the value, value, diffs. */
#include <assert.h>

#include "base/scope.h"
#include "binlog/json_diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct slice text, value, diffs;
    size_t n;

    if (size < 2)
        return 0;
    n = data[0] | (size_t)data[1] << 8;
    if (n > size - 2)
        n = size - 2;
    value = slice_of(data + 2, n);
    diffs = slice_of(data + 2 + n, size - 2 - n);
    if (json_binary_text(value, &arena, &text))
        assert(text.size > 0 && text.size <= 16 * (n + 16));
    json_diff_apply(value, diffs, &arena, &text);
    return 0;
}
