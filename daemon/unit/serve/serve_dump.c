/*
 * serve_dump.c - one dump: first events, then the journal's records as they are, heartbeats when
 * there are none, acknowledgements.
 *
 * A replica counts bytes: what says a position (heartbeats, artificial events) must agree with
 * what was sent.  So events are never changed, but for the format description, whose size stays.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/artificial.h"
#include "binlog/control.h"
#include "mysql/dump_command.h"
#include "mysql/frame.h"
#include "mysql/packet.h"
#include "unit/relay/relay.h"
#include "unit/serve/replica.h"
#include "unit/serve/serve_ack.h"
#include "unit/serve/serve_admit.h"
#include "unit/serve/serve_quorum.h"
#include "unit/serve/server_priv.h"

enum {
    TICK_MS = 500,    /* how soon a client that went away is noticed */
    LOOK_MS = 200,    /* how often the socket of one who has nothing to say is looked at */
    ACK_TICK_MS = 20, /* likewise, an acknowledgement that is waited for */
    PUBLISH_MS = 500, /* how often the replica's directory is written while sending */
    HURRY_MS = 1,     /* likewise, when the source waits for it */
    MAX_INPUT = 4096, /* of what a client may say while it is sent events */
    INPUT_MS = 5000,
    AT_TYPE = 4,
    FIRST_OFFSET = 4,
};

#define GONE_MYSQL                                                                        \
    "A replica with the same server_uuid/server_id as this replica has connected to the " \
    "source"
#define GONE_MARIADB \
    "A slave with the same server_uuid/server_id as this slave has connected to the master"

struct dump {
    struct session *s;
    struct serve *v;
    struct dump_start start;
    struct frame frame;
    struct journal_reader *reader;
    struct replica *replica;
    struct replica_facts facts;
    char *hold; /* its name in the journal */
    bool mariadb, non_block, heartbeat_v2;
    bool asks; /* for acknowledgements */
    /* where it is */
    uint32_t incarnation, file_no;
    char file[BINLOG_NAME_SIZE];
    uint64_t offset;
    bool checksum;          /* as the last format description says */
    bool skipped;           /* something, since the last event */
    bool list_due;          /* MariaDB: a GTID list where the client goes on */
    bool done;              /* UNTIL is reached */
    struct gtid_set *state; /* MariaDB: all transactions up to here, while that matters */
    struct buf event;       /* an artificial one */
    /* time */
    int64_t heartbeat_us, sent_us, published_us, held_us, looked_us;
    struct acks acks;
};

/* --- events of our own --- */

static int send_own(struct dump *d, struct err *err)
{
    int rc = frame_event(&d->frame, slice_of(d->event.data, d->event.size), false, err);

    buf_clear(&d->event);
    d->sent_us = clock_mono_us();
    return rc;
}

static int send_rotate(struct dump *d, uint64_t offset, bool checksum, struct err *err)
{
    artificial_rotate(&d->event, d->v->server_id, d->file, offset, checksum);
    return send_own(d, err);
}

static int send_heartbeat(struct dump *d, struct err *err)
{
    artificial_heartbeat(&d->event, d->v->server_id, d->file, d->offset, d->heartbeat_v2,
                         d->checksum);
    return send_own(d, err);
}

static int send_list(struct dump *d, unsigned flags, struct err *err)
{
    d->list_due = false;
    artificial_gtid_list(&d->event, d->v->server_id, d->state, flags, d->offset, d->checksum);
    return send_own(d, err);
}

/* The stored one, or, out of the file's description, one that has no place in what is sent. */
static int send_format(struct dump *d, struct slice stored, bool without_place,
                       bool without_created, struct err *err)
{
    artificial_format(&d->event, stored, without_place, without_created);
    d->checksum = stored.data[stored.size - EVENT_CHECKSUM_SIZE - 1] == 1;
    return send_own(d, err);
}

/* What was skipped must be told before anything that has no position of its own. */
static int tell_skipped(struct dump *d, struct err *err)
{
    int rc = 0;

    if (d->list_due)
        rc = send_list(d, 0, err);
    else if (d->skipped && !d->mariadb)
        rc = send_heartbeat(d, err);
    d->skipped = false;
    return rc;
}

/* --- the replica's directory --- */

static bool visit_lag(void *arg, const struct journal_file *f)
{
    struct dump *d = arg;
    bool behind =
        f->incarnation > d->incarnation || (f->incarnation == d->incarnation && f->no > d->file_no);

    if (behind)
        d->facts.lag_bytes += f->end - f->from;
    else if (f->incarnation == d->incarnation && f->no == d->file_no && f->end > d->offset)
        d->facts.lag_bytes += f->end - d->offset;
    return true;
}

static void measure_lag(struct dump *d)
{
    struct journal_state tip;
    struct err ignored = ERR_INIT;

    d->facts.lag_bytes = 0;
    journal_state(d->v->journal, &tip);
    if (d->facts.seq < tip.durable_seq)
        journal_files(d->v->journal, visit_lag, d, &ignored);
}

static void publish(struct dump *d, const char *state)
{
    struct replica_facts *f = &d->facts;

    f->offset = d->offset;
    f->bytes_sent = d->frame.bytes;
    f->events_sent = d->frame.events;
    snprintf(f->file, sizeof f->file, "%s", d->file);
    snprintf(f->state, sizeof f->state, "%s", state);
    measure_lag(d);
    d->published_us = clock_mono_us();
    if (d->replica)
        replica_update(d->replica, f);
}

static void hold(struct dump *d, uint64_t seq)
{
    struct err err = ERR_INIT;

    d->held_us = clock_mono_us();
    if (journal_hold(d->v->journal, d->hold, seq, false, &err) < 0)
        log_warn(d->v->server->unit.path, "%s: %s", d->hold, err.text);
}

/* Now and then while sending. */
static void tick(struct dump *d)
{
    int64_t now_us = clock_mono_us();

    if (now_us - d->published_us < PUBLISH_MS * 1000LL)
        return;
    publish(d, "sending");
    hold(d, d->facts.seq + 1);
}

/* --- what the client says --- */

static struct ack_point point_at(const struct dump *d, uint64_t seq, uint64_t offset)
{
    struct ack_point p = { .seq = seq, .offset = offset };

    snprintf(p.file, sizeof p.file, "%s", d->file);
    return p;
}

static void report(struct dump *d)
{
    if (d->facts.server_id && d->facts.semi_sync)
        quorum_report(d->v->quorum, d->facts.server_id, d->s->connection, &d->acks.has);
}

/* It was sent, or need not be, and nobody is asked for it. */
static void pass(struct dump *d, uint64_t seq)
{
    uint64_t had = d->acks.has.seq;
    struct ack_point p;

    if (!d->asks)
        return;
    p = point_at(d, seq, d->offset);
    acks_pass(&d->acks, &p);
    if (d->acks.has.seq != had)
        report(d);
}

static int take_ack(struct dump *d, struct slice packet, struct err *err)
{
    struct ack_point p;
    int rc;

    if (packet.size == 1)
        return err_set(err, -ECONNRESET, "the client has quit");
    rc = acks_take(&d->acks, packet, &p, err);
    if (rc < 0)
        return rc;
    snprintf(d->facts.acked_file, sizeof d->facts.acked_file, "%s", p.file);
    d->facts.acked_offset = p.offset;
    d->facts.semi_sync = true;
    pass(d, d->facts.seq);
    report(d);
    return 0;
}

static int take_input(struct dump *d, struct err *err)
{
    struct wire *w = &d->s->wire;

    while (wire_readable(w)) {
        struct slice packet;
        uint8_t seq = w->seq; /* the other direction counts for itself */
        int rc = wire_read(w, MAX_INPUT, INPUT_MS, &packet, err);

        w->seq = seq;
        if (rc == 0)
            rc = take_ack(d, packet, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Who does not answer in time counts as asynchronous until he does. */
static void check_acks(struct dump *d)
{
    int64_t asked_us = acks_waits_us(&d->acks);

    if (!asked_us || !d->facts.semi_sync ||
        clock_mono_us() - asked_us < d->v->semi_sync_timeout_ms * 1000)
        return;
    d->facts.semi_sync = false;
    quorum_leave(d->v->quorum, d->s->connection);
    log_warn(d->v->server->unit.path, "replica %u acknowledges nothing: it is asynchronous",
             (unsigned)d->facts.server_id);
    if (d->replica)
        node_event(&d->replica->node, "semi_sync", json_pack("{s:b}", "semi_sync", 0));
}

/* --- records --- */

/* What a replica can read does not change under it: the source's flavour does when another server
 * takes its place. */
static int check_flavor(struct dump *d, const struct journal_file *f, struct err *err)
{
    struct event_format fmt = { .checksum = 0 };
    struct event ev;
    uint32_t created;
    int rc = event_parse(f->format, &fmt, false, &ev, err);

    if (rc == 0)
        rc = format_decode(&ev, &fmt, &created, err);
    if (rc == 0 && (fmt.flavor == FLAVOR_MARIADB) != d->mariadb)
        rc = err_set(err, -EBADMSG,
                     "From %s on the binary log is that of a %s server (%s), which this replica "
                     "cannot read",
                     f->name, fmt.flavor == FLAVOR_MARIADB ? "MariaDB" : "MySQL",
                     fmt.server_version);
    return rc;
}

/* Another server has taken the source's place, and the replica goes on with its binlog: those who
 * watch hear of it. */
static void announce_source(struct dump *d, const struct journal_file *f)
{
    char server[64] = "";

    relay_server_of(d->v->source, f->incarnation, server);
    log_info(d->v->server->unit.path, "replica %u goes on with %s of %s",
             (unsigned)d->facts.server_id, f->name, server);
    if (d->replica)
        node_event(&d->replica->node, "source",
                   json_pack("{s:s, s:i, s:s}", "server", server, "incarnation",
                             (int)f->incarnation, "file", f->name));
}

/* The record begins a file. */
static int enter_file(struct dump *d, const struct journal_record *r, struct err *err)
{
    struct journal_file f = { .no = 0 };
    int rc = journal_file_of(d->v->journal, r->seq, &f, err);

    if (rc == 0 && f.incarnation != d->incarnation) {
        announce_source(d, &f);
        rc = check_flavor(d, &f, err);
    }
    if (rc < 0) {
        journal_file_fini(&f);
        return rc;
    }
    d->incarnation = f.incarnation;
    d->file_no = f.no;
    d->offset = r->from;
    snprintf(d->file, sizeof d->file, "%s", f.name);
    rc = send_rotate(d, r->from, d->checksum, err);
    if (rc == 0 && r->type != EVENT_FORMAT_DESCRIPTION) /* the journal begins inside of it */
        rc = send_format(d, f.format, true, true, err);
    journal_file_fini(&f);
    return rc;
}

/* --- which transactions --- */

static void reach(struct dump *d, const struct gtid *g)
{
    if (d->state && g->number)
        gtid_set_add(d->state, g);
}

static const struct gtid *until_of(const struct dump *d, uint32_t domain)
{
    size_t n;
    const struct gtid_member *m = gtid_set_members(d->start.until, &n);

    for (size_t i = 0; i < n; i++)
        if (m[i].id.domain == domain)
            return &m[i].id;
    return NULL;
}

/* UNTIL: a domain that is not in it ends before it begins. */
static bool is_beyond(const struct dump *d, const struct gtid *g)
{
    const struct gtid *end = d->start.until ? until_of(d, g->domain) : NULL;

    return d->start.until && (!end || g->number > end->number);
}

static bool is_done(const struct dump *d)
{
    size_t n;
    const struct gtid_member *m = d->start.until ? gtid_set_members(d->start.until, &n) : NULL;

    if (!m && !d->start.until)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!gtid_set_has(d->state, &m[i].id))
            return false;
    return true;
}

static bool is_skipped(const struct dump *d, const struct journal_record *r)
{
    return r->kind == JOURNAL_TXN && r->gtid.number &&
           ((d->start.has && gtid_set_has(d->start.has, &r->gtid)) || is_beyond(d, &r->gtid));
}

/* --- sending them --- */

static int send_event(struct dump *d, const struct journal_record *r, struct err *err)
{
    struct slice raw;
    int rc;

    if (r->type == EVENT_MARIADB_START_ENCRYPTION) /* the events come in clear text */
        return 0;
    rc = journal_reader_event(d->reader, &raw, err);
    if (rc <= 0)
        return rc;
    if (r->type == EVENT_FORMAT_DESCRIPTION)
        return send_format(d, raw, false, d->mariadb && d->start.head && d->list_due, err);
    return frame_event(&d->frame, raw, false, err);
}

static bool asks_for(struct dump *d, const struct journal_record *r)
{
    struct ack_point p = point_at(d, r->seq, r->to);

    return d->asks && acks_ask(&d->acks, &p, journal_reader_ready(d->reader), clock_mono_us());
}

static int send_txn(struct dump *d, const struct journal_record *r, struct err *err)
{
    uint64_t drop = d->start.inside > r->from ? d->start.inside - r->from : 0;
    struct slice piece;
    int rc;

    d->start.inside = 0;
    frame_begin(&d->frame, r->size - drop, asks_for(d, r));
    while ((rc = journal_reader_piece(d->reader, &piece, err)) > 0) {
        size_t n = piece.size < drop ? piece.size : drop;

        drop -= n;
        rc = frame_bytes(&d->frame, slice_of(piece.data + n, piece.size - n), err);
        if (rc < 0)
            break;
        tick(d);
    }
    return rc;
}

static int send_record(struct dump *d, const struct journal_record *r, struct err *err)
{
    int rc = 0;

    if (is_skipped(d, r)) {
        d->skipped = true;
        return 0;
    }
    if (r->kind == JOURNAL_TXN ? d->list_due : (d->skipped && !d->mariadb))
        rc = tell_skipped(d, err);
    d->skipped = false;
    if (rc == 0)
        rc = r->kind == JOURNAL_TXN ? send_txn(d, r, err) : send_event(d, r, err);
    return rc;
}

static int take_record(struct dump *d, const struct journal_record *r, struct err *err)
{
    int rc = 0;

    if (r->incarnation != d->incarnation || r->file_no != d->file_no)
        rc = enter_file(d, r, err);
    if (d->skipped && r->from > d->offset)
        d->offset = r->from;
    if (rc == 0)
        rc = send_record(d, r, err);
    d->offset = r->to;
    d->facts.seq = r->seq;
    d->facts.commit_us = r->commit_us ? r->commit_us : (int64_t)(r->commit_ts >> 18) * 1000;
    if (r->gtid.number) {
        d->facts.gtid = r->gtid;
        reach(d, &r->gtid);
    }
    if (rc == 0 && (d->skipped || r->kind != JOURNAL_TXN))
        pass(d, r->seq);
    return rc;
}

/* --- at the tip --- */

static int64_t wait_ms(const struct dump *d)
{
    int64_t ms = acks_waits_us(&d->acks) && d->facts.semi_sync ? ACK_TICK_MS : TICK_MS;
    int64_t due_ms;

    if (!d->heartbeat_us)
        return ms;
    due_ms = (d->sent_us + d->heartbeat_us - clock_mono_us()) / 1000;
    if (due_ms < 0)
        due_ms = 0;
    return due_ms < ms ? due_ms : ms;
}

/* A system call a delivery is saved. */
static bool should_look(struct dump *d)
{
    int64_t now_us = clock_mono_us();

    if (!acks_waits_us(&d->acks) && now_us - d->looked_us < LOOK_MS * 1000)
        return false;
    d->looked_us = now_us;
    return true;
}

static int at_tip(struct dump *d, struct err *err)
{
    int rc = d->skipped || d->list_due ? tell_skipped(d, err) : 0;

    if (rc == 0 && d->heartbeat_us && clock_mono_us() >= d->sent_us + d->heartbeat_us)
        rc = send_heartbeat(d, err);
    if (rc == 0)
        rc = wire_flush(&d->s->wire, SERVE_WRITE_TIMEOUT_MS, err);
    if (rc == 0 && should_look(d))
        rc = take_input(d, err);
    check_acks(d);
    return rc;
}

/* The answer that the source waits for is looked for on the socket; else a record wakes us. */
static int wait_record(struct dump *d, struct journal_record *r, struct err *err)
{
    struct pollfd p = { .fd = d->s->wire.fd, .events = POLLIN };
    int64_t ms = wait_ms(d);

    if (d->v->keeper && ms > 0 && acks_waits_us(&d->acks) && d->facts.semi_sync) {
        poll(&p, 1, HURRY_MS);
        ms = 0;
    }
    return journal_reader_next(d->reader, r, ms, err);
}

/* 1: a record; 0: the dump is over; or an error. */
static int next_record(struct dump *d, struct journal_record *r, struct err *err)
{
    int rc = journal_reader_next(d->reader, r, 0, err);

    while (rc == 0) {
        if ((rc = at_tip(d, err)) < 0)
            return rc;
        if (d->non_block)
            return 0;
        if (clock_mono_us() - d->published_us >= PUBLISH_MS * 1000LL ||
            strcmp(d->facts.state, "waiting") != 0) {
            publish(d, "waiting");
            hold(d, d->facts.seq + 1);
        }
        rc = wait_record(d, r, err);
    }
    return rc;
}

/* --- the first events --- */

/* What is at the head of a file, up to where the client goes on. */
static int send_head(struct dump *d, struct err *err)
{
    struct journal_record r;
    int rc = journal_reader_seek(d->reader, d->start.file.first_seq, err);

    while (rc == 0 && (rc = journal_reader_next(d->reader, &r, 0, err)) > 0) {
        rc = 0;
        if (r.seq >= d->start.seq || r.kind != JOURNAL_EVENT || r.type == EVENT_ROTATE)
            break;
        rc = take_record(d, &r, err);
    }
    d->skipped = d->facts.seq + 1 < d->start.seq;
    return rc < 0 ? rc : 0;
}

/* Where a client is that has all there is. */
static void move_to_tip(struct dump *d)
{
    struct position p = { .gtids = NULL };
    struct journal_state tip;

    journal_state(d->v->journal, &tip);
    journal_position(d->v->journal, &p);
    if (d->start.seq > tip.durable_seq && strcmp(p.file, d->file) == 0)
        d->offset = p.offset;
    position_fini(&p);
}

static int begin(struct dump *d, struct err *err)
{
    struct dump_start *b = &d->start;
    int rc;

    d->incarnation = b->file.incarnation;
    d->file_no = b->file.no;
    d->offset = b->offset;
    snprintf(d->file, sizeof d->file, "%s", b->file.name);
    rc = send_rotate(d, b->offset, b->checksum, err);
    d->checksum = b->checksum;
    if (rc == 0 && b->format)
        rc = send_format(d, b->file.format, true, true, err);
    if (rc == 0 && b->head)
        rc = send_head(d, err);
    if (rc == 0)
        rc = journal_reader_seek(d->reader, b->seq, err);
    if (rc == 0 && d->skipped)
        move_to_tip(d);
    d->facts.seq = b->seq - 1;
    if (rc == 0 && d->asks) {
        struct ack_point at = point_at(d, d->facts.seq, d->offset);

        acks_begin(&d->acks, &at);
        report(d);
    }
    return rc;
}

static int run(struct dump *d, struct err *err)
{
    struct journal_record r;
    int rc = begin(d, err);

    while (rc == 0 && !(d->done = is_done(d)) && (rc = next_record(d, &r, err)) > 0) {
        rc = take_record(d, &r, err);
        tick(d);
        if (rc == 0 && acks_waits_us(&d->acks))
            rc = take_input(d, err);
    }
    if (rc == 0 && d->done)
        rc = send_list(d, GTID_LIST_UNTIL_REACHED, err);
    return rc;
}

/* --- beginning and ending --- */

static void set_facts(struct dump *d, const struct dump_command *c)
{
    struct session *s = d->s;
    struct replica_facts *f = &d->facts;
    const char *uuid = serve_variable(s, "slave_uuid", "replica_uuid");

    *f = (struct replica_facts){
        .connection = s->connection,
        .server_id = c->server_id,
        .port = s->port,
        .heartbeat_s = (double)d->heartbeat_us / 1e6,
        .connect_us = clock_wall_us(),
        .connected = true,
        .by_gtid = d->start.by_gtid,
        .semi_sync = d->asks,
        .state = "connecting",
    };
    snprintf(f->server_uuid, sizeof f->server_uuid, "%s", uuid ? uuid : "");
    snprintf(f->user, sizeof f->user, "%s", s->auth.name);
    snprintf(f->host, sizeof f->host, "%s", s->host[0] ? s->host : s->peer);
    snprintf(f->tls_cipher, sizeof f->tls_cipher, "%s", wire_cipher(&s->wire));
}

static bool is_on(const char *value)
{
    return value && (strcmp(value, "1") == 0 || strcasecmp(value, "ON") == 0);
}

static void set_options(struct dump *d, const struct dump_command *c)
{
    struct session *s = d->s;
    const char *period = serve_variable(s, "master_heartbeat_period", "source_heartbeat_period");
    const char *semi = serve_variable(s, "rpl_semi_sync_slave", "rpl_semi_sync_replica");

    d->mariadb = s->flavor == FLAVOR_MARIADB;
    d->non_block = (c->flags & DUMP_NON_BLOCK) || c->server_id == 0;
    d->heartbeat_v2 = !d->mariadb && (c->flags & DUMP_HEARTBEAT_V2);
    d->heartbeat_us = period ? (int64_t)(strtoull(period, NULL, 10) / 1000) : 0;
    d->asks = is_on(semi) && d->v->semi_sync;
    d->frame = (struct frame){ .wire = &s->wire,
                               .timeout_ms = SERVE_WRITE_TIMEOUT_MS,
                               .semi_sync = is_on(semi),
                               .skips_annotate = d->mariadb && !(c->flags & DUMP_ANNOTATE) };
    d->list_due = d->mariadb && d->start.by_gtid && !gtid_set_empty(d->start.has);
    if (d->start.before && d->mariadb && (d->list_due || d->start.until))
        d->state = gtid_set_copy(d->start.before);
    else if (d->mariadb)
        d->state = gtid_set_new(FLAVOR_MARIADB);
    d->hold = c->server_id
                  ? xasprintf("servers/%s/replicas/%u", d->v->server->name, (unsigned)c->server_id)
                  : xasprintf("servers/%s/tools/%u", d->v->server->name, (unsigned)s->connection);
}

static bool same_replica(const struct session *a, uint32_t server_id,
                         const char *uuid) NO_THREAD_CHECK
{
    return (server_id && a->dump_id == server_id) || (*uuid && strcasecmp(a->dump_uuid, uuid) == 0);
}

/* Whoever dumps under the same name is ended: the newest wins. */
static void enter(struct dump *d) NO_THREAD_CHECK
{
    struct session *s = d->s;
    uint32_t others[16];
    size_t n = 0;

    mutex_lock(&d->v->lock);
    for (struct session *o = d->v->sessions; o; o = o->next)
        if (o != s && !o->over && n < ARRAY_LEN(others) &&
            same_replica(o, d->facts.server_id, d->facts.server_uuid))
            others[n++] = o->connection;
    s->reader = d->reader;
    s->dump_id = d->facts.server_id;
    snprintf(s->dump_uuid, sizeof s->dump_uuid, "%s", d->facts.server_uuid);
    mutex_unlock(&d->v->lock);
    while (n-- > 0)
        serve_end(d->v, others[n], SESSION_REPLACED);
    d->v->server->n_replicas++;
}

static void leave(struct dump *d) NO_THREAD_CHECK
{
    struct session *s = d->s;

    mutex_lock(&d->v->lock);
    s->reader = NULL;
    s->dump_id = 0;
    s->dump_uuid[0] = '\0';
    mutex_unlock(&d->v->lock);
    d->v->server->n_replicas--;
    quorum_leave(d->v->quorum, s->connection);
}

/* What the client is told of an error in the middle; NULL: nothing, it is gone. */
static const char *told(struct dump *d, int rc, const struct err *err)
{
    if (session_ended(d->s) == SESSION_REPLACED)
        return d->mariadb ? GONE_MARIADB : GONE_MYSQL;
    return rc == -EBADMSG || rc == -ERANGE || rc == -EIO || rc == -ENOENT ? err->text : NULL;
}

static void finish(struct dump *d, int rc, struct err *err)
{
    struct err ignored = ERR_INIT;
    const char *text = rc < 0 ? told(d, rc, err) : NULL;

    if (text) {
        packet_err(&d->s->wire, PACKET_BINLOG, text);
        wire_flush(&d->s->wire, 1000, &ignored);
    } else if (rc == 0) {
        packet_eof(&d->s->wire);
    }
    leave(d);
    publish(d, "gone");
    if (d->replica)
        replica_disconnect(d->replica, &d->facts, text ? text : "");
    if (session_ended(d->s) != SESSION_REPLACED)
        journal_release(d->v->journal, d->hold, &ignored);
    d->v->server->bytes_sent += d->frame.bytes;
}

static int run_dump(struct dump *d, const struct dump_command *c, struct err *err)
{
    int rc;

    set_options(d, c);
    set_facts(d, c);
    d->reader = journal_reader_new(d->v->journal, JOURNAL_DURABLE);
    d->sent_us = clock_mono_us();
    hold(d, d->start.head ? d->start.file.first_seq : d->start.seq);
    enter(d);
    d->replica = replica_connect(d->v->server, &d->facts, d->v->journal);
    rc = run(d, err);
    finish(d, rc, err);
    journal_reader_free(d->reader);
    gtid_set_free(d->state);
    buf_fini(&d->event);
    free(d->hold);
    return rc;
}

int serve_dump(struct session *s, const struct dump_command *c, struct err *err)
{
    struct dump d = { .s = s, .v = s->serve, .event = BUF_INIT };
    int rc = serve_admit(s, c, &d.start, err);

    if (rc < 0) {
        log_info(d.v->server->unit.path, "replica %u from %s is refused: %s",
                 (unsigned)c->server_id, s->peer, err->text);
        packet_err(&s->wire, err->sql, err->text);
        *err = ERR_INIT;
        return 0;
    }
    rc = run_dump(&d, c, err);
    dump_start_fini(&d.start);
    return rc;
}
