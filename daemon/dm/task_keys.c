#include "dm/task_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"

static json_t *give_same(const json_t *v)
{
    return json_incref((json_t *)v);
}

static void put_text(json_t *doc, const char *path, const char *text)
{
    json_t *v = json_string(text);

    dm_put(doc, path, v);
    json_decref(v);
}

/* What 'keys' make of an object of the file, at 'to'. */
static int take_object(json_t *doc, const char *to, const struct dm_key *keys, const json_t *v,
                       struct err *err)
{
    json_t *object = json_object();
    int rc = dm_keys_take(keys, v, "", object, err);

    if (rc == 0)
        dm_put(doc, to, object);
    json_decref(object);
    return rc;
}

static json_t *give_object(const struct dm_key *keys, const json_t *v)
{
    json_t *object = json_object();

    dm_keys_give(keys, v, object);
    return object;
}

/* --- the file's own --- */

static int take_target_security(json_t *doc, const json_t *v, struct err *err)
{
    return dm_take_security(doc, "security", v, err);
}

/* DM's map of a session's variables; here one of them is a setting of its own. */
static const char own_variable[] = "foreign_key_checks";

static json_t *text_of(const json_t *v)
{
    if (json_is_string(v))
        return json_incref((json_t *)v);
    if (json_is_boolean(v))
        return json_string(json_is_true(v) ? "ON" : "OFF");
    if (json_is_real(v))
        return json_sprintf("%g", json_real_value(v));
    return json_is_integer(v) ? json_sprintf("%lld", (long long)json_integer_value(v)) : NULL;
}

static int take_session(json_t *target, const json_t *v, struct err *err)
{
    SCOPED(json_decrefp) json_t *session = json_object(), *variables = json_object();
    const json_t *value;
    const char *name;

    if (!json_is_object(v))
        return err_set(err, -EINVAL, "a mapping of variables is expected");
    json_object_foreach ((json_t *)v, name, value) {
        json_t *text = text_of(value);

        if (!text)
            return err_set(err, -EINVAL, "%s: a value is expected", name);
        json_object_set_new(strcmp(name, own_variable) == 0 ? session : variables, name, text);
    }
    if (json_object_size(variables))
        json_object_set(session, "variables", variables);
    dm_put(target, "session", session);
    return 0;
}

static json_t *give_session(const json_t *v)
{
    const json_t *variables = json_object_get(v, "variables"),
                 *own = json_object_get(v, own_variable);
    json_t *session = json_is_object(variables) ? json_copy((json_t *)variables) : json_object();

    if (own)
        json_object_set(session, own_variable, (json_t *)own);
    return session;
}

static const struct dm_key target_keys[] = {
    { "host", "host" },
    { "port", "port" },
    { "user", "user" },
    { "password", "password" },
    { "session", "session", take_session, give_session },
    { "security", "security", take_target_security, dm_give_security },
    { "max-allowed-packet" },
    { 0 },
};

static int take_target(json_t *doc, const json_t *v, struct err *err)
{
    return take_object(doc, "target_config", target_keys, v, err);
}

static json_t *give_target(const json_t *v)
{
    return give_object(target_keys, v);
}

static int take_sharding(json_t *doc, const json_t *v, struct err *err)
{
    (void)err;
    if (json_is_true(v) && !json_object_get(doc, "shard_mode"))
        put_text(doc, "shard_mode", "pessimistic");
    return 0;
}

/* An empty shard-mode is none. */
static int take_shard_mode(json_t *doc, const json_t *v, struct err *err)
{
    (void)err;
    if (!json_is_string(v) || json_string_length(v))
        dm_put(doc, "shard_mode", v);
    return 0;
}

static json_t *give_shard_mode(const json_t *v)
{
    return json_string_length(v) ? give_same(v) : NULL;
}

/* Here tables always get the collations of the source, as "strict" has it; and where the target
 * lacks one the nearest, as "loose" does. */
static int take_collation(json_t *doc, const json_t *v, struct err *err)
{
    const char *word = json_string_value(v);

    (void)doc;
    if (word && (!*word || strcmp(word, "loose") == 0 || strcmp(word, "strict") == 0))
        return 0;
    err_set(err, -EINVAL, "loose or strict is expected");
    return err_because(err, REASON_FILE_COLLATION);
}

static int take_mappings(json_t *doc, const json_t *v, struct err *err)
{
    (void)doc;
    if (!json_array_size(v) && !json_object_size(v))
        return 0;
    err_set(err, -EINVAL, "DM has done away with them, too");
    return err_because(err, REASON_FILE_MAPPING);
}

const struct dm_key task_file_keys[] = {
    { "name", "name" },
    { "task-mode", "task_mode" },
    { "shard-mode", "shard_mode", take_shard_mode, give_shard_mode },
    { "is-sharding", NULL, take_sharding },
    { "strict-optimistic-shard-mode", "strict_optimistic_shard_mode" },
    { "meta-schema", "meta_schema" },
    { "timezone", "timezone" },
    { "online-ddl", "enhance_online_schema_change" },
    { "ignore-checking-items", "ignore_checking_items" },
    { "target-database", "target_config", take_target, give_target },
    { "collation_compatible", NULL, take_collation },
    { "shadow-table-rules", "shadow_table_rules" },
    { "trash-table-rules", "trash_table_rules" },
    { "column-mappings", NULL, take_mappings },
    /* sections and instances: task_file_read() and task_file_write() */
    { "mysql-instances" },
    { "routes" },
    { "filters" },
    { "expression-filter" },
    { "block-allow-list" },
    { "black-white-list" },
    { "mydumpers" },
    { "loaders" },
    { "syncers" },
    { "validators" },
    /* without effect */
    { "case-sensitive" },
    { "online-ddl-scheme" },
    { "clean-dump-file" },
    { "heartbeat-update-interval" },
    { "heartbeat-report-interval" },
    { "enable-heartbeat" },
    { "ansi-quotes" },
    { "remove-meta" },
    { "experimental" },
    { "tidb" },
    { 0 },
};

/* --- how it is copied and followed --- */

static const struct {
    const char *flag, *value_of; /* the flag has a value: it goes there */
    const char *constant;        /* or this does */
    const char *refused;
} dump_flags[] = {
    { "--consistency", "consistency", NULL, NULL },
    { "--no-locks", "consistency", "none", NULL },
    { "-k", "consistency", "none", NULL },
    { "-t", "export_threads", NULL, NULL },
    { "--threads", "export_threads", NULL, NULL },
    { "--where", NULL, NULL, "rows are copied whole; leave them out by expression-filter" },
    { "-B", NULL, NULL, "say it in block-allow-list" },
    { "-T", NULL, NULL, "say it in block-allow-list" },
    { "-f", NULL, NULL, "say it in block-allow-list" },
    { "--filter", NULL, NULL, "say it in block-allow-list" },
    { "-L", NULL, NULL, NULL },
};

static int take_flag(json_t *conf, const char *flag, const char *value, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(dump_flags); i++) {
        const char *v = dump_flags[i].constant ? dump_flags[i].constant : value;
        json_t *set;

        if (strcmp(dump_flags[i].flag, flag) != 0)
            continue;
        if (dump_flags[i].refused)
            return err_set(err, -EINVAL, "%s: %s", flag, dump_flags[i].refused);
        if (!dump_flags[i].value_of)
            return 0;
        set = strspn(v, "0123456789") == strlen(v) && *v ? json_integer(strtoll(v, NULL, 10))
                                                         : json_string(v);
        dm_put(conf, dump_flags[i].value_of, set);
        json_decref(set);
        return 0;
    }
    return 0; /* sizes of files and statements, which are not made here */
}

/* "--consistency auto -t 8": words, a flag's value behind it or behind a '='. */
static int take_args(json_t *conf, const json_t *v, struct err *err)
{
    SCOPED(freep) char *words = xstrdup(json_string_value(v) ? json_string_value(v) : "");
    char *rest = words, *word, *next;
    int rc = 0;

    for (word = strsep(&rest, " \t\n"); word && rc == 0; word = next) {
        char *equals = strchr(word, '=');

        next = strsep(&rest, " \t\n");
        if (equals)
            *equals = 0;
        if (*word == '-')
            rc = take_flag(conf, word, equals ? equals + 1 : next ? next : "", err);
    }
    return rc;
}

static json_t *give_args(const json_t *consistency)
{
    const char *word = json_string_value(consistency);

    return word && strcmp(word, "auto") != 0 ? json_sprintf("--consistency %s", word) : NULL;
}

/* "64", of MiB, or "64MiB". */
static bool is_size(const char *text)
{
    size_t n = strspn(text, "0123456789");

    text += n + (text[n] == ' ');
    if (n && *text && strchr("kKmMgGtTpP", *text))
        text += 1 + (text[1] == 'i' || text[1] == 'I');
    return n && (!*text || strcasecmp(text, "b") == 0);
}

static int take_chunk_size(json_t *conf, const json_t *v, struct err *err)
{
    (void)conf;
    if (json_is_integer(v) ? json_integer_value(v) >= 0
                           : json_is_string(v) && is_size(json_string_value(v)))
        return 0;
    err_set(err, -EINVAL, "a size is expected: 64, of MiB, or 64MiB");
    return err_because(err, REASON_FILE_CHUNK_SIZE);
}

static const struct dm_key dumper_keys[] = {
    { "threads", "export_threads" },
    { "extra-args", "consistency", take_args, give_args },
    { "mydumper-path" },
    { "chunk-filesize", NULL, take_chunk_size },
    { "statement-size" },
    { "rows" },
    { "skip-tz-utc" },
    { 0 },
};

static const struct dm_key loader_keys[] = {
    { "pool-size", "import_threads" },
    { "dir", "data_dir" },
    { "import-mode", "import_mode" },
    { "on-duplicate-logical", "on_duplicate_logical" },
    { "on-duplicate", "on_duplicate_logical" }, /* of older releases */
    { "on-duplicate-physical", "on_duplicate_physical" },
    { "sorting-dir-physical", "sorting_dir" },
    { "disk-quota-physical", "disk_quota" },
    { "checksum-physical", "checksum" },
    { "analyze", "analyze" },
    { "range-concurrency", "range_concurrency" },
    { "compress-kv-pairs", "compress-kv-pairs" },
    { "pd-addr", "pd_addr" },
    { 0 },
};

static const struct dm_key syncer_keys[] = {
    { "worker-count", "repl_threads" },
    { "batch", "repl_batch" },
    { "safe-mode", "safe_mode" },
    { "meta-file" },
    { "queue-size" },
    { "checkpoint-flush-interval", "checkpoint_flush_interval" },
    { "max-retry" },
    { "enable-gtid" },
    { "auto-fix-gtid" },
    { "safe-mode-duration" },
    { "compact" },
    { "multiple-rows" },
    { "enable-ansi-quotes" },
    { "disable-detect" },
    { 0 },
};

const struct task_file_part task_file_parts[] = {
    { "mydumper", "mydumper-config-name", "mydumpers", "mydumper-thread", "full_migrate_conf",
      "export_threads", dumper_keys },
    { "loader", "loader-config-name", "loaders", "loader-thread", "full_migrate_conf",
      "import_threads", loader_keys },
    { "syncer", "syncer-config-name", "syncers", "syncer-thread", "incr_migrate_conf",
      "repl_threads", syncer_keys },
    { 0 },
};

/* --- rules --- */

#define EXTRACT(what)                                                              \
    static const struct dm_key extract_##what##_keys[] = {                         \
        { #what "-regexp", #what "_regexp" },                                      \
        { "target-column", "target_column" },                                      \
        { 0 },                                                                     \
    };                                                                             \
    static int take_extract_##what(json_t *rule, const json_t *v, struct err *err) \
    {                                                                              \
        return take_object(rule, "extract_" #what, extract_##what##_keys, v, err); \
    }                                                                              \
    static json_t *give_extract_##what(const json_t *v)                            \
    {                                                                              \
        return give_object(extract_##what##_keys, v);                              \
    }
EXTRACT(table)
EXTRACT(schema)
EXTRACT(source)

const struct dm_key task_file_route_keys[] = {
    { "schema-pattern", "source.schema" },
    { "table-pattern", "source.table" },
    { "target-schema", "target.schema" },
    { "target-table", "target.table" },
    { "extract-table", "extract_table", take_extract_table, give_extract_table },
    { "extract-schema", "extract_schema", take_extract_schema, give_extract_schema },
    { "extract-source", "extract_source", take_extract_source, give_extract_source },
    { 0 },
};

const struct dm_key task_file_filter_keys[] = {
    { "events", "ignore_event" },
    { "sql-pattern", "ignore_sql" },
    { "schema-pattern" },
    { "table-pattern" },
    { "action" },
    { 0 },
};

const struct dm_key task_file_expression_keys[] = {
    { "schema", "schema" },
    { "table", "table" },
    { "insert-value-expr", "insert_value_expr" },
    { "update-old-value-expr", "update_old_value_expr" },
    { "update-new-value-expr", "update_new_value_expr" },
    { "delete-value-expr", "delete_value_expr" },
    { 0 },
};

static const struct dm_key listed_keys[] = { { "db-name", "db_name" },
                                             { "tbl-name", "tbl_name" },
                                             { 0 } };

static int take_tables(json_t *list, const char *to, const json_t *v, struct err *err)
{
    json_t *tables = json_array(), *from;
    size_t i;
    int rc = 0;

    json_array_foreach ((json_t *)v, i, from) {
        json_t *table = json_object();

        if (rc == 0)
            rc = dm_keys_take(listed_keys, from, "", table, err);
        json_array_append_new(tables, table);
    }
    if (rc == 0)
        dm_put(list, to, tables);
    json_decref(tables);
    return rc;
}

static int take_do_tables(json_t *list, const json_t *v, struct err *err)
{
    return take_tables(list, "do_tables", v, err);
}

static int take_ignore_tables(json_t *list, const json_t *v, struct err *err)
{
    return take_tables(list, "ignore_tables", v, err);
}

static json_t *give_tables(const json_t *v)
{
    json_t *tables = json_array();
    const json_t *table;
    size_t i;

    json_array_foreach ((json_t *)v, i, table)
        json_array_append_new(tables, give_object(listed_keys, table));
    return tables;
}

const struct dm_key task_file_list_keys[] = {
    { "do-dbs", "do_dbs" },
    { "ignore-dbs", "ignore_dbs" },
    { "do-tables", "do_tables", take_do_tables, give_tables },
    { "ignore-tables", "ignore_tables", take_ignore_tables, give_tables },
    { 0 },
};

/* --- instances --- */

const struct dm_key task_file_meta_keys[] = {
    { "binlog-name", "binlog_name" },
    { "binlog-pos", "binlog_pos" },
    { "binlog-gtid", "binlog_gtid" },
    { 0 },
};

static int take_meta(json_t *conf, const json_t *v, struct err *err)
{
    return dm_keys_take(task_file_meta_keys, v, "", conf, err);
}

const struct dm_key task_file_instance_keys[] = {
    { "source-id", "source_name" },
    { "meta", NULL, take_meta },
    { "expression-filters", "expression_filters" },
    { "filter-rules" },
    { "route-rules" },
    { "column-mapping-rules" },
    { "block-allow-list" },
    { "black-white-list" },
    { "mydumper-config-name" },
    { "mydumper" },
    { "mydumper-thread" },
    { "loader-config-name" },
    { "loader" },
    { "loader-thread" },
    { "syncer-config-name" },
    { "syncer" },
    { "syncer-thread" },
    { "continuous-validator-config-name" },
    { "continuous-validator" },
    { 0 },
};

const struct task_file_section task_file_sections[] = {
    { "routes", REASON_FILE_ROUTE_UNKNOWN },
    { "filters", REASON_FILE_FILTER_UNKNOWN },
    { "expression-filter", REASON_EXPRESSION_UNKNOWN },
    { "mydumpers", REASON_FILE_DUMPER_UNKNOWN },
    { "loaders", REASON_FILE_LOADER_UNKNOWN },
    { "syncers", REASON_FILE_SYNCER_UNKNOWN },
    { "block-allow-list", REASON_FILE_LIST_UNKNOWN },
    { "black-white-list", REASON_FILE_LIST_UNKNOWN },
    { "validators", REASON_FILE_VALIDATOR_UNKNOWN, .may_rest = true },
    { 0 },
};
