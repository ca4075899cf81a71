#include "ctl/table.h"

#include <criterion/criterion.h>
#include <locale.h>

#include "base/scope.h"

static void utf8(void)
{
    setlocale(LC_CTYPE, "C.UTF-8");
}

TestSuite(table, .init = utf8);

static void row(struct table *t, const char *a, const char *b)
{
    table_cell(t, a);
    table_cell(t, b);
    table_end_row(t);
}

Test(table, lines_up)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    row(&t, "NAME", "LAG");
    row(&t, "grün", "5");
    row(&t, "o", "1,000");
    table_align_right(&t, 1);
    table_print(&t, 0, false, &out);

    cr_assert_str_eq(out.data, "NAME    LAG\ngrün      5\no     1,000\n");
}

Test(table, cuts_what_does_not_fit)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    row(&t, "orders", "a long sentence");
    table_print(&t, 14, false, &out);

    cr_assert_str_eq(out.data, "orders  a lon…\n");
}

Test(table, fills_short_rows_and_leaves_no_blanks_at_the_end)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    row(&t, "a", "b");
    table_cell(&t, "c");
    table_end_row(&t);
    table_print(&t, 0, false, &out);

    cr_assert_str_eq(out.data, "a  b\nc\n");
}

Test(table, styles_only_with_color)
{
    SCOPED(table_fini) struct table t = TABLE_INIT;
    SCOPED(buf_fini) struct buf plain = BUF_INIT;
    SCOPED(buf_fini) struct buf color = BUF_INIT;

    table_cell(&t, "x");
    table_style(&t, "\033[1m");
    table_end_row(&t);
    table_print(&t, 0, false, &plain);
    table_print(&t, 0, true, &color);

    cr_assert_str_eq(plain.data, "x\n");
    cr_assert_str_eq(color.data, "\033[1mx\033[0m\n");
}

Test(table, survives_text_that_is_not_utf8)
{
    cr_assert_eq(text_width("a\xff\xfe"), 3);
    cr_assert_eq(text_width("日本"), 4);
}

static void assert_wrapped(const char *text, size_t width, const char *want)
{
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    text_wrap(text, width, &out);
    cr_assert_str_eq(out.size ? out.data : "", want);
}

Test(table, wraps_at_blanks)
{
    assert_wrapped("orders: no right to write", 12, "orders: no\n  right to\n  write\n");
    assert_wrapped("orders: no right", 0, "orders: no right\n");
    assert_wrapped("abcdefgh", 4, "abcd\n  ef\n  gh\n");
    assert_wrapped("one\ntwo", 40, "one\n  two\n");
    assert_wrapped("日本語", 1, "日\n  本\n  語\n");
    assert_wrapped("", 10, "");
}
