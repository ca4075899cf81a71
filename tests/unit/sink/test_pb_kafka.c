#include "sink/pb_kafka.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/scope.h"

static void expect(const struct buf *b, const char *hex)
{
    SCOPED(buf_fini) struct buf got = BUF_INIT, want = BUF_INIT;

    for (size_t i = 0; i < b->size; i++)
        buf_printf(&got, "%02x", (unsigned char)b->data[i]);
    for (; *hex; hex++)
        if (*hex != ' ')
            buf_byte(&want, *hex);
    cr_assert_str_eq(got.data, want.data);
}

static struct value text(const char *s)
{
    struct value v = { .kind = VALUE_BYTES, .size = (uint32_t)strlen(s) };

    v.p = (const uint8_t *)s;
    return v;
}

static unsigned first[] = { 0 };
static struct change_key keys[] = { { .name = "PRIMARY", .n_cols = 1, .cols = first } };
static struct change_column cols[] = {
    { .name = "a", .type = COL_LONG, .primary = true, .flen = 11 },
    { .name = "b", .type = COL_BLOB, .binary = true },
};
static const struct change_table table = {
    .schema = "d", .name = "t", .n_cols = 2, .cols = cols, .n_keys = 1, .keys = keys
};

Test(pb_kafka, an_insert_is_the_bytes_that_protobuf_says)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct value row[] = { { .kind = VALUE_INT, .i = 5 }, { .kind = VALUE_NULL } };
    struct change c = { .table = &table, .kind = ROWS_INSERT, .after = row };
    struct change_txn t = { .commit_ts = 300, .changes = &c, .n_changes = 1 };

    pb_kafka_encode(&t, &b);

    expect(&b, "0800"
               "10ac02"
               "1a45"
               "0a43"
               "0a0164"
               "120174"
               "1a0e"
               "0a0161"
               "1203696e74"
               "1801"
               "200b"
               "2800"
               "1a0f"
               "0a0162"
               "1204626c6f62"
               "1800"
               "2000"
               "2800"
               "220c"
               "0800"
               "1208"
               "0a021005"
               "0a020801"
               "2a0c"
               "0a075052494d415259"
               "120161"
               "2a03555443");
}

Test(pb_kafka, a_statement_has_schema_table_and_text)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct change_txn t = { .commit_ts = 1,
                            .ddl = true,
                            .schema = slice_str("d"),
                            .table = slice_str("t"),
                            .query = slice_str("DROP TABLE t") };

    pb_kafka_encode(&t, &b);

    expect(&b, "0801"
               "1001"
               "2214"
               "0a0164"
               "120174"
               "1a0c"
               "44524f50205441424c452074"
               "2a03555443");
}

Test(pb_kafka, an_update_comes_back_with_both_rows)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct value before[] = { { .kind = VALUE_INT, .i = -7 }, text("old") };
    struct value after[] = { { .kind = VALUE_ABSENT }, text("new") };
    struct change c = { .table = &table, .kind = ROWS_UPDATE, .before = before, .after = after };
    struct change_txn t = { .commit_ts = 9, .changes = &c, .n_changes = 1 }, got;
    struct err err = ERR_INIT;

    pb_kafka_encode(&t, &b);
    cr_assert_eq(pb_kafka_decode(slice_of(b.data, b.size), &arena, &got, &err), 0, "%s", err.text);

    cr_assert_eq(got.n_changes, 1);
    cr_assert_eq(got.changes[0].kind, ROWS_UPDATE);
    cr_assert_eq(got.changes[0].before[0].i, -7);
    cr_assert_eq(got.changes[0].after[0].i, -7, "a column that the image lacks is as before");
    cr_assert_eq(memcmp(got.changes[0].before[1].p, "old", 3), 0);
    cr_assert_eq(memcmp(got.changes[0].after[1].p, "new", 3), 0);
    cr_assert_eq(got.changes[0].table->n_keys, 1);
    cr_assert_str_eq(got.changes[0].table->keys[0].name, "PRIMARY");
    cr_assert(got.changes[0].table->cols[1].binary);
}

Test(pb_kafka, year_is_text_bit_is_bytes_and_enum_a_number)
{
    static struct change_column three[] = { { .name = "y", .type = COL_YEAR },
                                            { .name = "b", .type = COL_BIT },
                                            { .name = "e", .type = COL_ENUM } };
    static const struct change_table t3 = {
        .schema = "d", .name = "k", .n_cols = 3, .cols = three
    };
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct value row[] = { { .kind = VALUE_INT, .i = 1999 },
                           { .kind = VALUE_UINT, .u = 0x1ff },
                           { .kind = VALUE_UINT, .u = 2 } };
    struct change c = { .table = &t3, .kind = ROWS_DELETE, .before = row };
    struct change_txn t = { .commit_ts = 9, .changes = &c, .n_changes = 1 }, got;
    struct err err = ERR_INIT;

    pb_kafka_encode(&t, &b);
    cr_assert_eq(pb_kafka_decode(slice_of(b.data, b.size), &arena, &got, &err), 0);

    cr_assert_eq(got.changes[0].before[0].kind, VALUE_BYTES);
    cr_assert_eq(memcmp(got.changes[0].before[0].p, "1999", 4), 0);
    cr_assert_eq(got.changes[0].before[1].u, 0x1ff);
    cr_assert_eq(got.changes[0].before[2].u, 2);
}

/* Found by fuzz_pb. */
Test(pb_kafka, of_two_lists_of_changes_the_last_counts)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct value row[] = { { .kind = VALUE_INT, .i = 5 }, { .kind = VALUE_NULL } };
    struct change c = { .table = &table, .kind = ROWS_INSERT, .after = row };
    struct change_txn t = { .commit_ts = 300, .changes = &c, .n_changes = 1 }, got;
    struct err err = ERR_INIT;

    pb_kafka_encode(&t, &b);
    t.n_changes = 0;
    pb_kafka_encode(&t, &b);

    cr_assert_eq(pb_kafka_decode(slice_of(b.data, b.size), &arena, &got, &err), 0);
    cr_assert_eq(got.n_changes, 0);
}
