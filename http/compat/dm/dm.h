/*
 * dm.h - DM's OpenAPI (8261), in rooms.
 *
 *     dm.c           what of the tree it uses; the facade
 *     dm_routes.c    every route with its operation: what comes in, what goes out
 *     dm_schema.c    the objects
 *     dm_error.c     the errors
 *     dm_cluster.c   masters, workers, info
 *     dm_source.c    sources: made, shown, changed, removed
 *     dm_relay.c     their relay and their status
 *     dm_task.c      tasks: made, shown, changed, removed
 *     dm_run.c       tasks: started, stopped
 *     dm_status.c    what a subtask is at
 *     dm_table.c     schemas and tables
 *     dm_template.c  templates
 *     dm_convert.c   task files, which daemon/dm reads and writes
 *     dm_metrics.c   /metrics, of a listener of its own; dm_metric_rows.c has the names
 *     dm_doc.c       /api/v1/docs and /api/v1/dm.json
 *
 * All generations of it on the same paths: PATCH of the page, POST of 5.x, the words of 6.0 and
 * later. Bodies of 5.x and of 6.x are told apart by their keys (dm_routes.c).  A worker is a member
 * of the cluster: there is one, and it has every source.
 *
 * Source: "Maintain DM Clusters Using OpenAPI"; dm/openapi, dm/master/openapi_controller.go of
 * pingcap/tiflow.
 */
#ifndef SLUICE_HTTP_DM_H
#define SLUICE_HTTP_DM_H

#include "http/compat/dm/dm_error.h"
#include "http/compat/dm/dm_schema.h"
#include "http/compat/route.h"

enum dm_use {
    DM_CLUSTER,
    DM_TOPOLOGY,
    DM_MEMBERS,
    DM_MEMBER,
    DM_SOURCES,
    DM_SOURCES_CHECK,
    DM_SOURCE,
    DM_SOURCE_CONFIG,
    DM_SOURCE_SCHEMAS,
    DM_SOURCE_TABLES,
    DM_SOURCE_ENABLE,
    DM_SOURCE_DISABLE,
    DM_RELAY,
    DM_RELAY_NAME_SET,
    DM_RELAY_GTID,
    DM_RELAY_START,
    DM_RELAY_STOP,
    DM_RELAY_PAUSE,
    DM_RELAY_RESUME,
    DM_RELAY_PURGE,
    DM_TASKS,
    DM_TASKS_DELETE,
    DM_TASK,
    DM_TASK_CONFIG,
    DM_TASK_CHECK,
    DM_TASK_REPORT,
    DM_TASK_TARGETS,
    DM_TASK_START,
    DM_TASK_STOP,
    DM_TASK_PAUSE,
    DM_SUBTASK,
    DM_SUBTASK_DUMP,
    DM_SUBTASK_LOAD,
    DM_SUBTASK_SYNC,
    DM_SCHEMAS,
    DM_SCHEMAS_SET,
    DM_SCHEMA,
    DM_TEMPLATES,
    DM_TEMPLATES_IMPORT,
    DM_TEMPLATES_RESULT,
    DM_TEMPLATE,
    DM_TEMPLATE_CONFIG,
    DM_DAEMON,
    DM_OUR_METRICS,
    DM_RELAY_HISTOGRAMS,
    DM_SYNC_HISTOGRAMS,
    DM_SYNC_CHANGES,
    DM_LOCKS,
    DM_LOCK,
    DM_VERIFY,
    DM_CONTINUOUS,
};

extern const struct use dm_uses[];
extern const struct route dm_routes[];
extern const struct shape *const dm_shapes[];
extern const struct shape dm_relay_shape, dm_dump_shape, dm_load_shape, dm_sync_shape,
    dm_shard_shape;

/* Functions of routes. */
int dm_get_masters(struct call *c, struct err *err);
int dm_delete_master(struct call *c, struct err *err);
int dm_get_workers(struct call *c, struct err *err);
int dm_delete_worker(struct call *c, struct err *err);
int dm_get_info(struct call *c, struct err *err);
int dm_put_info(struct call *c, struct err *err);
int dm_create_source(struct call *c, struct err *err);
int dm_get_sources(struct call *c, struct err *err);
int dm_get_source(struct call *c, struct err *err);
int dm_put_source(struct call *c, struct err *err);
int dm_delete_source(struct call *c, struct err *err);
int dm_enable_source(struct call *c, struct err *err);
int dm_disable_source(struct call *c, struct err *err);
int dm_transfer_source(struct call *c, struct err *err);
int dm_get_source_status(struct call *c, struct err *err);
int dm_relay_start(struct call *c, struct err *err);
int dm_relay_stop(struct call *c, struct err *err);
int dm_relay_pause(struct call *c, struct err *err);
int dm_relay_resume(struct call *c, struct err *err);
int dm_relay_purge(struct call *c, struct err *err);
int dm_create_task(struct call *c, struct err *err);
int dm_get_tasks(struct call *c, struct err *err);
int dm_get_task(struct call *c, struct err *err);
int dm_put_task(struct call *c, struct err *err);
int dm_delete_task(struct call *c, struct err *err);
int dm_start_task(struct call *c, struct err *err);
int dm_stop_task(struct call *c, struct err *err);
int dm_pause_task(struct call *c, struct err *err);
int dm_resume_task(struct call *c, struct err *err);
int dm_get_task_status(struct call *c, struct err *err);
int dm_get_source_schemas(struct call *c, struct err *err);
int dm_get_source_tables(struct call *c, struct err *err);
int dm_get_targets(struct call *c, struct err *err);
int dm_get_schemas(struct call *c, struct err *err);
int dm_get_tables(struct call *c, struct err *err);
int dm_get_table(struct call *c, struct err *err);
int dm_put_table(struct call *c, struct err *err);
int dm_delete_table(struct call *c, struct err *err);
int dm_create_template(struct call *c, struct err *err);
int dm_get_templates(struct call *c, struct err *err);
int dm_get_template(struct call *c, struct err *err);
int dm_put_template(struct call *c, struct err *err);
int dm_delete_template(struct call *c, struct err *err);
int dm_import_templates(struct call *c, struct err *err);
int dm_convert_task(struct call *c, struct err *err);
int dm_get_docs(struct call *c, struct err *err);
int dm_get_document(struct call *c, struct err *err);
int dm_get_metrics(struct call *c, struct err *err);

/* --- what the rooms share --- */

/* Replies: JSON, taken, as DM prints it; {"total", "data"} of a list, taken; nothing. */
int dm_json(struct call *c, json_t *v);
int dm_list(struct call *c, json_t *data);
int dm_done(struct call *c);

const char *dm_text(const json_t *o, const char *key); /* "" if it is none */
bool dm_flag(const json_t *o, const char *key);
bool dm_has_text(const json_t *list, const char *text);
json_t *dm_at(const json_t *o, const char *path); /* borrowed: "target_config.host" */
bool dm_is_state(const json_t *attrs, const char *state);

json_t *dm_worker(struct call *c, struct err *err); /* its name */

/* Is {source}, {task} there?  1: no, and that is the reply; < 0: an error. */
int dm_no_source(struct call *c, struct err *err);
int dm_no_task(struct call *c, struct err *err);
/* Is {source} one of {task}, and both there? */
int dm_no_subtask(struct call *c, struct err *err);

/* Before a document goes into the tree: drops texts that are empty and what is left empty. */
void dm_drop_empty(json_t *v);
/* TLS without any content is none. */
void dm_drop_security(json_t *server);

/* dm_relay.c: the status of {source}. */
json_t *dm_source_status(struct call *c, struct err *err);
/* dm_status.c: the status of {task}, one for each source of 'config' that 'only' names (empty:
 * all). */
json_t *dm_task_statuses(struct call *c, const json_t *config, const json_t *only, struct err *err);
bool dm_is_stage(const char *word); /* any of DM's, whatever its letters' case */
/* dm_source.c: the names of a task's sources, a new reference. */
json_t *dm_task_sources(const json_t *config);
/* {task} without {source}: gone, if that was its only one; else it goes on as it was. */
int dm_leave_task(struct call *c, struct err *err);
/* dm_run.c: 0; 1 when that is the reply already: one of 'names' is not of the task. */
int dm_check_names(struct call *c, const json_t *config, const json_t *names, enum dm_error e);
/* dm_task.c: what the tree takes for a task of the API, and back; new references. */
json_t *dm_task_document(const json_t *task);
json_t *dm_task_shown(const json_t *config);
/* What the API says is as it says; what it has no word for, or does not tell, stays as in 'old'. */
json_t *dm_task_changed(const json_t *old, const json_t *task);
/* Has 'task' a name, and the rules that it names?  1: no, and that is the reply. */
int dm_check_rules(struct call *c, const json_t *task);
/* 0; 1 with a reply: a GTID set that {source}, as far as it is known, cannot have. */
int dm_check_gtid(struct call *c, const char *gtid);
int dm_check_binlog_name(struct call *c, const char *name);
bool dm_is_long_name(const char *source);
/* dm_run.c: tells {task} to stop, whatever it is at.  As call_write(). */
int dm_task_halt(struct call *c, struct err *err);
/* Starts {task}, which was just made, with the request's body; the reply is there if it fails. */
int dm_start_made(struct call *c, const json_t *config, struct err *err);
/* Starts or resumes {task}, by what it is at, with the arguments of the action. */
int dm_task_go(struct call *c, const json_t *config, json_t *args, struct err *err);

#endif
