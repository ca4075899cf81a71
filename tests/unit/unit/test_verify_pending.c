#include <criterion/criterion.h>

#include "unit/verify/verify_pending.h"

#define S(text) (char *)(text)

static unsigned parts[] = { 2, 0 };
static struct target_table target = {
    .db = S("d"), .name = S("t"), .n_cols = 3, .n_key = 2, .key = parts
};
static struct sync_table table = { .schema = S("d"), .name = S("t"), .target = &target };

static struct value number(int64_t i)
{
    return (struct value){ .kind = VALUE_INT, .i = i };
}

static struct value text(const char *p)
{
    return (
        struct value){ .kind = VALUE_BYTES, .size = (uint32_t)strlen(p), .p = (const uint8_t *)p };
}

static void add(struct verify_pending *p, enum rows_kind kind, const struct value *row)
{
    struct sync_watch *w = verify_pending_watch(p);

    w->row(w, "s1", &table, kind, row);
}

Test(verify_pending, keys_are_as_ranges_have_them_and_each_once)
{
    struct verify_pending *p = verify_pending_new(100);
    const struct value row[] = { number(-7), number(1), text("ab") };
    const struct value moved[] = { number(8),  number(1), text("ab"),
                                   number(-7), number(1), text("ab") };
    struct verify_pending_counts c;
    struct verify_pending_table *t;
    unsigned n;

    add(p, ROWS_INSERT, row);
    add(p, ROWS_UPDATE, moved);
    verify_pending_counts(p, &c);
    cr_assert(c.processed[ROWS_INSERT] == 1 && c.processed[ROWS_UPDATE] == 1);
    cr_assert(c.pending[ROWS_INSERT] == 1 && c.pending[ROWS_UPDATE] == 2 && !c.over);
    t = verify_pending_take(p, &n);
    cr_assert_eq(n, 1);
    cr_assert_eq(t->keys.n, 2);
    cr_assert_str_eq(t->keys.items[0].key, "6162,2d37");
    cr_assert_str_eq(t->keys.items[1].key, "6162,38");
    verify_pending_tables_free(t, n);
    sync_watch_unref(verify_pending_watch(p));
}

Test(verify_pending, no_more_is_taken_than_it_may_hold)
{
    struct verify_pending *p = verify_pending_new(2);
    const struct value row[] = { number(1), number(1), text("a") };
    struct verify_pending_counts c;

    for (unsigned i = 0; i < 5; i++)
        add(p, ROWS_DELETE, row);
    verify_pending_counts(p, &c);
    cr_assert(c.over && c.pending[ROWS_DELETE] == 2 && c.processed[ROWS_DELETE] == 5);
    sync_watch_unref(verify_pending_watch(p));
}

Test(verify_pending, an_image_that_leaves_key_columns_out_has_them_as_before)
{
    struct verify_pending *p = verify_pending_new(100);
    const struct value gone = { .kind = VALUE_ABSENT };
    const struct value moved[] = { number(8),  gone, gone, /* what is, and what was */
                                   number(-7), gone, text("ab") };
    struct verify_pending_table *t;
    unsigned n;

    add(p, ROWS_UPDATE, moved);
    t = verify_pending_take(p, &n);
    cr_assert_eq(t->keys.n, 2);
    cr_assert_str_eq(t->keys.items[0].key, "6162,2d37");
    cr_assert_str_eq(t->keys.items[1].key, "6162,38");
    verify_pending_tables_free(t, n);
    sync_watch_unref(verify_pending_watch(p));
}
