/* serve_report.c - what a dump tells of its replica, and what the replica says meanwhile. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "unit/serve/serve_dump_priv.h"

enum {
    MAX_INPUT = 4096, /* of what a client may say while it is sent events */
    INPUT_MS = 5000,
};

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

void dump_publish(struct dump *d, const char *state)
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

void dump_hold(struct dump *d, uint64_t seq)
{
    struct err err = ERR_INIT;

    d->held_us = clock_mono_us();
    if (journal_hold(d->v->journal, d->hold, seq, false, &err) < 0)
        log_warn(d->v->server->unit.path, "%s: %s", d->hold, err.text);
}

void dump_tick(struct dump *d)
{
    int64_t now_us = clock_mono_us();

    if (now_us - d->published_us < DUMP_PUBLISH_MS * 1000LL)
        return;
    dump_publish(d, "sending");
    dump_hold(d, d->facts.seq + 1);
}

/* --- what the client says --- */

struct ack_point dump_point(const struct dump *d, uint64_t seq, uint64_t offset)
{
    struct ack_point p = { .seq = seq, .offset = offset };

    snprintf(p.file, sizeof p.file, "%s", d->file);
    return p;
}

void dump_report(struct dump *d)
{
    if (d->facts.server_id && d->facts.semi_sync)
        quorum_report(d->v->quorum, d->facts.server_id, d->s->connection, &d->acks.has);
}

void dump_pass(struct dump *d, uint64_t seq)
{
    uint64_t had = d->acks.has.seq;
    struct ack_point p;

    if (!d->asks)
        return;
    p = dump_point(d, seq, d->offset);
    acks_pass(&d->acks, &p);
    if (d->acks.has.seq != had)
        dump_report(d);
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
    dump_pass(d, d->facts.seq);
    dump_report(d);
    return 0;
}

int dump_take_input(struct dump *d, struct err *err)
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

void dump_check_acks(struct dump *d)
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
