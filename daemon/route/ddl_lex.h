/*
 * ddl_lex.h - SQL text as tokens, as far as the scanners of DDL need them.
 *
 * ddl_lex() gives one after the other; a ddl_reader keeps one at hand, which is what the scanners
 * (ddl.c, alter.c, shard_table_parse.c) ask and step over:
 *
 *     struct ddl_reader in = { .lexer = { .sql = sql } };
 *
 *     ddl_advance(&in);
 *     if (ddl_accept(&in, "DROP") && ddl_accept(&in, "TABLE"))
 *         name = ddl_name_here(&in, arena);
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

/* --- one token at hand --- */

struct ddl_reader {
    struct ddl_lexer lexer;
    struct ddl_token tok; /* the one at hand */
    size_t end;           /* of the one before */
    unsigned depth;       /* of parentheses around it */
};

void ddl_advance(struct ddl_reader *r);
bool ddl_is(const struct ddl_reader *r, const char *word);
bool ddl_is_any(const struct ddl_reader *r, const char *const *words); /* NULL ends them */
bool ddl_next_is(const struct ddl_reader *r, const char *word);        /* the one behind it */
bool ddl_at_end(const struct ddl_reader *r);
bool ddl_at_name(const struct ddl_reader *r);
struct slice ddl_name_here(const struct ddl_reader *r,
                           struct arena *arena); /* as ddl_token_name() */
/* Steps over the word if it is at hand. */
bool ddl_accept(struct ddl_reader *r, const char *word);
/* Steps over IF [NOT] EXISTS; false: that does not stand here. */
bool ddl_accept_if_exists(struct ddl_reader *r);

/* --- whole statements --- */

/* Do two statements say the same?  Letter case, quotes of names, comments and blanks do not count
 * (strings do). */
bool ddl_same(struct slice a, struct slice b);

#endif
