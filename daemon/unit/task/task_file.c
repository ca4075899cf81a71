#include "unit/task/task_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/dm_keys.h"

static const char *text(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

bool task_file_is(const json_t *doc)
{
    return json_object_get(doc, "mysql-instances") || json_object_get(doc, "target-database") ||
           json_object_get(doc, "task-mode");
}

/* --- the file's own keys --- */

static int take_target_security(json_t *doc, const json_t *v, struct err *err)
{
    return dm_take_security(doc, "security", v, err);
}

static const struct dm_key target_keys[] = { { "host", "host", NULL },
                                             { "port", "port", NULL },
                                             { "user", "user", NULL },
                                             { "password", "password", NULL },
                                             { "session", "session", NULL },
                                             { "security", NULL, take_target_security },
                                             { "max-allowed-packet", NULL, NULL },
                                             { 0 } };

static int take_target(json_t *doc, const json_t *v, struct err *err)
{
    json_t *target = json_object();
    int rc = dm_keys_take(target_keys, v, "", target, err);

    if (rc == 0)
        dm_put(doc, "target_config", target);
    json_decref(target);
    return rc;
}

static int take_sharding(json_t *doc, const json_t *v, struct err *err)
{
    json_t *mode;

    (void)err;
    if (!json_is_true(v) || json_object_get(doc, "shard_mode"))
        return 0;
    mode = json_string("pessimistic");
    dm_put(doc, "shard_mode", mode);
    json_decref(mode);
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

static int take_collation(json_t *doc, const json_t *v, struct err *err)
{
    (void)doc;
    return strcmp(json_string_value(v) ? json_string_value(v) : "", "strict") == 0
               ? err_set(err, -EINVAL,
                         "strict: tables get the collations of the source as it is; "
                         "leave it out")
               : 0;
}

static const struct dm_key file_keys[] = {
    { "name", "name", NULL },
    { "task-mode", "task_mode", NULL },
    { "shard-mode", NULL, take_shard_mode },
    { "is-sharding", NULL, take_sharding },
    { "strict-optimistic-shard-mode", "strict_optimistic_shard_mode", NULL },
    { "meta-schema", "meta_schema", NULL },
    { "timezone", "timezone", NULL },
    { "online-ddl", "enhance_online_schema_change", NULL },
    { "ignore-checking-items", "ignore_checking_items", NULL },
    { "target-database", NULL, take_target },
    { "collation_compatible", NULL, take_collation },
    { "shadow-table-rules", "shadow_table_rules", NULL },
    { "trash-table-rules", "trash_table_rules", NULL },
    /* sections and instances: below */
    { "mysql-instances", NULL, NULL },
    { "routes", NULL, NULL },
    { "filters", NULL, NULL },
    { "expression-filter", NULL, NULL },
    { "block-allow-list", NULL, NULL },
    { "black-white-list", NULL, NULL },
    { "mydumpers", NULL, NULL },
    { "loaders", NULL, NULL },
    { "syncers", NULL, NULL },
    { "validators", NULL, NULL },
    { "column-mappings", NULL, NULL },
    /* without effect */
    { "case-sensitive", NULL, NULL },
    { "online-ddl-scheme", NULL, NULL },
    { "clean-dump-file", NULL, NULL },
    { "heartbeat-update-interval", NULL, NULL },
    { "heartbeat-report-interval", NULL, NULL },
    { "enable-heartbeat", NULL, NULL },
    { "ansi-quotes", NULL, NULL },
    { "remove-meta", NULL, NULL },
    { "experimental", NULL, NULL },
    { "tidb", NULL, NULL },
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

static const struct dm_key dumper_keys[] = {
    { "threads", "export_threads", NULL }, { "extra-args", NULL, take_args },
    { "mydumper-path", NULL, NULL },       { "chunk-filesize", NULL, NULL },
    { "statement-size", NULL, NULL },      { "rows", NULL, NULL },
    { "skip-tz-utc", NULL, NULL },         { 0 }
};
static const struct dm_key loader_keys[] = {
    { "pool-size", "import_threads", NULL },
    { "dir", "data_dir", NULL },
    { "import-mode", "import_mode", NULL },
    { "on-duplicate", "on_duplicate_logical", NULL },
    { "on-duplicate-logical", "on_duplicate_logical", NULL },
    { "on-duplicate-physical", "on_duplicate_physical", NULL },
    { "sorting-dir-physical", "sorting_dir", NULL },
    { "disk-quota-physical", "disk_quota", NULL },
    { "checksum-physical", "checksum", NULL },
    { "analyze", "analyze", NULL },
    { "range-concurrency", "range_concurrency", NULL },
    { "compress-kv-pairs", "compress-kv-pairs", NULL },
    { "pd-addr", "pd_addr", NULL },
    { 0 }
};
static const struct dm_key syncer_keys[] = { { "worker-count", "repl_threads", NULL },
                                             { "batch", "repl_batch", NULL },
                                             { "safe-mode", "safe_mode", NULL },
                                             { "meta-file", NULL, NULL },
                                             { "queue-size", NULL, NULL },
                                             { "checkpoint-flush-interval",
                                               "checkpoint_flush_interval", NULL },
                                             { "max-retry", NULL, NULL },
                                             { "enable-gtid", NULL, NULL },
                                             { "auto-fix-gtid", NULL, NULL },
                                             { "safe-mode-duration", NULL, NULL },
                                             { "compact", NULL, NULL },
                                             { "multiple-rows", NULL, NULL },
                                             { "enable-ansi-quotes", NULL, NULL },
                                             { "disable-detect", NULL, NULL },
                                             { 0 } };

static const struct part {
    const char *own, *name, *section, *threads; /* keys of an instance; the section of the file */
    const char *to, *threads_to;                /* of source_config */
    const struct dm_key *keys;
} parts[] = {
    { "mydumper", "mydumper-config-name", "mydumpers", "mydumper-thread", "full_migrate_conf",
      "export_threads", dumper_keys },
    { "loader", "loader-config-name", "loaders", "loader-thread", "full_migrate_conf",
      "import_threads", loader_keys },
    { "syncer", "syncer-config-name", "syncers", "syncer-thread", "incr_migrate_conf",
      "repl_threads", syncer_keys },
};

/* --- what an instance calls --- */

struct reading {
    const json_t *file;
    json_t *doc;
    json_t *rules;      /* table_migrate_rule */
    const char *source; /* at hand */
    char where[64];     /* "mysql-instances[0]" */
};

static int called(const struct reading *r, const char *section, const char *name,
                  const json_t **ret, struct err *err)
{
    *ret = json_object_get(json_object_get(r->file, section), name);
    return *ret ? 0
                : err_set(err, -EINVAL, "%s: %s is not in section %s of the file", r->where, name,
                          section);
}

/* The instance's own settings win over those that it calls. */
static int take_part(struct reading *r, const json_t *instance, const struct part *p,
                     struct err *err)
{
    SCOPED(json_decrefp) json_t *conf = json_object();
    SCOPED(freep) char *path = xasprintf("source_config.%s", p->to);
    const char *name = text(instance, p->name);
    const json_t *own = json_object_get(instance, p->own), *from = NULL;
    const json_t *threads = json_object_get(instance, p->threads);
    const char *key;
    json_t *v;
    int rc = *name ? called(r, p->section, name, &from, err) : 0;

    if (rc == 0 && from)
        rc = dm_keys_take(p->keys, from, p->section, conf, err);
    if (rc == 0 && json_is_object(own))
        rc = dm_keys_take(p->keys, own, p->own, conf, err);
    if (rc < 0)
        return rc;
    if (json_is_integer(threads) && json_integer_value(threads))
        dm_put(conf, p->threads_to, threads);
    json_object_foreach (conf, key, v) {
        SCOPED(freep) char *at = xasprintf("%s.%s", path, key);

        dm_put(r->doc, at, v);
    }
    return 0;
}

static json_t *add_rule(struct reading *r, const char *schema, const char *table)
{
    json_t *rule = json_pack("{s:{s:s, s:s, s:s}}", "source", "source_name", r->source, "schema",
                             schema, "table", table);

    json_array_append_new(r->rules, rule);
    return rule;
}

static const struct dm_key extract_keys[] = { { "table-regexp", "table_regexp", NULL },
                                              { "schema-regexp", "schema_regexp", NULL },
                                              { "source-regexp", "source_regexp", NULL },
                                              { "target-column", "target_column", NULL },
                                              { 0 } };

static int take_extract(json_t *rule, const char *to, const json_t *v, struct err *err)
{
    SCOPED(json_decrefp) json_t *extract = json_object();
    int rc = dm_keys_take(extract_keys, v, "", extract, err);

    if (rc == 0)
        dm_put(rule, to, extract);
    return rc;
}

static int take_extract_table(json_t *rule, const json_t *v, struct err *err)
{
    return take_extract(rule, "extract_table", v, err);
}

static int take_extract_schema(json_t *rule, const json_t *v, struct err *err)
{
    return take_extract(rule, "extract_schema", v, err);
}

static int take_extract_source(json_t *rule, const json_t *v, struct err *err)
{
    return take_extract(rule, "extract_source", v, err);
}

static const struct dm_key route_keys[] = {
    { "schema-pattern", "source.schema", NULL },
    { "table-pattern", "source.table", NULL },
    { "target-schema", "target.schema", NULL },
    { "target-table", "target.table", NULL },
    { "extract-table", NULL, take_extract_table },
    { "extract-schema", NULL, take_extract_schema },
    { "extract-source", NULL, take_extract_source },
    { 0 },
};

static int take_route(struct reading *r, const char *name, struct err *err)
{
    const json_t *route;
    int rc = called(r, "routes", name, &route, err);

    if (rc == 0)
        rc = dm_keys_take(route_keys, route, name, add_rule(r, "", ""), err);
    return rc < 0 ? err_wrap(err, "routes") : 0;
}

static int take_filter(struct reading *r, const char *name, struct err *err)
{
    SCOPED(json_decrefp) json_t *rule = json_object();
    SCOPED(freep) char *at = xasprintf("binlog_filter_rule.%s", name);
    const char *schema;
    const json_t *filter;
    json_t *with;
    int rc = called(r, "filters", name, &filter, err);

    if (rc < 0)
        return rc;
    if (strcasecmp(text(filter, "action"), "Ignore") != 0)
        return err_set(err, -EINVAL, "filters.%s: action %s: only Ignore can be said here", name,
                       text(filter, "action"));
    if (json_object_get(filter, "events"))
        json_object_set(rule, "ignore_event", json_object_get(filter, "events"));
    if (json_object_get(filter, "sql-pattern"))
        json_object_set(rule, "ignore_sql", json_object_get(filter, "sql-pattern"));
    if (strchr(name, '.'))
        return err_set(err, -EINVAL, "filters.%s: a name without a dot is expected", name);
    dm_put(r->doc, at, rule);
    schema = text(filter, "schema-pattern");
    with = add_rule(r, *schema ? schema : "*", text(filter, "table-pattern"));
    json_object_set_new(with, "binlog_filter_rule", json_pack("[s]", name));
    return 0;
}

static int each_name(struct reading *r, const json_t *instance, const char *key,
                     int (*take)(struct reading *r, const char *name, struct err *err),
                     struct err *err)
{
    const json_t *name;
    size_t i;
    int rc = 0;

    json_array_foreach (json_object_get(instance, key), i, name) {
        if (rc == 0 && !json_is_string(name))
            rc = err_set(err, -EINVAL, "%s.%s: a list of names is expected", r->where, key);
        if (rc == 0)
            rc = take(r, json_string_value(name), err);
    }
    return rc;
}

/* --- expressions over rows --- */

static const struct dm_key expression_keys[] = {
    { "schema", "schema", NULL },
    { "table", "table", NULL },
    { "insert-value-expr", "insert_value_expr", NULL },
    { "update-old-value-expr", "update_old_value_expr", NULL },
    { "update-new-value-expr", "update_new_value_expr", NULL },
    { "delete-value-expr", "delete_value_expr", NULL },
    { 0 }
};

static int take_expressions(struct reading *r, struct err *err)
{
    const json_t *all = json_object_get(r->file, "expression-filter");
    json_t *rules = json_object(), *filter;
    const char *name;
    int rc = 0;

    json_object_foreach ((json_t *)all, name, filter) {
        json_t *rule = json_object();

        if (rc == 0)
            rc = dm_keys_take(expression_keys, filter, name, rule, err);
        json_object_set_new(rules, name, rule);
    }
    if (rc == 0 && json_object_size(rules))
        dm_put(r->doc, "expression_filter", rules);
    json_decref(rules);
    return rc < 0 ? err_wrap(err, "expression-filter") : 0;
}

/* --- lists of what is left out --- */

static int take_tables(json_t *list, const char *to, const json_t *v, struct err *err)
{
    static const struct dm_key keys[] = { { "db-name", "db_name", NULL },
                                          { "tbl-name", "tbl_name", NULL },
                                          { 0 } };
    json_t *tables = json_array(), *from;
    size_t i;
    int rc = 0;

    json_array_foreach ((json_t *)v, i, from) {
        json_t *table = json_object();

        if (rc == 0)
            rc = dm_keys_take(keys, from, "", table, err);
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

static const struct dm_key list_keys[] = { { "do-dbs", "do_dbs", NULL },
                                           { "ignore-dbs", "ignore_dbs", NULL },
                                           { "do-tables", NULL, take_do_tables },
                                           { "ignore-tables", NULL, take_ignore_tables },
                                           { 0 } };

/* A document has one list, for all its sources. */
static int take_list(struct reading *r, const json_t *instance, bool first, struct err *err)
{
    SCOPED(json_decrefp) json_t *list = json_object();
    const char *name = text(instance, "block-allow-list"), *section = "block-allow-list";
    const json_t *from = NULL, *before = json_object_get(r->doc, "block_allow_list");
    int rc;

    if (!*name) {
        name = text(instance, "black-white-list");
        section = "black-white-list";
    }
    rc = *name ? called(r, section, name, &from, err) : 0;
    if (rc == 0 && from)
        rc = dm_keys_take(list_keys, from, section, list, err);
    if (rc < 0)
        return rc;
    if (first)
        return json_object_set(r->doc, "block_allow_list", list);
    return json_equal(list, before)
               ? 0
               : err_set(err, -EINVAL,
                         "%s: the instances have different block-allow-lists: make a "
                         "task of each",
                         r->where);
}

/* --- instances --- */

static const struct dm_key meta_keys[] = { { "binlog-name", "binlog_name", NULL },
                                           { "binlog-pos", "binlog_pos", NULL },
                                           { "binlog-gtid", "binlog_gtid", NULL },
                                           { 0 } };

static int take_meta(json_t *conf, const json_t *v, struct err *err)
{
    return dm_keys_take(meta_keys, v, "", conf, err);
}

static const struct dm_key instance_keys[] = { { "source-id", "source_name", NULL },
                                               { "meta", NULL, take_meta },
                                               { "expression-filters", "expression_filters", NULL },
                                               { "filter-rules", NULL, NULL },
                                               { "route-rules", NULL, NULL },
                                               { "column-mapping-rules", NULL, NULL },
                                               { "block-allow-list", NULL, NULL },
                                               { "black-white-list", NULL, NULL },
                                               { "mydumper-config-name", NULL, NULL },
                                               { "mydumper", NULL, NULL },
                                               { "mydumper-thread", NULL, NULL },
                                               { "loader-config-name", NULL, NULL },
                                               { "loader", NULL, NULL },
                                               { "loader-thread", NULL, NULL },
                                               { "syncer-config-name", NULL, NULL },
                                               { "syncer", NULL, NULL },
                                               { "syncer-thread", NULL, NULL },
                                               { "continuous-validator-config-name", NULL, NULL },
                                               { "continuous-validator", NULL, NULL },
                                               { 0 } };

static int take_instance(struct reading *r, const json_t *instance, size_t i, json_t *confs,
                         struct err *err)
{
    json_t *conf = json_object();
    int rc;

    snprintf(r->where, sizeof r->where, "mysql-instances[%zu]", i);
    json_array_append_new(confs, conf);
    if ((rc = dm_keys_take(instance_keys, instance, r->where, conf, err)) < 0)
        return rc;
    r->source = text(conf, "source_name");
    if (!*r->source)
        return err_set(err, -EINVAL, "%s: source-id is missing", r->where);
    add_rule(r, "*", "");
    if ((rc = each_name(r, instance, "route-rules", take_route, err)) < 0 ||
        (rc = each_name(r, instance, "filter-rules", take_filter, err)) < 0 ||
        (rc = take_list(r, instance, i == 0, err)) < 0)
        return rc;
    for (size_t k = 0; k < ARRAY_LEN(parts) && rc == 0; k++)
        rc = take_part(r, instance, &parts[k], err);
    return rc;
}

static int take_instances(struct reading *r, struct err *err)
{
    SCOPED(json_decrefp) json_t *confs = json_array();
    const json_t *instance;
    size_t i;
    int rc = 0;

    json_array_foreach (json_object_get(r->file, "mysql-instances"), i, instance)
        if (rc == 0)
            rc = take_instance(r, instance, i, confs, err);
    if (rc == 0 && json_array_size(json_object_get(r->file, "column-mappings")))
        rc = err_set(err, -EINVAL, "column-mappings: DM has done away with them, too");
    dm_put(r->doc, "source_config.source_conf", confs);
    return rc;
}

int task_file_read(const json_t *file, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = json_object();
    SCOPED(json_decrefp) json_t *rules = json_array();
    struct reading r = { .file = file, .doc = doc, .rules = rules };
    int rc = dm_keys_take(file_keys, file, "", doc, err);

    if (rc == 0)
        rc = take_instances(&r, err);
    if (rc == 0)
        rc = take_expressions(&r, err);
    if (rc < 0)
        return err_wrap(err, "task file of DM");
    if (json_array_size(rules))
        json_object_set(doc, "table_migrate_rule", rules);
    *ret = STEAL(doc);
    return 0;
}
