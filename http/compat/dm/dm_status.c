/* dm_status.c - what a subtask is at, in DM's words. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/state.h"

/* --- the units --- */

/* Of what the copy has to do, as it is known now: at its end that is what it did. */
static json_t *estimate_of(const json_t *v, const json_t *attrs)
{
    json_t *done = json_object_get(attrs, "rows");

    if (dm_is_state(attrs, "finished") || json_integer_value(v) < json_integer_value(done))
        return json_incref(done);
    return json_incref((json_t *)v);
}

static double share_of(const json_t *attrs)
{
    double rows = json_number_value(json_object_get(attrs, "rows"));
    double all = json_number_value(json_object_get(attrs, "rows_estimated"));

    if (dm_is_state(attrs, "finished"))
        return 1;
    return all > rows && rows > 0 ? rows / all : rows > 0 ? 0.9999 : 0;
}

static json_t *progress_of(const json_t *v, const json_t *attrs)
{
    (void)v;
    return json_sprintf("%.2f %%", 100 * share_of(attrs));
}

static json_t *total_bytes_of(const json_t *v, const json_t *attrs)
{
    double share = share_of(attrs);

    return json_integer(share > 0 ? (json_int_t)(json_number_value(v) / share) : 0);
}

/* "(mysql-bin.000001, 1979)" */
static json_t *binlog_of(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    if (!*dm_text(v, "file"))
        return NULL;
    return json_sprintf("(%s, %lld)", dm_text(v, "file"),
                        (long long)json_integer_value(json_object_get(v, "offset")));
}

static json_t *gtid_of(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_string(dm_text(v, "gtid_set"));
}

static json_t *whole_of(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_integer((json_int_t)json_number_value(v));
}

static json_t *none_of(const json_t *v, const json_t *attrs)
{
    (void)v, (void)attrs;
    return json_array();
}

static const struct field dump_fields[] = {
    { "total_tables", "tables_total", JSON_INTEGER },
    { "completed_tables", "tables_done", JSON_INTEGER },
    { "finished_bytes", "bytes", JSON_INTEGER },
    { "finished_rows", "rows", JSON_INTEGER },
    { "estimate_total_rows", "rows_estimated", JSON_INTEGER, estimate_of },
    { "bps", "bytes_per_second", JSON_INTEGER },
    { "progress", "state", JSON_STRING, progress_of },
    { 0 },
};
const struct shape dm_dump_shape = { "tasks/{task}/sources/{source}/dump", dump_fields };

static const struct field load_fields[] = {
    { "finished_bytes", "bytes", JSON_INTEGER },
    { "total_bytes", "bytes", JSON_INTEGER, total_bytes_of },
    { "progress", "state", JSON_STRING, progress_of },
    { "meta_binlog", "position", JSON_STRING, binlog_of },
    { "meta_binlog_gtid", "position", JSON_STRING, gtid_of },
    { "bps", "bytes_per_second", JSON_INTEGER },
    { 0 },
};
const struct shape dm_load_shape = { "tasks/{task}/sources/{source}/load", load_fields };

static const struct field sync_fields[] = {
    { "total_events", "total_events", JSON_INTEGER },
    { "total_tps", "total_tps", JSON_INTEGER, whole_of },
    { "recent_tps", "recent_tps", JSON_INTEGER, whole_of },
    { "master_binlog", "master_binlog", JSON_STRING },
    { "master_binlog_gtid", "master_binlog_gtid", JSON_STRING },
    { "syncer_binlog", "syncer_binlog", JSON_STRING },
    { "syncer_binlog_gtid", "syncer_binlog_gtid", JSON_STRING },
    { "blocking_ddls", "blocking_ddls", JSON_ARRAY },
    { "unresolved_groups", NULL, JSON_ARRAY, none_of },
    { "synced", "synced", JSON_FALSE },
    { "binlog_type", "binlog_type", JSON_STRING },
    { "seconds_behind_master", "seconds_behind_master", JSON_INTEGER, whole_of },
    { "io_total_bytes", "bytes", JSON_INTEGER },
    { 0 },
};
const struct shape dm_sync_shape = { "tasks/{task}/sources/{source}/sync", sync_fields };

/* The tree says "DDLs", as DM's own tools do. */
static json_t *groups_of(const json_t *v, const json_t *attrs)
{
    json_t *all = json_deep_copy(v), *group;
    size_t i;

    (void)attrs;
    json_array_foreach (all, i, group) {
        json_object_set(group, "ddl_list", json_object_get(group, "DDLs"));
        json_object_del(group, "DDLs");
    }
    return all;
}

/* What of a source's sync is told by the source. */
static const struct field shard_fields[] = {
    { "unresolved_ddl_lock_id", "unresolved_ddl_lock_id", JSON_STRING },
    { "blocking_ddls", "blocking_ddls", JSON_ARRAY },
    { "unresolved_groups", "unresolved_groups", JSON_ARRAY, groups_of },
    { 0 },
};
const struct shape dm_shard_shape = { "tasks/{task}/sources/{source}", shard_fields };

static void add_shards(json_t *status, const json_t *subtask)
{
    SCOPED(json_decrefp) json_t *v = shape_of(&dm_shard_shape, subtask);
    json_t *sync = json_object_get(status, "sync_status");

    json_object_set(status, "unresolved_ddl_lock_id", json_object_get(v, "unresolved_ddl_lock_id"));
    if (!json_is_object(sync))
        return;
    json_object_set(sync, "unresolved_groups", json_object_get(v, "unresolved_groups"));
    if (!json_array_size(json_object_get(sync, "blocking_ddls")))
        json_object_set(sync, "blocking_ddls", json_object_get(v, "blocking_ddls"));
}

/* What the copy took from the source is told with sync, too. */
static void add_copied(json_t *status)
{
    const json_t *bytes = dm_at(status, "dump_status.finished_bytes");
    json_t *sync = json_object_get(status, "sync_status");

    if (json_is_object(sync))
        json_object_set_new(sync, "dump_io_total_bytes", json_integer(json_integer_value(bytes)));
}

/* Of a copy that ended before the daemon began nothing but that is known. */
static bool is_forgotten(const json_t *unit)
{
    const json_t *tables = json_object_get(unit, "tables_total");

    return dm_is_state(unit, "finished") && tables && json_integer_value(tables) == 0;
}

/* Also one that waits since the daemon began, of which it is known where it ended. */
static bool has_begun(const json_t *unit)
{
    return !dm_is_state(unit, "new") || *dm_text(unit, "syncer_binlog");
}

/* The status of a unit that has begun; null of one that has not, or is not there. */
static json_t *unit_status(struct call *c, unsigned use, const struct shape *shape)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *unit = call_read(c, use, &none);

    return unit && has_begun(unit) && !is_forgotten(unit) ? shape_of(shape, unit) : json_null();
}

/* --- where it is --- */

static const struct {
    const char *ours, *dm;
} units[] = { { "check", "Check" }, { "dump", "Dump" }, { "load", "Load" }, { "sync", "Sync" } };

/* What it would begin with, or ended with. */
static const struct {
    const char *mode, *first, *last;
} modes[] = {
    { "all", "Dump", "Sync" },  { "full", "Dump", "Load" }, { "incremental", "Sync", "Sync" },
    { "dump", "Dump", "Dump" }, { "load", "Load", "Load" },
};

static const char *unit_of(const json_t *subtask, const char *mode)
{
    const char *stage = dm_text(subtask, "stage");

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (strcmp(units[i].ours, stage) == 0)
            return units[i].dm;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (strcmp(modes[i].mode, mode) == 0)
            return dm_is_state(subtask, "finished") ? modes[i].last : modes[i].first;
    return "Sync";
}

/* --- one source --- */

/* Where nothing is wrong with the subtask, why its source is not reached. */
static void add_source_error(struct call *c, json_t *status)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *source = call_read(c, DM_SOURCE, &none);

    if (*dm_text(source, "error"))
        json_object_set_new(status, "error_msg",
                            dm_error_of_unit("source", REASON_SOURCE, dm_text(source, "error")));
}

/* What stands still for good is an error to DM, also where all else goes on. */
static void add_conflict(json_t *status, const json_t *subtask)
{
    const json_t *first = json_array_get(json_object_get(subtask, "ddl_conflicts"), 0);

    if (first)
        json_object_set_new(status, "error_msg",
                            dm_error_of_unit("sync", reason_of_word(dm_text(first, "reason")),
                                             dm_text(first, "conflict")));
}

/* 'task' stands in where a source has not begun. */
static json_t *status_of(struct call *c, const json_t *task, const char *mode, struct err *err)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *subtask = call_read(c, DM_SUBTASK, &none);
    SCOPED(json_decrefp) json_t *worker = dm_worker(c, err);
    const json_t *at = subtask ? subtask : task;
    const char *why = dm_text(at, "error");
    json_t *v;

    if (!worker)
        return NULL;
    v = json_pack("{s:s,s:s,s:O,s:s,s:s}", "name", call_param(c, "task"), "source_name",
                  call_param(c, "source"), "worker_name", worker, "stage",
                  state_name(dm_text(at, "state"), STATE_DM_SUBTASK), "unit", unit_of(at, mode));
    json_object_set_new(v, "dump_status", unit_status(c, DM_SUBTASK_DUMP, &dm_dump_shape));
    json_object_set_new(v, "load_status", unit_status(c, DM_SUBTASK_LOAD, &dm_load_shape));
    json_object_set_new(v, "sync_status", unit_status(c, DM_SUBTASK_SYNC, &dm_sync_shape));
    add_shards(v, subtask);
    add_copied(v);
    if (*why)
        json_object_set_new(v, "error_msg",
                            dm_error_of_unit(dm_text(at, "stage"),
                                             reason_of_word(dm_text(at, "error_reason")), why));
    else
        add_source_error(c, v);
    if (!json_object_get(v, "error_msg"))
        add_conflict(v, subtask);
    return v;
}

json_t *dm_task_statuses(struct call *c, const json_t *config, const json_t *only, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = dm_task_sources(config), *all = json_array();
    SCOPED(json_decrefp) json_t *task = call_read(c, DM_TASK, err);
    const json_t *name;
    size_t i;

    if (!task)
        return NULL;
    json_array_foreach (names, i, name) {
        json_t *v;

        if (json_array_size(only) && !dm_has_text(only, json_string_value(name)))
            continue;
        call_set_param(c, "source", json_string_value(name));
        v = status_of(c, task, dm_text(config, "task_mode"), err);
        if (!v)
            return NULL;
        json_array_append_new(all, v);
    }
    return json_incref(all);
}

bool dm_is_stage(const char *word)
{
    static const char *const words[] = { "New",      "Running", "Paused",   "Stopped",
                                         "Finished", "Pausing", "Resuming", "Stopping" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasecmp(words[i], word) == 0)
            return true;
    return false;
}

static void keep_stage(json_t *all, const char *stage)
{
    for (size_t i = json_array_size(all); *stage && i-- > 0;)
        if (strcasecmp(dm_text(json_array_get(all, i), "stage"), stage) != 0)
            json_array_remove(all, i);
}

int dm_get_task_status(struct call *c, struct err *err)
{
    const json_t *only = json_object_get(c->query, "source_name_list");
    SCOPED(json_decrefp) json_t *config = NULL;
    json_t *all;
    int rc = dm_no_task(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (!(config = call_read(c, DM_TASK_CONFIG, err)))
        return err->code;
    if (dm_check_names(c, config, only, DM_OP_SOURCE_NOT_EXIST))
        return 0;
    if (!(all = dm_task_statuses(c, config, only, err)))
        return err->code;
    keep_stage(all, dm_text(c->query, "stage"));
    return dm_list(c, all);
}
