/* task_write.c - the file of a document. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "dm/task_file.h"
#include "dm/task_keys.h"

#define ALL "global" /* what instances call: there is one of each */

struct writing {
    const json_t *doc;
    json_t *file;
    const char *source; /* at hand */
    json_t *instance;
};

/* "routes", "s1-route-rule-1": adds to the section, and to what the instance calls. */
static void add_called(struct writing *w, const char *section, const char *key, const char *what,
                       json_t *v)
{
    size_t n = json_array_size(json_object_get(w->instance, key)) + 1;
    json_t *name = json_sprintf("%s-%s-%zu", w->source, what, n);

    if (n == 1)
        json_object_set_new(w->instance, key, json_array());
    if (!json_object_get(w->file, section))
        json_object_set_new(w->file, section, json_object());
    json_object_set_new(json_object_get(w->file, section), json_string_value(name), v);
    json_array_append_new(json_object_get(w->instance, key), name);
}

static bool is_of(const struct writing *w, const json_t *rule)
{
    return strcmp(dm_word(json_object_get(rule, "source"), "source_name"), w->source) == 0;
}

/* --- routes and filters --- */

static json_t *patterns_of(const json_t *rule)
{
    const json_t *source = json_object_get(rule, "source");
    json_t *v = json_object();

    json_object_set(v, "schema-pattern", json_object_get(source, "schema"));
    if (*dm_word(source, "table"))
        json_object_set(v, "table-pattern", json_object_get(source, "table"));
    return v;
}

static bool is_route(const json_t *rule)
{
    const json_t *target = json_object_get(rule, "target");

    return *dm_word(target, "schema") || *dm_word(target, "table") ||
           json_object_get(rule, "extract_table") || json_object_get(rule, "extract_schema") ||
           json_object_get(rule, "extract_source");
}

static void add_route(struct writing *w, const json_t *rule)
{
    json_t *route;

    if (!is_route(rule))
        return;
    route = json_object();
    dm_keys_give(task_file_route_keys, rule, route);
    if (!*dm_word(json_object_get(rule, "source"), "table"))
        json_object_del(route, "table-pattern");
    add_called(w, "routes", "route-rules", "route-rule", route);
}

static void set_list(json_t *filter, const char *key)
{
    if (!json_object_get(filter, key))
        json_object_set_new(filter, key, json_array());
}

static void add_filters(struct writing *w, const json_t *rule)
{
    const json_t *called;
    size_t i;

    json_array_foreach (json_object_get(rule, "binlog_filter_rule"), i, called) {
        const json_t *what = json_object_get(json_object_get(w->doc, "binlog_filter_rule"),
                                             json_string_value(called));
        json_t *filter = patterns_of(rule);

        dm_keys_give(task_file_filter_keys, what, filter);
        set_list(filter, "events");
        set_list(filter, "sql-pattern");
        json_object_set_new(filter, "action", json_string("Ignore"));
        add_called(w, "filters", "filter-rules", "filter-rule", filter);
    }
}

/* --- lists --- */

/* What the rules of the source bring in.  DM looks at tables alone where a list has both. */
static json_t *list_of_rules(const struct writing *w)
{
    json_t *dbs = json_array(), *tables = json_array(), *wide = json_array(), *list;
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(w->doc, "table_migrate_rule"), i, rule) {
        const json_t *source = json_object_get(rule, "source");
        json_t *schema = json_object_get(source, "schema");
        bool has_table = *dm_word(source, "table");

        if (!is_of(w, rule))
            continue;
        json_array_append_new(has_table ? tables : wide,
                              json_pack("{s:O, s:s}", "db_name", schema, "tbl_name",
                                        has_table ? dm_word(source, "table") : "*"));
        if (!has_table)
            json_array_append(dbs, schema);
    }
    if (json_array_size(tables))
        json_array_extend(tables, wide);
    list = json_array_size(tables) ? json_pack("{s:O}", "do_tables", tables)
           : json_array_size(dbs)  ? json_pack("{s:O}", "do_dbs", dbs)
                                   : json_object();
    json_decref(dbs);
    json_decref(tables);
    json_decref(wide);
    return list;
}

static bool has_all(const json_t *list, const json_t *wanted)
{
    const json_t *v, *other;
    size_t i, k;

    json_array_foreach ((json_t *)wanted, i, v) {
        bool found = false;

        json_array_foreach ((json_t *)list, k, other)
            found = found || json_equal(v, other);
        if (!found)
            return false;
    }
    return true;
}

static bool brings_all(const struct writing *w)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(w->doc, "table_migrate_rule"), i, rule) {
        const json_t *source = json_object_get(rule, "source");

        if (is_of(w, rule) && strcmp(dm_word(source, "schema"), "*") == 0 &&
            !*dm_word(source, "table"))
            return true;
    }
    return false;
}

/* Rules and a list both say what comes; a file has the list alone.  It says all where the rules
 * bring in at least what it does. */
static int choose_list(const struct writing *w, json_t **ret, struct err *err)
{
    const json_t *said = json_object_get(w->doc, "block_allow_list");
    SCOPED(json_decrefp) json_t *ruled = list_of_rules(w);

    if (!json_object_size(said)) {
        *ret = brings_all(w) ? json_object() : STEAL(ruled);
        return 0;
    }
    if (!brings_all(w)) {
        const json_t *dbs = json_object_get(said, "do_dbs");
        const json_t *tables = json_object_get(said, "do_tables");

        if ((!json_array_size(dbs) && !json_array_size(tables)) ||
            !has_all(json_object_get(ruled, "do_dbs"), json_array_size(tables) ? NULL : dbs) ||
            !has_all(json_object_get(ruled, "do_tables"), tables))
            return err_set(
                err, -ENOTSUP,
                "block_allow_list: what it lets in and what the rules of source %s bring "
                "in is not the same: a task file has one list for both",
                w->source);
    }
    *ret = json_incref((json_t *)said);
    return 0;
}

static int add_list(struct writing *w, struct err *err)
{
    json_t *list = NULL, *given;
    int rc = choose_list(w, &list, err);

    if (rc < 0)
        return rc;
    given = json_object();
    dm_keys_give(task_file_list_keys, list, given);
    if (json_object_size(given)) {
        if (!json_object_get(w->file, "block-allow-list"))
            json_object_set_new(w->file, "block-allow-list", json_object());
        json_object_set(json_object_get(w->file, "block-allow-list"), w->source, given);
        json_object_set_new(w->instance, "block-allow-list", json_string(w->source));
    }
    json_decref(given);
    json_decref(list);
    return 0;
}

/* --- instances --- */

static int add_rules(struct writing *w, struct err *err)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(w->doc, "table_migrate_rule"), i, rule) {
        if (!is_of(w, rule))
            continue;
        add_route(w, rule);
        add_filters(w, rule);
    }
    return add_list(w, err);
}

static int add_instance(struct writing *w, const json_t *conf, struct err *err)
{
    json_t *meta = json_object();
    int rc;

    w->source = dm_word(conf, "source_name");
    dm_keys_give(task_file_instance_keys, conf, w->instance);
    dm_keys_give(task_file_meta_keys, conf, meta);
    if (json_object_size(meta))
        json_object_set(w->instance, "meta", meta);
    json_decref(meta);
    if (*dm_word(conf, "start_time"))
        return err_set(err, -ENOTSUP,
                       "source_conf: start_time of source %s: a task file has no word for it, it "
                       "is said with start",
                       w->source);
    rc = add_rules(w, err);
    for (const struct task_file_part *p = task_file_parts; p->own && rc == 0; p++)
        json_object_set_new(w->instance, p->name, json_string(ALL));
    return rc;
}

static int add_instances(struct writing *w, struct err *err)
{
    json_t *instances = json_array();
    const json_t *conf;
    size_t i;
    int rc = 0;

    json_object_set_new(w->file, "mysql-instances", instances);
    json_array_foreach (dm_get(w->doc, "source_config.source_conf"), i, conf) {
        w->instance = json_object();
        json_array_append_new(instances, w->instance);
        if (rc == 0)
            rc = add_instance(w, conf, err);
    }
    return rc;
}

/* --- sections --- */

static void add_parts(struct writing *w)
{
    for (const struct task_file_part *p = task_file_parts; p->own; p++) {
        json_t *v = json_object();

        dm_keys_give(p->keys, json_object_get(json_object_get(w->doc, "source_config"), p->to), v);
        json_object_set_new(w->file, p->section, json_pack("{s:o}", ALL, v));
    }
}

/* It stands at the task, too; "overwrite" is what 5.x calls it. */
static void add_duplicate(struct writing *w)
{
    json_t *loader = json_object_get(json_object_get(w->file, "loaders"), ALL);
    const char *said = dm_word(w->doc, "on_duplicate");

    if (*said && !json_object_get(loader, "on-duplicate-logical"))
        json_object_set_new(loader, "on-duplicate-logical",
                            json_string(strcmp(said, "overwrite") == 0 ? "replace" : said));
}

static void add_expressions(struct writing *w)
{
    json_t *rules = json_object(), *rule;
    const char *name;

    json_object_foreach (json_object_get(w->doc, "expression_filter"), name, rule) {
        json_t *v = json_object();

        dm_keys_give(task_file_expression_keys, rule, v);
        json_object_set_new(rules, name, v);
    }
    if (json_object_size(rules))
        json_object_set(w->file, "expression-filter", rules);
    json_decref(rules);
}

int task_file_write(const json_t *doc, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *file = json_object();
    struct writing w = { .doc = doc, .file = file };
    int rc;

    dm_keys_give(task_file_keys, doc, file);
    rc = add_instances(&w, err);
    if (rc < 0)
        return rc;
    add_parts(&w);
    add_duplicate(&w);
    add_expressions(&w);
    *ret = STEAL(file);
    return 0;
}
