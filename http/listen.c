/* listen.c - where the server listens. */
#include "http/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/scope.h"
#include "http/peer.h"

enum { BACKLOG = 511 };

void listen_spec_fini(struct listen_spec *s)
{
    free(s->path);
    free(s->host);
    free(s->port);
    *s = (struct listen_spec){ 0 };
}

static int bad_spec(const char *text, struct err *err)
{
    return err_set(err, -EINVAL, "cannot listen on '%s': it is HOST:PORT, [IPV6]:PORT or unix:PATH",
                   text);
}

int listen_parse(const char *text, struct listen_spec *ret, struct err *err)
{
    const char *at = text, *colon;

    *ret = (struct listen_spec){ 0 };
    if (strncmp(at, "unix:", 5) == 0) {
        if (at[5] != '/' || strlen(at + 5) >= sizeof((struct sockaddr_un *)0)->sun_path)
            return err_set(err, -EINVAL,
                           "cannot listen on '%s': unix: takes an absolute path of "
                           "at most 107 bytes",
                           text);
        ret->path = xstrdup(at + 5);
        return 0;
    }
    ret->tls = strncmp(at, "tls:", 4) == 0;
    at += ret->tls ? 4 : 0;
    colon = strrchr(at, ':');
    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strtoul(colon + 1, NULL, 10) > 65535)
        return bad_spec(text, err);
    if (*at == '[' && colon > at + 2 && colon[-1] == ']')
        ret->host = xstrndup(at + 1, (size_t)(colon - at - 2));
    else if (colon > at && *at != '[' && !memchr(at, ':', (size_t)(colon - at)))
        ret->host = xstrndup(at, (size_t)(colon - at));
    else
        return bad_spec(text, err);
    ret->port = xstrdup(colon + 1);
    return 0;
}

static bool somebody_listens(const struct sockaddr_un *a)
{
    SCOPED(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;
}

/* Anyone may connect: what a caller may do, its uid decides. */
static int open_unix(const char *path, struct listen_socket *ret, struct err *err)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    SCOPED(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat st;

    memcpy(a.sun_path, path, strlen(path) + 1);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        if (somebody_listens(&a))
            return err_set(err, -EADDRINUSE, "another process listens on %s", path);
        unlink(path);
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || chmod(path, 0666) < 0 ||
        listen(fd, BACKLOG) < 0)
        return err_set(err, -errno, "cannot listen on %s: %s", path, strerrordesc_np(errno));
    *ret = (struct listen_socket){ .fd = fd, .loopback = true, .text = xasprintf("unix:%s", path) };
    fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): the cleanup reads it */
    return 0;
}

static char *address_text(const struct listen_spec *s, int fd)
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    char port[8] = "?";
    bool six = strchr(s->host, ':') != NULL;

    if (getsockname(fd, (struct sockaddr *)&a, &size) == 0)
        getnameinfo((struct sockaddr *)&a, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    return xasprintf(six ? "[%s]:%s" : "%s:%s", s->host, port);
}

static int open_tcp(const struct listen_spec *s, struct listen_socket *ret, struct err *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *found;
    struct sockaddr_storage a = { 0 };
    int rc = getaddrinfo(s->host, s->port, &hints, &found);

    if (rc != 0)
        return err_set(err, -EINVAL, "cannot listen on %s: %s", s->host, gai_strerror(rc));
    memcpy(&a, found->ai_addr, found->ai_addrlen);
    rc = fd_listen(found, BACKLOG);
    freeaddrinfo(found);
    if (rc < 0)
        return err_set(err, rc, "cannot listen on %s port %s: %s", s->host, s->port,
                       strerrordesc_np(-rc));
    *ret = (struct listen_socket){ .fd = rc,
                                   .loopback = peer_is_loopback(&a),
                                   .text = address_text(s, rc) };
    return 0;
}

int listen_open(const struct listen_spec *s, struct listen_socket *ret, struct err *err)
{
    return s->path ? open_unix(s->path, ret, err) : open_tcp(s, ret, err);
}
