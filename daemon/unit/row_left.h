/*
 * row_left.h - what a task leaves out of a table on purpose: what the ends may differ in without
 * a fault (expression_filter, binlog_filter_rule).
 *
 *     row_left_init(&left, job, source, "shop", "orders", &err);
 *     if (left.inserts) ... "SELECT id, (<inserts>) IS TRUE FROM shop.orders"
 *
 * Whether a row is at the target hangs on what it was at each of its changes.  Where updates or
 * deletes are left out that cannot be told, and nobody may mend such a row without being asked.
 * Where inserts are, the rule is the row as it is now: what a copy of the table would bring today
 * belongs there, what it would not may be missing.  So a row that was kept out, and was changed
 * since so that the rule lets it pass, counts as missing, and a repair brings it; sync itself only
 * changes rows that are there (target.h: may_lack), as DM does.
 *
 * Expressions are given to the source, which evaluates them as route/expr.h does.
 */
#ifndef SLUICE_UNIT_ROW_LEFT_H
#define SLUICE_UNIT_ROW_LEFT_H

#include "mysql/conn.h"
#include "unit/job.h"

struct row_left {
    /* Of enum filter_rows.  FILTER_ROWS_INSERT: all of them; the others: some, or all. */
    unsigned kinds;
    char *inserts; /* a condition over the source's columns: rows that are not inserted; or NULL */
};

/* Rules whose columns the table does not have leave nothing out, as while rows are applied. */
int row_left_init(struct row_left *l, const struct job *job, struct mysql_conn *source,
                  const char *db, const char *table, struct err *err);
void row_left_fini(struct row_left *l);

/* Does anything of the table stay behind?  Asks nobody. */
bool row_left_any(const struct job *job, const char *db, const char *table);

#endif
