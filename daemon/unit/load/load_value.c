#include "unit/load/load_value.h"

#include <string.h>

#include "mysql/escape.h"

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
static char *string_take(struct load_lex *l, size_t *size)
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
static char *digits_take(struct load_lex *l, unsigned bits, size_t *size)
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
    return lex_word_is(charset, "utf8mb4") || lex_word_is(charset, "utf8") ||
           lex_word_is(charset, "utf8mb3");
}

/* After "CONVERT": (value USING charset) */
static bool convert_take(struct load_lex *l, struct load_literal *v)
{
    if (!lex_space(l) || *l->p++ != '(' || !lex_space(l) || !load_literal_take(l, v) ||
        v->form == LOAD_NULL || v->form == LOAD_NUMBER || !lex_space(l) ||
        !lex_word_is(lex_word(l), "USING") || !lex_space(l) || !is_utf8(lex_word(l)) ||
        !lex_space(l) || *l->p++ != ')')
        return false;
    v->form = LOAD_UTF8;
    return true;
}

/* What begins with a letter or an underscore. */
static bool worded_take(struct load_lex *l, struct load_literal *v)
{
    struct slice w = lex_word(l);
    bool quoted = l->p < l->end && *l->p == '\'';

    if (lex_word_is(w, "NULL")) {
        *v = (struct load_literal){ .form = LOAD_NULL };
        return true;
    }
    if (lex_word_is(w, "CONVERT"))
        return convert_take(l, v);
    if (quoted && (lex_word_is(w, "x") || lex_word_is(w, "b"))) {
        l->p++;
        v->form = LOAD_BYTES;
        v->p = digits_take(l, lex_word_is(w, "x") ? 4 : 1, &v->size);
        return l->p < l->end && *l->p++ == '\'';
    }
    if (w.size < 2 || *w.data != '_')
        return false;
    w = slice_of(w.data + 1, w.size - 1);
    if (!(lex_word_is(w, "binary") || is_utf8(w)) || !lex_space(l) || !load_literal_take(l, v) ||
        (v->form != LOAD_STRING && v->form != LOAD_BYTES))
        return false;
    v->form = lex_word_is(w, "binary") ? LOAD_BYTES : LOAD_UTF8;
    return true;
}

static bool number_take(struct load_lex *l, struct load_literal *v)
{
    bool digits = false;

    v->form = LOAD_NUMBER;
    v->p = l->p;
    for (; l->p < l->end && strchr("+-.eE0123456789", *l->p) && *l->p; l->p++)
        digits |= *l->p >= '0' && *l->p <= '9';
    v->size = (size_t)(l->p - v->p);
    return digits;
}

bool load_literal_take(struct load_lex *l, struct load_literal *v)
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
