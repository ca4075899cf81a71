#include "unit/sync/sync_schema.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "store/store.h"
#include "unit/sync/sync_shape.h"

static struct job job = { .task = "t", .source = "s" };
static struct err err = ERR_INIT;

static void open_store(void)
{
    job.store = store_open_mem();
}

static void close_store(void)
{
    store_close(job.store);
}

static void append(void *arg, const char *name)
{
    buf_printf(arg, "%s,", name);
}

static char *known(const char *schema)
{
    struct buf b = BUF_INIT;

    buf_str(&b, "");
    cr_assert_eq(sync_schema_each(&job, schema, append, &b, &err), 0);
    return b.data;
}

static struct slice text(const char *s)
{
    return slice_str(s);
}

Test(sync_schema, columns_are_called_as_information_schema_does)
{
    struct table_def *def;

    cr_assert_eq(sync_schema_def(text("CREATE TABLE x (a INTEGER UNSIGNED, b BOOL, c CHARACTER "
                                      "VARYING(9), d NUMERIC(5,2), e TIME(3), f INT AS (a + 1), "
                                      "g INT AS (a) STORED, h UUID, i JSON, PRIMARY KEY (a))"),
                                 "db", "t", &def, &err),
                 0, "%s", err.text);
    cr_assert_eq(def->n_cols, 9);
    cr_expect_str_eq(def->name, "t");
    cr_expect_str_eq(def->cols[0].data_type, "int");
    cr_expect(def->cols[0].is_unsigned);
    cr_expect_str_eq(def->cols[1].data_type, "tinyint");
    cr_expect_str_eq(def->cols[2].data_type, "varchar");
    cr_expect_str_eq(def->cols[3].data_type, "decimal");
    cr_expect_str_eq(def->cols[4].column_type, "time(3)");
    cr_expect(def->cols[5].is_virtual && !def->cols[6].is_virtual && def->cols[6].generated);
    cr_expect_str_eq(def->cols[7].data_type, "uuid");
    cr_expect(def->cols[8].json);
    table_free(def);
}

Test(sync_schema, refuses_what_is_no_table)
{
    const char *bad[] = {
        "",        "DROP TABLE t", "CREATE TABLE t", "CREATE TABLE t LIKE u", "CREATE TABLE t ()",
        "SELECT 1"
    };
    struct table_def *def;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(sync_schema_def(text(bad[i]), "db", "t", &def, &err), -EINVAL, "%s", bad[i]);
}

Test(sync_schema, the_newest_record_holds, .init = open_store, .fini = close_store)
{
    struct buf set = BUF_INIT;
    enum schema_kept kept;

    cr_assert_eq(sync_schema_get(&job, "db", "t", &kept, NULL, &err), -ENOENT);
    cr_assert_eq(sync_schema_put(&job, "db", "t", SCHEMA_MIRROR, 7, &err), 0);
    cr_assert_eq(sync_schema_set(&job, "db", "t", text("CREATE TABLE t (a INT)"), &err), 0);
    cr_assert_eq(sync_schema_get(&job, "db", "t", &kept, &set, &err), 0);
    cr_expect_eq(kept, SCHEMA_SET);
    buf_byte(&set, 0);
    cr_expect_str_eq(set.data, "CREATE TABLE t (a INT)");
    cr_assert_eq(sync_schema_put(&job, "db", "t", SCHEMA_APART, 8, &err), 0);
    cr_assert_eq(sync_schema_get(&job, "db", "t", &kept, NULL, &err), 0);
    cr_expect_eq(kept, SCHEMA_APART);
    buf_fini(&set);
}

Test(sync_schema, lists_each_once_and_forgets, .init = open_store, .fini = close_store)
{
    char *all, *left;

    for (uint64_t seq = 1; seq < 4; seq++) {
        sync_schema_put(&job, "a", "t", SCHEMA_MIRROR, seq, &err);
        sync_schema_put(&job, "a", "t2", SCHEMA_NAMED, seq, &err);
        sync_schema_put(&job, "ab", "u", SCHEMA_MIRROR, seq, &err);
    }
    all = known(NULL);
    cr_expect_str_eq(all, "a,ab,");
    cr_assert_eq(sync_schema_drop(&job, "a", "t", &err), 0);
    cr_expect_eq(sync_schema_drop(&job, "a", "t", &err), -ENOENT);
    left = known("a");
    cr_expect_str_eq(left, "t2,");
    free(all);
    free(left);
}
