/*
 * wire_tls.h - the certificate that a server of ours shows, and the RSA key that clients without
 * TLS encrypt a password with.
 *
 * A stock MySQL replica logs in over TLS or not at all, but does not ask who signed: so a server
 * that was given no certificate makes one of its own when it starts.
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

/* For wire.c: a session over the socket, not yet begun. */
struct ssl_st *wire_tls_session(struct wire_tls *t, int fd);

/* The public half of a key that only this run has, as PEM, and what was encrypted with it
 * (RSA-OAEP).  Any thread. */
struct slice wire_tls_public_key(const struct wire_tls *t);
int wire_tls_decrypt(const struct wire_tls *t, struct slice in, struct buf *out, struct err *err);

#endif
