/*
 * ddl_lex.h - SQL text as tokens, as far as ddl.c needs them.
 *
 * Comments are skipped; what stands in an executable comment (of MySQL's and
 * MariaDB's, with any version) comes out as tokens.  Source: MySQL 8.4
 * Reference Manual, "Comments", "String Literals", "Schema Object Names".
 */
#ifndef SLUICE_ROUTE_DDL_LEX_H
#define SLUICE_ROUTE_DDL_LEX_H

#include "base/arena.h"
#include "base/slice.h"

enum ddl_token_kind {
    DDL_TOKEN_END,
    DDL_TOKEN_WORD,   /* keyword, number or plain name */
    DDL_TOKEN_QUOTED, /* `name`, or "name" with ansi_quotes */
    DDL_TOKEN_STRING,
    DDL_TOKEN_PUNCT, /* one byte */
};

struct ddl_token {
    enum ddl_token_kind kind;
    size_t at, size;
    bool after_dot; /* then a word is no keyword */
};

struct ddl_lexer {
    struct slice sql;
    size_t at;
    bool ansi_quotes, no_backslash_escapes;
    unsigned n_open; /* executable comments that have not ended */
    bool after_dot;
};

struct ddl_token ddl_lex(struct ddl_lexer *l);

/* Is it this keyword (in capitals), or this one punctuation mark? */
bool ddl_token_is(const struct ddl_lexer *l, const struct ddl_token *t, const char *word);
/* A name without its quotes; in the arena if it had any. */
struct slice ddl_token_name(const struct ddl_lexer *l, const struct ddl_token *t,
                            struct arena *arena);

/* Do two statements say the same?  Letter case, quotes of names, comments and blanks do not count
 * (strings do). */
bool ddl_same(struct slice a, struct slice b);

#endif
