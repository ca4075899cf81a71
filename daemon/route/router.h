/*
 * router.h - which tables and which changes go where, under what name.
 *
 * Pure: built once from the rules of a task, asked once per table id, never
 * changed (so it is shared between threads without a lock).  Names compare as
 * 'fold_case' says (lower_case_table_names of the source).
 *
 * Patterns: `*` and `?` and `[a-z]` wildcards as in DM, `~` starts a regular
 * expression (PCRE2, with match limits).
 */
#ifndef SLUICE_ROUTE_ROUTER_H
#define SLUICE_ROUTE_ROUTER_H

#include <stdbool.h>

#include "base/err.h"

struct router;

struct router_rule {                  /* of table_migrate_rule, and block/allow lists */
    const char *schema, *table;       /* patterns; table "" or NULL: the whole schema */
    const char *to_schema, *to_table; /* NULL: keep the name */
};

struct router_config {
    const struct router_rule *do_rules;     /* allow list: empty allows all */
    const struct router_rule *ignore_rules; /* block list */
    const struct router_rule *routes;       /* table routes win over schema routes */
    unsigned n_do, n_ignore, n_routes;
    bool fold_case;
};

int router_new(const struct router_config *c, struct router **ret, struct err *err);
void router_free(struct router *r);

struct route {
    char to_schema[193], to_table[193]; /* 64 characters of UTF-8 and a NUL */
};

/* Is db.table in scope, and what is it called in the target?  System schemas never are.
 * False: not in scope.  router_schema() asks for statements about a whole schema. */
bool router_table(const struct router *r, const char *schema, const char *table, struct route *ret);
bool router_schema(const struct router *r, const char *schema, struct route *ret);

#endif
