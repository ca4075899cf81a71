/* The DDL scanner: its names lie inside the statement, in order, and a rewritten statement
 * has the same class and as many names.  The clauses of an ALTER, and filters of them. */
#include <assert.h>
#include <stdlib.h>

#include "base/scope.h"
#include "route/alter.h"
#include "route/filter.h"

static bool as_it_is(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    (void)arg;
    buf_str(quoted, n->table.size ? "`x`.`y`" : "`x`");
    return true;
}

/* Clauses lie in the statement, in order, and it can be without any of them. */
static void filter(struct slice sql, const struct ddl *d, bool ansi, bool raw, struct arena *arena)
{
    static const char *const events[] = { "drop column", "add column" }, *const patterns[] = {
        "x"
    };
    const struct filter_rule rule = { "r", "*", "*", events, patterns, 2, 1 };
    const struct filter_statement st = { .sql = sql,
                                         .ddl = d,
                                         .ansi_quotes = ansi,
                                         .no_backslash_escapes = raw,
                                         .schema = "s",
                                         .table = "t" };
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    struct err err = ERR_INIT;
    struct filter *f;
    struct alter a;
    size_t at = 0;

    if (filter_new(&rule, 1, false, &f, &err) < 0)
        abort();
    if (filter_ddl(f, &st, arena, &rest) == FILTER_PART)
        assert(rest.size && rest.size <= 2 * sql.size);
    filter_free(f);
    if (d->class != DDL_ALTER_TABLE)
        return;
    alter_scan(sql, d, ansi, raw, arena, &a);
    for (unsigned i = 0; i < a.n_clauses; i++) {
        assert(a.clauses[i].at >= at);
        at = a.clauses[i].at + a.clauses[i].size;
        assert(at <= sql.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    SCOPED(buf_fini) struct buf out = BUF_INIT;
    struct ddl d, again;
    struct slice *clauses = NULL;
    size_t at = 0;
    bool ansi, raw;
    unsigned n;

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
    filter(slice_of(data + 1, size - 1), &d, ansi, raw, &arena);
    n = ddl_clauses(slice_of(data + 1, size - 1), &d, ansi, raw, &arena, &clauses);
    for (unsigned i = 0; i < n; i++)
        buf_add(&out, clauses[i].data, clauses[i].size); /* a sanitizer sees whether all is there */
    assert(ddl_parts(slice_of(data + 1, size - 1), &d, ansi, raw, &arena, &clauses) >= n);
    buf_clear(&out);
    ddl_rewrite(slice_of(data + 1, size - 1), &d, as_it_is, NULL, &out);
    if (memchr(data + 1, '*', size - 1)) /* a name may span the end of a comment */
        return 0;
    ddl_scan(slice_of(out.data, out.size), ansi, raw, &arena, &again);
    assert(again.class == d.class);
    return 0;
}
