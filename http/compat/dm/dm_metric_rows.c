/* dm_metric_rows.c - the rows of dm_metrics.h.  Attributes are those that dm_metrics.c puts
 * together: "sync", "load", ... hold all of that node. */
#include <stddef.h>

#include "http/compat/dm/dm_metrics.h"

#define COUNTER(metric, of, member, label, text)                                         \
    {                                                                                    \
        .name = metric, .type = "counter", .attr = of, .field = member, .labels = label, \
        .help = text                                                                     \
    }
#define GAUGE(metric, of, member, label, text)                                         \
    {                                                                                  \
        .name = metric, .type = "gauge", .attr = of, .field = member, .labels = label, \
        .help = text                                                                   \
    }
#define HISTOGRAM(metric, member, text)                                                          \
    {                                                                                            \
        .name = metric, .type = "histogram", .attr = "histograms", .field = member, .help = text \
    }
/* Steps that this pipeline does not have, or does without looking at the clock. */
#define EMPTY(metric, text)                               \
    {                                                     \
        .name = metric, .type = "histogram", .help = text \
    }
#define TYPE(of) "type=\"" of "\""
#define NODE(of) "node=\"" of "\""

#define SHARD_ERROR(kind) \
    COUNTER("dm_master_shard_ddl_error", NULL, NULL, TYPE(kind), "number of shard DDL lock errors")
#define EXIT_ERRORS(metric, of)                                                                    \
    COUNTER(metric, of, "failures", "resumable_err=\"true\"", "errors that it tried again after"), \
        COUNTER(metric, of, "gave_up", "resumable_err=\"false\"", "errors that it ended with")
#define JOBS(metric, text)                                              \
    COUNTER(metric, "row_changes", "insert", TYPE("insert"), text),     \
        COUNTER(metric, "row_changes", "update", TYPE("update"), text), \
        COUNTER(metric, "row_changes", "delete", TYPE("del"), text),    \
        COUNTER(metric, "sync", "ddl", TYPE("ddl"), text)

const struct metric_row dm_worker_metrics[] = {
    GAUGE("dm_master_worker_state", "state", NULL, NULL,
          "state of worker, -1: unrecognized, 0: offline, 1: free, 2: bound"),
    GAUGE("dm_worker_cpu_usage", "cpu", NULL, NULL, "the CPU usage of worker, percent since start"),
    GAUGE("dm_master_cpu_usage", "cpu", NULL, NULL, "the CPU usage of master, percent since start"),
    COUNTER("dm_master_start_leader_counter", "started", NULL, NULL,
            "number of successful start leader"),
    COUNTER("dm_master_worker_event_error", NULL, NULL, TYPE("handle"),
            "counter for worker event error"),
    COUNTER("dm_master_worker_event_error", NULL, NULL, TYPE("watch"), ""),
    COUNTER("dm_worker_operate_error", NULL, NULL, TYPE("any"),
            "number of different operate error"),
    { 0 },
};

const struct metric_row dm_task_metrics[] = {
    GAUGE("dm_master_ddl_state_number", "unsynced", NULL, TYPE("Un-synced"),
          "number of pending DDL in different states"),
    GAUGE("dm_master_ddl_state_number", "synced", NULL, TYPE("Synced"), ""),
    SHARD_ERROR("InfoPut - SyncLockError"),
    SHARD_ERROR("InfoPut - HandleLockError"),
    SHARD_ERROR("OperationPut - RemoveLockError"),
    SHARD_ERROR("OperationPut - LockUnSyncedError"),
    SHARD_ERROR("OperationPut - PutNonOwnerOpError"),
    { 0 },
};

const struct metric_row dm_relay_metrics[] = {
    GAUGE("dm_relay_binlog_file", "source_file", NULL, NODE("master"), "current binlog file index"),
    GAUGE("dm_relay_binlog_file", "relay_file", NULL, NODE("relay"), ""),
    GAUGE("dm_relay_binlog_pos", "source_pos", NULL, NODE("master"), "current binlog position"),
    GAUGE("dm_relay_binlog_pos", "relay_pos", NULL, NODE("relay"), ""),
    GAUGE("dm_relay_sub_dir_index", "relay", "incarnation", NODE("relay"),
          "current relay sub directory index"),
    GAUGE("dm_relay_space", "space", "capacity", TYPE("capacity"),
          "the space of storage that can be used by relay"),
    GAUGE("dm_relay_space", "space", "available", TYPE("available"), ""),
    COUNTER("dm_relay_data_corruption", "corrupt", NULL, NULL, "damaged places in the relay"),
    COUNTER("dm_relay_write_error_count", NULL, NULL, NULL,
            "errors of writing: they end the relay, see dm_relay_exit_with_error_count"),
    COUNTER("dm_relay_read_error_count", "relay", "reconnects", NULL,
            "times that the stream of the source was opened again"),
    EXIT_ERRORS("dm_relay_exit_with_error_count", "relay"),
    HISTOGRAM("dm_relay_read_binlog_duration", "read",
              "bucketed histogram of read time (s) of binlog events from the journal"),
    HISTOGRAM("dm_relay_write_size", "record_size", "write relay log size"),
    HISTOGRAM("dm_relay_write_duration", "record",
              "bucketed histogram of write time (s) of single relay log event"),
    EMPTY("dm_relay_read_transform_duration",
          "bucketed histogram of transform time (s) of binlog events"),
    { 0 },
};

const struct metric_row dm_subtask_metrics[] = {
    GAUGE("dm_worker_task_state", "stage", NULL, NULL,
          "state of task, 0 - invalidStage, 1 - New, 2 - Running, 3 - Paused, 4 - Stopped, 5 - "
          "Finished"),
    EXIT_ERRORS("dm_dumpling_exit_with_error_count", "dump"),
    EXIT_ERRORS("dm_loader_exit_with_error_count", "load"),
    EXIT_ERRORS("dm_syncer_exit_with_error_count", "sync"),
    GAUGE("dm_syncer_binlog_file", "master_file", NULL, NODE("master"),
          "current binlog file index"),
    GAUGE("dm_syncer_binlog_file", "syncer_file", NULL, NODE("syncer"), ""),
    GAUGE("dm_syncer_binlog_pos", "master_pos", NULL, NODE("master"), "current binlog position"),
    GAUGE("dm_syncer_binlog_pos", "syncer_pos", NULL, NODE("syncer"), ""),
    JOBS("dm_syncer_added_jobs_total", "row changes read, and DDL"),
    JOBS("dm_syncer_finished_jobs_total",
         "the same; those not yet at the target are in dm_syncer_queue_size"),
    GAUGE("dm_syncer_queue_size", "sync", "rows_in_flight", "queue_id=\"q_0\"",
          "remain size of the DML queue"),
    GAUGE("dm_syncer_ideal_qps", "sync", "recent_tps", NULL,
          "the rate at the last status, which is what can be"),
    COUNTER("dm_syncer_finished_transaction_total", "sync", "groups", NULL,
            "transactions of the target"),
    GAUGE("dm_syncer_replication_lag_gauge", "sync", "seconds_behind_master", NULL,
          "replication lag gauge in seconds between mysql and syncer"),
    HISTOGRAM("dm_syncer_replication_lag", "lag",
              "replication lag histogram in seconds between mysql and syncer"),
    GAUGE("dm_syncer_remaining_time", "remaining", NULL, NULL,
          "the remaining time in seconds to catch up with the source"),
    GAUGE("dm_syncer_unsynced_table_number", "unsynced", NULL, NULL,
          "number of unsynced tables in the subtask"),
    GAUGE("dm_syncer_shard_lock_resolving", "blocked", NULL, NULL,
          "waiting shard DDL lock to be resolved"),
    HISTOGRAM("dm_syncer_binlog_event_size", "event_size", "size of a binlog event"),
    HISTOGRAM("dm_syncer_binlog_event_row", "event_rows", "number of rows in a binlog event"),
    HISTOGRAM("dm_syncer_replication_transaction_batch", "write_rows",
              "number of sql's contained in a transaction that executed to downstream"),
    HISTOGRAM("dm_syncer_txn_duration_time", "write",
              "bucketed histogram of processing time (s) of a txn"),
    HISTOGRAM("dm_syncer_query_duration_time", "write",
              "the same: a transaction is one packet, not queries"),
    HISTOGRAM("dm_syncer_stmt_duration_time", "exec",
              "bucketed histogram of the time (s) of all statements of a txn, without its commit"),
    EMPTY(
        "dm_syncer_read_binlog_duration",
        "bucketed histogram of read time (s) for single binlog event from the relay log or master"),
    EMPTY("dm_syncer_binlog_transform_cost", "cost of binlog event transform"),
    EMPTY("dm_syncer_conflict_detect_duration",
          "bucketed histogram of conflict detect time (s) for single DML statement"),
    EMPTY("dm_syncer_add_job_duration", "bucketed histogram of add a job to the queue time (s)"),
    EMPTY("dm_syncer_dispatch_binlog_duration",
          "bucketed histogram of dispatch binlog event time (s)"),
    EMPTY("dm_syncer_skip_binlog_duration", "bucketed histogram of skip a binlog event time (s)"),
    HISTOGRAM("dm_syncer_flush_checkpoints_time_interval", "write",
              "the same as dm_syncer_txn_duration_time: each transaction has the checkpoint"),
    GAUGE("dm_validator_validator_error_count", "errors", NULL, NULL,
          "rows that were found to differ, by a comparison or after a change"),
    GAUGE("dm_validator_validator_logpos_latency", NULL, NULL, NULL,
          "the latency between validator and syncer in terms of binlog file position"),
    GAUGE("dm_validator_validator_logfile_latency", NULL, NULL, NULL,
          "the latency between validator and syncer in terms of binlog file index"),
    GAUGE("dm_validator_validator_binlog_pos", "syncer_pos", NULL, NULL,
          "binlog file pos of the validator"),
    GAUGE("dm_validator_validator_binlog_file", "syncer_file", NULL, NULL,
          "binlog file index of the validator"),
    { 0 },
};
