/* dm_source.c - sources: made, shown, changed, removed. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"

enum { MAX_NAME = 32 };

/* --- documents --- */

static size_t n_characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

bool dm_is_long_name(const char *source)
{
    return n_characters(source) > MAX_NAME;
}

/* "mysql-bin.000001" */
static bool is_binlog_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && dot != name && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

int dm_check_binlog_name(struct call *c, const char *name)
{
    if (!*name || is_binlog_name(name))
        return 0;
    dm_fail(c, DM_RELAY_NAME, "relay-binlog-name %.200s not valid", name);
    return 1;
}

/* 0; 1 when that is the reply already. */
static int check_source(struct call *c, const json_t *source)
{
    const char *name = dm_text(source, "source_name");

    if (!*name)
        dm_fail(c, DM_NEED_SOURCE_ID, "%s", "");
    else if (dm_is_long_name(name))
        dm_fail(c, DM_LONG_SOURCE_ID,
                "the length of source ID %.200s is more than max allowed value %d", name, MAX_NAME);
    else
        return dm_check_binlog_name(
            c, dm_text(json_object_get(source, "relay_config"), "relay_binlog_name"));
    return 1;
}

/* What the tree takes for a source of the API, a new reference. */
static json_t *document_of(const json_t *source)
{
    json_t *doc = json_deep_copy(source);

    dm_drop_security(doc);
    dm_drop_empty(doc);
    return doc;
}

/* Settings of ours that the API has no word for stay, and so does TLS that it does not tell. */
static json_t *changed_document(const json_t *old, const json_t *source)
{
    SCOPED(json_decrefp) json_t *doc = document_of(source);
    json_t *all = json_deep_copy(old);

    json_object_update_recursive(all, doc);
    if (!json_object_get(source, "flavor"))
        json_object_del(all, "flavor");
    return all;
}

/* --- who reads one --- */

json_t *dm_task_sources(const json_t *config)
{
    json_t *names = json_array(), *conf;
    size_t i;

    json_array_foreach (dm_at(config, "source_config.source_conf"), i, conf)
        json_array_append(names, json_object_get(conf, "source_name"));
    return names;
}

/* The tasks that read {source}; sets {task}. */
static json_t *tasks_of(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_TASKS, err), *all = json_array();
    const json_t *name;
    size_t i;

    if (!names)
        return NULL;
    json_array_foreach (names, i, name) {
        call_set_param(c, "task", json_string_value(name));
        SCOPED(json_decrefp) json_t *config = call_read(c, DM_TASK_CONFIG, err);
        SCOPED(json_decrefp) json_t *sources = config ? dm_task_sources(config) : NULL;

        if (config && dm_has_text(sources, call_param(c, "source")))
            json_array_append(all, (json_t *)name);
        else if (!config && err->code != -ENOENT)
            return NULL;
    }
    *err = ERR_INIT; /* one that was removed meanwhile */
    return json_incref(all);
}

/* --- shown --- */

static const char *flavor_of(const json_t *attrs)
{
    const char *version = dm_text(attrs, "server_version");

    if (*dm_text(attrs, "flavor"))
        return dm_text(attrs, "flavor");
    return !*version ? "" : strstr(version, "MariaDB") ? "mariadb" : "mysql";
}

/* "0-1-2" */
static bool is_of_mariadb(const char *gtid)
{
    static const char digits[] = "0123456789";
    size_t n = strspn(gtid, digits);

    return n && gtid[n] == '-' && gtid[n + 1 + strspn(gtid + n + 1, digits)] == '-';
}

int dm_check_gtid(struct call *c, const char *gtid)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *source = call_read(c, DM_SOURCE, &none);
    const char *flavor = flavor_of(source);

    if (strcmp(flavor, "mysql") == 0 && is_of_mariadb(gtid))
        dm_fail(c, DM_NOT_MYSQL_GTID, "%.200s is not mysql GTID set", gtid);
    else if (strcmp(flavor, "mariadb") == 0 && strchr(gtid, ':'))
        dm_fail(c, DM_NOT_MARIADB_GTID, "%.200s is not mariadb GTID set", gtid);
    else
        return 0;
    return 1;
}

/* {source} as the API shows it. */
static json_t *show(struct call *c, bool with_status, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = call_read(c, DM_SOURCE_CONFIG, err);
    SCOPED(json_decrefp) json_t *attrs = config ? call_read(c, DM_SOURCE, err) : NULL;
    SCOPED(json_decrefp) json_t *tasks = attrs ? tasks_of(c, err) : NULL;
    SCOPED(json_decrefp) json_t *status = tasks && with_status ? dm_source_status(c, err) : NULL;
    json_t *v;

    if (!tasks || (with_status && !status))
        return NULL;
    v = api_shown(&dm_source_schema, config);
    json_object_set_new(v, "password", json_string("******"));
    json_object_set_new(v, "security", json_null()); /* which is not told */
    if (*flavor_of(attrs))
        json_object_set_new(v, "flavor", json_string(flavor_of(attrs)));
    if (json_array_size(tasks))
        json_object_set(v, "task_name_list", tasks);
    if (status)
        json_object_set_new(v, "status_list", json_pack("[O]", status));
    return v;
}

static bool is_wanted(struct call *c, const json_t *source)
{
    const json_t *relay = json_object_get(c->query, "enable_relay");

    return !relay ||
           json_is_true(relay) == dm_flag(json_object_get(source, "relay_config"), "enable_relay");
}

int dm_get_sources(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_SOURCES, err), *all = json_array();
    const json_t *name;
    size_t i;

    if (!names)
        return err->code;
    json_array_foreach (names, i, name) {
        call_set_param(c, "source", json_string_value(name));
        SCOPED(json_decrefp) json_t *v = show(c, dm_flag(c->query, "with_status"), err);

        if (v && is_wanted(c, v))
            json_array_append(all, v);
        else if (!v && err->code != -ENOENT)
            return err->code;
    }
    return dm_list(c, json_incref(all));
}

int dm_get_source(struct call *c, struct err *err)
{
    json_t *v = show(c, dm_flag(c->query, "with_status"), err);

    if (v)
        return dm_json(c, v);
    if (err->code != -ENOENT)
        return err->code;
    c->r->status = 404;
    return dm_done(c);
}

/* --- made and changed --- */

/* The request again, without what is secret. */
static int echo(struct call *c, const json_t *source, struct err *err)
{
    json_t *v = api_shown(&dm_source_schema, source);
    json_t *status = dm_source_status(c, err);

    if (!status) {
        json_decref(v);
        return err->code;
    }
    json_object_set_new(v, "status_list", json_pack("[o]", status));
    return dm_json(c, v);
}

/* 0; 1 when that is the reply already: it is no worker of ours. */
static int check_worker(struct call *c, const char *name, struct err *err)
{
    SCOPED(json_decrefp) json_t *worker = dm_worker(c, err);

    if (!worker)
        return err->code;
    if (!*name || strcmp(name, json_string_value(worker)) == 0)
        return 0;
    dm_fail(c, DM_WORKER_NOT_EXIST, "dm-worker with name %.200s not exists", name);
    return 1;
}

static bool is_there(struct call *c)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *source = call_read(c, DM_SOURCE, &err);

    return source != NULL;
}

int dm_create_source(struct call *c, struct err *err)
{
    const json_t *inner = json_object_get(c->body, "source"), *source = inner ? inner : c->body;
    SCOPED(json_decrefp) json_t *doc = document_of(source);
    const char *name = dm_text(source, "source_name");
    int rc = check_source(c, source);

    if (rc == 0)
        rc = check_worker(c, dm_text(c->body, "worker_name"), err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    call_set_param(c, "source", name);
    if (is_there(c))
        return dm_fail(c, DM_SOURCE_EXIST, "source config with ID %s already exists", name);
    if (call_write(c, DM_SOURCES_CHECK, doc, err) < 0)
        return dm_fail_at(c, DM_STEP_SOURCE_TRY, err);
    if (call_create(c, DM_SOURCE, doc, err) < 0)
        return dm_fail_at(c, DM_STEP_SOURCE_KEEP, err);
    return echo(c, source, err);
}

/* May {source} be changed?  1: no, and that is the reply. */
static int check_idle(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = call_read(c, DM_RELAY, err), *task;
    SCOPED(json_decrefp) json_t *tasks = relay ? tasks_of(c, err) : NULL;
    bool busy = dm_flag(relay, "enable_relay");
    json_t *name;
    size_t i;

    if (!tasks)
        return err->code;
    json_array_foreach (tasks, i, name) {
        call_set_param(c, "task", json_string_value(name));
        task = call_read(c, DM_TASK, err);
        busy = busy || dm_is_state(task, "running") || dm_is_state(task, "quarantined");
        json_decref(task);
    }
    task = NULL;
    if (!busy)
        return 0;
    dm_fail(c, DM_SOURCE_UPDATE,
            "source with name %s can only be updated while its relay is off and no task runs",
            call_param(c, "source"));
    return 1;
}

int dm_put_source(struct call *c, struct err *err)
{
    json_t *source = json_object_get(c->body, "source");
    SCOPED(json_decrefp) json_t *old = NULL, *doc = NULL;
    int rc = dm_no_source(c, err);

    json_object_set_new(source, "source_name", json_string(call_param(c, "source")));
    if (rc == 0)
        rc = check_source(c, source);
    if (rc == 0)
        rc = check_idle(c, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    old = call_read(c, DM_SOURCE_CONFIG, err);
    if (!old)
        return err->code;
    doc = changed_document(old, source);
    if (call_write(c, DM_SOURCES_CHECK, doc, err) < 0)
        return dm_fail_at(c, DM_STEP_SOURCE_TRY, err);
    if (call_write(c, DM_SOURCE_CONFIG, doc, err) < 0)
        return dm_fail_at(c, DM_STEP_SOURCE_KEEP, err);
    return echo(c, source, err);
}

/* --- removed --- */

static bool is_of(const json_t *element, const char *path, const char *source)
{
    const json_t *name = dm_at(element, path);

    return json_is_string(name) && strcmp(json_string_value(name), source) == 0;
}

static void drop_of(json_t *list, const char *path, const char *source)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (is_of(json_array_get(list, i), path, source))
            json_array_remove(list, i);
}

int dm_leave_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = call_read(c, DM_TASK_CONFIG, err);
    SCOPED(json_decrefp) json_t *attrs = config ? call_read(c, DM_TASK, err) : NULL;
    json_t *confs = dm_at(config, "source_config.source_conf");
    const char *source = call_param(c, "source");

    if (!attrs || dm_task_halt(c, err) < 0)
        return err->code;
    if (json_array_size(confs) <= 1)
        return call_remove(c, DM_TASK, err);
    drop_of(confs, "source_name", source);
    drop_of(json_object_get(config, "table_migrate_rule"), "source.source_name", source);
    if (call_write(c, DM_TASK_CONFIG, config, err) < 0)
        return err->code;
    if (dm_is_state(attrs, "running") || dm_is_state(attrs, "error") ||
        dm_is_state(attrs, "quarantined"))
        return dm_task_go(c, config, NULL, err);
    return 0;
}

static int leave_tasks(struct call *c, const json_t *tasks, struct err *err)
{
    const json_t *name;
    size_t i;

    json_array_foreach ((json_t *)tasks, i, name) {
        call_set_param(c, "task", json_string_value(name));
        if (dm_leave_task(c, err) < 0)
            return err_wrap(err, "task %s", json_string_value(name));
    }
    return 0;
}

int dm_delete_source(struct call *c, struct err *err)
{
    const char *source = call_param(c, "source");
    SCOPED(json_decrefp) json_t *tasks = NULL, *relay = NULL;
    int rc = dm_no_source(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (!(tasks = tasks_of(c, err)) || !(relay = call_read(c, DM_RELAY, err)))
        return err->code;
    if (json_array_size(tasks) && !dm_flag(c->query, "force")) {
        SCOPED(freep) char *names = json_dumps(tasks, 0);

        return dm_fail(c, DM_SOURCE_HAS_TASKS,
                       "source with name %s need to operate has existing tasks %s", source, names);
    }
    if (dm_flag(relay, "enable_relay")) {
        SCOPED(json_decrefp) json_t *worker = dm_worker(c, err);

        return dm_fail(c, DM_SOURCE_HAS_RELAY,
                       "source with name %s need to operate has existing relay workers [%s]",
                       source, worker ? json_string_value(worker) : "");
    }
    if (leave_tasks(c, tasks, err) < 0)
        return dm_fail_at(c, DM_STEP_TASK_DROP, err);
    return call_remove(c, DM_SOURCE, err) < 0 ? dm_fail_at(c, DM_STEP_SOURCE_DROP, err)
                                              : dm_done(c);
}

/* --- told --- */

static int enable(struct call *c, unsigned use, struct err *err)
{
    SCOPED(json_decrefp) json_t *none = json_object();
    int rc = dm_no_source(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return call_write(c, use, none, err) < 0 ? dm_fail_at(c, DM_STEP_OTHER, err) : dm_done(c);
}

int dm_enable_source(struct call *c, struct err *err)
{
    return enable(c, DM_SOURCE_ENABLE, err);
}

int dm_disable_source(struct call *c, struct err *err)
{
    return enable(c, DM_SOURCE_DISABLE, err);
}

/* The only member has it: there is nothing to do, or nowhere to go. */
int dm_transfer_source(struct call *c, struct err *err)
{
    int rc = dm_no_source(c, err);

    if (rc == 0)
        rc = check_worker(c, dm_text(c->body, "worker_name"), err);
    return rc < 0 ? rc : rc ? 0 : dm_done(c);
}
