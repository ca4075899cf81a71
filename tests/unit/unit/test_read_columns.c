#include <criterion/criterion.h>

#include "unit/read/read_columns.h"

#define S(text) (char *)(text)

static struct table_column from[] = {
    { .name = S("id"), .data_type = S("int"), .column_type = S("int(11)") },
    { .name = S("f"), .data_type = S("float"), .column_type = S("float") },
    { .name = S("g"), .data_type = S("int"), .column_type = S("int(11)"), .generated = true },
    { .name = S("j"), .data_type = S("json"), .column_type = S("json"), .json = true },
    { .name = S("e"), .data_type = S("enum"), .column_type = S("enum('a','b')") },
    { .name = S("x"), .data_type = S("enum"), .column_type = S("enum('a','')") },
    { .name = S("b"), .data_type = S("longtext"), .column_type = S("longtext") },
};
static const struct table_def table = { .n_cols = 7, .cols = from };

Test(read_columns, each_column_travels_in_its_own_way)
{
    struct read_columns c;

    read_columns_init(&c, &table, NULL, NULL);

    cr_assert_eq(c.n, 6);
    cr_assert_str_eq(c.select, "`id`, `f`*1e0, `j`, `e`, `x`+0, `b`");
    cr_assert_str_eq(c.names, "`id`, `f`, `j`, `e`, `x`, `b`");
    cr_assert_str_eq(c.load, "(`id`, `f`, @v3, `e`, @v5, `b`) "
                             "SET `j` = CONVERT(@v3 USING utf8mb4), `x` = @v5 + 0");
    cr_assert_eq(c.cols[0].kind, READ_NUMBER);
    cr_assert_eq(c.cols[1].kind, READ_PLAIN);
    cr_assert_eq(c.cols[2].kind, READ_TEXT);
    cr_assert_eq(c.cols[5].kind, READ_BYTES);
    read_columns_fini(&c);
}

Test(read_columns, text_goes_into_a_json_column_of_the_target_as_text)
{
    struct table_column there[] = { { .name = S("b"), .data_type = S("json"), .json = true } };
    struct table_def target = { .n_cols = 1, .cols = there };
    struct read_columns c;

    read_columns_init(&c, &table, &target, NULL);

    cr_assert_eq(c.cols[5].kind, READ_TEXT);
    read_columns_fini(&c);
}

Test(read_columns, only_index_0_of_an_enum_warns)
{
    struct read_columns c;

    read_columns_init(&c, &table, NULL, NULL);

    cr_assert(read_column_warns(&c.cols[3], "", 0));
    cr_assert_not(read_column_warns(&c.cols[3], "a", 1));
    cr_assert_not(read_column_warns(&c.cols[3], NULL, 0));
    cr_assert(read_column_warns(&c.cols[4], "0", 1));
    cr_assert_not(read_column_warns(&c.cols[4], "2", 1));
    cr_assert_not(read_column_warns(&c.cols[5], "", 0));
    read_columns_fini(&c);
}

Test(read_columns, blank_member_is_found_whatever_the_others_contain)
{
    cr_assert(enum_has_blank("enum('')"));
    cr_assert(enum_has_blank("enum('a','')"));
    cr_assert(enum_has_blank("enum('it''s','','b')"));
    cr_assert_not(enum_has_blank("enum('a')"));
    cr_assert_not(enum_has_blank("enum('''')"));
    cr_assert_not(enum_has_blank("enum(',','a'',''b')"));
}
