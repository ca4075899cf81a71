/* dm_metrics.c - the nodes behind DM's metrics, put together for the rows of dm_metric_rows.c. */
#include "http/compat/dm/dm_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/state.h"

/* Source: dm/pb, enum Stage. */
int dm_stage_number(const char *stage)
{
    static const char *const stages[] = { "InvalidStage", "New",      "Running",
                                          "Paused",       "Stopped",  "Finished",
                                          "Pausing",      "Resuming", "Stopping" };

    for (size_t i = 0; i < ARRAY_LEN(stages); i++)
        if (strcmp(stages[i], stage) == 0)
            return (int)i;
    return 0;
}

bool dm_place(const char *text, long long *file, long long *offset)
{
    const char *comma = strchr(text, ','), *digits = comma;

    if (*text != '(' || !comma)
        return false;
    while (digits > text && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    *file = strtoll(digits, NULL, 10);
    *offset = strtoll(comma + 1, NULL, 10);
    return digits < comma;
}

/* --- pieces --- */

static json_t *read_or_none(struct call *c, unsigned use)
{
    struct err none = ERR_INIT;
    json_t *v = call_read(c, use, &none);

    return v ? v : json_null();
}

static void set_number(json_t *attrs, const char *name, long long n)
{
    json_object_set_new(attrs, name, json_integer((json_int_t)n));
}

/* "file" and "pos" of 'which', from a place in words. */
static void set_place(json_t *attrs, const char *which, const char *text)
{
    SCOPED(freep) char *file = xasprintf("%s_file", which), *pos = xasprintf("%s_pos", which);
    long long number, offset;

    if (!dm_place(text, &number, &offset))
        return;
    set_number(attrs, file, number);
    set_number(attrs, pos, offset);
}

static void add_node(json_t *nodes, json_t *labels, json_t *attrs)
{
    json_array_append_new(nodes, json_pack("{s:o, s:o}", "labels", labels, "attrs", attrs));
}

/* --- the worker --- */

static json_t *worker_nodes(struct call *c, const char *worker)
{
    SCOPED(json_decrefp) json_t *daemon = read_or_none(c, DM_DAEMON);
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_SOURCES, &none);
    double up = json_number_value(json_object_get(daemon, "uptime_seconds"));
    double cpu = json_number_value(json_object_get(daemon, "cpu_seconds"));
    json_t *nodes = json_array();

    add_node(nodes, json_pack("{s:s}", "worker", worker),
             json_pack("{s:i, s:i, s:f}", "state", json_array_size(names) ? 2 : 1, "started", 1,
                       "cpu", up > 0 ? 100 * cpu / up : 0.0));
    return nodes;
}

/* --- sources --- */

static json_t *relay_attrs(struct call *c)
{
    SCOPED(json_decrefp) json_t *daemon = read_or_none(c, DM_DAEMON);
    SCOPED(json_decrefp) json_t *relay = read_or_none(c, DM_RELAY);
    SCOPED(json_decrefp) json_t *histograms = read_or_none(c, DM_RELAY_HISTOGRAMS);
    SCOPED(freep)
    char *at = xasprintf("(%s, %lld)", dm_text(relay, "binlog_file"),
                         (long long)json_integer_value(json_object_get(relay, "binlog_offset")));
    SCOPED(freep)
    char *end = xasprintf("(%s, %lld)", dm_text(relay, "source_file"),
                          (long long)json_integer_value(json_object_get(relay, "source_offset")));
    json_t *attrs = json_pack("{s:O, s:O, s:b}", "relay", relay, "histograms", histograms,
                              "corrupt", *dm_text(relay, "corruption") != 0);

    set_place(attrs, "relay", at);
    set_place(attrs, "source", end);
    json_object_set_new(attrs, "space",
                        json_pack("{s:O*, s:O*}", "capacity", json_object_get(daemon, "disk_bytes"),
                                  "available", json_object_get(daemon, "disk_free_bytes")));
    return attrs;
}

static json_t *relay_nodes(struct call *c, const char *worker)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_SOURCES, &none);
    json_t *nodes = json_array();
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        call_set_param(c, "source", json_string_value(name));
        add_node(nodes, json_pack("{s:O, s:s}", "source_id", name, "worker", worker),
                 relay_attrs(c));
    }
    return nodes;
}

/* --- tasks --- */

/* At the rate of now; nothing while nobody knows. */
static void set_remaining(json_t *attrs, const json_t *sync, const json_t *task)
{
    double behind = json_number_value(json_object_get(attrs, "master_pos")) -
                    json_number_value(json_object_get(attrs, "syncer_pos"));
    double rate = json_number_value(json_object_get(task, "bytes_per_second"));

    if (dm_flag(sync, "synced"))
        json_object_set_new(attrs, "remaining", json_integer(0));
    else if (json_equal(json_object_get(attrs, "master_file"),
                        json_object_get(attrs, "syncer_file")) &&
             rate > 0 && behind >= 0)
        json_object_set_new(attrs, "remaining", json_real(behind / rate));
}

/* How many tables of a source are still to come to the DDL of a lock. */
static unsigned count_unsynced(const json_t *locks, const char *source)
{
    const json_t *lock, *table;
    unsigned n = 0;
    size_t i, k;

    json_array_foreach ((json_t *)locks, i, lock)
        json_array_foreach (json_object_get(lock, "unsynced"), k, table)
            n += strcmp(dm_text(table, "source"), source) == 0;
    return n;
}

static json_t *subtask_attrs(struct call *c, const json_t *task, const json_t *locks)
{
    SCOPED(json_decrefp) json_t *subtask = read_or_none(c, DM_SUBTASK);
    SCOPED(json_decrefp) json_t *sync = read_or_none(c, DM_SUBTASK_SYNC);
    const json_t *state = json_object_get(json_is_object(subtask) ? subtask : task, "state");
    const char *word = json_string_value(state);
    json_t *attrs = json_pack(
        "{s:O, s:o, s:o, s:o, s:o}", "sync", sync, "dump", read_or_none(c, DM_SUBTASK_DUMP), "load",
        read_or_none(c, DM_SUBTASK_LOAD), "histograms", read_or_none(c, DM_SYNC_HISTOGRAMS),
        "row_changes", read_or_none(c, DM_SYNC_CHANGES));

    set_number(attrs, "stage", dm_stage_number(state_name(word ? word : "", STATE_DM_SUBTASK)));
    set_number(attrs, "blocked", *dm_text(subtask, "unresolved_ddl_lock_id") != 0);
    set_number(attrs, "unsynced", count_unsynced(locks, call_param(c, "source")));
    set_place(attrs, "master", dm_text(sync, "master_binlog"));
    set_place(attrs, "syncer", dm_text(sync, "syncer_binlog"));
    set_remaining(attrs, sync, task);
    return attrs;
}

/* The locks of {task}, with all attributes. */
static json_t *locks_of(struct call *c)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_LOCKS, &none);
    json_t *locks = json_array();
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        call_set_param(c, "lock", json_string_value(name));
        json_array_append_new(locks, read_or_none(c, DM_LOCK));
    }
    return locks;
}

static json_t *task_attrs(const json_t *locks)
{
    int n = (int)json_array_size(locks), synced = 0;
    const json_t *lock;
    size_t i;

    json_array_foreach ((json_t *)locks, i, lock)
        synced += json_array_size(json_object_get(lock, "unsynced")) == 0;
    return json_pack("{s:i, s:i}", "unsynced", n - synced, "synced", synced);
}

static void add_task(struct call *c, const char *name, const char *worker, json_t *tasks,
                     json_t *subtasks)
{
    call_set_param(c, "task", name);
    SCOPED(json_decrefp) json_t *task = read_or_none(c, DM_TASK);
    SCOPED(json_decrefp) json_t *config = read_or_none(c, DM_TASK_CONFIG);
    SCOPED(json_decrefp) json_t *sources = dm_task_sources(config), *locks = locks_of(c);
    SCOPED(json_decrefp) json_t *verify = read_or_none(c, DM_VERIFY);
    SCOPED(json_decrefp) json_t *continuous = read_or_none(c, DM_CONTINUOUS);
    long long differ = json_integer_value(json_object_get(verify, "rows_differing")) +
                       json_integer_value(json_object_get(continuous, "errors_new"));
    const json_t *source;
    size_t i;

    add_node(tasks, json_pack("{s:s}", "task", name), task_attrs(locks));
    json_array_foreach (sources, i, source) {
        call_set_param(c, "source", json_string_value(source));
        json_t *attrs = subtask_attrs(c, task, locks);

        /* they are found at the target, which does not say of which source they are */
        set_number(attrs, "errors", i == 0 ? differ : 0);
        add_node(subtasks,
                 json_pack("{s:O, s:s, s:s}", "source_id", source, "task", name, "worker", worker),
                 attrs);
    }
}

int dm_get_metrics(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *worker = dm_worker(c, err);
    SCOPED(json_decrefp) json_t *names = worker ? call_children(c, DM_TASKS, err) : NULL;
    SCOPED(json_decrefp) json_t *tasks = json_array(), *subtasks = json_array();
    const char *w = json_string_value(worker);
    const json_t *name;
    size_t i;

    if (!names)
        return err->code;
    SCOPED(json_decrefp) json_t *workers = worker_nodes(c, w), *relays = relay_nodes(c, w);
    SCOPED(json_decrefp) json_t *ours = read_or_none(c, DM_OUR_METRICS);

    json_array_foreach (names, i, name)
        add_task(c, json_string_value(name), w, tasks, subtasks);
    c->r->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_of_nodes(dm_worker_metrics, workers, &c->r->body);
    metrics_of_nodes(dm_relay_metrics, relays, &c->r->body);
    metrics_of_nodes(dm_task_metrics, tasks, &c->r->body);
    metrics_of_nodes(dm_subtask_metrics, subtasks, &c->r->body);
    if (json_is_string(ours))
        buf_str(&c->r->body, json_string_value(ours));
    return 0;
}
