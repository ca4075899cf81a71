/*
 * format.h - which representation a client wants, and which it sends.
 *
 * JSON unless asked otherwise; text/plain is exactly the bytes of the file
 *; YAML is the same bytes for a document.
 */
#ifndef SLUICE_HTTP_FORMAT_H
#define SLUICE_HTTP_FORMAT_H

#include <stddef.h>

enum format {
    FORMAT_JSON,
    FORMAT_TEXT,
    FORMAT_YAML,
    FORMAT_EVENTS, /* text/event-stream */
    FORMAT_NONE,   /* nothing that we have */
};

extern const char *const format_types[]; /* the media type of each, for Content-Type */

/* The best of ours for an Accept header; NULL accepts all.  FORMAT_NONE is 406. */
enum format format_accepted(const char *accept);

/* What a body is, by its Content-Type.  Without one, or with the one that `curl -d` makes up, a
 * body that starts like a JSON string, object or array is JSON and any other is what the file
 * would take.  FORMAT_NONE is 415. */
enum format format_of_body(const char *content_type, const char *body, size_t size);

#endif
