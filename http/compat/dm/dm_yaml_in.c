/* dm_yaml_in.c - the task of a file. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/dm/dm_yaml.h"

void dm_to_task(const struct dm_setting *settings, const json_t *from, json_t *to)
{
    for (; settings->task; settings++)
        if (json_object_get(from, settings->file))
            json_object_set(to, settings->task, json_object_get(from, settings->file));
}

/* One reading of a file. */
struct reading {
    const json_t *file;
    json_t *task, *rules, *filters; /* what comes of it */
    json_t *used;                   /* "routes/r1": named by some instance */
    enum dm_error e;
    struct err *err;
};

static int __attribute__((format(printf, 3, 4)))
wrong(struct reading *r, enum dm_error e, const char *fmt, ...)
{
    char text[sizeof r->err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->e = e;
    return err_set(r->err, -EINVAL, "%s", text);
}

/* --- sections: what instances call by name --- */

/* What an instance has in itself ('own'), or calls by 'name' in 'section'; NULL: neither. */
static const json_t *called(struct reading *r, const char *section, const json_t *own,
                            const json_t *name, int *rc)
{
    const char *text = json_string_value(name);
    const json_t *v = text ? json_object_get(json_object_get(r->file, section), text) : NULL;
    SCOPED(freep) char *key = xasprintf("%s/%s", section, text ? text : "");

    *rc = 0;
    if (own)
        return own;
    if (name && !text)
        *rc = wrong(r, DM_YAML, "%s: the name of one is expected", section);
    if (!text || !*text)
        return NULL;
    if (!v)
        *rc = wrong(r, DM_RULE_NOT_FOUND, "%s: %s is not there", section, text);
    json_object_set_new(r->used, key, json_true());
    return v;
}

static const char *const sections[] = { "routes",    "filters", "block-allow-list",
                                        "mydumpers", "loaders", "syncers",
                                        NULL };

/* What nobody calls is a mistake. */
static int check_used(struct reading *r)
{
    const char *name;
    const json_t *v;

    for (size_t i = 0; sections[i]; i++)
        json_object_foreach (json_object_get(r->file, sections[i]), name, v) {
            SCOPED(freep) char *key = xasprintf("%s/%s", sections[i], name);

            if (!json_object_get(r->used, key))
                return wrong(r, DM_GLOBAL_UNUSED,
                             "The configurations as following [%s] are set in global "
                             "configuration but instances don't use them",
                             key);
        }
    return 0;
}

static int check_doubles(struct reading *r, const json_t *names)
{
    size_t n = json_array_size(names);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (json_equal(json_array_get(names, i), json_array_get(names, k)))
                return wrong(r, DM_DUPLICATE_ITEM, "%s is named twice",
                             json_string_value(json_array_get(names, i)));
    return 0;
}

/* --- rules --- */

/* The rule of 'source' with these patterns; made if it is not there. */
static json_t *rule_of(struct reading *r, const char *source, const char *schema, const char *table)
{
    json_t *rule;
    size_t i;

    json_array_foreach (r->rules, i, rule) {
        const json_t *from = json_object_get(rule, "source");

        if (strcmp(dm_text(from, "source_name"), source) == 0 &&
            strcmp(dm_text(from, "schema"), schema) == 0 &&
            strcmp(dm_text(from, "table"), table) == 0)
            return rule;
    }
    rule = json_pack("{s:{s:s,s:s,s:s}}", "source", "source_name", source, "schema", schema,
                     "table", table);
    json_array_append_new(r->rules, rule);
    return rule;
}

static int take_routes(struct reading *r, const char *source, const json_t *names)
{
    const json_t *name;
    size_t i;
    int rc = check_doubles(r, names);

    json_array_foreach ((json_t *)names, i, name) {
        const json_t *route = rc == 0 ? called(r, "routes", NULL, name, &rc) : NULL;
        json_t *target;

        if (rc < 0)
            return rc;
        target = json_object();
        dm_to_task(dm_route_settings, route, target);
        json_object_set_new(
            rule_of(r, source, dm_text(route, "schema-pattern"), dm_text(route, "table-pattern")),
            "target", target);
    }
    return rc;
}

static int take_list(struct reading *r, const char *source, const json_t *name)
{
    int rc;
    const json_t *list = called(r, "block-allow-list", NULL, name, &rc), *v;
    size_t i;

    if (rc < 0)
        return rc;
    if (json_array_size(json_object_get(list, "ignore-dbs")) ||
        json_array_size(json_object_get(list, "ignore-tables")))
        return wrong(r, DM_COMMON,
                     "block-allow-list: ignore-dbs and ignore-tables have no word in the API: "
                     "write the whole document into tasks/TASK/config");
    json_array_foreach (json_object_get(list, "do-dbs"), i, v)
        rule_of(r, source, json_is_string(v) ? json_string_value(v) : "", "");
    json_array_foreach (json_object_get(list, "do-tables"), i, v)
        rule_of(r, source, dm_text(v, "db-name"), dm_text(v, "tbl-name"));
    return 0;
}

static bool fits(const char *pattern, const char *other)
{
    return !*pattern || strcmp(pattern, "*") == 0 || strcmp(pattern, other) == 0;
}

/* A filter of the file has patterns of its own; one of the API belongs to a rule. */
static int attach(struct reading *r, const char *source, const char *name, const json_t *filter)
{
    bool found = false;
    json_t *rule;
    size_t i;

    json_array_foreach (r->rules, i, rule) {
        const json_t *from = json_object_get(rule, "source");
        json_t *names = json_object_get(rule, "binlog_filter_rule");

        if (strcmp(dm_text(from, "source_name"), source) != 0 ||
            !fits(dm_text(filter, "schema-pattern"), dm_text(from, "schema")) ||
            !fits(dm_text(filter, "table-pattern"), dm_text(from, "table")))
            continue;
        if (!names)
            json_object_set_new(rule, "binlog_filter_rule", json_pack("[s]", name));
        else
            json_array_append_new(names, json_string(name));
        found = true;
    }
    if (!found)
        return wrong(r, DM_COMMON,
                     "filters: no table of source %s in routes or block-allow-list is written as "
                     "that of %s, so the API has no rule for it",
                     source, name);
    return 0;
}

static int take_filter(struct reading *r, const char *source, const char *name,
                       const json_t *filter)
{
    json_t *v = json_object();

    if (strcmp(dm_text(filter, "action"), "Ignore") != 0) {
        json_decref(v);
        return wrong(r, DM_COMMON, "filters: action of %s: the API has no word but Ignore", name);
    }
    if (json_object_get(filter, "events"))
        json_object_set(v, "ignore_event", json_object_get(filter, "events"));
    if (json_object_get(filter, "sql-pattern"))
        json_object_set(v, "ignore_sql", json_object_get(filter, "sql-pattern"));
    json_object_set_new(r->filters, name, v);
    return attach(r, source, name, filter);
}

static int take_filters(struct reading *r, const char *source, const json_t *names)
{
    const json_t *name;
    size_t i;
    int rc = check_doubles(r, names);

    json_array_foreach ((json_t *)names, i, name) {
        const json_t *filter = rc == 0 ? called(r, "filters", NULL, name, &rc) : NULL;

        if (rc == 0)
            rc = take_filter(r, source, json_string_value(name), filter);
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* --- instances --- */

/* The first instance's settings are those of all: the API has one set. */
static const struct unit {
    const char *section, *own, *name, *threads; /* keys of an instance */
    const char *to, *threads_to;                /* of source_config */
    const struct dm_setting *settings;
} units[] = {
    { "mydumpers", "mydumper", "mydumper-config-name", "mydumper-thread", "full_migrate_conf",
      "export_threads", dm_dump_settings },
    { "loaders", "loader", "loader-config-name", "loader-thread", "full_migrate_conf",
      "import_threads", dm_load_settings },
    { "syncers", "syncer", "syncer-config-name", "syncer-thread", "incr_migrate_conf",
      "repl_threads", dm_sync_settings },
};

static int take_unit(struct reading *r, const struct unit *u, const json_t *instance, bool first)
{
    json_t *to = dm_at(r->task, "source_config");
    int rc;
    const json_t *from = called(r, u->section, json_object_get(instance, u->own),
                                json_object_get(instance, u->name), &rc);
    const json_t *threads = json_object_get(instance, u->threads);

    if (rc < 0 || !first)
        return rc;
    to = json_object_get(to, u->to);
    dm_to_task(u->settings, from, to);
    if (threads)
        json_object_set(to, u->threads_to, (json_t *)threads);
    if (json_object_get(from, "on-duplicate") && !json_object_get(to, "on_duplicate_logical"))
        json_object_set(to, "on_duplicate_logical", json_object_get(from, "on-duplicate"));
    return 0;
}

static int take_conf(struct reading *r, const json_t *instance)
{
    json_t *confs = dm_at(r->task, "source_config.source_conf"), *conf, *other;
    const char *source = dm_text(instance, "source-id");
    size_t i;

    if (!*source)
        return wrong(r, DM_NEED_SOURCE_ID, "mysql-instances: source-id is missing");
    json_array_foreach (confs, i, other)
        if (strcmp(dm_text(other, "source_name"), source) == 0)
            return wrong(r, DM_SAME_SOURCE,
                         "mysql-instance (%zu) and (%zu) have same source-id (%s)", i,
                         json_array_size(confs), source);
    conf = json_pack("{s:s}", "source_name", source);
    dm_to_task(dm_meta_settings, json_object_get(instance, "meta"), conf);
    json_array_append_new(confs, conf);
    return 0;
}

static int take_instance(struct reading *r, const json_t *instance)
{
    bool first = json_array_size(dm_at(r->task, "source_config.source_conf")) == 0;
    const char *source = dm_text(instance, "source-id");
    int rc = take_conf(r, instance);

    if (rc == 0 && json_array_size(json_object_get(instance, "expression-filters")))
        rc = wrong(r, DM_COMMON,
                   "expression-filters have no word in the API: write the whole document into "
                   "tasks/TASK/config");
    if (rc == 0)
        rc = take_routes(r, source, json_object_get(instance, "route-rules"));
    if (rc == 0)
        rc = take_list(r, source, json_object_get(instance, "block-allow-list"));
    if (rc == 0)
        rc = take_filters(r, source, json_object_get(instance, "filter-rules"));
    for (size_t i = 0; i < ARRAY_LEN(units) && rc == 0; i++)
        rc = take_unit(r, &units[i], instance, first);
    return rc;
}

/* --- the file --- */

static int take_top(struct reading *r)
{
    json_t *target = json_object();

    dm_to_task(dm_top_settings, r->file, r->task);
    dm_to_task(dm_target_settings, json_object_get(r->file, "target-database"), target);
    json_object_set_new(r->task, "target_config", target);
    if (!json_object_get(r->task, "enhance_online_schema_change"))
        json_object_set_new(r->task, "enhance_online_schema_change", json_true());
    if (!*dm_text(r->task, "name"))
        return wrong(r, DM_TASK_NAME_EMPTY, "%s", "name");
    if (!*dm_text(r->task, "task_mode"))
        return wrong(r, DM_TASK_MODE, "task-mode is missing");
    if (!json_object_size(target))
        return wrong(r, DM_NEED_TARGET, "must specify target-database");
    return 0;
}

static int take_instances(struct reading *r)
{
    const json_t *list = json_object_get(r->file, "mysql-instances"), *instance;
    size_t i;
    int rc = 0;

    if (!json_array_size(list))
        return wrong(r, DM_NEED_INSTANCES, "must specify at least one mysql-instances");
    json_array_foreach ((json_t *)list, i, instance)
        if (rc == 0)
            rc = take_instance(r, instance);
    return rc < 0 ? rc : check_used(r);
}

/* As the loader says; it stands at the task, too. */
static void set_duplicate(json_t *task)
{
    const char *said =
        dm_text(dm_at(task, "source_config.full_migrate_conf"), "on_duplicate_logical");

    json_object_set_new(task, "on_duplicate", json_string(*said ? said : "replace"));
}

static int read_file(struct reading *r)
{
    int rc =
        json_is_object(r->file) ? take_top(r) : wrong(r, DM_YAML, "the file is no mapping of keys");

    if (rc == 0)
        rc = take_instances(r);
    if (rc < 0)
        return rc;
    if (json_object_size(r->filters))
        json_object_set(r->task, "binlog_filter_rule", r->filters);
    json_object_set(r->task, "table_migrate_rule", r->rules);
    set_duplicate(r->task);
    return 0;
}

json_t *dm_task_of_file(const json_t *file, enum dm_error *e, struct err *err)
{
    SCOPED(json_decrefp)
    json_t *task = json_pack("{s:{s:{},s:{},s:[]}}", "source_config", "full_migrate_conf",
                             "incr_migrate_conf", "source_conf");
    SCOPED(json_decrefp) json_t *rules = json_array(), *filters = json_object();
    SCOPED(json_decrefp) json_t *used = json_object(), *checked = NULL;
    struct reading r = { file, task, rules, filters, used, DM_YAML, err };

    if (read_file(&r) < 0) {
        *e = r.e;
        return NULL;
    }
    *e = DM_YAML;
    return api_check(&dm_task_schema, task, &checked, err) < 0 ? NULL : json_incref(checked);
}
