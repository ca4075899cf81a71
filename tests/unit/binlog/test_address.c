#include "binlog/address.h"

#include <criterion/criterion.h>
#include <string.h>

static void prints(enum address_kind kind, const char *hex, const char *want)
{
    char text[ADDRESS_TEXT_MAX];
    uint8_t bytes[16] = { 0 };

    for (size_t i = 0; i < address_size(kind); i++) {
        unsigned b;

        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &b), 1);
        bytes[i] = (uint8_t)b;
    }
    cr_expect_eq(address_text(kind, bytes, text), strlen(want), "%s: %s", hex, text);
    cr_expect_str_eq(text, want);

    uint8_t back[16] = { 0 };
    cr_expect(address_bytes(kind, text, strlen(text), back), "%s", text);
    cr_expect_arr_eq(back, bytes, address_size(kind), "%s", text);
}

/* As MariaDB 10.11 prints them: tests/integration/verify_types.sh asks a server. */
Test(address, prints_what_mariadb_prints)
{
    prints(ADDRESS_UUID, "123e4567e89b12d3a456426655440000",
           "123e4567-e89b-12d3-a456-426655440000");
    prints(ADDRESS_INET4, "c0000201", "192.0.2.1");
    prints(ADDRESS_INET4, "00000000", "0.0.0.0");
    prints(ADDRESS_INET6, "00000000000000000000000000000000", "::");
    prints(ADDRESS_INET6, "00000000000000000000000000000001", "::1");
    prints(ADDRESS_INET6, "00010000000000000000000000000000", "1::");
    prints(ADDRESS_INET6, "20010db8000000000000000000000001", "2001:db8::1");
    prints(ADDRESS_INET6, "ffffffffffffffffffffffffffffffff",
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    prints(ADDRESS_INET6, "00000000000000000000ffffc0000201", "::ffff:192.0.2.1");
    prints(ADDRESS_INET6, "000000000000000000000000c0000201", "::192.0.2.1");
    prints(ADDRESS_INET6, "00000000000000000000000000010000", "::0.1.0.0");
    prints(ADDRESS_INET6, "00000000000000000000fffec0000201", "::fffe:c000:201");
}

Test(address, leaves_out_the_first_of_the_longest_runs_of_zeros)
{
    prints(ADDRESS_INET6, "00010000000000020000000000030004", "1::2:0:0:3:4");
    prints(ADDRESS_INET6, "00010000000200000000000300040005", "1:0:2::3:4:5");
    prints(ADDRESS_INET6, "00010002000300040005000600070000", "1:2:3:4:5:6:7::");
    prints(ADDRESS_INET6, "00010002000300000005000600070008", "1:2:3::5:6:7:8");
    prints(ADDRESS_INET6, "00000002000300040005000600070008", "::2:3:4:5:6:7:8");
}

Test(address, is_known_by_its_type_and_by_what_keeps_it)
{
    cr_expect_eq(address_of_type("inet6"), ADDRESS_INET6);
    cr_expect_eq(address_of_type("binary"), ADDRESS_NONE);
    cr_expect_eq(address_kept_as("char(36)", 16), ADDRESS_UUID);
    cr_expect_eq(address_kept_as("varchar(15)", 4), ADDRESS_INET4);
    cr_expect_eq(address_kept_as("char(36)", 36), ADDRESS_NONE);
    cr_expect_eq(address_kept_as("varchar(39)", 4), ADDRESS_NONE);
}

Test(address, has_no_bytes_for_what_is_no_text_of_it)
{
    uint8_t bytes[16];

    cr_expect_not(address_bytes(ADDRESS_UUID, "123e4567", 8, bytes));
    cr_expect_not(address_bytes(ADDRESS_UUID, "123e4567-e89b-12d3-a456-42665544000g", 36, bytes));
    cr_expect_not(address_bytes(ADDRESS_INET4, "1.2.3", 5, bytes));
    cr_expect_not(address_bytes(ADDRESS_INET6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, bytes));
}
