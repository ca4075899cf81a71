/*
 * dm_schema.h - the objects of DM's OpenAPI: what comes in is checked by them, what goes out is cut
 * to them, /api/v1/dm.json shows them.
 */
#ifndef SLUICE_HTTP_DM_SCHEMA_H
#define SLUICE_HTTP_DM_SCHEMA_H

#include "http/compat/api.h"

extern const struct api_schema dm_error_schema, dm_names_schema;
extern const struct api_schema dm_masters_schema, dm_workers_schema, dm_info_schema,
    dm_topology_schema;
extern const struct api_schema dm_source_schema, dm_sources_schema, dm_source_create_schema,
    dm_source_update_schema, dm_source_status_schema, dm_source_statuses_schema;
extern const struct api_schema dm_relay_start_schema, dm_relay_stop_schema, dm_relay_purge_schema,
    dm_transfer_schema;
extern const struct api_schema dm_task_schema, dm_tasks_schema, dm_task_create_schema,
    dm_task_create_start_schema, dm_task_update_schema, dm_task_result_schema, dm_task_start_schema,
    dm_task_stop_schema, dm_subtask_schema, dm_subtasks_schema;
extern const struct api_schema dm_targets_schema, dm_convert_schema, dm_converted_schema,
    dm_table_schema, dm_table_set_schema, dm_import_schema, dm_imported_schema;

#endif
