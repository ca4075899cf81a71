/*
 * listen.h - where the server listens.
 *
 *     127.0.0.1:8261     [::1]:8261     localhost:8261
 *     0.0.0.0:8261       every IPv4 address; [::]:8261 also IPv6
 *     tls:127.0.0.1:8262 TLS although it is loopback
 *     unix:/run/sluice/http.sock
 *
 * Port 0 takes a free one.
 */
#ifndef SLUICE_HTTP_LISTEN_H
#define SLUICE_HTTP_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

struct listen_spec {
    char *path;        /* of a unix socket; else NULL */
    char *host, *port; /* of TCP */
    bool tls;          /* asked for by "tls:" */
};

int listen_parse(const char *text, struct listen_spec *ret, struct err *err);
void listen_spec_fini(struct listen_spec *s);

struct listen_socket {
    int fd;
    bool loopback; /* nobody from another machine can reach it */
    char *text;    /* "http://127.0.0.1:8261", with the port that was taken */
};

/* Binds and listens.  A socket file of a daemon that is gone is replaced. */
int listen_open(const struct listen_spec *s, struct listen_socket *ret, struct err *err);

#endif
