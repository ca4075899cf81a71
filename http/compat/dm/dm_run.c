/* dm_run.c - tasks: started and stopped, whole or by source. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"

/* --- whole tasks --- */

static bool is_at_work(const json_t *attrs)
{
    return dm_is_state(attrs, "running") || dm_is_state(attrs, "quarantined");
}

static bool may_stop(const json_t *attrs)
{
    return is_at_work(attrs) || dm_is_state(attrs, "error") || dm_is_state(attrs, "paused");
}

int dm_task_halt(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *task = call_read(c, DM_TASK, err), *none = json_object();

    if (!task)
        return err->code;
    return may_stop(task) ? call_write(c, DM_TASK_STOP, none, err) : 0;
}

/* Does every source of it do what it should?  One may be paused beside others that run. */
static bool all_at_work(struct call *c, const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach ((json_t *)names, i, name) {
        struct err err = ERR_INIT;

        call_set_param(c, "source", json_string_value(name));
        SCOPED(json_decrefp) json_t *subtask = call_read(c, DM_SUBTASK, &err);

        if (!is_at_work(subtask) && !dm_is_state(subtask, "finished"))
            return false;
    }
    return true;
}

/* 1: nothing is left to start; 0: something is; or an error. */
static int goes_already(struct call *c, const json_t *names, struct err *err)
{
    SCOPED(json_decrefp) json_t *task = call_read(c, DM_TASK, err);

    if (!task)
        return err->code;
    return dm_is_state(task, "finished") || (is_at_work(task) && all_at_work(c, names));
}

/* A task in error tries again by itself: it may do so between our look and our start. */
int dm_task_go(struct call *c, const json_t *config, json_t *args, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = dm_task_sources(config), *none = json_object();
    struct err why = ERR_INIT;
    int rc = goes_already(c, names, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    rc = call_write(c, DM_TASK_START, args ? args : none, err);
    if (rc == -EBUSY && goes_already(c, names, &why) == 1) {
        *err = ERR_INIT;
        return 0;
    }
    return rc;
}

/* --- requests --- */

/* The document of {task}; NULL with a reply or an error.  DM finds nothing to do for a task that is
 * not there, and that is done. */
static json_t *read_config(struct call *c, struct err *err)
{
    json_t *config = call_read(c, DM_TASK_CONFIG, err);

    if (!config && err->code == -ENOENT) {
        *err = ERR_INIT;
        dm_done(c);
    }
    return config;
}

int dm_check_names(struct call *c, const json_t *config, const json_t *names, enum dm_error e)
{
    SCOPED(json_decrefp) json_t *known = dm_task_sources(config);
    const json_t *name;
    size_t i;

    json_array_foreach ((json_t *)names, i, name) {
        const char *text = json_string_value(name);

        if (dm_has_text(known, text))
            continue;
        if (e == DM_SOURCE_NOT_EXIST)
            dm_fail(c, e, "source config with ID %.200s not exists", text);
        else
            dm_fail(c, e, "sources [%.200s] need to be operate not exist", text);
        return 1;
    }
    return 0;
}

/* Names that are all of them are none in particular. */
static void add_names(json_t *args, const json_t *config, const json_t *names)
{
    SCOPED(json_decrefp) json_t *known = dm_task_sources(config), *meant = json_array();
    json_t *name;
    size_t i;

    json_array_foreach (known, i, name)
        if (dm_has_text(names, json_string_value(name)))
            json_array_append(meant, name);
    if (json_array_size(meant) && json_array_size(meant) < json_array_size(known))
        json_object_set(args, "sources", meant);
}

static void add_text(json_t *args, const json_t *body, const char *key)
{
    if (*dm_text(body, key))
        json_object_set(args, key, json_object_get(body, key));
}

/* --- where an incremental task begins --- */

static bool has_place(const json_t *conf)
{
    return *dm_text(conf, "binlog_name") || *dm_text(conf, "binlog_gtid") ||
           *dm_text(conf, "start_time");
}

/* 0; 1 when that is the reply already: nobody says where {task} begins, which has never run. */
static int check_place(struct call *c, const json_t *config, const json_t *body, struct err *err)
{
    SCOPED(json_decrefp) json_t *task = call_read(c, DM_TASK, err);
    const json_t *conf;
    size_t i;

    if (!task)
        return err->code;
    if (strcmp(dm_text(config, "task_mode"), "incremental") != 0 || !dm_is_state(task, "new") ||
        *dm_text(body, "start_time"))
        return 0;
    json_array_foreach (dm_at(config, "source_config.source_conf"), i, conf)
        if (!has_place(conf)) {
            dm_fail(c, DM_META_NOT_SET,
                    "mysql-instance(%zu) must set meta for task-mode incremental", i);
            return 1;
        }
    return 0;
}

/* 0; 1 when that is the reply already: safe mode is on, and is to last no time. */
static int check_safe_mode(struct call *c, const json_t *config, const json_t *body)
{
    const char *time = dm_text(body, "safe_mode_time_duration");

    if (!*time || strspn(time, "0.hmnus") != strlen(time) || !strchr(time, '0') ||
        !dm_flag(dm_at(config, "source_config.incr_migrate_conf"), "safe_mode"))
        return 0;
    dm_fail(c, DM_SAFE_MODE_CONFLICT,
            "safe_mode(true) conflicts with safe_mode_time_duration(%.50s)", time);
    return 1;
}

/* {task}, with 'config' and the request's 'body'. */
static int start(struct call *c, const json_t *config, const json_t *body, struct err *err)
{
    SCOPED(json_decrefp) json_t *args = json_object();
    int rc = check_place(c, config, body, err);

    if (rc == 0)
        rc = check_safe_mode(c, config, body);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (dm_flag(body, "remove_meta"))
        json_object_set_new(args, "remove_meta", json_true());
    add_names(args, config, json_object_get(body, "source_name_list"));
    add_text(args, body, "start_time");
    add_text(args, body, "safe_mode_time_duration");
    return dm_task_go(c, config, args, err) < 0 ? dm_fail_at(c, DM_STEP_TASK_RUN, err) : dm_done(c);
}

int dm_start_made(struct call *c, const json_t *config, struct err *err)
{
    return start(c, config, c->body, err) < 0 ? dm_fail_at(c, DM_STEP_TASK_RUN, err) : 0;
}

int dm_start_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = read_config(c, err);

    if (!config)
        return err->code;
    if (dm_check_names(c, config, json_object_get(c->body, "source_name_list"),
                       DM_SOURCE_NOT_EXIST))
        return 0;
    return start(c, config, c->body, err);
}

/* Where there is nothing to stop, that is done. */
static int stop(struct call *c, unsigned use, json_t *args, struct err *err)
{
    SCOPED(json_decrefp) json_t *task = call_read(c, DM_TASK, err);
    bool finds_work;

    if (!task)
        return err->code;
    finds_work = is_at_work(task) || dm_is_state(task, "error") || json_object_get(args, "sources");
    if (finds_work && call_write(c, use, args, err) < 0)
        return dm_fail_at(c, DM_STEP_TASK_RUN, err);
    return dm_done(c);
}

int dm_stop_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = read_config(c, err), *args = json_object();
    const json_t *names = json_object_get(c->body, "source_name_list");

    if (!config)
        return err->code;
    if (dm_check_names(c, config, names, DM_OP_SOURCE_NOT_EXIST))
        return 0;
    add_names(args, config, names);
    add_text(args, c->body, "timeout_duration");
    return stop(c, DM_TASK_STOP, args, err);
}

int dm_pause_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = read_config(c, err), *args = json_object();

    if (!config)
        return err->code;
    if (dm_check_names(c, config, c->body, DM_OP_SOURCE_NOT_EXIST))
        return 0;
    add_names(args, config, c->body);
    return stop(c, DM_TASK_PAUSE, args, err);
}

int dm_resume_task(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = read_config(c, err), *body = json_object();

    if (!config)
        return err->code;
    if (dm_check_names(c, config, c->body, DM_OP_SOURCE_NOT_EXIST))
        return 0;
    if (json_is_array(c->body))
        json_object_set(body, "source_name_list", c->body);
    return start(c, config, body, err);
}
