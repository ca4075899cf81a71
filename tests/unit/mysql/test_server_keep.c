#include <criterion/criterion.h>

#include "mysql/server.h"

#define DAY 86400ll

static struct binlog_file list[] = { { (char *)"b.1", 100 },
                                     { (char *)"b.2", 200 },
                                     { (char *)"b.3", 50 } };
static const struct binlog_files files = { 3, list };

Test(server_keep, has_no_runway_limit_where_nothing_is_purged)
{
    struct runway r = { .files = &files, .needed = "b.1", .closed_us = 1, .now_us = 10 };

    cr_expect_eq(server_runway(&r), -1);
}

Test(server_keep, counts_the_age_from_when_the_file_was_closed)
{
    struct runway r = { .files = &files,
                        .needed = "b.1",
                        .closed_us = 1000 * 1000000ll,
                        .now_us = 1600 * 1000000ll,
                        .keep.expire_s = DAY };

    cr_expect_eq(server_runway(&r), DAY - 600);
    r.now_us = 2 * DAY * 1000000;
    cr_expect_eq(server_runway(&r), 0, "overdue: any rotation takes it");
}

Test(server_keep, gives_the_current_file_its_whole_age)
{
    struct runway r = {
        .files = &files, .needed = "b.3", .closed_us = 0, .now_us = 77, .keep.expire_s = DAY
    };

    cr_expect_eq(server_runway(&r), DAY);
}

Test(server_keep, takes_the_nearer_of_age_and_size)
{
    struct runway r = { .files = &files,
                        .needed = "b.2",
                        .closed_us = 1000000,
                        .now_us = 1000000,
                        .keep = { .expire_s = DAY, .space_limit = 1250 },
                        .growth_bytes_s = 10 };

    cr_expect_eq(server_runway(&r), 100, "1000 bytes are left at 10 a second");
    r.growth_bytes_s = 0;
    cr_expect_eq(server_runway(&r), DAY, "an idle server does not grow");
    r.keep.space_limit = 250;
    r.growth_bytes_s = 1;
    cr_expect_eq(server_runway(&r), 0);
}

Test(server_keep, knows_a_file_that_is_gone)
{
    struct runway r = { .files = &files, .needed = "b.0", .now_us = 1 };

    cr_expect_eq(server_runway(&r), 0);
}

Test(server_keep, alarms_only_who_has_used_half_of_what_is_kept)
{
    struct runway r = {
        .files = &files, .needed = "b.3", .now_us = 1000 * 1000000ll, .keep = { .expire_s = 100 }
    };

    cr_expect_not(server_runway_short(&r, 3600), "the newest file is never purged");
    r.needed = "b.2";
    r.closed_us = 960 * 1000000ll;
    cr_expect_not(server_runway_short(&r, 3600), "60 of 100 seconds are left");
    r.closed_us = 940 * 1000000ll;
    cr_expect(server_runway_short(&r, 3600));
    cr_expect_not(server_runway_short(&r, 30), "40 seconds are long enough");
}
