/*
 * kingbus_metrics.h - kingbus's /metrics, under its names (also "slave_thoughput").
 *
 * What kingbus proposes to raft and applies is what the relay stores: write_* are the records that
 * reach the disk, read_* the journal's reads from it.  Latencies are milliseconds since the daemon
 * started; of a histogram, so the 95th part and the greatest are bounds of its buckets.
 */
#ifndef SLUICE_HTTP_KINGBUS_METRICS_H
#define SLUICE_HTTP_KINGBUS_METRICS_H

#include <jansson.h>

struct buf;

/* 'relay', its 'histograms', and the attributes of each replica; NULL: there is none. */
void kingbus_metrics(const json_t *relay, const json_t *histograms, const json_t *replicas,
                     struct buf *out);

#endif
