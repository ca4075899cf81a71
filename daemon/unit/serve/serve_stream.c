/*
 * serve_stream.c - first events, then the journal's records as they are, heartbeats when there are
 * none.
 *
 * A replica counts bytes: what says a position (heartbeats, artificial events) must agree with
 * what was sent.  So events are never changed, but for the format description, whose size stays.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "binlog/artificial.h"
#include "binlog/control.h"
#include "unit/relay/relay.h"
#include "unit/serve/serve_dump_priv.h"

enum {
    TICK_MS = 500,    /* how soon a client that went away is noticed */
    LOOK_MS = 200,    /* how often the socket of one who has nothing to say is looked at */
    ACK_TICK_MS = 20, /* likewise, an acknowledgement that is waited for */
    HURRY_MS = 1,     /* likewise, when the source waits for it */
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
    struct ack_point p = dump_point(d, r->seq, r->to);

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
        dump_tick(d);
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
        dump_pass(d, r->seq);
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
        rc = dump_take_input(d, err);
    dump_check_acks(d);
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
        if (clock_mono_us() - d->published_us >= DUMP_PUBLISH_MS * 1000LL ||
            strcmp(d->facts.state, "waiting") != 0) {
            dump_publish(d, "waiting");
            dump_hold(d, d->facts.seq + 1);
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
        struct ack_point at = dump_point(d, d->facts.seq, d->offset);

        acks_begin(&d->acks, &at);
        dump_report(d);
    }
    return rc;
}

int dump_stream(struct dump *d, struct err *err)
{
    struct journal_record r;
    int rc = begin(d, err);

    while (rc == 0 && !(d->done = is_done(d)) && (rc = next_record(d, &r, err)) > 0) {
        rc = take_record(d, &r, err);
        dump_tick(d);
        if (rc == 0 && acks_waits_us(&d->acks))
            rc = dump_take_input(d, err);
    }
    if (rc == 0 && d->done)
        rc = send_list(d, GTID_LIST_UNTIL_REACHED, err);
    return rc;
}
