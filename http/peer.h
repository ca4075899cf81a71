/*
 * peer.h - who is at the other end of a connection.
 *
 * A caller on this machine is the user that owns the other socket: the kernel
 * tells it by SO_PEERCRED for a unix socket and by sock_diag for TCP between
 * loopback addresses.  It is asked once, when the connection is accepted.
 *
 * A client that sends and closes at once leaves a socket without an owner, of
 * which sock_diag says uid 0.  So an answer counts only for a socket that is
 * ESTABLISHED and has an inode; every other one is nobody.
 *
 * Source: sock_diag(7), linux/inet_diag.h.
 */
#ifndef SLUICE_HTTP_PEER_H
#define SLUICE_HTTP_PEER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"

enum peer_kind {
    PEER_UNKNOWN, /* on this machine, but nobody can be made responsible: 403 */
    PEER_LOCAL,   /* 'uid' is known */
    PEER_REMOTE,  /* from elsewhere: needs a token */
};

struct peer {
    enum peer_kind kind;
    bool tcp; /* a browser can get here: Host and Origin are checked */
    uid_t uid;
    gid_t gid;                       /* the user's own group; of a unix socket, the process's */
    pid_t pid;                       /* unix sockets; else 0 */
    char text[INET6_ADDRSTRLEN + 8]; /* "127.0.0.1:40312", "unix", for the log */
};

/* Asks about the accepted socket 'fd'.  Never waits longer than a second. */
void peer_of_socket(int fd, struct peer *ret);

bool peer_is_loopback(const struct sockaddr_storage *a);

/* One answer of sock_diag: the uid, or -EACCES where none can be made responsible. */
int peer_parse_diag(struct slice answer, uid_t *uid, struct err *err);

#endif
