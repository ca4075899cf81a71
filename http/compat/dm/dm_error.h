/*
 * dm_error.h - DM's errors: a code, whose it is, and what to do.
 *
 *     {"error_code": 46008, "error_msg": "[code=46008:class=scheduler:scope=internal:level=medium],
 *      Message: source config with ID s1 not exists"}
 *
 * What the tree refuses is an errno, a reason (base/reason.h) and a sentence; which code that is,
 * is told by the step that was refused, the errno and the reason: one row in dm_error.c for each.
 * No sentence is looked into.
 *
 * Source: dm/pkg/terror of pingcap/tiflow (numbers, classes, levels).
 */
#ifndef SLUICE_HTTP_DM_ERROR_H
#define SLUICE_HTTP_DM_ERROR_H

#include "http/compat/route.h"

enum dm_error {
    DM_REQUEST, /* what DM's check of a request says: code 0 and a bare text */
    DM_DRIVER_UPSTREAM,
    DM_DRIVER_DOWNSTREAM,
    DM_LOST, /* of one of both */
    DM_LOST_UPSTREAM,
    DM_LOST_DOWNSTREAM,
    DM_QUERY_UPSTREAM,
    DM_EXECUTE_DOWNSTREAM,
    DM_PARSE_GTID,
    DM_FLAVOR,
    DM_NOT_MYSQL_GTID,
    DM_NOT_MARIADB_GTID,
    DM_TABLE_ROUTER,
    DM_ROW_IMAGE,
    DM_NOT_DROPPED,
    DM_CHECK_ITEM,
    DM_YAML,
    DM_TASK_NAME_EMPTY,
    DM_EMPTY_SOURCE_ID,
    DM_LONG_FILE_SOURCE_ID,
    DM_TIME_ZONE,
    DM_META_INVALID,
    DM_SAME_SOURCE,
    DM_TASK_MODE,
    DM_NEED_INSTANCES,
    DM_NEED_TARGET,
    DM_META_NOT_SET,
    DM_DUPLICATE_ITEM,
    DM_SHARD_MODE,
    DM_EVENT_FILTER,
    DM_GLOBAL_UNUSED,
    DM_ROUTE_NOT_FOUND,
    DM_FILTER_NOT_FOUND,
    DM_LIST_NOT_FOUND,
    DM_DUMPER_NOT_FOUND,
    DM_LOADER_NOT_FOUND,
    DM_SYNCER_NOT_FOUND,
    DM_EXPRESSION_MANY,
    DM_EXPRESSION_NOT_FOUND,
    DM_EXPRESSION,
    DM_EXPRESSION_NAME,
    DM_ALLOW_LIST,
    DM_CHUNK_SIZE,
    DM_ONLINE_REGEX,
    DM_ONLINE_SWAP,
    DM_TEMPLATE_EXIST,
    DM_TEMPLATE_NOT_EXIST,
    DM_COLLATION,
    DM_LOAD_MODE,
    DM_DUPLICATE,
    DM_VALIDATION_MODE,
    DM_VALIDATOR_NOT_FOUND,
    DM_START_TIME_LATE,
    DM_LOADER_DIR,
    DM_LOADER_S3,
    DM_SAFE_MODE_DURATION,
    DM_SAFE_MODE_CONFLICT,
    DM_DUPLICATE_PHYSICAL,
    DM_CHECKSUM_PHYSICAL,
    DM_COLUMN_MAPPING,
    DM_ANALYZE,
    DM_STRICT_SHARD_MODE,
    DM_IMPORT_INTO_SHARDS,
    DM_IMPORT_INTO_FOLDER,
    DM_FOREIGN_KEYS,
    DM_CHECK_FAILED,
    DM_SOURCE_GTID,
    DM_RELAY_SWITCH,
    DM_PURGE_RUNNING,
    DM_PURGE_FORBIDDEN,
    DM_NO_RELAY_LOG,
    DM_PURGE_REQUEST,
    DM_RELAY_SOURCE,
    DM_DUMP,
    DM_DUMP_LOCK,
    DM_LOAD,
    DM_LOAD_CHECKSUM,
    DM_STATEMENT_DML,
    DM_WRONG_SEQUENCE,
    DM_COLUMN_COUNT,
    DM_ONLINE_RENAME,
    DM_ONLINE_RENAME_GHOST,
    DM_SHARD_CONFLICT,
    DM_PARSE_DDL,
    DM_UNSUPPORTED_STATEMENT,
    DM_GET_EVENT,
    DM_NO_TARGET_TABLE,
    DM_SHARD_DDL_DIFFERS,
    DM_MASTER_NOT_EXIST,
    DM_START_TASK,
    DM_NEED_SOURCE_ID,
    DM_LONG_SOURCE_ID,
    DM_RELAY_NAME,
    DM_NOT_PAUSED,
    DM_SUBTASK_NOT_FOUND,
    DM_SYNC_ONLY,
    DM_DUPLICATE_ROUTE,
    DM_VALIDATOR_NOT_PAUSED,
    DM_TABLE_UNKNOWN,
    DM_NO_DOWNSTREAM_TABLE,
    DM_NO_CREATE_TABLE,
    DM_WORKER_NOT_EXIST,
    DM_WORKER_ONLINE,
    DM_SOURCE_EXIST,
    DM_SOURCE_NOT_EXIST,
    DM_SOURCE_HAS_TASKS,
    DM_RELAY_SOURCE_NOT_EXIST,
    DM_SUBTASK_EXIST,
    DM_OP_SOURCE_NOT_EXIST,
    DM_TASK_NOT_EXIST,
    DM_SOURCE_HAS_RELAY,
    DM_LATCH_IN_USE,
    DM_SOURCE_UPDATE,
    DM_TASK_UPDATE,
    DM_COMMON,
    DM_TASK_SOURCE_NOT_FOUND,
    DM_N_ERRORS,
};

/* What was being done when the tree refused. */
enum dm_step {
    DM_STEP_SOURCE_TRY,  /* a source's document, and whether its server answers */
    DM_STEP_SOURCE_KEEP, /* it is made or changed */
    DM_STEP_SOURCE_ASK,  /* its server is asked for names */
    DM_STEP_SOURCE_DROP, /* it is removed */
    DM_STEP_RELAY,       /* its relay is told something */
    DM_STEP_PURGE,       /* what it has stored is to go */
    DM_STEP_TASK_KEEP,   /* a task's document is made or changed */
    DM_STEP_TASK_CHECK,  /* both servers are asked whether it can work */
    DM_STEP_TASK_RUN,    /* it is told to run or to stop */
    DM_STEP_TASK_DROP,   /* it is removed */
    DM_STEP_TARGETS,     /* where it takes tables is asked of a source */
    DM_STEP_TABLE,       /* a table's structure is read or set */
    DM_STEP_OTHER,
};

/* Replies with an error; returns 0, as a route's function does that has replied. */
int dm_fail(struct call *c, enum dm_error e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a refusal of the tree at 'step'. */
int dm_fail_at(struct call *c, enum dm_step step, const struct err *err);
enum dm_error dm_error_at(enum dm_step step, const struct err *err);
/* For the facade: errors that a function returned. */
void dm_refuse(struct call *c, const struct err *err);

/* Why a unit does not run ("sync", its error_reason, its error) as DM words it, for error_msg: a
 * new reference. */
json_t *dm_error_of_unit(const char *unit, enum reason reason, const char *text);

#endif
