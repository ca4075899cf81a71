#include "unit/sync/sync_feed.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "binlog/control.h"
#include "binlog/file.h"
#include "binlog/txn.h"

Test(sync_feed, makes_a_rotation_that_moves_the_position)
{
    for (int checksum = 0; checksum < 2; checksum++) {
        SCOPED(buf_fini) struct buf b = BUF_INIT;
        struct event_format fmt = { .checksum = (uint8_t)checksum };
        struct err err = ERR_INIT;
        struct rotate r;
        struct event ev;

        fake_rotate(&b, "bin.000042", 5000000000, checksum);

        cr_assert_eq(event_parse(slice_of(b.data, b.size), &fmt, true, &ev, &err), 0, "%s",
                     err.text);
        cr_expect(ev.flags & EVENT_FLAG_ARTIFICIAL);
        cr_assert_eq(rotate_decode(&ev, &r, &err), 0, "%s", err.text);
        cr_expect(slice_eq(r.file, slice_str("bin.000042")));
        cr_expect_eq(r.offset, 5000000000);
    }
}

static void feed(struct grouper *g, struct slice raw)
{
    struct err err = ERR_INIT;
    struct event ev;

    cr_assert_eq(event_parse(raw, &g->fmt, true, &ev, &err), 0, "%s", err.text);
    cr_assert_geq(grouper_feed(g, &ev, &err), 0, "%s", err.text);
}

static void expect_description(const char *path, enum flavor flavor)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT, r = BUF_INIT;
    struct position at = { .file = "bin.000001", .offset = 777 };
    struct err err = ERR_INIT;
    struct binlog_file f;
    struct grouper g;
    struct slice raw;

    cr_assert_eq(binlog_file_open(&f, path, &err), 0, "%s", err.text);
    cr_assert_eq(binlog_file_next(&f, &raw, &err), 1);
    cr_assert_eq(fake_format(&b, raw, &err), 0, "%s", err.text);
    fake_rotate(&r, "bin.000001", 777, true);
    grouper_init(&g, flavor, &at);
    feed(&g, slice_of(r.data, r.size));
    feed(&g, slice_of(b.data, b.size));

    cr_expect_eq(g.pos.offset, 777, "a description that was made is at no place of the file");
    cr_expect_eq(g.fmt.checksum, 1);
    grouper_fini(&g);
    binlog_file_close(&f);
}

Test(sync_feed, makes_a_description_that_leaves_the_position)
{
    expect_description("tests/golden/recorded/mbin.000001", FLAVOR_MARIADB);
    expect_description("tests/golden/recorded/ybin.000001", FLAVOR_MYSQL);
}

Test(sync_feed, refuses_a_description_that_is_cut_short)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;

    cr_expect_eq(fake_format(&b, slice_str("short"), &err), -EBADMSG);
}
