#include "unit/load/load_lex.h"

#include <string.h>
#include <strings.h>

#include "mysql/escape.h"

static bool lex_to(struct load_lex *l, const char *what)
{
    size_t size = strlen(what);
    char *at = memmem(l->p, (size_t)(l->end - l->p), what, size);

    if (at)
        l->p = at + size;
    return at != NULL;
}

bool lex_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool lex_space(struct load_lex *l)
{
    for (; l->p < l->end; l->p += lex_is_space(*l->p)) {
        bool line = *l->p == '-';

        if (lex_is_space(*l->p))
            continue;
        if (*l->p == '#') {
            if (!lex_to(l, "\n"))
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
        if (!lex_to(l, line ? "\n" : "*/"))
            return false;
    }
    return false;
}

bool lex_quoted(struct load_lex *l)
{
    char quote = *l->p++;

    while (l->p < l->end) {
        l->p += escape_find(l->p, (size_t)(l->end - l->p), quote, quote == '`' ? quote : '\\');
        if (l->p == l->end)
            return false;
        if (*l->p == quote && l->p + 1 == l->end)
            return false; /* it may be doubled */
        if (*l->p == quote && l->p[1] != quote) {
            l->p++;
            return true;
        }
        l->p += 2;
    }
    return false;
}

bool lex_until(struct load_lex *l, char stop)
{
    unsigned depth = 0;

    while (l->p < l->end) {
        switch (*l->p) {
        case '\'':
        case '"':
        case '`':
            if (!lex_quoted(l))
                return false;
            continue;
        case '#':
        case '-':
        case '/': {
            char *before = l->p;

            if (!lex_space(l))
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

struct slice lex_word(struct load_lex *l)
{
    char *from = l->p;

    while (l->p < l->end && is_word(*l->p))
        l->p++;
    return slice_of(from, (size_t)(l->p - from));
}

bool lex_word_is(struct slice w, const char *text)
{
    return w.size == strlen(text) && strncasecmp((const char *)w.data, text, w.size) == 0;
}
