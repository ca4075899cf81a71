#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/scope.h"

const char *const log_level_names[] = { "debug", "info", "warn", "error", NULL };

static atomic_int least = LOG_LEVEL_INFO;
static atomic_bool as_json;

void log_set_level(enum log_level level)
{
    atomic_store(&least, (int)level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&least);
}

void log_set_json(bool json)
{
    atomic_store(&as_json, json);
}

/* Both formats quote alike: JSON's escapes are logfmt's. */
static void add_quoted(struct buf *b, const char *s)
{
    buf_byte(b, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c == '\n')
            buf_str(b, "\\n");
        else if (c < 0x20)
            buf_printf(b, "\\u%04x", c);
        else
            buf_byte(b, (char)c);
    }
    buf_byte(b, '"');
}

static void add_pair(struct buf *b, bool json, const char *key, const char *value, bool quote)
{
    if (b->size > (size_t)json)
        buf_byte(b, json ? ',' : ' ');
    if (json)
        buf_printf(b, "\"%s\":", key);
    else
        buf_printf(b, "%s=", key);
    if (json || quote)
        add_quoted(b, value);
    else
        buf_str(b, value);
}

void log_line(enum log_level level, const char *who, const char *fmt, ...)
{
    SCOPED(buf_fini) struct buf line = BUF_INIT;
    bool json = atomic_load(&as_json);
    char message[2048], when[CLOCK_TEXT_SIZE];
    va_list ap;

    if ((int)level < atomic_load(&least))
        return;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    clock_text(clock_wall_us(), when);
    if (json)
        buf_byte(&line, '{');
    add_pair(&line, json, "time", when, false);
    add_pair(&line, json, "level", log_level_names[level], false);
    if (who)
        add_pair(&line, json, "at", who, strpbrk(who, " \"=") != NULL);
    add_pair(&line, json, "msg", message, true);
    buf_str(&line, json ? "}\n" : "\n");
    if (write(STDERR_FILENO, line.data, line.size) < 0)
        return; /* nowhere left to say so */
}
