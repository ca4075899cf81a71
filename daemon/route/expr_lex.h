/*
 * expr_lex.h - the text of an expression as tokens, one at hand.
 *
 *     struct expr_lexer l = { .sql = text, .arena = &arena, .err = err };
 *     int rc = expr_advance(&l);
 *
 *     if (rc >= 0 && (rc = expr_accept(&l, "CASE")) > 0)
 *         ...
 *
 * What fails has its sentence in l.err, with what stands there.  Texts without escapes are in the
 * arena; words and numbers are the text itself.  Source: MySQL 8.4 Reference Manual, "Literal
 * Values", "Schema Object Names".
 */
#ifndef SLUICE_ROUTE_EXPR_LEX_H
#define SLUICE_ROUTE_EXPR_LEX_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

enum expr_token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED, /* `name` */
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_HEX,  /* x'..', 0x.. and b'..' */
    TOKEN_MARK, /* of one to three bytes */
};

struct expr_lexer {
    struct slice sql;
    struct arena *arena;
    struct err *err;
    size_t at;             /* behind the token at hand */
    enum expr_token token; /* at hand */
    struct slice text;     /* of it; of QUOTED, STRING and HEX: what it means */
    unsigned depth;        /* the parser's: how deep it is nested */
};

/* 0, -EINVAL: to the next token. */
int expr_advance(struct expr_lexer *l);
/* Is the token at hand this word or mark? */
bool expr_is(const struct expr_lexer *l, const char *word);
/* Steps over it if it is: 1; 0: it is not; -EINVAL. */
int expr_accept(struct expr_lexer *l, const char *word);
/* Likewise, and -EINVAL where it is not. */
int expr_expect(struct expr_lexer *l, const char *word);
/* -EINVAL: 'what', and where in the text. */
int expr_fail(struct expr_lexer *l, const char *what);

#endif
