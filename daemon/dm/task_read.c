/* task_read.c - the document of a task file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "dm/task_file.h"
#include "dm/task_keys.h"

bool task_file_is(const json_t *doc)
{
    return json_object_get(doc, "mysql-instances") || json_object_get(doc, "target-database") ||
           json_object_get(doc, "task-mode");
}

struct reading {
    const json_t *file;
    json_t *doc;
    json_t *rules;      /* table_migrate_rule */
    json_t *used;       /* "routes/r1": what instances called */
    json_t *lists;      /* of each instance, as they are */
    bool wide;          /* some rule brings in what its list leaves out */
    const char *source; /* at hand */
    const json_t *list; /* and what it is to give and not; empty: all */
    char where[64];     /* "mysql-instances[0]" */
};

/* --- what an instance calls --- */

static const struct task_file_section *section_of(const char *name)
{
    const struct task_file_section *s = task_file_sections;

    while (strcmp(s->name, name) != 0)
        s++;
    return s;
}

static int called(struct reading *r, const char *section, const char *name, const json_t **ret,
                  struct err *err)
{
    SCOPED(freep) char *key = xasprintf("%s/%s", section, name);

    *ret = json_object_get(json_object_get(r->file, section), name);
    json_object_set_new(r->used, key, json_true());
    if (*ret)
        return 0;
    err_set(err, -EINVAL, "%s: %s is not in section %s of the file", r->where, name, section);
    return err_because(err, section_of(section)->unknown);
}

/* What nobody calls is a mistake. */
static int check_used(const struct reading *r, struct err *err)
{
    const char *name;
    json_t *v;

    for (const struct task_file_section *s = task_file_sections; s->name; s++)
        json_object_foreach (json_object_get(r->file, s->name), name, v) {
            SCOPED(freep) char *key = xasprintf("%s/%s", s->name, name);

            if (s->may_rest || json_object_get(r->used, key))
                continue;
            err_set(err, -EINVAL, "%s.%s: no instance calls it", s->name, name);
            return err_because(err, REASON_FILE_RULE_UNUSED);
        }
    return 0;
}

static int check_name(const struct reading *r, const json_t *names, size_t i, const char *key,
                      struct err *err)
{
    const json_t *name = json_array_get(names, i);

    if (!json_is_string(name))
        return err_set(err, -EINVAL, "%s.%s: a list of names is expected", r->where, key);
    for (size_t k = 0; k < i; k++) {
        if (!json_equal(json_array_get(names, k), name))
            continue;
        err_set(err, -EINVAL, "%s.%s: %s is named twice", r->where, key, json_string_value(name));
        return err_because(err, REASON_FILE_RULE_TWICE);
    }
    return 0;
}

static int each_name(struct reading *r, const json_t *instance, const char *key,
                     int (*take)(struct reading *r, const char *name, struct err *err),
                     struct err *err)
{
    const json_t *names = json_object_get(instance, key);
    int rc = 0;

    for (size_t i = 0; i < json_array_size(names) && rc == 0; i++) {
        rc = check_name(r, names, i, key, err);
        if (rc == 0)
            rc = take(r, json_string_value(json_array_get(names, i)), err);
    }
    return rc;
}

/* The instance's own settings win over those that it calls. */
static int take_part(struct reading *r, const json_t *instance, const struct task_file_part *p,
                     struct err *err)
{
    SCOPED(json_decrefp) json_t *conf = json_object();
    SCOPED(freep) char *path = xasprintf("source_config.%s", p->to);
    const char *name = dm_word(instance, p->name);
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

/* --- rules --- */

static bool is(const json_t *object, const char *key, const char *text)
{
    return strcmp(dm_word(object, key), text) == 0;
}

/* Has the list an entry that brings in all that these patterns do? */
static bool covers(const json_t *list, const char *schema, const char *table)
{
    const json_t *v;
    size_t i;

    if (!json_object_size(list))
        return true;
    json_array_foreach (json_object_get(list, "do_dbs"), i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), schema) == 0)
            return true;
    json_array_foreach (json_object_get(list, "do_tables"), i, v)
        if (is(v, "db_name", schema) && is(v, "tbl_name", table))
            return true;
    return false;
}

/* The rule of the source at hand with these patterns, made if it is not there. */
static json_t *rule_of(struct reading *r, const char *schema, const char *table)
{
    json_t *rule;
    size_t i;

    json_array_foreach (r->rules, i, rule) {
        const json_t *from = json_object_get(rule, "source");

        if (is(from, "source_name", r->source) && is(from, "schema", schema) &&
            is(from, "table", table) && !json_object_get(rule, "target"))
            return rule;
    }
    rule = json_pack("{s:{s:s, s:s, s:s}}", "source", "source_name", r->source, "schema", schema,
                     "table", table);
    json_array_append_new(r->rules, rule);
    return rule;
}

static int take_route(struct reading *r, const char *name, struct err *err)
{
    SCOPED(json_decrefp) json_t *taken = json_object();
    const json_t *route;
    const char *schema, *table;
    json_t *rule;
    int rc = called(r, "routes", name, &route, err);

    if (rc == 0)
        rc = dm_keys_take(task_file_route_keys, route, name, taken, err);
    if (rc < 0)
        return err_wrap(err, "routes");
    schema = dm_word(json_object_get(taken, "source"), "schema");
    table = dm_word(json_object_get(taken, "source"), "table");
    rule = rule_of(r, schema, table);
    json_object_del(taken, "source");
    json_object_update(rule, taken);
    r->wide = r->wide || !covers(r->list, schema, table);
    return 0;
}

static void call_filter(json_t *rule, const char *name)
{
    if (!json_object_get(rule, "binlog_filter_rule"))
        json_object_set_new(rule, "binlog_filter_rule", json_array());
    json_array_append_new(json_object_get(rule, "binlog_filter_rule"), json_string(name));
}

/* A filter of a file has patterns of its own; here it is of rules with them.  One for all tables is
 * of each rule, unless it looks at statements: those it sees whole only as a rule for all
 * (route/filter.h). */
static void attach(struct reading *r, const char *name, const char *schema, const char *table,
                   const json_t *filter)
{
    bool to_all = strcmp(schema, "*") == 0 && !*table && !json_object_get(filter, "ignore_sql");
    bool found = false;
    json_t *rule;
    size_t i;

    json_array_foreach (r->rules, i, rule) {
        const json_t *source = json_object_get(rule, "source");

        if (!is(source, "source_name", r->source) ||
            !(to_all || (is(source, "schema", schema) && is(source, "table", table))))
            continue;
        call_filter(rule, name);
        found = true;
    }
    if (found)
        return;
    call_filter(rule_of(r, schema, table), name);
    r->wide = r->wide || !covers(r->list, schema, table);
}

static int take_filter(struct reading *r, const char *name, struct err *err)
{
    SCOPED(json_decrefp) json_t *rule = json_object();
    SCOPED(freep) char *at = xasprintf("binlog_filter_rule.%s", name);
    const char *schema, *table;
    const json_t *filter;
    int rc = called(r, "filters", name, &filter, err);

    if (rc == 0)
        rc = dm_keys_take(task_file_filter_keys, filter, name, rule, err);
    if (rc < 0)
        return err_wrap(err, "filters");
    if (strcasecmp(dm_word(filter, "action"), "Ignore") != 0)
        return err_set(err, -EINVAL, "filters.%s: action %s: only Ignore can be said here", name,
                       dm_word(filter, "action"));
    if (strchr(name, '.'))
        return err_set(err, -EINVAL, "filters.%s: a name without a dot is expected", name);
    dm_put(r->doc, at, rule);
    schema = dm_word(filter, "schema-pattern");
    table = dm_word(filter, "table-pattern");
    attach(r, name, *schema ? schema : "*", strcmp(table, "*") == 0 ? "" : table, rule);
    return 0;
}

static int take_expression(struct reading *r, const char *name, struct err *err)
{
    SCOPED(json_decrefp) json_t *rule = json_object();
    SCOPED(freep) char *at = xasprintf("expression_filter.%s", name);
    const json_t *filter;
    int rc = called(r, "expression-filter", name, &filter, err);

    if (rc == 0)
        rc = dm_keys_take(task_file_expression_keys, filter, name, rule, err);
    if (rc < 0)
        return err_wrap(err, "expression-filter");
    if (strchr(name, '.'))
        return err_set(err, -EINVAL, "expression-filter.%s: a name without a dot is expected",
                       name);
    dm_put(r->doc, at, rule);
    return 0;
}

/* --- lists --- */

/* A rule for each that the list names; for all if it names none. */
static void add_listed(struct reading *r)
{
    const json_t *dbs = json_object_get(r->list, "do_dbs"), *v;
    const json_t *tables = json_object_get(r->list, "do_tables");
    size_t i;

    json_array_foreach (dbs, i, v)
        rule_of(r, json_is_string(v) ? json_string_value(v) : "", "");
    json_array_foreach (tables, i, v)
        rule_of(r, dm_word(v, "db_name"), dm_word(v, "tbl_name"));
    if (!json_array_size(dbs) && !json_array_size(tables))
        rule_of(r, "*", "");
    /* with both, tables alone count; and rules cannot leave out */
    r->wide = r->wide || (json_array_size(dbs) && json_array_size(tables)) ||
              json_array_size(json_object_get(r->list, "ignore_dbs")) ||
              json_array_size(json_object_get(r->list, "ignore_tables"));
}

static int take_list(struct reading *r, const json_t *instance, struct err *err)
{
    static const char *const keys[] = { "block-allow-list", "black-white-list" };
    const char *name = dm_word(instance, keys[0]);
    size_t key = *name ? 0 : 1;
    json_t *list = json_object();
    const json_t *from = NULL;
    int rc;

    json_array_append_new(r->lists, list);
    name = dm_word(instance, keys[key]);
    rc = *name ? called(r, keys[key], name, &from, err) : 0;
    if (rc == 0 && from)
        rc = dm_keys_take(task_file_list_keys, from, keys[key], list, err);
    if (rc < 0)
        return rc;
    r->list = list;
    add_listed(r);
    return 0;
}

/* A document has one list, for all its sources. */
static int keep_list(struct reading *r, struct err *err)
{
    const json_t *first = json_array_get(r->lists, 0), *list;
    size_t i;

    if (!r->wide)
        return 0;
    json_array_foreach (r->lists, i, list)
        if (!json_equal(list, first))
            return err_set(err, -EINVAL,
                           "mysql-instances[%zu]: the instances have different block-allow-lists: "
                           "make a task of each",
                           i);
    return json_object_set(r->doc, "block_allow_list", (json_t *)first);
}

/* --- validators --- */

/* What is validated is said at the task (verify/), so that only mistakes are of account. */
static int check_validator(const struct reading *r, const char *what, const json_t *validator,
                           struct err *err)
{
    static const char *const modes[] = { "", "none", "fast", "full" };
    const json_t *mode = json_object_get(validator, "mode");

    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (!mode || (json_is_string(mode) && strcmp(modes[i], json_string_value(mode)) == 0))
            return 0;
    err_set(err, -EINVAL, "%s: %s: mode: none, fast or full is expected", r->where, what);
    return err_because(err, REASON_FILE_VALIDATOR_MODE);
}

static int take_validator(struct reading *r, const json_t *instance, struct err *err)
{
    const char *name = dm_word(instance, "continuous-validator-config-name");
    const json_t *from = NULL;
    int rc = *name ? called(r, "validators", name, &from, err) : 0;

    if (rc == 0)
        rc = check_validator(r, name, from, err);
    if (rc == 0)
        rc = check_validator(r, "continuous-validator",
                             json_object_get(instance, "continuous-validator"), err);
    return rc;
}

/* --- instances --- */

static int check_source(const struct reading *r, const json_t *confs, struct err *err)
{
    if (!*r->source) {
        err_set(err, -EINVAL, "%s: source-id is missing", r->where);
        return err_because(err, REASON_FILE_SOURCE);
    }
    for (size_t i = 0; i + 1 < json_array_size(confs); i++) {
        if (!is(json_array_get(confs, i), "source_name", r->source))
            continue;
        err_set(err, -EINVAL, "mysql-instance (%zu) and (%zu) have same source-id (%s)", i,
                json_array_size(confs) - 1, r->source);
        return err_because(err, REASON_SAME_SOURCE);
    }
    return 0;
}

static int take_instance(struct reading *r, const json_t *instance, size_t i, json_t *confs,
                         struct err *err)
{
    json_t *conf = json_object();
    int rc;

    snprintf(r->where, sizeof r->where, "mysql-instances[%zu]", i);
    json_array_append_new(confs, conf);
    if ((rc = dm_keys_take(task_file_instance_keys, instance, r->where, conf, err)) < 0)
        return rc;
    r->source = dm_word(conf, "source_name");
    if ((rc = check_source(r, confs, err)) < 0 || (rc = take_list(r, instance, err)) < 0 ||
        (rc = each_name(r, instance, "route-rules", take_route, err)) < 0 ||
        (rc = each_name(r, instance, "filter-rules", take_filter, err)) < 0 ||
        (rc = each_name(r, instance, "expression-filters", take_expression, err)) < 0 ||
        (rc = take_validator(r, instance, err)) < 0)
        return rc;
    for (const struct task_file_part *p = task_file_parts; p->own && rc == 0; p++)
        rc = take_part(r, instance, p, err);
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
    if (rc == 0 && i > 0)
        rc = check_used(r, err);
    dm_put(r->doc, "source_config.source_conf", confs);
    return rc < 0 ? rc : keep_list(r, err);
}

int task_file_read(const json_t *file, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = json_object(), *rules = json_array();
    SCOPED(json_decrefp) json_t *used = json_object(), *lists = json_array();
    struct reading r = { .file = file, .doc = doc, .rules = rules, .used = used, .lists = lists };
    int rc = dm_keys_take(task_file_keys, file, "", doc, err);

    if (rc == 0)
        rc = take_instances(&r, err);
    if (rc < 0)
        return err_wrap(err, "task file of DM");
    if (json_array_size(rules))
        json_object_set(doc, "table_migrate_rule", rules);
    *ret = STEAL(doc);
    return 0;
}
