/*
 * source_def.h - asks a source for the definition of a table, over a connection that is kept.
 */
#ifndef SLUICE_UNIT_SOURCE_DEF_H
#define SLUICE_UNIT_SOURCE_DEF_H

#include "base/err.h"

struct mysql_conn;
struct mysql_params;
struct table_def;

/* '*c' is NULL, or the connection of an earlier call: opened when it is not there, closed when it
 * was lost.  -ENOENT: there is no such table; -ECONNREFUSED, -ECONNRESET, -ETIMEDOUT, ... */
int source_def_read(struct mysql_conn **c, const struct mysql_params *from, const char *schema,
                    const char *name, struct table_def **ret, struct err *err);

#endif
