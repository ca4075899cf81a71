/*
 * stream.h - server-sent events: GET /v1/tasks/t1?watch=1.
 *
 *     event: change
 *     id: 1793440000000001
 *     data: {"path":"tasks/t1","changed":{"state":"running"},"seq":1793440000000001}
 *
 * Of a file of lines (events, audit) each new line is one event, numbered by the
 * offset after it; a new stream begins with the last few, as tail -f does:
 *
 *     event: line
 *     id: 51234
 *     data: {"time":…,"path":"tasks/t1","event":"state","from":"new","to":"running"}
 *
 * Any other new stream begins with the present values; one that resumes (Last-Event-ID)
 * with what it missed, or with "reset": read everything again.  With nothing
 * to say the connection is suspended, so a stream holds no thread; every
 * HEARTBEAT_S seconds a comment finds out whether the client is still there.
 *
 * Source of the format: HTML standard, section 9.2 "Server-sent events".
 */
#ifndef SLUICE_HTTP_STREAM_H
#define SLUICE_HTTP_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "node/node.h"

enum { HEARTBEAT_S = 15, LINES_AT_START = 10 };

struct MHD_Connection;
struct change;
struct stream;
struct streams;

struct streams *streams_new(void);
/* Every stream ends at its next read, and every suspended one is resumed to do so; new ones are
 * refused.  MHD_stop_daemon() aborts when one is left suspended. */
void streams_end(struct streams *all);
void streams_free(struct streams *all); /* after the last stream_free(); NULL is fine */

/* Streams the changes of 't' (an attribute, or a node and all below) after number 'since'; 0: from
 * now.  NULL and -ESHUTDOWN while stopping. */
struct stream *stream_open(struct streams *all, const struct target *t, uint64_t since,
                           struct MHD_Connection *conn, struct err *err);

/* libmicrohttpd's content reader and the callback that frees it, for a struct stream. */
ssize_t stream_read(void *stream, uint64_t pos, char *ret, size_t max);
void stream_free(void *stream);

#endif
