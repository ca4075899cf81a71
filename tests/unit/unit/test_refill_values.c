#include <criterion/criterion.h>

#include "unit/refill/refill_values.h"

#define S(text) (char *)(text)

static struct table_column columns[] = {
    { .name = S("i"), .data_type = S("int"), .column_type = S("int") },
    { .name = S("g"), .data_type = S("int"), .column_type = S("int"), .generated = true },
    { .name = S("u"),
      .data_type = S("bigint"),
      .column_type = S("bigint unsigned"),
      .is_unsigned = true },
    { .name = S("s`t"), .data_type = S("set"), .column_type = S("set('a','b')") },
    { .name = S("f"), .data_type = S("float"), .column_type = S("float") },
    { .name = S("d"), .data_type = S("double"), .column_type = S("double") },
    { .name = S("n"), .data_type = S("decimal"), .column_type = S("decimal(65,30)") },
    { .name = S("j"), .data_type = S("json"), .column_type = S("json"), .json = true },
    { .name = S("b"), .data_type = S("blob"), .column_type = S("blob") },
};
static const struct table_def table = {
    .db = S("d"), .name = S("t"), .n_cols = sizeof columns / sizeof *columns, .cols = columns
};

Test(refill_values, reads_what_loses_nothing)
{
    struct refill_columns c;

    refill_columns_init(&c, &table, NULL);
    cr_assert_str_eq(c.select, "`i`,`u`,CAST(`s``t` AS UNSIGNED),`f`*1e0,`d`,`n`,`j`,`b`");
    refill_columns_fini(&c);
}

Test(refill_values, gives_what_the_stream_gives)
{
    static const char *const texts[] = { "-2147483648",
                                         "18446744073709551615",
                                         "3",
                                         "0.10000000149011612",
                                         "-1.7976931348623157e308",
                                         "0.000000000000000000000000000001",
                                         NULL,
                                         "a\0b" };
    static const unsigned long sizes[] = { 11, 20, 1, 19, 23, 32, 0, 3 };
    const struct mysql_row row = { .n_cols = 8, .values = texts, .sizes = sizes };
    struct arena arena = ARENA_INIT;
    struct refill_columns c;
    struct value v[9];

    refill_columns_init(&c, &table, NULL);
    refill_values(&c, &row, &arena, v);
    cr_assert(v[0].kind == VALUE_INT && v[0].i == INT32_MIN);
    cr_assert(v[1].kind == VALUE_ABSENT);
    cr_assert(v[2].kind == VALUE_UINT && v[2].u == UINT64_MAX);
    cr_assert(v[3].kind == VALUE_UINT && v[3].u == 3);
    cr_assert(v[4].kind == VALUE_FLOAT && v[4].f == 0.1f);
    cr_assert(v[5].kind == VALUE_DOUBLE && v[5].d == -1.7976931348623157e308);
    cr_assert(v[6].kind == VALUE_TEXT && v[6].size == 32);
    cr_assert(v[7].kind == VALUE_NULL);
    cr_assert(v[8].kind == VALUE_BYTES && v[8].size == 3 && memcmp(v[8].p, "a\0b", 3) == 0);
    refill_columns_fini(&c);
    arena_fini(&arena);
}
