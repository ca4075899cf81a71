#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

#include "unit/sync/sync_conflict.h"

/* id (row key), name (unique, by collation), day (unique with n), n, v (plain) */
enum { ID, NAME, DAY, N, V, N_COLS };

static struct table_column columns[N_COLS] = {
    [ID] = { .name = (char[]){ "id" }, .data_type = (char[]){ "int" } },
    [NAME] = { .name = (char[]){ "name" },
               .data_type = (char[]){ "varchar" },
               .nullable = true,
               .collation = (char[]){ "utf8mb4_general_ci" } },
    [DAY] = { .name = (char[]){ "day" }, .data_type = (char[]){ "datetime" }, .nullable = true },
    [N] = { .name = (char[]){ "n" }, .data_type = (char[]){ "double" }, .nullable = true },
    [V] = { .name = (char[]){ "v" }, .data_type = (char[]){ "int" }, .nullable = true },
};
static unsigned whole[2];
static struct table_key keys[3];
static struct table_def def;
static struct target_table *table;
static struct footprint a, b;

static void setup(void)
{
    static const char *const names[] = { "id", "name", "day", "n", "v" };
    static unsigned id[] = { ID }, name[] = { NAME }, day_n[] = { DAY, N };
    struct err err = ERR_INIT;

    columns[NAME].collation = (char[]){ "utf8mb4_general_ci" };
    keys[0] = (struct table_key){
        .unique = true, .primary = true, .n_parts = 1, .cols = id, .prefix = whole
    };
    keys[1] = (struct table_key){ .unique = true, .n_parts = 1, .cols = name, .prefix = whole };
    keys[2] = (struct table_key){ .unique = true, .n_parts = 2, .cols = day_n, .prefix = whole };
    def = (struct table_def){ .db = (char[]){ "d" },
                              .name = (char[]){ "t" },
                              .transactional = true,
                              .n_cols = N_COLS,
                              .cols = columns,
                              .n_keys = 3,
                              .keys = keys };
    cr_assert_eq(target_table_new(&def, names, N_COLS, &table, &err), 0, "%s", err.text);
}

static void again(void)
{
    target_table_free(table);
    footprint_clear(&a);
    footprint_clear(&b);
    setup();
}

static void set_collation(const char *collation)
{
    static char text[64];
    static const char *const names[] = { "id", "name", "day", "n", "v" };
    struct err err = ERR_INIT;

    snprintf(text, sizeof text, "%s", collation);
    columns[NAME].collation = text;
    target_table_free(table);
    cr_assert_eq(target_table_new(&def, names, N_COLS, &table, &err), 0);
}

static void teardown(void)
{
    target_table_free(table);
    footprint_fini(&a);
    footprint_fini(&b);
}

TestSuite(sync_conflict, .init = setup, .fini = teardown);

static void put(struct value *row, int id, const char *name, const char *day, int v)
{
    row[ID] = (struct value){ .kind = VALUE_INT, .i = id };
    row[NAME] = (struct value){ .kind = name ? VALUE_BYTES : VALUE_NULL,
                                .p = (const uint8_t *)name,
                                .size = name ? (uint32_t)strlen(name) : 0 };
    row[DAY] = (struct value){ .kind = day ? VALUE_TEXT : VALUE_NULL,
                               .p = (const uint8_t *)day,
                               .size = day ? (uint32_t)strlen(day) : 0 };
    row[N] = (struct value){ .kind = VALUE_DOUBLE, .d = v };
    row[V] = (struct value){ .kind = VALUE_INT, .i = v };
}

static void insert(struct footprint *f, int id, const char *name, const char *day)
{
    struct value row[N_COLS];

    put(row, id, name, day, id);
    footprint_add(f, table, ROWS_INSERT, row, false);
}

static void update(struct footprint *f, int id, const char *from, const char *to)
{
    struct value row[2 * N_COLS];

    put(row, id, to, NULL, 1);
    put(row + N_COLS, id, from, NULL, 2);
    footprint_add(f, table, ROWS_UPDATE, row, false);
}

static bool meet(void)
{
    for (size_t i = 0; i < a.n; i++)
        for (size_t k = 0; k < b.n; k++)
            if ((a.keys[i] & ~FOOTPRINT_SHARED) == (b.keys[k] & ~FOOTPRINT_SHARED) &&
                !(a.keys[i] & b.keys[k] & FOOTPRINT_SHARED))
                return true;
    return false;
}

static bool names_meet(const char *x, const char *y)
{
    footprint_clear(&a);
    footprint_clear(&b);
    insert(&a, 1, x, NULL);
    insert(&b, 2, y, NULL);
    return meet();
}

Test(sync_conflict, rows_without_a_value_in_common_do_not_meet)
{
    cr_expect_not(names_meet("one", "two"));
    cr_expect_not(names_meet(NULL, NULL), "a unique key with a NULL is no key");
}

Test(sync_conflict, changes_of_one_row_meet)
{
    update(&a, 1, "x", "x");
    update(&b, 1, "y", "y");
    cr_expect(meet());
}

Test(sync_conflict, what_a_collation_finds_equal_meets)
{
    static const struct {
        const char *x, *y;
    } equal[] = { { "abc", "ABC" },     { "abc", "abc  " },         { "e", "\xc3\xa9" },
                  { "ss", "\xc3\x9f" }, { "\xc3\xa9", "\xc3\x89" }, { "a", "a\x01" } };
    static const char *const collations[] = { "utf8mb4_general_ci", "utf8mb4_0900_ai_ci",
                                              "utf8mb4_roman_ci", "swe7_swedish_ci" };

    for (size_t c = 0; c < sizeof collations / sizeof *collations; c++) {
        set_collation(collations[c]);
        for (size_t i = 0; i < sizeof equal / sizeof *equal; i++)
            cr_expect(names_meet(equal[i].x, equal[i].y), "%s: %s and %s", collations[c],
                      equal[i].x, equal[i].y);
    }
    cr_expect(names_meet("i", "j"), "of this collation nothing is known");
}

Test(sync_conflict, a_binary_collation_tells_letter_case_and_not_the_padding)
{
    set_collation("utf8mb4_bin");
    cr_expect_not(names_meet("abc", "ABC"));
    cr_expect_not(names_meet("e", "\xc3\xa9"));
    cr_expect(names_meet("abc", "abc  "));
}

Test(sync_conflict, a_value_that_goes_meets_the_same_that_comes)
{
    update(&a, 1, "old", "new");
    update(&b, 2, "other", "OLD");
    cr_expect(meet());
}

Test(sync_conflict, a_key_that_stays_is_not_touched)
{
    update(&a, 1, "same", "same");
    insert(&b, 2, "same", NULL);
    cr_expect_not(meet(), "who deleted it comes between the two");
}

Test(sync_conflict, a_float_in_a_key_is_left_out_and_the_fraction_of_a_time)
{
    insert(&a, 1, NULL, "2020-01-01 00:00:00.5");
    insert(&b, 2, NULL, "2020-01-01 00:00:00.7");
    cr_expect(meet());
    again();
    insert(&a, 1, NULL, "2020-01-01 00:00:00");
    insert(&b, 2, NULL, "2020-01-01 00:00:01");
    cr_expect_not(meet());
}

Test(sync_conflict, an_image_without_a_columns_value_meets_all_of_the_table)
{
    struct value row[N_COLS];

    put(row, 1, "x", NULL, 1);
    row[NAME].kind = VALUE_ABSENT;
    footprint_add(&a, table, ROWS_DELETE, row, false);
    insert(&b, 2, "y", NULL);
    cr_expect(meet());
}

Test(sync_conflict, prefixes_and_expressions_meet_all_of_the_table)
{
    static unsigned three[] = { 3 }, expression[] = { UINT_MAX };

    keys[1].prefix = three;
    set_collation("utf8mb4_general_ci");
    cr_expect(names_meet("one", "two"));
    keys[1].prefix = whole;
    keys[1].cols = expression;
    set_collation("utf8mb4_general_ci");
    cr_expect(names_meet("one", "two"));
}

Test(sync_conflict, tables_without_a_key_and_with_foreign_keys_are_one_class)
{
    def.n_keys = 0;
    set_collation("utf8mb4_bin");
    cr_expect(names_meet("one", "two"));
    def.n_keys = 3;
    def.has_foreign_keys = true;
    set_collation("utf8mb4_bin");
    footprint_clear(&a);
    footprint_clear(&b);
    insert(&a, 1, "one", NULL);
    def.name = (char[]){ "other" };
    set_collation("utf8mb4_bin");
    insert(&b, 2, "two", NULL);
    cr_expect(meet());
}
