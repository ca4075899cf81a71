#include "build.h"

#include <errno.h>

#include "base/scope.h"
#include "binlog/control.h"

static const struct event_format crc = { .checksum = 1, .server_version = "8.0" };
static const struct event_format plain = { .server_version = "8.0" };

Test(event, gives_header_and_body_without_checksum)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct event ev;

    build_event(&b, EVENT_XID, 0x20, 1234, "12345678", 8, true);
    build_parse(&b, &crc, &ev);

    cr_expect_eq(ev.type, EVENT_XID);
    cr_expect_eq(ev.timestamp, 1700000000);
    cr_expect_eq(ev.server_id, 7);
    cr_expect_eq(ev.next_pos, 1234);
    cr_expect_eq(ev.flags, 0x20);
    cr_expect(slice_eq(ev.body, slice_str("12345678")));
    cr_expect_eq(ev.raw.size, 19 + 8 + 4);
}

Test(event, refuses_any_flipped_bit)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    struct event ev;

    build_event(&b, EVENT_XID, 0, 1234, "12345678", 8, true);
    for (size_t bit = 0; bit < b.size * 8; bit++) {
        b.data[bit / 8] ^= (char)(1 << bit % 8);
        if (bit / 8 != 4) /* the type decides what has a checksum */
            cr_expect_eq(event_parse(slice_of(b.data, b.size), &crc, true, &ev, &err), -EBADMSG,
                         "bit %zu", bit);
        b.data[bit / 8] ^= (char)(1 << bit % 8);
    }
}

Test(event, refuses_a_wrong_size)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    struct event ev;

    build_event(&b, EVENT_XID, 0, 1234, "12345678", 8, false);
    for (size_t n = 0; n < b.size; n++)
        cr_expect_eq(event_parse(slice_of(b.data, n), &plain, true, &ev, &err), -EBADMSG);
    cr_expect_eq(event_parse(slice_of(b.data, b.size), &plain, true, &ev, &err), 0);
}

Test(event, finds_the_checksum_of_the_first_artificial_rotate)
{
    static const char body[] = "\4\0\0\0\0\0\0\0bin.000007";
    struct event_format none = { 0 };

    for (int checksum = 0; checksum < 2; checksum++) {
        SCOPED(buf_fini) struct buf b = BUF_INIT;
        struct err err = ERR_INIT;
        struct rotate r;
        struct event ev;

        build_event(&b, EVENT_ROTATE, EVENT_FLAG_ARTIFICIAL, 0, body, sizeof body - 1, checksum);
        build_parse(&b, &none, &ev);
        cr_assert_eq(rotate_decode(&ev, &r, &err), 0);
        cr_expect(slice_eq(r.file, slice_str("bin.000007")), "%.*s", SLICE_ARG(r.file));
        cr_expect_eq(r.offset, 4);
    }
}

Test(event, takes_the_in_use_flag_out_of_the_checksum)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct event_format none = { 0 }, fmt;
    struct err err = ERR_INIT;
    struct event ev;
    uint32_t created;

    build_format(&body, "10.11.6-MariaDB-log", 99, 1);
    build_event(&b, EVENT_FORMAT_DESCRIPTION, 0, 256, body.data, body.size, true);
    b.data[17] |= EVENT_FLAG_IN_USE;
    build_parse(&b, &none, &ev);

    cr_assert_eq(format_decode(&ev, &fmt, &created, &err), 0, "%s", err.text);
    cr_expect_eq(fmt.checksum, 1);
    cr_expect_eq(fmt.flavor, FLAVOR_MARIADB);
    cr_expect_eq(created, 99);
    cr_expect_eq(fmt.post_header_size[EVENT_QUERY], 13);
    cr_expect_eq(fmt.post_header_size[0], 0);
}

Test(event, reads_a_format_description_that_turns_checksums_off)
{
    SCOPED(buf_fini) struct buf body = BUF_INIT;
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    struct event_format fmt;
    struct event ev;
    uint32_t created;

    build_format(&body, "8.4.0", 0, 0);
    build_event(&b, EVENT_FORMAT_DESCRIPTION, 0, 256, body.data, body.size, true);
    build_parse(&b, &crc, &ev);

    cr_assert_eq(format_decode(&ev, &fmt, &created, &err), 0, "%s", err.text);
    cr_expect_eq(fmt.checksum, 0);
    cr_expect_eq(fmt.flavor, FLAVOR_MYSQL);
}

/* MariaDB 10.11 with binlog_checksum=NONE, a dump from the middle of a file. */
Test(event, believes_a_touched_format_description_only_without_checksums)
{
    for (int created = 0; created < 2; created++)
        for (uint8_t algorithm = 0; algorithm < 2; algorithm++) {
            SCOPED(buf_fini) struct buf body = BUF_INIT;
            SCOPED(buf_fini) struct buf b = BUF_INIT;
            struct event_format none = { 0 };
            struct err err = ERR_INIT;
            struct event ev;
            int rc;

            build_format(&body, "10.11.6-MariaDB-log", created, algorithm);
            build_event(&b, EVENT_FORMAT_DESCRIPTION, 0, 256, body.data, body.size, true);
            b.data[b.size - 1] ^= 1;
            rc = event_parse(slice_of(b.data, b.size), &none, true, &ev, &err);
            cr_expect_eq(rc, !created && algorithm == 0 ? 0 : -EBADMSG);
        }
}

Test(event, names_types)
{
    cr_expect_str_eq(event_type_name(EVENT_WRITE_ROWS_V2), "WRITE_ROWS_V2");
    cr_expect_str_eq(event_type_name(200), "UNKNOWN");
}
