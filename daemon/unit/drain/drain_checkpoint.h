/*
 * drain_checkpoint.h - a copy of the savepoint in TiDB-Binlog's table, for its tools:
 * tidb_binlog.checkpoint (clusterID, checkPoint), where checkPoint is JSON.
 *
 * A copy: where a drainer goes on is in the target's transactions, or in our savepoint.
 */
#ifndef SLUICE_UNIT_DRAIN_CHECKPOINT_H
#define SLUICE_UNIT_DRAIN_CHECKPOINT_H

#include "unit/drain/drain_merge.h"
#include "unit/drain/drain_target.h"

struct drain_checkpoint;

/* NULL unless to.checkpoint.type asks for a table.  'doc' and 't' are borrowed. */
struct drain_checkpoint *drain_checkpoint_new(const char *drainer, const json_t *doc,
                                              const struct drain_target *t);
void drain_checkpoint_free(struct drain_checkpoint *c); /* NULL is fine */
/* NULL does nothing.  Five tries. */
int drain_checkpoint_write(struct drain_checkpoint *c, const struct drain_place *place,
                           bool consistent, struct err *err);

#endif
