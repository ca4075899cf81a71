/*
 * store_crash.c - writes to a store until it is killed, and looks at what is left.
 *
 *     store_crash DIR write       prints n when the n-th group is committed
 *     store_crash DIR full        writes until the disk is full, says so, tries again till it can,
 *                                 and writes some more
 *     store_crash DIR check N     at least N groups, each whole, none after a gap; prints how many
 *
 * Group n is one batch: its number in one family and pieces of a size that follows from n in
 * another.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "store/key.h"
#include "store/store.h"

static struct err err;

static void fail(const char *what, uint64_t n)
{
    fprintf(stderr, "store_crash: group %llu: %s%s%s\n", (unsigned long long)n, what,
            err.text[0] ? ": " : "", err.text);
    exit(1);
}

static unsigned n_pieces(uint64_t n)
{
    return (unsigned)(n * 7919 % 9);
}

static void make_piece(struct buf *ret, uint64_t n, unsigned piece)
{
    uint64_t size = (n * 31337 + piece * 271) % 20000, x = n * 6364136223846793005ULL + piece;

    buf_clear(ret);
    for (uint64_t i = 0; i < size; i++) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_byte(ret, (char)(x >> 56));
    }
    buf_be(ret, n, 8);
}

static uint64_t last_group(struct store *s)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    uint64_t n = 0;
    int rc;

    key_prefix(&prefix, KEY_LINE, "crash", NULL);
    it = store_iter_new(s, STORE_AUDIT, key_slice(&prefix));
    store_iter_last(it);
    rc = store_iter_prev(it, &key, &value, &err);
    if (rc < 0 || (rc > 0 && !key_line_parse(key, &n)))
        fail("cannot find the last", n);
    return n;
}

static int write_group(struct store *s, uint64_t n)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();

    key_line(&key, "crash", n);
    store_batch_put(b, STORE_AUDIT, key_slice(&key), slice_str("group"));
    for (unsigned p = 0; p < n_pieces(n); p++) {
        key_block(&key, "crash", n, p);
        make_piece(&value, n, p);
        store_batch_put(b, STORE_JOURNAL, key_slice(&key), key_slice(&value));
    }
    return store_batch_commit(s, b, n % 16 == 0, &err);
}

static void say(const char *what, uint64_t n)
{
    printf("%s%llu\n", what, (unsigned long long)n);
    fflush(stdout);
}

static void write_groups(struct store *s)
{
    for (uint64_t n = last_group(s) + 1;; n++) {
        if (write_group(s, n) < 0)
            fail("cannot commit", n);
        say("", n);
    }
}

static void write_until_full(struct store *s)
{
    uint64_t n = 1, end;

    while (write_group(s, n) == 0)
        n++;
    say(err.text, n);
    say("full ", n);
    if (err.code != -ENOSPC)
        fail("another error than expected", n);
    while (write_group(s, n) < 0)
        usleep(100000);
    say("again ", n);
    for (end = ++n + 200; n < end; n++)
        if (write_group(s, n) < 0)
            fail("cannot commit", n);
    say("", n - 1);
}

static void check_group(struct store *s, uint64_t n)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf expected = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;

    key_line(&key, "crash", n);
    if (store_get(s, STORE_AUDIT, key_slice(&key), &value, &err) < 0)
        fail("lost", n);
    for (unsigned p = 0; p < n_pieces(n); p++) {
        key_block(&key, "crash", n, p);
        make_piece(&expected, n, p);
        buf_clear(&value);
        if (store_get(s, STORE_JOURNAL, key_slice(&key), &value, &err) < 0)
            fail("a piece is lost", n);
        if (!slice_eq(key_slice(&value), key_slice(&expected)))
            fail("a piece is garbled", n);
    }
}

/* Pieces after the last group would be of a batch that was applied in part. */
static void check_nothing_after(struct store *s, uint64_t last)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;

    key_prefix(&prefix, KEY_BLOCK, "crash", NULL);
    key_block(&from, "crash", last + 1, 0);
    it = store_iter_new(s, STORE_JOURNAL, key_slice(&prefix));
    store_iter_seek(it, key_slice(&from));
    if (store_iter_next(it, &key, &value, &err) != 0)
        fail("there is a piece of a group that is not", last + 1);
}

int main(int argc, char **argv)
{
    SCOPED(store_freep) struct store *s = NULL;
    uint64_t last, at_least;

    if (argc < 3 || store_open(argv[1], &s, &err) < 0) {
        fprintf(stderr, "store_crash: %s\n", err.text);
        return 1;
    }
    if (strcmp(argv[2], "write") == 0)
        write_groups(s);
    if (strcmp(argv[2], "full") == 0) {
        write_until_full(s);
        return 0;
    }
    last = last_group(s);
    at_least = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if (last < at_least)
        fail("lost", at_least);
    for (uint64_t n = 1; n <= last; n++)
        check_group(s, n);
    check_nothing_after(s, last);
    printf("%llu\n", (unsigned long long)last);
    return 0;
}
