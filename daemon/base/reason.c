#include "base/reason.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

static const char *const words[REASON_N] = {
    [REASON_NONE] = "",
    [REASON_SOURCE] = "source",
    [REASON_TARGET] = "target",
    [REASON_CONNECTION] = "connection",
    [REASON_CONNECTION_LOST] = "connection_lost",
    [REASON_NAME] = "name",
    [REASON_TASK_MODE] = "task_mode",
    [REASON_SHARD_MODE] = "shard_mode",
    [REASON_STRICT_SHARD_MODE] = "strict_shard_mode",
    [REASON_TIME_ZONE] = "time_zone",
    [REASON_CHECKING_ITEM] = "checking_item",
    [REASON_EVENT_FILTER] = "event_filter",
    [REASON_EXPRESSION] = "expression",
    [REASON_EXPRESSION_NAME] = "expression_name",
    [REASON_EXPRESSION_MANY] = "expression_many",
    [REASON_EXPRESSION_UNKNOWN] = "expression_unknown",
    [REASON_ROUTES] = "routes",
    [REASON_ALLOW_LIST] = "allow_list",
    [REASON_DUPLICATES] = "duplicates",
    [REASON_DUPLICATES_PHYSICAL] = "duplicates_physical",
    [REASON_IMPORT_MODE] = "import_mode",
    [REASON_CHECKSUM] = "checksum",
    [REASON_ANALYZE] = "analyze",
    [REASON_FOLDER] = "folder",
    [REASON_FLAVOR] = "flavor",
    [REASON_SESSION] = "session",
    [REASON_START] = "start",
    [REASON_GTID] = "gtid",
    [REASON_SAME_SOURCE] = "same_source",
    [REASON_SAFE_MODE_TIME] = "safe_mode_time",
    [REASON_SQL_ARGUMENT] = "sql_argument",
    [REASON_FILE_ROUTE_UNKNOWN] = "file_route_unknown",
    [REASON_FILE_FILTER_UNKNOWN] = "file_filter_unknown",
    [REASON_FILE_LIST_UNKNOWN] = "file_list_unknown",
    [REASON_FILE_DUMPER_UNKNOWN] = "file_dumper_unknown",
    [REASON_FILE_LOADER_UNKNOWN] = "file_loader_unknown",
    [REASON_FILE_SYNCER_UNKNOWN] = "file_syncer_unknown",
    [REASON_FILE_VALIDATOR_UNKNOWN] = "file_validator_unknown",
    [REASON_FILE_RULE_TWICE] = "file_rule_twice",
    [REASON_FILE_RULE_UNUSED] = "file_rule_unused",
    [REASON_FILE_SOURCE] = "file_source",
    [REASON_FILE_MAPPING] = "file_mapping",
    [REASON_FILE_COLLATION] = "file_collation",
    [REASON_FILE_CHUNK_SIZE] = "file_chunk_size",
    [REASON_FILE_VALIDATOR_MODE] = "file_validator_mode",
    [REASON_GTID_MODE] = "gtid_mode",
    [REASON_HAS_TASKS] = "has_tasks",
    [REASON_PURGE_RUNNING] = "purge_running",
    [REASON_RELAY_EMPTY] = "relay_empty",
    [REASON_RELAY_FILE] = "relay_file",
    [REASON_RELAY_SOURCE] = "relay_source",
    [REASON_RELAY_SWITCH] = "relay_switch",
    [REASON_START_LATE] = "start_late",
    [REASON_READ_LOCK] = "read_lock",
    [REASON_ROW_COUNT] = "row_count",
    [REASON_ROW_IMAGE] = "row_image",
    [REASON_STATEMENT_LOGGED] = "statement_logged",
    [REASON_STATEMENT_UNKNOWN] = "statement_unknown",
    [REASON_STATEMENT_UNSUPPORTED] = "statement_unsupported",
    [REASON_COLUMN_COUNT] = "column_count",
    [REASON_NO_TABLE] = "no_table",
    [REASON_ONLINE_NAMES] = "online_names",
    [REASON_ONLINE_SWAP] = "online_swap",
    [REASON_ONLINE_RENAME] = "online_rename",
    [REASON_ONLINE_RENAME_GHOST] = "online_rename_ghost",
    [REASON_SHARD_SEQUENCE] = "shard_sequence",
    [REASON_SHARD_DIFFERS] = "shard_differs",
    [REASON_SHARD_NOT_DROPPED] = "shard_not_dropped",
    [REASON_SHARD_CONFLICT] = "shard_conflict",
};

const char *reason_word(enum reason r)
{
    assert(r < REASON_N && words[r]);
    return words[r];
}

enum reason reason_of_word(const char *word)
{
    for (unsigned r = 0; r < REASON_N; r++)
        if (strcmp(words[r], word) == 0)
            return (enum reason)r;
    return REASON_NONE;
}

int(err_because)(struct err *err, enum reason r)
{
    assert(err->code < 0);
    if (!err->reason)
        err->reason = r;
    return err->code;
}

int(err_of_source)(struct err *err)
{
    err_wrap(err, "source");
    return err_because(err, REASON_SOURCE);
}

int(err_of_target)(struct err *err)
{
    err_wrap(err, "target");
    return err_because(err, REASON_TARGET);
}
