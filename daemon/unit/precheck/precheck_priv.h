/* precheck_priv.h - one check while it runs, for precheck*.c. */
#ifndef SLUICE_UNIT_PRECHECK_PRIV_H
#define SLUICE_UNIT_PRECHECK_PRIV_H

#include "mysql/dialect.h"
#include "mysql/grants.h"
#include "mysql/server.h"
#include "mysql/table_many.h"
#include "route/router.h"
#include "unit/precheck/precheck.h"

/* One end. */
struct end {
    const char *name; /* "source", "target": in "type at the source" */
    struct mysql_conn *conn;
    struct server_info info;
    struct grants grants;
    char *account; /* quoted, for GRANT */
};

struct precheck {
    struct precheck_report report;
    const struct job *job; /* NULL: the source alone */
    struct precheck_scope scope;
    bool by_gtid;
    bool behind; /* sync goes on from where DM was: tables may have come since */
    struct end from, to;
};

/* Adds a line; 'fix' (copied) may be NULL. */
void precheck_add(struct precheck *p, enum precheck_level level, const char *id, const char *fix,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* A line with the GRANT of what is missing of 'rights' (NULL at the end), if anything is; true if
 * the account may do all of it in schema 'db' (NULL: everywhere). */
bool precheck_rights(struct precheck *p, const struct end *e, enum precheck_level level,
                     const char *const *rights, const char *db, const char *what_for);
bool precheck_right(struct precheck *p, const struct end *e, enum precheck_level level,
                    const char *right, const char *db, const char *what_for);

struct server_kind precheck_kind(const struct end *e);

void precheck_source_lines(struct precheck *p); /* precheck_source.c */
/* Does the source have the position that sync is to start from? */
void precheck_start_line(struct precheck *p, const struct position *start);
void precheck_target_lines(struct precheck *p);                /* precheck_target.c */
void precheck_dm_lines(struct precheck *p);                    /* precheck_dm.c; both are open */
int precheck_table_lines(struct precheck *p, struct err *err); /* precheck_table.c */
/* precheck_left.c: what of the schemas of 'names' in scope is not copied. */
int precheck_left_lines(struct precheck *p, const struct table_names *names, struct err *err);
/* precheck_online.c: which of 'names', all of the source, gh-ost and others work on. */
void precheck_online_lines(struct precheck *p, const struct table_names *names);
int precheck_folder_lines(struct precheck *p, struct err *err); /* precheck_folder.c */

/* --- tables --- */

/* A table in scope. */
struct pair {
    struct table_def *from, *to; /* to: NULL if the target does not have it */
    struct route route;
    char *label; /* "shop.orders", or "shop.orders -> s2.orders" */
};

struct tables {
    struct precheck *p;
    struct table_many from, to; /* definitions */
    struct table_names there;   /* what the target has, by name */
    char **collations;          /* names that the target knows, sorted */
    size_t n_collations;
    char **targets; /* names already taken by tables of this source */
    size_t n_targets;
    json_t *taken; /* the same, as keys */
    struct {
        char *schema;
        json_t *names; /* as keys */
    } joined;          /* MariaDB: those of one schema that have foreign keys, seen or not */
    unsigned n, n_keyless, n_foreign, n_views; /* in scope */
};

int precheck_by_text(const void *a, const void *b); /* for qsort() of texts */

/* precheck_table.c: the target is as the source was earlier, and the DDL since then is still to
 * come: the source as it is now says little. */
bool precheck_is_behind(const struct precheck *p);
/* precheck_column.c: types, collations, columns that only one end has */
void precheck_columns(struct tables *t, const struct pair *pair);
/* precheck_key.c: keys, engines, foreign keys */
void precheck_keys(struct tables *t, const struct pair *pair);

#endif
