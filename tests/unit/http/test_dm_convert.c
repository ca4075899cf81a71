#include "http/compat/dm/dm_convert.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "dm/task_file.h"
#include "http/compat/dm/dm_schema.h"
#include "node/yaml.h"

static json_t *json(const char *text)
{
    SCOPED(freep) char *copy = strdup(text);
    json_t *v;

    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    v = json_loads(copy, 0, NULL);
    cr_assert_not_null(v, "%s", text);
    return v;
}

static json_t *yaml(const char *text)
{
    struct err err = ERR_INIT;
    json_t *v = yaml_parse(text, strlen(text), &err);

    cr_assert_not_null(v, "%s", err.text);
    return v;
}

static json_t *file_of(const json_t *task)
{
    struct err err = ERR_INIT;
    json_t *file = NULL;

    cr_assert_eq(task_file_write(task, &file, &err), 0, "%s", err.text);
    return file;
}

static const char whole[] =
    "{'name': 't', 'task_mode': 'all', 'shard_mode': 'pessimistic', 'meta_schema': 'm',"
    " 'timezone': '+01:00', 'enhance_online_schema_change': false, 'on_duplicate': 'error',"
    " 'ignore_checking_items': ['version'],"
    " 'target_config': {'host': 'h', 'port': 4000, 'user': 'u', 'password': '******'},"
    " 'binlog_filter_rule': {'s1-filter-rule-1': {'ignore_event': ['all dml'],"
    "   'ignore_sql': ['^Drop']}},"
    " 'table_migrate_rule': ["
    "  {'source': {'source_name': 's1', 'schema': 'db_*', 'table': 't_*'},"
    "   'target': {'schema': 'db', 'table': 't'}, 'binlog_filter_rule': ['s1-filter-rule-1']},"
    "  {'source': {'source_name': 's2', 'schema': 'db2', 'table': ''}}],"
    " 'source_config': {"
    "  'full_migrate_conf': {'export_threads': 3, 'import_threads': 5, 'data_dir': '/d',"
    "    'on_duplicate_logical': 'error'},"
    "  'incr_migrate_conf': {'repl_threads': 6, 'repl_batch': 7, 'safe_mode': true},"
    "  'source_conf': [{'source_name': 's1', 'binlog_name': 'bin.000001', 'binlog_pos': 4},"
    "    {'source_name': 's2', 'binlog_gtid': '0-1-2'}]}}";

Test(dm_convert, comes_back_as_it_went)
{
    SCOPED(json_decrefp) json_t *task = json(whole), *file = file_of(task);
    struct err err = ERR_INIT;
    enum dm_error e;
    SCOPED(json_decrefp) json_t *back = dm_task_of_file(file, &e, &err);
    SCOPED(freep) char *text = json_dumps(file, JSON_INDENT(1));

    cr_assert_not_null(back, "%s: %s", err.text, text);
    SCOPED(freep) char *shown = json_dumps(back, JSON_SORT_KEYS | JSON_INDENT(1));
    cr_expect(json_equal(back, task), "%s\n%s", shown, text);
}

Test(dm_convert, has_the_names_of_task_files)
{
    SCOPED(json_decrefp) json_t *task = json(whole), *file = file_of(task);
    SCOPED(json_decrefp)
    json_t *want = yaml("name: t\n"
                        "task-mode: all\n"
                        "shard-mode: pessimistic\n"
                        "meta-schema: m\n"
                        "timezone: '+01:00'\n"
                        "online-ddl: false\n"
                        "ignore-checking-items: [version]\n"
                        "target-database: { host: h, port: 4000, user: u, password: '******' }\n"
                        "mysql-instances:\n"
                        "  - source-id: s1\n"
                        "    meta: { binlog-name: bin.000001, binlog-pos: 4 }\n"
                        "    route-rules: [s1-route-rule-1]\n"
                        "    filter-rules: [s1-filter-rule-1]\n"
                        "    block-allow-list: s1\n"
                        "    mydumper-config-name: global\n"
                        "    loader-config-name: global\n"
                        "    syncer-config-name: global\n"
                        "  - source-id: s2\n"
                        "    meta: { binlog-gtid: 0-1-2 }\n"
                        "    block-allow-list: s2\n"
                        "    mydumper-config-name: global\n"
                        "    loader-config-name: global\n"
                        "    syncer-config-name: global\n"
                        "routes:\n"
                        "  s1-route-rule-1: { schema-pattern: db_*, table-pattern: t_*,\n"
                        "                     target-schema: db, target-table: t }\n"
                        "filters:\n"
                        "  s1-filter-rule-1: { schema-pattern: db_*, table-pattern: t_*,\n"
                        "    events: [all dml], sql-pattern: ['^Drop'], action: Ignore }\n"
                        "block-allow-list:\n"
                        "  s1: { do-tables: [{ db-name: db_*, tbl-name: t_* }] }\n"
                        "  s2: { do-dbs: [db2] }\n"
                        "mydumpers: { global: { threads: 3 } }\n"
                        "loaders: { global: { pool-size: 5, dir: /d, on-duplicate-logical: error } "
                        "}\n"
                        "syncers: { global: { worker-count: 6, batch: 7, safe-mode: true } }\n");
    SCOPED(freep) char *shown = json_dumps(file, JSON_INDENT(1));

    cr_expect(json_equal(file, want), "%s", shown);
}

/* As people write them: settings in the instance, threads beside, a filter for all. */
Test(dm_convert, reads_other_ways_to_say_it)
{
    SCOPED(json_decrefp)
    json_t *file = yaml("name: t\n"
                        "task-mode: incremental\n"
                        "target-database: { host: h, port: 1, user: u, password: p }\n"
                        "clean-dump-file: true\n"
                        "mysql-instances:\n"
                        "- source-id: s1\n"
                        "  mydumper: { threads: 9 }\n"
                        "  syncer: { worker-count: 8 }\n"
                        "  loader-thread: 2\n"
                        "  block-allow-list: l\n"
                        "  filter-rules: [all]\n"
                        "block-allow-list: { l: { do-dbs: [a], do-tables: [{ db-name: b, tbl-name: "
                        "c }] } }\n"
                        "filters: { all: { schema-pattern: '*', events: [drop table], action: "
                        "Ignore } }\n");
    struct err err = ERR_INIT;
    enum dm_error e;
    SCOPED(json_decrefp) json_t *task = dm_task_of_file(file, &e, &err);
    SCOPED(json_decrefp)
    json_t *rules = json("{'r': [{'source': {'source_name': 's1', 'schema': 'a', 'table': ''},"
                         "  'binlog_filter_rule': ['all']},"
                         " {'source': {'source_name': 's1', 'schema': 'b', 'table': 'c'},"
                         "  'binlog_filter_rule': ['all']}]}");
    const json_t *config = json_object_get(task, "source_config");
    const json_t *full = json_object_get(config, "full_migrate_conf");

    cr_assert_not_null(task, "%s", err.text);
    cr_expect(json_equal(json_object_get(task, "table_migrate_rule"), json_object_get(rules, "r")));
    cr_expect_eq(json_integer_value(json_object_get(full, "export_threads")), 9);
    cr_expect_eq(json_integer_value(json_object_get(full, "import_threads")), 2);
    cr_expect_str_eq(json_string_value(json_object_get(task, "on_duplicate")), "replace");
    cr_expect(json_is_true(json_object_get(task, "enhance_online_schema_change")));
}

#define HEAD "name: t\ntask-mode: all\ntarget-database: { host: h, port: 1, user: u }\n"

static void refuses(const char *text, enum dm_error want)
{
    SCOPED(json_decrefp) json_t *file = yaml(text);
    struct err err = ERR_INIT;
    enum dm_error e = DM_N_ERRORS;

    cr_expect_null(dm_task_of_file(file, &e, &err), "%s", text);
    cr_expect_eq(e, want, "%s: %d: %s", text, e, err.text);
}

/* What is behind the head of a file, and what that is to DM. */
static const struct {
    const char *rest;
    enum dm_error as;
} wrong[] = {
    { "", DM_NEED_INSTANCES },
    { "mysql-instances: [{}]", DM_EMPTY_SOURCE_ID },
    { "mysql-instances: [{ source-id: a23456789012345678901234567890123 }]",
      DM_LONG_FILE_SOURCE_ID },
    { "mysql-instances: [{ source-id: a }, { source-id: a }]", DM_SAME_SOURCE },
    { "mysql-instances: [{ source-id: a, route-rules: [r] }]", DM_ROUTE_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, filter-rules: [r] }]", DM_FILTER_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, block-allow-list: r }]", DM_LIST_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, mydumper-config-name: r }]", DM_DUMPER_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, loader-config-name: r }]", DM_LOADER_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, syncer-config-name: r }]", DM_SYNCER_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, expression-filters: [e] }]", DM_EXPRESSION_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, continuous-validator-config-name: v }]",
      DM_VALIDATOR_NOT_FOUND },
    { "mysql-instances: [{ source-id: a, continuous-validator-config-name: v }]\n"
      "validators: { v: { mode: slow } }",
      DM_VALIDATION_MODE },
    { "mysql-instances: [{ source-id: a, route-rules: [r, r] }]\n"
      "routes: { r: { schema-pattern: a } }",
      DM_DUPLICATE_ITEM },
    { "mysql-instances: [{ source-id: a }]\nroutes: { r: { schema-pattern: a } }",
      DM_GLOBAL_UNUSED },
    { "mysql-instances: [{ source-id: a, mydumper: { threads: many } }]", DM_YAML },
    { "mysql-instances: [{ source-id: a, mydumper: { chunk-filesize: 64MX } }]", DM_CHUNK_SIZE },
    { "column-mappings: { m: {} }\nmysql-instances: [{ source-id: a }]", DM_COLUMN_MAPPING },
    { "collation_compatible: lose\nmysql-instances: [{ source-id: a }]", DM_COLLATION },
    { "shard-mode: both\nmysql-instances: [{ source-id: a }]", DM_SHARD_MODE },
    { "mysql-instances: [{ source-id: a, loader: { import-mode: x } }]", DM_LOAD_MODE },
    { "mysql-instances: [{ source-id: a, loader: { on-duplicate: x } }]", DM_DUPLICATE },
    { "mysql-instances: [{ source-id: a, loader: { on-duplicate-physical: x } }]",
      DM_DUPLICATE_PHYSICAL },
    { "mysql-instances: [{ source-id: a, loader: { checksum-physical: x } }]",
      DM_CHECKSUM_PHYSICAL },
    { "mysql-instances: [{ source-id: a, loader: { analyze: x } }]", DM_ANALYZE },
};

Test(dm_convert, names_what_is_wrong_with_a_file)
{
    refuses("task-mode: all\ntarget-database: { host: h }", DM_TASK_NAME_EMPTY);
    refuses("name: t\ntarget-database: { host: h }", DM_TASK_MODE);
    refuses("name: t\ntask-mode: never\ntarget-database: { host: h, port: 1, user: u }\n"
            "mysql-instances: [{ source-id: a }]",
            DM_TASK_MODE);
    refuses("name: t\ntask-mode: all", DM_NEED_TARGET);
    refuses("name: t\ntask-mode: all\ntarget-database: { host: h, port: 1, user: u, session: { "
            "foreign_key_checks: maybe } }\nmysql-instances: [{ source-id: a }]",
            DM_FOREIGN_KEYS);
    refuses("- a", DM_YAML);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        SCOPED(freep) char *text = xasprintf(HEAD "%s", wrong[i].rest);

        refuses(text, wrong[i].as);
    }
}

/* What DM takes, as people write it. */
Test(dm_convert, takes_sizes_and_validators)
{
    static const char *const fine[] = {
        "mydumper: { chunk-filesize: 64 }",
        "mydumper: { chunk-filesize: '64' }",
        "mydumper: { chunk-filesize: 64MiB }",
        "mydumper: { chunk-filesize: 64 mb }",
        "mydumper: { chunk-filesize: 1g }",
        "continuous-validator: { mode: full }",
        "continuous-validator: {}",
        "continuous-validator-config-name: v",
    };

    for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
        SCOPED(freep)
        char *text = xasprintf(HEAD "mysql-instances: [{ source-id: a, %s }]\n"
                                    "validators: { v: { mode: fast }, w: {} }",
                               fine[i]);
        SCOPED(json_decrefp) json_t *file = yaml(text);
        struct err err = ERR_INIT;
        enum dm_error e = DM_N_ERRORS;
        SCOPED(json_decrefp) json_t *task = dm_task_of_file(file, &e, &err);

        cr_expect_not_null(task, "%s: %s", fine[i], err.text);
    }
}
