#include <criterion/criterion.h>

#include "binlog/position.h"

Test(position, orders_by_the_number_of_the_file)
{
    static const struct position ordered[] = {
        { .file = "", .offset = 4 },
        { .file = "bin.000009", .offset = 100 },
        { .file = "bin.000010", .offset = 4 },
        { .file = "bin.000010", .offset = (uint64_t)5 << 32 },
        { .file = "bin.999999", .offset = 4 },
        { .file = "bin.1000000", .offset = 4 },
    };

    for (size_t i = 0; i < sizeof ordered / sizeof *ordered; i++)
        for (size_t k = 0; k < sizeof ordered / sizeof *ordered; k++) {
            int got = position_compare(&ordered[i], &ordered[k]);

            cr_expect_eq((got > 0) - (got < 0), (i > k) - (i < k), "%zu %zu", i, k);
        }
}

Test(position, copies_deeply)
{
    struct position a = { .file = "bin.000001", .offset = 7 }, b = { 0 };
    struct gtid g = { .flavor = FLAVOR_MARIADB, .domain = 1, .server_id = 2, .number = 3 };

    a.gtids = gtid_set_new(FLAVOR_MARIADB);
    gtid_set_add(a.gtids, &g);
    position_copy(&b, &a);
    position_fini(&a);
    cr_expect_str_eq(b.file, "bin.000001");
    cr_expect_eq(b.offset, 7);
    cr_expect(gtid_set_has(b.gtids, &g));
    position_copy(&b, &b);
    cr_expect(gtid_set_has(b.gtids, &g));
    position_fini(&b);
    cr_expect_null(b.gtids);
}
