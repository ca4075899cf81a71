/* server.c - libmicrohttpd's life: listeners start together and stop in order. */
#include "http/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "http/listen.h"
#include "http/private.h"
#include "http/units.h"

enum {
    HEADERS_MAX = 64 * 1024, /* request line and headers of a connection; libmicrohttpd says 431 */
    PEM_MAX = 1024 * 1024,
    FAREWELL_MS = 1000,  /* for replies that are ready when we stop */
    UNLISTEN_MS = 11000, /* an action takes at most ten seconds */
};

static struct http_config with_defaults(const struct http_config *c)
{
    static const char *const listen[] = { HTTP_DEFAULT_LISTEN, NULL };
    struct http_config d = *c;

    d.listen = c->listen ? c->listen : listen;
    d.threads = c->threads ? c->threads : 2;
    d.max_waiting = c->max_waiting ? c->max_waiting : 16;
    d.max_connections = c->max_connections ? c->max_connections : 512;
    d.timeout_s = c->timeout_s ? c->timeout_s : 60;
    d.max_body = c->max_body ? c->max_body : (size_t)64 << 20;
    d.max_bodies = c->max_bodies ? c->max_bodies : (size_t)128 << 20;
    return d;
}

/* URLs are decoded in path.c, segment by segment. */
static size_t leave_escaped(void *arg, struct MHD_Connection *conn, char *text)
{
    (void)arg;
    (void)conn;
    return strlen(text);
}

static void __attribute__((format(printf, 2, 0)))
log_library(void *arg, const char *fmt, va_list ap)
{
    char text[512];

    (void)arg;
    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", "%s", text);
}

static char *read_pem(const char *path, struct err *err)
{
    SCOPED(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    SCOPED(freep) char *text = NULL;
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > PEM_MAX)
        return err_set(err, fd < 0 ? -errno : -EFBIG, "cannot read %s: %s", path,
                       strerrordesc_np(fd < 0 ? errno : EFBIG)),
               NULL;
    text = xcalloc(1, (size_t)st.st_size + 1);
    n = read(fd, text, (size_t)st.st_size);
    if (n != st.st_size)
        return err_set(err, -EIO, "cannot read %s", path), NULL;
    return STEAL(text);
}

/* May 'spec' be listened on with this configuration? */
static int check_exposure(const struct http_config *c, const struct listen_spec *spec,
                          const struct listen_socket *sock, struct err *err)
{
    if (spec->tls && !c->tls_cert)
        return err_set(err, -EINVAL, "%s: tls: needs a certificate and a key", sock->text);
    if (sock->loopback || c->insecure || (c->tls_cert && c->tokens))
        return 0;
    return err_set(err, -EINVAL,
                   "%s can be reached from other machines: that needs a TLS certificate with its "
                   "key and a file of tokens, or the explicit word that it may be insecure",
                   sock->text);
}

static void close_socket(int fd, const char *path)
{
    close(fd);
    if (path)
        unlink(path);
}

static int start_daemon(const struct http_config *c, struct listener *l, int fd, struct err *err)
{
    struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, l->cert },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, l->key },
        { MHD_OPTION_HTTPS_PRIORITIES, 0,
          (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" },
        { MHD_OPTION_END, 0, NULL },
    };
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ERROR_LOG |
                     MHD_ALLOW_SUSPEND_RESUME | (l->cert ? MHD_USE_TLS : 0);

    l->mhd = MHD_start_daemon(
        flags, 0, NULL, NULL, request_handle, l, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, c->threads,
        MHD_OPTION_CONNECTION_LIMIT, c->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        c->timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, request_connection, l, MHD_OPTION_NOTIFY_COMPLETED,
        request_completed, l, MHD_OPTION_ARRAY, l->cert ? tls : &tls[3], MHD_OPTION_END);
    if (!l->mhd)
        return err_set(err, -EINVAL, "cannot serve HTTP on %s%s", l->text,
                       l->cert ? ": are the certificate and its key good?" : "");
    return 0;
}

static void free_listener(struct listener *l)
{
    if (l->mhd)
        MHD_stop_daemon(l->mhd);
    if (l->quiet_fd > 0)
        close(l->quiet_fd);
    if (l->socket_path)
        unlink(l->socket_path);
    serve_fini(&l->serve);
    free(l->socket_path);
    free(l->text);
    free(l->cert);
    free(l->key);
    free(l);
}

/* Opens what 'l' serves at 'text'. */
static int open_listener(struct listener *l, const char *text, struct err *err)
{
    const struct http_config *c = &l->server->config;
    SCOPED(listen_spec_fini) struct listen_spec spec = { 0 };
    struct listen_socket sock;
    int rc;

    if (listen_parse(text, &spec, err) < 0 || listen_open(&spec, &sock, err) < 0)
        return err->code;
    l->text = sock.text;
    rc = check_exposure(c, &spec, &sock, err);
    if (rc == 0 && c->tls_cert && (spec.tls || !sock.loopback)) {
        l->cert = read_pem(c->tls_cert, err);
        l->key = l->cert ? read_pem(c->tls_key, err) : NULL;
        rc = l->key ? 0 : err->code;
    }
    if (rc == 0)
        rc = start_daemon(c, l, sock.fd, err);
    if (rc < 0) {
        close_socket(sock.fd, spec.path);
        return rc;
    }
    l->socket_path = STEAL(spec.path);
    log_info("http", "listening on %s%s", l->text, l->cert ? " with TLS" : "");
    return 0;
}

int http_listen(struct http_server *s, const char *text, struct serve *serve, struct listener **ret,
                struct err *err)
{
    struct listener *l = xcalloc(1, sizeof *l);

    l->server = s;
    l->serve = *serve;
    *serve = (struct serve){ .n = 0 };
    if (open_listener(l, text, err) < 0) {
        free_listener(l);
        return err->code;
    }
    mutex_lock(&s->lock);
    s->listeners = xrealloc(s->listeners, (s->n_listeners + 1) * sizeof(struct listener *));
    s->listeners[s->n_listeners++] = l;
    mutex_unlock(&s->lock);
    if (ret)
        *ret = l;
    return 0;
}

static int start_facade(struct http_server *s, const char *text, struct err *err)
{
    SCOPED(serve_fini) struct serve serve = { .n = 0 };
    const char *address;

    if (serve_parse(text, &serve, &address, err) < 0 ||
        http_listen(s, address, &serve, NULL, err) < 0)
        return err_wrap(err, "facades");
    return 0;
}

static int check_address(const char *text, struct err *err)
{
    SCOPED(listen_spec_fini) struct listen_spec spec = { 0 };

    return listen_parse(text, &spec, err);
}

static int check_facade(const char *text, struct err *err)
{
    SCOPED(serve_fini) struct serve serve = { .n = 0 };
    const char *address;
    int rc = serve_parse(text, &serve, &address, err);

    return rc < 0 ? rc : check_address(address, err);
}

int http_check(const struct http_config *c, struct err *err)
{
    for (const char *const *text = c->listen; text && *text; text++)
        if (check_address(*text, err) < 0)
            return err_wrap(err, "listen");
    for (const char *const *text = c->facades; text && *text; text++)
        if (check_facade(*text, err) < 0)
            return err_wrap(err, "facades");
    return 0;
}

static int start_all(struct http_server *s, const struct http_config *c, struct err *err)
{
    if (!c->tls_cert != !c->tls_key)
        return err_set(err, -EINVAL, "a TLS certificate and its key are given together");
    if (c->tokens && !(s->guard.tokens = token_file_open(c->tokens, err)))
        return err->code;
    for (const char *const *text = c->listen; *text; text++) {
        struct serve all;

        serve_all(&all);
        if (http_listen(s, *text, &all, NULL, err) < 0)
            return err->code;
    }
    for (const char *const *text = c->facades; text && *text; text++)
        if (start_facade(s, *text, err) < 0)
            return err->code;
    s->units = units_start(s);
    return 0;
}

int http_start(const struct http_config *c, struct node *root, struct http_server **ret,
               struct err *err)
{
    struct http_config d = with_defaults(c);
    struct http_server *s = xcalloc(1, sizeof *s);

    s->root = root;
    s->config = d;
    s->config.listen = s->config.facades = NULL;
    s->config.tls_cert = d.tls_cert ? xstrdup(d.tls_cert) : NULL;
    s->config.tls_key = d.tls_key ? xstrdup(d.tls_key) : NULL;
    mutex_init(&s->lock);
    s->guard.insecure = c->insecure;
    s->max_body = d.max_body;
    s->max_bodies = d.max_bodies;
    s->work = work_new(d.max_waiting, d.max_connections);
    s->streams = streams_new();
    if (start_all(s, &d, err) < 0) {
        http_stop(s);
        return err_wrap(err, "http");
    }
    *ret = s;
    return 0;
}

/* Waits until nothing is in hand; false if something still is. */
static bool wait_idle(struct listener *l, int ms)
{
    for (; ms > 0 && atomic_load(&l->exchanges) > 0; ms -= 10)
        usleep(10 * 1000);
    return atomic_load(&l->exchanges) == 0;
}

/* Nobody new comes in, and who is in begins nothing.  The descriptor stays open: libmicrohttpd's
 * threads may still be taking it out of their epoll, and panic when it is another one by then. */
static void quiesce(struct listener *l)
{
    int fd = l->mhd && l->quiet_fd == 0 ? (int)MHD_quiesce_daemon(l->mhd) : -1;

    atomic_store(&l->closing, true);
    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
        l->quiet_fd = fd;
    }
}

int http_unlisten(struct http_server *s, struct listener *l)
{
    size_t i = 0;

    quiesce(l);
    if (!wait_idle(l, UNLISTEN_MS))
        return -EBUSY;
    log_info("http", "no longer listening on %s", l->text);
    mutex_lock(&s->lock);
    while (s->listeners[i] != l)
        i++;
    s->listeners[i] = s->listeners[--s->n_listeners];
    mutex_unlock(&s->lock);
    free_listener(l);
    return 0;
}

void http_stop(struct http_server *s)
{
    int left_ms = FAREWELL_MS;

    if (!s)
        return;
    units_stop(s->units); /* the listeners stay what they are from here on */
    for (size_t i = 0; i < s->n_listeners; i++)
        quiesce(s->listeners[i]);
    streams_end(s->streams);
    work_end(s->work);
    for (size_t i = 0; i < s->n_listeners; i++, left_ms /= 2)
        wait_idle(s->listeners[i], left_ms); /* replies that are ready get a moment to leave */
    for (size_t i = 0; i < s->n_listeners; i++)
        free_listener(s->listeners[i]);
    work_free(s->work);
    streams_free(s->streams);
    token_file_free(s->guard.tokens);
    mutex_fini(&s->lock);
    free((char *)s->config.tls_cert);
    free((char *)s->config.tls_key);
    free(s->listeners);
    free(s);
}

const char *http_address(const struct http_server *s, size_t i)
{
    return i < s->n_listeners ? s->listeners[i]->text : NULL;
}

char *http_url_of(const struct http_server *s, const char *facade)
{
    const struct listener *l = s->listeners[0];

    for (size_t i = 0; i < s->n_listeners; i++) {
        if (!serve_is_only(&s->listeners[i]->serve, facade))
            continue;
        l = s->listeners[i];
        break;
    }
    if (l->socket_path)
        return xstrdup(l->text);
    return xasprintf("http%s://%s", l->cert ? "s" : "", l->text);
}
