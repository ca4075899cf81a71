/*
 * sync_extra.h - columns of a target's table that say where its rows are from (extract_table,
 * extract_schema, extract_source): the same value in each row of a table of the source.
 *
 * They stand behind the source's columns, in a struct target_table and in the images of rows alike.
 */
#ifndef SLUICE_UNIT_SYNC_EXTRA_H
#define SLUICE_UNIT_SYNC_EXTRA_H

#include "binlog/rows.h"
#include "route/router.h"
#include "sink/target.h"
#include "unit/job.h"

struct extra {
    unsigned n;
    struct value values[ROUTER_EXTRACTS]; /* of 'names' */
    struct router_extracted names;
};

/* target_table_new() with them.  'ret' stays where it is as long as its values are used. */
int extra_target(const struct job *job, const char *schema, const char *table,
                 const struct table_def *to, const char *const *names, unsigned n,
                 struct extra *ret, struct target_table **target, struct err *err);
/* Into the images of a row, of 'n_cols' values each with them. */
void extra_fill(const struct extra *x, enum rows_kind kind, struct value *row, unsigned n_cols);

#endif
