#include "http/compat/tidb_binlog_metrics.h"

#include <stddef.h>

#define HISTOGRAM(metric, member, label, text)                                      \
    {                                                                               \
        .name = metric, .type = "histogram", .attr = "histograms", .field = member, \
        .labels = label, .help = text                                               \
    }
#define TYPE(of) "type=\"" of "\""

#define STORAGE_ERROR(kind)                                                             \
    {                                                                                   \
        .name = "binlog_pump_storage_error_count", .type = "counter", .attr = "errors", \
        .field = kind, .labels = TYPE(kind), .help = "Total count of error in storage"  \
    }
/* What waits for the disk is in memory, bounded: the writer waits, and nothing is caught up with
 * later. */
#define CHASER(kind)                                                                              \
    {                                                                                             \
        .name = "binlog_pump_storage_slow_chaser_count", .type = "counter", .labels = TYPE(kind), \
        .help = "Total count of slow chaser mode: there is none"                                  \
    }
#define RPC "binlog_pump_rpc_duration_seconds"
#define RPC_LABEL(method, label) "method=\"" method "\",label=\"" label "\""
#define RPC_HELP "Bucketed histogram of processing time (s) of rpc queries"
#define WRITE_SIZE "binlog_pump_storage_write_binlog_size"
#define WRITE_TIME "binlog_pump_storage_write_binlog_duration_time"
#define SIZE_HELP "write binlog size"
#define TIME_HELP "Bucketed histogram of write time (s) of binlog"

const struct metric_row pump_metrics[] = {
    { .name = "binlog_pump_storage_gc_ts",
      .type = "gauge",
      .attr = "gc_ts",
      .scale = METRIC_TSO_MS,
      .help = "gc ts of storage" },
    { .name = "binlog_pump_storage_done_gc_ts",
      .type = "gauge",
      .attr = "done_gc_ts",
      .scale = METRIC_TSO_MS,
      .help = "the metadata and vlog after this gc ts has been collected" },
    { .name = "binlog_pump_storage_max_commit_ts",
      .type = "gauge",
      .attr = "max_commit_ts",
      .scale = METRIC_TSO_MS,
      .help = "max commit ts of storage" },
    { .name = "binlog_pump_storage_deleted_kv_total",
      .type = "counter",
      .attr = "deleted_records",
      .help = "deleted transactions" },
    { .name = "binlog_pump_storage_storage_size_bytes",
      .type = "gauge",
      .attr = "capacity_bytes",
      .labels = TYPE("capacity"),
      .help = "storage size info" },
    { .name = "binlog_pump_storage_storage_size_bytes",
      .type = "gauge",
      .attr = "available_bytes",
      .labels = TYPE("available"),
      .help = "storage size info" },
    STORAGE_ERROR("write_binlog"),
    STORAGE_ERROR("write_binlog_batch"),
    STORAGE_ERROR("batch_write_kv"),
    STORAGE_ERROR("read_value"),
    STORAGE_ERROR("feed_pre_write_value"),
    HISTOGRAM(WRITE_SIZE, "record_size", TYPE("single"), SIZE_HELP),
    HISTOGRAM(WRITE_SIZE, "group_size", TYPE("batch"), SIZE_HELP),
    HISTOGRAM(WRITE_TIME, "record", TYPE("single"), TIME_HELP),
    HISTOGRAM(WRITE_TIME, "group", TYPE("batch"), TIME_HELP),
    HISTOGRAM(WRITE_TIME, "sync", TYPE("to_disk"), TIME_HELP),
    HISTOGRAM(WRITE_TIME, "sync", TYPE("fsync"), TIME_HELP),
    HISTOGRAM(WRITE_TIME, "file", TYPE("rotate"), TIME_HELP),
    CHASER("turned_on"),
    CHASER("turned_off"),
    CHASER("catch_up"),
    CHASER("recovery"),
    { .name = "binlog_drainer_slow_chaser_catchup_time_seconds",
      .type = "histogram",
      .help = "Bucketed histogram of slow chaser catching up duration: there is none" },
    { .name = "binlog_pump_storage_query_tikv_count",
      .type = "counter",
      .help = "Total count that queried tikv: there is none" },
    HISTOGRAM(RPC, "record", RPC_LABEL("WriteBinlog", "succ"), RPC_HELP),
    { .name = RPC,
      .type = "histogram",
      .labels = RPC_LABEL("WriteBinlog", "fail"),
      .help = RPC_HELP }, /* errors are counted above; what fails is tried until it works */
    HISTOGRAM(RPC, "stream", RPC_LABEL("PullBinlogs", "succ"), RPC_HELP),
    HISTOGRAM(RPC, "stream_failed", RPC_LABEL("PullBinlogs", "fail"), RPC_HELP),
    { .name = "binlog_pump_detected_drainer_binlog_purge_count",
      .type = "counter",
      .attr = "purge_detected",
      .help = "binlog purge count > 0 means some unread binlog was purged" },
    { .name = "binlog_pump_loss_binlog_count",
      .type = "counter",
      .help = "Total loss binlog count: what is acknowledged is on disk" },
    { .name = NULL },
};

#define EVENT(what, row)                                                                      \
    {                                                                                         \
        .name = "binlog_drainer_event", .type = "counter", .attr = row, .labels = TYPE(what), \
        .help = "the count of sql event(dml, ddl)"                                            \
    }
#define DRAINER_ERROR(kind)                                                                       \
    {                                                                                             \
        .name = "binlog_drainer_error_count", .type = "counter", .attr = "errors", .field = kind, \
        .labels = TYPE(kind), .help = "Total count of error type"                                 \
    }
#define QUEUE(which, row)                                                       \
    {                                                                           \
        .name = "binlog_drainer_queue_size", .type = "gauge", .attr = row,      \
        .labels = "name=\"" which "\"",                                         \
        .help = "the size of queue: row changes read and not yet in the target" \
    }
#define QUERY "binlog_drainer_query_duration_time"
#define QUERY_HELP "Bucketed histogram of processing time (s) of a query to sync data to downstream"

const struct metric_row drainer_metrics[] = {
    { .name = "binlog_drainer_pump_position",
      .type = "gauge",
      .attr = "pump_pos",
      .key = "nodeID",
      .scale = METRIC_TSO_MS,
      .help = "position for each pump" },
    { .name = "binlog_drainer_checkpoint_tso",
      .type = "gauge",
      .attr = "last_ts",
      .scale = METRIC_TSO_MS,
      .help = "save checkpoint tso of drainer" },
    { .name = "binlog_drainer_checkpoint_delay_seconds",
      .type = "gauge",
      .attr = "checkpoint_delay_seconds",
      .help = "How much the downstream checkpoint lag behind" },
    { .name = "binlog_drainer_ddl_jobs_total",
      .type = "counter",
      .attr = "ddls",
      .help = "Total ddl jobs count been stored" },
    DRAINER_ERROR("pull_binlog"),
    DRAINER_ERROR("execute"),
    { .name = "binlog_drainer_disorder_binlog_count",
      .type = "counter",
      .attr = "disorder",
      .help = "Total count of binlog which is disorder" },
    EVENT("Insert", "inserts"),
    EVENT("Update", "updates"),
    EVENT("Delete", "deletes"),
    EVENT("DDL", "ddls"),
    EVENT("savepoint", "savepoints"),
    HISTOGRAM("binlog_drainer_execute_duration_time", "execute", NULL,
              "Bucketed histogram of processing time (s) of a execute to sync data to downstream"),
    HISTOGRAM(QUERY, "query_exec", TYPE("exec"), QUERY_HELP),
    HISTOGRAM(QUERY, "query_commit", TYPE("commit"), QUERY_HELP),
    HISTOGRAM(QUERY, "query_mark", TYPE("update_mark_table"), QUERY_HELP),
    { .name = "binlog_drainer_binlog_reach_duration_time",
      .type = "histogram",
      .attr = "histograms",
      .field = "reach",
      .key = "nodeID",
      .help = "Bucketed histogram of how long the binlog take to reach drainer since it's "
              "committed" },
    { .name = "binlog_drainer_read_binlog_size",
      .type = "histogram",
      .attr = "histograms",
      .field = "read_size",
      .key = "nodeID",
      .help = "Bucketed histogram of size of a binlog" },
    QUEUE("syncer_input", "rows_in_flight"),
    QUEUE("worker_0", "rows_in_flight"),
    HISTOGRAM("binlog_binlogfile_write_binlog_size", "file_write_size", NULL, "write binlog size"),
    HISTOGRAM("binlog_binlogfile_write_binlog_duration_time", "file_write", NULL,
              "Bucketed histogram of write time (s) of a binlog"),
    HISTOGRAM("binlog_binlogfile_read_binlog_duration_time", "file_read", NULL,
              "Bucketed histogram of read time (s) of a binlog"),
    { .name = "binlog_binlogfile_corruption_binlog_count",
      .type = "counter",
      .attr = "errors",
      .field = "corruption",
      .help = "corruption binlog count" },
    { .name = NULL },
};
