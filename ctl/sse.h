/*
 * sse.h - reads server-sent events from bytes as they come.
 *
 * Source of the format: HTML standard, section 9.2.6.
 */
#ifndef SLUICE_CTL_SSE_H
#define SLUICE_CTL_SSE_H

#include <stdbool.h>

#include "base/buf.h"

struct sse {
    struct buf line, data;  /* the unfinished line; "data:" of the unfinished event */
    char event[32], id[64]; /* 'id' stays until the next one: Last-Event-ID */
    /* Called with each finished event; false ends the reading. */
    bool (*fn)(void *arg, const char *event, const char *data);
    void *arg;
};

void sse_fini(struct sse *s);
/* Forgets what is unfinished, for a new connection; keeps 'id'. */
void sse_restart(struct sse *s);
/* Takes the next bytes; false once 'fn' said so. */
bool sse_feed(struct sse *s, const char *bytes, size_t size);

#endif
