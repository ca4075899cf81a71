/*
 * handshake.h - the first packets of a connection, from the server's side: the greeting that we
 * send, and what the client answers.  Pure; what a client sends is not believed.
 *
 * Only what replicas and binlog tools need is offered: neither DEPRECATE_EOF nor session tracking
 * nor query attributes, so result sets and queries have their classic form.
 *
 * Source: MySQL Source Code Documentation, "Protocol::HandshakeV10" and
 * "Protocol::HandshakeResponse41"; MariaDB Knowledge Base, "Connection".
 */
#ifndef SLUICE_MYSQL_HANDSHAKE_H
#define SLUICE_MYSQL_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define SALT_SIZE 20
#define HANDSHAKE_MAX_SIZE (64 << 10) /* of what a client may send before it is logged in */

struct greeting {
    const char *version; /* as SELECT VERSION() says it */
    uint32_t connection;
    uint8_t salt[SALT_SIZE]; /* no zero bytes: clients read it as text */
    const char *plugin;      /* that the client should answer with */
    bool tls;                /* it may ask for TLS */
};
void greeting_build(const struct greeting *g, struct buf *out);

/* Slices of the packet. */
struct login {
    uint32_t capabilities;
    bool tls; /* the client asks for TLS: the rest of it comes again after that */
    struct slice user, proof, plugin;
};
/* 0; -EBADMSG; -ENOTSUP for clients older than the protocol of MySQL 4.1. */
int login_parse(struct slice packet, struct login *ret, struct err *err);

/* COM_CHANGE_USER, without its number, of a client with these capabilities: the login anew.  0;
 * -EBADMSG. */
int change_user_parse(struct slice body, uint32_t capabilities, struct login *ret, struct err *err);

#endif
