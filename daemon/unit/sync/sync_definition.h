/*
 * sync_definition.h - inside sync_table: which definition tells the columns of a table's rows, and
 * what they are by it.  sync_table.h says who is asked in which order.
 */
#ifndef SLUICE_UNIT_SYNC_DEFINITION_H
#define SLUICE_UNIT_SYNC_DEFINITION_H

#include "unit/schema/schema_known.h"
#include "unit/sync/sync_table.h"

struct definitions {
    const struct job *job;
    struct mysql_conn *target, *source; /* 'source' is ours, connected to when it is needed first */
    struct known known;
};

/* Completes the map of 't', which goes to 'to', and makes its target; the errors are those of
 * sync_tables_map(). */
int definitions_complete(struct definitions *d, struct sync_table *t, const struct route *to,
                         uint64_t seq, struct position *hold_until, struct err *err);

#endif
