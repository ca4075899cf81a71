/*
 * sync_feed.h - where the events of a source come from: its server, or its journal.
 *
 * Both give the same events: raw, in order, each file begun by a rotation and a format description
 * (made here where the journal has none at that place).  So who reads sees no difference, but for
 * feed_stored().  The journal is read while the relay is at work and has what is asked for; then
 * it may have more than the server, which purges.  When that ends, feed_next() returns -ECONNRESET
 * as for a connection that was lost, and the next feed_open() chooses anew.
 *
 * A feed belongs to one thread; feed_shutdown() is for others.
 */
#ifndef SLUICE_UNIT_SYNC_FEED_H
#define SLUICE_UNIT_SYNC_FEED_H

#include "binlog/position.h"
#include "mysql/stream.h"

struct feed;
struct source;

struct feed_config {
    const struct mysql_params *params;
    const struct mysql_stream_options *stream;
    struct source *source; /* whose journal may be read; NULL: never */
    const char *source_id; /* the server that a position by file is of; "" not known */
    bool no_journal;       /* not this time: it was damaged */
};

/* From 'from' on.  Errors of mysql_stream_open(). */
int feed_open(struct feed **ret, const struct feed_config *c, const struct position *from,
              struct err *err);
void feed_close(struct feed *f); /* NULL is fine */
/* 1: an event, valid until the next call.  0: the end.  FEED_QUIET: nothing came, and the source is
 * well.  FEED_MOVED: what follows is of another server, which was accepted as the source: a
 * position by file is of that one from here on.  Errors of mysql_stream_next(); -EBADMSG also for
 * a damaged journal. */
#define FEED_QUIET 2
#define FEED_MOVED 3
int feed_next(struct feed *f, struct slice *ret, struct err *err);
/* After FEED_MOVED: where that begins (no set), and the server as tasks know it. */
void feed_moved(const struct feed *f, struct position *ret, char server[static 64]);
bool feed_ready(const struct feed *f);  /* feed_next() would not wait */
bool feed_at_tip(const struct feed *f); /* ... and if it does, there is no more at the source */
int64_t feed_heard_us(const struct feed *f); /* when the source was heard, wall; a stream: now */
bool feed_stored(const struct feed *f);      /* it reads the journal */
/* Would a new feed read the journal from here? */
bool feed_is_stored(const struct feed_config *c, const struct position *from, bool wait);
void feed_shutdown(struct feed *f); /* any thread */

/* --- the events that a dump makes for its connection; pure --- */

struct buf;
/* Says that what follows is at 'offset' of 'file'. */
void fake_rotate(struct buf *out, const char *file, uint64_t offset, bool checksum);
/* A format description as it is sent when a dump begins after it.  -EBADMSG. */
int fake_format(struct buf *out, struct slice raw, struct err *err);

#endif
