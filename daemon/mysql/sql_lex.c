#include "mysql/sql_lex.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "base/mem.h"

enum { MAX_TOKENS = 10000 };

struct lexer {
    const uint8_t *at, *end;
};

void sql_tokens_fini(struct sql_tokens *t)
{
    free(t->at);
    *t = (struct sql_tokens){ .at = NULL };
}

static int ahead(const struct lexer *l, size_t n)
{
    return (size_t)(l->end - l->at) > n ? l->at[n] : -1;
}

static bool is_word(int c)
{
    return c >= 0 && (isalnum(c) || c == '_' || c == '$' || c >= 0x80);
}

static void skip_line(struct lexer *l)
{
    while (l->at < l->end && *l->at != '\n')
        l->at++;
}

static void skip_block(struct lexer *l)
{
    for (l->at += 2; l->at < l->end; l->at++)
        if (ahead(l, 0) == '*' && ahead(l, 1) == '/') {
            l->at += 2;
            return;
        }
}

/* The head of an executable comment: its end is skipped when it comes. */
static void open_code(struct lexer *l)
{
    l->at += ahead(l, 2) == 'M' ? 4 : 3;
    while (isdigit(ahead(l, 0)))
        l->at++;
}

static bool skip_one(struct lexer *l)
{
    int c = ahead(l, 0), next = ahead(l, 1), third = ahead(l, 2);

    if (c >= 0 && (isspace(c) || c == 0))
        l->at++;
    else if (c == '#' || (c == '-' && next == '-' && (third < 0 || isspace(third))))
        skip_line(l);
    else if (c == '/' && next == '*' && (third == '!' || (third == 'M' && ahead(l, 3) == '!')))
        open_code(l);
    else if (c == '/' && next == '*')
        skip_block(l);
    else if (c == '*' && next == '/')
        l->at += 2;
    else
        return false;
    return true;
}

/* Behind the closing quote, or at the end. */
static void skip_quoted(struct lexer *l)
{
    uint8_t quote = *l->at++;

    while (l->at < l->end) {
        uint8_t c = *l->at++;

        bool escapes = c == '\\' && quote != '`' && l->at < l->end;
        bool doubled = c == quote && ahead(l, 0) == quote;

        if (escapes || doubled)
            l->at++;
        else if (c == quote)
            return;
    }
}

static void skip_word(struct lexer *l)
{
    while (is_word(ahead(l, 0)))
        l->at++;
}

static void skip_number(struct lexer *l)
{
    while (is_word(ahead(l, 0)) || (ahead(l, 0) == '.' && isdigit(ahead(l, 1))))
        l->at++;
}

/* What is between quotes; the closing one may be missing. */
static struct slice inside(struct slice raw, uint8_t quote)
{
    size_t tail = raw.size > 1 && raw.data[raw.size - 1] == quote;

    return slice_of(raw.data + 1, raw.size - 1 - tail);
}

static struct slice since(const struct lexer *l, const uint8_t *start)
{
    return slice_of(start, (size_t)(l->at - start));
}

/* A name, quoted or not, at 'l'. */
static struct slice name(struct lexer *l)
{
    const uint8_t *start = l->at;
    int c = ahead(l, 0);

    if (c == '`' || c == '\'' || c == '"') {
        skip_quoted(l);
        return inside(since(l, start), (uint8_t)c);
    }
    while (is_word(ahead(l, 0)) || ahead(l, 0) == '.')
        l->at++;
    return since(l, start);
}

static bool is_scope(struct slice word)
{
    static const char *const scopes[] = { "global", "session", "local", "persist" };

    for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
        if (word.size == strlen(scopes[i]) &&
            strncasecmp((const char *)word.data, scopes[i], word.size) == 0)
            return true;
    return false;
}

/* @@name, @@global.name, @@`name` */
static struct slice system_name(struct lexer *l)
{
    struct slice n = name(l);
    const uint8_t *dot = memchr(n.data, '.', n.size);

    if (dot && is_scope(slice_of(n.data, (size_t)(dot - n.data)))) {
        size_t head = (size_t)(dot - n.data) + 1;

        if (head == n.size) /* @@global.`name` */
            return name(l);
        return slice_of(n.data + head, n.size - head);
    }
    return n;
}

static struct sql_token next(struct lexer *l)
{
    const uint8_t *start = l->at;
    struct sql_token t = { .kind = SQL_SIGN };
    int c = ahead(l, 0);

    if (c == '\'' || c == '"') {
        skip_quoted(l);
        t.kind = SQL_TEXT;
    } else if (c == '`') {
        t.kind = SQL_WORD;
        t.text = name(l);
    } else if (c == '@' && ahead(l, 1) == '@') {
        l->at += 2;
        t.kind = SQL_SYSTEM;
        t.text = system_name(l);
    } else if (c == '@') {
        l->at++;
        t.kind = SQL_USER;
        t.text = name(l);
    } else if (isdigit(c)) {
        skip_number(l);
        t.kind = SQL_NUMBER;
    } else if (is_word(c)) {
        skip_word(l);
        t.kind = SQL_WORD;
    } else {
        l->at++;
    }
    t.raw = since(l, start);
    if (!t.text.data)
        t.text = t.raw;
    return t;
}

static void add(struct sql_tokens *ts, struct sql_token t)
{
    GROW(ts->at, ts->n, ts->cap);
    ts->at[ts->n++] = t;
}

int sql_lex(struct slice statement, struct sql_tokens *ret, struct err *err)
{
    struct lexer l = { .at = statement.data, .end = slice_end(statement) };

    *ret = (struct sql_tokens){ .at = NULL };
    for (;;) {
        while (skip_one(&l))
            ;
        if (l.at >= l.end)
            break;
        if (ret->n == MAX_TOKENS)
            return err_set(err, -E2BIG, "a statement of more than %d words", MAX_TOKENS);
        add(ret, next(&l));
    }
    add(ret, (struct sql_token){
                 .kind = SQL_END, .text = slice_of(l.end, 0), .raw = slice_of(l.end, 0) });
    return 0;
}

static char escaped(char c)
{
    static const char from[] = "0bnrtZ", to[] = "\0\b\n\r\t\032";
    const char *at = c ? strchr(from, c) : NULL;

    return at ? to[at - from] : c;
}

void sql_token_text(const struct sql_token *t, struct buf *out)
{
    struct slice s = t->text;
    uint8_t quote;

    if (t->kind != SQL_TEXT) {
        buf_add(out, s.data, s.size);
        return;
    }
    quote = s.data[0];
    s = inside(s, quote);
    for (size_t i = 0; i < s.size; i++) {
        char c = (char)s.data[i];

        if (c == '\\' && i + 1 < s.size)
            c = escaped((char)s.data[++i]);
        else if ((uint8_t)c == quote && i + 1 < s.size && s.data[i + 1] == quote)
            i++;
        buf_byte(out, c);
    }
}

bool sql_is(const struct sql_token *t, const char *word)
{
    return t->kind == SQL_WORD && t->text.size == strlen(word) &&
           strncasecmp((const char *)t->text.data, word, t->text.size) == 0;
}

bool sql_is_sign(const struct sql_token *t, char sign)
{
    return t->kind == SQL_SIGN && t->text.data[0] == (uint8_t)sign;
}

bool sql_like(const char *text, const char *pattern)
{
    const char *star = NULL, *from = NULL; /* where to try the last % again */

    for (;;) {
        bool literal = *pattern == '\\' && pattern[1];
        char c = literal ? pattern[1] : *pattern;

        if (c == '%' && !literal) {
            star = ++pattern;
            from = text;
        } else if (*text &&
                   ((c == '_' && !literal) || tolower((uint8_t)c) == tolower((uint8_t)*text))) {
            pattern += literal ? 2 : 1;
            text++;
        } else if (!*text && !*pattern) {
            return true;
        } else if (star && *from) {
            pattern = star;
            text = ++from;
        } else {
            return false;
        }
    }
}
