#include "http/compat/dm/dm_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/status.h"

struct error_row {
    unsigned code;
    const char *class, *scope, *level;
    const char *message; /* what is always said; the tree's sentence is the cause then */
    const char *workaround;
};

/* clang-format off */
static const struct error_row rows[DM_N_ERRORS] = {
    [DM_REQUEST] = { 0, NULL, NULL, NULL },
    [DM_DRIVER_UPSTREAM] = { 10001, "database", "upstream", "high", "database driver error",
        "check that the server runs, and host, port, user and password" },
    [DM_DRIVER_DOWNSTREAM] = { 10001, "database", "downstream", "high", "database driver error",
        "check that the server runs, and host, port, user and password" },
    [DM_LOST] = { 10003, "database", "not-set", "high", "the connection was lost",
        "check the servers and the way to them" },
    [DM_LOST_UPSTREAM] = { 10003, "database", "upstream", "high", "the connection was lost",
        "check the server and the way to it: what was lost is tried again" },
    [DM_LOST_DOWNSTREAM] = { 10003, "database", "downstream", "high", "the connection was lost",
        "check the server and the way to it: what was lost is tried again" },
    [DM_QUERY_UPSTREAM] = { 10005, "database", "upstream", "high", "query statement failed" },
    [DM_EXECUTE_DOWNSTREAM] = { 10006, "database", "downstream", "high", "execute statement failed" },
    [DM_PARSE_GTID] = { 11009, "functional", "internal", "high", "parse GTID" },
    [DM_FLAVOR] = { 11010, "functional", "internal", "high", NULL, "check flavor of the source" },
    [DM_NOT_MYSQL_GTID] = { 11011, "functional", "internal", "high", NULL },
    [DM_NOT_MARIADB_GTID] = { 11012, "functional", "internal", "high", NULL },
    [DM_TABLE_ROUTER] = { 11043, "functional", "internal", "high", "generate table router",
        "check table_migrate_rule of the task" },
    [DM_ROW_IMAGE] = { 11126, "binlog-op", "upstream", "high", "upstream didn't log enough columns in binlog",
        "set binlog_row_image=FULL at the source, and start from a place where it was so" },
    [DM_NOT_DROPPED] = { 11128, "functional", "internal", "high", NULL,
        "see tasks/TASK/locks: skip, adopt or exec the statement" },
    [DM_CHECK_ITEM] = { 20001, "config", "internal", "medium", NULL, "check ignore_checking_items of the task" },
    [DM_YAML] = { 20003, "config", "internal", "medium", NULL, "check that the task file is YAML" },
    [DM_TASK_NAME_EMPTY] = { 20004, "config", "internal", "medium", "task name should not be empty",
        "check name of the task" },
    [DM_EMPTY_SOURCE_ID] = { 20005, "config", "internal", "medium", "empty source-id not valid",
        "check source-id of the file" },
    [DM_LONG_FILE_SOURCE_ID] = { 20006, "config", "internal", "medium", "too long source-id not valid",
        "check source-id of the file: 32 characters may be" },
    [DM_TIME_ZONE] = { 20008, "config", "internal", "medium", NULL, "check timezone of the task" },
    [DM_META_INVALID] = { 20011, "config", "internal", "medium", NULL, "check source_conf of the task" },
    [DM_SAME_SOURCE] = { 20014, "config", "internal", "medium", NULL, "check source_conf of the task" },
    [DM_TASK_MODE] = { 20020, "config", "internal", "medium", NULL, "check task_mode of the task" },
    [DM_NEED_INSTANCES] = { 20013, "config", "internal", "medium", NULL, "check mysql-instances of the file" },
    [DM_NEED_TARGET] = { 20021, "config", "internal", "medium", NULL, "check target-database of the file" },
    [DM_META_NOT_SET] = { 20022, "config", "internal", "medium", NULL,
        "set binlog_name and binlog_pos, or binlog_gtid, in source_conf; or start with start_time" },
    [DM_DUPLICATE_ITEM] = { 20032, "config", "internal", "medium", NULL, "remove the second" },
    [DM_SHARD_MODE] = { 20033, "config", "internal", "medium", NULL,
        "shard_mode is pessimistic, optimistic or left out" },
    [DM_EVENT_FILTER] = { 20037, "config", "internal", "high", "generate binlog event filter",
        "check binlog_filter_rule of the task" },
    [DM_GLOBAL_UNUSED] = { 20038, "config", "internal", "high", NULL, "remove what is not used" },
    [DM_ROUTE_NOT_FOUND] = { 20023, "config", "internal", "medium", NULL, "check route-rules of the file" },
    [DM_FILTER_NOT_FOUND] = { 20024, "config", "internal", "medium", NULL, "check filter-rules of the file" },
    [DM_LIST_NOT_FOUND] = { 20026, "config", "internal", "medium", NULL, "check block-allow-list of the file" },
    [DM_DUMPER_NOT_FOUND] = { 20027, "config", "internal", "medium", NULL,
        "check mydumper-config-name of the file" },
    [DM_LOADER_NOT_FOUND] = { 20029, "config", "internal", "medium", NULL,
        "check loader-config-name of the file" },
    [DM_SYNCER_NOT_FOUND] = { 20030, "config", "internal", "medium", NULL,
        "check syncer-config-name of the file" },
    [DM_EXPRESSION_MANY] = { 20039, "config", "internal", "high", NULL, "write a rule for each kind of change" },
    [DM_EXPRESSION_NOT_FOUND] = { 20040, "config", "internal", "high", NULL,
        "check expression_filters of the source" },
    [DM_EXPRESSION_NAME] = { 20042, "config", "internal", "high", NULL, "check expression_filter of the task" },
    [DM_EXPRESSION] = { 20041, "config", "internal", "high", NULL, "check expression_filter of the task" },
    [DM_ALLOW_LIST] = { 20044, "config", "internal", "high", "generate block allow list error",
        "check block_allow_list of the task" },
    [DM_CHUNK_SIZE] = { 20047, "config", "internal", "high", NULL, "check chunk-filesize of the file" },
    [DM_ONLINE_REGEX] = { 20048, "config", "internal", "high", NULL,
        "check shadow_table_rules and trash_table_rules of the task" },
    [DM_ONLINE_SWAP] = { 20049, "config", "internal", "high", NULL,
        "check shadow_table_rules and trash_table_rules of the task" },
    [DM_TEMPLATE_EXIST] = { 20050, "config", "internal", "low", NULL, "use overwrite to replace it" },
    [DM_TEMPLATE_NOT_EXIST] = { 20051, "config", "internal", "low", NULL },
    [DM_COLLATION] = { 20052, "config", "internal", "medium", NULL, "check collation_compatible of the file" },
    [DM_LOAD_MODE] = { 20053, "config", "internal", "medium", NULL, "set import_mode to logical" },
    [DM_DUPLICATE] = { 20054, "config", "internal", "medium", NULL, "on_duplicate is replace, error or ignore" },
    [DM_VALIDATION_MODE] = { 20055, "config", "internal", "high", NULL, "check mode of the validator" },
    [DM_VALIDATOR_NOT_FOUND] = { 20056, "config", "internal", "medium", NULL,
        "check continuous-validator-config-name of the file" },
    [DM_START_TIME_LATE] = { 20057, "config", "internal", "high", NULL, "check start_time, or try again later" },
    [DM_LOADER_DIR] = { 20058, "config", "internal", "high", NULL, "check data_dir of the task" },
    [DM_LOADER_S3] = { 20059, "config", "internal", "high", NULL, "set data_dir to a folder of this machine" },
    [DM_SAFE_MODE_DURATION] = { 20060, "config", "internal", "medium", NULL, "check safe_mode_time_duration" },
    [DM_SAFE_MODE_CONFLICT] = { 20061, "config", "internal", "low", NULL,
        "set safe_mode to false, or the duration to more than none" },
    [DM_DUPLICATE_PHYSICAL] = { 20062, "config", "internal", "medium", NULL, "leave on_duplicate_physical out" },
    [DM_CHECKSUM_PHYSICAL] = { 20063, "config", "internal", "medium", NULL, "leave checksum out" },
    [DM_COLUMN_MAPPING] = { 20064, "config", "internal", "high", "column-mapping is not supported since v6.6.0",
        "remove column-mappings from the file" },
    [DM_ANALYZE] = { 20065, "config", "internal", "medium", NULL, "leave analyze out" },
    [DM_STRICT_SHARD_MODE] = { 20066, "config", "internal", "medium", NULL,
        "leave strict_optimistic_shard_mode out, or set shard_mode to optimistic" },
    [DM_IMPORT_INTO_SHARDS] = { 20068, "config", "internal", "medium", NULL, "set import_mode to logical" },
    [DM_IMPORT_INTO_FOLDER] = { 20069, "config", "internal", "medium", NULL, "set import_mode to logical" },
    [DM_FOREIGN_KEYS] = { 20070, "config", "internal", "medium", NULL, "check target_config.session of the task" },
    [DM_CHECK_FAILED] = { 26005, "task-check", "internal", "medium",
        "fail to check synchronization configuration with type: check was not passed" },
    [DM_SOURCE_GTID] = { 26007, "source-check", "upstream", "medium", NULL,
        "set gtid_mode=ON at the source, or enable_gtid to false" },
    [DM_RELAY_SWITCH] = { 30034, "relay-unit", "internal", "high",
        "can only switch relay's master server when GTID enabled", "check enable_gtid of the source" },
    [DM_PURGE_RUNNING] = { 30036, "relay-unit", "internal", "high", "relay log purger is purging, cannot start purging again" },
    [DM_PURGE_FORBIDDEN] = { 30037, "relay-unit", "internal", "high", "relay log purge is forbidden temporarily" },
    [DM_NO_RELAY_LOG] = { 30038, "relay-unit", "internal", "high", "no active relay log file found" },
    [DM_PURGE_REQUEST] = { 30039, "relay-unit", "internal", "high", "request not valid",
        "GET sources/SOURCE/status has the relay's place" },
    [DM_RELAY_SOURCE] = { 30040, "relay-unit", "internal", "high", "UUID of relay_dir not found",
        "GET sources/SOURCE/status has relay_dir" },
    [DM_DUMP] = { 32001, "dump-unit", "internal", "high", "dump runs with error" },
    [DM_DUMP_LOCK] = { 32004, "dump-unit", "internal", "high", "couldn't acquire global lock" },
    [DM_LOAD] = { 34019, "load-unit", "downstream", "high", "load runs with error" },
    [DM_LOAD_CHECKSUM] = { 34021, "load-unit", "downstream", "high", "checksum mismatched",
        "see that nobody else writes to the table, empty it, and start with remove_meta" },
    [DM_STATEMENT_DML] = { 36004, "sync-unit", "internal", "high", NULL, "set binlog_format=ROW at the source" },
    [DM_WRONG_SEQUENCE] = { 36008, "sync-unit", "internal", "high", NULL,
        "run the same DDL at every shard, or see tasks/TASK/locks" },
    [DM_COLUMN_COUNT] = { 36027, "sync-unit", "internal", "high", "Column count doesn't match value count",
        "set the structure of the table: PUT .../schemas/DB/TABLE" },
    [DM_ONLINE_RENAME] = { 36044, "sync-unit", "internal", "high", NULL, "rename it back, or skip the statement" },
    [DM_ONLINE_RENAME_GHOST] = { 36045, "sync-unit", "internal", "high", NULL, "rename it back, or skip the statement" },
    [DM_SHARD_CONFLICT] = { 36062, "sync-unit", "internal", "high", NULL, "see tasks/TASK/locks" },
    [DM_PARSE_DDL] = { 36067, "sync-unit", "internal", "high", NULL,
        "skip or replace the statement: echo > tasks/TASK/sources/SOURCE/sync/skip" },
    [DM_UNSUPPORTED_STATEMENT] = { 36068, "sync-unit", "internal", "high", NULL,
        "skip or replace the statement: echo > tasks/TASK/sources/SOURCE/sync/skip" },
    [DM_GET_EVENT] = { 36069, "sync-unit", "upstream", "high", "reading the binlog failed" },
    [DM_NO_TARGET_TABLE] = { 36070, "sync-unit", "downstream", "high", "downstream table doesn't exist",
        "make it there, or copy it again: echo > tasks/TASK/resnapshot" },
    [DM_SHARD_DDL_DIFFERS] = { 38016, "dm-master", "internal", "high", NULL, "see tasks/TASK/locks" },
    [DM_MASTER_NOT_EXIST] = { 38048, "dm-master", "internal", "low", NULL, "GET cluster/masters lists them" },
    [DM_START_TASK] = { 38058, "dm-master", "internal", "high", NULL },
    [DM_NEED_SOURCE_ID] = { 40005, "dm-worker", "internal", "medium", "source_name must not be empty" },
    [DM_LONG_SOURCE_ID] = { 40006, "dm-worker", "internal", "medium", NULL },
    [DM_RELAY_NAME] = { 40007, "dm-worker", "internal", "medium", NULL },
    [DM_NOT_PAUSED] = { 40051, "dm-worker", "internal", "high", NULL },
    [DM_SUBTASK_NOT_FOUND] = { 40054, "dm-worker", "internal", "high", NULL },
    [DM_SYNC_ONLY] = { 40056, "dm-worker", "internal", "high", NULL },
    [DM_DUPLICATE_ROUTE] = { 40080, "dm-worker", "internal", "high", NULL, "check table_migrate_rule of the task" },
    [DM_VALIDATOR_NOT_PAUSED] = { 40082, "dm-worker", "internal", "high", NULL },
    [DM_TABLE_UNKNOWN] = { 44005, "schema-tracker", "internal", "high", NULL },
    [DM_NO_DOWNSTREAM_TABLE] = { 44007, "schema-tracker", "downstream", "medium", NULL,
        "make it there, or say what it is: schema_source=sql" },
    [DM_NO_CREATE_TABLE] = { 44009, "schema-tracker", "internal", "medium", NULL },
    [DM_WORKER_NOT_EXIST] = { 46004, "scheduler", "internal", "medium", NULL },
    [DM_WORKER_ONLINE] = { 46005, "scheduler", "internal", "medium", NULL, "shut it down first" },
    [DM_SOURCE_EXIST] = { 46007, "scheduler", "internal", "medium", NULL },
    [DM_SOURCE_NOT_EXIST] = { 46008, "scheduler", "internal", "medium", NULL },
    [DM_SOURCE_HAS_TASKS] = { 46010, "dm-master", "internal", "medium", NULL, "delete these tasks first, or say force=true" },
    [DM_RELAY_SOURCE_NOT_EXIST] = { 46012, "scheduler", "internal", "medium", NULL },
    [DM_SUBTASK_EXIST] = { 46014, "scheduler", "internal", "medium", NULL, "GET tasks lists them" },
    [DM_OP_SOURCE_NOT_EXIST] = { 46017, "dm-master", "internal", "medium", NULL },
    [DM_TASK_NOT_EXIST] = { 46018, "scheduler", "internal", "medium", NULL, "GET tasks lists them" },
    [DM_SOURCE_HAS_RELAY] = { 46023, "scheduler", "internal", "high", NULL, "disable its relay first" },
    [DM_LATCH_IN_USE] = { 46024, "scheduler", "internal", "low", NULL, "try again later" },
    [DM_SOURCE_UPDATE] = { 46025, "scheduler", "internal", "low", NULL },
    [DM_TASK_UPDATE] = { 46035, "scheduler", "internal", "low", NULL },
    [DM_COMMON] = { 49001, "openapi", "not-set", "high", NULL },
    [DM_TASK_SOURCE_NOT_FOUND] = { 49002, "openapi", "internal", "high", "data source configuration not found",
        "check source_conf of the task" },
};

/* Which refusal of the tree is which error: the first row that fits. */
static const struct {
    enum dm_step step;
    int code;           /* 0: any */
    enum reason reason; /* REASON_NONE: any */
    enum dm_error as;
} steps[] = {
    { DM_STEP_SOURCE_TRY, 0, REASON_SOURCE, DM_DRIVER_UPSTREAM },
    { DM_STEP_SOURCE_TRY, 0, REASON_GTID_MODE, DM_SOURCE_GTID },
    { DM_STEP_SOURCE_TRY, 0, REASON_FLAVOR, DM_FLAVOR },
    { DM_STEP_SOURCE_TRY, 0, REASON_GTID, DM_PARSE_GTID },
    { DM_STEP_SOURCE_TRY, -EINVAL, REASON_NONE, DM_COMMON },
    { DM_STEP_SOURCE_KEEP, -EEXIST, REASON_NONE, DM_SOURCE_EXIST },
    { DM_STEP_SOURCE_KEEP, -EBUSY, REASON_NONE, DM_SOURCE_UPDATE },
    { DM_STEP_SOURCE_KEEP, -EINVAL, REASON_GTID, DM_PARSE_GTID },
    { DM_STEP_SOURCE_KEEP, -EINVAL, REASON_NONE, DM_COMMON },
    { DM_STEP_RELAY, 0, REASON_GTID, DM_PARSE_GTID },
    { DM_STEP_SOURCE_ASK, -ENOENT, REASON_NONE, DM_QUERY_UPSTREAM },
    { DM_STEP_SOURCE_ASK, 0, REASON_NONE, DM_DRIVER_UPSTREAM },
    { DM_STEP_SOURCE_DROP, -EBUSY, REASON_HAS_TASKS, DM_SOURCE_HAS_TASKS },
    { DM_STEP_SOURCE_DROP, -EBUSY, REASON_NONE, DM_SOURCE_HAS_RELAY },
    { DM_STEP_PURGE, -EBUSY, REASON_PURGE_RUNNING, DM_PURGE_RUNNING },
    { DM_STEP_PURGE, -EBUSY, REASON_NONE, DM_PURGE_FORBIDDEN },
    { DM_STEP_PURGE, 0, REASON_RELAY_EMPTY, DM_NO_RELAY_LOG },
    { DM_STEP_PURGE, 0, REASON_RELAY_FILE, DM_PURGE_REQUEST },
    { DM_STEP_PURGE, 0, REASON_RELAY_SOURCE, DM_RELAY_SOURCE },
    { DM_STEP_TASK_KEEP, -EEXIST, REASON_NONE, DM_SUBTASK_EXIST },
    { DM_STEP_TASK_KEEP, -EBUSY, REASON_NONE, DM_TASK_UPDATE },
    { DM_STEP_TASK_KEEP, 0, REASON_TIME_ZONE, DM_TIME_ZONE },
    { DM_STEP_TASK_KEEP, 0, REASON_NAME, DM_TASK_NAME_EMPTY },
    { DM_STEP_TASK_KEEP, 0, REASON_TASK_MODE, DM_TASK_MODE },
    { DM_STEP_TASK_KEEP, 0, REASON_STRICT_SHARD_MODE, DM_STRICT_SHARD_MODE },
    { DM_STEP_TASK_KEEP, 0, REASON_SHARD_MODE, DM_SHARD_MODE },
    { DM_STEP_TASK_KEEP, 0, REASON_CHECKING_ITEM, DM_CHECK_ITEM },
    { DM_STEP_TASK_KEEP, 0, REASON_EVENT_FILTER, DM_EVENT_FILTER },
    { DM_STEP_TASK_KEEP, 0, REASON_EXPRESSION, DM_EXPRESSION },
    { DM_STEP_TASK_KEEP, 0, REASON_EXPRESSION_NAME, DM_EXPRESSION_NAME },
    { DM_STEP_TASK_KEEP, 0, REASON_EXPRESSION_MANY, DM_EXPRESSION_MANY },
    { DM_STEP_TASK_KEEP, 0, REASON_ROUTES, DM_TABLE_ROUTER },
    { DM_STEP_TASK_KEEP, 0, REASON_ALLOW_LIST, DM_ALLOW_LIST },
    { DM_STEP_TASK_KEEP, 0, REASON_DUPLICATES, DM_DUPLICATE },
    { DM_STEP_TASK_KEEP, 0, REASON_DUPLICATES_PHYSICAL, DM_DUPLICATE_PHYSICAL },
    { DM_STEP_TASK_KEEP, 0, REASON_CHECKSUM, DM_CHECKSUM_PHYSICAL },
    { DM_STEP_TASK_KEEP, 0, REASON_ANALYZE, DM_ANALYZE },
    { DM_STEP_TASK_KEEP, 0, REASON_IMPORT_MODE, DM_LOAD_MODE },
    { DM_STEP_TASK_KEEP, 0, REASON_SESSION, DM_FOREIGN_KEYS },
    { DM_STEP_TASK_KEEP, 0, REASON_ONLINE_NAMES, DM_ONLINE_REGEX },
    { DM_STEP_TASK_KEEP, 0, REASON_GTID, DM_PARSE_GTID },
    { DM_STEP_TASK_KEEP, 0, REASON_SAME_SOURCE, DM_SAME_SOURCE },
    { DM_STEP_TASK_KEEP, 0, REASON_START, DM_META_INVALID },
    { DM_STEP_TASK_KEEP, -EINVAL, REASON_NONE, DM_COMMON },
    { DM_STEP_TASK_CHECK, 0, REASON_SOURCE, DM_DRIVER_UPSTREAM },
    { DM_STEP_TASK_CHECK, 0, REASON_TARGET, DM_DRIVER_DOWNSTREAM },
    { DM_STEP_TASK_CHECK, -ENOENT, REASON_NONE, DM_SOURCE_NOT_EXIST },
    { DM_STEP_TASK_CHECK, -EBUSY, REASON_NONE, DM_LATCH_IN_USE },
    { DM_STEP_TASK_CHECK, -EPERM, REASON_NONE, DM_START_TASK },
    { DM_STEP_TASK_CHECK, 0, REASON_FOLDER, DM_LOADER_DIR },
    { DM_STEP_TASK_CHECK, 0, REASON_EXPRESSION_UNKNOWN, DM_EXPRESSION_NOT_FOUND },
    { DM_STEP_TASK_CHECK, -ECONNRESET, REASON_NONE, DM_LOST },
    { DM_STEP_TASK_CHECK, -EINVAL, REASON_NONE, DM_CHECK_FAILED },
    { DM_STEP_TASK_RUN, 0, REASON_SOURCE, DM_DRIVER_UPSTREAM },
    { DM_STEP_TASK_RUN, 0, REASON_TARGET, DM_DRIVER_DOWNSTREAM },
    { DM_STEP_TASK_RUN, 0, REASON_START_LATE, DM_START_TIME_LATE },
    { DM_STEP_TASK_RUN, 0, REASON_SAFE_MODE_TIME, DM_SAFE_MODE_DURATION },
    { DM_STEP_TASK_RUN, -EPERM, REASON_NONE, DM_START_TASK },
    { DM_STEP_TASK_RUN, -EBUSY, REASON_NONE, DM_LATCH_IN_USE },
    { DM_STEP_TASK_RUN, -ECONNRESET, REASON_NONE, DM_LOST },
    { DM_STEP_TASK_DROP, -EBUSY, REASON_NONE, DM_LATCH_IN_USE },
    { DM_STEP_TARGETS, -EEXIST, REASON_NONE, DM_DUPLICATE_ROUTE },
    { DM_STEP_TARGETS, -EINVAL, REASON_NONE, DM_DUPLICATE_ROUTE },
    { DM_STEP_TARGETS, 0, REASON_NONE, DM_DRIVER_UPSTREAM },
    { DM_STEP_TABLE, -EBUSY, REASON_NONE, DM_NOT_PAUSED },
    { DM_STEP_TABLE, -ENOENT, REASON_NO_TABLE, DM_NO_DOWNSTREAM_TABLE },
    { DM_STEP_TABLE, -ENOENT, REASON_NONE, DM_TABLE_UNKNOWN },
    { DM_STEP_TABLE, -EINVAL, REASON_SQL_ARGUMENT, DM_COMMON },
    { DM_STEP_TABLE, -EINVAL, REASON_NONE, DM_NO_CREATE_TABLE },
    { DM_STEP_TABLE, 0, REASON_TARGET, DM_DRIVER_DOWNSTREAM },
    { DM_STEP_TABLE, 0, REASON_SOURCE, DM_DRIVER_UPSTREAM },
};

/* The same for what a unit says of itself. */
static const struct {
    const char *unit; /* NULL: any */
    enum reason reason; /* REASON_NONE: any */
    enum dm_error as;
} units[] = {
    { NULL, REASON_ROW_IMAGE, DM_ROW_IMAGE },
    { NULL, REASON_SHARD_SEQUENCE, DM_WRONG_SEQUENCE },
    { NULL, REASON_SHARD_NOT_DROPPED, DM_NOT_DROPPED },
    { NULL, REASON_SHARD_DIFFERS, DM_SHARD_DDL_DIFFERS },
    { NULL, REASON_STATEMENT_UNSUPPORTED, DM_UNSUPPORTED_STATEMENT },
    { NULL, REASON_STATEMENT_UNKNOWN, DM_PARSE_DDL },
    { NULL, REASON_SHARD_CONFLICT, DM_SHARD_CONFLICT },
    { NULL, REASON_ONLINE_SWAP, DM_ONLINE_SWAP },
    { NULL, REASON_ONLINE_RENAME, DM_ONLINE_RENAME },
    { NULL, REASON_ONLINE_RENAME_GHOST, DM_ONLINE_RENAME_GHOST },
    { NULL, REASON_COLUMN_COUNT, DM_COLUMN_COUNT },
    { NULL, REASON_STATEMENT_LOGGED, DM_STATEMENT_DML },
    { NULL, REASON_START_LATE, DM_START_TIME_LATE },
    { "check", REASON_SOURCE, DM_DRIVER_UPSTREAM },
    { "check", REASON_TARGET, DM_DRIVER_DOWNSTREAM },
    { "check", REASON_NONE, DM_CHECK_FAILED },
    { "dump", REASON_READ_LOCK, DM_DUMP_LOCK },
    { "dump", REASON_TARGET, DM_LOAD }, /* a copy is both at once */
    { "dump", REASON_ROW_COUNT, DM_LOAD_CHECKSUM },
    { "dump", REASON_NONE, DM_DUMP },
    { "load", REASON_ROW_COUNT, DM_LOAD_CHECKSUM },
    { "load", REASON_NONE, DM_LOAD },
    { "sync", REASON_NO_TABLE, DM_NO_TARGET_TABLE },
    { "sync", REASON_SOURCE, DM_GET_EVENT },
    { "sync", REASON_TARGET, DM_DRIVER_DOWNSTREAM },
    { "sync", REASON_CONNECTION, DM_DRIVER_DOWNSTREAM },
    { "sync", REASON_CONNECTION_LOST, DM_LOST_DOWNSTREAM },
    { "sync", REASON_NONE, DM_EXECUTE_DOWNSTREAM },
    { "relay", REASON_RELAY_SWITCH, DM_RELAY_SWITCH },
    { "relay", REASON_CONNECTION_LOST, DM_LOST_UPSTREAM },
    { "relay", REASON_NONE, DM_DRIVER_UPSTREAM },
    { "source", REASON_NONE, DM_DRIVER_UPSTREAM },
    { NULL, REASON_NONE, DM_COMMON },
};
/* clang-format on */

/* "[code=…:class=…:scope=…:level=…], Message: …, RawCause: …, Workaround: …" */
static char *wording(enum dm_error e, const char *text)
{
    const struct error_row *r = &rows[e];
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    if (!r->code)
        return xstrdup(text);
    buf_printf(&b, "[code=%u:class=%s:scope=%s:level=%s], Message: %s", r->code, r->class, r->scope,
               r->level, r->message ? r->message : text);
    if (r->message && *text)
        buf_printf(&b, ", RawCause: %s", text);
    if (r->workaround)
        buf_printf(&b, ", Workaround: %s.", r->workaround);
    return buf_steal(&b);
}

/* Whose last_error it is, by what is in the path of the route: the first that is there. */
static const struct {
    const char *in_path, *nodes[4];
} places[] = {
    { "/templates", { "templates/{template}", "templates" } },
    { "/task/configs", { "templates/{template}", "templates" } },
    { "/tasks", { "tasks/{task}/sources/{source}", "tasks/{task}", "tasks" } },
    { "/sources", { "sources/{source}", "sources" } },
    { "/cluster", { "cluster" } },
};

static void keep(struct call *c, const char *text)
{
    for (size_t i = 0; c->route && i < ARRAY_LEN(places); i++) {
        if (!strstr(c->route->path, places[i].in_path))
            continue;
        for (const char *const *node = places[i].nodes; *node; node++)
            if (call_refused(c, *node, text))
                return;
    }
}

static int reply(struct call *c, unsigned status, enum dm_error e, const char *text)
{
    SCOPED(freep) char *words = wording(e, text);
    json_t *v = json_pack("{s:s,s:i}", "error_msg", words, "error_code", (int)rows[e].code);

    if (!v) /* it quotes bytes that are not UTF-8 */
        v = json_pack("{s:s,s:i}", "error_msg", "the request is not UTF-8", "error_code", 0);
    keep(c, words);
    c->r->status = status;
    return call_json(c, v, JSON_INDENT(4));
}

int dm_fail(struct call *c, enum dm_error e, const char *fmt, ...)
{
    SCOPED(freep) char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = xstrdup(fmt);
    va_end(ap);
    return reply(c, 400, e, text);
}

/* DM_N_ERRORS: no row fits. */
enum dm_error dm_error_at(enum dm_step step, const struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        if (steps[i].step == step && (!steps[i].code || steps[i].code == err->code) &&
            (!steps[i].reason || steps[i].reason == err->reason))
            return steps[i].as;
    return DM_N_ERRORS;
}

int dm_fail_at(struct call *c, enum dm_step step, const struct err *err)
{
    unsigned status = route_status(err->code);
    enum dm_error e = dm_error_at(step, err);

    if (e != DM_N_ERRORS)
        return reply(c, 400, e, err->text);
    if (status != 500)
        return reply(c, status, DM_REQUEST, err->text);
    return reply(c, 400, DM_COMMON, err->text);
}

/* Errors of the tree are DM's catch-all; those before the tree have their own status. */
void dm_refuse(struct call *c, const struct err *err)
{
    unsigned status = route_status(err->code);

    if (!c->route)
        reply(c, status_of_errno(err->code), DM_REQUEST, err->text);
    else if (status != 500)
        reply(c, status, DM_REQUEST, err->text);
    else
        reply(c, 400, err->code == -EINVAL ? DM_REQUEST : DM_COMMON, err->text);
}

json_t *dm_error_of_unit(const char *unit, enum reason reason, const char *text)
{
    size_t i = 0;

    while ((units[i].unit && strcmp(units[i].unit, unit) != 0) ||
           (units[i].reason && units[i].reason != reason))
        i++;
    SCOPED(freep) char *words = wording(units[i].as, text);

    return json_string(words);
}
