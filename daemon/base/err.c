#include "base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int(err_set)(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    assert(code < 0);
    err->code = code;
    err->sql = 0;
    err->sqlstate[0] = '\0';
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
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
    return err->code;
}
