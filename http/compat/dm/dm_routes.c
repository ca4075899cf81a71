/* dm_routes.c - every route of DM's OpenAPI, as told in /api/v1/dm.json. */
#include <stddef.h>

#include "http/compat/dm/dm.h"

#define API "/api/v1"
#define SOURCE API "/sources/{source}"
#define TASK API "/tasks/{task}"
#define SUBTASK TASK "/sources/{source}"
#define TABLE SUBTASK "/schemas/{schema}/{table}"

/* --- queries and bodies --- */

#define WITH_STATUS                                                                   \
    {                                                                                 \
        "with_status", API_BOOL, .fallback = "false", .help = "Also what they are at" \
    }
#define SOURCE_NAMES                                                               \
    {                                                                              \
        "source_name_list", API_LIST, .help = "Names of sources; given repeatedly" \
    }

static const struct api_field with_status[] = { WITH_STATUS, { NULL } };
static const struct api_field sources_query[] = {
    WITH_STATUS,
    { "enable_relay", API_BOOL, .help = "Only those with, or without, a relay" },
    { NULL },
};
static const struct api_field force[] = {
    { "force", API_BOOL, .fallback = "false", .help = "Whatever still uses it" },
    { NULL },
};
static const struct api_field delete_task_query[] = {
    { "force", API_BOOL, .fallback = "false", .help = "Also while it runs" },
    { "keep_meta", API_BOOL, .fallback = "false", .help = "Leave the checkpoints at the target" },
    SOURCE_NAMES,
    { NULL },
};
static const struct api_field tasks_query[] = {
    WITH_STATUS,
    { "stage", API_TEXT, .help = "Only those of which every source is at it" },
    SOURCE_NAMES,
    { NULL },
};
static const struct api_field status_query[] = {
    SOURCE_NAMES,
    { "stage", API_TEXT, .help = "Only sources that are at it" },
    { NULL },
};

static const struct api_field targets_query[] = {
    { "schema_pattern", API_TEXT, .help = "A regular expression; none: all" },
    { "table_pattern", API_TEXT, .help = "A regular expression; none: all" },
    { NULL },
};

/* Bodies of 5.x and of 6.x, told apart by their keys. */
static const struct api_body create_source[] = { { &dm_source_create_schema, "source" },
                                                 { &dm_source_schema },
                                                 { NULL } };
static const struct api_body create_task[] = { { &dm_task_create_start_schema, "remove_meta" },
                                               { &dm_task_create_start_schema, "source_name_list" },
                                               { &dm_task_create_schema },
                                               { NULL } };
static const struct api_body topology[] = { { &dm_topology_schema }, { NULL } };
static const struct api_body put_source[] = { { &dm_source_update_schema }, { NULL } };
static const struct api_body relay_on[] = { { &dm_relay_start_schema }, { NULL } };
static const struct api_body relay_off[] = { { &dm_relay_stop_schema }, { NULL } };
static const struct api_body relay_purge[] = { { &dm_relay_purge_schema }, { NULL } };
static const struct api_body transfer[] = { { &dm_transfer_schema }, { NULL } };
static const struct api_body put_task[] = { { &dm_task_update_schema }, { NULL } };
static const struct api_body start_task[] = { { &dm_task_start_schema }, { NULL } };
static const struct api_body stop_task[] = { { &dm_task_stop_schema }, { NULL } };
static const struct api_body set_table[] = { { &dm_table_set_schema }, { NULL } };
static const struct api_body template[] = { { &dm_task_schema }, { NULL } };
static const struct api_body import[] = { { &dm_import_schema }, { NULL } };
static const struct api_body convert[] = { { &dm_convert_schema }, { NULL } };
static const struct api_body names[] = { { &dm_names_schema }, { NULL } };

/* --- operations that several routes are spellings of --- */

static const struct api_operation relay_start_op = { "relay", "Store the binlog of a source",
                                                     .bodies = relay_on };
static const struct api_operation relay_stop_op = { "relay", "Store it no more",
                                                    .bodies = relay_off };
static const struct api_operation relay_pause_op = { "relay", "Pause the relay of a source" };
static const struct api_operation relay_resume_op = { "relay", "Go on with it" };
static const struct api_operation transfer_op = { "source", "Move a source to another worker",
                                                  .bodies = transfer, .needs_body = true };
static const struct api_operation pause_op = { "task", "Pause a task, or some of its sources",
                                               .bodies = names };
static const struct api_operation resume_op = { "task", "Go on after a pause or an error",
                                                .bodies = names };

static const struct api_operation set_table_op = {
    "table", "Set the structure of a table of a task that is paused", .bodies = set_table,
    .needs_body = true
};
static const struct api_operation create_template_op = {
    "template",    "Keep a task as a template", .bodies = template, .needs_body = true,
    .status = 201, .reply = &dm_task_schema
};
static const struct api_operation get_templates_op = { "template", "List templates",
                                                       .reply = &dm_tasks_schema };
static const struct api_operation import_templates_op = { "template",
                                                          "Make a template of each task",
                                                          .bodies = import, .status = 202,
                                                          .reply = &dm_imported_schema };
static const struct api_operation get_template_op = { "template", "Show a template",
                                                      .reply = &dm_task_schema };
static const struct api_operation put_template_op = { "template", "Change a template",
                                                      .bodies = template, .needs_body = true,
                                                      .reply = &dm_task_schema };
static const struct api_operation delete_template_op = { "template", "Remove a template",
                                                         .status = 204 };

/* Those of 6.x and of 5.4. */
#define TEMPLATES(path)                                                        \
    { "POST", path, dm_create_template, &create_template_op },                 \
        { "GET", path, dm_get_templates, &get_templates_op },                  \
        { "POST", path "/import", dm_import_templates, &import_templates_op }, \
        { "GET", path "/{template}", dm_get_template, &get_template_op },      \
        { "PUT", path "/{template}", dm_put_template, &put_template_op },      \
    {                                                                          \
        "DELETE", path "/{template}", dm_delete_template, &delete_template_op  \
    }

#define OP &(const struct api_operation)

/* clang-format off */
const struct route dm_routes[] = {
    { "GET", "/metrics", dm_get_metrics, NULL }, /* elsewhere the tree has that path */
    { "GET", API "/docs", dm_get_docs,
      OP{ "documents", "This API as a page", .media = "text/html" } },
    { "GET", API "/dm.json", dm_get_document,
      OP{ "documents", "This API as an OpenAPI document", .media = "application/json" } },

    { "GET", API "/cluster/masters", dm_get_masters,
      OP{ "cluster", "List the members as masters", .reply = &dm_masters_schema } },
    { "DELETE", API "/cluster/masters/{member}", dm_delete_master,
      OP{ "cluster", "Take a master out of the cluster", .status = 204 } },
    { "GET", API "/cluster/workers", dm_get_workers,
      OP{ "cluster", "List the members as workers, with each of their sources", .reply = &dm_workers_schema } },
    { "DELETE", API "/cluster/workers/{member}", dm_delete_worker,
      OP{ "cluster", "Take a worker that is offline out of the cluster", .status = 204 } },
    { "GET", API "/cluster/info", dm_get_info,
      OP{ "cluster", "Tell the id of the cluster and its topology", .reply = &dm_info_schema } },
    { "PUT", API "/cluster/info", dm_put_info,
      OP{ "cluster", "Keep its topology", .bodies = topology, .needs_body = true, .reply = &dm_info_schema } },

    { "POST", API "/sources", dm_create_source,
      OP{ "source", "Make a source", .bodies = create_source, .needs_body = true, .status = 201,
          .reply = &dm_source_schema } },
    { "GET", API "/sources", dm_get_sources,
      OP{ "source", "List sources", .query = sources_query, .reply = &dm_sources_schema } },
    { "GET", SOURCE, dm_get_source,
      OP{ "source", "Show a source", .query = with_status, .reply = &dm_source_schema } },
    { "PUT", SOURCE, dm_put_source,
      OP{ "source", "Change a source", .bodies = put_source, .needs_body = true, .reply = &dm_source_schema } },
    { "DELETE", SOURCE, dm_delete_source,
      OP{ "source", "Remove a source", .query = force, .status = 204 } },
    { "GET", SOURCE "/status", dm_get_source_status,
      OP{ "source", "Show what a source is at", .reply = &dm_source_statuses_schema } },
    { "POST", SOURCE "/enable", dm_enable_source,
      OP{ "source", "Let a source be read, and start what reads it" } },
    { "POST", SOURCE "/disable", dm_disable_source,
      OP{ "source", "Let it not be read, and stop what reads it" } },
    { "GET", SOURCE "/schemas", dm_get_source_schemas,
      OP{ "source", "List the schemas that its server has", .reply = &dm_names_schema } },
    { "GET", SOURCE "/schemas/{schema}", dm_get_source_tables,
      OP{ "source", "List the tables of one of them", .reply = &dm_names_schema } },
    { "PATCH", SOURCE "/transfer", dm_transfer_source, &transfer_op },
    { "POST", SOURCE "/transfer", dm_transfer_source, &transfer_op },

    { "PATCH", SOURCE "/start-relay", dm_relay_start, &relay_start_op },
    { "POST", SOURCE "/start-relay", dm_relay_start, &relay_start_op },
    { "POST", SOURCE "/relay/enable", dm_relay_start, &relay_start_op },
    { "PATCH", SOURCE "/stop-relay", dm_relay_stop, &relay_stop_op },
    { "POST", SOURCE "/stop-relay", dm_relay_stop, &relay_stop_op },
    { "POST", SOURCE "/relay/disable", dm_relay_stop, &relay_stop_op },
    { "PATCH", SOURCE "/pause-relay", dm_relay_pause, &relay_pause_op },
    { "POST", SOURCE "/pause-relay", dm_relay_pause, &relay_pause_op },
    { "PATCH", SOURCE "/resume-relay", dm_relay_resume, &relay_resume_op },
    { "POST", SOURCE "/resume-relay", dm_relay_resume, &relay_resume_op },
    { "POST", SOURCE "/relay/purge", dm_relay_purge,
      OP{ "relay", "Delete stored binlog before a file", .bodies = relay_purge, .needs_body = true } },

    { "POST", API "/tasks", dm_create_task,
      OP{ "task", "Make a task", .bodies = create_task, .needs_body = true, .status = 201,
          .reply = &dm_task_result_schema, .or_reply = &dm_task_schema } },
    { "GET", API "/tasks", dm_get_tasks,
      OP{ "task", "List tasks", .query = tasks_query, .reply = &dm_tasks_schema } },
    { "POST", API "/tasks/converters", dm_convert_task,
      OP{ "task", "Make a task file of a task, or the other way round; nothing is kept", .bodies = convert,
          .needs_body = true, .reply = &dm_converted_schema } },
    TEMPLATES(API "/tasks/templates"),
    TEMPLATES(API "/task/configs"),

    { "GET", TASK, dm_get_task,
      OP{ "task", "Show a task", .query = with_status, .reply = &dm_task_schema } },
    { "PUT", TASK, dm_put_task,
      OP{ "task", "Change a task that does not run", .bodies = put_task, .needs_body = true,
          .reply = &dm_task_result_schema } },
    { "DELETE", TASK, dm_delete_task,
      OP{ "task", "Remove a task", .query = delete_task_query, .status = 204 } },
    { "GET", TASK "/status", dm_get_task_status,
      OP{ "task", "Show what its sources are at", .query = status_query, .reply = &dm_subtasks_schema } },
    { "POST", TASK "/start", dm_start_task,
      OP{ "task", "Start a task, or some of its sources", .bodies = start_task } },
    { "POST", TASK "/stop", dm_stop_task,
      OP{ "task", "Stop a task, or some of its sources", .bodies = stop_task } },
    { "PATCH", TASK "/pause", dm_pause_task, &pause_op },
    { "POST", TASK "/pause", dm_pause_task, &pause_op },
    { "PATCH", TASK "/resume", dm_resume_task, &resume_op },
    { "POST", TASK "/resume", dm_resume_task, &resume_op },
    { "GET", SUBTASK "/schemas", dm_get_schemas,
      OP{ "table", "List the schemas that a task knows of a source", .reply = &dm_names_schema } },
    { "GET", SUBTASK "/schemas/{schema}", dm_get_tables,
      OP{ "table", "List the tables of one of them", .reply = &dm_names_schema } },
    { "GET", TABLE, dm_get_table,
      OP{ "table", "Show the structure of a table as the task knows it", .reply = &dm_table_schema } },
    { "PUT", TABLE, dm_put_table, &set_table_op },
    { "PATCH", TABLE, dm_put_table, &set_table_op },
    { "DELETE", TABLE, dm_delete_table,
      OP{ "table", "Forget the structure of a table", .status = 204 } },
    { "GET", SUBTASK "/migrate_targets", dm_get_targets,
      OP{ "table", "List the tables of a source of a task, and where they go", .query = targets_query,
          .reply = &dm_targets_schema } },
    { NULL },
};
/* clang-format on */
