#include <criterion/criterion.h>

#include "base/buf.h"
#include "mysql/conn.h"
#include "mysql/quote.h"

static void check(void (*quote)(struct buf *, struct slice), struct slice in, const char *expected)
{
    struct buf b = BUF_INIT;

    quote(&b, in);

    cr_expect_eq(b.size, strlen(expected), "%s", b.data);
    cr_expect_str_eq(b.data, expected);
    buf_fini(&b);
}

Test(quote, escapes_what_ends_or_changes_a_literal)
{
    check(sql_quote, slice_str("it's"), "'it\\'s'");
    check(sql_quote, slice_of("\\", 1), "'\\\\'");
    check(sql_quote, slice_of("a\0b\nc\rd\x1a", 8), "'a\\0b\\nc\\rd\\Z'");
}

Test(quote, leaves_other_bytes_alone)
{
    check(sql_quote, slice_of("", 0), "''");
    check(sql_quote, slice_str("\"`%_\xff\x80"), "'\"`%_\xff\x80'");
}

Test(quote, doubles_the_backtick_of_an_identifier)
{
    check(sql_ident, slice_str("a`b"), "`a``b`");
    check(sql_ident, slice_str("a\\'b"), "`a\\'b`");
}

Test(quote, qualifies_tables_and_marks_texts)
{
    struct buf b = BUF_INIT;

    sql_table(&b, "d`1", "t");
    buf_byte(&b, ' ');
    sql_text(&b, "o'x");
    buf_byte(&b, ' ');
    sql_table(&b, "d`1", NULL);

    cr_expect_str_eq(b.data, "`d``1`.`t` _utf8mb4'o\\'x' `d``1`");
    buf_fini(&b);
}

Test(version, is_a_number_of_two_digits_each)
{
    cr_expect_eq(mysql_version_of_text("10.11.19-MariaDB-0+deb12u1-log"), 101119);
    cr_expect_eq(mysql_version_of_text("9.7.4-2"), 90704);
    cr_expect_eq(mysql_version_of_text("8.0.36"), 80036);
    cr_expect_eq(mysql_version_of_text("nonsense"), 0);
}
