/* What is old in a journal's family is compressed well: digits in rows, as sysbench writes them,
 * which lz4 cannot make smaller. */
#include <unistd.h>

#include "base/scope.h"
#include "store/key.h"
#include "unit/store/both_stores.h"

enum { VALUE_SIZE = 60000, N_VALUES = 300 };

static struct err err;

/* "12345678901-23456789012-...", of a generator's numbers. */
static void make_digits(struct buf *ret, uint64_t *x)
{
    buf_clear(ret);
    while (ret->size < VALUE_SIZE) {
        *x = *x * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_printf(ret, "%011llu-", (unsigned long long)(*x >> 28));
    }
}

static void fill(struct store *s)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    uint64_t x = 1;

    for (unsigned i = 0; i < N_VALUES; i++) {
        buf_clear(&key);
        key_block(&key, "s", i, KEY_WHOLE);
        make_digits(&value, &x);
        cr_assert_eq(
            store_put(s, STORE_JOURNAL, key_slice(&key), key_slice(&value), i % 20 == 0, &err), 0,
            "%s", err.text);
    }
}

/* Of the values up to number 'n', on disk. */
static double ratio(struct store *s, unsigned n)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;

    key_block(&from, "s", 0, 0);
    key_block(&to, "s", n, 0);
    return (double)store_size(s, STORE_JOURNAL, key_slice(&from), key_slice(&to)) /
           ((double)n * VALUE_SIZE);
}

Test(rocksdb_open, what_is_old_in_a_journal_is_compressed_well)
{
    const struct store_sizes small = { .buffer = 1 << 20, .hot = 2 << 20 };
    double old = 1, all;
    char dir[64];
    struct store *s;

    make_test_dir(dir);
    cr_assert_eq(store_open_sized(dir, &small, &s, &err), 0, "%s", err.text);
    fill(s);
    for (int i = 0; i < 600 && (old == 0 || old > 0.6); i++) { /* it is done aside */
        usleep(50000);
        old = ratio(s, N_VALUES / 2);
    }
    all = ratio(s, N_VALUES);
    cr_log_info("the older half takes %.2f of its bytes, all %.2f", old, all);
    cr_assert(old > 0 && old < 0.6, "the older half takes %.2f of its bytes", old);
    cr_assert_gt(all, old, "the newest is compressed lightly");
    store_close(s);
    remove_test_dir(dir);
}

/* The cache is strict, and one of its shards is smaller than that. */
Test(rocksdb_open, a_document_of_any_size_is_there_after_a_restart)
{
    enum { SIZE = 4 << 20 };
    static const enum store_family families[] = { STORE_META, STORE_CHECKPOINT, STORE_SCHEMA };
    SCOPED(buf_fini) struct buf value = BUF_INIT, got = BUF_INIT;
    char dir[64];
    struct store *s;

    make_test_dir(dir);
    buf_reserve(&value, SIZE);
    memset(value.data, 'x', SIZE);
    value.size = SIZE;
    cr_assert_eq(store_open(dir, &s, &err), 0, "%s", err.text);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(store_put(s, families[i], slice_str("large"), key_slice(&value), true, &err),
                     0, "%s", err.text);
    store_close(s);
    cr_assert_eq(store_open(dir, &s, &err), 0, "%s", err.text);
    for (size_t i = 0; i < 3; i++) {
        struct store_iter *it = store_iter_new(s, families[i], slice_str("la"));
        struct slice key, v;

        buf_clear(&got);
        cr_assert_eq(store_get(s, families[i], slice_str("large"), &got, &err), 0, "%s", err.text);
        cr_assert_eq(got.size, SIZE);
        cr_assert_eq(store_iter_next(it, &key, &v, &err), 1, "%s", err.text);
        cr_assert_eq(v.size, SIZE);
        store_iter_free(it);
    }
    store_close(s);
    remove_test_dir(dir);
}
