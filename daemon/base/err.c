#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 character at 's'; 0: none is there. */
static size_t character(const unsigned char *s)
{
    size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : (*s & 0xf0) == 0xe0 ? 3 : 4;

    if (n == 4 && (*s < 0xf0 || *s > 0xf4))
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] >= 0xa0)))
        return 0; /* too long a form, surrogates */
    if (n == 4 && ((*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] >= 0x90)))
        return 0;
    return n;
}

/* A sentence may quote a row in any character set, and be cut within a character; as JSON it would
 * be none at all. */
static void make_utf8(char *text)
{
    unsigned char *s = (unsigned char *)text;

    while (*s) {
        size_t n = character(s);

        if (n == 0)
            *s = '?';
        s += n ? n : 1;
    }
}

int(err_set)(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    assert(code < 0);
    err->code = code;
    err->sql = 0;
    err->sqlstate[0] = '\0';
    err->reason = REASON_NONE;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    make_utf8(err->text);
    return code;
}

int(err_wrap)(struct err *err, const char *fmt, ...)
{
    char inner[sizeof err->text];
    va_list ap;
    size_t n;

    assert(err->code < 0);
    memcpy(inner, err->text, sizeof inner);
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    snprintf(err->text + n, sizeof err->text - n, ": %.*s", (int)(sizeof inner - 1), inner);
    make_utf8(err->text);
    return err->code;
}
