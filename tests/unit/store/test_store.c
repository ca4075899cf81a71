#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"
#include "unit/store/both_stores.h"

static struct err err;

static void put(struct store *s, const char *key, const char *value)
{
    cr_assert_eq(store_put(s, STORE_META, slice_str(key), slice_str(value), false, &err), 0, "%s",
                 err.text);
}

static int get(struct store *s, const char *key, struct buf *value)
{
    buf_clear(value);
    return store_get(s, STORE_META, slice_str(key), value, &err);
}

/* "a=1 b=2 " of all steps in one direction. */
static void walk(struct store_iter *it, bool forward, struct buf *ret)
{
    int (*step)(struct store_iter *, struct slice *, struct slice *, struct err *) =
        forward ? store_iter_next : store_iter_prev;
    struct slice key, value;
    int rc;

    buf_clear(ret);
    buf_str(ret, "");
    while ((rc = step(it, &key, &value, &err)) > 0)
        buf_printf(ret, "%.*s=%.*s ", SLICE_ARG(key), SLICE_ARG(value));
    cr_assert_eq(rc, 0, "%s", err.text);
    buf_add(ret, "", 0);
}

BOTH_STORES(store, gives_back_what_was_put)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    static const uint8_t odd[] = { 0, 255, 0, 'x' };

    put(s, "a", "one");
    cr_assert_eq(store_put(s, STORE_AUDIT, slice_of(odd, 4), slice_of(odd, 4), true, &err), 0);

    cr_assert_eq(get(s, "a", &v), 0);
    cr_assert_str_eq(v.data, "one");
    buf_clear(&v);
    cr_assert_eq(store_get(s, STORE_AUDIT, slice_of(odd, 4), &v, &err), 0);
    cr_assert(slice_eq(slice_of(v.data, v.size), slice_of(odd, 4)));
}

BOTH_STORES(store, get_appends)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;

    put(s, "a", "one");
    buf_str(&v, "before ");
    cr_assert_eq(store_get(s, STORE_META, slice_str("a"), &v, &err), 0);
    cr_assert_str_eq(v.data, "before one");
}

BOTH_STORES(store, a_missing_key_is_enoent)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;

    put(s, "ab", "x");
    cr_assert_eq(get(s, "a", &v), -ENOENT);
    cr_assert_eq(get(s, "abc", &v), -ENOENT);
    cr_assert_eq(store_get(s, STORE_AUDIT, slice_str("ab"), &v, &err), -ENOENT, "other family");
}

BOTH_STORES(store, delete_and_overwrite)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;

    put(s, "a", "one");
    put(s, "a", "two");
    put(s, "b", "");
    cr_assert_eq(get(s, "a", &v), 0);
    cr_assert_str_eq(v.data, "two");
    cr_assert_eq(get(s, "b", &v), 0);
    cr_assert_eq(v.size, 0);
    cr_assert_eq(store_delete(s, STORE_META, slice_str("a"), false, &err), 0);
    cr_assert_eq(get(s, "a", &v), -ENOENT);
    cr_assert_eq(store_delete(s, STORE_META, slice_str("a"), false, &err), 0, "again is fine");
}

BOTH_STORES(store, a_batch_applies_in_order_and_is_empty_after)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();

    put(s, "x", "old");
    store_batch_put(b, STORE_META, slice_str("k"), slice_str("1"));
    store_batch_delete(b, STORE_META, slice_str("k"));
    store_batch_delete(b, STORE_META, slice_str("x"));
    store_batch_put(b, STORE_META, slice_str("l"), slice_str("2"));
    cr_assert_eq(get(s, "x", &v), 0, "nothing before commit");
    cr_assert_eq(store_batch_commit(s, b, true, &err), 0);

    cr_assert_eq(get(s, "k", &v), -ENOENT);
    cr_assert_eq(get(s, "x", &v), -ENOENT);
    cr_assert_eq(get(s, "l", &v), 0);
    store_batch_delete(b, STORE_META, slice_str("l"));
    cr_assert_eq(store_batch_commit(s, b, false, &err), 0, "used again");
    cr_assert_eq(get(s, "l", &v), -ENOENT);
}

BOTH_STORES(store, a_range_ends_before_its_end)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(store_iter_freep) struct store_iter *it = NULL;

    for (const char *k = "abcdef"; *k; k++)
        put(s, (char[]){ 'p', *k, 0 }, "v");
    store_batch_delete_range(b, STORE_META, slice_str("pb"), slice_str("pd"));
    store_batch_delete_range(b, STORE_META, slice_str("pf"), slice_str("pa"));
    cr_assert_eq(store_batch_commit(s, b, false, &err), 0, "%s", err.text);

    it = store_iter_new(s, STORE_META, slice_str("p"));
    walk(it, true, &v);
    cr_assert_str_eq(v.data, "pa=v pd=v pe=v pf=v ");
}

static void put_five(struct store *s)
{
    put(s, "a", "0");
    put(s, "ba", "1");
    put(s, "bb", "2");
    put(s, "bc", "3");
    put(s, "c", "4");
}

BOTH_STORES(store, an_iterator_walks_its_prefix_both_ways)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;

    put_five(s);
    it = store_iter_new(s, STORE_META, slice_str("b"));

    cr_assert_eq(store_iter_prev(it, &key, &value, &err), 0, "stands before the first");
    walk(it, true, &v);
    cr_assert_str_eq(v.data, "ba=1 bb=2 bc=3 ");
    cr_assert_eq(store_iter_next(it, &key, &value, &err), 0, "the end stays the end");
    walk(it, false, &v);
    cr_assert_str_eq(v.data, "bc=3 bb=2 ba=1 ");
    walk(it, true, &v);
    cr_assert_str_eq(v.data, "ba=1 bb=2 bc=3 ");
}

BOTH_STORES(store, an_iterator_stands_between_keys)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;

    put_five(s);
    it = store_iter_new(s, STORE_META, slice_str("b"));

    store_iter_seek(it, slice_str("bb"));
    cr_assert_eq(store_iter_next(it, &key, &value, &err), 1);
    cr_assert(slice_eq(key, slice_str("bb")));
    cr_assert_eq(store_iter_prev(it, &key, &value, &err), 1);
    cr_assert(slice_eq(key, slice_str("bb")), "stepped over it again");
    cr_assert_eq(store_iter_prev(it, &key, &value, &err), 1);
    cr_assert(slice_eq(key, slice_str("ba")));

    store_iter_seek(it, slice_str("bbx"));
    cr_assert_eq(store_iter_prev(it, &key, &value, &err), 1);
    cr_assert(slice_eq(key, slice_str("bb")), "greatest key before");

    store_iter_seek(it, slice_str("bd"));
    cr_assert_eq(store_iter_prev(it, &key, &value, &err), 1);
    cr_assert(slice_eq(key, slice_str("bc")), "from past the end");

    store_iter_last(it);
    cr_assert_eq(store_iter_next(it, &key, &value, &err), 0);
    walk(it, false, &v);
    cr_assert_str_eq(v.data, "bc=3 bb=2 ba=1 ");
}

BOTH_STORES(store, an_iterator_sees_one_moment)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;

    put_five(s);
    it = store_iter_new(s, STORE_META, slice_str("b"));
    put(s, "bb", "changed");
    put(s, "bd", "new");
    cr_assert_eq(store_delete(s, STORE_META, slice_str("ba"), false, &err), 0);

    walk(it, true, &v);
    cr_assert_str_eq(v.data, "ba=1 bb=2 bc=3 ");
}

BOTH_STORES(store, an_empty_prefix_and_one_of_ff_have_no_upper_end)
{
    static const uint8_t ff[] = { 0xff, 0xff, 1 };
    struct slice key, value;
    struct store_iter *it;

    cr_assert_eq(store_put(s, STORE_SCHEMA, slice_of(ff, 3), slice_str("v"), false, &err), 0);
    for (size_t n = 0; n <= 2; n++) {
        it = store_iter_new(s, STORE_SCHEMA, slice_of(ff, n));
        cr_assert_eq(store_iter_next(it, &key, &value, &err), 1);
        cr_assert_eq(key.size, 3);
        cr_assert_eq(store_iter_next(it, &key, &value, &err), 0);
        store_iter_free(it);
    }
}

Test(store, the_nth_call_fails_and_does_nothing)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_freep) struct store *s = store_open_mem();

    store_mem_fail_at(s, 2);
    put(s, "a", "1");
    cr_assert_eq(store_put(s, STORE_META, slice_str("b"), slice_str("2"), false, &err), -EIO);
    cr_assert_eq(get(s, "b", &v), -ENOENT);
    put(s, "b", "2");
}

Test(store, a_failed_batch_can_be_tried_again)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    SCOPED(store_freep) struct store *s = store_open_mem();
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();

    store_batch_put(b, STORE_META, slice_str("a"), slice_str("1"));
    store_mem_fail_at(s, 1);
    cr_assert_eq(store_batch_commit(s, b, true, &err), -EIO);
    cr_assert_eq(store_batch_commit(s, b, true, &err), 0);
    cr_assert_eq(get(s, "a", &v), 0);
}

Test(store, survives_closing)
{
    SCOPED(buf_fini) struct buf v = BUF_INIT;
    struct store *s;
    char dir[64];

    make_test_dir(dir);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(store_open(dir, &s, &err), 0, "%s", err.text);
        if (i == 0)
            put(s, "zz", "kept");
        cr_assert_eq(get(s, "zz", &v), 0);
        store_close(s);
    }
    remove_test_dir(dir);
}

Test(store, a_second_daemon_is_refused_with_the_pid_of_the_first)
{
    char dir[64], pid[32];
    struct store *s, *t;

    make_test_dir(dir);
    cr_assert_eq(store_open(dir, &s, &err), 0, "%s", err.text);
    snprintf(pid, sizeof pid, "pid %d", (int)getpid());

    cr_assert_eq(store_open(dir, &t, &err), -EBUSY);
    cr_assert_not_null(strstr(err.text, pid), "%s", err.text);
    cr_assert_not_null(strstr(err.text, dir), "%s", err.text);

    store_close(s);
    cr_assert_eq(store_open(dir, &t, &err), 0, "free again: %s", err.text);
    store_close(t);
    remove_test_dir(dir);
}

Test(store, a_folder_that_cannot_be_made_is_named)
{
    struct store *s;

    cr_assert_eq(store_open("/nonexistent/below", &s, &err), -ENOENT);
    cr_assert_not_null(strstr(err.text, "/nonexistent/below"), "%s", err.text);
}

static void write_format(const char *dir, struct slice value)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    struct store *s;

    cr_assert_eq(store_open(dir, &s, &err), 0, "%s", err.text);
    key_format(&k);
    put(s, "other", "key");
    if (value.size)
        cr_assert_eq(store_put(s, STORE_META, key_slice(&k), value, true, &err), 0);
    else
        cr_assert_eq(store_delete(s, STORE_META, key_slice(&k), true, &err), 0);
    store_close(s);
}

Test(store, a_newer_or_damaged_format_is_refused)
{
    static const struct {
        struct slice value;
        int rc;
        const char *says;
    } cases[] = {
        { { (const uint8_t *)"\0\0\0\2", 4 }, -EPROTO, "newer sluiced" },
        { { (const uint8_t *)"\0\0\0\0", 4 }, -EBADMSG, "damaged" },
        { { (const uint8_t *)"\1", 1 }, -EBADMSG, "damaged" },
        { { NULL, 0 }, -EBADMSG, "damaged" },
    };
    struct store *s;
    char dir[64];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make_test_dir(dir);
        write_format(dir, cases[i].value);
        cr_assert_eq(store_open(dir, &s, &err), cases[i].rc, "case %zu: %s", i, err.text);
        cr_assert_not_null(strstr(err.text, cases[i].says), "%s", err.text);
        remove_test_dir(dir);
    }
}
