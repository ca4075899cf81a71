#include <criterion/criterion.h>
#include <errno.h>

#include "binlog/query_context.h"

#define VARS(text) slice_of(text, sizeof(text) - 1)

static struct query_context context_of(enum flavor flavor, struct slice vars)
{
    struct query_context q;
    struct err err = ERR_INIT;

    cr_assert_eq(query_context_decode(vars, flavor, &q, &err), 0, "%s", err.text);
    return q;
}

Test(query_context, says_what_is_not_said)
{
    struct query_context q = context_of(FLAVOR_MYSQL, VARS(""));

    cr_expect_not(q.has_flags2 || q.has_sql_mode || q.has_charset || q.has_microseconds);
    cr_expect_eq(q.explicit_defaults_for_timestamp, -1);
    cr_expect_eq(q.require_primary_key, -1);
    cr_expect_eq(q.table_encryption, -1);
    cr_expect_eq(q.unknown, -1);
    cr_expect_eq(q.time_zone.size, 0);
}

Test(query_context, reads_all_of_mysql)
{
    struct query_context q = context_of(
        FLAVOR_MYSQL, VARS("\x00\x00\x40\x00\x04"                 /* flags2 */
                           "\x01\x20\x00\xa0\x45\x00\x00\x00\x01" /* sql_mode */
                           "\x06\x03std"                          /* catalog */
                           "\x03\x02\x00\x05\x00"                 /* auto_increment */
                           "\x04\xff\x00\x2d\x00\x08\x00"         /* charsets */
                           "\x05\x06+02:00"                       /* time_zone */
                           "\x07\x6f\x00"                         /* lc_time_names */
                           "\x08\x21\x00"                         /* collation_database */
                           "\x09\x01\x00\x00\x00\x00\x00\x00\x00" /* table map for update */
                           "\x0b\x04root\x09localhost"            /* invoker */
                           "\x0c\x02one\0two\0"                   /* updated databases */
                           "\x0d\x40\xe2\x01"                     /* microseconds */
                           "\x10\x01"                             /* explicit defaults */
                           "\x11\x15\xcd\x5b\x07\x00\x00\x00\x00" /* ddl xid */
                           "\x12\xff\x00"                         /* utf8mb4 collation */
                           "\x13\x01\x14\x00"));                  /* primary key, encryption */

    cr_expect_eq(q.flags2, QUERY_FLAG_AUTO_IS_NULL | QUERY_FLAG_NO_FOREIGN_KEY_CHECKS);
    cr_expect_eq(q.sql_mode, 0x0100000045a00020);
    cr_expect(slice_eq(q.catalog, slice_str("std")));
    cr_expect_eq(q.auto_increment_increment, 2);
    cr_expect_eq(q.auto_increment_offset, 5);
    cr_expect_eq(q.client_charset, 255);
    cr_expect_eq(q.connection_collation, 45);
    cr_expect_eq(q.server_collation, 8);
    cr_expect(slice_eq(q.time_zone, slice_str("+02:00")));
    cr_expect_eq(q.lc_time_names, 111);
    cr_expect_eq(q.database_collation, 33);
    cr_expect_eq(q.table_map_for_update, 1);
    cr_expect(slice_eq(q.invoker_user, slice_str("root")));
    cr_expect(slice_eq(q.invoker_host, slice_str("localhost")));
    cr_expect_eq(q.microseconds, 123456);
    cr_expect_eq(q.explicit_defaults_for_timestamp, 1);
    cr_expect_eq(q.xid, 123456789);
    cr_expect_eq(q.default_collation_for_utf8mb4, 255);
    cr_expect_eq(q.require_primary_key, 1);
    cr_expect_eq(q.table_encryption, 0);
    cr_expect_eq(q.unknown, -1);
}

Test(query_context, reads_what_mariadb_adds)
{
    struct query_context q =
        context_of(FLAVOR_MARIADB, VARS("\x83\x01\x21\x00\x2d\x00"             /* collations */
                                        "\x80\x40\xe2\x01"                     /* microseconds */
                                        "\x81\x05\x00\x00\x00\x00\x00\x00\x00" /* xid */
                                        "\x82\x04\x01\x02\x03\x04\x05\x06\x07\x08"
                                        "\x01\x20\x00\x00\x00\x00\x00\x00\x00"));

    cr_expect_eq(q.microseconds, 123456);
    cr_expect_eq(q.xid, 5);
    cr_expect_eq(q.gtid_flags_extra, 4);
    cr_expect_eq(q.collations.size, 4);
    cr_expect_eq(q.sql_mode, 0x20);
}

Test(query_context, stops_at_what_it_does_not_know)
{
    struct query_context q =
        context_of(FLAVOR_MYSQL, VARS("\x03\x02\x00\x05\x00\x7b\x01\x02\x03\x03\x09\x00\x09\x00"));

    cr_expect_eq(q.unknown, 0x7b);
    cr_expect_eq(q.auto_increment_increment, 2);
    q = context_of(FLAVOR_MARIADB, VARS("\x10\x01")); /* MySQL's, which MariaDB has not */
    cr_expect_eq(q.unknown, 16);
}

Test(query_context, refuses_a_variable_cut_short)
{
    static const char vars[] = "\x05\x06+02:00\x04\xff\x00\x2d\x00\x08\x00";
    struct query_context q;
    struct err err = ERR_INIT;

    for (size_t n = 1; n < sizeof vars - 1; n++)
        if (n != 8)
            cr_expect_eq(query_context_decode(slice_of(vars, n), FLAVOR_MYSQL, &q, &err), -EBADMSG,
                         "%zu", n);
}
