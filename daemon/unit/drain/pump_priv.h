/* pump_priv.h - a pump, for pump.c, pump_gc.c, pump_node.c and pump_binlog.c. */
#ifndef SLUICE_UNIT_PUMP_PRIV_H
#define SLUICE_UNIT_PUMP_PRIV_H

#include "unit/drain/pump.h"

struct source;

struct pump {
    struct unit unit; /* first */
    struct registrant reg;
    atomic_bool gc_wanted, gc_works;
    atomic_bool no_space; /* the source is not read for want of space */
    _Atomic uint64_t gc_ts, done_gc_ts, available_bytes, capacity_bytes;
    _Atomic uint64_t deleted_records; /* by gc */
    _Atomic uint64_t purge_detected;  /* times that a drainer came close to what gc takes */
};

static inline struct pump *pump_of(const struct node *n)
{
    return node_owner((struct node *)n, struct pump, unit.node);
}

/* The journal, a reference; -ENOENT with a sentence when there is none yet.  Also while it does
 * not run. */
int pump_journal(struct pump *p, struct journal **ret, struct err *err);

/* pump.c */
extern const struct unit_ops pump_ops;

/* pump_time.c: the row commit_ts */
json_t *pump_get_fresh(const struct node *n, const struct attr *a, struct err *err);

/* pump_gc.c: once, now. */
int pump_gc(struct pump *p, struct journal *j, struct err *err);

/* pump_binlog.c: the directory binlog/. */
extern const struct node_type pump_binlog_type;
int pump_binlog_add(struct pump *p, struct err *err);
void pump_binlog_clear(struct pump *p); /* before it is taken out of the tree */

#endif
