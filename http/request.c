/*
 * request.c - one exchange: headers, then the body, then the reply.
 *
 * libmicrohttpd calls request_handle() once with the headers, once for each
 * piece of the body and once when it is complete; and again after a resume.
 */
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "http/mirror.h"
#include "http/path.h"
#include "http/private.h"

/* A refused body up to this size is read and thrown away: a client that is cut off while it sends
 * may not see the reply. */
enum { DRAIN_MAX = 1 << 20 };
#define FULL_EVERY_US (60 * (int64_t)1000000)

enum phase {
    READING,  /* the body */
    REFUSED,  /* the reply is an error; what is left of the body is not kept */
    WAITING,  /* suspended while a thread of work.c serves it */
    ANSWERED, /* the reply is there */
};

struct exchange {
    struct listener *listener;
    struct http_server *server;
    struct MHD_Connection *conn;
    const struct peer *peer;
    enum phase phase;
    char *method, *path, *arguments;
    struct guard_right right;
    struct http_request q;
    struct http_reply r;
    struct call call; /* its facade is NULL where the tree is asked */
    struct buf body;
    int64_t begun_us;
};

/* --- headers --- */

static const char *header(struct MHD_Connection *conn, const char *name)
{
    return MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);
}

/* Where a path is served, besides below /v1/. */
static const struct {
    const char *url, *path;
    enum format format; /* whatever Accept says: what their readers expect */
} shortcuts[] = {
    { "/metrics", "metrics", FORMAT_TEXT },
    { "/schema", "schema", FORMAT_JSON },
    { "/", "", FORMAT_NONE },
    { "/v1", "", FORMAT_NONE },
};

/* '*owned' is what q->path points to. */
static int find_in_tree(const char *url, struct http_request *q, char **owned, struct err *err)
{
    SCOPED(buf_fini) struct buf path = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(shortcuts); i++) {
        if (strcmp(url, shortcuts[i].url) != 0)
            continue;
        if (shortcuts[i].format != FORMAT_NONE)
            q->accept = shortcuts[i].format;
        q->path = *owned = xstrdup(shortcuts[i].path);
        return 0;
    }
    if (strncmp(url, "/v1/", 4) != 0)
        return err_set(err, -ENOENT, "%.200s: the tree is below /v1/", url);
    if (path_of_url(url + 4, &path, err) < 0)
        return err->code;
    q->path = *owned = buf_steal(&path);
    return 0;
}

/* What the tree does not serve is one of the facades', if it is served at all. */
static int find_path(struct exchange *e, const char *url, struct err *err)
{
    const struct serve *serve = &e->listener->serve;
    struct err none = ERR_INIT;
    int rc = serve->tree ? find_in_tree(url, &e->q, &e->path, err) : -ENOENT;

    if (rc != -ENOENT)
        return rc;
    e->q.path = e->path = xstrdup(url + strspn(url, "/"));
    rc = serve_find(serve, e->q.method, url, &e->call, serve->tree ? &none : err);
    if (rc < 0 && (!serve->tree || e->call.facade))
        *err = serve->tree ? none : *err;
    else if (rc == 0)
        *err = none;
    return rc;
}

/* libmicrohttpd splits the query; unescaped, as it is told.  Put together again it is parsed in
 * one place. */
static enum MHD_Result add_argument(void *query, enum MHD_ValueKind kind, const char *key,
                                    const char *value)
{
    struct buf *b = query;

    (void)kind;
    buf_printf(b, "%s%s%s%s", b->size ? "&" : "", key, value ? "=" : "", value ? value : "");
    return MHD_YES;
}

static int parse_query(struct exchange *e, struct err *err)
{
    SCOPED(buf_fini) struct buf query = BUF_INIT;

    MHD_get_connection_values(e->conn, MHD_GET_ARGUMENT_KIND, add_argument, &query);
    if (!e->call.facade)
        return http_query_parse(query.size ? query.data : "", &e->q.query, err);
    e->q.arguments = e->arguments = buf_steal(&query);
    return 0;
}

static int check_caller(struct exchange *e, struct err *err)
{
    struct guard_headers h = { header(e->conn, "Host"), header(e->conn, "Origin"),
                               header(e->conn, "Authorization") };
    int rc = guard_check(&e->server->guard, e->peer, &h, &e->right, err);

    e->q.caller = e->right.caller;
    e->q.may_write = e->right.may_write;
    return rc;
}

static int check_length(struct exchange *e, struct err *err)
{
    const char *text = header(e->conn, "Content-Length");

    if (text && strtoull(text, NULL, 10) > e->server->max_body)
        return err_set(err, -EFBIG, "a request body is at most %zu bytes", e->server->max_body);
    return 0;
}

/* The path is looked up first, so that a refusal has the form of the system that was asked; a
 * caller without a right learns nothing of it. */
static int check_headers(struct exchange *e, const char *url, struct err *err)
{
    struct err missing = ERR_INIT;

    e->q.accept = format_accepted(header(e->conn, "Accept"));
    if (e->q.accept == FORMAT_NONE)
        e->q.accept = FORMAT_JSON; /* better than none: RFC 9110, 12.4.1 */
    find_path(e, url, &missing);
    if (check_caller(e, err) < 0)
        return err->code;
    *err = missing;
    if (err->code < 0 || parse_query(e, err) < 0 || check_length(e, err) < 0)
        return err->code;
    if (e->q.accept == FORMAT_EVENTS) {
        e->q.query.watch = true;
        e->q.accept = FORMAT_JSON;
    }
    return 0;
}

static struct exchange *exchange_new(struct listener *l, struct MHD_Connection *conn,
                                     const char *method)
{
    static const struct peer nobody = { .kind = PEER_UNKNOWN, .tcp = true, .text = "?" };
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *e = xcalloc(1, sizeof *e);

    e->listener = l;
    e->server = l->server;
    e->conn = conn;
    e->peer = info && info->socket_context ? info->socket_context : &nobody;
    e->method = xstrdup(method);
    e->q.method = strcmp(method, "HEAD") == 0 ? "GET" : e->method;
    e->call = (struct call){ .root = l->server->root, .q = &e->q, .r = &e->r };
    e->begun_us = clock_mono_us();
    atomic_fetch_add(&l->exchanges, 1);
    return e;
}

/* --- replies --- */

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value)
        MHD_add_response_header(response, name, value);
}

/* Hands the body to libmicrohttpd, which frees it. */
static enum MHD_Result reply(struct exchange *e)
{
    size_t size = e->r.body.size;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, buf_steal(&e->r.body), MHD_RESPMEM_MUST_FREE);
    enum MHD_Result rc;

    add_header(response, "Content-Type", size ? e->r.type : NULL);
    add_header(response, "Allow", e->r.allow);
    add_header(response, "Location", e->r.location);
    add_header(response, "WWW-Authenticate",
               e->r.status == MHD_HTTP_UNAUTHORIZED ? "Bearer realm=\"sluice\"" : NULL);
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "X-Content-Type-Options", "nosniff");
    rc = MHD_queue_response(e->conn, e->r.status, response);
    MHD_destroy_response(response);
    e->phase = ANSWERED;
    return rc;
}

/* As the system that was asked says it. */
static void reply_error(struct exchange *e, const struct err *err)
{
    if (!e->call.facade) {
        http_reply_error(&e->r, &e->q, err);
        return;
    }
    buf_clear(&e->r.body);
    e->r.allow = *e->call.allow ? e->call.allow : NULL;
    e->call.facade->refuse(&e->call, err);
}

static enum MHD_Result refuse(struct exchange *e, const struct err *err)
{
    reply_error(e, err);
    return reply(e);
}

static enum MHD_Result reply_stream(struct exchange *e, const struct target *t, struct err *err)
{
    const char *since = header(e->conn, "Last-Event-ID");
    struct stream *s =
        stream_open(e->server->streams, t, since ? strtoull(since, NULL, 10) : 0, e->conn, err);
    struct MHD_Response *response;
    enum MHD_Result rc;

    if (!s)
        return refuse(e, err);
    e->r.status = MHD_HTTP_OK;
    e->phase = ANSWERED;
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, stream_read, s, stream_free);
    add_header(response, "Content-Type", format_types[FORMAT_EVENTS]);
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "X-Accel-Buffering", "no"); /* nginx would hold events back */
    rc = MHD_queue_response(e->conn, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return rc;
}

/* --- serving --- */

static enum MHD_Result serve_stream(struct exchange *e)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;

    if (mirror_find_readable(e->server->root, &e->q, &t, &err) < 0)
        return refuse(e, &err);
    return reply_stream(e, &t, &err);
}

/* In a thread of work.c. */
static void serve_waiting(void *arg)
{
    struct exchange *e = arg;

    if (e->call.facade)
        route_serve(&e->call);
    else
        mirror_serve(e->server->root, &e->q, &e->r);
    e->phase = ANSWERED; /* the event loop looks after the resume, which is a barrier */
    MHD_resume_connection(e->conn);
}

static enum MHD_Result serve_later(struct exchange *e)
{
    struct err err = ERR_INIT;

    e->phase = WAITING;
    MHD_suspend_connection(e->conn);
    if (work_submit(e->server->work, serve_waiting, e, &err) == 0)
        return MHD_YES;
    reply_error(e, &err);
    e->phase = ANSWERED;
    MHD_resume_connection(e->conn);
    return MHD_YES;
}

static enum MHD_Result serve(struct exchange *e)
{
    e->q.body = slice_of(e->body.data, e->body.size);
    e->q.sends = format_of_body(header(e->conn, "Content-Type"), e->body.data, e->body.size);
    if (e->q.query.watch && strcmp(e->q.method, "GET") == 0)
        return serve_stream(e);
    if (e->call.facade || mirror_waits(e->server->root, &e->q))
        return serve_later(e);
    mirror_serve(e->server->root, &e->q, &e->r);
    return reply(e);
}

/* --- the body --- */

static int keep_body(struct exchange *e, const char *data, size_t size, struct err *err)
{
    struct http_server *s = e->server;

    if (e->body.size + size > s->max_body)
        return err_set(err, -EFBIG, "a request body is at most %zu bytes", s->max_body);
    if (atomic_fetch_add(&s->bodies, size) + size > s->max_bodies) {
        atomic_fetch_sub(&s->bodies, size);
        return err_set(err, -EAGAIN, "too many large requests at once: try again");
    }
    buf_add(&e->body, data, size);
    return 0;
}

static void drop_body(struct exchange *e)
{
    atomic_fetch_sub(&e->server->bodies, e->body.size);
    buf_fini(&e->body);
    e->body = BUF_INIT;
}

static enum MHD_Result take_body(struct exchange *e, const char *data, size_t *size)
{
    struct err err = ERR_INIT;

    if (e->phase == READING && keep_body(e, data, *size, &err) < 0) {
        drop_body(e);
        reply_error(e, &err);
        e->phase = REFUSED;
    }
    *size = 0;
    return MHD_YES;
}

/* Refuses after the headers: at once if a large body would follow, else after the body. */
static enum MHD_Result refuse_headers(struct exchange *e, const struct err *err)
{
    const char *length = header(e->conn, "Content-Length");

    if (length && strtoull(length, NULL, 10) > DRAIN_MAX)
        return refuse(e, err);
    reply_error(e, err);
    e->phase = REFUSED;
    return MHD_YES;
}

/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd's parameters */
enum MHD_Result request_handle(void *listener, struct MHD_Connection *conn, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **exchange)
{
    struct exchange *e = *exchange;
    struct err err = ERR_INIT;

    (void)version;
    if (!e) {
        *exchange = e = exchange_new(listener, conn, method); /* counted before 'closing' is read */
        if (atomic_load(&((struct listener *)listener)->closing))
            return MHD_NO;
        return check_headers(e, url, &err) < 0 ? refuse_headers(e, &err) : MHD_YES;
    }
    if (*size)
        return take_body(e, data, size);
    return e->phase == READING ? serve(e) : reply(e);
}

void request_completed(void *listener, struct MHD_Connection *conn, void **exchange,
                       enum MHD_RequestTerminationCode why)
{
    struct listener *l = listener;
    struct exchange *e = *exchange;

    (void)conn;
    (void)why;
    if (!e)
        return;
    log_debug("http", "%s uid %d %s /%s: %u in %lld us", e->peer->text, (int)e->q.caller.uid,
              e->method, e->q.path ? e->q.path : "", e->r.status,
              (long long)(clock_mono_us() - e->begun_us));
    drop_body(e);
    http_reply_fini(&e->r);
    http_query_fini(&e->q.query);
    call_fini(&e->call);
    free(e->path);
    free(e->arguments);
    free(e->method);
    free(e);
    *exchange = NULL;
    atomic_fetch_sub(&l->exchanges, 1);
}

/* Who comes next waits without a word: said here, once a minute at most. */
static void say_full(struct listener *l)
{
    int64_t now = clock_mono_us(), last = atomic_load(&l->full_us);

    if ((last && now - last < FULL_EVERY_US) ||
        !atomic_compare_exchange_strong(&l->full_us, &last, now))
        return;
    log_warn("http",
             "%s has %u connections, as many as may be (http_connections): who calls now waits "
             "until one of them is closed",
             l->text, l->server->config.max_connections);
}

void request_connection(void *listener, struct MHD_Connection *conn, void **peer,
                        enum MHD_ConnectionNotificationCode what)
{
    const union MHD_ConnectionInfo *info;
    struct listener *l = listener;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        atomic_fetch_sub(&l->connections, 1);
        free(*peer);
        *peer = NULL;
        return;
    }
    if (atomic_fetch_add(&l->connections, 1) + 1 >= l->server->config.max_connections)
        say_full(l);
    info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
    *peer = xcalloc(1, sizeof(struct peer));
    peer_of_socket(info->connect_fd, *peer);
}
