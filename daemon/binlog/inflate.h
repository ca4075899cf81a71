/*
 * inflate.h - MariaDB's zlib wrapping of events and of columns.
 *
 * Both begin with a byte that tells the method and how many bytes of length
 * (of the plain text, big-endian) follow.  What they claim is checked against
 * INFLATE_LIMIT and against what comes out.
 *
 * Sources: MariaDB's log_event.cc (binlog_buf_uncompress) and field_comp.cc.
 */
#ifndef SLUICE_BINLOG_INFLATE_H
#define SLUICE_BINLOG_INFLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define INFLATE_LIMIT ((size_t)1 << 30) /* max_allowed_packet's own maximum */

/* An event's compressed part: into a buffer that is overwritten, or the arena.  0 or -EBADMSG. */
int inflate_event(struct slice packed, struct buf *out, struct err *err);
int inflate_event_arena(struct slice packed, struct arena *arena, struct slice *ret,
                        struct err *err);

/* A COMPRESSED column's value; *ret is in 'packed' or in the arena. */
bool inflate_column(struct slice packed, struct arena *arena, struct slice *ret);

#endif
