/*
 * wire_tls.h - the certificate that a server of ours shows, and the RSA key that clients without
 * TLS encrypt a password with.
 *
 * A stock MySQL replica logs in over TLS or not at all, but does not ask who signed, and
 * a MariaDB replica asks us to vouch for it (auth.h): so a server that was given no certificate
 * makes one of its own when it starts.
 */
#ifndef SLUICE_MYSQL_WIRE_TLS_H
#define SLUICE_MYSQL_WIRE_TLS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

struct ssl_st;
struct wire_tls;

/* PEM texts; 'cert' NULL or empty: one is made, for 'name'.  -EINVAL: they are none, or are not of
 * each other. */
int wire_tls_new(struct wire_tls **ret, const char *cert, const char *key, const char *name,
                 struct err *err);
void wire_tls_free(struct wire_tls *t); /* NULL is fine */

/* The SHA-256 of the certificate that is shown. */
const uint8_t *wire_tls_fingerprint(const struct wire_tls *t);

/* For wire.c: a session over the socket, not yet begun. */
struct ssl_st *wire_tls_session(struct wire_tls *t, int fd);

/* The public half of a key that only this run has, as PEM, and what was encrypted with it
 * (RSA-OAEP).  It is made when a client first asks for it: that takes longer than all else that a
 * server does to start.  Any thread. */
int wire_tls_public_key(struct wire_tls *t, struct slice *ret, struct err *err);
int wire_tls_decrypt(struct wire_tls *t, struct slice in, struct buf *out, struct err *err);

#endif
