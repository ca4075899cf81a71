#include "unit/schema/schema_store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "route/router.h"
#include "store/store.h"
#include "unit/schema/schema_shape.h"

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
    cr_assert_eq(schema_store_each(&job, schema, append, &b, &err), 0);
    return b.data;
}

static struct slice text(const char *s)
{
    return slice_str(s);
}

Test(schema_store, columns_are_called_as_information_schema_does)
{
    struct table_def *def;

    cr_assert_eq(schema_def(text("CREATE TABLE x (a INTEGER UNSIGNED, b BOOL, c CHARACTER "
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

Test(schema_store, refuses_what_is_no_table)
{
    const char *bad[] = {
        "",        "DROP TABLE t", "CREATE TABLE t", "CREATE TABLE t LIKE u", "CREATE TABLE t ()",
        "SELECT 1"
    };
    struct table_def *def;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_eq(schema_def(text(bad[i]), "db", "t", &def, &err), -EINVAL, "%s", bad[i]);
}

Test(schema_store, the_newest_record_holds, .init = open_store, .fini = close_store)
{
    struct buf set = BUF_INIT;
    enum schema_kept kept;

    cr_assert_eq(schema_store_get(&job, "db", "t", &kept, NULL, &err), -ENOENT);
    cr_assert_eq(schema_store_put(&job, "db", "t", SCHEMA_MIRROR, 7, &err), 0);
    cr_assert_eq(schema_store_set(&job, "db", "t", text("CREATE TABLE t (a INT)"), &err), 0);
    cr_assert_eq(schema_store_get(&job, "db", "t", &kept, &set, &err), 0);
    cr_expect_eq(kept, SCHEMA_SET);
    buf_byte(&set, 0);
    cr_expect_str_eq(set.data, "CREATE TABLE t (a INT)");
    cr_assert_eq(schema_store_put(&job, "db", "t", SCHEMA_APART, 8, &err), 0);
    cr_assert_eq(schema_store_get(&job, "db", "t", &kept, NULL, &err), 0);
    cr_expect_eq(kept, SCHEMA_APART);
    buf_fini(&set);
}

Test(schema_store, lists_each_once_and_forgets, .init = open_store, .fini = close_store)
{
    char *all, *left;

    for (uint64_t seq = 1; seq < 4; seq++) {
        schema_store_put(&job, "a", "t", SCHEMA_MIRROR, seq, &err);
        schema_store_put(&job, "a", "t2", SCHEMA_NAMED, seq, &err);
        schema_store_put(&job, "ab", "u", SCHEMA_MIRROR, seq, &err);
    }
    all = known(NULL);
    cr_expect_str_eq(all, "a,ab,");
    cr_assert_eq(schema_store_drop(&job, "a", "t", &err), 0);
    cr_expect_eq(schema_store_drop(&job, "a", "t", &err), -ENOENT);
    left = known("a");
    cr_expect_str_eq(left, "t2,");
    free(all);
    free(left);
}

/* --- other names --- */

static struct router *router;

static void open_routed(void)
{
    struct router_rule out[] = { { "d", "away" } };

    open_store();
    cr_assert_eq(
        router_new(&(struct router_config){ .ignore_rules = out, .n_ignore = 1 }, &router, &err),
        0);
    job.router = router;
}

static void close_routed(void)
{
    job.router = NULL;
    router_free(router);
    close_store();
}

/* "t1 mirror,t2 apart," */
static void append_kept(void *arg, const char *name)
{
    static const char *const words[] = { "mirror", "apart", "named", "set" };
    enum schema_kept kept = SCHEMA_SET;
    struct err why = ERR_INIT;

    cr_assert_eq(schema_store_get(&job, "d", name, &kept, NULL, &why), 0);
    buf_printf(arg, "%s %s,", name, words[kept]);
}

static void all_kept(char *ret, size_t size)
{
    struct buf b = BUF_INIT;

    buf_str(&b, "");
    cr_assert_eq(schema_store_each(&job, "d", append_kept, &b, &err), 0);
    snprintf(ret, size, "%s", b.data);
    buf_fini(&b);
}

static const struct schema_rename swap[] = { { "d", "t1", "d", "x" },
                                             { "d", "t2", "d", "t1" },
                                             { "d", "x", "d", "t2" } };

Test(schema_store, a_name_that_is_no_table_any_more_is_not_listed, .init = open_routed,
     .fini = close_routed)
{
    struct schema_rename away[] = { { "d", "b", "d", "away" }, { "d", "c", "d", "b" } };
    char now[200];

    schema_store_put(&job, "d", "t", SCHEMA_MIRROR, 1, &err);
    schema_store_put(&job, "d", "t", SCHEMA_MIRROR, 2, &err);
    schema_store_put(&job, "d", "b", SCHEMA_NAMED, 2, &err);
    schema_store_set(&job, "d", "c", text("CREATE TABLE c (a INT)"), &err);

    cr_assert_eq(
        schema_store_rename(&job, &(struct schema_rename){ "d", "t", "d", "u" }, 1, 3, 33, &err),
        0);
    all_kept(now, sizeof now);
    cr_expect_str_eq(now, "b named,c set,u mirror,");

    /* one goes out of the task's sight; one that was set by hand holds no longer */
    cr_assert_eq(schema_store_rename(&job, away, 2, 4, 44, &err), 0);
    all_kept(now, sizeof now);
    cr_expect_str_eq(now, "b apart,u mirror,");
}

Test(schema_store, a_swap_that_comes_again_after_a_crash_is_made_once, .init = open_routed,
     .fini = close_routed)
{
    char now[200];

    schema_store_put(&job, "d", "t1", SCHEMA_MIRROR, 7, &err);
    schema_store_put(&job, "d", "t2", SCHEMA_APART, 9, &err);

    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(schema_store_rename(&job, swap, 3, 9, 99, &err), 0);
        all_kept(now, sizeof now);
        cr_expect_str_eq(now, "t1 apart,t2 mirror,");
    }
    cr_assert_eq(schema_store_rename(&job, swap, 3, 10, 99, &err),
                 0); /* the next of the same text */
    all_kept(now, sizeof now);
    cr_expect_str_eq(now, "t1 mirror,t2 apart,");
}

Test(schema_store, a_crash_leaves_the_names_of_before_or_of_after, .init = open_routed,
     .fini = close_routed)
{
    unsigned n = 0;
    int rc = -EIO;
    char now[200];

    schema_store_put(&job, "d", "t1", SCHEMA_MIRROR, 7, &err);
    schema_store_put(&job, "d", "t2", SCHEMA_APART, 9, &err);
    while (rc < 0) {
        store_mem_stop_at(job.store, ++n);
        rc = schema_store_rename(&job, swap, 3, 9, 99, &err);
        store_mem_stop_at(job.store, 0);
        all_kept(now, sizeof now);
        cr_expect_str_eq(now, rc < 0 ? "t1 mirror,t2 apart," : "t1 apart,t2 mirror,", "call %u", n);
    }
    cr_expect_gt(n, 3);
}
