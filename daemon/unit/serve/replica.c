#include "unit/serve/replica.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "unit/serve/serve.h"
#include "unit/serve/server_priv.h"

static const char *const modes[] = { "file", "gtid", NULL };

struct replica *replica_of(const struct node *n)
{
    return node_owner(n, struct replica, node);
}

static struct server *replicas_owner(const struct node *n)
{
    return node_owner(n, struct server, replicas);
}

static void replica_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&replica_of(n)->lock);
}

static void replica_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&replica_of(n)->lock);
}

/* --- rows; the node is locked, so NO_THREAD_CHECK --- */

#define FACT(n, a, type) (*(type const *)((const char *)&replica_of(n)->facts + (a)->offset))

static json_t *get_text(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_string((const char *)&replica_of(n)->facts + a->offset);
}

static json_t *get_number(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_integer((json_int_t)FACT(n, a, uint64_t));
}

static json_t *get_flag(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return json_boolean(FACT(n, a, bool));
}

static json_t *get_server_id(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_integer(replica_of(n)->facts.server_id);
}

static json_t *get_heartbeat(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_real(replica_of(n)->facts.heartbeat_s);
}

static json_t *get_mode(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(modes[replica_of(n)->facts.by_gtid]);
}

static json_t *get_gtid(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    (void)a, (void)err;
    gtid_print(&replica_of(n)->facts.gtid, &text);
    return json_string(text.size ? text.data : "");
}

static json_t *get_connect_time(const struct node *n, const struct attr *a,
                                struct err *err) NO_THREAD_CHECK
{
    char text[CLOCK_TEXT_SIZE];

    (void)a, (void)err;
    clock_text(replica_of(n)->facts.connect_us, text);
    return json_string(text);
}

/* 0 at the tip; else the age of what it got last, or how long ago it had all: what comes after a
 * quiet hour is not an hour late.  Defined while it is connected. */
static json_t *get_lag(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const struct replica *r = replica_of(n);
    struct journal_state tip;
    int64_t since_us;
    double lag_s;

    (void)a, (void)err;
    if (!r->journal)
        return json_null();
    journal_state(r->journal, &tip);
    if (r->facts.seq >= tip.durable_seq)
        return json_real(0);
    since_us = r->facts.commit_us > r->waited_us ? r->facts.commit_us : r->waited_us;
    lag_s = (double)(clock_wall_us() - since_us) / 1e6;
    return json_real(lag_s > 0 && r->facts.commit_us ? lag_s : 0);
}

static struct rate_point point_of(const struct replica_facts *f)
{
    return (
        struct rate_point){ .us = clock_mono_us(), .rows = f->events_sent, .bytes = f->bytes_sent };
}

/* Over its last few seconds; 'offset': 0 events, 1 bytes. */
static json_t *get_rate(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const struct replica *r = replica_of(n);
    struct rate_point now = point_of(&r->facts);
    double s = a->offset ? rate_bytes_s(&r->rate, &now) : rate_rows_s(&r->rate, &now);

    (void)err;
    return json_integer(r->facts.connected ? (json_int_t)(s + 0.5) : 0);
}

static int run_kick(struct node *n, const json_t *args, struct err *err)
{
    struct replica *r = replica_of(n);
    uint32_t connection;

    (void)args;
    mutex_lock(&r->lock);
    connection = r->facts.connected ? r->facts.connection : 0;
    mutex_unlock(&r->lock);
    if (!connection || !serve_kick(r->server, connection))
        return err_set(err, -ENOTCONN, "the replica is not connected");
    return 0;
}

#define TEXT_FACT(field, row_name, ...)                              \
    {                                                                \
        .name = row_name, .type = ATTR_TEXT, .get = get_text,        \
        .offset = offsetof(struct replica_facts, field), __VA_ARGS__ \
    }
#define NUMBER_FACT(field, row_name, kind, ...)                      \
    {                                                                \
        .name = row_name, .type = kind, .get = get_number,           \
        .offset = offsetof(struct replica_facts, field), __VA_ARGS__ \
    }
#define FLAG_FACT(field, ...)                                        \
    {                                                                \
        .name = #field, .type = ATTR_BOOL, .get = get_flag,          \
        .offset = offsetof(struct replica_facts, field), __VA_ARGS__ \
    }

static const struct attr replica_attrs[] = {
    TEXT_FACT(state, "state", .flags = ATTR_WATCHED,
              .help = "connecting, sending, waiting (all was sent), or gone"),
    FLAG_FACT(connected, .flags = ATTR_WATCHED, .help = "Whether its dump runs"),
    { .name = "server_id",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_server_id,
      .help = "Its replication id; 0: a tool that reads to the end and goes" },
    TEXT_FACT(server_uuid, "server_uuid", .help = "Its server_uuid; empty for MariaDB"),
    TEXT_FACT(host, "host", .help = "Where it says it is (report_host), or where it came from"),
    NUMBER_FACT(port, "port", ATTR_COUNT, .flags = ATTR_GAUGE, .help = "Its own TCP port"),
    TEXT_FACT(user, "user", .help = "Account that it logged in with"),
    { .name = "mode",
      .type = ATTR_ENUM,
      .choices = modes,
      .get = get_mode,
      .help = "Whether it asked by GTID or by file and offset" },
    TEXT_FACT(file, "binlog_file", .help = "File of the source that it has got to"),
    NUMBER_FACT(offset, "binlog_offset", ATTR_BYTES, .flags = ATTR_GAUGE,
                .help = "Offset in it after what was sent last"),
    { .name = "gtid",
      .type = ATTR_TEXT,
      .get = get_gtid,
      .help = "GTID of the transaction that was sent last" },
    NUMBER_FACT(seq, "seq", ATTR_COUNT, .flags = ATTR_GAUGE,
                .help = "Record of the journal that was sent last"),
    { .name = "lag_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE | ATTR_WATCHED,
      .get = get_lag,
      .help =
          "0 when all was sent; else the age of what was sent last, or the time since all was" },
    NUMBER_FACT(lag_bytes, "lag_bytes", ATTR_BYTES, .flags = ATTR_GAUGE,
                .help = "Bytes of the journal that it has yet to get"),
    NUMBER_FACT(bytes_sent, "bytes_sent", ATTR_BYTES, .help = "Bytes of events sent to it"),
    NUMBER_FACT(events_sent, "events_sent", ATTR_COUNT, .help = "Events sent to it"),
    { .name = "events_s",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .unit = "events/s",
      .get = get_rate,
      .help = "Events sent to it a second" },
    { .name = "bytes_s",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .unit = "bytes/s",
      .get = get_rate,
      .offset = 1,
      .help = "Bytes of events sent to it a second" },
    { .name = "heartbeat_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_heartbeat,
      .help = "How often it wants to hear of us when nothing happens; 0: never" },
    FLAG_FACT(semi_sync, .help = "Whether it acknowledges in time"),
    TEXT_FACT(acked_file, "acked_file", .help = "File of the last acknowledgement"),
    NUMBER_FACT(acked_offset, "acked_offset", ATTR_BYTES, .flags = ATTR_GAUGE,
                .help = "Offset of the last acknowledgement"),
    TEXT_FACT(last_error, "error", .help = "Why the last dump ended; empty: the replica left"),
    TEXT_FACT(tls_cipher, "tls_cipher", .help = "Cipher of the connection; empty: no TLS"),
    { .name = "connect_time",
      .type = ATTR_TIME,
      .get = get_connect_time,
      .help = "When its dump began" },
    { 0 },
};

static const struct action replica_actions[] = {
    { .name = "kick", .run = run_kick, .help = "End the connection; a replica comes back" },
    { 0 },
};

static const char *const replica_examples[] = {
    "cat state lag_seconds binlog_file binlog_offset",
    "echo > kick",
    "cat tls_cipher acked_offset",
    NULL,
};

static int remove_replica(struct node *n, struct err *err)
{
    struct replica *r = replica_of(n);
    bool connected;

    mutex_lock(&r->lock);
    connected = r->facts.connected;
    mutex_unlock(&r->lock);
    if (connected)
        return err_set(err, -EBUSY, "the replica is connected: echo > kick");
    node_remove(n);
    return 0;
}

static void release_replica(struct node *n) NO_THREAD_CHECK
{
    struct replica *r = replica_of(n);

    journal_close(r->journal);
    mutex_fini(&r->lock);
    node_unref(&r->server->unit.node);
    free(r);
}

const struct node_type replica_type = {
    .name = "replica",
    .help = "A replica, or a tool, that reads this server's binlog, and how far it is.",
    .examples = replica_examples,
    .attrs = replica_attrs,
    .actions = replica_actions,
    .lock = replica_lock,
    .unlock = replica_unlock,
    .remove = remove_replica,
    .release = release_replica,
};

/* --- the collection --- */

/* Only for a dump that begins: replica_connect() says so. */
static int create_replica(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct server *s = replicas_owner(dir);
    struct replica *r;
    bool expected;

    (void)spec;
    mutex_lock(&s->lock);
    expected = s->expected && strcmp(s->expected, name) == 0;
    mutex_unlock(&s->lock);
    if (!expected)
        return err_set(err, -EPERM, "replicas come by themselves, when they connect");
    r = xcalloc(1, sizeof *r);
    node_init(&r->node, &replica_type, name);
    mutex_init(&r->lock);
    node_ref(&s->unit.node);
    r->server = s;
    if (node_add(dir, &r->node, err) < 0) {
        node_unref(&r->node);
        return err->code;
    }
    return 0;
}

static void release_replicas(struct node *n)
{
    node_unref(&replicas_owner(n)->unit.node);
}

static const char *const replicas_examples[] = {
    "cat */lag_seconds",
    "inotifywait -m .",
    "echo > 101/kick",
    NULL,
};

static const struct node_part replicas_parts[] = { { NULL, &replica_type }, { 0 } };

const struct node_type replicas_type = {
    .name = "replicas",
    .help = "Who reads this server's binlog, by replication id.",
    .examples = replicas_examples,
    .parts = replicas_parts,
    .create = create_replica,
    .release = release_replicas,
};

/* --- for the dump --- */

static const struct caller by_daemon = { .front = "daemon" };

static void expect(struct server *s, char *name)
{
    mutex_lock(&s->lock);
    free(s->expected);
    s->expected = name;
    mutex_unlock(&s->lock);
}

/* Through the mount, so that it is announced; without it when that takes too long. */
static struct node *make_node(struct server *s, const char *name)
{
    struct err err = ERR_INIT;
    struct node *n;

    mutex_lock(&s->making);
    n = node_child(&s->replicas, name);
    if (!n) {
        expect(s, xstrdup(name));
        if (node_create(&s->replicas, name, NULL, &by_daemon, &err) < 0 && err.code != -EEXIST)
            node_create_direct(&s->replicas, name, NULL, NULL, &err);
        n = node_child(&s->replicas, name);
        expect(s, NULL);
    }
    mutex_unlock(&s->making);
    return n;
}

static void put_facts(struct replica *r, const struct replica_facts *f, struct journal *journal)
{
    struct journal *old;

    mutex_lock(&r->lock);
    r->facts = *f;
    old = r->journal;
    r->journal = journal;
    mutex_unlock(&r->lock);
    journal_close(old);
    node_changed(&r->node, NULL);
}

struct replica *replica_connect(struct server *s, const struct replica_facts *facts,
                                struct journal *journal)
{
    char name[32];
    struct node *n;

    if (facts->server_id)
        snprintf(name, sizeof name, "%u", (unsigned)facts->server_id);
    else
        snprintf(name, sizeof name, "tool-%u", (unsigned)facts->connection);
    n = make_node(s, name);
    if (!n) /* the server was taken out of the tree meanwhile */
        return NULL;
    put_facts(replica_of(n), facts, journal_ref(journal));
    node_event(n, "connect",
               json_pack("{s:I, s:s, s:s, s:s}", "server_id", (json_int_t)facts->server_id, "host",
                         facts->host, "mode", modes[facts->by_gtid], "tls_cipher",
                         facts->tls_cipher));
    return replica_of(n);
}

static bool is_owner(const struct replica *r, const struct replica_facts *f) REQUIRES(r->lock)
{
    return r->facts.connection == f->connection;
}

void replica_update(struct replica *r, const struct replica_facts *facts)
{
    bool moved = false;

    mutex_lock(&r->lock);
    if (is_owner(r, facts)) {
        struct rate_point now = point_of(facts);

        rate_sample(&r->rate, &now);
        moved = strcmp(r->facts.state, facts->state) != 0;
        r->facts = *facts;
        if (strcmp(facts->state, "waiting") == 0)
            r->waited_us = clock_wall_us();
    }
    mutex_unlock(&r->lock);
    node_changed(&r->node, moved ? NULL : "seq");
}

void replica_disconnect(struct replica *r, const struct replica_facts *facts, const char *why)
{
    struct replica_facts last = *facts;
    struct err ignored = ERR_INIT;
    bool owner;

    mutex_lock(&r->lock);
    owner = is_owner(r, facts);
    mutex_unlock(&r->lock);
    if (owner) {
        last.connected = false;
        last.semi_sync = false;
        snprintf(last.state, sizeof last.state, "gone");
        snprintf(last.last_error, sizeof last.last_error, "%s", why);
        put_facts(r, &last, NULL);
    }
    node_event(&r->node, "disconnect",
               json_pack("{s:I, s:s}", "server_id", (json_int_t)facts->server_id, "error", why));
    if (facts->server_id == 0)
        node_destroy(&r->node, &by_daemon, &ignored);
    node_unref(&r->node);
}
