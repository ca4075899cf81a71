/*
 * pattern.h - one pattern for names of schemas and tables, as DM writes them.
 *
 *     orders            exactly that
 *     ord*  ord?  ord[0-9]  ord[!x]      * any run, ? one character, a class
 *     ~^ord(ers)?$      a regular expression, unanchored (PCRE2, UTF-8)
 *
 * A wildcard pattern is matched in time pattern x name, whatever it is; a regular
 * expression has a match limit, since `(a*)*b` would else run for years.
 */
#ifndef SLUICE_ROUTE_PATTERN_H
#define SLUICE_ROUTE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pattern;

/* 'fold' ignores the case: of ASCII letters in wildcards, of all in expressions.
 * -EINVAL says where an expression or a class is wrong. */
int pattern_new(const char *text, bool fold, struct pattern **ret, struct err *err);
void pattern_free(struct pattern *p); /* NULL is fine */
const char *pattern_text(const struct pattern *p);

/* 1 it matches, 0 it does not, -E2BIG when the expression took more than its limit.  Any thread. */
int pattern_match(const struct pattern *p, const char *name);

/* --- of expressions alone --- */

unsigned pattern_n_groups(const struct pattern *p);
/* Where the first group is in 'name'.  As pattern_match(); 0 also if the group has no part in it.
 */
int pattern_group(const struct pattern *p, const char *name, size_t *at, size_t *size);
/* Appends what its groups matched in 'name', one behind the other; the whole of it when it has no
 * group.  As pattern_match(). */
struct buf;
int pattern_groups(const struct pattern *p, const char *name, struct buf *out);

#endif
