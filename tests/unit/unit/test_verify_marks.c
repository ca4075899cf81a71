#include <criterion/criterion.h>

#include "store/store.h"
#include "unit/verify/verify_marks.h"

static unsigned count(struct verify_marks *m)
{
    unsigned n;
    struct verify_mark *all = verify_marks_all(m, &n);

    verify_mark_free(all, n);
    return n;
}

static struct verify_mark mark(const char *source, const char *db, const char *name)
{
    return (struct verify_mark){ (char *)source, (char *)db, (char *)name };
}

static void put(struct verify_marks *m, const char *source, const char *db, const char *name)
{
    struct verify_mark k = mark(source, db, name);
    struct err err = ERR_INIT;

    cr_assert_eq(verify_marks_add(m, &k, &err), 0);
}

static void drop(struct verify_marks *m, const char *db, const char *name)
{
    struct verify_mark k = mark("s1", db, name);

    verify_marks_drop(m, &k);
}

/* As a process that was killed and began anew finds it. */
static unsigned left(struct store *store, const char *task, const char *source)
{
    struct verify_marks *m = verify_marks_new(store, task);
    struct err err = ERR_INIT;
    unsigned n;

    cr_assert_eq(verify_marks_load(m, source, &err), 0);
    n = count(m);
    verify_marks_free(m);
    return n;
}

Test(verify_marks, what_is_marked_outlives_the_process)
{
    struct store *store = store_open_mem();
    struct verify_marks *m = verify_marks_new(store, "orders");

    put(m, "s1", "shop", "o");
    put(m, "s1", "shop", "o");
    put(m, "s1", "shop", "p");
    put(m, "s10", "shop", "o");
    cr_assert_eq(count(m), 3);
    cr_assert_eq(left(store, "orders", "s1"), 2);
    cr_assert_eq(left(store, "orders", "s10"), 1);
    cr_assert_eq(left(store, "order", "s1"), 0);
    verify_marks_free(m);
    store_close(store);
}

Test(verify_marks, what_was_looked_at_is_marked_no_more)
{
    struct store *store = store_open_mem();
    struct verify_marks *m = verify_marks_new(store, "orders");

    put(m, "s1", "shop", "o");
    put(m, "s1", "shop", "p");
    drop(m, "shop", "p");
    drop(m, "shop", "never");
    cr_assert_eq(left(store, "orders", "s1"), 1);
    verify_marks_clear(m);
    cr_assert_eq(count(m), 0);
    cr_assert_eq(left(store, "orders", "s1"), 0);
    verify_marks_free(m);
    store_close(store);
}
