/*
 * expr.h - SQL expressions over the columns of a row, as the servers evaluate them, for filters of
 * rows (DM's expression-filter).
 *
 *     expr_new("status IN ('new','x') AND total < 10", columns, n, &e, &err);
 *     rc = expr_true(e, get, row, &err);
 *
 * The first once a version of the table, the second once a row: 1, 0, <0.
 *
 *     expr_lex.c     text -> tokens
 *     expr_parse.c   tokens -> nodes
 *     expr_bind.c    what nodes are: types, collations, what is refused
 *     expr.c         nodes -> a value
 *     expr_call.c    functions
 *     expr_number.c  exact numbers
 *     expr_text.c    strings under collations
 *     expr_time.c    dates and times
 *
 * What is known: comparison, AND OR NOT XOR and their signs, IN, BETWEEN, LIKE, IS, CASE,
 * arithmetic, bits, COLLATE, BINARY, CAST and the functions of expr_call.c.  What is not
 * (subqueries, variables, JSON, the clock, REGEXP) is refused by expr_new() with a sentence.  DIV
 * and / by 0 are NULL.
 *
 * Strings compare under the collation of the column, as far as that can be told without the
 * server's tables: bytes under binary ones, letters without case under the usual _ci ones.  Where a
 * comparison hangs on how a collation orders or folds what is not ASCII, expr_true() fails with a
 * sentence rather than guess.  TIMESTAMP values are in UTC.
 *
 * Pure; an expression does not change and may be shared by threads.
 */
#ifndef SLUICE_ROUTE_EXPR_H
#define SLUICE_ROUTE_EXPR_H

#include "base/err.h"
#include "base/slice.h"

enum expr_type {
    EXPR_TYPE_INTEGER, /* both signs, YEAR, BIT, truth values */
    EXPR_TYPE_DECIMAL,
    EXPR_TYPE_REAL,
    EXPR_TYPE_TEXT, /* and bytes */
    EXPR_TYPE_DATE,
    EXPR_TYPE_DATETIME, /* TIMESTAMP too */
    EXPR_TYPE_TIME,
    EXPR_TYPE_ENUM,   /* and SET: given as text; as a number it is refused */
    EXPR_TYPE_OPAQUE, /* JSON, GEOMETRY, ...: only IS NULL */
};

struct expr_column {
    const char *name;
    enum expr_type type;
    const char *collation; /* of TEXT and ENUM; NULL: bytes */
};

enum expr_kind { EXPR_NULL, EXPR_INT, EXPR_UINT, EXPR_DEC, EXPR_REAL, EXPR_TEXT };

/* At home in an arena. */
typedef __int128 expr_int128 __attribute__((aligned(8)));

struct expr_decimal {
    expr_int128 n; /* times 10 to the minus 'scale' */
    unsigned scale;
};

struct expr_value {
    enum expr_kind kind;
    union {
        int64_t i;
        uint64_t u;
        double d;
        struct expr_decimal dec;
        struct slice text; /* and dates and times, as the servers print them */
    };
};

struct expr;

/* 'columns' NULL: only the syntax is looked at.  They are borrowed for the call, their collations
 * for as long as the expression lives.  -EINVAL; -ENOENT for a column that is not there. */
int expr_new(const char *text, const struct expr_column *columns, unsigned n, struct expr **ret,
             struct err *err);
void expr_free(struct expr *e); /* NULL is fine */

/* 1: true; 0: false or NULL; -ENOTSUP, -ERANGE: it cannot be told.  'get' gives the value of a
 * column, by its number in 'columns'; a text has to last until this returns. */
int expr_true(const struct expr *e, struct expr_value (*get)(void *arg, unsigned column), void *arg,
              struct err *err);

/* A decimal number from its text ("-12.50"); one of too many digits becomes a real. */
struct expr_value expr_decimal_of(struct slice s);

#endif
