/* The document of a drainer. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "unit/drain/pump_doc.h"
#include "unit/filter_doc.h"
#include "unit/security_doc.h"
#include "unit/server_doc.h"

#define MAX_NAME 255

static const char *const db_types[] = { "mysql", "mariadb", "tidb",  "file",    "pb",
                                        "kafka", "sql",     "print", "journal", NULL };
static const char *const checkpoint_types[] = { "", "file", "mysql", "tidb", NULL };
static const char *const compressors[] = { "", "gzip", NULL };

static const struct doc_field text_element[] = { { .name = "text", .type = DOC_TEXT, .min = 1 },
                                                 { 0 } };
static const struct doc_field any_text[] = { { .name = "text", .type = DOC_TEXT }, { 0 } };

static const struct doc_field table_fields[] = {
    { .name = "db_name", .type = DOC_TEXT, .min = 1, .flags = DOC_REQUIRED },
    { .name = "tbl_name", .type = DOC_TEXT, .min = 1, .flags = DOC_REQUIRED },
    { 0 },
};
static const struct doc_field table_element[] = {
    { .name = "table", .type = DOC_OBJECT, .fields = table_fields }, { 0 }
};

static const struct doc_field place_fields[] = {
    { .name = "schema", .type = DOC_TEXT, .min = 1, .flags = DOC_REQUIRED },
    { .name = "table", .type = DOC_TEXT },
    { 0 },
};
static const struct doc_field rule_fields[] = {
    { .name = "source", .type = DOC_OBJECT, .fields = place_fields, .flags = DOC_REQUIRED },
    { .name = "target", .type = DOC_OBJECT, .fields = place_fields },
    { .name = "binlog_filter_rule", .type = DOC_LIST, .fields = text_element },
    { 0 },
};
static const struct doc_field rule_element[] = {
    { .name = "rule", .type = DOC_OBJECT, .fields = rule_fields }, { 0 }
};

const struct doc_field drainer_doc_syncer_fields[] = {
    { .name = "ignore_schemas",
      .type = DOC_TEXT,
      .fallback = "\"INFORMATION_SCHEMA,PERFORMANCE_SCHEMA,mysql\"",
      .help = "Schemas that are left out, separated by commas" },
    { .name = "replicate_do_db",
      .type = DOC_LIST,
      .fields = text_element,
      .fallback = "[]",
      .help = "Schemas to take, names or ~expressions; with replicate_do_table empty: all" },
    { .name = "replicate_do_table",
      .type = DOC_LIST,
      .fields = table_element,
      .fallback = "[]",
      .help = "Tables to take: db_name, tbl_name" },
    { .name = "ignore_table",
      .type = DOC_LIST,
      .fields = table_element,
      .fallback = "[]",
      .help = "Tables that are left out, whatever the others say: db_name, tbl_name" },
    { .name = "table_migrate_rule",
      .type = DOC_LIST,
      .fields = rule_element,
      .fallback = "[]",
      .help = "Routes and filters: source {schema, table}, target {schema, table}, "
              "binlog_filter_rule" },
    { .name = "binlog_filter_rule",
      .type = DOC_MAP,
      .fields = filter_doc_element,
      .fallback = "{}",
      .help = "Filters by name: ignore_event, ignore_sql" },
    { .name = "safe_mode",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether rows that may have been applied before are replaced by key" },
    { .name = "sync_ddl",
      .type = DOC_BOOL,
      .fallback = "true",
      .help = "Whether DDL goes to the target" },
    { .name = "loopback_control",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether transactions are marked at the target, and those that bear the mark of "
              "this channel are left out" },
    { .name = "channel_id",
      .type = DOC_COUNT,
      .max = INT64_MAX,
      .fallback = "0",
      .help = "The mark's channel: the same for all drainers of a ring" },
    { .name = "ignore_server_ids",
      .type = DOC_LIST,
      .fields = text_element,
      .fallback = "[]",
      .help = "Transactions that came from servers with these ids are left out" },
    { .name = "sql_mode",
      .type = DOC_TEXT,
      .max = 1024,
      .help = "For DDL at the target instead of the one that the statement had at the source" },
    { .name = "reverse",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether the range is undone: its transactions backwards, each turned around" },
    { .name = "dedup_gtid",
      .type = DOC_BOOL,
      .fallback = "false",
      .help = "Whether a transaction that two pumps have, by its GTID, is taken once" },
    { 0 },
};

const struct doc_field drainer_doc_checkpoint_fields[] = {
    { .name = "type",
      .type = DOC_ENUM,
      .choices = checkpoint_types,
      .fallback = "\"\"",
      .help = "Where a copy of the savepoint is written: file or mysql; empty: that of the "
              "target's kind" },
    { .name = "schema",
      .type = DOC_TEXT,
      .max = 64,
      .fallback = "\"tidb_binlog\"",
      .help = "Schema of the checkpoint table" },
    { .name = "table",
      .type = DOC_TEXT,
      .max = 64,
      .fallback = "\"checkpoint\"",
      .help = "Name of the checkpoint table" },
    { .name = "dir", .type = DOC_TEXT, .max = 4096, .help = "Folder of the file savepoint" },
    SERVER_DOC_HOST("Server of the checkpoint table; empty: the target"),
    SERVER_DOC_PORT("Its TCP port"),
    SERVER_DOC_USER(),
    SERVER_DOC_PASSWORD,
    { 0 },
};

const struct doc_field drainer_doc_to_fields[] = {
    { .name = "db_type",
      .type = DOC_ENUM,
      .choices = db_types,
      .fallback = "\"mysql\"",
      .help = "What the rows go to" },
    SERVER_DOC_HOST("Host name or address of the target", .fallback = "\"localhost\""),
    SERVER_DOC_PORT("TCP port of the target"),
    SERVER_DOC_USER(.fallback = "\"root\""),
    SERVER_DOC_PASSWORD,
    { .name = "security", .type = DOC_OBJECT, .fields = security_doc_fields },
    { .name = "meta_schema",
      .type = DOC_TEXT,
      .max = 64,
      .fallback = "\"dm_meta\"",
      .help = "Schema of the target that keeps how far it is, in the transactions themselves" },
    { .name = "dir",
      .type = DOC_TEXT,
      .max = 4096,
      .help = "file: the folder of its binlog files; sql: that of NAME.sql" },
    { .name = "retention_time",
      .type = DOC_COUNT,
      .max = 36500,
      .fallback = "0",
      .help = "file: days after which a file is deleted; 0: never" },
    { .name = "file_size",
      .type = DOC_COUNT,
      .min = 1,
      .max = INT64_MAX,
      .fallback = "536870912",
      .help = "file: bytes after which the next file begins" },
    { .name = "kafka_addrs",
      .type = DOC_TEXT,
      .max = 4096,
      .fallback = "\"127.0.0.1:9092\"",
      .help = "kafka: brokers, separated by commas" },
    { .name = "topic_name",
      .type = DOC_TEXT,
      .max = 249,
      .help = "kafka: topic; by default the drainer's name with _obinlog" },
    { .name = "kafka_max_message_size",
      .type = DOC_COUNT,
      .min = 1024,
      .max = 1000000000,
      .fallback = "1000000000",
      .help = "kafka: a larger transaction stops the drainer" },
    { .name = "kafka_max_messages",
      .type = DOC_COUNT,
      .min = 1,
      .max = 100000,
      .fallback = "1024",
      .help = "kafka: most messages on the way" },
    { .name = "kafka_client_id",
      .type = DOC_TEXT,
      .max = 255,
      .fallback = "\"sluice_drainer\"",
      .help = "kafka: what the brokers see" },
    { .name = "kafka_version",
      .type = DOC_TEXT,
      .ignored = "librdkafka asks the brokers what they speak" },
    { .name = "zookeeper_addrs", .type = DOC_TEXT, .ignored = "brokers are named by kafka_addrs" },
    { .name = "kafka_options",
      .type = DOC_MAP,
      .fields = any_text,
      .fallback = "{}",
      .help = "kafka: settings of librdkafka by their names there" },
    { .name = "journal",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .help =
          "journal: the one that is written; a source of that name (mkdir sources/NAME) has it" },
    { .name = "checkpoint", .type = DOC_OBJECT, .fields = drainer_doc_checkpoint_fields },
    { 0 },
};

const struct doc_field drainer_doc_fields[] = {
    { .name = "name", .type = DOC_TEXT, .max = MAX_NAME, .help = "That of its directory" },
    { .name = "node_id", .type = DOC_TEXT, .max = MAX_NAME, .help = "Its name in the registry" },
    { .name = "addr",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .fallback = "\"\"",
      .help = "host:port on which it answers as a drainer of TiDB-Binlog; empty: it has none" },
    { .name = "advertise_addr",
      .type = DOC_TEXT,
      .max = MAX_NAME,
      .fallback = "\"\"",
      .help = "host:port that the registry tells instead of addr" },
    { .name = "pumps",
      .type = DOC_LIST,
      .fields = text_element,
      .fallback = "[]",
      .help = "Pumps that are merged, by the names of their directories; empty: all there are" },
    { .name = "data_dir",
      .type = DOC_TEXT,
      .max = 4096,
      .fallback = "\"\"",
      .help = "Folder with the files of a drainer that are read instead of pumps (reparo)" },
    { .name = "start_datetime",
      .type = DOC_TEXT,
      .max = 32,
      .fallback = "\"\"",
      .help = "Of files: 2026-01-31 12:00:00, local time, instead of initial_commit_ts" },
    { .name = "stop_datetime",
      .type = DOC_TEXT,
      .max = 32,
      .fallback = "\"\"",
      .help = "Likewise instead of stop_commit_ts" },
    { .name = "initial_commit_ts",
      .type = DOC_COUNT,
      .min = -1,
      .max = INT64_MAX,
      .fallback = "-1",
      .help = "Where it starts the first time: transactions after this commit_ts; -1: now" },
    { .name = "stop_commit_ts",
      .type = DOC_COUNT,
      .min = 0,
      .max = INT64_MAX,
      .fallback = "0",
      .help = "The last commit_ts that it takes; 0: it goes on for ever" },
    { .name = "synced_check_time",
      .type = DOC_COUNT,
      .min = 0,
      .max = 1000000,
      .fallback = "5",
      .help = "Minutes without anything written after which it counts as synced" },
    { .name = "detect_interval",
      .type = DOC_COUNT,
      .min = 1,
      .max = 3600,
      .fallback = "5",
      .help = "Seconds between looks at the list of pumps" },
    { .name = "worker_count",
      .type = DOC_COUNT,
      .min = 1,
      .max = 1024,
      .fallback = "16",
      .help = "TiDB-Binlog's sessions at the target",
      .ignored = "transactions are merged in the order of commit_ts by one session" },
    { .name = "txn_batch",
      .type = DOC_COUNT,
      .min = 0,
      .max = 100000,
      .fallback = "0",
      .help = "Most transactions that become one at the target; 0: what has queued" },
    { .name = "ignore_txn_commit_ts",
      .type = DOC_LIST,
      .fields = any_text,
      .fallback = "[]",
      .help = "Transactions that are left out, by commit_ts" },
    { .name = "compressor",
      .type = DOC_ENUM,
      .choices = compressors,
      .fallback = "\"\"",
      .ignored = "pumps are in the same process" },
    { .name = "syncer", .type = DOC_OBJECT, .fields = drainer_doc_syncer_fields },
    { .name = "to", .type = DOC_OBJECT, .fields = drainer_doc_to_fields },
    { 0 },
};

int drainer_doc_check(const json_t *full, struct err *err)
{
    const json_t *stop = doc_at(full, "stop_commit_ts");
    const json_t *start = doc_at(full, "initial_commit_ts"), *ts;
    size_t i;

    if (json_integer_value(stop) && json_integer_value(start) > json_integer_value(stop))
        return err_set(err, -EINVAL, "stop_commit_ts is before initial_commit_ts");
    if (json_is_true(doc_at(full, "syncer.reverse")) && !json_integer_value(stop))
        return err_set(err, -EINVAL,
                       "syncer.reverse: only a range with its end, stop_commit_ts, "
                       "can be undone");
    json_array_foreach (doc_at(full, "ignore_txn_commit_ts"), i, ts)
        if (strspn(json_string_value(ts), "0123456789") != json_string_length(ts))
            return err_set(err, -EINVAL, "ignore_txn_commit_ts: %s is no commit_ts",
                           json_string_value(ts));
    return 0;
}
