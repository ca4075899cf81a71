#include "store/line_log.h"

#include "base/scope.h"
#include "store/key.h"
#include "unit/store/both_stores.h"

static struct err err;

static void add(void *arg, const char *line)
{
    buf_printf(arg, "%s ", line);
}

static void append(struct line_log *l, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        char text[16];

        snprintf(text, sizeof text, "l%d", (int)i);
        line_log_append(l, i, text);
    }
}

static void is(struct store *s, const char *log, const char *expected, uint64_t expected_next)
{
    SCOPED(buf_fini) struct buf lines = BUF_INIT;
    struct line_log *l = line_log_new(s, log, 5);
    uint64_t next = 99;

    buf_add(&lines, "", 0);
    cr_assert_eq(line_log_each(l, add, &lines, &next, &err), 0, "%s", err.text);
    cr_assert_str_eq(lines.data, expected);
    cr_assert_eq(next, expected_next);
    line_log_free(l);
}

BOTH_STORES(line_log, keeps_the_last_lines_of_each_log)
{
    struct line_log *l = line_log_new(s, "events", 5), *other = line_log_new(s, "audit", 5);

    append(l, 0, 3);
    append(other, 0, 1);
    line_log_free(l);
    line_log_free(other);
    is(s, "events", "l0 l1 l2 ", 3);
    is(s, "audit", "l0 ", 1);
    is(s, "other", "", 0);
}

BOTH_STORES(line_log, drops_old_lines_and_never_repeats_a_number)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    struct line_log *l;
    unsigned n = 0;

    for (uint64_t i = 0; i < 40; i += 4) {
        l = line_log_new(s, "events", 5);
        append(l, i, i + 4);
        line_log_free(l);
    }
    is(s, "events", "l35 l36 l37 l38 l39 ", 40);
    key_prefix(&k, KEY_LINE, "events", NULL);
    it = store_iter_new(s, STORE_AUDIT, key_slice(&k));
    while (store_iter_next(it, &key, &value, &err) > 0)
        n++;
    cr_assert_leq(n, 10, "%u lines on disk", n);
}

Test(line_log, goes_on_after_a_failed_write)
{
    SCOPED(store_freep) struct store *s = store_open_mem();
    struct line_log *l = line_log_new(s, "events", 5);

    store_mem_fail_at(s, 1);
    append(l, 0, 1);
    line_log_free(l);
    is(s, "events", "", 0);
    l = line_log_new(s, "events", 5);
    append(l, 1, 2);
    line_log_free(l);
    is(s, "events", "l1 ", 2);
}
