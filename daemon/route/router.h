/*
 * router.h - which tables and which changes go where, under what name.
 *
 * Pure: built once from the rules of a task, asked once per table id, never
 * changed (so it is shared between threads without a lock).  Names compare as
 * 'fold_case' says (lower_case_table_names of the source).  Patterns: pattern.h.
 *
 * A table is in scope when a migrate rule covers it (none given: all are) and the
 * block and allow list lets it pass, in DM's order: with do rules for schemas the
 * schema must match one, else it must match no ignore rule for schemas; then a do
 * rule for tables keeps it, an ignore rule for tables drops it, and it stays if there
 * are no do rules for tables.  System schemas and 'meta_schema' never are in scope.
 *
 * gh-ost and pt-online-schema-change rebuild a table t as _t_gho or _t_new, beside _t_ghc, and end
 * with a RENAME that swaps it for t, which becomes _t_del or _t_old (or as 'online_ghosts' and
 * 'online_trash' say: online.h).  With 'online_tables' these are in scope when t is, unless an
 * ignore rule for tables matches them, and become _x_gho (...) when t becomes x: the RENAME then
 * means the same in the target.  Where several tables become one that cannot be: with 'hide_online'
 * none of them is ever in scope, and router_online() tells them, so that the RENAME can be read as
 * the statements that the new table had (sync_online.h).
 */
#ifndef SLUICE_ROUTE_ROUTER_H
#define SLUICE_ROUTE_ROUTER_H

#include <stdbool.h>

#include "base/err.h"
#include "route/online.h"

struct router;

/* A column of the target that says where a row is from. */
enum router_part { ROUTER_TABLE, ROUTER_SCHEMA, ROUTER_SOURCE };
struct router_extract {
    enum router_part part;
    const char
        *expression; /* of the part's name at the source; the column gets what its groups match */
    const char *column;
};

struct router_rule {                  /* of table_migrate_rule, and block/allow lists */
    const char *schema, *table;       /* patterns; table "" or NULL: the whole schema */
    const char *to_schema, *to_table; /* NULL or "": keep the name */
    const struct router_extract *extracts;
    unsigned n_extracts; /* of a route, at most ROUTER_EXTRACTS */
};

enum { ROUTER_EXTRACTS = 3 };

struct router_config {
    const struct router_rule *migrate_rules; /* any of them covers a table; empty: all tables */
    const struct router_rule *do_rules;      /* allow list: empty allows all */
    const struct router_rule *ignore_rules;  /* block list */
    const struct router_rule *routes;        /* table routes win over schema routes */
    unsigned n_migrate, n_do, n_ignore, n_routes;
    const char *meta_schema; /* ours, if the source happens to hold one; may be NULL */
    bool fold_case;
    struct online_rules online_ghosts, online_trash;
    bool online_tables; /* those that online schema change tools work on go where their table goes,
                         */
    bool hide_online;   /* ... or nowhere, whatever the rules say */
};

/* Everything of 'c' is copied.  -EINVAL for a pattern that is none. */
int router_new(const struct router_config *c, struct router **ret, struct err *err);
void router_free(struct router *r); /* NULL is fine */

static inline void router_freep(struct router **r) /* for SCOPED() */
{
    router_free(*r);
}

struct route {
    char to_schema[193], to_table[193]; /* 64 characters of UTF-8 and a NUL */
    bool whole; /* router_schema(): all its tables are in scope and go to 'to_schema' unrenamed, so
                 * that DROP DATABASE means the same there */
};

/* Is db.table in scope, and what is it called in the target?  System schemas never are.
 * False: not in scope.  router_schema() asks for statements about a whole schema. */
bool router_table(const struct router *r, const char *schema, const char *table, struct route *ret);
bool router_schema(const struct router *r, const char *schema, struct route *ret);

/* With 'online_tables' or 'hide_online': of which table, 'base', is it?  ONLINE_NONE without, and
 * for tables of others than those in scope. */
enum router_online router_online(const struct router *r, const char *schema, const char *table,
                                 char base[static 193]);

/* Is the answer for this table a clear one?  -EEXIST when two routes match it, with both in
 * the sentence (router_table() then goes by the first); -E2BIG when an expression ran away
 * (counted as no match).  To be asked of each table before its first row is moved. */
int router_check(const struct router *r, const char *schema, const char *table, struct err *err);

/* The columns that the table's route fills from names, '' where the expression does not match. */
struct router_extracted {
    unsigned n;
    struct {
        char column[193], value[256];
    } at[ROUTER_EXTRACTS];
};
void router_extracted(const struct router *r, const char *source, const char *schema,
                      const char *table, struct router_extracted *ret);

#endif
