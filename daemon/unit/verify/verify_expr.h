/*
 * verify_expr.h - a row as text that is the same at both ends if its values are: what the servers
 * make checksums of.
 *
 * Pure.  Each column is printed in a form that both ends share: numbers as numbers (not as
 * ZEROFILL or a shorter FLOAT would show them), times in UTC, text as its bytes, or in
 * UTF-8 where the character sets differ, JSON as MySQL prints it, addresses and UUIDs as text. Long
 * values go in by their SHA-256 (MySQL 9.6 has no MD5 any more).  Lengths at the end keep
 * ('a','bc') and ('ab','c') apart, and NULL from ''.
 */
#ifndef SLUICE_UNIT_VERIFY_EXPR_H
#define SLUICE_UNIT_VERIFY_EXPR_H

#include "base/buf.h"
#include "mysql/table.h"

/* What the two ends compare. */
struct verify_exprs {
    char *source, *target; /* expressions of one string each */
    char *left_out;        /* columns that cannot be compared, commas between; "" none */
};

/* -EINVAL: the target lacks a column. */
int verify_exprs_init(struct verify_exprs *e, const struct table_def *source,
                      const struct table_def *target, struct err *err);
void verify_exprs_fini(struct verify_exprs *e);

#endif
