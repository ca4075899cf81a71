#include "build.h"

#include <errno.h>

#include "base/scope.h"
#include "binlog/control.h"

static const struct event_format plain = { .server_version = "8.0" };

static struct heartbeat heartbeat_of(uint8_t type, uint32_t next_pos, enum flavor flavor,
                                     const char *body, size_t size)
{
    static struct buf b;
    struct err err = ERR_INIT;
    struct heartbeat hb;
    struct event ev;

    build_event(&b, type, 0, next_pos, body, size, false);
    build_parse(&b, &plain, &ev);
    cr_assert_eq(heartbeat_decode(&ev, flavor, &hb, &err), 0, "%s", err.text);
    return hb;
}

Test(control, reads_heartbeats_of_all_three_forms)
{
    struct heartbeat hb = heartbeat_of(EVENT_HEARTBEAT, 500, FLAVOR_MYSQL, "bin.000001", 10);

    cr_expect(slice_eq(hb.file, slice_str("bin.000001")));
    cr_expect_eq(hb.offset, 500);
    cr_expect_not(hb.whole);

    hb = heartbeat_of(EVENT_HEARTBEAT, 0, FLAVOR_MARIADB, "\1\0\0\0\5\0\0\0bin.000001", 18);
    cr_expect(slice_eq(hb.file, slice_str("bin.000001")));
    cr_expect_eq(hb.offset, 0x500000001);
    cr_expect(hb.whole);

    hb = heartbeat_of(EVENT_HEARTBEAT_V2, 0, FLAVOR_MYSQL,
                      "\1\12bin.000001\2\11\xfe\1\0\0\0\5\0\0\0\0", 24);
    cr_expect(slice_eq(hb.file, slice_str("bin.000001")));
    cr_expect_eq(hb.offset, 0x500000001);
    cr_expect(hb.whole);
}

Test(control, refuses_a_rotate_without_a_sane_name)
{
    static const char *const bodies[] = { "\4\0\0\0\0\0\0\0", "\4\0\0\0\0\0\0\0bin\1" };
    static const size_t sizes[] = { 8, 12 };

    for (size_t i = 0; i < 2; i++) {
        SCOPED(buf_fini) struct buf b = BUF_INIT;
        struct err err = ERR_INIT;
        struct rotate r;
        struct event ev;

        build_event(&b, EVENT_ROTATE, 0, 100, bodies[i], sizes[i], false);
        build_parse(&b, &plain, &ev);
        cr_expect_eq(rotate_decode(&ev, &r, &err), -EBADMSG);
    }
}

Test(control, refuses_other_binlog_versions)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    struct event_format fmt;
    struct event ev;
    uint32_t created;

    build_format(&body, "4.1.0", 0, 0);
    body.data[0] = 3;
    build_event(&b, EVENT_FORMAT_DESCRIPTION, 0, 256, body.data, body.size, true);
    build_parse(&b, &plain, &ev);

    cr_expect_eq(format_decode(&ev, &fmt, &created, &err), -EBADMSG);
    cr_expect(strstr(err.text, "version 3"));
}
