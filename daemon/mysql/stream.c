#define HAVE_TLS /* for the body of MARIADB_TLS */
typedef unsigned char uchar;

#include "mysql/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <ma_pvio.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "mysql/conn_priv.h"
#include "mysql/quote.h"

#define HEARTBEAT_MS 10000
#define HEARTBEATS_MISSED 3
#define READ_SIZE (256u << 10) /* what the buffer holds, unless one event is larger */
#define EVENT_SIZE_MAX \
    ((1ull << 30) + (64u << 10)) /* max_allowed_packet of a dump, and its frame */
#define PACKET_HEADER 4
#define PACKET_FULL 0xffffffu /* a packet of this size is continued in the next */

/* Commands and flags of the dump.  Source: MySQL Source Code Documentation, "COM_BINLOG_DUMP",
 * "COM_BINLOG_DUMP_GTID", "COM_REGISTER_SLAVE"; MariaDB Knowledge Base, pages of the same names. */
#define COM_BINLOG_DUMP_GTID_ 0x1e /* Connector/C has no name for it */
#define DUMP_NON_BLOCK 0x01
#define DUMP_ANNOTATE_ROWS 0x02 /* MariaDB; of another meaning to MySQL */
#define DUMP_THROUGH_GTID 0x04
#define REPLY_EVENT 0x00
#define REPLY_END 0xfe
#define REPLY_ERROR 0xff
#define ER_DUMP 1236

/* Semi-synchronous replication: a head of two bytes before each event, and the answer.  Source:
 * MySQL Source Code Documentation, "Semi-sync replication"; semisync.h of both servers. */
#define SEMI_SYNC_MAGIC 0xef
#define SEMI_SYNC_HEAD 2
#define SEMI_SYNC_ASKS 0x01

struct mysql_stream {
    struct mysql_conn *conn;
    SSL *tls;              /* NULL: plain */
    struct mutex tls_lock; /* its calls; an acknowledgement comes from another thread */
    atomic_bool stopping;
    unsigned heartbeat_ms;
    int64_t heard_us; /* monotonic: when anything came last */
    bool semi_sync, ack_wanted;
    char *from; /* for messages */
    uint8_t *data;
    size_t cap, at, end; /* unread bytes are data[at..end) */
    uint64_t bytes;
};

/* --- the socket --- */

static int poll_until(struct mysql_stream *s, int64_t until_us, struct err *err)
{
    struct pollfd p = { .fd = s->conn->socket, .events = POLLIN };
    int rc;

    do {
        int64_t left_ms = (until_us - clock_mono_us() + 999) / 1000;

        rc = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? err_set(err, -EIO, "poll: error %d", errno) : rc > 0;
}

/* Waits until there is something to read (1), or 'timeout_ms' passed (0; -1: for ever). */
static int wait_readable(struct mysql_stream *s, int64_t timeout_ms, struct err *err)
{
    int64_t missed_ms = (int64_t)s->heartbeat_ms * HEARTBEATS_MISSED;
    int64_t dead_us = s->heard_us + missed_ms * 1000, until_us = dead_us;
    int rc;

    if (timeout_ms >= 0 && clock_mono_us() + timeout_ms * 1000 < dead_us)
        until_us = clock_mono_us() + timeout_ms * 1000;
    rc = poll_until(s, until_us, err);
    if (rc != 0 || until_us < dead_us)
        return rc;
    return err_set(err, -ETIMEDOUT,
                   "nothing heard from the source for %lld ms: %d heartbeats missed",
                   (long long)missed_ms, HEARTBEATS_MISSED);
}

static ssize_t tls_failed(struct mysql_stream *s, ssize_t n)
{
    switch (SSL_get_error(s->tls, (int)n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        return errno ? -errno : -ECONNRESET;
    }
}

/* What one read brings now: >0, 0 closed, -EAGAIN, or another error. */
static ssize_t read_some(struct mysql_stream *s, uint8_t *to, size_t size)
{
    ssize_t n;

    if (!s->tls) {
        n = recv(s->conn->socket, to, size, MSG_DONTWAIT);
        return n < 0 ? -errno : n;
    }
    mutex_lock(&s->tls_lock);
    errno = 0;
    n = SSL_read(s->tls, to, (int)(size < READ_SIZE ? size : READ_SIZE));
    if (n <= 0)
        n = tls_failed(s, n);
    mutex_unlock(&s->tls_lock);
    return n;
}

static int stopped(struct mysql_stream *s, ssize_t cause, struct err *err)
{
    if (atomic_load(&s->stopping))
        return err_set(err, -ECANCELED, "the stream was stopped");
    if (cause == 0)
        return err_set(err, -ECONNRESET, "the source closed the connection");
    return err_set(err, -ECONNRESET, "reading from the source: error %d", (int)-cause);
}

/* Makes room for 'need' unread bytes in a row. */
static int make_room(struct mysql_stream *s, size_t need, struct err *err)
{
    size_t unread = s->end - s->at, cap = need < READ_SIZE ? READ_SIZE : need;

    if (need > EVENT_SIZE_MAX)
        return err_set(err, -E2BIG, "an event of over 1 GiB");
    if (s->cap < need || (s->cap > READ_SIZE && cap == READ_SIZE && unread < READ_SIZE / 2)) {
        uint8_t *data = xmalloc(cap);

        memcpy(data, s->data + s->at, unread);
        free(s->data);
        s->data = data;
        s->cap = cap;
    } else if (s->at > 0) {
        memmove(s->data, s->data + s->at, unread);
    }
    s->at = 0;
    s->end = unread;
    return 0;
}

/* Reads until 'need' bytes are unread. */
static int fill(struct mysql_stream *s, size_t need, struct err *err)
{
    int rc = s->end - s->at >= need ? 0 : make_room(s, need, err);

    while (rc == 0 && s->end - s->at < need) {
        ssize_t n = read_some(s, s->data + s->end, s->cap - s->end);

        if (n > 0) {
            s->end += (size_t)n;
            s->bytes += (uint64_t)n;
            s->heard_us = clock_mono_us();
        } else if (n == -EAGAIN) {
            rc = wait_readable(s, -1, err);
            rc = rc < 0 ? rc : 0;
        } else if (n != -EINTR) {
            return stopped(s, n, err);
        }
    }
    return rc;
}

/* --- packets --- */

static size_t packet_size(const uint8_t *header)
{
    return header[0] | (size_t)header[1] << 8 | (size_t)header[2] << 16;
}

/* The payload of the next packet; parts of a large one are moved together. */
static int next_packet(struct mysql_stream *s, struct slice *ret, struct err *err)
{
    size_t size = 0, part = PACKET_FULL;
    int rc = 0;

    while (rc == 0 && part == PACKET_FULL) {
        /* [header][size bytes so far] + [header][part] */
        size_t have = size ? PACKET_HEADER + size : 0;

        rc = fill(s, have + PACKET_HEADER, err);
        if (rc < 0)
            break;
        part = packet_size(s->data + s->at + have);
        rc = fill(s, have + PACKET_HEADER + part, err);
        if (rc == 0 && size) {
            uint8_t *to = s->data + s->at + have;

            memmove(to, to + PACKET_HEADER, s->end - s->at - have - PACKET_HEADER);
            s->end -= PACKET_HEADER;
        }
        size += part;
    }
    if (rc < 0)
        return rc;
    *ret = slice_of(s->data + s->at + PACKET_HEADER, size);
    s->at += PACKET_HEADER + size;
    return 0;
}

/* What the source's sentence for 1236 means; the first that it contains counts. */
static const struct {
    const char *part;
    int code;
    const char *sentence;
} dump_errors[] = {
    { "purged", -ENODATA, "the source has purged the binlog" },
    { "Could not find first log", -ENODATA, "the source no longer has the binlog file" },
    { "too old", -ENODATA, "the source has purged the binlog" },
    { "position > file size", -ERANGE, "the source's binlog ends before the position" },
    { "mpossible position", -ERANGE, "the source's binlog ends before the position" },
    { "is missing the GTID", -ERANGE, "the source's binlog lacks the GTID" },
    { "not in the master's binlog", -ERANGE, "the source's binlog lacks the GTID" },
    { "more GTIDs than", -ERANGE, "the source's binlog lacks transactions that we have" },
};

static int dump_refused(const struct mysql_stream *s, struct slice packet, struct err *err)
{
    struct cursor c = cursor_of(packet);
    char text[512], state[6] = "HY000";
    struct slice rest;
    unsigned number;

    cursor_skip(&c, 1);
    number = cursor_u16(&c);
    if (cursor_left(&c) >= 6 && *c.at == '#') {
        cursor_skip(&c, 1);
        memcpy(state, cursor_bytes(&c, 5).data, 5);
    }
    rest = cursor_rest(&c);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(rest));
    conn_error(err, number, state, text);
    for (size_t i = 0; number == ER_DUMP && i < ARRAY_LEN(dump_errors); i++) {
        if (!strstr(text, dump_errors[i].part))
            continue;
        err_set(err, dump_errors[i].code, "%s to start from (%s): %s", dump_errors[i].sentence,
                s->from, text);
        err->sql = number;
        break;
    }
    return err->code;
}

static int take_event(struct mysql_stream *s, struct slice rest, struct slice *ret, struct err *err)
{
    *ret = rest;
    if (!s->semi_sync)
        return 1;
    if (rest.size < SEMI_SYNC_HEAD || rest.data[0] != SEMI_SYNC_MAGIC)
        return err_set(err, -EBADMSG, "an event without the head of semi-synchronous replication");
    s->ack_wanted = rest.data[1] & SEMI_SYNC_ASKS;
    *ret = slice_of(rest.data + SEMI_SYNC_HEAD, rest.size - SEMI_SYNC_HEAD);
    return 1;
}

int mysql_stream_next(struct mysql_stream *s, struct slice *ret, struct err *err)
{
    struct slice packet;
    int rc = next_packet(s, &packet, err);

    if (rc < 0)
        return rc;
    if (packet.size == 0)
        return err_set(err, -EBADMSG, "an empty packet in the dump");
    switch (packet.data[0]) {
    case REPLY_EVENT:
        return take_event(s, slice_of(packet.data + 1, packet.size - 1), ret, err);
    case REPLY_END:
        return 0;
    case REPLY_ERROR:
        return dump_refused(s, packet, err);
    default:
        return err_set(err, -EBADMSG, "a packet of type %u in the dump", packet.data[0]);
    }
}

/* Something is here that poll() does not tell of. */
static bool has_some(const struct mysql_stream *s)
{
    size_t have = s->end - s->at;

    if (have >= PACKET_HEADER && have - PACKET_HEADER >= packet_size(s->data + s->at))
        return true;
    return s->tls && SSL_pending(s->tls) > 0;
}

bool mysql_stream_ready(const struct mysql_stream *s)
{
    struct pollfd p = { .fd = s->conn->socket, .events = POLLIN };

    return has_some(s) || poll(&p, 1, 0) > 0;
}

int mysql_stream_wait(struct mysql_stream *s, int64_t timeout_ms, struct err *err)
{
    int rc = has_some(s) ? 1 : wait_readable(s, timeout_ms, err);

    return rc >= 0 && atomic_load(&s->stopping) ? stopped(s, 0, err) : rc;
}

/* --- acknowledgements --- */

bool mysql_stream_semi_sync(const struct mysql_stream *s)
{
    return s->semi_sync;
}

bool mysql_stream_ack_wanted(const struct mysql_stream *s)
{
    return s->ack_wanted;
}

/* >0, -EAGAIN, or another error. */
static ssize_t write_some(struct mysql_stream *s, const char *from, size_t size)
{
    ssize_t n;

    if (!s->tls) {
        n = send(s->conn->socket, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        return n < 0 ? -errno : n;
    }
    mutex_lock(&s->tls_lock);
    errno = 0;
    n = SSL_write(s->tls, from, (int)size);
    if (n <= 0)
        n = tls_failed(s, n);
    mutex_unlock(&s->tls_lock);
    return n == 0 ? -ECONNRESET : n;
}

static int write_all(struct mysql_stream *s, struct slice bytes, struct err *err)
{
    size_t done = 0;

    while (done < bytes.size) {
        ssize_t n = write_some(s, (const char *)bytes.data + done, bytes.size - done);
        struct pollfd p = { .fd = s->conn->socket, .events = POLLOUT };

        if (n > 0)
            done += (size_t)n;
        else if (n != -EAGAIN && n != -EINTR)
            return stopped(s, n, err);
        else if (poll(&p, 1, (int)s->heartbeat_ms) == 0)
            return err_set(err, -ETIMEDOUT, "the source takes no acknowledgement");
    }
    return 0;
}

int mysql_stream_acknowledge(struct mysql_stream *s, const char *file, uint64_t offset,
                             struct err *err)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    buf_le(&b, 1 + 8 + strlen(file), 3);
    buf_le(&b, 0, 1); /* each answer counts its packets anew */
    buf_le(&b, SEMI_SYNC_MAGIC, 1);
    buf_le(&b, offset, 8);
    buf_str(&b, file);
    return write_all(s, slice_of(b.data, b.size), err);
}

/* --- open and close --- */

static int set_session(struct mysql_stream *s, const struct position *from,
                       const struct mysql_stream_options *o, uint32_t server_id, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT, set = BUF_INIT;
    char uuid[40];

    /* The source would give up a reader that waits for its target longer than a minute. */
    buf_str(&sql, "SET SESSION net_write_timeout = 3600");
    /* Both words for each: which of them a release knows does not matter, they are variables. */
    buf_printf(&sql, ", @master_heartbeat_period = %llu, @source_heartbeat_period = %llu",
               s->heartbeat_ms * 1000000ull, s->heartbeat_ms * 1000000ull);
    buf_str(&sql, ", @master_binlog_checksum = @@global.binlog_checksum"
                  ", @source_binlog_checksum = @@global.binlog_checksum");
    if (s->conn->flavor == FLAVOR_MYSQL) {
        snprintf(uuid, sizeof uuid, "736c7569-6365-4000-8000-0000%08x", server_id);
        if (o->uuid)
            snprintf(uuid, sizeof uuid, "%s", o->uuid);
        buf_printf(&sql, ", @slave_uuid = '%s', @replica_uuid = '%s'", uuid, uuid);
    } else {
        buf_str(&sql, ", @mariadb_slave_capability = 4");
    }
    if (s->conn->flavor == FLAVOR_MARIADB && o->by_gtid) {
        if (from->gtids)
            gtid_set_print(from->gtids, &set);
        /* Strict: a source on another branch than ours says so instead of skipping. */
        buf_str(&sql, ", @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0"
                      ", @slave_connect_state = ");
        sql_quote(&sql, slice_of(set.data, set.size));
    }
    return mysql_conn_exec(s->conn, slice_of(sql.data, sql.size), NULL, err);
}

/* Makes us visible in SHOW REPLICAS. */
static int register_replica(struct mysql_stream *s, uint32_t server_id, struct err *err)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    int rc;

    buf_le(&b, server_id, 4);
    buf_byte(&b, 7);
    buf_str(&b, "sluiced"); /* report_host */
    buf_le(&b, 0, 1);       /* user */
    buf_le(&b, 0, 1);       /* password */
    buf_le(&b, 0, 2);       /* port */
    buf_le(&b, 0, 4);       /* rank, no longer used */
    buf_le(&b, 0, 4);       /* the source's id, filled in by it */
    rc = conn_command(s->conn, COM_REGISTER_SLAVE, slice_of(b.data, b.size), err);
    return rc < 0 ? rc : conn_reply(s->conn, err);
}

/* Asked for only where it is on: a source that has it off sends no heads. */
static int join_semi_sync(struct mysql_stream *s, struct err *err)
{
    struct mysql_result *res;
    struct mysql_row row;
    int rc = mysql_conn_queryf(s->conn, &res, err,
                               "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
                               " ('rpl_semi_sync_source_enabled', 'rpl_semi_sync_master_enabled')");

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0)
        s->semi_sync |= row.sizes[1] == 2 && memcmp(row.values[1], "ON", 2) == 0;
    mysql_result_free(res);
    if (rc < 0 || !s->semi_sync)
        return rc;
    return mysql_conn_execf(s->conn, err,
                            "SET @rpl_semi_sync_slave = 1, @rpl_semi_sync_replica = 1");
}

static int send_dump(struct mysql_stream *s, const struct position *from,
                     const struct mysql_stream_options *o, uint32_t server_id, struct err *err)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT, set = BUF_INIT;
    unsigned flags = o->stop_at_end ? DUMP_NON_BLOCK : 0;
    bool by_set = o->by_gtid && s->conn->flavor == FLAVOR_MYSQL;
    const char *file = o->by_gtid ? "" : from->file;
    uint64_t offset = o->by_gtid || from->offset < 4 ? 4 : from->offset;

    if (o->all_events && s->conn->flavor == FLAVOR_MARIADB)
        flags |= DUMP_ANNOTATE_ROWS;
    if (!by_set && offset > UINT32_MAX)
        return err_set(err, -ERANGE,
                       "a dump by file cannot start at %llu, beyond 4 GiB: set enable_gtid",
                       (unsigned long long)offset);
    if (!by_set) {
        buf_le(&b, offset, 4);
        buf_le(&b, flags, 2);
        buf_le(&b, server_id, 4);
        buf_str(&b, file);
        return conn_command(s->conn, COM_BINLOG_DUMP, slice_of(b.data, b.size), err);
    }
    if (from->gtids)
        gtid_set_encode(from->gtids, &set);
    else
        buf_le(&set, 0, 8); /* no sids */
    buf_le(&b, flags | DUMP_THROUGH_GTID, 2);
    buf_le(&b, server_id, 4);
    buf_le(&b, 0, 4); /* size of the file name */
    buf_le(&b, offset, 8);
    buf_le(&b, set.size, 4);
    buf_add(&b, set.data, set.size);
    return conn_command(s->conn, COM_BINLOG_DUMP_GTID_, slice_of(b.data, b.size), err);
}

static char *describe(const struct position *from, bool by_gtid)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    if (by_gtid && from->gtids)
        gtid_set_print(from->gtids, &b);
    else if (!by_gtid)
        buf_printf(&b, "%s:%llu", from->file, (unsigned long long)from->offset);
    return buf_steal(&b);
}

static uint32_t made_up_id(void)
{
    uint32_t id = 0;

    if (getrandom(&id, sizeof id, 0) != sizeof id)
        id = (uint32_t)clock_wall_us();
    return id | 0x80000000u; /* people number their servers from below */
}

static void stream_freep(struct mysql_stream **s)
{
    mysql_stream_close(*s);
}

int mysql_stream_open(struct mysql_stream **ret, const struct mysql_params *p,
                      const struct position *from, const struct mysql_stream_options *o,
                      struct err *err)
{
    SCOPED(stream_freep) struct mysql_stream *s = xcalloc(1, sizeof *s);
    uint32_t server_id = o->server_id ? o->server_id : made_up_id();
    int rc;

    s->heartbeat_ms = o->heartbeat_ms ? o->heartbeat_ms : HEARTBEAT_MS;
    s->from = describe(from, o->by_gtid);
    s->cap = READ_SIZE;
    s->data = xmalloc(s->cap);
    s->heard_us = clock_mono_us();
    mutex_init(&s->tls_lock);
    rc = mysql_conn_open(&s->conn, p, err);
    if (rc == 0)
        rc = set_session(s, from, o, server_id, err);
    if (rc == 0)
        rc = register_replica(s, server_id, err);
    if (rc == 0 && o->semi_sync)
        rc = join_semi_sync(s, err);
    if (rc == 0)
        rc = send_dump(s, from, o, server_id, err);
    if (rc < 0)
        return rc;
    /* Nothing is left in the library's cache: the source sends only after the command.  The
     * receive buffer stays the kernel's to size: SO_RCVBUF would stop its autotuning short. */
    if (mysql_get_ssl_cipher(s->conn->my)) {
        s->tls = s->conn->my->net.pvio->ctls->ssl;
        fcntl(s->conn->socket, F_SETFL, O_NONBLOCK); /* the wait is ours */
    }
    *ret = STEAL(s);
    return 0;
}

enum flavor mysql_stream_flavor(const struct mysql_stream *s)
{
    return s->conn->flavor;
}

uint64_t mysql_stream_bytes(const struct mysql_stream *s)
{
    return s->bytes;
}

void mysql_stream_shutdown(struct mysql_stream *s)
{
    atomic_store(&s->stopping, true);
    mysql_conn_shutdown(s->conn);
}

void mysql_stream_close(struct mysql_stream *s)
{
    if (!s)
        return;
    mysql_conn_close(s->conn);
    mutex_fini(&s->tls_lock);
    free(s->data);
    free(s->from);
    free(s);
}
