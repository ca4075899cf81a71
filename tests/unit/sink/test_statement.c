#include <criterion/criterion.h>

#include "sink/statement.h"

static struct target_column cols[] = {
    { .name = (char[]){ "id" },
      .class = TARGET_NUMBER,
      .written = true,
      .in_unique = true,
      .in_key = true },
    { .name = (char[]){ "na`me" }, .class = TARGET_TEXT, .written = true },
    { .name = (char[]){ "sum" }, .class = TARGET_NUMBER, .written = false }, /* generated */
    { .name = (char[]){ "price" }, .class = TARGET_DECIMAL, .written = true },
    { .name = (char[]){ "j" }, .class = TARGET_JSON, .written = true },
    { .name = (char[]){ "f" }, .class = TARGET_FLOAT, .written = true },
};
enum { N_COLS = sizeof cols / sizeof *cols };
static unsigned key[] = { 0 };
static const struct target_table keyed = { .db = (char[]){ "d" },
                                           .name = (char[]){ "t" },
                                           .n_cols = N_COLS,
                                           .cols = cols,
                                           .n_key = 1,
                                           .key = key,
                                           .joined_key = true };
static const struct target_table keyless = {
    .db = (char[]){ "d" }, .name = (char[]){ "t" }, .n_cols = N_COLS, .cols = cols
};

static struct value text(const char *s)
{
    return (
        struct value){ .kind = VALUE_BYTES, .p = (const uint8_t *)s, .size = (uint32_t)strlen(s) };
}

static void row_of(struct value *row, int id, const char *name)
{
    row[0] = (struct value){ .kind = VALUE_INT, .i = id };
    row[1] = text(name);
    row[2] = (struct value){ .kind = VALUE_INT, .i = 99 };
    row[3] = (struct value){ .kind = VALUE_TEXT, .p = (const uint8_t *)"1.50", .size = 4 };
    row[4] = (struct value){ .kind = VALUE_JSON, .p = (const uint8_t *)"{}", .size = 2 };
    row[5] = (struct value){ .kind = VALUE_FLOAT, .f = 0.5f };
}

static struct buf out;

static void teardown(void)
{
    buf_fini(&out);
}

TestSuite(statement, .fini = teardown);

Test(statement, inserts_what_is_written_and_quotes_the_rest)
{
    struct value row[N_COLS];

    row_of(row, -7, "it's");
    statement_row(&keyed, ROWS_INSERT, STATEMENT_INSERT, row, &out);

    cr_assert_str_eq(out.data, "INSERT INTO `d`.`t`(`id`,`na``me`,`price`,`j`,`f`) VALUES "
                               "(-7,'it\\'s',1.50,_utf8mb4'{}',5.0000000000000000e-01)");
}

Test(statement, updates_by_the_key_as_it_was)
{
    struct value row[2 * N_COLS];

    row_of(row, 8, "new");
    row_of(row + N_COLS, 7, "old");
    row[3].kind = row[4].kind = row[5].kind = VALUE_ABSENT;
    statement_row(&keyed, ROWS_UPDATE, STATEMENT_INSERT, row, &out);

    cr_assert_str_eq(out.data, "UPDATE `d`.`t` SET `id`=8,`na``me`='new' WHERE `id`=7");
}

Test(statement, a_keyless_row_is_matched_by_its_bytes_and_once)
{
    struct value row[N_COLS];

    row_of(row, 7, "abc");
    row[3].kind = VALUE_NULL;
    statement_row(&keyless, ROWS_DELETE, STATEMENT_INSERT, row, &out);

    cr_assert_str_eq(out.data,
                     "DELETE FROM `d`.`t` WHERE `id`<=>7 AND CAST(`na``me` AS BINARY)<=>'abc'"
                     " AND `price`<=>NULL AND `j`<=>CAST(_utf8mb4'{}' AS JSON)"
                     " AND `f`<=>5.0000000000000000e-01 LIMIT 1");
}

Test(statement, many_rows_stop_at_the_size_asked_for)
{
    struct value rows[10][N_COLS];
    const struct value *list[10];

    for (int i = 0; i < 10; i++) {
        row_of(rows[i], i, "x");
        list[i] = rows[i];
    }
    cr_assert_eq(statement_rows(&keyed, ROWS_DELETE, STATEMENT_INSERT, list, 10, 1000, &out), 10);
    cr_assert_str_eq(out.data, "DELETE FROM `d`.`t` WHERE `id` IN (0,1,2,3,4,5,6,7,8,9)");
    buf_clear(&out);
    cr_assert_eq(statement_rows(&keyed, ROWS_INSERT, STATEMENT_INSERT, list, 10, 1, &out), 1);
}

Test(statement, many_updates_join_a_list_by_the_key)
{
    struct value a[2 * N_COLS], b[2 * N_COLS];
    const struct value *list[] = { a, b };

    row_of(a, 1, "x");
    row_of(b, 2, "y");
    a[3].kind = a[4].kind = a[5].kind = b[3].kind = b[4].kind = b[5].kind = VALUE_ABSENT;
    statement_rows(&keyed, ROWS_UPDATE, STATEMENT_INSERT, list, 2, 1000, &out);

    cr_assert_str_eq(out.data, "UPDATE `d`.`t` t JOIN (VALUES ROW(1,'x'),ROW(2,'y')) v(c0,c1)"
                               " ON t.`id`=v.c0 SET t.`na``me`=v.c1");
}

Test(statement, a_prepared_update_takes_its_key_from_the_row_before)
{
    unsigned params[2 * N_COLS];
    unsigned n = statement_prepared(&keyed, ROWS_UPDATE, STATEMENT_INSERT, true, &out, params);

    cr_assert_str_eq(out.data, "UPDATE `d`.`t` SET `id`=?,`na``me`=?,`price`=?,"
                               "`j`=CONVERT(? USING utf8mb4),`f`=? WHERE `id`=?");
    cr_assert_eq(n, 6);
    cr_assert_eq(params[5], N_COLS);
}

Test(statement, a_clock_column_that_did_not_change_is_kept_from_the_clock)
{
    struct target_column with_clock[N_COLS];
    struct target_table t = keyed;
    struct value row[2 * N_COLS];

    memcpy(with_clock, cols, sizeof cols);
    with_clock[3].on_update_now = true;
    t.cols = with_clock;
    row_of(row, 7, "new");
    row_of(row + N_COLS, 7, "old");
    row[3].kind = row[4].kind = row[5].kind = VALUE_ABSENT;
    statement_row(&t, ROWS_UPDATE, STATEMENT_INSERT, row, &out);

    cr_assert_str_eq(out.data,
                     "UPDATE `d`.`t` SET `id`=7,`na``me`='new',`price`=`price` WHERE `id`=7");
}

Test(statement, compares_a_key_in_its_own_character_set)
{
    struct target_column col = { .name = (char[]){ "k" },
                                 .charset = (char[]){ "geostd8" },
                                 .class = TARGET_TEXT,
                                 .written = true,
                                 .in_key = true };
    const struct target_table t = { .db = (char[]){ "d" },
                                    .name = (char[]){ "t" },
                                    .n_cols = 1,
                                    .cols = &col,
                                    .n_key = 1,
                                    .key = key };
    struct value row = text("\xc0");
    const struct value *rows[] = { &row, &row };

    statement_row(&t, ROWS_DELETE, STATEMENT_INSERT, &row, &out);
    cr_expect_str_eq(out.data, "DELETE FROM `d`.`t` WHERE `k`=_geostd8'\xc0'");
    buf_clear(&out);
    statement_rows(&t, ROWS_DELETE, STATEMENT_INSERT, rows, 2, 1000, &out);
    cr_expect_str_eq(out.data, "DELETE FROM `d`.`t` WHERE `k` IN (_geostd8'\xc0',_geostd8'\xc0')");
}
