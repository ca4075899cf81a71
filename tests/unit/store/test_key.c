#include <criterion/criterion.h>

#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"

static void is_bytes(const struct buf *k, const char *bytes, size_t size)
{
    cr_assert(slice_eq(key_slice(k), slice_of(bytes, size)));
}
#define IS_BYTES(k, literal) is_bytes(k, literal, sizeof(literal) - 1)

Test(key, is_what_FORMAT_says)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;

    key_format(&k);
    IS_BYTES(&k, "\1");
    key_document(&k, "tasks/t");
    IS_BYTES(&k, "\2tasks/t");
    key_position(&k, "t", "s", "sync");
    IS_BYTES(&k, "\3t\0s\0sync\0");
    key_xa(&k, "t", "s", "x1", 0x01020304);
    IS_BYTES(&k, "\4t\0s\0x1\0\1\2\3\4");
    key_table(&k, "s", "d", "t", 258);
    IS_BYTES(&k, "\6s\0d\0t\0\0\0\0\0\0\0\1\2");
    key_line(&k, "audit", 1);
    IS_BYTES(&k, "\7audit\0\0\0\0\0\0\0\0\1");
}

Test(key, of_a_journal_is_what_FORMAT_says)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;

    key_block(&k, "j", 0x0102030405060708, 9);
    IS_BYTES(&k, "\10j\0\1\2\3\4\5\6\7\10\0\0\0\11");
    key_prefix(&k, KEY_HEAD, "j", NULL);
    IS_BYTES(&k, "\11j\0");
    key_prefix(&k, KEY_FIRST, "j", NULL);
    IS_BYTES(&k, "\12j\0");
    key_at_seq(&k, KEY_STRETCH, "j", 258);
    IS_BYTES(&k, "\13j\0\0\0\0\0\0\0\1\2");
    key_gtid(&k, "j", slice_str("o"), 1, 2);
    IS_BYTES(&k, "\14j\0o\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2");
    key_file(&k, KEY_FILE, "j", 1, 258);
    IS_BYTES(&k, "\15j\0\0\0\0\1\0\0\1\2");
    key_at_seq(&k, KEY_STATE, "j", 1);
    IS_BYTES(&k, "\16j\0\0\0\0\0\0\0\0\1");
    key_file(&k, KEY_FILE_END, "j", 1, 2);
    IS_BYTES(&k, "\17j\0\0\0\0\1\0\0\0\2");
    key_prefix(&k, KEY_HOLD, "j", "tasks/t", NULL);
    IS_BYTES(&k, "\20j\0tasks/t\0");
}

Test(key, of_a_journal_parses_back)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    struct slice a;
    uint64_t number, seq;
    uint32_t x, y;

    key_block(&k, "j", UINT64_MAX, 7);
    cr_assert(key_block_parse(key_slice(&k), &seq, &x));
    cr_assert(seq == UINT64_MAX && x == 7);
    for (size_t n = 0; n < k.size; n++)
        cr_assert_not(key_block_parse(slice_of(k.data, n), &seq, &x), "%zu bytes", n);
    key_at_seq(&k, KEY_STATE, "j", 9);
    cr_assert(key_at_seq_parse(key_slice(&k), KEY_STATE, &seq) && seq == 9);
    cr_assert_not(key_at_seq_parse(key_slice(&k), KEY_STRETCH, &seq));
    key_gtid(&k, "j", slice_of("\0z", 2), 3, 4);
    cr_assert(key_gtid_parse(key_slice(&k), &a, &number, &seq));
    cr_assert(slice_eq(a, slice_of("\0z", 2)) && number == 3 && seq == 4);
    cr_assert_not(key_gtid_parse(slice_of(k.data, 12), &a, &number, &seq));
    key_file(&k, KEY_FILE_END, "j", 3, 4);
    cr_assert(key_file_parse(key_slice(&k), KEY_FILE_END, &x, &y) && x == 3 && y == 4);
    cr_assert_not(key_file_parse(key_slice(&k), KEY_FILE, &x, &y));
    key_prefix(&k, KEY_HOLD, "j", "tasks/t", NULL);
    cr_assert(key_hold_parse(key_slice(&k), &a) && slice_eq(a, slice_str("tasks/t")));
}

Test(key, parses_back_what_it_made)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    struct slice a, b;
    uint64_t number;
    uint32_t chunk;

    key_document(&k, "sources/s1");
    cr_assert(key_document_parse(key_slice(&k), &a));
    cr_assert(slice_eq(a, slice_str("sources/s1")));
    key_xa(&k, "t", "s", "xid'1'", UINT32_MAX);
    cr_assert(key_xa_parse(key_slice(&k), &a, &chunk));
    cr_assert(slice_eq(a, slice_str("xid'1'")));
    cr_assert_eq(chunk, UINT32_MAX);
    key_table(&k, "s", "db", "", UINT64_MAX);
    cr_assert(key_table_parse(key_slice(&k), &a, &b, &number));
    cr_assert(slice_eq(a, slice_str("db")) && b.size == 0);
    cr_assert_eq(number, UINT64_MAX);
    key_line(&k, "events", 7);
    cr_assert(key_line_parse(key_slice(&k), &number));
    cr_assert_eq(number, 7);
}

Test(key, refuses_other_kinds_and_cut_keys)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    struct slice a, b;
    uint64_t number;
    uint32_t chunk;

    key_table(&k, "s", "db", "t", 5);
    for (size_t n = 0; n < k.size; n++)
        cr_assert_not(key_table_parse(slice_of(k.data, n), &a, &b, &number), "%zu bytes", n);
    buf_byte(&k, 0);
    cr_assert_not(key_table_parse(key_slice(&k), &a, &b, &number), "a byte too many");
    key_xa(&k, "t", "s", "x", 5);
    for (size_t n = 0; n < k.size; n++)
        cr_assert_not(key_xa_parse(slice_of(k.data, n), &a, &chunk), "%zu bytes", n);
    cr_assert_not(key_line_parse(key_slice(&k), &number));
    cr_assert_not(key_document_parse(key_slice(&k), &a));
}

static int order(const struct buf *a, const struct buf *b)
{
    size_t least = a->size < b->size ? a->size : b->size;
    int rc = memcmp(a->data, b->data, least);

    return rc ? rc : (a->size > b->size) - (a->size < b->size);
}

Test(key, sorts_by_number)
{
    static const uint64_t numbers[] = { 0,   1,     127,        128,        255,
                                        256, 65535, 1ull << 31, 1ull << 40, UINT64_MAX };
    SCOPED(buf_fini) struct buf a = BUF_INIT;
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    for (size_t i = 0; i + 1 < ARRAY_LEN(numbers); i++) {
        key_line(&a, "events", numbers[i]);
        key_line(&b, "events", numbers[i + 1]);
        cr_assert_lt(order(&a, &b), 0);
    }
}

Test(key, a_prefix_holds_whole_names_only)
{
    SCOPED(buf_fini) struct buf p = BUF_INIT;
    SCOPED(buf_fini) struct buf k = BUF_INIT;

    key_prefix(&p, KEY_POSITION, "t", "s1", NULL);
    key_position(&k, "t", "s1", "sync");
    cr_assert_eq(memcmp(k.data, p.data, p.size), 0);
    key_position(&k, "t", "s10", "sync");
    cr_assert_neq(memcmp(k.data, p.data, p.size), 0);
}

Test(key, after_is_the_end_of_a_prefix)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;

    buf_add(&k, "a\xff\xff", 3);
    cr_assert(key_after(&k));
    IS_BYTES(&k, "b");
    buf_clear(&k);
    buf_add(&k, "\xff\xff", 2);
    cr_assert_not(key_after(&k));
    buf_clear(&k);
    cr_assert_not(key_after(&k));
}
