/* peer.c - who is at the other end of a connection. */
#include "http/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/scope.h"

/* ::ffff:127.0.0.1 becomes 127.0.0.1: a listener on :: has IPv4 clients too. */
static void unmap(struct sockaddr_storage *a)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)a;
    struct sockaddr_in four = { .sin_family = AF_INET };

    if (a->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        return;
    four.sin_port = six->sin6_port;
    memcpy(&four.sin_addr, &six->sin6_addr.s6_addr[12], 4);
    memcpy(a, &four, sizeof four);
}

bool peer_is_loopback(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
    return a->ss_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

/* Address and port as inet_diag wants them: both in network order. */
static void diag_address(const struct sockaddr_storage *a, __be32 address[4], __be16 *port)
{
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)a;

        memcpy(address, &four->sin_addr, sizeof four->sin_addr);
        memcpy(port, &four->sin_port, sizeof *port);
    } else {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;

        memcpy(address, &six->sin6_addr, sizeof six->sin6_addr);
        memcpy(port, &six->sin6_port, sizeof *port);
    }
}

int peer_parse_diag(struct slice answer, uid_t *uid, struct err *err)
{
    struct nlmsghdr head;
    struct inet_diag_msg found;

    if (answer.size < NLMSG_HDRLEN)
        return err_set(err, -EACCES, "the kernel gave no answer about the caller's socket");
    memcpy(&head, answer.data, sizeof head);
    if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || head.nlmsg_len > answer.size ||
        head.nlmsg_len < NLMSG_LENGTH(sizeof found))
        return err_set(err, -EACCES, "the caller's socket is not on this machine any more");
    memcpy(&found, answer.data + NLMSG_HDRLEN, sizeof found);
    if (found.idiag_inode == 0 || found.idiag_state != TCP_ESTABLISHED)
        return err_set(err, -EACCES, "the caller closed its socket before it could be identified");
    *uid = found.idiag_uid;
    return 0;
}

/* Asks for the one socket whose own end is 'client' and whose other end is 'server'. */
static int ask_diag(const struct sockaddr_storage *client, const struct sockaddr_storage *server,
                    uid_t *uid, struct err *err)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 want;
    } q = {
        .head = { .nlmsg_len = sizeof q,
                  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                  .nlmsg_flags = NLM_F_REQUEST },
        .want = { .sdiag_family = (__u8)client->ss_family,
                  .sdiag_protocol = IPPROTO_TCP,
                  .idiag_states = ~0U,
                  .id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } },
    };
    struct timeval second = { .tv_sec = 1 };
    SCOPED(closep) int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    char answer[1024] __attribute__((aligned(8)));
    ssize_t n;

    diag_address(client, q.want.id.idiag_src, &q.want.id.idiag_sport);
    diag_address(server, q.want.id.idiag_dst, &q.want.id.idiag_dport);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second) < 0 ||
        send(fd, &q, sizeof q, 0) < 0 || (n = recv(fd, answer, sizeof answer, 0)) < 0)
        return err_set(err, -EACCES, "cannot ask the kernel who the caller is: %s",
                       strerrordesc_np(errno));
    return peer_parse_diag(slice_of(answer, (size_t)n), uid, err);
}

static void of_unix(int fd, struct peer *ret)
{
    struct ucred cred;
    socklen_t size = sizeof cred;

    snprintf(ret->text, sizeof ret->text, "unix");
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0 || cred.uid == (uid_t)-1)
        return;
    ret->kind = PEER_LOCAL;
    ret->uid = cred.uid;
    ret->gid = cred.gid;
    ret->pid = cred.pid;
}

static void say_address(const struct sockaddr_storage *a, struct peer *ret)
{
    char host[INET6_ADDRSTRLEN] = "?";
    __be32 address[4] = { 0 };
    __be16 port;

    diag_address(a, address, &port);
    inet_ntop(a->ss_family, address, host, sizeof host);
    snprintf(ret->text, sizeof ret->text, "%s:%u", host, ntohs(port));
}

static gid_t group_of(uid_t uid)
{
    struct passwd entry, *found = NULL;
    char text[4096];

    if (getpwuid_r(uid, &entry, text, sizeof text, &found) != 0 || !found)
        return (gid_t)-1;
    return found->pw_gid;
}

void peer_of_socket(int fd, struct peer *ret)
{
    struct sockaddr_storage client = { 0 }, server = { 0 };
    socklen_t client_size = sizeof client, server_size = sizeof server;
    struct err err = ERR_INIT;

    *ret = (struct peer){ .kind = PEER_UNKNOWN, .uid = (uid_t)-1, .gid = (gid_t)-1 };
    if (getsockname(fd, (struct sockaddr *)&server, &server_size) < 0)
        return;
    if (server.ss_family == AF_UNIX) {
        of_unix(fd, ret);
        return;
    }
    ret->tcp = true;
    if (getpeername(fd, (struct sockaddr *)&client, &client_size) < 0)
        return;
    unmap(&client);
    unmap(&server);
    say_address(&client, ret);
    if (!peer_is_loopback(&client)) {
        ret->kind = PEER_REMOTE;
    } else if (ask_diag(&client, &server, &ret->uid, &err) == 0) {
        ret->kind = PEER_LOCAL;
        ret->gid = group_of(ret->uid);
    } else {
        log_debug("http", "%s: %s", ret->text, err.text);
    }
}
