#include "unit/load_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "unit/load_escape.h"

enum { FIRST_READ = 256 << 10 };

void load_parser_init(struct load_parser *p, ssize_t (*read)(void *arg, char *to, size_t size),
                      void *arg)
{
    *p = (struct load_parser){
        .read = read, .arg = arg, .data = xmalloc(FIRST_READ), .cap = FIRST_READ
    };
}

static void insert_clear(struct load_parser *p)
{
    for (unsigned i = 0; i < p->n_columns; i++)
        free(p->columns[i]);
    free(p->columns);
    free(p->table);
    p->columns = NULL;
    p->n_columns = 0;
    p->table = NULL;
}

void load_parser_fini(struct load_parser *p)
{
    insert_clear(p);
    free(p->values);
    free(p->sizes);
    free(p->forms);
    free(p->data);
    *p = (struct load_parser){ .at = 0 };
}

uint64_t load_parser_at(const struct load_parser *p)
{
    return p->base + p->at;
}

/* More bytes behind those not used yet.  1: there are; 0: the file is at its end. */
static int more(struct load_parser *p, struct err *err)
{
    ssize_t n;

    if (p->at_end)
        return 0;
    if (p->at > 0 && p->at >= p->size / 2) { /* else growing moves as much anyway */
        memmove(p->data, p->data + p->at, p->size - p->at);
        p->base += p->at;
        p->size -= p->at;
        p->at = 0;
    }
    if (p->cap - p->size < FIRST_READ / 2) {
        size_t cap = 2 * p->cap;
        char *bigger = cap > LOAD_MAX_ROW ? NULL : realloc(p->data, cap);

        if (!bigger)
            return err_set(err, -E2BIG, "a row or statement of more than %zu bytes", p->cap);
        p->data = bigger;
        p->cap = cap;
    }
    n = p->read(p->arg, p->data + p->size, p->cap - p->size);
    if (n < 0)
        return err_set(err, (int)n, "%s", strerror((int)-n));
    p->size += (size_t)n;
    p->at_end = n == 0;
    return n > 0;
}

/* --- the lexer: over what is in memory; false where it ends too soon --- */

struct lex {
    char *p, *end;
};

static bool skip_to(struct lex *l, const char *what)
{
    size_t size = strlen(what);
    char *at = memmem(l->p, (size_t)(l->end - l->p), what, size);

    if (at)
        l->p = at + size;
    return at != NULL;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Blanks and comments, but not executable ones.  What it stops at when there is too little is
 * the beginning of a comment, or the end. */
static bool skip_space(struct lex *l)
{
    for (; l->p < l->end; l->p += is_space(*l->p)) {
        bool line = *l->p == '-';

        if (is_space(*l->p))
            continue;
        if (*l->p == '#') {
            if (!skip_to(l, "\n"))
                return false;
            l->p--; /* the line's end is a blank */
            continue;
        }
        if (!line && *l->p != '/')
            return true;
        if (l->end - l->p < 3)
            return false;
        if (memcmp(l->p, line ? "--" : "/*", 2) != 0 ||
            (!line && (l->p[2] == '!' || l->p[2] == 'M')))
            return true;
        if (!skip_to(l, line ? "\n" : "*/"))
            return false;
    }
    return false;
}

/* From a quote to behind its partner; it may be doubled, or escaped. */
static bool skip_quoted(struct lex *l)
{
    char quote = *l->p++;

    while (l->p < l->end) {
        l->p += escape_find(l->p, (size_t)(l->end - l->p), quote, quote == '`' ? quote : '\\');
        if (l->p == l->end)
            return false;
        if (*l->p != quote) {
            l->p += 2;
        } else if (l->p + 1 == l->end) {
            return false; /* it may be doubled */
        } else if (l->p[1] == quote) {
            l->p += 2;
        } else {
            l->p++;
            return true;
        }
    }
    return false;
}

/* To behind 'stop', where it is neither quoted nor in a comment; parentheses are counted. */
static bool skip_until(struct lex *l, char stop)
{
    unsigned depth = 0;

    while (l->p < l->end) {
        switch (*l->p) {
        case '\'':
        case '"':
        case '`':
            if (!skip_quoted(l))
                return false;
            continue;
        case '#':
        case '-':
        case '/': {
            char *before = l->p;

            if (!skip_space(l))
                return false;
            l->p += l->p == before;
            continue;
        }
        case '(':
            depth++;
            break;
        case ')':
            if (stop == ')' && depth == 1) {
                l->p++;
                return true;
            }
            depth -= depth > 0;
            break;
        default:
            if (*l->p == stop && stop == ';') {
                l->p++;
                return true;
            }
        }
        l->p++;
    }
    return false;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static struct slice word_take(struct lex *l)
{
    char *from = l->p;

    while (l->p < l->end && is_word(*l->p))
        l->p++;
    return slice_of(from, (size_t)(l->p - from));
}

static bool word_is(struct slice w, const char *text)
{
    return w.size == strlen(text) && strncasecmp((const char *)w.data, text, w.size) == 0;
}

/* --- values --- */

static int unexpected(struct load_parser *p, const char *at, const char *end, struct err *err)
{
    size_t size = (size_t)(end - at);

    p->at = (size_t)(at - p->data);
    return err_set(err, -EBADMSG, "not understood: %.*s", (int)(size < 60 ? size : 60), at);
}

/* What a backslash and 'c' stand for. */
static char unescaped(char c)
{
    switch (c) {
    case '0':
        return '\0';
    case 'b':
        return '\b';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'Z':
        return 26;
    default:
        return c;
    }
}

/* The string at 'l', in place: 'to' grows no faster than it is read.  NULL: it has no end. */
static char *string_take(struct lex *l, size_t *size)
{
    char quote = *l->p++, *to = l->p, *from = l->p;

    for (;;) {
        size_t run = escape_find(l->p, (size_t)(l->end - l->p), quote, '\\');

        if (to != l->p)
            memmove(to, l->p, run);
        to += run;
        l->p += run;
        if (l->end - l->p < 2) /* a row ends with a parenthesis */
            return NULL;
        if (*l->p == quote && l->p[1] != quote)
            break;
        *to++ = *l->p == quote ? quote : unescaped(l->p[1]);
        l->p += 2;
    }
    l->p++;
    *size = (size_t)(to - from);
    return from;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of 'bits' bits each become bytes, the last digit the lowest; in place. */
static char *digits_take(struct lex *l, unsigned bits, size_t *size)
{
    char *from = l->p, *to = from;
    unsigned per_byte = 8 / bits, have = 0, byte = 0;
    size_t n = 0;

    while (from + n < l->end && nibble(from[n]) >= 0 && nibble(from[n]) < 1 << bits)
        n++;
    l->p += n;
    have = (unsigned)((per_byte - n % per_byte) % per_byte); /* as if zeros were before */
    for (size_t i = 0; i < n; i++) {
        byte = (byte << bits | (unsigned)nibble(from[i])) & 0xff;
        if (++have == per_byte) {
            *to++ = (char)byte;
            have = byte = 0;
        }
    }
    *size = (size_t)(to - from);
    return from;
}

static bool is_utf8(struct slice charset)
{
    return word_is(charset, "utf8mb4") || word_is(charset, "utf8") || word_is(charset, "utf8mb3");
}

struct literal {
    char *p;
    size_t size;
    enum load_form form;
};

static bool literal_take(struct lex *l, struct literal *v);

/* After "CONVERT": (value USING charset) */
static bool convert_take(struct lex *l, struct literal *v)
{
    if (!skip_space(l) || *l->p++ != '(' || !skip_space(l) || !literal_take(l, v) ||
        v->form == LOAD_NULL || v->form == LOAD_NUMBER || !skip_space(l) ||
        !word_is(word_take(l), "USING") || !skip_space(l) || !is_utf8(word_take(l)) ||
        !skip_space(l) || *l->p++ != ')')
        return false;
    v->form = LOAD_UTF8;
    return true;
}

/* What begins with a letter or an underscore. */
static bool worded_take(struct lex *l, struct literal *v)
{
    struct slice w = word_take(l);
    bool quoted = l->p < l->end && *l->p == '\'';

    if (word_is(w, "NULL")) {
        *v = (struct literal){ .form = LOAD_NULL };
        return true;
    }
    if (word_is(w, "CONVERT"))
        return convert_take(l, v);
    if (quoted && (word_is(w, "x") || word_is(w, "b"))) {
        l->p++;
        v->form = LOAD_BYTES;
        v->p = digits_take(l, word_is(w, "x") ? 4 : 1, &v->size);
        return l->p < l->end && *l->p++ == '\'';
    }
    if (w.size < 2 || *w.data != '_')
        return false;
    w = slice_of(w.data + 1, w.size - 1);
    if (!(word_is(w, "binary") || is_utf8(w)) || !skip_space(l) || !literal_take(l, v) ||
        (v->form != LOAD_STRING && v->form != LOAD_BYTES))
        return false;
    v->form = word_is(w, "binary") ? LOAD_BYTES : LOAD_UTF8;
    return true;
}

static bool number_take(struct lex *l, struct literal *v)
{
    bool digits = false;

    v->form = LOAD_NUMBER;
    v->p = l->p;
    for (; l->p < l->end && strchr("+-.eE0123456789", *l->p) && *l->p; l->p++)
        digits |= *l->p >= '0' && *l->p <= '9';
    v->size = (size_t)(l->p - v->p);
    return digits;
}

static bool literal_take(struct lex *l, struct literal *v)
{
    char c = *l->p;

    if (c == '\'' || c == '"') {
        v->form = LOAD_STRING;
        v->p = string_take(l, &v->size);
        return v->p != NULL;
    }
    if (c == '0' && l->end - l->p > 2 && (l->p[1] == 'x' || l->p[1] == 'b')) {
        l->p += 2;
        v->form = LOAD_BYTES;
        v->p = digits_take(l, l->p[-1] == 'x' ? 4 : 1, &v->size);
        return v->size > 0;
    }
    return c == '_' || (c | 0x20) >= 'a' ? worded_take(l, v) : number_take(l, v);
}

static void value_add(struct load_parser *p, const struct literal *v)
{
    if (p->n_values == p->max_values) {
        p->max_values = p->max_values ? 2 * p->max_values : 32;
        p->values = xrealloc(p->values, p->max_values * sizeof *p->values);
        p->sizes = xrealloc(p->sizes, p->max_values * sizeof *p->sizes);
        p->forms = xrealloc(p->forms, p->max_values);
    }
    p->values[p->n_values] = v->form == LOAD_NULL ? NULL : v->p;
    p->sizes[p->n_values] = v->form == LOAD_NULL ? 0 : v->size;
    p->forms[p->n_values++] = (uint8_t)v->form;
}

/* All of a row is in memory: from its '(' to 'end', behind its ')'. */
static int row_take(struct load_parser *p, char *from, char *end, struct err *err)
{
    struct lex l = { from + 1, end };

    p->n_values = 0;
    for (;;) {
        struct literal v = { .p = NULL };
        char *at = l.p;

        if (!skip_space(&l) || !literal_take(&l, &v) || !skip_space(&l) ||
            (*l.p != ',' && *l.p != ')'))
            return unexpected(p, at, end, err);
        value_add(p, &v);
        if (*l.p++ == ')')
            return l.p == end ? 0 : unexpected(p, l.p - 1, end, err);
    }
}

/* --- statements --- */

static char *name_take(struct lex *l)
{
    struct buf name = BUF_INIT;
    const char *from = l->p;

    if (*from != '`') {
        struct slice w = word_take(l);

        return w.size ? xstrndup(from, w.size) : NULL;
    }
    if (!skip_quoted(l))
        return NULL;
    for (const char *p = from + 1; p < l->p - 1; p += 1 + (*p == '`'))
        buf_byte(&name, *p);
    return buf_steal(&name);
}

static bool columns_take(struct load_parser *p, struct lex *l)
{
    do {
        char *name;

        l->p++; /* '(' or ',' */
        name = skip_space(l) ? name_take(l) : NULL;
        if (!name)
            return false;
        p->columns = xrealloc(p->columns, (p->n_columns + 1) * sizeof *p->columns);
        p->columns[p->n_columns++] = name;
        if (!skip_space(l))
            return false;
    } while (*l->p == ',');
    return *l->p++ == ')';
}

/* Behind INSERT or REPLACE, up to the first row. */
static bool insert_head(struct load_parser *p, struct lex *l)
{
    static const char *const words[] = { "INTO", "IGNORE", "LOW_PRIORITY", "DELAYED",
                                         "HIGH_PRIORITY" };
    struct slice w;

    for (bool known = true; known;) {
        struct lex before;

        if (!skip_space(l))
            return false;
        before = *l;
        w = word_take(l);
        known = false;
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
            known |= word_is(w, words[i]);
        if (!known)
            *l = before;
    }
    do { /* the last of `schema`.`table` */
        free(p->table);
        p->table = name_take(l);
        if (!p->table || !skip_space(l))
            return false;
    } while (*l->p == '.' && l->p++);
    if (*l->p == '(' && (!columns_take(p, l) || !skip_space(l)))
        return false;
    w = word_take(l);
    return (word_is(w, "VALUES") || word_is(w, "VALUE")) && skip_space(l) && *l->p == '(';
}

/* A statement in an executable comment without it. */
static struct slice unwrapped(const char *p, size_t size)
{
    while (size && is_space(p[size - 1]))
        size--;
    if (size > 4 && p[0] == '/' && memcmp(p + size - 2, "*/", 2) == 0) {
        size_t head = p[2] == 'M' ? 4 : 3;

        while (head < size - 2 && ((p[head] >= '0' && p[head] <= '9') || is_space(p[head])))
            head++;
        p += head;
        size -= head < size - 2 ? head + 2 : size;
    }
    return slice_of(p, size);
}

/* The statement at 'at' if it is an INSERT, with enough of it in memory.  1: it is one. */
static int insert_begin(struct load_parser *p, struct err *err)
{
    char *from = p->data + p->at;
    struct lex l = { from, p->data + p->size };
    struct slice w = word_take(&l);

    if (!word_is(w, "INSERT") && !word_is(w, "REPLACE"))
        return 0;
    insert_clear(p);
    if (!insert_head(p, &l))
        return unexpected(p, from, p->data + p->size, err);
    p->at = (size_t)(l.p - p->data);
    p->in_rows = true;
    return 1;
}

static int cut_off(struct load_parser *p, struct err *err)
{
    return err_set(err, -EBADMSG, "the file ends within %s",
                   p->in_rows ? "an INSERT" : "a statement or comment");
}

/* Moves to the next statement, with its first bytes in memory.  1: there is one; 0: the end. */
static int statement_find(struct load_parser *p, struct err *err)
{
    for (;;) {
        struct lex l = { p->data + p->at, p->data + p->size };
        bool found = skip_space(&l);
        int rc;

        p->at = (size_t)(l.p - p->data);
        if (found && (p->at_end || l.end - l.p >= FIRST_READ / 2))
            return 1;
        rc = more(p, err);
        if (rc < 0)
            return rc;
        if (rc == 0 && !found) {
            if (p->at < p->size && p->data[p->at] == '/')
                return cut_off(p, err);
            p->at = p->size; /* at most a line that is a comment */
            return 0;
        }
    }
}

/* 1: there is an item; 0: an INSERT begins. */
static int statement_next(struct load_parser *p, enum load_item *ret, struct err *err)
{
    int rc = statement_find(p, err);

    if (rc == 0)
        *ret = LOAD_END;
    if (rc <= 0)
        return rc < 0 ? rc : 1;
    rc = insert_begin(p, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    for (;;) {
        struct lex l = { p->data + p->at, p->data + p->size };

        if (skip_until(&l, ';')) {
            p->statement = unwrapped(p->data + p->at, (size_t)(l.p - 1 - p->data) - p->at);
            p->at = (size_t)(l.p - p->data);
            *ret = LOAD_STATEMENT;
            return 1;
        }
        rc = more(p, err);
        if (rc <= 0)
            return rc < 0 ? rc : cut_off(p, err);
    }
}

/* The row at 'l', if all of it is in memory.  1: yes; 0: no. */
static int row_next(struct load_parser *p, struct lex *l, struct err *err)
{
    char *from = l->p;
    int rc;

    if (*from != '(')
        return unexpected(p, from, l->end, err);
    if (!skip_until(l, ')'))
        return 0;
    rc = row_take(p, from, l->p, err);
    if (rc == 0)
        p->at = (size_t)(l->p - p->data);
    return rc < 0 ? rc : 1;
}

/* Behind a row, or before the first.  1: a row; 0: the INSERT is at its end. */
static int rows_next(struct load_parser *p, enum load_item *ret, struct err *err)
{
    for (;;) {
        struct lex l = { p->data + p->at, p->data + p->size };
        int rc;

        *ret = LOAD_ROW;
        if (skip_space(&l)) {
            if (*l.p == ';') {
                p->at = (size_t)(l.p + 1 - p->data);
                p->in_rows = false;
                return 0;
            }
            l.p += *l.p == ',';
            rc = skip_space(&l) ? row_next(p, &l, err) : 0;
            if (rc != 0)
                return rc;
        }
        rc = more(p, err);
        if (rc <= 0)
            return rc < 0 ? rc : cut_off(p, err);
    }
}

int load_parse_next(struct load_parser *p, enum load_item *ret, struct err *err)
{
    int rc = 0;

    while (rc == 0)
        rc = p->in_rows ? rows_next(p, ret, err) : statement_next(p, ret, err);
    return rc < 0 ? rc : 0;
}
