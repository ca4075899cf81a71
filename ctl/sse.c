/* sse.c - reads server-sent events. */
#include "ctl/sse.h"

#include <stdio.h>

void sse_fini(struct sse *s)
{
    buf_fini(&s->line);
    buf_fini(&s->data);
}

void sse_restart(struct sse *s)
{
    buf_clear(&s->line);
    buf_clear(&s->data);
    s->event[0] = '\0';
}

/* An empty line ends an event; one without data is nothing. */
static bool finish_event(struct sse *s)
{
    bool go_on = true;

    if (s->data.size)
        go_on = s->fn(s->arg, *s->event ? s->event : "message", s->data.data);
    buf_clear(&s->data);
    s->event[0] = '\0';
    return go_on;
}

static void take_field(struct sse *s, const char *name, const char *value)
{
    if (strcmp(name, "event") == 0) {
        snprintf(s->event, sizeof s->event, "%s", value);
    } else if (strcmp(name, "id") == 0) {
        snprintf(s->id, sizeof s->id, "%s", value);
    } else if (strcmp(name, "data") == 0) {
        if (s->data.size)
            buf_byte(&s->data, '\n');
        buf_str(&s->data, value);
    }
}

static bool take_line(struct sse *s, char *line)
{
    char *value = strchr(line, ':');

    if (*line == '\0')
        return finish_event(s);
    if (value == line)
        return true; /* a comment */
    if (value)
        *value++ = '\0';
    if (value && *value == ' ')
        value++;
    take_field(s, line, value ? value : "");
    return true;
}

bool sse_feed(struct sse *s, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool go_on;

        if (bytes[i] == '\r')
            continue;
        if (bytes[i] != '\n') {
            buf_byte(&s->line, bytes[i]);
            continue;
        }
        buf_byte(&s->line, '\0');
        go_on = take_line(s, s->line.data);
        buf_clear(&s->line);
        if (!go_on)
            return false;
    }
    return true;
}
