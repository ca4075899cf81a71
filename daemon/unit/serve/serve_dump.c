/* serve_dump.c - one dump: who asks for it, how it begins and ends. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "mysql/dump_command.h"
#include "mysql/packet.h"
#include "unit/serve/serve_dump_priv.h"

#define GONE_MYSQL                                                                        \
    "A replica with the same server_uuid/server_id as this replica has connected to the " \
    "source"
#define GONE_MARIADB \
    "A slave with the same server_uuid/server_id as this slave has connected to the master"

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
    dump_publish(d, "gone");
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
    dump_hold(d, d->start.head ? d->start.file.first_seq : d->start.seq);
    enter(d);
    d->replica = replica_connect(d->v->server, &d->facts, d->v->journal);
    rc = dump_stream(d, err);
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
