/*
 * filter.h - which kinds of changes and which statements of a table are left out (DM's
 * binlog_filter_rule: ignore_event and ignore_sql).
 *
 * A rule covers the tables that its patterns match.  Its events are words, of which the first that
 * covers what is at hand decides: "all", "all dml", "all ddl" and names ("delete", "drop column")
 * leave it out, "none", "none dml" and "none ddl" keep it.  Its expressions (pcre2, without case,
 * unanchored) leave out statements that one of them matches.  What no rule leaves out stays.
 *
 * An ALTER TABLE is judged clause by clause, so that a part of it may stay.  Expressions see a
 * statement twice: as the source logged it, and as DM would print it, which patterns written for
 * DM expect: ALTER TABLE `db`.`t` ADD COLUMN `c` INT, one clause at a time.  A rule for every
 * schema ("*") sees what was logged as a whole, as in DM.
 *
 * Pure; made once, read by any thread.  Ask filter_rows() once a table, not once a row.
 */
#ifndef SLUICE_ROUTE_FILTER_H
#define SLUICE_ROUTE_FILTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "route/ddl.h"

struct filter;

struct filter_rule {
    const char *name;            /* for sentences */
    const char *schema, *table;  /* patterns; table "" or NULL: the whole schema */
    const char *const *events;   /* words */
    const char *const *patterns; /* expressions */
    size_t n_events, n_patterns;
};

/* Everything of 'rules' is copied.  -EINVAL: a word or a pattern that is none. */
int filter_new(const struct filter_rule *rules, size_t n, bool fold_case, struct filter **ret,
               struct err *err);
void filter_free(struct filter *f); /* NULL is fine */

/* Are these a rule's words and expressions?  -EINVAL. */
int filter_check(const struct filter_rule *rule, struct err *err);

enum filter_rows {
    FILTER_ROWS_INSERT = 1,
    FILTER_ROWS_UPDATE = 2,
    FILTER_ROWS_DELETE = 4,
    FILTER_ROWS_ALL = 7,
};

/* Of enum filter_rows, the changes of this table that are left out.  'f' NULL: none. */
unsigned filter_rows(const struct filter *f, const char *schema, const char *table);

struct filter_statement {
    struct slice sql;
    const struct ddl *ddl; /* ddl_scan()'s */
    bool ansi_quotes, no_backslash_escapes;
    const char *schema, *table; /* one of the tables that it names; "" for none */
    /* What is known of a column before the statement ("varchar(20)", and whether it counts by
     * itself), and of an index; NULL: nobody knows, and what depends on it stays. */
    bool (*column)(void *arg, struct slice name, struct slice *type, bool *auto_increment);
    bool (*is_unique)(void *arg, struct slice index);
    void *arg;
};

enum filter_verdict {
    FILTER_KEEP,
    FILTER_IGNORE,
    FILTER_PART,   /* some clauses: the statement without them is in 'rest' */
    FILTER_TANGLE, /* some clauses, which cannot be parted from the others (executable comments) */
};

/* 'arena' is for a moment.  'f' NULL: FILTER_KEEP. */
enum filter_verdict filter_ddl(const struct filter *f, const struct filter_statement *st,
                               struct arena *arena, struct buf *rest);

#endif
