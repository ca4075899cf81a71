/* server_node.c - servers/ and servers/<s>/: their rows. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "unit/relay/relay.h"
#include "unit/serve/replica.h"
#include "unit/serve/serve.h"
#include "unit/serve/serve_quorum.h"
#include "unit/serve/server_doc.h"
#include "unit/serve/server_priv.h"

/* --- fields of the document; the node is locked, so NO_THREAD_CHECK --- */

static const struct doc_field *field_named(const char *name)
{
    const struct doc_field *f = server_doc_fields;

    while (f->name && strcmp(f->name, name) != 0)
        f++;
    return f;
}

static json_t *get_field(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    json_t *v = json_object_get(server_of(n)->doc, a->name);
    json_t *fallback;

    (void)err;
    if (v)
        return json_incref(v);
    fallback = doc_fallback(field_named(a->name));
    return fallback ? fallback : json_string("");
}

static int set_field(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    return server_set_field(server_of(n), a->name, v, err);
}

static json_t *get_config(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    SCOPED(json_decrefp) json_t *full = doc_full(server_doc_fields, server_of(n)->doc);

    (void)a, (void)err;
    return doc_masked(server_doc_fields, full);
}

static int set_config(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return server_set_doc(server_of(n), v, err);
}

/* --- while it runs --- */

static json_t *get_count(const struct node *n, const struct attr *a, struct err *err)
{
    (void)err;
    return json_integer((json_int_t) *
                        (const _Atomic uint64_t *)((const char *)server_of(n) + a->offset));
}

/* The journal's end, with a reference to nothing: the server's lock keeps it open. */
static bool get_position(const struct node *n, struct position *p)
{
    struct server *s = server_of(n);
    bool runs;

    *p = (struct position){ .gtids = NULL };
    mutex_lock(&s->lock);
    runs = s->serve != NULL;
    if (runs)
        journal_position(s->serve->journal, p);
    mutex_unlock(&s->lock);
    return runs;
}

static json_t *get_file(const struct node *n, const struct attr *a, struct err *err)
{
    struct position p;
    json_t *v;

    (void)a, (void)err;
    get_position(n, &p);
    v = json_string(p.file);
    position_fini(&p);
    return v;
}

static json_t *get_offset(const struct node *n, const struct attr *a, struct err *err)
{
    struct position p;
    json_t *v;

    (void)a, (void)err;
    get_position(n, &p);
    v = json_integer((json_int_t)p.offset);
    position_fini(&p);
    return v;
}

static json_t *set_text(const struct gtid_set *set)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (set)
        gtid_set_print(set, &text);
    return json_string(text.size ? text.data : "");
}

static json_t *get_executed(const struct node *n, const struct attr *a, struct err *err)
{
    struct position p;
    json_t *v;

    (void)a, (void)err;
    get_position(n, &p);
    v = set_text(p.gtids);
    position_fini(&p);
    return v;
}

static json_t *get_purged(const struct node *n, const struct attr *a, struct err *err)
{
    struct server *s = server_of(n);
    struct gtid_set *set = NULL;
    json_t *v;

    (void)a, (void)err;
    mutex_lock(&s->lock);
    if (s->serve)
        set = journal_purged(s->serve->journal);
    mutex_unlock(&s->lock);
    v = set_text(set);
    gtid_set_free(set);
    return v;
}

static json_t *get_current(const struct node *n, const struct attr *a, struct err *err)
{
    struct server *s = server_of(n);
    struct relay_tip tip = { .last = { .number = 0 } };
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    (void)a, (void)err;
    mutex_lock(&s->lock);
    if (s->serve)
        relay_tip(s->serve->source, &tip);
    mutex_unlock(&s->lock);
    gtid_print(&tip.last, &text);
    return json_string(text.size ? text.data : "");
}

static json_t *get_port(const struct node *n, const struct attr *a, struct err *err)
{
    struct server *s = server_of(n);
    unsigned port;

    (void)a, (void)err;
    mutex_lock(&s->lock);
    port = s->serve ? s->serve->port : 0;
    mutex_unlock(&s->lock);
    return json_integer(port);
}

/* --- what enough replicas have --- */

static bool look_at_quorum(const struct node *n, struct quorum_view *ret)
{
    struct server *s = server_of(n);
    bool waits;

    *ret = (struct quorum_view){ .clients = 0 };
    mutex_lock(&s->lock);
    if (s->serve)
        quorum_look(s->serve->quorum, ret);
    waits = s->keeper && !ret->waited.lapsed && s->serve && relay_is_semi_sync(s->serve->source);
    mutex_unlock(&s->lock);
    return waits;
}

static json_t *get_active(const struct node *n, const struct attr *a, struct err *err)
{
    struct quorum_view v;

    (void)a, (void)err;
    return json_boolean(look_at_quorum(n, &v));
}

static json_t *get_clients(const struct node *n, const struct attr *a, struct err *err)
{
    struct quorum_view v;

    (void)a, (void)err;
    look_at_quorum(n, &v);
    return json_integer(v.clients);
}

static json_t *get_safe_file(const struct node *n, const struct attr *a, struct err *err)
{
    struct quorum_view v;

    (void)a, (void)err;
    look_at_quorum(n, &v);
    return json_string(v.safe.file);
}

static json_t *get_quorum_number(const struct node *n, const struct attr *a, struct err *err)
{
    struct quorum_view v;

    (void)err;
    look_at_quorum(n, &v);
    return json_integer((json_int_t) * (const uint64_t *)((const char *)&v + a->offset));
}

static int run_start(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return server_start(server_of(n), err);
}

static int run_stop(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return server_stop(server_of(n), err);
}

static int run_create(struct node *n, const json_t *args, struct err *err)
{
    return node_create_document(n, args, err);
}

#define FIELD(field_name, kind, ...)                                                      \
    {                                                                                     \
        .name = field_name, .type = kind, .get = get_field, .set = set_field, __VA_ARGS__ \
    }

static const struct attr server_attrs[] = {
    UNIT_ATTRS,
    { .name = "config",
      .type = ATTR_DOCUMENT,
      .flags = ATTR_BULK,
      .get = get_config,
      .set = set_config,
      .help = "All settings as one document, secrets as ******" },
    FIELD("source_name", ATTR_TEXT, .flags = ATTR_STORED,
          .help = "The source whose journal is served"),
    FIELD("addr", ATTR_TEXT, .flags = ATTR_STORED,
          .help = "Where it listens: HOST:PORT, [IPV6]:PORT; port 0 takes a free one"),
    FIELD("user", ATTR_TEXT, .flags = ATTR_STORED, .help = "Account that replicas log in with"),
    { .name = "password",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .set = set_field,
      .help = "Its password, or file:PATH to read it from there" },
    FIELD("tls_cert", ATTR_TEXT, .flags = ATTR_STORED | ATTR_BULK,
          .help = "Certificate as PEM, or file:PATH; empty: one is made at each start"),
    { .name = "tls_key",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .set = set_field,
      .help = "Private key of tls_cert as PEM, or file:PATH" },
    FIELD("server_id", ATTR_COUNT, .flags = ATTR_STORED | ATTR_GAUGE, .min = 1, .max = UINT32_MAX,
          .help = "Its own replication id, unlike that of any replica"),
    FIELD("server_uuid", ATTR_TEXT, .flags = ATTR_STORED,
          .help = "Its own identity, as MySQL replicas see it"),
    FIELD("version", ATTR_TEXT, .flags = ATTR_STORED,
          .help = "Version that clients see; empty: that of the source"),
    FIELD("semi_sync", ATTR_BOOL, .flags = ATTR_STORED,
          .help = "Whether replicas that can are asked to acknowledge transactions"),
    FIELD("semi_sync_timeout", ATTR_COUNT, .flags = ATTR_STORED | ATTR_GAUGE, .unit = "ms",
          .min = 1, .max = 86400000,
          .help = "Time without an acknowledgement after which a replica counts as asynchronous"),
    FIELD("semi_sync_wait_for_replica_count", ATTR_COUNT, .flags = ATTR_STORED | ATTR_GAUGE,
          .max = 10000,
          .help = "With semi_sync: replicas that must have a transaction before the source, which "
                  "waits for the relay, hears that it is safe; 0: our disk suffices"),
    { .name = "semi_sync_active",
      .type = ATTR_BOOL,
      .get = get_active,
      .help = "Whether commits at the source wait for replicas of this server now" },
    { .name = "semi_sync_clients",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_clients,
      .help = "Replicas that acknowledge" },
    { .name = "semi_sync_safe_seq",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_quorum_number,
      .offset = offsetof(struct quorum_view, safe.seq),
      .help = "Record up to which as many replicas have all as are waited for, at least one" },
    { .name = "semi_sync_safe_file",
      .type = ATTR_TEXT,
      .get = get_safe_file,
      .help = "File of the source in which that record ends" },
    { .name = "semi_sync_safe_offset",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_quorum_number,
      .offset = offsetof(struct quorum_view, safe.offset),
      .help = "Offset in it" },
    { .name = "semi_sync_yes_tx",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_quorum_number,
      .offset = offsetof(struct quorum_view, waited.passed),
      .help = "Acknowledgements to the source that enough replicas had made in time" },
    { .name = "semi_sync_no_times",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_quorum_number,
      .offset = offsetof(struct quorum_view, waited.lapses),
      .help = "Times that replicas were too late, and waited for no longer" },
    FIELD("allow_unknown_domains", ATTR_BOOL, .flags = ATTR_STORED,
          .help = "Whether a MariaDB replica may have GTID domains that the source has nothing of"),
    FIELD("max_replicas", ATTR_COUNT, .flags = ATTR_STORED | ATTR_GAUGE, .min = 1, .max = 10000,
          .help = "Most connections at a time"),
    { .name = "port",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_port,
      .help = "TCP port that it listens on; 0: it does not" },
    { .name = "n_replicas",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = get_count,
      .offset = offsetof(struct server, n_replicas),
      .help = "Dumps that run" },
    { .name = "binlog_file",
      .type = ATTR_TEXT,
      .get = get_file,
      .help = "File of the source in which what can be served ends" },
    { .name = "binlog_offset",
      .type = ATTR_BYTES,
      .flags = ATTR_GAUGE,
      .get = get_offset,
      .help = "Offset in it" },
    { .name = "current_gtid",
      .type = ATTR_TEXT,
      .get = get_current,
      .help = "GTID of the transaction that was stored last" },
    { .name = "gtid_executed",
      .type = ATTR_TEXT,
      .get = get_executed,
      .help = "All transactions up to there" },
    { .name = "gtid_purged",
      .type = ATTR_TEXT,
      .get = get_purged,
      .help = "Transactions that cannot be served any more" },
    { .name = "bytes_sent",
      .type = ATTR_BYTES,
      .get = get_count,
      .offset = offsetof(struct server, bytes_sent),
      .help = "Bytes of events that dumps which have ended sent" },
    { 0 },
};

static const struct action server_actions[] = {
    { .name = "start", .run = run_start, .help = "Listen; again after a restart of the daemon" },
    { .name = "stop", .run = run_stop, .help = "End all connections and listen no more" },
    { 0 },
};

static const char *const server_examples[] = {
    "echo s1 > source_name; echo 127.0.0.1:3307 > addr; echo repl > user; echo file:/root/pw > "
    "password",
    "echo > start; cat port",
    "cat replicas/*/lag_seconds",
    NULL,
};

static const struct node_part server_parts[] = { { "replicas", &replicas_type }, { 0 } };

const struct node_type server_type = {
    .name = "server",
    .help = "A binlog server: replicas attach to it as to the source whose journal it serves.",
    .examples = server_examples,
    .attrs = server_attrs,
    .actions = server_actions,
    .parts = server_parts,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .remove = server_remove,
    .release = server_release,
};

static const struct action servers_actions[] = {
    { .name = "create",
      .run = run_create,
      .document = true,
      .help = "Make a server from a document" },
    { 0 },
};

static const char *const servers_examples[] = {
    "mkdir b1; echo s1 > b1/source_name",
    "cat b1.yaml > create",
    "cat */state",
    NULL,
};

static const struct node_part servers_parts[] = { { NULL, &server_type }, { 0 } };

const struct node_type servers_type = {
    .name = "servers",
    .help = "Binlog servers, which replicas of MySQL and MariaDB attach to.",
    .examples = servers_examples,
    .actions = servers_actions,
    .parts = servers_parts,
    .create = servers_create,
    .release = servers_release,
};
