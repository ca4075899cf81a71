#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sink/statement.h"
#include "unit/sync/sync_merge.h"

/* id (row key), u (another unique key), v (plain) */
enum { ID, U, V, N_COLS };

static struct target_column cols[N_COLS] = {
    [ID] = { .name = (char[]){ "id" }, .written = true, .in_unique = true, .in_key = true },
    [U] = { .name = (char[]){ "u" }, .written = true, .in_unique = true },
    [V] = { .name = (char[]){ "v" }, .written = true },
};
static unsigned key[] = { ID };
static const struct target_table table = { .id = 1,
                                           .db = (char[]){ "d" },
                                           .name = (char[]){ "t" },
                                           .n_cols = N_COLS,
                                           .cols = cols,
                                           .n_key = 1,
                                           .key = key };

static struct merge m;
static struct arena arena;

static void setup(void)
{
    merge_init(&m, &table);
}

static void teardown(void)
{
    merge_fini(&m);
    arena_fini(&arena);
}

TestSuite(sync_merge, .init = setup, .fini = teardown);

struct row {
    int id, u, v; /* id 0: no row */
};

static void put(struct value *to, struct row r)
{
    to[ID] = (struct value){ .kind = VALUE_INT, .i = r.id };
    to[U] = (struct value){ .kind = VALUE_INT, .i = r.u };
    to[V] = (struct value){ .kind = VALUE_INT, .i = r.v };
}

static struct row get(const struct value *from)
{
    return (struct row){ (int)from[ID].i, (int)from[U].i, (int)from[V].i };
}

static bool add_insert(struct row after)
{
    struct value *row = arena_alloc(&arena, N_COLS * sizeof *row);

    put(row, after);
    return merge_add(&m, ROWS_INSERT, row, &arena);
}

static bool add_delete(struct row before)
{
    struct value *row = arena_alloc(&arena, N_COLS * sizeof *row);

    put(row, before);
    return merge_add(&m, ROWS_DELETE, row, &arena);
}

static bool add_update(struct row before, struct row after)
{
    struct value *row = arena_alloc(&arena, 2 * N_COLS * sizeof *row);

    put(row, after);
    put(row + N_COLS, before);
    return merge_add(&m, ROWS_UPDATE, row, &arena);
}

static size_t count(enum rows_kind kind)
{
    const struct value *rows[1000];

    return merge_rows(&m, kind, rows);
}

Test(sync_merge, insert_then_update_is_an_insert_of_the_last_image)
{
    const struct value *rows[4];

    add_insert((struct row){ 1, 10, 5 });
    add_update((struct row){ 1, 10, 5 }, (struct row){ 1, 20, 6 });

    cr_assert_eq(merge_rows(&m, ROWS_INSERT, rows), 1);
    cr_assert_eq(get(rows[0]).u, 20);
    cr_assert_eq(count(ROWS_UPDATE) + count(ROWS_DELETE), 0);
}

Test(sync_merge, a_row_that_came_and_went_is_nothing)
{
    add_insert((struct row){ 1, 10, 5 });
    add_delete((struct row){ 1, 10, 5 });

    cr_assert_eq(count(ROWS_INSERT) + count(ROWS_UPDATE) + count(ROWS_DELETE), 0);
}

Test(sync_merge, a_row_that_came_and_went_is_deleted_where_the_target_may_have_it)
{
    const struct value *rows[4];

    m.safe = true;
    add_insert((struct row){ 1, 10, 5 });
    add_delete((struct row){ 1, 10, 5 });
    add_insert((struct row){ 2, 20, 5 });
    add_update((struct row){ 2, 20, 5 }, (struct row){ 3, 20, 5 });

    cr_assert_eq(merge_rows(&m, ROWS_DELETE, rows), 2);
    cr_assert_eq(get(rows[0]).id, 1);
    cr_assert_eq(get(rows[1]).id, 2);
    cr_assert_eq(merge_rows(&m, ROWS_INSERT, rows), 1);
    cr_assert_eq(get(rows[0]).id, 3);
}

Test(sync_merge, delete_then_insert_with_the_same_unique_values_is_an_update)
{
    add_delete((struct row){ 1, 10, 5 });
    add_insert((struct row){ 1, 10, 6 });

    cr_assert_eq(count(ROWS_UPDATE), 1);
    cr_assert_eq(count(ROWS_INSERT) + count(ROWS_DELETE), 0);
}

Test(sync_merge, an_update_of_another_unique_key_is_a_delete_and_an_insert)
{
    add_update((struct row){ 1, 10, 5 }, (struct row){ 1, 11, 5 });

    cr_assert_eq(count(ROWS_DELETE), 1);
    cr_assert_eq(count(ROWS_INSERT), 1);
    cr_assert_eq(count(ROWS_UPDATE), 0);
}

Test(sync_merge, the_delete_has_the_first_image)
{
    const struct value *rows[4];

    add_update((struct row){ 1, 10, 5 }, (struct row){ 1, 10, 6 });
    add_update((struct row){ 1, 10, 6 }, (struct row){ 2, 10, 6 });

    cr_assert_eq(merge_rows(&m, ROWS_DELETE, rows), 1);
    cr_assert_eq(get(rows[0]).v, 5);
    cr_assert_eq(merge_rows(&m, ROWS_INSERT, rows), 1);
    cr_assert_eq(get(rows[0]).id, 2);
}

Test(sync_merge, a_move_without_all_columns_is_refused)
{
    struct value *row = arena_alloc(&arena, 2 * N_COLS * sizeof *row);

    put(row, (struct row){ 2, 10, 5 });
    put(row + N_COLS, (struct row){ 1, 10, 5 });
    row[V].kind = VALUE_ABSENT;

    cr_assert_not(merge_add(&m, ROWS_UPDATE, row, &arena));
    cr_assert_eq(count(ROWS_INSERT) + count(ROWS_UPDATE) + count(ROWS_DELETE), 0);
}

Test(sync_merge, images_without_unchanged_columns_add_up)
{
    struct value *one = arena_alloc(&arena, 2 * N_COLS * sizeof *one);
    struct value *two = arena_alloc(&arena, 2 * N_COLS * sizeof *two);
    const struct value *rows[4];

    memset(one, 0, 2 * N_COLS * sizeof *one); /* VALUE_ABSENT */
    memset(two, 0, 2 * N_COLS * sizeof *two);
    one[N_COLS + ID] = two[N_COLS + ID] = (struct value){ .kind = VALUE_INT, .i = 1 };
    one[V] = (struct value){ .kind = VALUE_INT, .i = 7 };
    two[V] = (struct value){ .kind = VALUE_INT, .i = 8 };

    cr_assert(merge_add(&m, ROWS_UPDATE, one, &arena));
    cr_assert(merge_add(&m, ROWS_UPDATE, two, &arena));
    cr_assert_eq(merge_rows(&m, ROWS_UPDATE, rows), 1);
    cr_assert_eq(rows[0][V].i, 8);
    cr_assert_eq(rows[0][ID].i, 1);
    cr_assert_eq(rows[0][U].kind, VALUE_ABSENT);
}

Test(sync_merge, a_second_insert_of_a_key_is_not_swallowed)
{
    add_insert((struct row){ 1, 10, 5 });

    cr_assert_not(add_insert((struct row){ 1, 11, 5 }));
}

/* --- against a naive model: what the target would hold, with its unique keys checked --- */

#define N_IDS 12

struct model {
    struct row rows[N_IDS + 1]; /* by id */
};

static bool fits(const struct model *t, struct row r)
{
    for (int i = 1; i <= N_IDS; i++)
        if (t->rows[i].id && i != r.id && t->rows[i].u == r.u)
            return false;
    return true;
}

static void must_delete(struct model *t, struct row r)
{
    cr_assert_eq(t->rows[r.id].id, r.id, "deletes row %d, which is not there", r.id);
    t->rows[r.id].id = 0;
}

static void must_insert(struct model *t, struct row r)
{
    cr_assert_eq(t->rows[r.id].id, 0, "inserts row %d twice", r.id);
    cr_assert(fits(t, r), "u=%d of row %d is taken", r.u, r.id);
    t->rows[r.id] = r;
}

static void must_update(struct model *t, struct row r)
{
    cr_assert_eq(t->rows[r.id].id, r.id, "updates row %d, which is not there", r.id);
    cr_assert_eq(t->rows[r.id].u, r.u, "an update changes a unique key");
    t->rows[r.id] = r;
}

static void write_merged(struct model *t)
{
    const struct value *rows[1000];
    size_t n = merge_rows(&m, ROWS_DELETE, rows);

    for (size_t i = 0; i < n; i++)
        must_delete(t, get(rows[i]));
    n = merge_rows(&m, ROWS_UPDATE, rows);
    for (size_t i = 0; i < n; i++)
        must_update(t, get(rows[i]));
    n = merge_rows(&m, ROWS_INSERT, rows);
    for (size_t i = 0; i < n; i++)
        must_insert(t, get(rows[i]));
}

static int pick(int n)
{
    return (int)((unsigned)rand() % (unsigned)n);
}

/* One change that the source's own unique keys allow. */
static void random_change(struct model *source)
{
    int id = 1 + pick(N_IDS);
    struct row old = source->rows[id];
    struct row new = { pick(3) ? id : 1 + pick(N_IDS), 1 + pick(2 * N_IDS), pick(100) };

    if (!old.id) {
        new.id = id;
        if (fits(source, new)) {
            source->rows[id] = new;
            cr_assert(add_insert(new));
        }
    } else if (pick(3) == 0) {
        source->rows[id].id = 0;
        cr_assert(add_delete(old));
    } else {
        source->rows[id].id = 0;
        if (pick(2))
            new.u = old.u;
        if (source->rows[new.id].id || !fits(source, new)) {
            source->rows[id] = old;
            return;
        }
        source->rows[new.id] = new;
        cr_assert(add_update(old, new));
    }
}

/* Two rows change their unique values by way of a third value, as an application would. */
static void random_swap(struct model *source)
{
    struct row a = source->rows[1 + pick(N_IDS)], b = source->rows[1 + pick(N_IDS)], way = a;

    if (!a.id || !b.id || a.id == b.id)
        return;
    way.u = 1000;
    cr_assert(add_update(a, way));
    cr_assert(add_update(b, (struct row){ b.id, a.u, b.v }));
    cr_assert(add_update(way, (struct row){ a.id, b.u, a.v }));
    source->rows[a.id].u = b.u;
    source->rows[b.id].u = a.u;
}

Test(sync_merge, ends_as_the_source_does_without_a_collision_on_the_way)
{
    struct model source = { 0 }, target = { 0 };

    for (unsigned round = 0; round < 4000; round++) {
        srand(round);
        for (int n = 1 + pick(60); n > 0; n--) {
            if (pick(4))
                random_change(&source);
            else
                random_swap(&source);
        }
        write_merged(&target);
        for (int i = 1; i <= N_IDS; i++) {
            cr_assert_eq(target.rows[i].id, source.rows[i].id, "round %u, row %d", round, i);
            if (source.rows[i].id)
                cr_assert_eq(memcmp(&target.rows[i], &source.rows[i], sizeof(struct row)), 0,
                             "round %u, row %d", round, i);
        }
        merge_clear(&m);
        arena_clear(&arena);
    }
}

Test(sync_merge, keys_that_only_a_collation_calls_equal_are_two)
{
    struct target_table text = table;
    struct value a[N_COLS], b[N_COLS];
    const struct value *rows[4];

    merge_fini(&m);
    merge_init(&m, &text);
    put(a, (struct row){ 0, 1, 1 });
    put(b, (struct row){ 0, 1, 2 });
    a[ID] = (struct value){ .kind = VALUE_BYTES, .p = (const uint8_t *)"abc", .size = 3 };
    b[ID] = (struct value){ .kind = VALUE_BYTES, .p = (const uint8_t *)"ABC", .size = 3 };

    cr_assert(merge_add(&m, ROWS_DELETE, a, &arena));
    cr_assert(merge_add(&m, ROWS_INSERT, b, &arena));
    cr_assert_eq(merge_rows(&m, ROWS_DELETE, rows), 1);
    cr_assert_eq(merge_rows(&m, ROWS_INSERT, rows), 1);
}
