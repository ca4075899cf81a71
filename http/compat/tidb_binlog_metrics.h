/* tidb_binlog_metrics.h - the metrics of pumps and drainers under TiDB-Binlog's names: all that its
 * dashboards and alarms ask for.  The attributes are those of the unit, with its "histograms" and
 * "errors" beside. */
#ifndef SLUICE_HTTP_TIDB_BINLOG_METRICS_H
#define SLUICE_HTTP_TIDB_BINLOG_METRICS_H

#include "http/compat/metric.h"

extern const struct metric_row pump_metrics[], drainer_metrics[]; /* ended by one without a name */

#endif
