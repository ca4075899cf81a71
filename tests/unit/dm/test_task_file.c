#include "dm/task_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/yaml.h"

static json_t *yaml(const char *text)
{
    struct err err = ERR_INIT;
    json_t *v = yaml_parse(text, strlen(text), &err);

    cr_assert_not_null(v, "%s: %s", text, err.text);
    return v;
}

#define TARGET "target_config: {host: h, port: 1, user: u}\n"
#define RULE(source, schema, table) \
    "{source: {source_name: " source ", schema: '" schema "', table: '" table "'}"

/* A document that a file says whole comes back as it went. */
static void comes_back(const char *rest)
{
    SCOPED(freep)
    char *text = xasprintf("name: t\ntask_mode: all\non_duplicate: error\n" TARGET "%s", rest);
    SCOPED(json_decrefp) json_t *doc = yaml(text), *file = NULL, *back = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(task_file_write(doc, &file, &err), 0, "%s: %s", text, err.text);
    SCOPED(freep) char *shown = json_dumps(file, JSON_INDENT(1));
    cr_assert_eq(task_file_read(file, &back, &err), 0, "%s: %s", shown, err.text);
    json_object_set_new(back, "on_duplicate", json_string("error"));
    json_object_del(json_object_get(json_object_get(back, "source_config"), "full_migrate_conf"),
                    "on_duplicate_logical");
    if (!json_object_size(
            json_object_get(json_object_get(back, "source_config"), "full_migrate_conf")))
        json_object_del(json_object_get(back, "source_config"), "full_migrate_conf");
    SCOPED(freep) char *got = json_dumps(back, JSON_INDENT(1) | JSON_SORT_KEYS);
    cr_expect(json_equal(doc, back), "%s\n%s\n%s", text, shown, got);
}

Test(task_file, comes_back_as_it_went)
{
    comes_back("source_config: {source_conf: [{source_name: a}]}\n"
               "table_migrate_rule: [" RULE("a", "*", "") "}]\n");
    comes_back("source_config: {source_conf: [{source_name: a}, {source_name: b}]}\n"
               "table_migrate_rule: [" RULE("a", "x", "") "}, " RULE("b", "y", "t_*") "}]\n");
    comes_back("source_config: {source_conf: [{source_name: a, binlog_gtid: 0-1-2}],\n"
               "  full_migrate_conf: {consistency: none, export_threads: 3},\n"
               "  incr_migrate_conf: {safe_mode: true}}\n"
               "shard_mode: optimistic\n"
               "table_migrate_rule: [" RULE("a", "*", "") "}]\n");
}

Test(task_file, says_what_the_api_of_dm_has_no_word_for)
{
    comes_back("source_config: {source_conf: [{source_name: a, expression_filters: [e]}]}\n"
               "expression_filter: {e: {schema: s, table: t, insert_value_expr: a > 1}}\n"
               "table_migrate_rule: [" RULE("a", "*", "") "}]\n");
    comes_back("source_config: {source_conf: [{source_name: a}]}\n"
               "block_allow_list: {do_dbs: [x], ignore_tables: [{db_name: x, tbl_name: log}]}\n"
               "table_migrate_rule: [" RULE("a", "x", "") "}]\n");
    comes_back("source_config: {source_conf: [{source_name: a}]}\n"
               "table_migrate_rule: [" RULE(
                   "a", "x", "t_*") ", target: {schema: y, table: t}, "
                                    "extract_table: {table_regexp: t_(.*), target_column: c}}]\n");
}

/* A route wider than the list brings nothing in that the list leaves out. */
Test(task_file, keeps_the_list_where_rules_are_wider)
{
    SCOPED(json_decrefp)
    json_t *file = yaml("task-mode: all\nmysql-instances: [{source-id: a, block-allow-list: l, "
                        "route-rules: [r]}]\nblock-allow-list: {l: {do-tables: [{db-name: x, "
                        "tbl-name: t}]}}\nroutes: {r: {schema-pattern: '*', target-schema: y}}\n");
    SCOPED(json_decrefp) json_t *doc = NULL;
    SCOPED(json_decrefp) json_t *want = yaml("{do_tables: [{db_name: x, tbl_name: t}]}");
    struct err err = ERR_INIT;

    cr_assert_eq(task_file_read(file, &doc, &err), 0, "%s", err.text);

    cr_expect(json_equal(json_object_get(doc, "block_allow_list"), want));
    cr_expect_eq(json_array_size(json_object_get(doc, "table_migrate_rule")), 2);
}

/* ... and one within it needs none: each source may have its own. */
Test(task_file, needs_no_list_where_rules_say_all)
{
    SCOPED(json_decrefp)
    json_t *file =
        yaml("task-mode: all\nmysql-instances: [{source-id: a, block-allow-list: l, "
             "route-rules: [r]}, {source-id: b, block-allow-list: k}]\n"
             "block-allow-list: {l: {do-dbs: [x]}, k: {do-dbs: [y]}}\n"
             "routes: {r: {schema-pattern: x, table-pattern: 't*', target-schema: z}}\n");
    SCOPED(json_decrefp) json_t *doc = NULL;
    struct err err = ERR_INIT;

    cr_assert_eq(task_file_read(file, &doc, &err), 0, "%s", err.text);

    cr_expect_null(json_object_get(doc, "block_allow_list"));
    cr_expect_eq(json_array_size(json_object_get(doc, "table_migrate_rule")), 3);
}

/* Rules for statements see them whole only where they are for all: route/filter.h. */
Test(task_file, leaves_a_filter_for_all_statements_for_all)
{
    SCOPED(json_decrefp)
    json_t *file = yaml("task-mode: all\nmysql-instances: [{source-id: a, block-allow-list: l, "
                        "filter-rules: [f, g]}]\nblock-allow-list: {l: {do-dbs: [x]}}\n"
                        "filters: {f: {schema-pattern: '*', sql-pattern: ['^drop'], action: "
                        "ignore}, g: {schema-pattern: '*', events: [delete], action: Ignore}}\n");
    SCOPED(json_decrefp) json_t *doc = NULL;
    SCOPED(json_decrefp)
    json_t *want = yaml("[" RULE("a", "x", "") ", binlog_filter_rule: [g]}, " RULE(
        "a", "*", "") ", binlog_filter_rule: [f, g]}]");
    struct err err = ERR_INIT;

    cr_assert_eq(task_file_read(file, &doc, &err), 0, "%s", err.text);

    cr_expect(json_equal(json_object_get(doc, "table_migrate_rule"), want));
    cr_expect(json_object_get(doc, "block_allow_list"));
}

static void refuses(const char *rest, const char *what)
{
    SCOPED(freep) char *text = xasprintf("name: t\n%s", rest);
    SCOPED(json_decrefp) json_t *doc = yaml(text), *file = NULL;
    struct err err = ERR_INIT;

    cr_expect_eq(task_file_write(doc, &file, &err), -ENOTSUP, "%s", text);
    cr_expect(strstr(err.text, what), "%s: %s", text, err.text);
}

Test(task_file, refuses_what_no_file_can_say)
{
    refuses("source_config: {source_conf: [{source_name: a, start_time: '2026-01-01T00:00:00Z'}]}",
            "start_time");
    refuses("source_config: {source_conf: [{source_name: a}]}\n"
            "block_allow_list: {ignore_dbs: [x]}\n"
            "table_migrate_rule: [" RULE("a", "y", "t") "}]\n",
            "block_allow_list");
}
