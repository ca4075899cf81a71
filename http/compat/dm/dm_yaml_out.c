/* dm_yaml_out.c - a task's file. */
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/dm/dm_yaml.h"

const struct dm_setting dm_top_settings[] = {
    { "name", "name" },
    { "task_mode", "task-mode" },
    { "shard_mode", "shard-mode" },
    { "strict_optimistic_shard_mode", "strict-optimistic-shard-mode" },
    { "meta_schema", "meta-schema" },
    { "timezone", "timezone" },
    { "enhance_online_schema_change", "online-ddl" },
    { "shadow_table_rules", "shadow-table-rules" },
    { "trash_table_rules", "trash-table-rules" },
    { "ignore_checking_items", "ignore-checking-items" },
    { NULL, NULL },
};

const struct dm_setting dm_target_settings[] = {
    { "host", "host" },         { "port", "port" },       { "user", "user" },
    { "password", "password" }, { "session", "session" }, { NULL, NULL },
};

const struct dm_setting dm_dump_settings[] = {
    { "export_threads", "threads" },
    { NULL, NULL },
};

const struct dm_setting dm_load_settings[] = {
    { "import_threads", "pool-size" },
    { "data_dir", "dir" },
    { "import_mode", "import-mode" },
    { "on_duplicate_logical", "on-duplicate-logical" },
    { "on_duplicate_physical", "on-duplicate-physical" },
    { "sorting_dir", "sorting-dir-physical" },
    { "disk_quota", "disk-quota-physical" },
    { "checksum", "checksum-physical" },
    { "analyze", "analyze" },
    { "range_concurrency", "range-concurrency" },
    { "compress-kv-pairs", "compress-kv-pairs" },
    { "pd_addr", "pd-addr" },
    { NULL, NULL },
};

const struct dm_setting dm_sync_settings[] = {
    { "repl_threads", "worker-count" },
    { "repl_batch", "batch" },
    { "safe_mode", "safe-mode" },
    { NULL, NULL },
};

const struct dm_setting dm_meta_settings[] = {
    { "binlog_name", "binlog-name" },
    { "binlog_pos", "binlog-pos" },
    { "binlog_gtid", "binlog-gtid" },
    { NULL, NULL },
};

const struct dm_setting dm_route_settings[] = {
    { "schema", "target-schema" },
    { "table", "target-table" },
    { NULL, NULL },
};

void dm_to_file(const struct dm_setting *settings, const json_t *from, json_t *to)
{
    for (; settings->task; settings++)
        if (json_object_get(from, settings->task))
            json_object_set(to, settings->file, json_object_get(from, settings->task));
}

/* --- rules of a source --- */

struct sections {
    json_t *routes, *filters, *lists;
};

static bool is_of(const json_t *rule, const char *source)
{
    return strcmp(dm_text(json_object_get(rule, "source"), "source_name"), source) == 0;
}

/* "s1-route-1" */
static json_t *name_of(const char *source, const char *what, size_t n)
{
    return json_sprintf("%s-%s-%zu", source, what, n);
}

static json_t *patterns_of(const json_t *rule)
{
    const json_t *source = json_object_get(rule, "source");
    json_t *v = json_object();

    json_object_set(v, "schema-pattern", json_object_get(source, "schema"));
    if (*dm_text(source, "table"))
        json_object_set(v, "table-pattern", json_object_get(source, "table"));
    return v;
}

static void add_route(const json_t *rule, const char *source, struct sections *all, json_t *names)
{
    const json_t *target = json_object_get(rule, "target");
    json_t *route, *name;

    if (!*dm_text(target, "schema") && !*dm_text(target, "table"))
        return;
    route = patterns_of(rule);
    dm_to_file(dm_route_settings, target, route);
    name = name_of(source, "route-rule", json_array_size(names) + 1);
    json_object_set_new(all->routes, json_string_value(name), route);
    json_array_append_new(names, name);
}

static json_t *list_or_empty(const json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);

    return v ? json_incref(v) : json_array();
}

static void add_filters(const json_t *task, const json_t *rule, const char *source,
                        struct sections *all, json_t *names)
{
    const json_t *called;
    size_t i;

    json_array_foreach (json_object_get(rule, "binlog_filter_rule"), i, called) {
        const json_t *what =
            json_object_get(json_object_get(task, "binlog_filter_rule"), json_string_value(called));
        json_t *filter = patterns_of(rule);
        json_t *name = name_of(source, "filter-rule", json_array_size(names) + 1);

        json_object_set_new(filter, "events", list_or_empty(what, "ignore_event"));
        json_object_set_new(filter, "sql-pattern", list_or_empty(what, "ignore_sql"));
        json_object_set_new(filter, "action", json_string("Ignore"));
        json_object_set_new(all->filters, json_string_value(name), filter);
        json_array_append_new(names, name);
    }
}

static void add_allowed(const json_t *rule, json_t *dbs, json_t *tables)
{
    const json_t *source = json_object_get(rule, "source");

    if (*dm_text(source, "table"))
        json_array_append_new(tables,
                              json_pack("{s:O,s:O}", "db-name", json_object_get(source, "schema"),
                                        "tbl-name", json_object_get(source, "table")));
    else
        json_array_append(dbs, json_object_get(source, "schema"));
}

static json_t *list_of(json_t *dbs, json_t *tables)
{
    json_t *v = json_object();

    if (json_array_size(dbs))
        json_object_set(v, "do-dbs", dbs);
    if (json_array_size(tables))
        json_object_set(v, "do-tables", tables);
    return v;
}

/* --- instances --- */

static void add_rules(const json_t *task, const char *source, json_t *instance,
                      struct sections *all)
{
    SCOPED(json_decrefp) json_t *routes = json_array(), *filters = json_array();
    SCOPED(json_decrefp) json_t *dbs = json_array(), *tables = json_array();
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(task, "table_migrate_rule"), i, rule) {
        if (!is_of(rule, source))
            continue;
        add_route(rule, source, all, routes);
        add_filters(task, rule, source, all, filters);
        add_allowed(rule, dbs, tables);
    }
    if (json_array_size(routes))
        json_object_set(instance, "route-rules", routes);
    if (json_array_size(filters))
        json_object_set(instance, "filter-rules", filters);
    if (json_array_size(dbs) || json_array_size(tables)) {
        json_object_set_new(all->lists, source, list_of(dbs, tables));
        json_object_set_new(instance, "block-allow-list", json_string(source));
    }
}

static json_t *instance_of(const json_t *task, const json_t *conf, struct sections *all)
{
    json_t *v = json_object(), *meta = json_object();

    json_object_set(v, "source-id", json_object_get(conf, "source_name"));
    dm_to_file(dm_meta_settings, conf, meta);
    if (json_object_size(meta))
        json_object_set(v, "meta", meta);
    json_decref(meta);
    add_rules(task, dm_text(conf, "source_name"), v, all);
    json_object_set_new(v, "mydumper-config-name", json_string("global"));
    json_object_set_new(v, "loader-config-name", json_string("global"));
    json_object_set_new(v, "syncer-config-name", json_string("global"));
    return v;
}

static json_t *section_of(const struct dm_setting *settings, const json_t *from)
{
    json_t *v = json_object();

    dm_to_file(settings, from, v);
    return json_pack("{s:o}", "global", v);
}

/* "overwrite" is of 5.x; the loader says replace. */
static json_t *loaders_of(const json_t *task, const json_t *full)
{
    json_t *all = section_of(dm_load_settings, full), *v = json_object_get(all, "global");
    const char *duplicate = dm_text(task, "on_duplicate");

    if (!json_object_get(v, "on-duplicate-logical") && *duplicate)
        json_object_set_new(
            v, "on-duplicate-logical",
            json_string(strcmp(duplicate, "overwrite") == 0 ? "replace" : duplicate));
    return all;
}

static void set_filled(json_t *file, const char *key, json_t *v)
{
    if (json_object_size(v))
        json_object_set(file, key, v);
    json_decref(v);
}

json_t *dm_file_of_task(const json_t *task)
{
    struct sections all = { json_object(), json_object(), json_object() };
    json_t *file = json_object(), *target = json_object(), *instances = json_array();
    const json_t *conf, *full = dm_at(task, "source_config.full_migrate_conf");
    size_t i;

    dm_to_file(dm_top_settings, task, file);
    dm_to_file(dm_target_settings, json_object_get(task, "target_config"), target);
    json_object_set_new(file, "target-database", target);
    json_array_foreach (dm_at(task, "source_config.source_conf"), i, conf)
        json_array_append_new(instances, instance_of(task, conf, &all));
    json_object_set_new(file, "mysql-instances", instances);
    set_filled(file, "routes", all.routes);
    set_filled(file, "filters", all.filters);
    set_filled(file, "block-allow-list", all.lists);
    json_object_set_new(file, "mydumpers", section_of(dm_dump_settings, full));
    json_object_set_new(file, "loaders", loaders_of(task, full));
    json_object_set_new(
        file, "syncers",
        section_of(dm_sync_settings, dm_at(task, "source_config.incr_migrate_conf")));
    return file;
}
