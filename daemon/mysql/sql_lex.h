/*
 * sql_lex.h - the words of a statement that a client of ours sent.
 *
 * Lenient: it takes what any client library writes, and what it does not know is a token too, so
 * that the parser can say no to a statement and never has to close a connection.  Comments are
 * left out, the bodies of executable ones (slash, star, bang) are code.  Pure.
 */
#ifndef SLUICE_MYSQL_SQL_LEX_H
#define SLUICE_MYSQL_SQL_LEX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum sql_token_kind {
    SQL_END,
    SQL_WORD,   /* also `quoted`, without the quotes */
    SQL_TEXT,   /* 'text' or "text", with the quotes: sql_token_text() */
    SQL_NUMBER, /* 17, 1.5, 0x1f */
    SQL_USER,   /* @name, without the @ */
    SQL_SYSTEM, /* @@name or @@global.name, without the @s and the scope */
    SQL_SIGN,   /* one character */
};

struct sql_token {
    enum sql_token_kind kind;
    struct slice text; /* of the statement */
    struct slice raw;  /* with quotes, @s and all */
};

struct sql_tokens {
    struct sql_token *at; /* ended by SQL_END */
    size_t n, cap;
};

/* sql_tokens_fini() 'ret' in any case.  -E2BIG: more tokens than any of our clients sends. */
int sql_lex(struct slice statement, struct sql_tokens *ret, struct err *err);
void sql_tokens_fini(struct sql_tokens *t);

/* Appends what the quoted text means; other tokens as they are. */
void sql_token_text(const struct sql_token *t, struct buf *out);

bool sql_is(const struct sql_token *t, const char *word); /* a word, whatever its case */
bool sql_is_sign(const struct sql_token *t, char sign);
/* Is 'text' like 'pattern' (% and _, \ before either), whatever its case? */
bool sql_like(const char *text, const char *pattern);

#endif
