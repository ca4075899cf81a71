/* serve.c - the unit behind a server: it listens, and has a thread for each connection. */
#include "unit/serve/serve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/control.h"
#include "journal/journal.h"
#include "mysql/packet.h"
#include "mysql/wire_tls.h"
#include "store/secret.h"
#include "unit/relay/relay.h"
#include "unit/serve/serve_quorum.h"
#include "unit/serve/server_doc.h"
#include "unit/serve/server_priv.h"
#include "unit/source/source.h"

enum {
    BACKLOG = 256,
    TICK_MS = 200,
    MAX_LOGINS = 100,     /* connections that have not logged in yet */
    ENDING_TICK_MS = 100, /* between two looks whether all sessions have ended */
};

/* --- the socket --- */

static unsigned port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    char port[8] = "0";

    if (getsockname(fd, (struct sockaddr *)&a, &size) == 0)
        getnameinfo((struct sockaddr *)&a, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    return (unsigned)strtoul(port, NULL, 10);
}

static int open_listener(struct serve *v, const char *addr, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
    SCOPED(freep) char *host = NULL;
    SCOPED(freep) char *port = NULL;
    int rc = server_doc_address(addr, &host, &port, err);

    if (rc < 0)
        return rc;
    rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0)
        return err_set(err, -EINVAL, "addr: %s: %s", host, gai_strerror(rc));
    rc = fd_listen(found, BACKLOG);
    freeaddrinfo(found);
    if (rc < 0)
        return err_set(err, rc, "cannot listen on %s: %s", addr, strerrordesc_np(-rc));
    v->listener = rc;
    v->port = port_of(v->listener);
    return 0;
}

/* --- sessions --- */

static bool is_this_machine(const struct sockaddr_storage *from)
{
    const struct in6_addr *six = &((const struct sockaddr_in6 *)from)->sin6_addr;

    if (from->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)from)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(six) ||
           (IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
}

/* A system whose default paces what it sends (bbr) sets a timer for each segment, between two ends
 * of one machine, too, where nothing can be congested and the timers cost more than the sending.
 * reno does not pace, and is part of every Linux TCP, not a module.  Where an administrator does
 * not allow it (net.ipv4.tcp_allowed_congestion_control), the default stays, which is as right and
 * slower. */
static void do_not_pace(int fd)
{
    static const char plain[] = "reno";

    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof plain - 1);
}

static void set_up_socket(int fd, const struct sockaddr_storage *from)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    if (is_this_machine(from))
        do_not_pace(fd);
}

static void refuse(int fd)
{
    struct wire w;
    struct err ignored = ERR_INIT;

    wire_init(&w, fd);
    packet_err(&w, PACKET_TOO_MANY_CONNECTIONS, "Too many connections");
    wire_flush(&w, 0, &ignored);
    wire_fini(&w);
}

static void begin_session(struct serve *v, int fd, const struct sockaddr_storage *from,
                          socklen_t size) NO_THREAD_CHECK
{
    struct session *s = xcalloc(1, sizeof *s);

    set_up_socket(fd, from);
    wire_init(&s->wire, fd);
    s->serve = v;
    getnameinfo((const struct sockaddr *)from, size, s->peer, sizeof s->peer, NULL, 0,
                NI_NUMERICHOST);
    mutex_lock(&v->lock);
    s->connection = ++v->last_connection ? v->last_connection : ++v->last_connection;
    s->next = v->sessions;
    v->sessions = s;
    v->n_sessions++;
    v->n_logins++;
    s->thread = thread_start("serve", session_run, s);
    mutex_unlock(&v->lock);
}

static bool has_room(struct serve *v)
{
    bool room;

    mutex_lock(&v->lock);
    room = v->n_sessions < v->max_sessions && v->n_logins < MAX_LOGINS;
    mutex_unlock(&v->lock);
    return room;
}

/* A bounded number at a time, so that a flood does not keep the thread from stopping. */
static void accept_some(struct serve *v)
{
    for (int i = 0; i < BACKLOG; i++) {
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        int fd = accept4(v->listener, (struct sockaddr *)&from, &size, SOCK_CLOEXEC);

        if (fd < 0)
            return;
        if (has_room(v))
            begin_session(v, fd, &from, size);
        else
            refuse(fd);
    }
}

static struct session *take_over(struct serve *v)
{
    struct session *s;

    mutex_lock(&v->lock);
    for (struct session **p = &v->sessions; (s = *p); p = &s->next)
        if (s->over) {
            *p = s->next;
            v->n_sessions--;
            break;
        }
    mutex_unlock(&v->lock);
    return s;
}

static unsigned reap(struct serve *v)
{
    struct session *s;
    unsigned left;

    while ((s = take_over(v))) {
        thread_join(s->thread);
        free(s);
    }
    mutex_lock(&v->lock);
    left = v->n_sessions;
    mutex_unlock(&v->lock);
    return left;
}

/* Its reader wakes it, or its socket. */
static void end_session(struct session *s, enum session_end why) REQUIRES(s->serve->lock)
{
    s->end = why;
    if (s->reader)
        journal_reader_stop(s->reader);
    /* A replaced dump has yet to be told why; the others' sockets are of no more use. */
    if (why != SESSION_REPLACED || !s->reader)
        shutdown(s->wire.fd, SHUT_RDWR);
}

bool serve_end(struct serve *v, uint32_t connection, enum session_end why) NO_THREAD_CHECK
{
    bool found = false;

    mutex_lock(&v->lock);
    for (struct session *s = v->sessions; s && !found; s = s->next)
        if ((found = s->connection == connection && !s->over))
            end_session(s, why);
    mutex_unlock(&v->lock);
    return found;
}

bool serve_kick(struct server *s, uint32_t connection)
{
    bool found;

    mutex_lock(&s->lock);
    found = s->serve && serve_end(s->serve, connection, SESSION_KICKED);
    mutex_unlock(&s->lock);
    return found;
}

static void end_all(struct serve *v) NO_THREAD_CHECK
{
    do {
        mutex_lock(&v->lock);
        for (struct session *s = v->sessions; s; s = s->next)
            if (!s->over)
                end_session(s, SESSION_STOPPED);
        if (v->sessions)
            cond_wait(&v->cond, &v->lock, ENDING_TICK_MS);
        mutex_unlock(&v->lock);
    } while (reap(v) > 0);
}

/* --- what it serves --- */

int serve_flavor(struct serve *v, enum flavor *flavor, char *version, size_t size, struct err *err)
{
    struct journal_state state;
    struct journal_file f = { .no = 0 };
    struct event_format fmt = { .checksum = 0 };
    struct event ev;
    uint32_t created;
    int rc;

    journal_state(v->journal, &state);
    if (state.durable_seq == 0)
        return err_set(err, -ENOENT, "nothing of source %s is stored yet",
                       journal_name(v->journal));
    rc = journal_file_of(v->journal, state.durable_seq, &f, err);
    if (rc == 0)
        rc = event_parse(f.format, &fmt, false, &ev, err);
    if (rc == 0)
        rc = format_decode(&ev, &fmt, &created, err);
    if (rc == 0) {
        *flavor = fmt.flavor;
        snprintf(version, size, "%s", v->version ? v->version : fmt.server_version);
    }
    journal_file_fini(&f);
    return rc;
}

static int text_of(const json_t *doc, const char *field, char **ret, struct err *err)
{
    const char *s = json_string_value(json_object_get(doc, field));

    *ret = NULL;
    if (!s || !*s)
        return 0;
    return secret_resolve(s, ret, err) < 0 ? err_wrap(err, "%s", field) : 0;
}

static void read_plain(struct serve *v, const json_t *full)
{
    v->server_id = (uint32_t)json_integer_value(json_object_get(full, "server_id"));
    snprintf(v->server_uuid, sizeof v->server_uuid, "%s",
             json_string_value(json_object_get(full, "server_uuid")));
    v->allow_unknown_domains = json_is_true(json_object_get(full, "allow_unknown_domains"));
    v->semi_sync = json_is_true(json_object_get(full, "semi_sync"));
    v->semi_sync_timeout_ms = json_integer_value(json_object_get(full, "semi_sync_timeout"));
    v->max_sessions = (unsigned)json_integer_value(json_object_get(full, "max_replicas"));
}

static int start_tls(struct serve *v, const json_t *doc, struct err *err)
{
    SCOPED(freep) char *cert = NULL;
    SCOPED(freep) char *key = NULL;
    int rc = text_of(doc, "tls_cert", &cert, err);

    if (rc == 0)
        rc = text_of(doc, "tls_key", &key, err);
    if (rc == 0)
        rc = wire_tls_new(&v->tls, cert, key, v->server->name, err);
    secret_free(STEAL(key));
    return rc;
}

static int find_journal(struct serve *v, const json_t *doc, struct err *err)
{
    const char *name = json_string_value(json_object_get(doc, "source_name"));
    SCOPED(freep) char *who = xasprintf("servers/%s", v->server->unit.node.name);
    int rc;

    v->source = source_find(v->server->all->sources, name);
    if (!v->source)
        return err_set(err, -ENOENT, "source_name: there is no source %s", name);
    if ((rc = relay_want(v->source, who, err)) < 0)
        return rc;
    v->journal = source_journal(v->source);
    return v->journal ? 0 : err_set(err, -ENOENT, "source %s has no journal", name);
}

static void open_quorum(struct serve *v, const json_t *full)
{
    v->semi_sync_count =
        (unsigned)json_integer_value(json_object_get(full, "semi_sync_wait_for_replica_count"));
    v->keeper = server_keeper(v->server);
    v->quorum = quorum_new(v->semi_sync_count, v->keeper);
}

/* What was opened is the caller's to close, also after an error. */
static int open_serve(struct serve *v, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = server_doc(v->server);
    SCOPED(json_decrefp) json_t *full = doc_full(server_doc_fields, doc);
    int rc = server_doc_complete(doc, err);

    read_plain(v, full);
    open_quorum(v, full);
    if (rc == 0)
        rc = text_of(doc, "user", &v->user, err);
    if (rc == 0)
        rc = text_of(doc, "password", &v->password, err);
    if (rc == 0)
        rc = text_of(doc, "version", &v->version, err);
    if (rc == 0)
        rc = start_tls(v, doc, err);
    if (rc == 0)
        rc = find_journal(v, doc, err);
    if (rc == 0)
        rc = open_listener(v, json_string_value(json_object_get(doc, "addr")), err);
    return rc;
}

static void close_serve(struct serve *v)
{
    SCOPED(freep) char *who = xasprintf("servers/%s", v->server->unit.node.name);

    closep(&v->listener);
    quorum_free(v->quorum);
    journal_close(v->journal);
    if (v->source)
        relay_unwant(v->source, who);
    source_unref(v->source);
    wire_tls_free(v->tls);
    free(v->user);
    secret_free(v->password);
    free(v->version);
}

/* --- the unit --- */

/* To those who wait for it and to serve_kick(). */
static void announce(struct server *s, struct serve *v)
{
    mutex_lock(&s->lock);
    s->serve = v;
    cond_broadcast(&s->cond);
    mutex_unlock(&s->lock);
}

/* Once, when that changes. */
static void tell_semi_sync(struct serve *v)
{
    struct quorum_view view;
    bool waits;

    if (!v->keeper)
        return;
    quorum_look(v->quorum, &view);
    waits = relay_is_semi_sync(v->source) && !view.waited.lapsed;
    if (waits == v->source_waits)
        return;
    v->source_waits = waits;
    node_event(&v->server->unit.node, "semi_sync",
               json_pack("{s:b, s:i}", "active", waits, "clients", (int)view.clients));
    node_changed(&v->server->unit.node, "semi_sync_active");
}

static void listen_on(struct serve *v)
{
    struct unit *u = &v->server->unit;
    struct pollfd p = { .fd = v->listener, .events = POLLIN };

    while (!unit_stopping(u)) {
        if (poll(&p, 1, TICK_MS) > 0)
            accept_some(v);
        reap(v);
        tell_semi_sync(v);
    }
}

static int run(struct unit *u, struct err *err)
{
    struct serve v = { .server = server_of(&u->node), .listener = -1 };
    int rc;

    mutex_init(&v.lock);
    cond_init(&v.cond);
    rc = open_serve(&v, err);
    if (rc == 0) {
        log_info(u->path, "listens on port %u as server_id %u", v.port, (unsigned)v.server_id);
        unit_progressed(u);
        announce(v.server, &v);
        listen_on(&v);
        announce(v.server, NULL);
        end_all(&v);
        rc = -ECANCELED;
    }
    close_serve(&v);
    cond_fini(&v.cond);
    mutex_fini(&v.lock);
    return rc;
}

const struct unit_ops serve_ops = { .name = "serve", .run = run };
