#include <criterion/criterion.h>

#include "base/scope.h"
#include "binlog/artificial.h"
#include "binlog/control.h"

static struct event parse(const struct buf *b, bool crc)
{
    struct event_format fmt = { .checksum = crc };
    struct event ev;
    struct err err = ERR_INIT;

    cr_assert_eq(event_parse(slice_of(b->data, b->size), &fmt, true, &ev, &err), 0, "%s", err.text);
    return ev;
}

Test(artificial, a_rotate_reads_back)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct rotate r;
    struct err err = ERR_INIT;
    struct event ev;

    for (int crc = 0; crc < 2; crc++) {
        buf_clear(&b);
        artificial_rotate(&b, 101, "mbin.000002", 4, crc);
        ev = parse(&b, crc);

        cr_assert_eq(rotate_decode(&ev, &r, &err), 0);
        cr_assert(slice_eq(r.file, slice_str("mbin.000002")));
        cr_assert(r.offset == 4 && ev.flags == EVENT_FLAG_ARTIFICIAL && ev.next_pos == 0);
        cr_assert(ev.timestamp == 0 && ev.server_id == 101);
    }
}

/* Recorded of MySQL 9.7. */
Test(artificial, a_heartbeat_v2_is_the_servers_byte_for_byte)
{
    static const char recorded[] = "\x01\x0bybin.000002\x02\x03\xfc\xde\x01\x00\x63\x46\xb6\xfe";
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    artificial_heartbeat(&b, 201, "ybin.000002", 478, true, true);

    cr_assert_eq(b.size, 42);
    cr_assert_arr_eq(b.data + EVENT_HEADER_SIZE, recorded, sizeof recorded - 1);
}

/* Recorded of MariaDB 10.11. */
Test(artificial, heartbeat_and_gtid_list_are_the_servers_byte_for_byte)
{
    static const char beat[] = "mbin.000002\x3c\x78\x32\x66";
    static const char list[] = "\x01\0\0\0\0\0\0\0\x65\0\0\0\x0b\0\0\0\0\0\0\0\x29\x5c\x03\x10";
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct gtid_set *state;
    struct err err = ERR_INIT;

    artificial_heartbeat(&b, 101, "mbin.000002", 776, false, true);
    cr_assert_arr_eq(b.data + EVENT_HEADER_SIZE, beat, sizeof beat - 1);

    buf_clear(&b);
    gtid_set_parse(&state, FLAVOR_MARIADB, "0-101-11", &err);
    artificial_gtid_list(&b, 101, state, 0, 776, true);
    cr_assert_arr_eq(b.data + EVENT_HEADER_SIZE, list, sizeof list - 1);
    gtid_set_free(state);
}

Test(artificial, a_format_loses_what_is_of_its_place_alone)
{
    SCOPED(buf_fini) struct buf stored = BUF_INIT, b = BUF_INIT;
    struct event_format fmt;
    struct event ev;
    struct err err = ERR_INIT;
    uint32_t created;

    buf_le(&stored, 5, 4);
    buf_byte(&stored, EVENT_FORMAT_DESCRIPTION);
    buf_le(&stored, 1, 4);
    buf_le(&stored, EVENT_HEADER_SIZE + 57 + 40 + 5, 4);
    buf_le(&stored, 121, 4);
    buf_le(&stored, EVENT_FLAG_IN_USE, 2);
    buf_le(&stored, 4, 2);
    buf_add(&stored,
            "9.7."
            "4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
            "\0\0\0",
            50);
    buf_le(&stored, 77, 4);
    buf_byte(&stored, EVENT_HEADER_SIZE);
    for (int i = 0; i < 40; i++)
        buf_byte(&stored, 0);
    buf_byte(&stored, 1);
    buf_le(&stored, 0, 4);

    artificial_format(&b, slice_of(stored.data, stored.size), true, true);

    ev = parse(&b, true);
    cr_assert_eq(format_decode(&ev, &fmt, &created, &err), 0, "%s", err.text);
    cr_assert(ev.next_pos == 0 && created == 0 && ev.flags == 0 && fmt.checksum == 1);
    cr_assert_eq(b.size, stored.size);
}
