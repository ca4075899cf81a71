/*
 * drain_stats.h - what TiDB-Binlog's dashboards ask of a drainer: how long, how large, how many
 * errors.  As old as the drainer; any thread.
 */
#ifndef SLUICE_UNIT_DRAIN_STATS_H
#define SLUICE_UNIT_DRAIN_STATS_H

#include <jansson.h>

#include "base/histogram.h"
#include "base/thread.h"

/* One pump, by its node id. */
struct lane_stats {
    struct lane_stats *next;
    struct histogram reach_us; /* from the commit at the source until it was read here */
    struct histogram read_bytes;
    char node_id[];
};

enum drain_error { DRAIN_ERROR_PULL, DRAIN_ERROR_EXECUTE, N_DRAIN_ERRORS };

struct drain_stats {
    struct mutex lock;
    struct lane_stats *lanes GUARDED;
    struct histogram file_write_us, file_write_bytes, file_read_us; /* TiDB-Binlog's files */
    _Atomic uint64_t errors[N_DRAIN_ERRORS], corruptions, disorder, savepoints;
};

void drain_stats_init(struct drain_stats *s);
void drain_stats_fini(struct drain_stats *s);
/* Of a pump, made when it is not there yet; stays. */
struct lane_stats *drain_stats_lane(struct drain_stats *s, const char *node_id);
/* {"reach": {node id: histogram in seconds}, "read_size": {node id: histogram in bytes}} */
json_t *drain_stats_lanes(struct drain_stats *s);

#endif
