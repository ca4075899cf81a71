/* The structure of a table, from what a server prints: whatever comes, it ends; a table that is
 * made out is joined with itself to one that takes no less. */
#include <assert.h>
#include <stdlib.h>

#include "base/scope.h"
#include "route/shard_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(shard_table_fini) struct shard_table t, joined = { .n_cols = 0 };
    struct err err = ERR_INIT;

    if (shard_table_parse(slice_of(data, size), &t, &err) < 0) {
        assert(err.text[0]);
        return 0;
    }
    if (shard_table_join(&t, &t, &joined, &err) == 0)
        assert(shard_table_compare(&t, &joined) != SHARD_LARGER);
    return 0;
}
