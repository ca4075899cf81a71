#include <criterion/criterion.h>
#include <string.h>

#include "unit/sync/sync_group.h"

enum { ID, V, N_COLS };

static struct target_column cols[N_COLS] = {
    [ID] = { .name = (char[]){ "id" }, .written = true, .in_unique = true, .in_key = true },
    [V] = { .name = (char[]){ "v" }, .written = true },
};
static unsigned key[] = { ID };

static struct target_table table_named(const char *name)
{
    static char db[] = "d";

    return (struct target_table){ .db = db,
                                  .name = (char *)(uintptr_t)name,
                                  .n_cols = N_COLS,
                                  .cols = cols,
                                  .n_key = 1,
                                  .key = key,
                                  .transactional = true };
}

static struct group g;

static void setup(void)
{
    group_init(&g);
}

static void teardown(void)
{
    group_fini(&g);
}

TestSuite(sync_group, .init = setup, .fini = teardown);

static void add(const struct target_table *t, enum rows_kind kind, int id, bool safe)
{
    struct value *row = arena_alloc(&g.values, 2 * N_COLS * sizeof *row);

    for (int i = 0; i < 2 * N_COLS; i++)
        row[i] = (struct value){ .kind = VALUE_INT, .i = id };
    group_add(&g, t, kind, safe, false, row);
}

/* What is written: merged tables first, then the list. */
static void story(char *ret, size_t size)
{
    static const enum rows_kind order[] = { ROWS_DELETE, ROWS_UPDATE, ROWS_INSERT };
    const struct value *rows[16];

    ret[0] = '\0';
    for (size_t t = 0; t < g.n_tables; t++)
        for (size_t k = 0; k < 3; k++)
            for (size_t i = 0, n = merge_rows(&g.tables[t].merge, order[k], rows); i < n; i++)
                snprintf(ret + strlen(ret), size - strlen(ret), "%c%d ", "IUD"[order[k]],
                         (int)rows[i][ID].i);
    for (size_t i = 0; i < g.n_changes; i++)
        snprintf(ret + strlen(ret), size - strlen(ret), "%c%d ", "IUD"[g.changes[i].kind],
                 (int)g.changes[i].row[ID].i);
}

Test(sync_group, shards_are_merged_as_one_table)
{
    struct target_table a = table_named("t"), b = table_named("t");
    char is[200];

    add(&b, ROWS_INSERT, 9, false); /* b comes first, and gets what a gave away */
    add(&a, ROWS_DELETE, 1, false);
    add(&b, ROWS_INSERT, 1, false);
    add(&a, ROWS_INSERT, 2, false);

    story(is, sizeof is);
    cr_assert_str_eq(is, "U1 I9 I2 ", "the row that moved is changed where it is");
    cr_assert_eq(g.n_changes, 0);
}

Test(sync_group, a_key_that_two_shards_have_at_a_time_is_left_to_the_target)
{
    struct target_table a = table_named("t"), b = table_named("t");
    char is[200];

    add(&a, ROWS_INSERT, 1, false);
    add(&b, ROWS_DELETE, 1, false); /* another row: a's would be gone */
    add(&a, ROWS_UPDATE, 1, false);
    story(is, sizeof is);
    cr_assert_str_eq(is, "I1 D1 U1 ");

    group_clear(&g);
    add(&a, ROWS_UPDATE, 1, false);
    add(&b, ROWS_UPDATE, 1, false);
    story(is, sizeof is);
    cr_assert_str_eq(is, "U1 U1 ");

    group_clear(&g);
    add(&a, ROWS_INSERT, 1, false);
    add(&a, ROWS_DELETE, 1, false);
    add(&b, ROWS_DELETE, 1, false);
    story(is, sizeof is);
    cr_assert_str_eq(is, "D1 ");
}

Test(sync_group, shards_whose_rows_are_not_alike_are_in_order)
{
    static struct target_column other_cols[N_COLS];
    struct target_table a = table_named("t"), b = table_named("t");
    char is[200];

    memcpy(other_cols, cols, sizeof cols);
    other_cols[V].name = (char[]){ "w" };
    b.cols = other_cols;
    add(&b, ROWS_INSERT, 9, false); /* b comes first, and gets what a gave away */
    add(&a, ROWS_DELETE, 1, false);
    add(&b, ROWS_INSERT, 1, false);
    add(&a, ROWS_INSERT, 2, false);

    story(is, sizeof is);
    cr_assert_str_eq(is, "I9 D1 I1 I2 ");
}

Test(sync_group, tables_apart_are_merged_each)
{
    struct target_table a = table_named("t"), b = table_named("u");

    add(&b, ROWS_INSERT, 9, false);
    add(&a, ROWS_DELETE, 1, false);
    add(&b, ROWS_INSERT, 1, false);

    cr_assert_eq(g.n_changes, 0);
}

Test(sync_group, a_row_that_came_and_went_is_deleted_in_safe_mode_alone)
{
    struct target_table a = table_named("t"), b = table_named("u");
    char is[200];

    add(&a, ROWS_INSERT, 1, true);
    add(&a, ROWS_DELETE, 1, true);
    add(&b, ROWS_INSERT, 2, false);
    add(&b, ROWS_DELETE, 2, false);
    story(is, sizeof is);
    cr_assert_str_eq(is, "D1 ");

    group_clear(&g);
    add(&a, ROWS_INSERT, 1, false);
    add(&a, ROWS_DELETE, 1, false);
    story(is, sizeof is);
    cr_assert_str_eq(is, "", "what was safe in the group before is not in this one");
}
