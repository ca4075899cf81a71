#include "dm/task_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "node/yaml.h"
#include "unit/session_doc.h"
#include "unit/source/source_file.h"
#include "unit/task/task_doc.h"

static struct err err = ERR_INIT;

static const char advanced[] =
    "name: test\n"
    "task-mode: all\n"
    "shard-mode: ''\n"
    "meta-schema: dm_meta2\n"
    "timezone: Asia/Shanghai\n"
    "case-sensitive: false\n"
    "online-ddl: true\n"
    "online-ddl-scheme: gh-ost\n"
    "shadow-table-rules: ['^_(.+)_(?:new|gho)$']\n"
    "trash-table-rules: ['^_(.+)_(?:ghc|del|old)$', '^alt_(.+)$']\n"
    "clean-dump-file: true\n"
    "ignore-checking-items: [all]\n"
    "target-database:\n"
    "  host: 192.0.2.1\n  port: 4000\n  user: root\n  password: ''\n"
    "  max-allowed-packet: 67108864\n"
    "  security: { ssl-ca: /ca.pem, cert-allowed-cn: [x] }\n"
    "routes:\n"
    "  r1: { schema-pattern: 'test_*', table-pattern: 't_*', target-schema: test,\n"
    "    target-table: t, extract-table: { table-regexp: 't_(.*)', target-column: c } }\n"
    "  r2: { schema-pattern: 'test_*', target-schema: test }\n"
    "filters:\n"
    "  f1: { schema-pattern: 'test_*', table-pattern: 't_*', events: [truncate table], "
    "sql-pattern: "
    "['^DROP'], action: Ignore }\n"
    "expression-filter:\n"
    "  e1: { schema: s, table: t, insert-value-expr: 'a > 1' }\n"
    "block-allow-list:\n"
    "  b1: { do-dbs: ['~^test.*'], ignore-tables: [ { db-name: test_1, tbl-name: log } ] }\n"
    "mydumpers:\n"
    "  global: { threads: 8, chunk-filesize: '64', extra-args: '--consistency none' }\n"
    "loaders:\n"
    "  global: { pool-size: 20, dir: ./dumped_data, on-duplicate-logical: replace }\n"
    "syncers:\n"
    "  global: { worker-count: 32, batch: 200, safe-mode: true }\n"
    "mysql-instances:\n"
    "  - source-id: s1\n"
    "    meta: { binlog-name: bin.000002, binlog-pos: 154, binlog-gtid: }\n"
    "    route-rules: [r1, r2]\n"
    "    filter-rules: [f1]\n"
    "    expression-filters: [e1]\n"
    "    block-allow-list: b1\n"
    "    mydumper-config-name: global\n"
    "    loader-config-name: global\n"
    "    syncer-config-name: global\n"
    "    syncer-thread: 7\n"
    "  - { source-id: s2, block-allow-list: b1 }\n";

static json_t *checked(const char *text)
{
    json_t *file = yaml_parse(text, strlen(text), &err), *doc = NULL;

    cr_assert(file, "%s", err.text);
    cr_assert(task_file_is(file));
    cr_assert_eq(task_doc_check(file, "test", &doc, &err), 0, "%s", err.text);
    json_decref(file);
    return doc;
}

static void has(const json_t *doc, const char *path, const char *json)
{
    char *text = json_dumps(doc_at(doc, path), JSON_ENCODE_ANY | JSON_COMPACT);

    cr_expect_str_eq(text ? text : "nothing", json, "%s: %s", path, text);
    free(text);
}

static void refuses(const char *text, const char *what)
{
    json_t *file = yaml_parse(text, strlen(text), &err), *doc = NULL;

    cr_assert(file, "%s", err.text);
    err = ERR_INIT;
    cr_expect_eq(task_doc_check(file, "t", &doc, &err), -EINVAL, "%s", text);
    cr_expect(strstr(err.text, what), "'%s' does not say '%s'", err.text, what);
    json_decref(file);
}

Test(task_file, is_read_with_all_its_sections)
{
    json_t *doc = checked(advanced);

    has(doc, "task_mode", "\"all\"");
    has(doc, "meta_schema", "\"dm_meta2\"");
    has(doc, "enhance_online_schema_change", "true");
    has(doc, "shadow_table_rules", "[\"^_(.+)_(?:new|gho)$\"]");
    has(doc, "trash_table_rules", "[\"^_(.+)_(?:ghc|del|old)$\",\"^alt_(.+)$\"]");
    has(doc, "target_config.port", "4000");
    has(doc, "target_config.security.ssl_ca_content", "\"file:/ca.pem\"");
    has(doc, "source_config.full_migrate_conf.export_threads", "8");
    has(doc, "source_config.full_migrate_conf.import_threads", "20");
    has(doc, "source_config.full_migrate_conf.consistency", "\"none\"");
    has(doc, "source_config.full_migrate_conf.on_duplicate_logical", "\"replace\"");
    has(doc, "source_config.incr_migrate_conf.repl_threads", "7");
    has(doc, "source_config.incr_migrate_conf.safe_mode", "true");
    has(doc, "source_config.source_conf",
        "[{\"source_name\":\"s1\",\"binlog_name\":\"bin.000002\",\"binlog_pos\":154,"
        "\"expression_filters\":[\"e1\"]},{\"source_name\":\"s2\"}]");
    has(doc, "binlog_filter_rule.f1",
        "{\"ignore_event\":[\"truncate table\"],\"ignore_sql\":[\"^DROP\"]}");
    has(doc, "expression_filter.e1",
        "{\"schema\":\"s\",\"table\":\"t\",\"insert_value_expr\":\"a > 1\"}");
    has(doc, "block_allow_list",
        "{\"do_dbs\":[\"~^test.*\"],\"ignore_tables\":[{\"db_name\":\"test_1\",\"tbl_name\":"
        "\"log\"}]}");
    has(json_array_get(doc_at(doc, "table_migrate_rule"), 1), "extract_table",
        "{\"table_regexp\":\"t_(.*)\",\"target_column\":\"c\"}");
    has(json_array_get(doc_at(doc, "table_migrate_rule"), 1), "target",
        "{\"schema\":\"test\",\"table\":\"t\"}");
    has(json_array_get(doc_at(doc, "table_migrate_rule"), 1), "binlog_filter_rule", "[\"f1\"]");
    cr_expect_eq(json_array_size(doc_at(doc, "table_migrate_rule")), 4); /* s1: list, r1, r2; s2 */
    json_decref(doc);
}

#define HEAD "task-mode: all\ntarget-database: {host: h}\n"

Test(task_file, session_is_a_map_of_variables)
{
    json_t *doc =
        checked("task-mode: all\ntarget-database: {host: h, session: {foreign_key_checks: 1, "
                "lock_wait_timeout: 60, wsrep_on: false, note: \"it's\"}}\n"
                "mysql-instances: [{source-id: s}]\n");
    char *sql = session_doc_sql(doc_at(doc, "target_config.session.variables"));

    has(doc, "target_config.session.foreign_key_checks", "\"1\"");
    has(doc, "target_config.session.variables",
        "{\"lock_wait_timeout\":\"60\",\"wsrep_on\":\"OFF\",\"note\":\"it's\"}");
    cr_expect_str_eq(sql, "SET SESSION lock_wait_timeout = 60, wsrep_on = 'OFF', note = 'it\\'s'");
    free(sql);
    json_decref(doc);
    refuses("target-database: {host: h, session: {sql_mode: ANSI}}\nmysql-instances: [{source-id: "
            "s}]\n",
            "sql_mode cannot be given");
    refuses("target-database: {host: h, session: {\"a = 1, b\": 2}}\nmysql-instances: [{source-id: "
            "s}]\n",
            "'a = 1, b' is no variable");
    cr_expect_null(session_doc_sql(NULL));
}

Test(task_file, refuses_what_no_document_can_say)
{
    refuses(HEAD "task-mod: all\n", "did you mean task-mode");
    refuses(HEAD "mysql-instances: [{source-id: s, route-rules: [r9]}]\n",
            "mysql-instances[0]: r9 is not in section routes");
    refuses(HEAD "routes: {r: {schema-patern: a}}\nmysql-instances: [{source-id: s, route-rules: "
                 "[r]}]\n",
            "routes: r.schema-patern: no such key in a file of DM: did you mean schema-pattern");
    refuses(HEAD "mysql-instances: [{}]\n", "source-id is missing");
    refuses(HEAD "mysql-instances: [{source-id: s, filter-rules: [f]}]\n"
                 "filters: {f: {action: Do, events: [all]}}\n",
            "only Ignore");
    refuses(HEAD "mysql-instances: [{source-id: s, mydumper: {extra-args: '--where id>1'}}]\n",
            "--where");
    refuses(HEAD "mysql-instances: [{source-id: s, block-allow-list: a}, {source-id: u, "
                 "block-allow-list: b}]\n"
                 "block-allow-list: {a: {ignore-dbs: [x]}, b: {do-dbs: [y]}}\n",
            "different block-allow-lists");
    refuses(HEAD "routes: 5\nmysql-instances: [{source-id: s, route-rules: [r]}]\n", "routes");
    refuses(HEAD "mysql-instances: [{source-id: s}]\nfilters: {f: {action: Ignore}}\n",
            "filters.f: no instance calls it");
    refuses(HEAD "mysql-instances: [{source-id: s}, {source-id: s}]\n", "have same source-id (s)");
    refuses("target-database: 7\n", "a mapping of keys is expected");
}

Test(source_file, is_read)
{
    static const char text[] = "source-id: mysql-01\nenable-gtid: true\nenable-relay: true\n"
                               "relay-binlog-name: bin.000003\nserver-id: 7\n"
                               "from: {host: 192.0.2.1, port: 3306, user: u, password: p}\n"
                               "purge: {interval: 60, expires: 1, remain-space: 3}\n"
                               "checker: {check-enable: true, backoff-max: 1m30s}\n";
    json_t *file = yaml_parse(text, strlen(text), &err), *doc;

    cr_assert(source_file_is(file));
    cr_assert_eq(source_file_read(file, &doc, &err), 0, "%s", err.text);
    has(doc, "source_name", "\"mysql-01\"");
    has(doc, "host", "\"192.0.2.1\"");
    has(doc, "relay_config",
        "{\"enable_relay\":true,\"relay_binlog_name\":\"bin.000003\",\"server_id\":7}");
    has(doc, "purge.remain_space", "3");
    has(doc, "checker", "{\"check_enable\":true,\"backoff_max\":90}");
    json_decref(doc);
    json_decref(file);
}
