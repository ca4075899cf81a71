#include "http/compat/dm/dm.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/facade.h"

const struct use dm_uses[] = {
    [DM_CLUSTER] = { "cluster", NULL },
    [DM_TOPOLOGY] = { "cluster", "topology" },
    [DM_MEMBERS] = { "cluster/members", NULL },
    [DM_MEMBER] = { "cluster/members/{member}", NULL },
    [DM_SOURCES] = { "sources", NULL },
    [DM_SOURCES_CHECK] = { "sources", "check" },
    [DM_SOURCE] = { "sources/{source}", NULL },
    [DM_SOURCE_CONFIG] = { "sources/{source}", "config" },
    [DM_SOURCE_SCHEMAS] = { "sources/{source}", "schema_list" },
    [DM_SOURCE_TABLES] = { "sources/{source}/tables_of", NULL },
    [DM_SOURCE_ENABLE] = { "sources/{source}", "enable" },
    [DM_SOURCE_DISABLE] = { "sources/{source}", "disable" },
    [DM_RELAY] = { "sources/{source}/relay", NULL },
    [DM_RELAY_NAME_SET] = { "sources/{source}/relay", "relay_binlog_name" },
    [DM_RELAY_GTID] = { "sources/{source}/relay", "relay_binlog_gtid" },
    [DM_RELAY_START] = { "sources/{source}/relay", "start" },
    [DM_RELAY_STOP] = { "sources/{source}/relay", "stop" },
    [DM_RELAY_PAUSE] = { "sources/{source}/relay", "pause" },
    [DM_RELAY_RESUME] = { "sources/{source}/relay", "resume" },
    [DM_RELAY_PURGE] = { "sources/{source}/relay", "purge" },
    [DM_TASKS] = { "tasks", NULL },
    [DM_TASKS_DELETE] = { "tasks", "delete" },
    [DM_TASK] = { "tasks/{task}", NULL },
    [DM_TASK_CONFIG] = { "tasks/{task}", "config" },
    [DM_TASK_CHECK] = { "tasks/{task}", "check" },
    [DM_TASK_REPORT] = { "tasks/{task}", "check_report" },
    [DM_TASK_TARGETS] = { "tasks/{task}", "migrate_targets" },
    [DM_TASK_START] = { "tasks/{task}", "start" },
    [DM_TASK_STOP] = { "tasks/{task}", "stop" },
    [DM_TASK_PAUSE] = { "tasks/{task}", "pause" },
    [DM_SUBTASK] = { "tasks/{task}/sources/{source}", NULL },
    [DM_SUBTASK_DUMP] = { "tasks/{task}/sources/{source}/dump", NULL },
    [DM_SUBTASK_LOAD] = { "tasks/{task}/sources/{source}/load", NULL },
    [DM_SUBTASK_SYNC] = { "tasks/{task}/sources/{source}/sync", NULL },
    [DM_SCHEMAS] = { "tasks/{task}/sources/{source}/schemas", NULL },
    [DM_SCHEMAS_SET] = { "tasks/{task}/sources/{source}/schemas", "set" },
    [DM_SCHEMA] = { "tasks/{task}/sources/{source}/schemas/{schema}", NULL },
    [DM_TEMPLATES] = { "templates", NULL },
    [DM_TEMPLATES_IMPORT] = { "templates", "import" },
    [DM_TEMPLATES_RESULT] = { "templates", "last_import" },
    [DM_TEMPLATE] = { "templates/{template}", NULL },
    [DM_TEMPLATE_CONFIG] = { "templates/{template}", "config" },
    [DM_DAEMON] = { "", NULL },
    [DM_OUR_METRICS] = { "", "metrics" },
    [DM_RELAY_HISTOGRAMS] = { "sources/{source}/relay", "histograms" },
    [DM_SYNC_HISTOGRAMS] = { "tasks/{task}/sources/{source}/sync", "histograms" },
    [DM_SYNC_CHANGES] = { "tasks/{task}/sources/{source}/sync", "row_changes" },
    [DM_LOCKS] = { "tasks/{task}/locks", NULL },
    [DM_LOCK] = { "tasks/{task}/locks/{lock}", NULL },
    [DM_VERIFY] = { "tasks/{task}/verify", NULL },
    [DM_CONTINUOUS] = { "tasks/{task}/verify/continuous", NULL },
    { 0 },
};

const struct shape *const dm_shapes[] = { &dm_relay_shape, &dm_dump_shape,  &dm_load_shape,
                                          &dm_sync_shape,  &dm_shard_shape, NULL };

const struct facade dm_facade = {
    .name = "dm",
    .prefix = "",
    .unit = "dm", /* not used: its paths say which source */
    .routes = dm_routes,
    .uses = dm_uses,
    .shapes = dm_shapes,
    .refuse = dm_refuse,
};

/* --- replies --- */

int dm_json(struct call *c, json_t *v)
{
    return call_json(c, v, JSON_INDENT(4));
}

int dm_list(struct call *c, json_t *data)
{
    return dm_json(
        c, json_pack("{s:I,s:o}", "total", (json_int_t)json_array_size(data), "data", data));
}

int dm_done(struct call *c)
{
    c->r->type = "application/json; charset=utf-8";
    return 0;
}

/* --- values --- */

const char *dm_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

bool dm_flag(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

bool dm_has_text(const json_t *list, const char *text)
{
    const json_t *v;
    size_t i;

    json_array_foreach ((json_t *)list, i, v)
        if (json_is_string(v) && strcmp(json_string_value(v), text) == 0)
            return true;
    return false;
}

json_t *dm_at(const json_t *o, const char *path)
{
    json_t *v = (json_t *)o;

    while (v && *path) {
        size_t len = strcspn(path, ".");
        SCOPED(freep) char *name = xstrndup(path, len);

        v = json_object_get(v, name);
        path += len + (path[len] == '.');
    }
    return v;
}

bool dm_is_state(const json_t *attrs, const char *state)
{
    return strcmp(dm_text(attrs, "state"), state) == 0;
}

/* --- names --- */

json_t *dm_worker(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *cluster = call_read(c, DM_CLUSTER, err);

    return cluster ? json_incref(json_object_get(cluster, "leader")) : NULL;
}

int dm_no_source(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *source = call_read(c, DM_SOURCE, err);

    if (source)
        return 0;
    if (err->code != -ENOENT)
        return err->code;
    *err = ERR_INIT;
    dm_fail(c, DM_SOURCE_NOT_EXIST, "source config with ID %s not exists", call_param(c, "source"));
    return 1;
}

int dm_no_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = call_read(c, DM_TASK_CONFIG, err);

    if (config)
        return 0;
    if (err->code != -ENOENT)
        return err->code;
    *err = ERR_INIT;
    dm_fail(c, DM_TASK_NOT_EXIST, "task with name %s not exist", call_param(c, "task"));
    return 1;
}

int dm_no_subtask(struct call *c, struct err *err)
{
    int rc = dm_no_source(c, err);
    SCOPED(json_decrefp) json_t *config = rc == 0 ? call_read(c, DM_TASK_CONFIG, err) : NULL;
    SCOPED(json_decrefp) json_t *names = config ? dm_task_sources(config) : NULL;

    if (rc != 0 || (err->code < 0 && err->code != -ENOENT))
        return rc != 0 ? rc : err->code;
    *err = ERR_INIT;
    if (dm_has_text(names, call_param(c, "source")))
        return 0;
    dm_fail(c, DM_SUBTASK_NOT_FOUND, "sub task with name %s not found", call_param(c, "task"));
    return 1;
}

/* --- documents --- */

static bool is_empty(const json_t *v)
{
    return json_is_null(v) || (json_is_string(v) && !json_string_length(v)) ||
           (json_is_object(v) && !json_object_size(v));
}

void dm_drop_empty(json_t *v)
{
    const char *name;
    json_t *member;
    void *next;
    size_t i;

    json_array_foreach (v, i, member)
        dm_drop_empty(member);
    json_object_foreach_safe(v, next, name, member)
    {
        dm_drop_empty(member);
        if (is_empty(member))
            json_object_del(v, name);
    }
}

void dm_drop_security(json_t *server)
{
    const json_t *s = json_object_get(server, "security");

    if (!*dm_text(s, "ssl_ca_content") && !*dm_text(s, "ssl_cert_content") &&
        !*dm_text(s, "ssl_key_content"))
        json_object_del(server, "security");
}
