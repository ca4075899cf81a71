/* The DDL scanner: its names lie inside the statement, in order, and a rewritten statement
 * has the same class and as many names. */
#include <assert.h>
#include <stdlib.h>

#include "base/scope.h"
#include "route/ddl.h"

static bool as_it_is(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    (void)arg;
    buf_str(quoted, n->table.size ? "`x`.`y`" : "`x`");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    struct ddl d, again;
    size_t at = 0;
    bool ansi, raw;

    if (size < 1)
        return 0;
    ansi = data[0] & 1;
    raw = data[0] & 2;
    ddl_scan(slice_of(data + 1, size - 1), ansi, raw, &arena, &d);
    for (unsigned i = 0; i < d.n_names; i++) {
        assert(d.names[i].at >= at);
        at = d.names[i].at + d.names[i].size;
        assert(at <= size - 1);
    }
    ddl_rewrite(slice_of(data + 1, size - 1), &d, as_it_is, NULL, &out);
    if (memchr(data + 1, '*', size - 1)) /* a name may span the end of a comment */
        return 0;
    ddl_scan(slice_of(out.data, out.size), ansi, raw, &arena, &again);
    assert(again.class == d.class);
    return 0;
}
