#include <criterion/criterion.h>
#include <errno.h>

#include "mysql/dump_command.h"
#include "mysql/handshake.h"

/* Recorded: a MySQL 9.7 replica's, its proof cut out and attributes left out. */
static struct slice login_packet(struct buf *b)
{
    buf_le(b, 0x99b8a285, 4);
    buf_le(b, 1073746023, 4);
    buf_byte(b, (char)255);
    for (int i = 0; i < 23; i++)
        buf_byte(b, 0);
    buf_add(b, "rep", 4);
    buf_lenenc(b, 4);
    buf_str(b, "abcd");
    buf_add(b, "caching_sha2_password", 22);
    buf_str(b, "\x03\x01"
               "a");
    return slice_of(b->data, b->size);
}

Test(handshake, reads_who_logs_in_and_how)
{
    struct buf b = BUF_INIT;
    struct login l;
    struct err err = ERR_INIT;
    struct slice packet = login_packet(&b);

    b.data[1] = (char)(b.data[1] & ~0x08); /* no TLS */
    cr_assert_eq(login_parse(packet, &l, &err), 0, "%s", err.text);

    cr_assert(slice_eq(l.user, slice_str("rep")));
    cr_assert(slice_eq(l.proof, slice_str("abcd")));
    cr_assert(slice_eq(l.plugin, slice_str("caching_sha2_password")));
    cr_assert_not(l.tls);
    buf_fini(&b);
}

Test(handshake, a_packet_of_32_bytes_with_the_bit_asks_for_tls)
{
    struct buf b = BUF_INIT;
    struct login l;
    struct err err = ERR_INIT;
    struct slice packet = login_packet(&b);

    b.data[1] = (char)(b.data[1] | 0x08);
    cr_assert_eq(login_parse(slice_of(packet.data, 32), &l, &err), 0);

    cr_assert(l.tls);
    buf_fini(&b);
}

Test(handshake, every_packet_that_is_cut_short_is_refused_or_read)
{
    struct buf b = BUF_INIT;
    struct slice packet = login_packet(&b);

    for (size_t n = 0; n < packet.size; n++) {
        struct login l;
        struct err err = ERR_INIT;
        int rc = login_parse(slice_of(packet.data, n), &l, &err);

        cr_assert(rc == 0 || rc == -EBADMSG || rc == -ENOTSUP);
        cr_assert(rc == 0 || n < 32 + 4 + 5 + 22);
    }
    buf_fini(&b);
}

Test(handshake, greets_mariadbs_clients_with_the_prefix_that_they_strip)
{
    struct buf b = BUF_INIT;
    struct greeting g = { .version = "10.11.19-MariaDB", .plugin = "mysql_native_password" };

    memset(g.salt, 's', sizeof g.salt);
    greeting_build(&g, &b);

    cr_assert_str_eq(b.data + 1, "5.5.5-10.11.19-MariaDB");
    buf_clear(&b);
    g.version = "9.7.4";
    greeting_build(&g, &b);
    cr_assert_str_eq(b.data + 1, "9.7.4");
    buf_fini(&b);
}

Test(handshake, reads_a_change_of_user)
{
    static const char whole[] = "rep\0\x03xyzdb\0\x21\0mysql_native_password\0";
    struct login l;
    struct err err = ERR_INIT;

    cr_assert_eq(change_user_parse(slice_of(whole, sizeof whole - 1), UINT32_MAX, &l, &err), 0);
    cr_assert(slice_eq(l.user, slice_str("rep")));
    cr_assert(slice_eq(l.proof, slice_str("xyz")));
    cr_assert(slice_eq(l.plugin, slice_str("mysql_native_password")));
    cr_assert_eq(change_user_parse(slice_of(whole, 8), 0, &l, &err), 0, "no more than a proof");
    cr_assert_eq(l.plugin.size, 0);
    for (size_t size = 0; size < 8; size++)
        cr_assert_eq(change_user_parse(slice_of(whole, size), 0, &l, &err), -EBADMSG);
}

/* Recorded. */
Test(dump_command, reads_what_replicas_ask)
{
    static const uint8_t by_gtid[] = { 0x02, 0, 0xca, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0,
                                       0,    0, 0,    8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t by_file[] = { 8,   3,   0,   0,   2,   0,   0x66, 0,   0,   0,  'm',
                                       'b', 'i', 'n', '.', '0', '0', '0',  '0', '0', '2' };
    struct dump_command d;
    struct err err = ERR_INIT;

    cr_assert_eq(dump_gtid_parse(slice_of(by_gtid, sizeof by_gtid), &d, &err), 0);
    cr_assert(d.by_gtid && d.flags == 2 && d.server_id == 202 && d.offset == 4);
    cr_assert_eq(d.gtids.size, 8);

    cr_assert_eq(dump_parse(slice_of(by_file, sizeof by_file), &d, &err), 0);
    cr_assert(!d.by_gtid && d.flags == 2 && d.server_id == 102 && d.offset == 776);
    cr_assert(slice_eq(d.file, slice_str("mbin.000002")));
}

Test(dump_command, refuses_what_is_cut_short)
{
    static const uint8_t zeroes[64];
    struct dump_command d;
    struct dump_register r;
    struct dump_ack a;
    struct err err = ERR_INIT;

    cr_assert_eq(dump_parse(slice_of(zeroes, 9), &d, &err), -EBADMSG);
    cr_assert_eq(dump_gtid_parse(slice_of(zeroes, 21), &d, &err), -EBADMSG);
    cr_assert_eq(dump_register_parse(slice_of(zeroes, 12), &r, &err), -EBADMSG);
    cr_assert_eq(dump_ack_parse(slice_of(zeroes, 30), &a, &err), -EBADMSG);
}

Test(dump_command, reads_an_acknowledgement)
{
    static const uint8_t ack[] = { 0xef, 0xbd, 0x0a, 0, 0, 0, 0, 0, 0, 'b', '.', '2' };
    struct dump_ack a;
    struct err err = ERR_INIT;

    cr_assert_eq(dump_ack_parse(slice_of(ack, sizeof ack), &a, &err), 0);
    cr_assert_eq(a.offset, 2749);
    cr_assert(slice_eq(a.file, slice_str("b.2")));
}
