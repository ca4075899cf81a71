/*
 * online.h - names of the tables that online schema change tools work on.
 *
 * gh-ost and pt-online-schema-change rebuild a table under a name of their own and swap it in with
 * a RENAME. Which names those are is said by regular expressions (PCRE2), as in DM's
 * shadow-table-rules and trash-table-rules.  Each has exactly one group: the name of the table that
 * is changed.  Without rules of one's own:
 *
 *     ghost   ^_(.+)_(?:new|gho)$        it becomes the table
 *     trash   ^_(.+)_(?:ghc|del|old)$    a log, a lock, or what the table was
 *
 *     online_name(o, "_orders_gho", &at, &size)   is ONLINE_GHOST; "orders" is at 1, 6 bytes
 *
 * Pure; never changed once it is made, so any thread may ask.
 */
#ifndef SLUICE_ROUTE_ONLINE_H
#define SLUICE_ROUTE_ONLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum router_online { ONLINE_NONE, ONLINE_GHOST, ONLINE_TRASH };

struct online_rules { /* expressions; none: those above */
    const char *const *at;
    unsigned n;
};

struct online_names;

/* Copied.  -EINVAL: an expression is none, or has not one group. */
int online_names_new(struct online_rules ghosts, struct online_rules trash, bool fold,
                     struct online_names **ret, struct err *err);
void online_names_free(struct online_names *o); /* NULL is fine */

/* What a table is by its name, and where in it the name of the changed table is. */
enum router_online online_name(const struct online_names *o, const char *table, size_t *at,
                               size_t *size);

#endif
