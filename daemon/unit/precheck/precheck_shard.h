/*
 * precheck_shard.h - can the tables that become one be merged, as their structures are now?
 *
 * Pessimistic sharding brings the DDL of all to one order and starts from equal columns; optimistic
 * sharding needs a structure that takes the rows of all (route/shard_table.h).
 */
#ifndef SLUICE_UNIT_PRECHECK_SHARD_H
#define SLUICE_UNIT_PRECHECK_SHARD_H

#include <jansson.h>

#include "unit/job.h"
#include "unit/precheck/precheck.h"

/* A table that becomes another with others: {"source", "schema", "table", "create"}, and "make":
 * the target's, quoted, if a copy is to make that (NULL: it is there). */
json_t *precheck_shard_new(const char *source, const char *schema, const char *table,
                           const char *create, const char *make);

/* Adds the lines of what keeps 'mine' and 'first' from being one; 'mine' is of the source that the
 * report is of. */
void precheck_shard_compare(struct precheck_report *r, enum shard_mode mode, const json_t *first,
                            const json_t *mine);

#endif
