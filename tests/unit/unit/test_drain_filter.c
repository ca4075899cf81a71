#include "unit/drain/drain_filter.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/scope.h"
#include "unit/drain/pump_doc.h"

static struct drain_filter *filter_of(const char *text)
{
    json_t *doc = json_loads(text, 0, NULL), *full;
    struct drain_filter *f = NULL;
    struct err err = ERR_INIT;

    cr_assert_not_null(doc);
    full = doc_full(drainer_doc_fields, doc);
    cr_assert_eq(drain_filter_new(full, &f, &err), 0, "%s", err.text);
    json_decref(full);
    json_decref(doc);
    return f;
}

static bool takes(const struct drain_filter *f, const char *schema, const char *table)
{
    struct route to;

    return router_table(drain_filter_router(f), schema, table, &to);
}

Test(drain_filter, without_rules_all_but_the_servers_own_schemas_pass)
{
    struct drain_filter *f = filter_of("{}");

    cr_assert(takes(f, "a", "t"));
    cr_assert(!takes(f, "mysql", "user"));
    cr_assert(!takes(f, "INFORMATION_SCHEMA", "t"));
    cr_assert(!takes(f, "dm_meta", "sluice_checkpoint"), "our own checkpoint");
    drain_filter_free(f);
}

Test(drain_filter, a_table_passes_if_its_schema_or_it_is_allowed_and_nothing_blocks_it)
{
    struct drain_filter *f = filter_of(
        "{\"syncer\":{\"replicate_do_db\":[\"one\",\"~^re\"],\"replicate_do_table\":[{\"db_name\":"
        "\"two\",\"tbl_name\":\"t\"}],\"ignore_table\":[{\"db_name\":\"one\",\"tbl_name\":\"~log$"
        "\"}]}}");

    cr_assert(takes(f, "one", "a"));
    cr_assert(takes(f, "ONE", "A"), "names compare without case");
    cr_assert(takes(f, "two", "t"), "another rule's schema is no reason against it");
    cr_assert(!takes(f, "two", "u"));
    cr_assert(takes(f, "regular", "x"));
    cr_assert(!takes(f, "irregular", "x"));
    cr_assert(!takes(f, "one", "audit_log"), "the block list is stronger");
    drain_filter_free(f);
}

static enum filter_verdict judged(const struct drain_filter *f, const char *sql)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    struct ddl d;
    struct filter_statement st = { .sql = slice_str(sql), .ddl = &d, .schema = "a", .table = "t1" };

    ddl_scan(st.sql, false, false, &arena, &d);
    return filter_ddl(drain_filter_changes(f), &st, &arena, &rest);
}

Test(drain_filter, kinds_of_changes_and_statements_are_left_out_by_rule)
{
    struct drain_filter *f = filter_of(
        "{\"syncer\":{\"table_migrate_rule\":[{\"source\":{\"schema\":\"a\",\"table\":\"t*\"},"
        "\"binlog_filter_rule\":[\"r\"]}],\"binlog_filter_rule\":{\"r\":{\"ignore_event\":["
        "\"delete\","
        "\"truncate table\"],\"ignore_sql\":[\"^ALTER .* DROP COLUMN\"]}}}}");

    cr_assert_eq(drain_filter_rows(f, "a", "t1"), 1u << ROWS_DELETE);
    cr_assert_eq(drain_filter_rows(f, "a", "u1"), 0);
    cr_assert_eq(judged(f, "TRUNCATE t1"), FILTER_IGNORE);
    cr_assert_eq(judged(f, "ALTER TABLE t1 ADD COLUMN b INT"), FILTER_KEEP);
    cr_assert_eq(judged(f, "ALTER TABLE t1 DROP COLUMN b"), FILTER_IGNORE);
    drain_filter_free(f);
}

Test(drain_filter, a_rule_that_is_not_there_and_an_event_that_is_none_are_refused)
{
    static const char *const bad[] = {
        "{\"syncer\":{\"table_migrate_rule\":[{\"source\":{\"schema\":\"a\"},"
        "\"binlog_filter_rule\":[\"gone\"]}]}}",
        "{\"syncer\":{\"table_migrate_rule\":[{\"source\":{\"schema\":\"a\"},"
        "\"binlog_filter_rule\":[\"r\"]}],\"binlog_filter_rule\":{\"r\":{\"ignore_event\":"
        "[\"upsert\"]}}}}",
        "{\"syncer\":{\"ignore_server_ids\":[\"x\"]}}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *doc = json_loads(bad[i], 0, NULL);
        struct drain_filter *f = NULL;
        struct err err = ERR_INIT;

        cr_assert_eq(drain_filter_new(doc, &f, &err), -EINVAL, "%s", bad[i]);
        json_decref(doc);
    }
}

Test(pump_doc, durations_and_sizes_are_read_as_they_are_written)
{
    struct err err = ERR_INIT;
    uint64_t bytes;
    int64_t us;

    cr_assert_eq(pump_duration("7", &us, &err), 0);
    cr_assert_eq(us, (int64_t)7 * 86400 * 1000000);
    cr_assert_eq(pump_duration("8h", &us, &err), 0);
    cr_assert_eq(us, (int64_t)8 * 3600 * 1000000);
    cr_assert_eq(pump_duration("8 parsecs", &us, &err), -EINVAL);
    cr_assert_eq(pump_size("10 GiB", &bytes, &err), 0);
    cr_assert_eq(bytes, (uint64_t)10 << 30);
    cr_assert_eq(pump_size("10GB", &bytes, &err), 0);
    cr_assert_eq(bytes, (uint64_t)10000000000);
    cr_assert_eq(pump_size("much", &bytes, &err), -EINVAL);
}
