#include "route/router.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

#include "base/mem.h"
#include "route/pattern.h"

static int matches(const char *pattern, const char *name, bool fold)
{
    struct err err = ERR_INIT;
    struct pattern *p = NULL;
    int rc;

    cr_assert_eq(pattern_new(pattern, fold, &p, &err), 0, "%s", err.text);
    rc = pattern_match(p, name);
    pattern_free(p);
    return rc;
}

Test(pattern, follows_dm)
{
    static const struct {
        const char *pattern, *name;
        int want;
    } rows[] = {
        { "orders", "orders", 1 },
        { "orders", "order", 0 },
        { "order", "orders", 0 },
        { "ord*", "ord", 1 },
        { "ord*", "orders", 1 },
        { "*ers", "orders", 1 },
        { "*a*b*c", "xaybzc", 1 },
        { "*a*b*c", "xaybz", 0 },
        { "*", "", 1 },
        { "?", "\xc3\xa9", 1 },
        { "?", "ab", 0 },
        { "t_[0-9]", "t_7", 1 },
        { "t_[0-9]", "t_x", 0 },
        { "t_[!0-9]", "t_x", 1 },
        { "t_[!0-9]", "t_7", 0 },
        { "t_[abc]*", "t_bz", 1 },
        { "[]]", "]", 1 },
        { "a[-z]", "a-", 1 },
        { "[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", 1 },
        { "Orders", "orders", 0 },
        { "~^ord", "orders", 1 },
        { "~ers$", "orders", 1 },
        { "~^ord$", "orders", 0 },
        { "~test2?[animal|human]", "test2a", 1 },
        { "~tbl.*[cat|dog]+", "tbl_dog", 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect_eq(matches(rows[i].pattern, rows[i].name, false), rows[i].want, "%s on %s",
                     rows[i].pattern, rows[i].name);
    cr_expect_eq(matches("Ord[A-C]*", "oRDbx", true), 1);
    cr_expect_eq(matches("~^ORD", "orders", true), 1);
    cr_expect_eq(matches("~^ORD", "orders", false), 0);
}

Test(pattern, refuses_what_is_none)
{
    static const char *const bad[] = { "~(", "a[b", "a[", "a[]", "a[!", "~[z-a]" };
    struct err err = ERR_INIT;
    struct pattern *p;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect_eq(pattern_new(bad[i], false, &p, &err), -EINVAL, "%s", bad[i]);
    pattern_new("~(", false, &p, &err);
    cr_assert_str_eq(err.text, "pattern '~(': missing closing parenthesis at character 2");
}

Test(pattern, runaways_end)
{
    struct timespec a, b;

    clock_gettime(CLOCK_MONOTONIC, &a);
    cr_expect_eq(matches("~^(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false),
                 -E2BIG);
    cr_expect_eq(matches("*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
                 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    cr_assert_lt(b.tv_sec - a.tv_sec, 2);
}

/* "a.b" as it is called in the target, or "-" if it is out of scope. */
static const char *goes(const struct router *r, const char *schema, const char *table)
{
    static char text[400];
    struct route to;

    if (!router_table(r, schema, table, &to))
        return "-";
    snprintf(text, sizeof text, "%s.%s", to.to_schema, to.to_table);
    return text;
}

static struct router *router_of(struct router_config c)
{
    struct err err = ERR_INIT;
    struct router *r = NULL;

    cr_assert_eq(router_new(&c, &r, &err), 0, "%s", err.text);
    return r;
}

Test(router, without_rules_takes_all_but_system_schemas)
{
    struct router *r = router_of((struct router_config){ .meta_schema = "dm_meta" });

    cr_expect_str_eq(goes(r, "shop", "orders"), "shop.orders");
    cr_expect_str_eq(goes(r, "mysql", "user"), "-");
    cr_expect_str_eq(goes(r, "Performance_Schema", "x"), "-");
    cr_expect_str_eq(goes(r, "information_schema", "tables"), "-");
    cr_expect_str_eq(goes(r, "sys", "version"), "-");
    cr_expect_str_eq(goes(r, "dm_meta", "t"), "-");
    router_free(r);
}

Test(router, block_and_allow_list_in_the_order_of_dm)
{
    static const struct router_rule allow[] = { { .schema = "shop*" },
                                                { .schema = "shop1", .table = "keep*" } };
    static const struct router_rule block[] = { { .schema = "shop1" },
                                                { .schema = "shop1", .table = "keep_not" },
                                                { .schema = "*", .table = "tmp*" } };
    struct router *r = router_of((struct router_config){ .do_rules = allow, .n_do = 2 });

    cr_expect_str_eq(goes(r, "shop1", "keep1"), "shop1.keep1");
    cr_expect_str_eq(goes(r, "shop1", "other"), "-", "do-tables is given and does not match");
    cr_expect_str_eq(goes(r, "bar", "keep1"), "-");
    router_free(r);

    r = router_of((struct router_config){
        .do_rules = allow, .n_do = 1, .ignore_rules = block, .n_ignore = 3 });
    cr_expect_str_eq(goes(r, "shop1", "a"), "shop1.a", "do-dbs wins over ignore-dbs");
    cr_expect_str_eq(goes(r, "shop1", "keep_not"), "-");
    cr_expect_str_eq(goes(r, "shop2", "tmp1"), "-");
    router_free(r);

    r = router_of((struct router_config){ .ignore_rules = block, .n_ignore = 1 });
    cr_expect_str_eq(goes(r, "shop1", "a"), "-");
    cr_expect_str_eq(goes(r, "shop2", "a"), "shop2.a");
    router_free(r);
}

Test(router, migrate_rules_are_a_union)
{
    static const struct router_rule rules[] = { { .schema = "a" },
                                                { .schema = "b", .table = "t?" } };
    struct router *r = router_of((struct router_config){ .migrate_rules = rules, .n_migrate = 2 });
    struct route to;

    cr_expect_str_eq(goes(r, "a", "x"), "a.x");
    cr_expect_str_eq(goes(r, "b", "t1"), "b.t1");
    cr_expect_str_eq(goes(r, "b", "x"), "-");
    cr_expect_str_eq(goes(r, "c", "t1"), "-");
    cr_expect(router_schema(r, "a", &to) && to.whole);
    cr_expect(router_schema(r, "b", &to) && !to.whole);
    cr_expect(!router_schema(r, "c", &to));
    router_free(r);
}

Test(router, table_routes_win_over_schema_routes)
{
    static const struct router_rule routes[] = {
        { .schema = "s*", .to_schema = "all" },
        { .schema = "s1", .table = "t*", .to_schema = "one", .to_table = "t" },
        { .schema = "s1", .table = "u", .to_table = "v" },
    };
    struct router *r = router_of((struct router_config){ .routes = routes, .n_routes = 3 });
    struct route to;

    cr_expect_str_eq(goes(r, "s1", "t9"), "one.t");
    cr_expect_str_eq(goes(r, "s1", "u"), "s1.v");
    cr_expect_str_eq(goes(r, "s1", "x"), "all.x");
    cr_expect_str_eq(goes(r, "S1", "x"), "S1.x", "names are case sensitive unless told");
    cr_expect(router_schema(r, "s1", &to) && strcmp(to.to_schema, "all") == 0 && !to.whole);
    cr_expect(router_schema(r, "s2", &to) && strcmp(to.to_schema, "all") == 0 && to.whole);
    router_free(r);
}

Test(router, a_schema_follows_its_tables_when_they_agree)
{
    static const struct router_rule routes[] = {
        { .schema = "a", .table = "t*", .to_schema = "z" },
        { .schema = "a", .table = "u*", .to_schema = "z" },
        { .schema = "b", .table = "t*", .to_schema = "y" },
        { .schema = "b", .table = "u*", .to_schema = "z" },
    };
    struct router *r = router_of((struct router_config){ .routes = routes, .n_routes = 4 });
    struct route to;

    cr_expect(router_schema(r, "a", &to) && strcmp(to.to_schema, "z") == 0 && !to.whole);
    cr_expect(!router_schema(r, "b", &to));
    router_free(r);
}

Test(router, all_tables_of_a_schema_are_the_schema)
{
    static const struct router_rule rules[] = { { .schema = "a", .table = "*" } };
    static const struct router_rule routes[] = {
        { .schema = "a", .table = "*", .to_schema = "z" },
    };
    struct router *r = router_of((struct router_config){
        .migrate_rules = rules, .n_migrate = 1, .routes = routes, .n_routes = 1 });
    struct route to;

    cr_expect(router_schema(r, "a", &to) && strcmp(to.to_schema, "z") == 0 && to.whole);
    router_free(r);
}

Test(router, names_both_routes_of_a_conflict)
{
    static const struct router_rule routes[] = {
        { .schema = "s", .table = "t*", .to_schema = "a", .to_table = "x" },
        { .schema = "s*", .table = "t1", .to_schema = "b" },
        { .schema = "q", .to_schema = "a" },
        { .schema = "~^q", .to_schema = "a" },
    };
    struct router *r = router_of((struct router_config){ .routes = routes, .n_routes = 4 });
    struct err err = ERR_INIT;

    cr_expect_eq(router_check(r, "s", "t2", &err), 0);
    cr_expect_eq(router_check(r, "s", "t1", &err), -EEXIST);
    cr_expect_str_eq(err.text, "table s.t1 matches two routes: s.t* -> a.x, and s*.t1 -> b");
    cr_expect_eq(router_check(r, "q", "t", &err), 0, "both lead to the same place");
    router_free(r);
}

Test(router, reports_a_runaway_expression)
{
    static const struct router_rule rules[] = { { .schema = "s", .table = "~^(a+)+$" } };
    struct router *r = router_of((struct router_config){ .ignore_rules = rules, .n_ignore = 1 });
    struct err err = ERR_INIT;

    cr_expect_eq(router_check(r, "s", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", &err), -E2BIG);
    cr_expect_eq(router_check(r, "s", "b", &err), 0);
    router_free(r);
}

Test(router, folds_case_when_told)
{
    static const struct router_rule allow[] = { { .schema = "Shop" } };
    struct router *r =
        router_of((struct router_config){ .do_rules = allow, .n_do = 1, .fold_case = true });

    cr_expect_str_eq(goes(r, "sHOP", "T"), "sHOP.T");
    router_free(r);
}

Test(router, online_tables_follow_theirs)
{
    struct router_rule rules[] = { { "shop", "orders", "store", "sales" } };
    struct router_rule ignored[] = { { "shop", "_orders_del" } };
    struct router_config c = { .migrate_rules = rules,
                               .n_migrate = 1,
                               .routes = rules,
                               .n_routes = 1,
                               .ignore_rules = ignored,
                               .n_ignore = 1,
                               .online_tables = true };
    struct err err = ERR_INIT;
    struct router *r;

    cr_assert_eq(router_new(&c, &r, &err), 0);
    cr_expect_str_eq(goes(r, "shop", "_orders_gho"), "store._sales_gho");
    cr_expect_str_eq(goes(r, "shop", "_orders_ghc"), "store._sales_ghc");
    cr_expect_str_eq(goes(r, "shop", "_orders_new"), "store._sales_new");
    cr_expect_str_eq(goes(r, "shop", "_orders_old"), "store._sales_old");
    cr_expect_str_eq(goes(r, "shop", "_orders_del"), "-", "it is to be left out");
    cr_expect_str_eq(goes(r, "shop", "_items_gho"), "-", "its table is not in scope");
    cr_expect_str_eq(goes(r, "shop", "orders_gho"), "-");
    cr_expect_str_eq(goes(r, "shop", "__gho"), "-");
    cr_expect_str_eq(goes(r, "mysql", "_orders_gho"), "-");
    router_free(r);

    c.online_tables = false;
    cr_assert_eq(router_new(&c, &r, &err), 0);
    cr_expect_str_eq(goes(r, "shop", "_orders_gho"), "-");
    router_free(r);
}

Test(router, online_tables_of_shards_go_nowhere)
{
    struct router_rule rules[] = { { "shop", "*", "store", "sales" } };
    struct router_config c = {
        .migrate_rules = rules, .n_migrate = 1, .routes = rules, .n_routes = 1, .hide_online = true
    };
    struct err err = ERR_INIT;
    char base[193];
    struct router *r;

    cr_assert_eq(router_new(&c, &r, &err), 0);
    cr_expect_str_eq(goes(r, "shop", "orders_1"), "store.sales");
    cr_expect_str_eq(goes(r, "shop", "_orders_1_gho"), "-", "though the rules match it");
    cr_expect_eq(router_online(r, "shop", "_orders_1_gho", base), ONLINE_GHOST);
    cr_expect_str_eq(base, "orders_1");
    cr_expect_eq(router_online(r, "shop", "_orders_1_new", base), ONLINE_GHOST);
    cr_expect_eq(router_online(r, "shop", "_orders_1_ghc", base), ONLINE_TRASH);
    cr_expect_eq(router_online(r, "shop", "_orders_1_old", base), ONLINE_TRASH);
    cr_expect_eq(router_online(r, "shop", "orders_1", base), ONLINE_NONE);
    cr_expect_eq(router_online(r, "other", "_orders_1_gho", base), ONLINE_NONE);
    router_free(r);
}

Test(router, online_tables_by_names_of_ones_own)
{
    static const char *const ghosts[] = { "^tmp(.+)Neu$", "^neu_(.+)$" };
    static const char *const trash[] = { "^(.+)_alt$" };
    struct router_rule rules[] = { { "shop", "orders", "store", "sales" } };
    struct router_config c = { .migrate_rules = rules,
                               .n_migrate = 1,
                               .routes = rules,
                               .n_routes = 1,
                               .online_ghosts = { ghosts, 2 },
                               .online_trash = { trash, 1 },
                               .online_tables = true };
    struct err err = ERR_INIT;
    char base[193];
    struct router *r;

    cr_assert_eq(router_new(&c, &r, &err), 0, "%s", err.text);
    cr_expect_str_eq(goes(r, "shop", "tmpordersNeu"), "store.tmpsalesNeu");
    cr_expect_str_eq(goes(r, "shop", "neu_orders"), "store.neu_sales");
    cr_expect_str_eq(goes(r, "shop", "orders_alt"), "store.sales_alt");
    cr_expect_str_eq(goes(r, "shop", "_orders_gho"), "-", "the usual names are not meant");
    cr_expect_eq(router_online(r, "shop", "neu_orders", base), ONLINE_GHOST);
    cr_expect_str_eq(base, "orders");
    cr_expect_eq(router_online(r, "shop", "orders_alt", base), ONLINE_TRASH);
    router_free(r);

    c.online_trash.n = 0; /* each list by itself has its usual names */
    cr_assert_eq(router_new(&c, &r, &err), 0, "%s", err.text);
    cr_expect_str_eq(goes(r, "shop", "_orders_del"), "store._sales_del");
    cr_expect_str_eq(goes(r, "shop", "_orders_new"), "-");
    router_free(r);
}

Test(router, names_of_online_tables_need_one_group)
{
    static const char *const wrong[] = { "^_.+_gho$", "^_(.+)_(gho|new)$", "^_(.+_gho$" };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct router_config c = { .online_ghosts = { &wrong[i], 1 } };
        struct err err = ERR_INIT;
        struct router *r = NULL;

        cr_expect_eq(router_new(&c, &r, &err), -EINVAL, "%s", wrong[i]);
        cr_expect_not_null(strstr(err.text, "shadow_table_rules: regex ^_"), "%s", err.text);
    }
}

Test(router, columns_are_filled_from_names)
{
    static const struct router_extract extracts[] = {
        { ROUTER_TABLE, "^t_(\\d+)_(.)", "c_table" },
        { ROUTER_SCHEMA, "shard", "c_schema" },
        { ROUTER_SOURCE, "replica-(.*)", "c_source" },
    };
    static const struct router_rule route = { .schema = "shard*",
                                              .table = "t_*",
                                              .to_schema = "all",
                                              .to_table = "t",
                                              .extracts = extracts,
                                              .n_extracts = 3 };
    struct router_config c = { .routes = &route, .n_routes = 1 };
    struct router_extracted x;
    struct router *r = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(router_new(&c, &r, &err), 0, "%s", err.text);
    router_extracted(r, "replica-07", "shard_3", "t_42_x", &x);
    cr_assert_eq(x.n, 3);
    cr_expect_str_eq(x.at[0].column, "c_table");
    cr_expect_str_eq(x.at[0].value, "42x");
    cr_expect_str_eq(x.at[1].value, "shard");
    cr_expect_str_eq(x.at[2].value, "07");
    router_extracted(r, "other", "shard_3", "t_y", &x);
    cr_expect_str_eq(x.at[0].value, "");
    cr_expect_str_eq(x.at[2].value, "");
    router_extracted(r, "other", "elsewhere", "t_y", &x);
    cr_expect_eq(x.n, 0);
    router_free(r);
}
