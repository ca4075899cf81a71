/*
 * drain_filter.h - what a drainer leaves out, and under which name the rest goes (tidb-binlog.md
 * 4.3): the allow and block lists and the routes as a router, and the filters of kinds of changes.
 *
 * Pure; made once, read by any thread.
 */
#ifndef SLUICE_UNIT_DRAIN_FILTER_H
#define SLUICE_UNIT_DRAIN_FILTER_H

#include <jansson.h>

#include "binlog/rows.h"
#include "route/filter.h"
#include "route/router.h"

struct drain_filter;

/* 'doc' is a drainer's whole document.  -EINVAL: an expression that is none, a rule that is not
 * there. */
int drain_filter_new(const json_t *doc, struct drain_filter **ret, struct err *err);
void drain_filter_free(struct drain_filter *f); /* NULL is fine */

const struct router *drain_filter_router(const struct drain_filter *f);
/* Bits by enum rows_kind: the changes of this table that are left out. */
unsigned drain_filter_rows(const struct drain_filter *f, const char *schema, const char *table);
/* The same and statements, as whoever asks about those wants it; NULL: none is left out. */
const struct filter *drain_filter_changes(const struct drain_filter *f);
bool drain_filter_server(const struct drain_filter *f, uint32_t server_id);

#endif
