/*
 * pump.h - pumps/<p>/: a source's journal under the name and with the life cycle of TiDB-Binlog.
 *
 *     pump_doc.c     its document            pump.c       what it does while it runs
 *     registrant.h   states, registry        pump_node.c  its rows; registrants.h: the collection
 *     pump_gc.c      what may go             pump_binlog.c  one transaction by its commit_ts
 *     pump_time.c    from which commit_ts on is from now on
 *
 * A pump owns no data: its source's relay writes the journal, once for all who read it.  Started,
 * it wants the relay at work; paused, drainers wait for it; closed, it is taken away once every
 * drainer that is not offline has consumed what it has.
 */
#ifndef SLUICE_UNIT_PUMP_H
#define SLUICE_UNIT_PUMP_H

#include "unit/drain/registrant.h"

struct journal;

/* For the root's parts, /schema and the manual. */
const struct node_type *pumps_type(void);

/* The collection with every pump of the catalog; one reference, the caller's. */
struct node *pumps_new(const struct registry_config *c, struct err *err);
void pumps_start(struct node *pumps); /* those that were online */
void pumps_stop(struct node *pumps);

/* --- for drainers --- */

struct pump_view {
    char *name, *node_id, *source; /* of its directory; as registered; of its source */
    enum node_state state;
    struct journal *journal; /* a reference; NULL: the source has none */
};
/* All pumps, or those that 'names' has; free by pump_views_free(). */
struct pump_view *pump_views(struct node *pumps, const json_t *names, size_t *n);
void pump_views_free(struct pump_view *views, size_t n);

/* Where a drainer begins that is to read these pumps from now on: all that is stored later has a
 * greater commit_ts, and, in those that are not far behind their sources, all that is stored now
 * has one up to it.  Waits for the disk, two seconds at most for each pump. */
uint64_t pumps_fresh_ts(struct node *pumps, const json_t *names, struct registry *r);

#endif
