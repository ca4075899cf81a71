/*
 * dm_metrics.h - DM's metrics, under its names and with its labels: what its dashboards and alarms
 * ask for.  Ours follow on the same page.
 *
 * Rows in groups, by what a sample is of.  What nothing here is like is 0, or an empty histogram,
 * so that an alarm on it stays defined.
 *
 * Source: "Monitoring Metrics" of DM; dm/master/metrics, dm/worker/metrics, dm/relay/metrics,
 * dm/syncer/metrics, dm/loader/metrics, dm/dumpling/metrics, dm/syncer/validator of
 * pingcap/tiflow.
 */
#ifndef SLUICE_HTTP_DM_METRICS_H
#define SLUICE_HTTP_DM_METRICS_H

#include <stdbool.h>

#include "http/compat/metric.h"

/* Of a worker (there is one); of a source; of a task; of a source of a task. */
extern const struct metric_row dm_worker_metrics[], dm_relay_metrics[], dm_task_metrics[],
    dm_subtask_metrics[];

/* The number of a stage in dm_worker_task_state, by its word ("Running"). */
int dm_stage_number(const char *stage);
/* "(mysql-bin.000003, 1979)" -> 3 and 1979; false: it is no such place. */
bool dm_place(const char *text, long long *file, long long *offset);

#endif
