/* The names that dashboards and alarms of TiDB-Binlog, kingbus and DM know, all of them. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/scope.h"
#include "http/compat/dm/dm_metrics.h"
#include "http/compat/kingbus/kingbus_metrics.h"
#include "http/compat/tidb_binlog_metrics.h"

struct known {
    const char *type, *name;
    const char *labels; /* values that must be there, between spaces; NULL: any */
};

/* Source: TiDB-Binlog's pump/metrics.go, pump/storage/metrics.go. */
static const struct known pump[] = {
    { "histogram", "binlog_pump_rpc_duration_seconds", "WriteBinlog PullBinlogs succ fail" },
    { "counter", "binlog_pump_loss_binlog_count", NULL },
    { "counter", "binlog_pump_detected_drainer_binlog_purge_count", NULL },
    { "gauge", "binlog_pump_storage_gc_ts", NULL },
    { "gauge", "binlog_pump_storage_done_gc_ts", NULL },
    { "gauge", "binlog_pump_storage_max_commit_ts", NULL },
    { "counter", "binlog_pump_storage_deleted_kv_total", NULL },
    { "gauge", "binlog_pump_storage_storage_size_bytes", "capacity available" },
    { "counter", "binlog_pump_storage_error_count",
      "write_binlog write_binlog_batch batch_write_kv read_value feed_pre_write_value" },
    { "histogram", "binlog_pump_storage_write_binlog_size", "single batch" },
    { "histogram", "binlog_pump_storage_write_binlog_duration_time",
      "single batch to_disk fsync rotate" },
    { "counter", "binlog_pump_storage_query_tikv_count", NULL },
    { "counter", "binlog_pump_storage_slow_chaser_count",
      "turned_on turned_off catch_up recovery" },
    { "histogram", "binlog_drainer_slow_chaser_catchup_time_seconds", NULL },
    { 0 },
};

/* Source: TiDB-Binlog's drainer/metrics.go, pkg/binlogfile/metrics.go. */
static const struct known drainer[] = {
    { "gauge", "binlog_drainer_pump_position", NULL },
    { "counter", "binlog_drainer_ddl_jobs_total", NULL },
    { "counter", "binlog_drainer_error_count", "pull_binlog" },
    { "counter", "binlog_drainer_disorder_binlog_count", NULL },
    { "counter", "binlog_drainer_event", "Insert Update Delete DDL savepoint" },
    { "gauge", "binlog_drainer_checkpoint_tso", NULL },
    { "gauge", "binlog_drainer_checkpoint_delay_seconds", NULL },
    { "histogram", "binlog_drainer_execute_duration_time", NULL },
    { "histogram", "binlog_drainer_query_duration_time", "exec commit update_mark_table" },
    { "histogram", "binlog_drainer_binlog_reach_duration_time", NULL },
    { "histogram", "binlog_drainer_read_binlog_size", NULL },
    { "gauge", "binlog_drainer_queue_size", "syncer_input worker_0" },
    { "histogram", "binlog_binlogfile_write_binlog_size", NULL },
    { "histogram", "binlog_binlogfile_write_binlog_duration_time", NULL },
    { "histogram", "binlog_binlogfile_read_binlog_duration_time", NULL },
    { "counter", "binlog_binlogfile_corruption_binlog_count", NULL },
    { 0 },
};

static bool has_label(const struct metric_row *rows, const char *name, const char *value,
                      size_t len)
{
    SCOPED(buf_fini) struct buf quoted = BUF_INIT;

    buf_printf(&quoted, "\"%.*s\"", (int)len, value);
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0 && rows->labels && strstr(rows->labels, quoted.data))
            return true;
    return false;
}

static const struct metric_row *row_named(const struct metric_row *rows, const char *name)
{
    for (; rows->name; rows++)
        if (strcmp(rows->name, name) == 0)
            return rows;
    return NULL;
}

static void expect_all(const struct known *known, const struct metric_row *rows)
{
    for (const struct known *k = known; k->name; k++) {
        const struct metric_row *row = row_named(rows, k->name);

        cr_expect(row, "%s is missing", k->name);
        if (row)
            cr_expect_str_eq(row->type, k->type, "%s", k->name);
        for (const char *at = k->labels; at && *at; at += strspn(at, " ")) {
            size_t len = strcspn(at, " ");

            cr_expect(has_label(rows, k->name, at, len), "%s of %.*s", k->name, (int)len, at);
            at += len;
        }
    }
    for (const struct metric_row *row = rows; row->name; row++) {
        const struct known *k = known;

        while (k->name && strcmp(k->name, row->name) != 0)
            k++;
        cr_expect(k->name, "nobody knows %s", row->name);
    }
}

Test(metric_names, a_pump_has_all_of_tidb_binlogs)
{
    expect_all(pump, pump_metrics);
}

Test(metric_names, a_drainer_has_all_of_tidb_binlogs)
{
    expect_all(drainer, drainer_metrics);
}

/* Source: kingbus's utils/metrics, server/metrics.go. */
Test(metric_names, kingbus_has_all_of_its_own)
{
    static const char *const names[] = {
        "syncer_eps",        "apply_eps",         "propose_channel_size", "read_tps",
        "read_throughput",   "read_latency_mean", "read_latency_p95",     "read_latency_max",
        "write_tps",         "write_throughput",  "write_latency_mean",   "write_latency_p95",
        "write_latency_max", "slave_eps_101",     "slave_thoughput_101",
    };
    json_t *relay = json_pack("{s:{s:i}}", "rates", "events_s", 7);
    json_t *replicas =
        json_pack("[{s:i, s:i, s:i}]", "server_id", 101, "events_s", 3, "bytes_s", 4);
    json_t *h = json_pack("{s:{s:[f,f], s:[i,i], s:i, s:f}}", "record", "le", 0.001, 0.002, "n", 90,
                          100, "count", 100, "sum", 0.1);
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    kingbus_metrics(relay, h, replicas, &out);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        SCOPED(buf_fini) struct buf line = BUF_INIT;

        buf_printf(&line, "\nkingbus_metrics_%s ", names[i]);
        cr_expect(strstr(out.data, line.data), "%s is missing", names[i]);
    }
    cr_expect(strstr(out.data, "\nkingbus_metrics_syncer_eps 7\n"));
    cr_expect(strstr(out.data, "\nkingbus_metrics_write_latency_mean 1\n"));
    cr_expect(strstr(out.data, "\nkingbus_metrics_write_latency_p95 2\n"));
    cr_expect(strstr(out.data, "\nkingbus_metrics_slave_thoughput_101 4\n"));
    json_decref(relay);
    json_decref(replicas);
    json_decref(h);
}

Test(metric_names, a_histogram_is_cumulative_and_has_its_labels)
{
    static const struct metric_row rows[] = {
        { .name = "x_seconds",
          .type = "histogram",
          .attr = "h",
          .field = "a",
          .labels = "type=\"b\"",
          .help = "X" },
        { .name = "y_bytes",
          .type = "histogram",
          .attr = "h",
          .field = "by",
          .key = "nodeID",
          .help = "Y" },
        { .name = "z", .type = "histogram", .help = "Z" },
        { .name = NULL },
    };
    static const char expected[] = "# HELP x_seconds X\n# TYPE x_seconds histogram\n"
                                   "x_seconds_bucket{type=\"b\",le=\"0.5\"} 1\n"
                                   "x_seconds_bucket{type=\"b\",le=\"+Inf\"} 3\n"
                                   "x_seconds_sum{type=\"b\"} 2.5\n"
                                   "x_seconds_count{type=\"b\"} 3\n"
                                   "# HELP y_bytes Y\n# TYPE y_bytes histogram\n"
                                   "y_bytes_bucket{nodeID=\"p:1\",le=\"+Inf\"} 0\n"
                                   "y_bytes_sum{nodeID=\"p:1\"} 0\n"
                                   "y_bytes_count{nodeID=\"p:1\"} 0\n"
                                   "# HELP z Z\n# TYPE z histogram\n"
                                   "z_bucket{le=\"+Inf\"} 0\nz_sum 0\nz_count 0\n";
    json_t *attrs = json_pack("{s:{s:{s:[f], s:[i], s:i, s:f}, s:{s:{}}}}", "h", "a", "le", 0.5,
                              "n", 1, "count", 3, "sum", 2.5, "by", "p:1");
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    metrics_of_rows(rows, attrs, &out);

    cr_assert_str_eq(out.data, expected);
    json_decref(attrs);
}

/* Source: DM's dm/master/metrics, dm/worker/metrics. */
static const struct known dm_worker[] = {
    { "gauge", "dm_master_worker_state", NULL },
    { "gauge", "dm_worker_cpu_usage", NULL },
    { "gauge", "dm_master_cpu_usage", NULL },
    { "counter", "dm_master_start_leader_counter", NULL },
    { "counter", "dm_master_worker_event_error", "handle watch" },
    { "counter", "dm_worker_operate_error", NULL },
    { 0 },
};
static const struct known dm_task[] = {
    { "gauge", "dm_master_ddl_state_number", "Un-synced Synced" },
    { "counter", "dm_master_shard_ddl_error", NULL },
    { 0 },
};
/* Source: dm/relay/metrics. */
static const struct known dm_relay[] = {
    { "gauge", "dm_relay_binlog_file", "master relay" },
    { "gauge", "dm_relay_binlog_pos", "master relay" },
    { "gauge", "dm_relay_sub_dir_index", NULL },
    { "gauge", "dm_relay_space", "capacity available" },
    { "counter", "dm_relay_data_corruption", NULL },
    { "counter", "dm_relay_write_error_count", NULL },
    { "counter", "dm_relay_read_error_count", NULL },
    { "counter", "dm_relay_exit_with_error_count", "true false" },
    { "histogram", "dm_relay_read_binlog_duration", NULL },
    { "histogram", "dm_relay_write_size", NULL },
    { "histogram", "dm_relay_write_duration", NULL },
    { "histogram", "dm_relay_read_transform_duration", NULL },
    { 0 },
};
/* Source: dm/syncer/metrics, dm/loader/metrics, dm/dumpling/metrics, dm/syncer/validator. */
static const struct known dm_subtask[] = {
    { "gauge", "dm_worker_task_state", NULL },
    { "counter", "dm_dumpling_exit_with_error_count", "true false" },
    { "counter", "dm_loader_exit_with_error_count", "true false" },
    { "counter", "dm_syncer_exit_with_error_count", "true false" },
    { "gauge", "dm_syncer_binlog_file", "master syncer" },
    { "gauge", "dm_syncer_binlog_pos", "master syncer" },
    { "counter", "dm_syncer_added_jobs_total", "insert update del ddl" },
    { "counter", "dm_syncer_finished_jobs_total", "insert update del ddl" },
    { "gauge", "dm_syncer_queue_size", NULL },
    { "gauge", "dm_syncer_ideal_qps", NULL },
    { "counter", "dm_syncer_finished_transaction_total", NULL },
    { "gauge", "dm_syncer_replication_lag_gauge", NULL },
    { "histogram", "dm_syncer_replication_lag", NULL },
    { "gauge", "dm_syncer_remaining_time", NULL },
    { "gauge", "dm_syncer_unsynced_table_number", NULL },
    { "gauge", "dm_syncer_shard_lock_resolving", NULL },
    { "histogram", "dm_syncer_binlog_event_size", NULL },
    { "histogram", "dm_syncer_binlog_event_row", NULL },
    { "histogram", "dm_syncer_replication_transaction_batch", NULL },
    { "histogram", "dm_syncer_txn_duration_time", NULL },
    { "histogram", "dm_syncer_query_duration_time", NULL },
    { "histogram", "dm_syncer_stmt_duration_time", NULL },
    { "histogram", "dm_syncer_read_binlog_duration", NULL },
    { "histogram", "dm_syncer_binlog_transform_cost", NULL },
    { "histogram", "dm_syncer_conflict_detect_duration", NULL },
    { "histogram", "dm_syncer_add_job_duration", NULL },
    { "histogram", "dm_syncer_dispatch_binlog_duration", NULL },
    { "histogram", "dm_syncer_skip_binlog_duration", NULL },
    { "histogram", "dm_syncer_flush_checkpoints_time_interval", NULL },
    { "gauge", "dm_validator_validator_error_count", NULL },
    { "gauge", "dm_validator_validator_logpos_latency", NULL },
    { "gauge", "dm_validator_validator_logfile_latency", NULL },
    { "gauge", "dm_validator_validator_binlog_pos", NULL },
    { "gauge", "dm_validator_validator_binlog_file", NULL },
    { 0 },
};

Test(metric_names, dm_has_all_of_its_own)
{
    expect_all(dm_worker, dm_worker_metrics);
    expect_all(dm_task, dm_task_metrics);
    expect_all(dm_relay, dm_relay_metrics);
    expect_all(dm_subtask, dm_subtask_metrics);
}

Test(metric_names, labels_of_nodes_stand_in_the_order_of_their_names)
{
    static const struct metric_row rows[] = {
        { .name = "x", .type = "gauge", .attr = "n", .labels = "node=\"m\"", .help = "X" },
        { .name = "x", .type = "gauge", .attr = "none", .labels = "node=\"r\"", .help = "" },
        { .name = "y", .type = "counter", .attr = "n", .labels = "type=\"t\"", .help = "Y" },
        { .name = NULL },
    };
    static const char expected[] = "# HELP x X\n# TYPE x gauge\n"
                                   "x{node=\"m\",source_id=\"s\\\"1\",worker=\"w\"} 7\n"
                                   "# HELP y Y\n# TYPE y counter\n"
                                   "y{source_id=\"s\\\"1\",type=\"t\",worker=\"w\"} 7\n";
    json_t *nodes = json_pack("[{s:{s:s, s:s}, s:{s:i}}]", "labels", "source_id", "s\"1", "worker",
                              "w", "attrs", "n", 7);
    SCOPED(buf_fini) struct buf out = BUF_INIT;

    metrics_of_nodes(rows, nodes, &out);

    cr_assert_str_eq(out.data, expected);
    json_decref(nodes);
}

Test(metric_names, dm_reads_places_and_stages)
{
    long long file, offset;

    cr_assert(dm_place("(mysql-bin.000003, 1979)", &file, &offset));
    cr_expect(file == 3 && offset == 1979);
    cr_assert(dm_place("(bin.1000000, 4)", &file, &offset));
    cr_expect(file == 1000000 && offset == 4);
    cr_expect(!dm_place("", &file, &offset) && !dm_place("(, 0)", &file, &offset));
    cr_expect_eq(dm_stage_number("Running"), 2);
    cr_expect_eq(dm_stage_number("Finished"), 5);
}
