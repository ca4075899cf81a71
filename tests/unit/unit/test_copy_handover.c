#include <criterion/criterion.h>

#include "unit/copy/copy_state.h"

#define S(text) (char *)(text)

static struct position at(uint64_t offset, const char *gtids)
{
    struct position p = { .file = "bin.000007", .offset = offset };
    struct err err = ERR_INIT;

    if (gtids)
        cr_assert_eq(gtid_set_parse(&p.gtids, FLAVOR_MARIADB, gtids, &err), 0);
    return p;
}

Test(copy_handover, table_without_a_window_is_applied)
{
    struct position end = at(5, NULL);

    cr_assert_eq(copy_window_when(NULL, false, NULL, &end), COPY_APPLY);
}

Test(copy_handover, window_by_offset)
{
    struct copy_window w = { .skip = at(100, NULL), .safe = at(200, NULL) };
    struct position ends[] = { at(99, NULL), at(100, NULL), at(101, NULL), at(200, NULL),
                               at(201, NULL) };
    enum copy_when expected[] = { COPY_SKIP, COPY_SKIP, COPY_SAFE, COPY_SAFE, COPY_APPLY };

    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(copy_window_when(&w, false, NULL, &ends[i]), expected[i], "end %u", i);
}

Test(copy_handover, window_by_gtid_where_that_is_how_we_stream)
{
    struct copy_window w = { .skip = at(100, "0-1-10"), .safe = at(200, "0-1-20") };
    struct position elsewhere = { .file = "other.000001", .offset = 1 };
    struct gtid g = { .flavor = FLAVOR_MARIADB, .server_id = 1, .number = 10 };

    cr_assert_eq(copy_window_when(&w, true, &g, &elsewhere), COPY_SKIP);
    g.number = 11;
    cr_assert_eq(copy_window_when(&w, true, &g, &elsewhere), COPY_SAFE);
    g.number = 21;
    cr_assert_eq(copy_window_when(&w, true, &g, &elsewhere), COPY_APPLY);
    position_fini(&w.skip);
    position_fini(&w.safe);
}

Test(copy_handover, windows_are_found_by_their_source_name)
{
    struct copy_window windows[] = { { .schema = S("a"), .table = S("t") },
                                     { .schema = S("b"), .table = S("t") } };
    struct copy_handover h = { .n_windows = 2, .windows = windows };

    cr_assert_eq(copy_handover_find(&h, "b", "t"), &windows[1]);
    cr_assert_null(copy_handover_find(&h, "b", "u"));
}
