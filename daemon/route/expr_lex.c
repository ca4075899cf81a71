#include "route/expr_lex.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

static uint8_t peek(const struct expr_lexer *l, size_t ahead)
{
    return l->at + ahead < l->sql.size ? l->sql.data[l->at + ahead] : 0;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || c >= 0x80;
}

int expr_fail(struct expr_lexer *l, const char *what)
{
    size_t from = l->at > 20 ? l->at - 20 : 0;
    size_t n = l->sql.size - from < 40 ? l->sql.size - from : 40;

    return err_set(l->err, -EINVAL, "%s near '%.*s'", what, (int)n,
                   (const char *)l->sql.data + from);
}

static uint8_t unescape(uint8_t c)
{
    static const char from[] = "0nrtbZ", to[] = "\0\n\r\t\b\032";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? (uint8_t)to[at - from] : c;
}

static int read_quoted(struct expr_lexer *l, uint8_t quote)
{
    uint8_t *to = arena_alloc(l->arena, l->sql.size - l->at + 1);
    size_t n = 0;

    for (l->at++; l->at < l->sql.size; l->at++) {
        uint8_t c = peek(l, 0);

        if (c == quote && peek(l, 1) != quote) {
            l->at++;
            l->text = slice_of(to, n);
            return 0;
        }
        if (c == quote) {
            l->at++;
        } else if (c == '\\' && quote != '`' && l->at + 1 < l->sql.size) {
            l->at++;
            if (peek(l, 0) == '%' || peek(l, 0) == '_')
                to[n++] = '\\'; /* LIKE wants to see it */
            c = unescape(peek(l, 0));
        }
        to[n++] = c;
    }
    return expr_fail(l, "a quote is not closed");
}

static int hex_digit(uint8_t c)
{
    return is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Digits of x'..' or 0x.., or b'..' with 'bits' 1. */
static int read_bits(struct expr_lexer *l, unsigned bits, bool quoted)
{
    size_t from = l->at, n = 0, len;
    uint8_t *to;

    while (hex_digit(peek(l, 0)) >= 0 && hex_digit(peek(l, 0)) < 1 << bits)
        l->at++;
    n = l->at - from;
    len = (n * bits + 7) / 8;
    to = arena_alloc(l->arena, len + 1);
    memset(to, 0, len + 1);
    for (size_t i = 0; i < n; i++) { /* from the right */
        size_t bit = i * bits;

        to[len - 1 - bit / 8] |= (uint8_t)(hex_digit(l->sql.data[from + n - 1 - i]) << (bit % 8));
    }
    if (quoted && peek(l, 0) != '\'')
        return expr_fail(l, "a literal is not closed");
    l->at += quoted;
    l->token = TOKEN_HEX;
    l->text = slice_of(to, len);
    return n ? 0 : expr_fail(l, "a literal without digits");
}

static int read_number(struct expr_lexer *l)
{
    size_t from = l->at;

    while (is_digit(peek(l, 0)))
        l->at++;
    if (peek(l, 0) == '.')
        l->at++;
    while (is_digit(peek(l, 0)))
        l->at++;
    if ((peek(l, 0) | 32) == 'e' &&
        (is_digit(peek(l, 1)) ||
         ((peek(l, 1) == '-' || peek(l, 1) == '+') && is_digit(peek(l, 2)))))
        for (l->at += 2; is_digit(peek(l, 0)); l->at++)
            ;
    l->token = TOKEN_NUMBER;
    l->text = slice_of(l->sql.data + from, l->at - from);
    return 0;
}

static size_t mark_size(const struct expr_lexer *l)
{
    static const char *const marks[] = { "<=>", "<=", ">=", "<>", "!=", "<<",
                                         ">>",  "&&", "||", ":=", "->" };

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (l->sql.size - l->at >= strlen(marks[i]) &&
            memcmp(l->sql.data + l->at, marks[i], strlen(marks[i])) == 0)
            return strlen(marks[i]);
    return 1;
}

int expr_advance(struct expr_lexer *l)
{
    uint8_t c;
    size_t from;

    while (l->at < l->sql.size && peek(l, 0) && strchr(" \t\r\n\f\v", peek(l, 0)))
        l->at++;
    from = l->at;
    l->text = slice_of(NULL, 0);
    l->token = TOKEN_END;
    if (l->at >= l->sql.size)
        return 0;
    c = peek(l, 0);
    if ((c | 32) == 'x' && peek(l, 1) == '\'')
        return l->at += 2, read_bits(l, 4, true);
    if ((c | 32) == 'b' && peek(l, 1) == '\'')
        return l->at += 2, read_bits(l, 1, true);
    if (c == '0' && peek(l, 1) == 'x' && hex_digit(peek(l, 2)) >= 0)
        return l->at += 2, read_bits(l, 4, false);
    if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
        return read_number(l);
    if (c == '\'' || c == '"')
        return l->token = TOKEN_STRING, read_quoted(l, c);
    if (c == '`')
        return l->token = TOKEN_QUOTED, read_quoted(l, c);
    if (is_word(c)) {
        while (is_word(peek(l, 0)))
            l->at++;
        l->token = TOKEN_WORD;
    } else {
        l->at += mark_size(l);
        l->token = TOKEN_MARK;
    }
    l->text = slice_of(l->sql.data + from, l->at - from);
    return 0;
}

bool expr_is(const struct expr_lexer *l, const char *word)
{
    return (l->token == TOKEN_WORD || l->token == TOKEN_MARK) && l->text.size == strlen(word) &&
           strncasecmp((const char *)l->text.data, word, l->text.size) == 0;
}

int expr_accept(struct expr_lexer *l, const char *word)
{
    int rc;

    if (!expr_is(l, word))
        return 0;
    rc = expr_advance(l);
    return rc < 0 ? rc : 1;
}

int expr_expect(struct expr_lexer *l, const char *word)
{
    int rc = expr_accept(l, word);

    return rc == 0
               ? err_set(l->err, -EINVAL, "'%s' is missing before '%.*s'", word, SLICE_ARG(l->text))
               : rc;
}
