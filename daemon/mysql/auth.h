/*
 * auth.h - how a client proves that it knows the password: mysql_native_password,
 * caching_sha2_password and client_ed25519, from the server's side.
 *
 * We hold the password itself (sealed in the store), so each proof is checked at once:
 * caching_sha2_password always ends on its fast path.  A client whose fast proof is wrong gets
 * the full path, as a server would offer it: the password over TLS, or encrypted with our RSA key.
 *
 * One listener serves all clients: who names a plugin that we know is asked with that one, since
 * MariaDB's replicas cannot load caching_sha2_password, nor MySQL's from 9.0 mysql_native_password.
 *
 * A MariaDB replica or client from 11.4 on believes no certificate that nobody it knows has signed,
 * unless the server vouches for it: by a digest, in the OK that ends the login, that only who knows
 * the password can make of the certificate.  So what a server of ours shows is believed there, too.
 *
 * Source: MySQL Source Code Documentation, "Caching_sha2_password information"; MariaDB Knowledge
 * Base, "Authentication plugin - ed25519" and "Zero-Configuration SSL".
 */
#ifndef SLUICE_MYSQL_AUTH_H
#define SLUICE_MYSQL_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "mysql/handshake.h"

struct wire;
struct wire_tls;

#define AUTH_NONCE_SIZE 32 /* client_ed25519's salt */

struct auth_plugin {
    const char *name;
    size_t salt_size; /* of what we ask with */
    size_t proof_size;
    /* 'proof' has proof_size bytes. */
    bool (*verify)(const char *password, const uint8_t *salt, const uint8_t *proof);
};
extern const struct auth_plugin auth_plugins[]; /* ended by one without a name */

/* NULL if there is none of that name. */
const struct auth_plugin *auth_plugin_named(struct slice name);

/* Random bytes that are no zeroes. */
void auth_salt(uint8_t *salt, size_t size);

/* Does 'proof', for a salt that we sent, show 'password'?  The empty proof shows the empty one. */
bool auth_verify(const struct auth_plugin *p, const char *password, const uint8_t *salt,
                 struct slice proof);

#define AUTH_USER_SIZE 64 /* of a name that is shown: longer ones are cut */

/* A connection, and whom it lets in. */
struct auth {
    const char *user, *password;
    const char *first_plugin; /* that the greeting names */
    const char *version;
    uint32_t connection;
    struct wire_tls *tls; /* NULL: there is none */
    int64_t timeout_ms;
    /* filled by the login */
    char name[AUTH_USER_SIZE]; /* of who logged in, or tried to */
    uint32_t capabilities;     /* of the client */
    const struct auth_plugin *plugin;
    uint8_t salt[AUTH_NONCE_SIZE]; /* that it was asked with last */
};

#define AUTH_VOUCH_SIZE 66

/* Vouches for the certificate of that SHA-256.  "": nothing to do it with, as with the two other
 * plugins: of client_ed25519's salt the client keeps nothing, and the third has no such thing. */
void auth_vouch(const struct auth *a, const uint8_t *certificate, char ret[static AUTH_VOUCH_SIZE]);

/* The login, from the greeting to the OK, which is sent.  A refusal is told to the client too.
 * 0; -EACCES; what wire_read() returns. */
int auth_login(struct wire *w, struct auth *a, struct err *err);
/* COM_CHANGE_USER: the same anew on a connection that is open.  A client that sends a proof at once
 * makes it with the salt that it was asked with before, as servers have it; who sends none is
 * asked. 'body' is without the command's number. */
int auth_change_user(struct wire *w, struct auth *a, struct slice body, struct err *err);

#endif
