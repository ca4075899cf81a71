#include "route/ddl_lex.h"

#include <strings.h>

static uint8_t peek(const struct ddl_lexer *l, size_t ahead)
{
    return l->at + ahead < l->sql.size ? l->sql.data[l->at + ahead] : 0;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           c == '$' || c >= 0x80;
}

static void skip_line(struct ddl_lexer *l)
{
    while (l->at < l->sql.size && l->sql.data[l->at] != '\n')
        l->at++;
}

static void skip_comment(struct ddl_lexer *l)
{
    l->at += 2;
    while (l->at < l->sql.size && !(peek(l, 0) == '*' && peek(l, 1) == '/'))
        l->at++;
    l->at = l->at < l->sql.size ? l->at + 2 : l->sql.size;
}

/* At "/" and "*": steps into an executable comment, over any other. */
static void open_comment(struct ddl_lexer *l)
{
    size_t mark = peek(l, 2) == '!' ? 3 : peek(l, 2) == 'M' && peek(l, 3) == '!' ? 4 : 0;

    if (!mark) {
        skip_comment(l);
        return;
    }
    l->at += mark;
    for (unsigned i = 0; i < 6 && is_digit(peek(l, 0)); i++) /* a version has five or six */
        l->at++;
    l->n_open++;
}

/* "--" needs white space (or the end) behind it: 5--1 is a number. */
static bool at_dashes(const struct ddl_lexer *l)
{
    return peek(l, 0) == '-' && peek(l, 1) == '-' &&
           (l->at + 2 >= l->sql.size || is_space(peek(l, 2)));
}

static void skip_blanks(struct ddl_lexer *l)
{
    while (l->at < l->sql.size) {
        uint8_t c = peek(l, 0);

        if (is_space(c)) {
            l->at++;
        } else if (c == '#' || at_dashes(l)) {
            skip_line(l);
        } else if (c == '/' && peek(l, 1) == '*') {
            open_comment(l);
        } else if (c == '*' && peek(l, 1) == '/' && l->n_open) {
            l->at += 2;
            l->n_open--;
        } else {
            return;
        }
    }
}

/* From the opening quote to behind the closing one; a doubled quote does not close. */
static void skip_quoted(struct ddl_lexer *l, bool backslash)
{
    uint8_t quote = l->sql.data[l->at++];

    while (l->at < l->sql.size) {
        uint8_t c = l->sql.data[l->at++];

        if (c == '\\' && backslash && l->at < l->sql.size) {
            l->at++;
        } else if (c == quote) {
            if (peek(l, 0) != quote)
                return;
            l->at++;
        }
    }
}

struct ddl_token ddl_lex(struct ddl_lexer *l)
{
    struct ddl_token t = { .kind = DDL_TOKEN_END, .after_dot = l->after_dot };
    uint8_t c;

    skip_blanks(l);
    t.at = l->at;
    if (l->at >= l->sql.size)
        return t;
    c = peek(l, 0);
    if (is_word(c)) {
        t.kind = DDL_TOKEN_WORD;
        while (l->at < l->sql.size && is_word(peek(l, 0)))
            l->at++;
    } else if (c == '`' || (c == '"' && l->ansi_quotes)) {
        t.kind = DDL_TOKEN_QUOTED;
        skip_quoted(l, false);
    } else if (c == '\'' || c == '"') {
        t.kind = DDL_TOKEN_STRING;
        skip_quoted(l, !l->no_backslash_escapes);
    } else {
        t.kind = DDL_TOKEN_PUNCT;
        l->at++;
    }
    t.size = l->at - t.at;
    l->after_dot = t.kind == DDL_TOKEN_PUNCT && c == '.';
    return t;
}

bool ddl_token_is(const struct ddl_lexer *l, const struct ddl_token *t, const char *word)
{
    size_t i = 0;

    if ((t->kind != DDL_TOKEN_WORD || t->after_dot) && t->kind != DDL_TOKEN_PUNCT)
        return false;
    for (; i < t->size && word[i]; i++) {
        uint8_t c = l->sql.data[t->at + i];

        if (c >= 'a' && c <= 'z')
            c = (uint8_t)(c - 'a' + 'A');
        if (c != (uint8_t)word[i])
            return false;
    }
    return i == t->size && word[i] == '\0';
}

struct slice ddl_token_name(const struct ddl_lexer *l, const struct ddl_token *t,
                            struct arena *arena)
{
    const uint8_t *from = l->sql.data + t->at;
    size_t n = 0;
    uint8_t *to;

    if (t->kind == DDL_TOKEN_WORD)
        return slice_of(from, t->size);
    to = arena_alloc(arena, t->size);
    for (size_t i = 1; i < t->size; i++) {
        if (from[i] == from[0] && (i + 1 == t->size || from[++i] != from[0]))
            break;
        to[n++] = from[i];
    }
    return slice_of(to, n);
}

/* --- one token at hand --- */

bool ddl_is(const struct ddl_reader *r, const char *word)
{
    return ddl_token_is(&r->lexer, &r->tok, word);
}

bool ddl_is_any(const struct ddl_reader *r, const char *const *words)
{
    for (; *words; words++)
        if (ddl_is(r, *words))
            return true;
    return false;
}

bool ddl_next_is(const struct ddl_reader *r, const char *word)
{
    struct ddl_lexer ahead = r->lexer;
    struct ddl_token t = ddl_lex(&ahead);

    return ddl_token_is(&ahead, &t, word);
}

bool ddl_at_end(const struct ddl_reader *r)
{
    return r->tok.kind == DDL_TOKEN_END;
}

bool ddl_at_name(const struct ddl_reader *r)
{
    return r->tok.kind == DDL_TOKEN_WORD || r->tok.kind == DDL_TOKEN_QUOTED;
}

struct slice ddl_name_here(const struct ddl_reader *r, struct arena *arena)
{
    return ddl_token_name(&r->lexer, &r->tok, arena);
}

void ddl_advance(struct ddl_reader *r)
{
    if (ddl_is(r, "("))
        r->depth++;
    else if (ddl_is(r, ")") && r->depth)
        r->depth--;
    r->end = r->tok.at + r->tok.size;
    r->tok = ddl_lex(&r->lexer);
}

bool ddl_accept(struct ddl_reader *r, const char *word)
{
    if (!ddl_is(r, word))
        return false;
    ddl_advance(r);
    return true;
}

bool ddl_accept_if_exists(struct ddl_reader *r)
{
    if (!ddl_accept(r, "IF"))
        return false;
    ddl_accept(r, "NOT");
    return ddl_accept(r, "EXISTS");
}

/* --- whole statements --- */

static bool same_token(const struct ddl_lexer *la, const struct ddl_token *a,
                       const struct ddl_lexer *lb, const struct ddl_token *b, struct arena *arena)
{
    bool a_name = a->kind == DDL_TOKEN_QUOTED, b_name = b->kind == DDL_TOKEN_QUOTED;
    struct slice ta = slice_of(la->sql.data + a->at, a->size);
    struct slice tb = slice_of(lb->sql.data + b->at, b->size);

    if (a->kind == DDL_TOKEN_STRING || b->kind == DDL_TOKEN_STRING)
        return a->kind == b->kind && slice_eq(ta, tb);
    ta = a_name ? ddl_token_name(la, a, arena) : ta;
    tb = b_name ? ddl_token_name(lb, b, arena) : tb;
    return ta.size == tb.size && (ta.size == 0 || strncasecmp((const char *)ta.data,
                                                              (const char *)tb.data, ta.size) == 0);
}

bool ddl_same(struct slice a, struct slice b)
{
    struct ddl_lexer la = { .sql = a }, lb = { .sql = b };
    struct arena arena = ARENA_INIT;
    struct ddl_token ta, tb;
    bool same;

    do {
        ta = ddl_lex(&la);
        tb = ddl_lex(&lb);
        same = (ta.kind == DDL_TOKEN_END) == (tb.kind == DDL_TOKEN_END) &&
               same_token(&la, &ta, &lb, &tb, &arena);
    } while (same && ta.kind != DDL_TOKEN_END);
    arena_fini(&arena);
    return same;
}
