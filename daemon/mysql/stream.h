/*
 * stream.h - the replication dump: events of a source as raw packets.
 *
 * COM_BINLOG_DUMP by file and offset, or by GTID (MariaDB:
 * @slave_connect_state; MySQL: COM_BINLOG_DUMP_GTID).  Heartbeats are asked
 * for; three missed end the stream with -ETIMEDOUT.
 *
 * The library logs in and sends the command; from then on the socket is read
 * here, in large pieces, and an event is a slice of that buffer: no copy and no
 * system call per event.
 */
#ifndef SLUICE_MYSQL_STREAM_H
#define SLUICE_MYSQL_STREAM_H

#include "binlog/position.h"
#include "mysql/conn.h"

struct mysql_stream;

struct mysql_stream_options {
    uint32_t server_id; /* ours; 0 makes one up.  A second stream with the same one at the same
                           source ends the first, so a reconnect removes what it left behind */
    bool by_gtid;
    bool all_events;       /* MariaDB: with the texts of row changes (ANNOTATE_ROWS), too */
    bool stop_at_end;      /* non-blocking dump: ends at the last event */
    unsigned heartbeat_ms; /* 0: 10,000 */
    const char *uuid;      /* ours, for MySQL; NULL: made of server_id */
    bool semi_sync;        /* be a replica that acknowledges, if the source has that on */
};

/* Errors: -ENODATA when the source has purged the position (1236), -ERANGE when the position is
 * beyond the source's binlog, those of mysql_conn_open().  Both servers notice a bad position only
 * when they start to send: the first mysql_stream_next() has these errors too. */
int mysql_stream_open(struct mysql_stream **ret, const struct mysql_params *p,
                      const struct position *from, const struct mysql_stream_options *o,
                      struct err *err);
/* The next raw event, valid until the next call.  1 an event, 0 the end (stop_at_end only),
 * -ETIMEDOUT, -ECONNRESET, -ECANCELED after mysql_stream_shutdown(). */
int mysql_stream_next(struct mysql_stream *s, struct slice *ret, struct err *err);
/* True when mysql_stream_next() would not have to wait for the network. */
bool mysql_stream_ready(const struct mysql_stream *s);
/* Waits for it, at most so long.  1; 0: nothing came, and the source still counts as alive. */
int mysql_stream_wait(struct mysql_stream *s, int64_t timeout_ms, struct err *err);

/* The source's commits wait until we acknowledge (it says for which events, the last of a
 * transaction each).  An acknowledgement counts for all before it, too. */
bool mysql_stream_semi_sync(const struct mysql_stream *s);
bool mysql_stream_ack_wanted(const struct mysql_stream *s); /* for the event at hand */
/* We have all up to 'offset' of 'file', on disk.  Any thread. */
int mysql_stream_acknowledge(struct mysql_stream *s, const char *file, uint64_t offset,
                             struct err *err);

enum flavor mysql_stream_flavor(const struct mysql_stream *s);
uint64_t
mysql_stream_bytes(const struct mysql_stream *s);   /* received so far; the reader's thread */
void mysql_stream_shutdown(struct mysql_stream *s); /* any thread */
void mysql_stream_close(struct mysql_stream *s);    /* NULL is fine */

#endif
