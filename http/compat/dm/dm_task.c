/* dm_task.c - tasks: made, shown, changed, removed. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/dm/dm_check.h"

/* --- documents --- */

json_t *dm_task_document(const json_t *task)
{
    json_t *doc = json_deep_copy(task);

    dm_drop_security(json_object_get(doc, "target_config"));
    dm_drop_security(dm_at(doc, "source_config.full_migrate_conf"));
    dm_drop_empty(doc);
    return doc;
}

json_t *dm_task_shown(const json_t *config)
{
    json_t *v = api_shown(&dm_task_schema, config), *rule;
    json_t *target = json_object_get(v, "target_config");
    const json_t *full = dm_at(v, "source_config.full_migrate_conf");
    size_t i;

    if (json_is_object(target)) {
        json_t *session = json_object_get(target, "session");

        if (strcmp(dm_text(session, "foreign_key_checks"), "source") == 0)
            json_object_del(session, "foreign_key_checks"); /* no word of DM's */
        if (json_object_size(session) == 0)
            json_object_del(target, "session");
        json_object_set_new(target, "password", json_string("******"));
        json_object_set_new(target, "security", json_null()); /* which is not told */
    }
    if (*dm_text(full, "on_duplicate_logical"))
        json_object_set(v, "on_duplicate", json_object_get(full, "on_duplicate_logical"));
    if (!*dm_text(v, "shard_mode"))
        json_object_del(v, "shard_mode"); /* DM has no word for none */
    if (json_is_null(json_object_get(v, "table_migrate_rule")))
        json_object_set_new(v, "table_migrate_rule", json_array());
    json_array_foreach (json_object_get(v, "table_migrate_rule"), i, rule) {
        json_t *source = json_object_get(rule, "source");

        if (json_is_null(json_object_get(source, "table")))
            json_object_set_new(source, "table", json_string(""));
    }
    return v;
}

/* Takes 'v' out of 'from' where it has an object, and merges; else sets it. */
static void merge(json_t *to, const char *key, json_t *v)
{
    json_t *old = json_object_get(to, key);

    if (json_is_object(old) && json_is_object(v))
        json_object_update_recursive(old, v);
    else if (v)
        json_object_set(to, key, v);
}

json_t *dm_task_changed(const json_t *old, const json_t *task)
{
    SCOPED(json_decrefp) json_t *doc = dm_task_document(task);
    json_t *all = json_deep_copy(old);

    for (const struct api_field *f = dm_task_schema.fields; f->name; f++) {
        json_t *v = json_object_get(doc, f->name);

        if (f->type == API_OBJECT)
            merge(all, f->name, v);
        else if (v)
            json_object_set(all, f->name, v);
        else if (!(f->flags & API_OURS))
            json_object_del(all, f->name);
    }
    return all;
}

/* --- checks --- */

static bool is_source(struct call *c, const char *name)
{
    struct err err = ERR_INIT;

    call_set_param(c, "source", name);
    SCOPED(json_decrefp) json_t *source = call_read(c, DM_SOURCE, &err);

    return source != NULL;
}

/* 0; 1 when that is the reply already. */
static int check_sources(struct call *c, const json_t *task)
{
    SCOPED(json_decrefp) json_t *names = dm_task_sources(task);
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        if (is_source(c, json_string_value(name)))
            continue;
        dm_fail(c, DM_TASK_SOURCE_NOT_FOUND, "source config with ID %.200s not exists",
                json_string_value(name));
        return 1;
    }
    return 0;
}

static int check_gtids(struct call *c, const json_t *task)
{
    const json_t *conf;
    size_t i;

    json_array_foreach (dm_at(task, "source_config.source_conf"), i, conf) {
        call_set_param(c, "source", dm_text(conf, "source_name"));
        if (dm_check_gtid(c, dm_text(conf, "binlog_gtid")))
            return 1;
    }
    return 0;
}

/* What of DM's ways to load a target of ours never has. */
static int check_load(struct call *c, const json_t *task)
{
    const json_t *full = dm_at(task, "source_config.full_migrate_conf");
    const char *mode = dm_text(task, "task_mode"), *dir = dm_text(full, "data_dir");
    bool by_folder = strcmp(mode, "dump") == 0 || strcmp(mode, "load") == 0;
    bool into = strcmp(dm_text(full, "import_mode"), "import-into") == 0;

    if (into && *dm_text(task, "shard_mode"))
        dm_fail(
            c, DM_IMPORT_INTO_SHARDS,
            "import_mode import-into does not support shard_mode, nor a target other than TiDB");
    else if (into)
        dm_fail(c, DM_IMPORT_INTO_FOLDER,
                "import_mode import-into needs a shared storage, and TiDB as the target");
    else if (by_folder && strstr(dir, "://"))
        dm_fail(c, DM_LOADER_S3, "loader's dir %.200s is s3 dir, but s3 is not supported", dir);
    else
        return 0;
    return 1;
}

static const char *unknown_rule(const json_t *rules, const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach ((json_t *)names, i, name)
        if (!json_object_get(rules, json_string_value(name)))
            return json_string_value(name);
    return NULL;
}

int dm_check_rules(struct call *c, const json_t *task)
{
    const json_t *rule;
    size_t i;

    if (!*dm_text(task, "name")) {
        dm_fail(c, DM_TASK_NAME_EMPTY, "%s", "");
        return 1;
    }
    json_array_foreach (json_object_get(task, "table_migrate_rule"), i, rule) {
        const char *name = unknown_rule(json_object_get(task, "binlog_filter_rule"),
                                        json_object_get(rule, "binlog_filter_rule"));

        if (!name)
            continue;
        dm_fail(c, DM_COMMON, "filter rule name %.200s not found", name);
        return 1;
    }
    return check_load(c, task);
}

static int check_task(struct call *c, const json_t *task)
{
    return dm_check_rules(c, task) || check_sources(c, task) || check_gtids(c, task);
}

static char *read_report(struct call *c)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *report = call_read(c, DM_TASK_REPORT, &err);
    const char *text = json_string_value(report);

    return xstrdup(text ? text : "");
}

/* Asks both servers; 'doc' stands for the document of {task}, unless it is NULL.  '*result' is
 * check_result.  0; 1 when that is the reply already. */
static int ask_servers(struct call *c, json_t *doc, char **result, struct err *err)
{
    SCOPED(json_decrefp) json_t *args = json_object();
    SCOPED(freep) char *report = NULL;
    enum dm_error e;

    if (doc)
        json_object_set(args, "config", doc);
    if (call_write(c, DM_TASK_CHECK, args, err) == 0) {
        report = read_report(c);
        *result = dm_check_result(report);
        return 0;
    }
    e = dm_error_at(DM_STEP_TASK_CHECK, err);
    if (e == DM_CHECK_FAILED) {
        report = read_report(c);
        SCOPED(json_decrefp) json_t *detail = dm_check_detail(report);
        SCOPED(freep) char *text = json_dumps(detail, JSON_COMPACT);

        dm_fail(c, e, "%s\n detail: %s", err->text, text);
    } else {
        dm_fail_at(c, DM_STEP_TASK_CHECK, err);
    }
    return 1;
}

/* --- shown --- */

static bool is_of_stage(const json_t *statuses, const char *stage)
{
    const json_t *s;
    size_t i;

    json_array_foreach ((json_t *)statuses, i, s)
        if (strcasecmp(dm_text(s, "stage"), stage) != 0)
            return false;
    return true;
}

static bool same_names(const json_t *a, const json_t *b)
{
    const json_t *name;
    size_t i;

    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach ((json_t *)a, i, name)
        if (!dm_has_text(b, json_string_value(name)))
            return false;
    return true;
}

/* {task} as the API shows it; NULL without an error if the query is for others. */
static json_t *show(struct call *c, struct err *err)
{
    const char *stage = dm_text(c->query, "stage");
    const json_t *only = json_object_get(c->query, "source_name_list");
    bool with_status = dm_flag(c->query, "with_status");
    SCOPED(json_decrefp) json_t *config = call_read(c, DM_TASK_CONFIG, err);
    SCOPED(json_decrefp) json_t *names = config ? dm_task_sources(config) : NULL;
    SCOPED(json_decrefp)
    json_t *statuses =
        config && (with_status || *stage) ? dm_task_statuses(c, config, NULL, err) : NULL;
    json_t *v;

    if (!config || err->code < 0 || (only && !same_names(only, names)) ||
        (*stage && !is_of_stage(statuses, stage)))
        return NULL;
    v = dm_task_shown(config);
    if (with_status)
        json_object_set(v, "status_list", statuses);
    return v;
}

int dm_get_tasks(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = NULL, *all = json_array();
    const char *stage = dm_text(c->query, "stage");
    const json_t *name;
    size_t i;

    if (*stage && !dm_is_stage(stage))
        return dm_fail(c, DM_REQUEST,
                       "parameter \"stage\" in query has an error: value %.100s is no stage",
                       stage);
    if (!(names = call_children(c, DM_TASKS, err)))
        return err->code;
    json_array_foreach (names, i, name) {
        call_set_param(c, "task", json_string_value(name));
        json_t *v = show(c, err);

        if (v)
            json_array_append_new(all, v);
        else if (err->code && err->code != -ENOENT)
            return err->code;
        *err = ERR_INIT;
    }
    return dm_list(c, json_incref(all));
}

int dm_get_task(struct call *c, struct err *err)
{
    int rc = dm_no_task(c, err);
    json_t *v;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    v = show(c, err);
    return v ? dm_json(c, v) : err->code;
}

/* --- made --- */

enum { FORM_CREATE = 2 }; /* of the bodies of POST tasks; those before it start the task, too */

/* TLS as the request has it, without what is secret: later it is not told. */
static void echo_security(struct call *c, json_t *shown)
{
    SCOPED(json_decrefp)
    json_t *asked = api_shown(&dm_task_schema, json_object_get(c->body, "task"));
    json_t *security = dm_at(asked, "target_config.security");

    if (json_is_object(security))
        json_object_set(json_object_get(shown, "target_config"), "security", security);
}

static int reply_made(struct call *c, const json_t *config, const char *result)
{
    json_t *v = dm_task_shown(config);

    echo_security(c, v);
    return dm_json(
        c, c->form == FORM_CREATE ? json_pack("{s:o,s:s}", "task", v, "check_result", result) : v);
}

/* Does the request want any source of the task to run? */
static bool names_any(struct call *c, const json_t *task)
{
    const json_t *only = json_object_get(c->body, "source_name_list"), *name;
    SCOPED(json_decrefp) json_t *names = dm_task_sources(task);
    size_t i;

    json_array_foreach ((json_t *)only, i, name)
        if (dm_has_text(names, json_string_value(name)))
            return true;
    return !json_array_size(only);
}

/* What is given up after a step that failed; the reply is there. */
static int undo(struct call *c)
{
    struct err err = ERR_INIT;

    call_remove(c, DM_TASK, &err);
    return 0;
}

/* {task} is there as a draft: it is checked, and started where the request says so. */
static int go_on(struct call *c, const json_t *doc, struct err *err)
{
    bool starts = c->form != FORM_CREATE && names_any(c, doc);
    SCOPED(freep) char *result = NULL;

    if (c->form != FORM_CREATE && !starts)
        return reply_made(c, doc, "");
    if (ask_servers(c, NULL, &result, err) != 0)
        return undo(c);
    if (!starts)
        return reply_made(c, doc, result);
    dm_start_made(c, doc, err);
    if (c->r->status >= 400)
        return undo(c);
    buf_clear(&c->r->body);
    return reply_made(c, doc, result);
}

/* The sources of 'doc' that {task}, which is there as 'old', has not: added to it. */
static int add_sources(struct call *c, json_t *old, const json_t *doc, struct err *err)
{
    SCOPED(json_decrefp) json_t *known = dm_task_sources(old);
    const json_t *element;
    size_t i, n = 0;

    json_array_foreach (dm_at(doc, "source_config.source_conf"), i, element)
        if (!dm_has_text(known, dm_text(element, "source_name"))) {
            json_array_append(dm_at(old, "source_config.source_conf"), (json_t *)element);
            n++;
        }
    if (n == 0) {
        SCOPED(freep) char *names = json_dumps(known, 0);

        return dm_fail(c, DM_SUBTASK_EXIST, "subtasks with name %s for sources %s already exist",
                       call_param(c, "task"), names);
    }
    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, element)
        if (!dm_has_text(known, dm_text(json_object_get(element, "source"), "source_name")))
            json_array_append(json_object_get(old, "table_migrate_rule"), (json_t *)element);
    if (dm_task_halt(c, err) < 0 || call_write(c, DM_TASK_CONFIG, old, err) < 0)
        return dm_fail_at(c, DM_STEP_TASK_KEEP, err);
    if (c->form != FORM_CREATE) {
        dm_start_made(c, old, err);
        if (c->r->status >= 400)
            return 0;
        buf_clear(&c->r->body);
    }
    return reply_made(c, old, "");
}

int dm_create_task(struct call *c, struct err *err)
{
    json_t *task = json_object_get(c->body, "task");
    SCOPED(json_decrefp) json_t *doc = dm_task_document(task), *old = NULL;
    struct err none = ERR_INIT;

    if (check_task(c, task))
        return 0;
    call_set_param(c, "task", dm_text(task, "name"));
    if ((old = call_read(c, DM_TASK_CONFIG, &none)))
        return add_sources(c, old, doc, err);
    if (c->form != FORM_CREATE) /* as DM of that time deletes: dm_delete_task() */
        json_object_set_new(doc, "remove_meta_on_delete", json_false());
    if (call_create(c, DM_TASK, doc, err) < 0)
        return dm_fail_at(c, DM_STEP_TASK_KEEP, err);
    return go_on(c, doc, err);
}

/* --- changed --- */

int dm_put_task(struct call *c, struct err *err)
{
    json_t *task = json_object_get(c->body, "task");
    SCOPED(json_decrefp) json_t *attrs = NULL, *old = NULL, *doc = NULL;
    SCOPED(freep) char *result = NULL;
    int rc;

    if (*dm_text(task, "name"))
        call_set_param(c, "task", dm_text(task, "name"));
    rc = dm_no_task(c, err);
    if (rc != 0 || check_task(c, task))
        return rc < 0 ? rc : 0;
    if (!(attrs = call_read(c, DM_TASK, err)) || !(old = call_read(c, DM_TASK_CONFIG, err)))
        return err->code;
    if (dm_is_state(attrs, "running") || dm_is_state(attrs, "quarantined"))
        return dm_fail(c, DM_TASK_UPDATE,
                       "subtasks with name %s can only be updated while none of them runs",
                       call_param(c, "task"));
    doc = dm_task_changed(old, task);
    rc = ask_servers(c, doc, &result, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (call_write(c, DM_TASK_CONFIG, doc, err) < 0)
        return dm_fail_at(c, DM_STEP_TASK_KEEP, err);
    return dm_json(c, json_pack("{s:o,s:s}", "task", dm_task_shown(doc), "check_result", result));
}

/* --- removed --- */

/* Some of its sources: as 5.x has it. */
static int delete_sources(struct call *c, const json_t *config, const json_t *names,
                          struct err *err)
{
    const json_t *name;
    size_t i;

    if (dm_check_names(c, config, names, DM_OP_SOURCE_NOT_EXIST))
        return 0;
    json_array_foreach ((json_t *)names, i, name) {
        call_set_param(c, "source", json_string_value(name));
        if (dm_leave_task(c, err) < 0)
            return dm_fail_at(c, DM_STEP_TASK_DROP, err);
    }
    return dm_done(c);
}

/* A task of the form of 5.x goes at once and leaves what the target keeps of it; one of 6.x must
 * stand still, or force is said, and takes that along, unless keep_meta is said. */
int dm_delete_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *attrs = NULL, *config = NULL, *args = NULL;
    int rc = dm_no_task(c, err);
    bool at_once;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (!(config = call_read(c, DM_TASK_CONFIG, err)) || !(attrs = call_read(c, DM_TASK, err)))
        return err->code;
    if (json_object_get(c->query, "source_name_list"))
        return delete_sources(c, config, json_object_get(c->query, "source_name_list"), err);
    at_once = json_is_false(json_object_get(config, "remove_meta_on_delete")) ||
              dm_flag(c->query, "force");
    if (!at_once && (dm_is_state(attrs, "running") || dm_is_state(attrs, "quarantined")))
        return dm_fail(c, DM_COMMON, "task %s have running subtasks, please stop them first",
                       call_param(c, "task"));
    args = json_pack("{s:s,s:b,s:b}", "name", call_param(c, "task"), "force", 1, "keep_meta",
                     (int)dm_flag(c->query, "keep_meta"));
    return call_write(c, DM_TASKS_DELETE, args, err) < 0 ? dm_fail_at(c, DM_STEP_TASK_DROP, err)
                                                         : dm_done(c);
}
