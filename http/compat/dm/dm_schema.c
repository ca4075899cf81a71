#include "http/compat/dm/dm_schema.h"

#include <stddef.h>

/* clang-format off */
#define LIST_OF(id, title, element)                                               \
    static const struct api_field id##_fields[] = {                               \
        { "total", API_COUNT, API_REQUIRED, .help = "How many there are" },       \
        { "data", API_LIST, API_REQUIRED, .of = &(element) },                     \
        { NULL },                                                                 \
    };                                                                            \
    const struct api_schema id = { title, API_OBJECT, id##_fields }

/* --- for all --- */

static const struct api_field error_fields[] = {
    { "error_msg", API_TEXT, API_REQUIRED, .help = "What is wrong, and what to do" },
    { "error_code", API_COUNT, API_REQUIRED, .help = "Its number; 0: the request itself is wrong" },
    { NULL },
};
const struct api_schema dm_error_schema = { "ErrorWithMessage", API_OBJECT, error_fields };
const struct api_schema dm_names_schema = { "NameList", API_LIST, .help = "Names" };

static const struct api_field security_fields[] = {
    { "ssl_ca_content", API_TEXT, .help = "Certificate of who signs the server's, as PEM" },
    { "ssl_cert_content", API_TEXT, .help = "Our certificate, as PEM" },
    { "ssl_key_content", API_TEXT, API_SECRET, .help = "Its key, as PEM" },
    { "cert_allowed_cn", API_LIST, .help = "Common names that the server's certificate may have" },
    { NULL },
};
static const struct api_schema security = { "Security", API_OBJECT, security_fields,
    .help = "TLS; without any content there is none. Contents are never shown" };

/* --- cluster --- */

static const struct api_field master_fields[] = {
    { "name", API_TEXT, API_REQUIRED, .help = "Name of the member" },
    { "alive", API_BOOL, API_REQUIRED, .help = "Whether it is there" },
    { "leader", API_BOOL, API_REQUIRED, .help = "Whether it decides" },
    { "addr", API_TEXT, API_REQUIRED, .help = "Where it listens" },
    { NULL },
};
static const struct api_schema master = { "ClusterMaster", API_OBJECT, master_fields };
LIST_OF(dm_masters_schema, "GetClusterMasterListResponse", master);

static const char *const bound_stages[] = { "offline", "free", "bound", "relay", NULL };
static const struct api_field worker_fields[] = {
    { "name", API_TEXT, API_REQUIRED, .help = "Name of the member; it is listed with each of its sources" },
    { "addr", API_TEXT, API_REQUIRED, .help = "Where it listens" },
    { "bound_stage", API_TEXT, API_REQUIRED, .choices = bound_stages },
    { "bound_source_name", API_TEXT, API_REQUIRED, .help = "Its source; empty if it has none" },
    { NULL },
};
static const struct api_schema worker = { "ClusterWorker", API_OBJECT, worker_fields };
LIST_OF(dm_workers_schema, "GetClusterWorkerListResponse", worker);

static const struct api_field host_fields[] = {
    { "name", API_TEXT, 0, .help = "Its name, where it has one" },
    { "host", API_TEXT, API_REQUIRED },
    { "port", API_COUNT, API_REQUIRED },
    { NULL },
};
static const struct api_schema host = { "Topology", API_OBJECT, host_fields };
static const struct api_field topology_fields[] = {
    { "master_topology_list", API_LIST, .of = &host },
    { "worker_topology_list", API_LIST, .of = &host },
    { "grafana_topology", API_OBJECT, .of = &host },
    { "prometheus_topology", API_OBJECT, .of = &host },
    { "alert_manager_topology", API_OBJECT, .of = &host },
    { NULL },
};
const struct api_schema dm_topology_schema = { "ClusterTopology", API_OBJECT, topology_fields,
    .help = "Kept for who deploys; nothing follows from it" };
static const struct api_field info_fields[] = {
    { "cluster_id", API_COUNT, API_REQUIRED },
    { "topology", API_OBJECT, .of = &dm_topology_schema },
    { NULL },
};
const struct api_schema dm_info_schema = { "GetClusterInfoResponse", API_OBJECT, info_fields };

/* --- sources --- */

static const struct api_field purge_fields[] = {
    { "interval", API_COUNT, .fallback = "3600", .help = "Seconds between two looks at what may go" },
    { "expires", API_COUNT, .fallback = "0", .help = "Hours after which stored binlog goes; 0: never" },
    { "remain_space", API_COUNT, .fallback = "15", .help = "GB of disk to be left free" },
    { NULL },
};
static const struct api_schema purge = { "Purge", API_OBJECT, purge_fields };

static const struct api_field relay_config_fields[] = {
    { "enable_relay", API_BOOL, .fallback = "false" },
    { "relay_binlog_name", API_TEXT, .help = "File that an empty relay begins with" },
    { "relay_binlog_gtid", API_TEXT, .help = "GTID set that an empty relay begins after" },
    { "relay_dir", API_TEXT, .help = "Without use: the relay is in the data folder" },
    { NULL },
};
static const struct api_schema relay_config = { "RelayConfig", API_OBJECT, relay_config_fields };

static const struct api_field relay_status_fields[] = {
    { "master_binlog", API_TEXT, API_REQUIRED, .help = "End of the source's binlog: (file, offset)" },
    { "master_binlog_gtid", API_TEXT, API_REQUIRED },
    { "relay_dir", API_TEXT, API_REQUIRED },
    { "relay_binlog_gtid", API_TEXT, API_REQUIRED },
    { "relay_catch_up_master", API_BOOL, API_REQUIRED },
    { "stage", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_schema relay_status = { "RelayStatus", API_OBJECT, relay_status_fields };

static const struct api_field source_status_fields[] = {
    { "source_name", API_TEXT, API_REQUIRED },
    { "worker_name", API_TEXT, API_REQUIRED },
    { "relay_status", API_OBJECT, .of = &relay_status },
    { "error_msg", API_TEXT },
    { NULL },
};
const struct api_schema dm_source_status_schema = { "SourceStatus", API_OBJECT, source_status_fields };
LIST_OF(dm_source_statuses_schema, "GetSourceStatusResponse", dm_source_status_schema);

static const struct api_field source_fields[] = {
    { "source_name", API_TEXT, API_REQUIRED, .help = "Its name, 1 to 32 characters" },
    { "host", API_TEXT, API_REQUIRED },
    { "port", API_COUNT, API_REQUIRED },
    { "user", API_TEXT, API_REQUIRED },
    { "password", API_TEXT, API_SECRET, .help = "****** or none keeps the one there is" },
    { "enable_gtid", API_BOOL, API_REQUIRED, .fallback = "false" },
    { "enable", API_BOOL, .fallback = "true" },
    { "flavor", API_TEXT, .help = "mysql or mariadb; found out where it is left out" },
    { "security", API_OBJECT, .of = &security },
    { "purge", API_OBJECT, .of = &purge },
    { "relay_config", API_OBJECT, .of = &relay_config },
    { "task_name_list", API_LIST, API_SHOWN, .help = "Tasks that read it" },
    { "status_list", API_LIST, API_SHOWN, .of = &dm_source_status_schema },
    { NULL },
};
const struct api_schema dm_source_schema = { "Source", API_OBJECT, source_fields };
LIST_OF(dm_sources_schema, "GetSourceListResponse", dm_source_schema);

static const struct api_field source_create_fields[] = {
    { "source", API_OBJECT, API_REQUIRED, .of = &dm_source_schema },
    { "worker_name", API_TEXT },
    { NULL },
};
const struct api_schema dm_source_create_schema = { "CreateSourceRequest", API_OBJECT, source_create_fields };
static const struct api_field source_update_fields[] = {
    { "source", API_OBJECT, API_REQUIRED, .of = &dm_source_schema },
    { NULL },
};
const struct api_schema dm_source_update_schema = { "UpdateSourceRequest", API_OBJECT, source_update_fields };

static const struct api_field relay_start_fields[] = {
    { "worker_name_list", API_LIST, .help = "The member's name, or nothing" },
    { "relay_binlog_name", API_TEXT },
    { "relay_binlog_gtid", API_TEXT },
    { "relay_dir", API_TEXT },
    { NULL },
};
const struct api_schema dm_relay_start_schema = { "EnableRelayRequest", API_OBJECT, relay_start_fields };
static const struct api_field relay_stop_fields[] = {
    { "worker_name_list", API_LIST, .help = "The member's name, or nothing" },
    { NULL },
};
const struct api_schema dm_relay_stop_schema = { "DisableRelayRequest", API_OBJECT, relay_stop_fields };
static const struct api_field relay_purge_fields[] = {
    { "relay_binlog_name", API_TEXT, API_REQUIRED, .help = "The first file to keep" },
    { "relay_dir", API_TEXT, .help = "Sub-directory that file is of: UUID.000001; without it, the last" },
    { NULL },
};
const struct api_schema dm_relay_purge_schema = { "PurgeRelayRequest", API_OBJECT, relay_purge_fields };
static const struct api_field transfer_fields[] = {
    { "worker_name", API_TEXT, API_REQUIRED },
    { NULL },
};
const struct api_schema dm_transfer_schema = { "WorkerNameRequest", API_OBJECT, transfer_fields };

/* --- tasks --- */

static const char *const modes[] = { "full", "incremental", "all", "dump", "load", NULL };
static const char *const shard_modes[] = { "pessimistic", "optimistic", NULL };
static const char *const duplicates[] = { "overwrite", "replace", "error", "ignore", NULL };
static const char *const logical[] = { "replace", "error", "ignore", NULL };
static const char *const physical[] = { "none", "manual", NULL };
static const char *const needs[] = { "required", "optional", "off", NULL };
static const char *const consistencies[] = { "auto", "none", "flush", "lock", "snapshot", NULL };
static const char *const import_modes[] = { "logical", "physical", "import-into", NULL };
static const char *const checks[] = { "0", "1", NULL };

static const struct api_field session_fields[] = {
    { "foreign_key_checks", API_TEXT, .choices = checks },
    { "variables", API_MAP, API_OURS, .help = "Beyond DM's: others, by name" },
    { NULL },
};
static const struct api_schema session = { "TaskTargetSession", API_OBJECT, session_fields,
    .closed = true };
static const struct api_field target_fields[] = {
    { "host", API_TEXT, API_REQUIRED },
    { "port", API_COUNT, API_REQUIRED },
    { "user", API_TEXT, API_REQUIRED },
    { "password", API_TEXT, API_SECRET, .help = "****** or none keeps the one there is" },
    { "security", API_OBJECT, .of = &security },
    { "session", API_OBJECT, .of = &session },
    { NULL },
};
static const struct api_schema target = { "TaskTargetDataBase", API_OBJECT, target_fields };

static const struct api_field filter_fields[] = {
    { "ignore_event", API_LIST, .help = "Kinds of events that are left out" },
    { "ignore_sql", API_LIST, .help = "Patterns of statements that are left out" },
    { NULL },
};
static const struct api_schema filter = { "TaskBinLogFilterRule", API_OBJECT, filter_fields };

static const struct api_field rule_source_fields[] = {
    { "source_name", API_TEXT, API_REQUIRED },
    { "schema", API_TEXT, API_REQUIRED, .help = "Pattern of schemas" },
    { "table", API_TEXT, API_REQUIRED, .help = "Pattern of tables; empty: the whole schema" },
    { NULL },
};
static const struct api_schema rule_source = { "TaskTableMigrateSource", API_OBJECT, rule_source_fields };
static const struct api_field rule_target_fields[] = {
    { "schema", API_TEXT },
    { "table", API_TEXT },
    { NULL },
};
static const struct api_schema rule_target = { "TaskTableMigrateTarget", API_OBJECT, rule_target_fields };
static const struct api_field extract_table_fields[] = {
    { "table_regexp", API_TEXT, API_REQUIRED, .help = "What its groups match is taken" },
    { "target_column", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_field extract_schema_fields[] = {
    { "schema_regexp", API_TEXT, API_REQUIRED, .help = "What its groups match is taken" },
    { "target_column", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_field extract_source_fields[] = {
    { "source_regexp", API_TEXT, API_REQUIRED, .help = "What its groups match is taken" },
    { "target_column", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_schema extract_table = { "TaskExtractTable", API_OBJECT, extract_table_fields };
static const struct api_schema extract_schema = { "TaskExtractSchema", API_OBJECT, extract_schema_fields };
static const struct api_schema extract_source = { "TaskExtractSource", API_OBJECT, extract_source_fields };
static const struct api_field rule_fields[] = {
    { "source", API_OBJECT, API_REQUIRED, .of = &rule_source },
    { "target", API_OBJECT, .of = &rule_target },
    { "binlog_filter_rule", API_LIST, .help = "Names of rules in binlog_filter_rule" },
    { "extract_table", API_OBJECT, API_OURS, .of = &extract_table, .help = "Beyond DM's: a column that says where a row is from" },
    { "extract_schema", API_OBJECT, API_OURS, .of = &extract_schema, .help = "Beyond DM's: likewise" },
    { "extract_source", API_OBJECT, API_OURS, .of = &extract_source, .help = "Beyond DM's: likewise" },
    { NULL },
};
static const struct api_schema rule = { "TaskTableMigrateRule", API_OBJECT, rule_fields };

static const struct api_field full_fields[] = {
    { "export_threads", API_COUNT, .fallback = "4" },
    { "import_threads", API_COUNT, .fallback = "4" },
    { "data_dir", API_TEXT },
    { "consistency", API_TEXT, .choices = consistencies, .fallback = "\"auto\"" },
    { "import_mode", API_TEXT, .choices = import_modes, .fallback = "\"logical\"" },
    { "on_duplicate_logical", API_TEXT, .choices = logical },
    { "on_duplicate_physical", API_TEXT, .choices = physical },
    { "sorting_dir", API_TEXT },
    { "disk_quota", API_TEXT },
    { "checksum", API_TEXT, .choices = needs },
    { "analyze", API_TEXT, .choices = needs },
    { "range_concurrency", API_COUNT },
    { "compress-kv-pairs", API_TEXT },
    { "pd_addr", API_TEXT },
    { "security", API_OBJECT, .of = &security },
    { NULL },
};
static const struct api_schema full = { "TaskFullMigrateConf", API_OBJECT, full_fields };
static const struct api_field incr_fields[] = {
    { "repl_threads", API_COUNT, .fallback = "4" },
    { "repl_batch", API_COUNT, .fallback = "0" },
    { "safe_mode", API_BOOL, .fallback = "false" },
    { NULL },
};
static const struct api_schema incr = { "TaskIncrMigrateConf", API_OBJECT, incr_fields };
static const struct api_field source_conf_fields[] = {
    { "source_name", API_TEXT, API_REQUIRED },
    { "binlog_name", API_TEXT },
    { "binlog_pos", API_COUNT },
    { "binlog_gtid", API_TEXT },
    { "start_time", API_TEXT, API_OURS, .help = "Beyond DM's: where to begin, as a time" },
    { "expression_filters", API_LIST, API_OURS, .help = "Beyond DM's: names of rules in expression_filter" },
    { NULL },
};
static const struct api_schema source_conf = { "TaskSourceConf", API_OBJECT, source_conf_fields };
static const struct api_field source_config_fields[] = {
    { "full_migrate_conf", API_OBJECT, .of = &full },
    { "incr_migrate_conf", API_OBJECT, .of = &incr },
    { "source_conf", API_LIST, API_REQUIRED, .of = &source_conf },
    { NULL },
};
static const struct api_schema source_config = { "TaskSourceConfig", API_OBJECT, source_config_fields };

/* --- their status --- */

static const struct api_field load_status_fields[] = {
    { "finished_bytes", API_COUNT, API_REQUIRED },
    { "total_bytes", API_COUNT, API_REQUIRED },
    { "progress", API_TEXT, API_REQUIRED },
    { "meta_binlog", API_TEXT, API_REQUIRED, .help = "Where the source's binlog was" },
    { "meta_binlog_gtid", API_TEXT, API_REQUIRED },
    { "bps", API_COUNT, API_REQUIRED },
    { NULL },
};
static const struct api_schema load_status = { "LoadStatus", API_OBJECT, load_status_fields };
static const struct api_field dump_status_fields[] = {
    { "total_tables", API_COUNT, API_REQUIRED },
    { "completed_tables", API_NUMBER, API_REQUIRED },
    { "finished_bytes", API_NUMBER, API_REQUIRED },
    { "finished_rows", API_NUMBER, API_REQUIRED },
    { "estimate_total_rows", API_NUMBER, API_REQUIRED },
    { "bps", API_COUNT, API_REQUIRED },
    { "progress", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_schema dump_status = { "DumpStatus", API_OBJECT, dump_status_fields };
static const struct api_field group_fields[] = {
    { "target", API_TEXT, API_REQUIRED },
    { "ddl_list", API_LIST, API_REQUIRED },
    { "first_location", API_TEXT, API_REQUIRED },
    { "synced", API_LIST, API_REQUIRED },
    { "unsynced", API_LIST, API_REQUIRED },
    { NULL },
};
static const struct api_schema group = { "ShardingGroup", API_OBJECT, group_fields };
static const struct api_field sync_status_fields[] = {
    { "total_events", API_COUNT, API_REQUIRED },
    { "total_tps", API_COUNT, API_REQUIRED },
    { "recent_tps", API_COUNT, API_REQUIRED },
    { "master_binlog", API_TEXT, API_REQUIRED },
    { "master_binlog_gtid", API_TEXT, API_REQUIRED },
    { "syncer_binlog", API_TEXT, API_REQUIRED },
    { "syncer_binlog_gtid", API_TEXT, API_REQUIRED },
    { "blocking_ddls", API_LIST, API_REQUIRED },
    { "unresolved_groups", API_LIST, API_REQUIRED, .of = &group },
    { "synced", API_BOOL, API_REQUIRED },
    { "binlog_type", API_TEXT, API_REQUIRED },
    { "seconds_behind_master", API_COUNT, API_REQUIRED },
    { "io_total_bytes", API_COUNT, .help = "Bytes of binlog read" },
    { "dump_io_total_bytes", API_COUNT, .help = "Bytes of the full copy" },
    { NULL },
};
static const struct api_schema sync_status = { "SyncStatus", API_OBJECT, sync_status_fields };
static const char *const stages[] = { "InvalidStage", "New", "Running", "Paused", "Stopped", "Finished",
                                      "Pausing", "Resuming", "Stopping", NULL };
static const struct api_field subtask_fields[] = {
    { "name", API_TEXT, API_REQUIRED },
    { "source_name", API_TEXT, API_REQUIRED },
    { "worker_name", API_TEXT, API_REQUIRED },
    { "stage", API_TEXT, API_REQUIRED, .choices = stages },
    { "unit", API_TEXT, API_REQUIRED },
    { "unresolved_ddl_lock_id", API_TEXT },
    { "load_status", API_OBJECT, .of = &load_status },
    { "sync_status", API_OBJECT, .of = &sync_status },
    { "dump_status", API_OBJECT, .of = &dump_status },
    { "error_msg", API_TEXT },
    { NULL },
};
const struct api_schema dm_subtask_schema = { "SubTaskStatus", API_OBJECT, subtask_fields };
LIST_OF(dm_subtasks_schema, "GetTaskStatusResponse", dm_subtask_schema);

static const struct api_field expression_fields[] = {
    { "schema", API_TEXT, API_REQUIRED },
    { "table", API_TEXT, API_REQUIRED },
    { "insert_value_expr", API_TEXT },
    { "update_old_value_expr", API_TEXT },
    { "update_new_value_expr", API_TEXT },
    { "delete_value_expr", API_TEXT },
    { NULL },
};
static const struct api_schema expression = { "TaskExpressionFilter", API_OBJECT, expression_fields,
    .help = "Rows of which the expression is true are left out" };
static const struct api_field listed_fields[] = {
    { "db_name", API_TEXT, API_REQUIRED },
    { "tbl_name", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_schema listed = { "TaskListedTable", API_OBJECT, listed_fields };
static const struct api_field lists_fields[] = {
    { "do_dbs", API_LIST },
    { "do_tables", API_LIST, .of = &listed },
    { "ignore_dbs", API_LIST },
    { "ignore_tables", API_LIST, .of = &listed },
    { NULL },
};
static const struct api_schema lists = { "TaskBlockAllowList", API_OBJECT, lists_fields };

static const struct api_field task_fields[] = {
    { "name", API_TEXT, API_REQUIRED },
    { "task_mode", API_TEXT, API_REQUIRED, .choices = modes },
    { "shard_mode", API_TEXT, .choices = shard_modes, .help = "None: tables are not merged" },
    { "strict_optimistic_shard_mode", API_BOOL },
    { "meta_schema", API_TEXT, .fallback = "\"dm_meta\"", .help = "Schema of the checkpoints" },
    { "timezone", API_TEXT, .help = "A name or +01:00" },
    { "enhance_online_schema_change", API_BOOL, API_REQUIRED, .fallback = "true" },
    { "on_duplicate", API_TEXT, API_REQUIRED, .choices = duplicates },
    { "target_config", API_OBJECT, API_REQUIRED, .of = &target },
    { "binlog_filter_rule", API_MAP, .of = &filter },
    { "table_migrate_rule", API_LIST, API_REQUIRED, .of = &rule },
    { "source_config", API_OBJECT, API_REQUIRED, .of = &source_config },
    { "ignore_checking_items", API_LIST },
    { "expression_filter", API_MAP, API_OURS, .of = &expression, .help = "Beyond DM's: rows to leave out" },
    { "shadow_table_rules", API_LIST, API_OURS, .help = "Beyond DM's: as in its task files" },
    { "trash_table_rules", API_LIST, API_OURS, .help = "Beyond DM's: as in its task files" },
    { "block_allow_list", API_OBJECT, API_OURS, .of = &lists, .help = "Beyond DM's: as in its task files" },
    { "status_list", API_LIST, API_SHOWN, .of = &dm_subtask_schema },
    { NULL },
};
const struct api_schema dm_task_schema = { "Task", API_OBJECT, task_fields };
LIST_OF(dm_tasks_schema, "GetTaskListResponse", dm_task_schema);

static const struct api_field task_create_fields[] = {
    { "task", API_OBJECT, API_REQUIRED, .of = &dm_task_schema },
    { NULL },
};
const struct api_schema dm_task_create_schema = { "CreateTaskRequest", API_OBJECT, task_create_fields,
    .help = "Makes a stopped task" };
const struct api_schema dm_task_update_schema = { "UpdateTaskRequest", API_OBJECT, task_create_fields };
static const struct api_field task_create_start_fields[] = {
    { "remove_meta", API_BOOL, .help = "Forget first what the target keeps of a task of this name" },
    { "task", API_OBJECT, API_REQUIRED, .of = &dm_task_schema },
    { "source_name_list", API_LIST, .help = "Which sources to start; none: all" },
    { NULL },
};
const struct api_schema dm_task_create_start_schema = { "StartNewTaskRequest", API_OBJECT,
    task_create_start_fields, .help = "Makes a task and starts it" };
static const struct api_field task_result_fields[] = {
    { "task", API_OBJECT, API_REQUIRED, .of = &dm_task_schema },
    { "check_result", API_TEXT, API_REQUIRED },
    { NULL },
};
const struct api_schema dm_task_result_schema = { "OperateTaskResponse", API_OBJECT, task_result_fields };

static const struct api_field task_start_fields[] = {
    { "remove_meta", API_BOOL, .fallback = "false" },
    { "source_name_list", API_LIST, .help = "None: all" },
    { "start_time", API_TEXT, .help = "Where to begin, instead of where it was" },
    { "safe_mode_time_duration", API_TEXT, .help = "How long to apply in safe mode: 60s" },
    { NULL },
};
const struct api_schema dm_task_start_schema = { "StartTaskRequest", API_OBJECT, task_start_fields };
static const struct api_field task_stop_fields[] = {
    { "source_name_list", API_LIST, .help = "None: all" },
    { "timeout_duration", API_TEXT, .help = "How long a transaction in hand may take: 10s" },
    { NULL },
};
const struct api_schema dm_task_stop_schema = { "StopTaskRequest", API_OBJECT, task_stop_fields };

/* --- tables --- */

static const struct api_field target_table_fields[] = {
    { "source_schema", API_TEXT, API_REQUIRED },
    { "source_table", API_TEXT, API_REQUIRED },
    { "target_schema", API_TEXT, API_REQUIRED },
    { "target_table", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_schema target_table = { "TaskMigrateTarget", API_OBJECT, target_table_fields };
LIST_OF(dm_targets_schema, "GetTaskMigrateTargetsResponse", target_table);

static const struct api_field convert_fields[] = {
    { "task", API_OBJECT, .of = &dm_task_schema },
    { "task_config_file", API_TEXT, .help = "A task file of DM, YAML" },
    { NULL },
};
const struct api_schema dm_convert_schema = { "ConverterTaskRequest", API_OBJECT, convert_fields,
    .help = "One of the two" };
static const struct api_field converted_fields[] = {
    { "task", API_OBJECT, API_REQUIRED, .of = &dm_task_schema },
    { "task_config_file", API_TEXT, API_REQUIRED, .help = "A task file of DM, YAML" },
    { NULL },
};
const struct api_schema dm_converted_schema = { "ConverterTaskResponse", API_OBJECT, converted_fields };

static const struct api_field table_fields[] = {
    { "schema_name", API_TEXT, API_REQUIRED },
    { "table_name", API_TEXT, API_REQUIRED },
    { "schema_create_sql", API_TEXT, API_REQUIRED, .help = "CREATE TABLE, in one line" },
    { NULL },
};
const struct api_schema dm_table_schema = { "GetTaskTableStructureResponse", API_OBJECT, table_fields };
static const char *const schema_sources[] = { "sql", "upstream", "downstream", NULL };
static const struct api_field table_set_fields[] = {
    { "schema_source", API_TEXT, .choices = schema_sources, .fallback = "\"sql\"",
      .help = "As given, or as one of the servers has it now" },
    { "sql_content", API_TEXT, .help = "CREATE TABLE, where schema_source is sql" },
    { "flush", API_BOOL, .fallback = "true", .help = "It is kept at once in any case" },
    { "sync", API_BOOL, .fallback = "true", .help = "Other shards see it with the next DDL" },
    { NULL },
};
const struct api_schema dm_table_set_schema = { "OperateTaskTableStructureRequest", API_OBJECT,
    table_set_fields };

/* --- templates --- */

static const struct api_field import_fields[] = {
    { "overwrite", API_BOOL, .fallback = "false", .help = "Also where there is one of the name" },
    { NULL },
};
const struct api_schema dm_import_schema = { "TaskTemplateRequest", API_OBJECT, import_fields };
static const struct api_field failed_fields[] = {
    { "task_name", API_TEXT, API_REQUIRED },
    { "error_msg", API_TEXT, API_REQUIRED },
    { NULL },
};
static const struct api_schema failed = { "TaskTemplateFailure", API_OBJECT, failed_fields };
static const struct api_field imported_fields[] = {
    { "success_task_list", API_LIST, API_REQUIRED },
    { "failed_task_list", API_LIST, API_REQUIRED, .of = &failed },
    { NULL },
};
const struct api_schema dm_imported_schema = { "TaskTemplateResponse", API_OBJECT, imported_fields };
/* clang-format on */
