/*
 * drain_target.h - the MySQL or MariaDB server that a drainer writes to: how to connect, and the
 * mark table of loopback control (tidb-binlog.md 4.4).
 */
#ifndef SLUICE_UNIT_DRAIN_TARGET_H
#define SLUICE_UNIT_DRAIN_TARGET_H

#include "unit/drain/drain_filter.h"
#include "unit/drain/drainer_priv.h"

struct drain_target {
    struct job job; /* filled in by hand: from is nobody, its other strings are ours */
    struct drain_filter *filter;
    json_t *doc;
    char *task;
};

/* From the drainer's document.  Until close() the drainer can be woken, and cut off. */
int drain_target_open(struct drain_target *t, struct drainer *d, const json_t *doc,
                      struct err *err);
void drain_target_close(struct drain_target *t, struct drainer *d);
/* What drainer_ops.wake stops; NULL: nothing. */
void drain_target_feed(struct drain_target *t, struct drainer *d, struct drain_feed *feed);

/* Are rows that a foreign key changed in the stream of a server that writes this format? */
bool drain_target_cascades(const struct event_format *fmt);

#define DRAIN_MARK_SCHEMA "retl"
#define DRAIN_MARK_TABLE "_drainer_repl_mark"
int drain_target_marks(struct mysql_conn *c, struct err *err); /* makes the table */
void drain_target_mark_sql(uint64_t channel, struct buf *out);

#endif
