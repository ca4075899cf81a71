#include <criterion/criterion.h>

#include "base/buf.h"
#include "unit/read/read_range.h"

#define S(text) (char *)(text)

static struct table_column columns[] = {
    { .name = S("gen"), .data_type = S("int"), .column_type = S("int"), .generated = true },
    { .name = S("id"), .data_type = S("bigint"), .column_type = S("bigint unsigned") },
    { .name = S("na`me"),
      .data_type = S("varchar"),
      .column_type = S("varchar(10)"),
      .charset = S("latin1"),
      .collation = S("latin1_german2_ci") },
    { .name = S("day"), .data_type = S("date"), .column_type = S("date") },
    { .name = S("bin"), .data_type = S("varbinary"), .column_type = S("varbinary(9)") },
    { .name = S("e"), .data_type = S("enum"), .column_type = S("enum('a','b')") },
};
static unsigned parts[] = { 1, 2, 3, 4 }, prefixes[] = { 0, 0, 0, 0 };
static struct table_key key = {
    .name = S("PRIMARY"), .unique = true, .primary = true, .cols = parts, .prefix = prefixes
};
static struct table_def table = {
    .db = S("d"), .name = S("t"), .n_cols = 6, .cols = columns, .n_keys = 1, .keys = &key
};

static const char *sql_of(unsigned n_parts, struct read_range range)
{
    static struct buf b;

    buf_clear(&b);
    key.n_parts = n_parts;
    read_range_sql(&b, &table, &range);
    return b.data ? b.data : "";
}

Test(read_range, whole_range_is_only_ordered)
{
    cr_assert_str_eq(sql_of(1, (struct read_range){ .no = 0 }), " ORDER BY `id`");
}

Test(read_range, bounds_hold_for_the_leading_column)
{
    cr_assert_str_eq(sql_of(1, (struct read_range){ .low = S("10"), .high = S("20") }),
                     " WHERE `id` >= 10 AND `id` < 20 ORDER BY `id`");
}

Test(read_range, goes_on_after_the_last_key)
{
    cr_assert_str_eq(
        sql_of(1, (struct read_range){ .low = S("10"), .high = S("20"), .at = S("3135") }),
        " WHERE `id` < 20 AND (`id` > 15) ORDER BY `id`");
}

Test(read_range, compares_all_parts_in_their_own_character_set)
{
    cr_assert_str_eq(sql_of(4, (struct read_range){ .at = S("37,e4,323032342d30312d3331,00ff") }),
                     " WHERE `id` >= 7 AND (`id` > 7 OR `id` = 7 AND "
                     "(`na``me` > _latin1 x'e4' COLLATE latin1_german2_ci OR "
                     "`na``me` = _latin1 x'e4' COLLATE latin1_german2_ci AND "
                     "(`day` > '2024-01-31' OR `day` = '2024-01-31' AND (`bin` > x'00ff')))) "
                     "ORDER BY `id`, `na``me`, `day`, `bin`");
}

Test(read_range, empty_text_is_a_key_too)
{
    parts[0] = 2;
    cr_assert_str_eq(sql_of(1, (struct read_range){ .at = S("") }),
                     " WHERE (`na``me` > _latin1 x'' COLLATE latin1_german2_ci) ORDER BY `na``me`");
    parts[0] = 1;
}

Test(read_range, last_key_is_taken_from_the_columns_that_are_read)
{
    const char *values[] = { "7", "\xe4", "2024-01-31", "\0\xff", "a" };
    unsigned long sizes[] = { 1, 1, 10, 2, 1 };
    struct mysql_row row = { .n_cols = 5, .values = values, .sizes = sizes };
    struct buf b = BUF_INIT;

    key.n_parts = 4;
    read_range_at(&b, &table, &key, &row);

    cr_assert_str_eq(b.data, "37,e4,323032342d30312d3331,00ff");
    buf_fini(&b);
}

Test(read_range, enum_key_cannot_be_continued)
{
    key.n_parts = 1;
    parts[0] = 5;
    cr_assert_null(read_range_key(&table));
    parts[0] = 1;
    cr_assert_eq(read_range_key(&table), &key);
}

static void check_cut(const char *min, const char *max, unsigned n, unsigned expected)
{
    struct read_range *rows;
    unsigned made = read_range_cut(min, max, n, &rows);

    cr_assert_eq(made, expected);
    cr_assert_null(rows[0].low);
    cr_assert_null(rows[made - 1].high);
    for (unsigned i = 0; i + 1 < made; i++) {
        cr_assert_eq(rows[i].no, i);
        cr_assert_str_eq(rows[i].high, rows[i + 1].low);
    }
    read_ranges_free(rows, made);
}

Test(read_range, ranges_meet_and_are_open_at_the_ends)
{
    check_cut("1", "1000", 4, 4);
    check_cut("-9223372036854775808", "9223372036854775807", 16, 16);
    check_cut("0", "18446744073709551615", 7, 7);
    check_cut("5", "5", 4, 1);
    check_cut("1", "3", 4, 1);
    check_cut("1", "1000", 0, 1);
}

Test(read_range, cut_points_are_even)
{
    struct read_range *rows;
    unsigned n = read_range_cut("-10", "9", 4, &rows);

    cr_assert_eq(n, 4);
    cr_assert_str_eq(rows[1].low, "-5");
    cr_assert_str_eq(rows[2].low, "0");
    cr_assert_str_eq(rows[3].low, "5");
    read_ranges_free(rows, n);
}

Test(read_range, conditions_cut_a_table_between_two_keys)
{
    struct buf b = BUF_INIT;

    key.n_parts = 1;
    read_range_after(&b, &table, "3135");
    buf_str(&b, " | ");
    read_range_upto(&b, &table, "3230");
    buf_str(&b, " | ");
    read_range_equal(&b, &table, "3230");
    cr_assert_str_eq(b.data, "((`id` > 15)) | (`id` <= 20 AND NOT ((`id` > 20))) | (`id` = 20)");
    buf_clear(&b);
    key.n_parts = 3;
    read_range_equal(&b, &table, "37,e4,323032342d30312d3331");
    cr_assert_str_eq(b.data, "(`id` = 7 AND `na``me` = _latin1 x'e4' COLLATE latin1_german2_ci AND "
                             "`day` = '2024-01-31')");
    buf_fini(&b);
}
