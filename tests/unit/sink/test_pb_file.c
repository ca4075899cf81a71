#include "sink/pb_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "base/scope.h"

/* Bytes as hex digits, spaces between are fine. */
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

static struct change_column cols[] = {
    { .name = "a", .type = COL_LONG, .primary = true },
    { .name = "b", .type = COL_VARCHAR },
};
static const struct change_table table = { .schema = "d", .name = "t", .n_cols = 2, .cols = cols };

static struct value text(const char *s)
{
    struct value v = { .kind = VALUE_BYTES, .size = (uint32_t)strlen(s) };

    v.p = (const uint8_t *)s;
    return v;
}

static struct value number(int64_t i)
{
    return (struct value){ .kind = VALUE_INT, .i = i };
}

Test(pb_file, an_insert_is_the_bytes_that_protobuf_says)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct value row[] = { number(-1), text("x") };
    struct change c = { .table = &table, .kind = ROWS_INSERT, .after = row };
    struct change_txn t = { .commit_ts = 300, .changes = &c, .n_changes = 1 };

    pb_file_encode(&t, &b);

    expect(&b, "0800"   /* tp DML */
               "10ac02" /* commit_ts 300 */
               "1a31"   /* dml_data */
               "0a2f"   /* an event */
               "0a0164"
               "120174"
               "1800" /* d, t, Insert */
               "220f"
               "0a0161"
               "120103"
               "1a03696e74"
               "22020801" /* a, 3, int, varint -1 */
               "2214"
               "0a0162"
               "12010f"
               "1a0776617263686172"
               "2203020278"); /* b, "x" */
}

Test(pb_file, an_update_has_the_value_before_and_the_one_after)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct value before[] = { number(1), { .kind = VALUE_NULL } };
    struct value after[] = { { .kind = VALUE_ABSENT }, text("y") };
    struct change c = { .table = &table, .kind = ROWS_UPDATE, .before = before, .after = after };
    struct change_txn t = { .commit_ts = 1, .changes = &c, .n_changes = 1 };

    pb_file_encode(&t, &b);

    expect(&b, "0800"
               "1001"
               "1a38"
               "0a36"
               "0a0164"
               "120174"
               "1801"
               "2213"
               "0a0161"
               "120103"
               "1a03696e74"
               "22020802"
               "2a020802"
               "2217"
               "0a0162"
               "12010f"
               "1a0776617263686172"
               "220100"
               "2a03020279");
}

Test(pb_file, a_statement_says_its_schema_first)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct change_txn t = {
        .commit_ts = 1, .ddl = true, .schema = slice_str("d`b"), .query = slice_str("DROP TABLE t")
    };

    pb_file_encode(&t, &b);

    expect(&b, "0801"
               "1001"
               "2219"
               "75736520"
               "60646060"
               "6260"
               "3b20"
               "44524f50205441424c452074"
               "3b");
}

Test(pb_file, a_record_has_magic_length_and_a_crc_32c)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    pb_file_frame(slice_str("123456789"), &b);

    /* The check value of CRC-32C is e3069283. */
    expect(&b, "04051b1c"
               "0900000000000000"
               "313233343536373839"
               "839206e3");
}

/* --- there and back --- */

static int decode(const struct buf *b, struct arena *arena, struct change_txn *ret)
{
    struct err err = ERR_INIT;

    return pb_file_decode(slice_of(b->data, b->size), arena, ret, &err);
}

Test(pb_file, every_kind_of_value_comes_back)
{
    static struct change_column many[] = {
        { .name = "u", .type = COL_LONGLONG, .is_unsigned = true },
        { .name = "f", .type = COL_FLOAT },
        { .name = "d", .type = COL_DOUBLE },
        { .name = "n", .type = COL_NEWDECIMAL },
        { .name = "t", .type = COL_DATETIME2 },
        { .name = "j", .type = COL_JSON },
        { .name = "x", .type = COL_BLOB, .binary = true },
        { .name = "z", .type = COL_LONG },
    };
    static const struct change_table t8 = { .schema = "s", .name = "m", .n_cols = 8, .cols = many };
    struct value row[] = { { .kind = VALUE_UINT, .u = UINT64_MAX },
                           { .kind = VALUE_FLOAT, .f = -1.5f },
                           { .kind = VALUE_DOUBLE, .d = 1e300 },
                           text("-12.50"),
                           text("2026-01-31 12:00:00.5"),
                           text("{\"a\":1}"),
                           text(""),
                           { .kind = VALUE_NULL } };
    struct change c = { .table = &t8, .kind = ROWS_DELETE, .before = row };
    struct change_txn t = { .commit_ts = UINT64_MAX >> 1, .changes = &c, .n_changes = 1 }, got;
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    const struct value *v;

    pb_file_encode(&t, &b);
    cr_assert_eq(decode(&b, &arena, &got), 0);

    cr_assert_eq(got.commit_ts, t.commit_ts);
    cr_assert_eq(got.n_changes, 1);
    cr_assert_eq(got.changes[0].kind, ROWS_DELETE);
    v = got.changes[0].before;
    cr_assert_eq(v[0].u, UINT64_MAX);
    cr_assert_eq(v[1].kind, VALUE_FLOAT);
    cr_assert_eq(v[1].f, -1.5f);
    cr_assert_eq(v[2].d, 1e300);
    cr_assert_eq(v[3].kind, VALUE_TEXT);
    cr_assert_eq(v[4].kind, VALUE_TEXT);
    cr_assert_eq(memcmp(v[4].p, "2026-01-31 12:00:00.5", v[4].size), 0);
    cr_assert_eq(v[5].kind, VALUE_JSON);
    cr_assert_eq(v[6].kind, VALUE_BYTES);
    cr_assert_eq(v[6].size, 0);
    cr_assert_eq(v[7].kind, VALUE_NULL);
    cr_assert(got.changes[0].table->cols[6].binary);
}

Test(pb_file, a_decimal_that_is_none_is_not_put_into_a_statement_as_it_is)
{
    static struct change_column one[] = { { .name = "n", .type = COL_NEWDECIMAL } };
    static const struct change_table t1 = { .schema = "s", .name = "m", .n_cols = 1, .cols = one };
    struct value row[] = { text("1); DROP TABLE x") };
    struct change c = { .table = &t1, .kind = ROWS_INSERT, .after = row };
    struct change_txn t = { .commit_ts = 1, .changes = &c, .n_changes = 1 }, got;
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;

    pb_file_encode(&t, &b);
    cr_assert_eq(decode(&b, &arena, &got), 0);

    cr_assert_eq(got.changes[0].after[0].kind, VALUE_BYTES);
}

Test(pb_file, bytes_cut_off_or_changed_are_never_a_record)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;
    struct slice payload;
    uint64_t need;

    pb_file_frame(slice_str("some payload"), &b);
    for (size_t size = 1; size < b.size; size++) {
        struct cursor c = cursor_of(slice_of(b.data, size));

        cr_assert_eq(pb_file_next(&c, &payload, &need, &err), -ENODATA, "cut at %zu", size);
    }
    for (size_t bit = 0; bit < 8 * b.size; bit++) {
        struct cursor c = cursor_of(slice_of(b.data, b.size));
        int rc;

        b.data[bit / 8] ^= (char)(1 << bit % 8);
        rc = pb_file_next(&c, &payload, &need, &err);
        cr_assert(rc == -EBADMSG || rc == -ENODATA, "bit %zu gives %d", bit, rc);
        b.data[bit / 8] ^= (char)(1 << bit % 8);
    }
}

Test(pb_file, use_is_taken_off_a_statement)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    const char *schema;
    struct slice rest;

    pb_file_statement(slice_str("use `d``b`; CREATE TABLE t(a INT);"), &arena, &schema, &rest);
    cr_assert_str_eq(schema, "d`b");
    cr_assert(slice_eq(rest, slice_str("CREATE TABLE t(a INT);")));

    pb_file_statement(slice_str("USE plain;DROP TABLE t;"), &arena, &schema, &rest);
    cr_assert_str_eq(schema, "plain");
    cr_assert(slice_eq(rest, slice_str("DROP TABLE t;")));

    pb_file_statement(slice_str("CREATE DATABASE x;"), &arena, &schema, &rest);
    cr_assert_str_eq(schema, "");
    cr_assert(slice_eq(rest, slice_str("CREATE DATABASE x;")));
}
