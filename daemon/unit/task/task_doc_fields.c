#include "unit/task/task_doc.h"

#include "unit/filter_doc.h"
#include "unit/security_doc.h"
#include "unit/server_doc.h"

#define MAX_NAME 64 /* characters of an identifier; in bytes four times as many */

static const char *const modes[] = { "all", "full", "incremental", "dump", "load", NULL };
static const char *const shard_modes[] = { "", "pessimistic", "optimistic", NULL };
static const char *const duplicates[] = { "error", "replace", "overwrite", "ignore", NULL };
static const char *const duplicates_physical[] = { "none", "manual", NULL };
static const char *const needs[] = { "required", "optional", "off", NULL };
static const char *const foreign_keys[] = { "source", "0", "1", NULL };
static const char *const consistencies[] = { "auto", "snapshot", "flush", "lock", "none", NULL };
static const char *const import_modes[] = { "logical", "physical", "import-into", NULL };
static const char *const apply_modes[] = { "merged", "one-to-one", "parallel", NULL };
static const char *const on_errors[] = { "stop", "quarantine", NULL };

static const struct doc_field text_element[] = { { .name = "text", .type = DOC_TEXT, .min = 1 },
                                                 { 0 } };

static const struct doc_field variable_element[] = {
    { .name = "value", .type = DOC_TEXT, .max = 1024 },
    { 0 },
};
const struct doc_field task_doc_session_fields[] = {
    { .name = "foreign_key_checks",
      .type = DOC_ENUM,
      .choices = foreign_keys,
      .fallback = "\"source\"",
      .help = "Whether the target checks foreign keys, and cascades, while changes are applied: as "
              "the session at the source did, never (0) or always (1)" },
    { .name = "variables",
      .type = DOC_MAP,
      .fields = variable_element,
      .help = "Others that every session at the target sets, by name: {lock_wait_timeout: 60}; not "
              "those that values and transactions hang on, as sql_mode" },
    { 0 },
};

const struct doc_field task_doc_target_fields[] = {
    SERVER_DOC_HOST("Host name or address of the target"),
    SERVER_DOC_PORT("TCP port of the target"),
    SERVER_DOC_USER(),
    SERVER_DOC_PASSWORD,
    { .name = "security",
      .type = DOC_OBJECT,
      .fields = security_doc_fields,
      .help = "TLS to the target" },
    { .name = "session",
      .type = DOC_OBJECT,
      .reason = REASON_SESSION,
      .fields = task_doc_session_fields,
      .help = "Variables of sessions at the target" },
    { 0 },
};

/* DM's task files write - where _ is here; its OpenAPI lacks them. */
static const struct doc_field row_filter_fields[] = {
    { .name = "schema", .type = DOC_TEXT, .min = 1, .max = 1024 },
    { .name = "table", .type = DOC_TEXT, .min = 1, .max = 1024 },
    { .name = "insert_value_expr", .type = DOC_TEXT, .max = 16384 },
    { .name = "update_old_value_expr", .type = DOC_TEXT, .max = 16384 },
    { .name = "update_new_value_expr", .type = DOC_TEXT, .max = 16384 },
    { .name = "delete_value_expr", .type = DOC_TEXT, .max = 16384 },
    { 0 },
};
static const struct doc_field row_filter_element[] = {
    { .name = "rule", .type = DOC_OBJECT, .fields = row_filter_fields },
    { 0 },
};

static const struct doc_field rule_source_fields[] = {
    { .name = "source_name", .type = DOC_TEXT, .min = 1, .max = 255, .flags = DOC_REQUIRED },
    { .name = "schema", .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED },
    { .name = "table", .type = DOC_TEXT, .max = 1024 },
    { 0 },
};
static const struct doc_field rule_target_fields[] = {
    { .name = "schema", .type = DOC_TEXT, .max = 4 * MAX_NAME },
    { .name = "table", .type = DOC_TEXT, .max = 4 * MAX_NAME },
    { 0 },
};
/* Columns of the target that say where a row is from: what the groups of the expression match. */
#define EXTRACT(regexp)                                                                     \
    {                                                                                       \
        { .name = regexp, .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED }, \
            { .name = "target_column",                                                      \
              .type = DOC_TEXT,                                                             \
              .min = 1,                                                                     \
              .max = 4 * MAX_NAME,                                                          \
              .flags = DOC_REQUIRED },                                                      \
            { 0 },                                                                          \
    }
static const struct doc_field extract_table_fields[] = EXTRACT("table_regexp");
static const struct doc_field extract_schema_fields[] = EXTRACT("schema_regexp");
static const struct doc_field extract_source_fields[] = EXTRACT("source_regexp");

static const struct doc_field rule_fields[] = {
    { .name = "source", .type = DOC_OBJECT, .fields = rule_source_fields, .flags = DOC_REQUIRED },
    { .name = "target", .type = DOC_OBJECT, .fields = rule_target_fields },
    { .name = "binlog_filter_rule", .type = DOC_LIST, .fields = text_element },
    { .name = "extract_table", .type = DOC_OBJECT, .fields = extract_table_fields },
    { .name = "extract_schema", .type = DOC_OBJECT, .fields = extract_schema_fields },
    { .name = "extract_source", .type = DOC_OBJECT, .fields = extract_source_fields },
    { 0 },
};
static const struct doc_field rule_element[] = {
    { .name = "rule", .type = DOC_OBJECT, .fields = rule_fields },
    { 0 },
};

#define PHYSICAL \
    "it is of import_mode physical, TiDB's import of files, which the target does not have"

#define MAX_THREADS 100000 /* that can be written: DM has no limit (JOB_THREADS_MAX) */

const struct doc_field task_doc_full_fields[] = {
    { .name = "export_threads",
      .type = DOC_COUNT,
      .max = MAX_THREADS,
      .fallback = "4",
      .help =
          "Connections that read from the source during the full copy; each feeds one at the "
          "target, so the smaller of the two numbers counts, but for task_mode dump; 0: as many as "
          "where nothing is said, more than 64: 64" },
    { .name = "import_threads",
      .type = DOC_COUNT,
      .max = MAX_THREADS,
      .fallback = "4",
      .help = "Connections that write to the target during the full copy; see export_threads" },
    { .name = "data_dir",
      .type = DOC_TEXT,
      .max = 4096,
      .help = "Folder that task_mode dump writes and load reads, in mydumper's layout, with the "
              "source's name below it if there are several; the other modes stream from the "
              "source to the target and leave it alone" },
    { .name = "consistency",
      .type = DOC_ENUM,
      .choices = consistencies,
      .fallback = "\"auto\"",
      .help = "How the connections of the copy come to one moment of the source: auto, as its "
              "account may; flush, commits are held back or the task fails; lock, the tables of "
              "the task are locked meanwhile; snapshot or none, one connection and no lock" },
    { .name = "import_mode",
      .type = DOC_ENUM,
      .reason = REASON_IMPORT_MODE,
      .choices = import_modes,
      .fallback = "\"logical\"",
      .refused = "the target takes rows as SQL only; leave it out or say logical",
      .help = "How rows are loaded" },
    { .name = "on_duplicate_logical",
      .type = DOC_ENUM,
      .reason = REASON_DUPLICATES,
      .choices = duplicates,
      .help = "As on_duplicate of the task, over which it wins" },
    { .name = "on_duplicate_physical",
      .type = DOC_ENUM,
      .reason = REASON_DUPLICATES_PHYSICAL,
      .choices = duplicates_physical,
      .inert = "\"none\"",
      .refused = PHYSICAL },
    { .name = "sorting_dir", .type = DOC_TEXT, .refused = PHYSICAL },
    { .name = "disk_quota", .type = DOC_TEXT, .refused = PHYSICAL },
    { .name = "checksum",
      .type = DOC_ENUM,
      .reason = REASON_CHECKSUM,
      .choices = needs,
      .inert = "\"required\"",
      .refused = PHYSICAL "; rows are always counted" },
    { .name = "analyze",
      .type = DOC_ENUM,
      .reason = REASON_ANALYZE,
      .choices = needs,
      .inert = "\"optional\"",
      .refused = PHYSICAL },
    { .name = "range_concurrency", .type = DOC_COUNT, .inert = "0", .refused = PHYSICAL },
    { .name = "compress-kv-pairs", .type = DOC_TEXT, .refused = PHYSICAL },
    { .name = "pd_addr", .type = DOC_TEXT, .refused = PHYSICAL },
    { .name = "security",
      .type = DOC_OBJECT,
      .fields = security_doc_fields,
      .refused = PHYSICAL "; TLS to the target is target_config.security" },
    { 0 },
};

const struct doc_field task_doc_incr_fields[] = {
    { .name = "repl_threads",
      .type = DOC_COUNT,
      .max = MAX_THREADS,
      .fallback = "4",
      .help =
          "Connections that apply changes when apply_mode is parallel; 0: as many as where nothing "
          "is said, more than 64: 64" },
    { .name = "repl_batch",
      .type = DOC_COUNT,
      .max = 100000000,
      .fallback = "0",
      .help = "No transaction is merged into another that has this many row changes; 0: only "
              "apply_batch counts. Those of the source are never split" },
    { .name = "safe_mode",
      .type = DOC_BOOL,
      .fallback = "false",
      .help =
          "Apply changes so that applying them twice does no harm, at some cost; not needed after "
          "a restart, which applies nothing twice" },
    { .name = "checkpoint_flush_interval",
      .type = DOC_COUNT,
      .min = 1,
      .max = 86400,
      .fallback = "30",
      .help = "Seconds between two writes of DM's checkpoint table, which is written only when the "
              "task has gone on meanwhile; ours is written with the rows" },
    { 0 },
};

static const struct doc_field source_conf_fields[] = {
    { .name = "source_name", .type = DOC_TEXT, .min = 1, .max = 255, .flags = DOC_REQUIRED },
    { .name = "binlog_name", .type = DOC_TEXT, .max = 255 },
    { .name = "binlog_pos", .type = DOC_COUNT },
    { .name = "binlog_gtid", .type = DOC_TEXT, .max = 1048576 },
    { .name = "start_time", .type = DOC_TEXT, .max = 64 },
    { .name = "expression_filters", .type = DOC_LIST, .fields = text_element },
    { 0 },
};
static const struct doc_field source_conf_element[] = {
    { .name = "source", .type = DOC_OBJECT, .fields = source_conf_fields },
    { 0 },
};

static const struct doc_field source_config_fields[] = {
    { .name = "full_migrate_conf", .type = DOC_OBJECT, .fields = task_doc_full_fields },
    { .name = "incr_migrate_conf", .type = DOC_OBJECT, .fields = task_doc_incr_fields },
    { .name = "source_conf",
      .type = DOC_LIST,
      .reason = REASON_START,
      .fields = source_conf_element,
      .help = "Sources, with the position to start from in mode incremental" },
    { 0 },
};

static const struct doc_field table_fields[] = {
    { .name = "db_name", .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED },
    { .name = "tbl_name", .type = DOC_TEXT, .min = 1, .max = 1024, .flags = DOC_REQUIRED },
    { 0 },
};
static const struct doc_field table_element[] = {
    { .name = "table", .type = DOC_OBJECT, .fields = table_fields },
    { 0 },
};

const struct doc_field task_doc_list_fields[] = {
    { .name = "do_dbs",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "Schemas to migrate, as patterns; empty: all" },
    { .name = "do_tables",
      .type = DOC_LIST,
      .fields = table_element,
      .help = "Tables to migrate: db_name and tbl_name, as patterns; empty: all" },
    { .name = "ignore_dbs",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "Schemas to leave out, where do_dbs is empty" },
    { .name = "ignore_tables",
      .type = DOC_LIST,
      .fields = table_element,
      .help = "Tables to leave out, unless do_tables names them" },
    { 0 },
};

const struct doc_field task_doc_fields[] = {
    { .name = "name",
      .type = DOC_TEXT,
      .reason = REASON_NAME,
      .min = 1,
      .max = 255,
      .help = "Name of the task" },
    { .name = "task_mode",
      .type = DOC_ENUM,
      .reason = REASON_TASK_MODE,
      .choices = modes,
      .fallback = "\"all\"",
      .help = "A full copy and then changes (all), only the copy (full), only changes "
              "(incremental), or a copy by way of files: dump writes data_dir, load reads it" },
    { .name = "shard_mode",
      .type = DOC_ENUM,
      .reason = REASON_SHARD_MODE,
      .choices = shard_modes,
      .fallback = "\"\"",
      .help =
          "How DDL of tables that are merged into one is brought together: pessimistic, it is run "
          "once all came to the same one; optimistic, the target takes the rows of all as they "
          "are; empty: each DDL is run. See locks/" },
    { .name = "strict_optimistic_shard_mode",
      .type = DOC_BOOL,
      .reason = REASON_STRICT_SHARD_MODE,
      .fallback = "false",
      .help = "With shard_mode optimistic: a table whose DDL would have to wait stops its source "
              "with an error" },
    { .name = "meta_schema",
      .type = DOC_TEXT,
      .min = 1,
      .max = MAX_NAME,
      .fallback = "\"dm_meta\"",
      .help = "Schema of the target that holds the checkpoints" },
    { .name = "timezone",
      .type = DOC_TEXT,
      .reason = REASON_TIME_ZONE,
      .max = 64,
      .help = "What the source's time zone SYSTEM means, for DDL: a name that the target knows, or "
              "+01:00; empty: that of the target's machine. Rows travel in UTC" },
    { .name = "enhance_online_schema_change",
      .type = DOC_BOOL,
      .fallback = "true",
      .help = "Whether the tables that gh-ost and pt-online-schema-change work on (_t_gho, _t_new, "
              "...) go where their table goes, so that the final RENAME does the same there" },
    { .name = "shadow_table_rules",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "Regular expressions for names of the tables that an online schema change makes and "
              "then swaps in, each with one group, the name of the table; none: "
              "^_(.+)_(?:new|gho)$" },
    { .name = "trash_table_rules",
      .type = DOC_LIST,
      .fields = text_element,
      .help = "... of its logs, and of what the table was; none: ^_(.+)_(?:ghc|del|old)$" },
    { .name = "on_duplicate",
      .type = DOC_ENUM,
      .reason = REASON_DUPLICATES,
      .choices = duplicates,
      .fallback = "\"error\"",
      .help = "What the copy does with rows that the target has already: error, its tables must be "
              "empty; replace (or overwrite), by those of the source; ignore, the target's stay" },
    { .name = "target_config",
      .type = DOC_OBJECT,
      .fields = task_doc_target_fields,
      .help = "Server that takes the rows" },
    { .name = "binlog_filter_rule",
      .type = DOC_MAP,
      .reason = REASON_EVENT_FILTER,
      .fields = filter_doc_element,
      .help =
          "Changes and statements to leave out, by name of the rule that table_migrate_rule "
          "names: ignore_event (insert, drop column, all ddl, ...) and ignore_sql (expressions)" },
    { .name = "expression_filter",
      .type = DOC_MAP,
      .reason = REASON_EXPRESSION,
      .fields = row_filter_element,
      .help = "Rows that changes leave out, by name of the rule that source_conf names "
              "(expression_filters): schema, table, and an SQL expression that is true for them" },
    { .name = "table_migrate_rule",
      .type = DOC_LIST,
      .reason = REASON_ROUTES,
      .fields = rule_element,
      .help = "What is migrated: source_name, schema and table patterns, and the names there" },
    { .name = "block_allow_list",
      .type = DOC_OBJECT,
      .reason = REASON_ALLOW_LIST,
      .fields = task_doc_list_fields,
      .help = "What of that is left out, in the words of DM's task files" },
    { .name = "source_config",
      .type = DOC_OBJECT,
      .fields = source_config_fields,
      .help = "Sources, and how they are read" },
    { .name = "ignore_checking_items",
      .type = DOC_LIST,
      .reason = REASON_CHECKING_ITEM,
      .fields = text_element,
      .help = "Checks to leave out before the start, by their names in check_report, or all" },
    { .name = "apply_mode",
      .type = DOC_ENUM,
      .choices = apply_modes,
      .fallback = "\"merged\"",
      .help = "How transactions become those of the target: some together, each alone, or in "
              "parallel without order" },
    { .name = "apply_batch",
      .type = DOC_COUNT,
      .min = 1,
      .max = 65536,
      .fallback = "512",
      .help = "Most transactions that are merged into one" },
    { .name = "on_error",
      .type = DOC_ENUM,
      .choices = on_errors,
      .fallback = "\"stop\"",
      .help = "What a table that cannot be applied does to the others" },
    { .name = "auto_resume",
      .type = DOC_BOOL,
      .flags = DOC_LIVE,
      .fallback = "false",
      .help =
          "Whether sync tries again by itself after errors that somebody may mend at a server (a "
          "table that is missing, a right, a DDL that is refused) as DM does; never after those of "
          "DM's list: duplicate keys, values that do not fit, binlogs that are gone. It may be "
          "changed while the task runs; the checker/ of a source says it for all its tasks" },
    { .name = "max_retries",
      .type = DOC_COUNT,
      .flags = DOC_LIVE,
      .max = 1000000,
      .fallback = "100",
      .help = "Attempts after errors that can pass, before the task gives up; it may be changed "
              "while the task runs" },
    { .name = "remove_meta_on_delete",
      .type = DOC_BOOL,
      .fallback = "true",
      .help = "Whether deleting the task removes its checkpoints from the target, so that a new "
              "task of its name starts over" },
    { .name = "status_list", .type = DOC_LIST, .flags = DOC_READ_ONLY },
    { 0 },
};
