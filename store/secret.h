/*
 * secret.h - passwords at rest: AES-256-GCM under a key file in the data folder.
 *
 * Sealing keeps secrets out of copies of the store and of backups that leave
 * the key behind; it does not keep out who reads the folder as the same user.
 *
 *     secret_key_open("/var/lib/sluice/key", &key, err);       made at first start, 0600
 *     secret_seal(key, "hunter2", "sources/s1/password");      "sealed:1:..."
 *     secret_open(key, sealed, "sources/s1/password", &text, err);
 *
 * 'place' is where the sealed text lives; elsewhere it does not open.
 * A key is read-only once open: any thread.
 */
#ifndef SLUICE_STORE_SECRET_H
#define SLUICE_STORE_SECRET_H

#include <jansson.h>

#include "base/err.h"

struct secret_key;

/* Makes the file if there is none.  -EACCES if others can read it, -EBADMSG if it is no key. */
int secret_key_open(const char *path, struct secret_key **ret, struct err *err);
void secret_key_free(struct secret_key *k); /* NULL is fine */

/* The caller frees what these return (secret_free() wipes it first).  -EBADMSG: the text was
 * changed, or sealed under another key or for another place. */
char *secret_seal(const struct secret_key *k, const char *text, const char *place);
int secret_open(const struct secret_key *k, const char *sealed, const char *place, char **ret,
                struct err *err);
void secret_free(char *text);

/* A copy of 'doc' in which every text member, at any depth, that is called one of 'names'
 * (NULL-terminated) is sealed, or opened.  A new reference; opening gives NULL with 'err' set. */
json_t *secret_seal_json(const struct secret_key *k, const json_t *doc, const char *const *names,
                         const char *place);
json_t *secret_open_json(const struct secret_key *k, const json_t *doc, const char *const *names,
                         const char *place, struct err *err);

/* Passwords may be given encrypted (base/password.h) under the key in this file.  Once, before any
 * thread; "": they may not. */
int secret_set_password_key(const char *path, struct err *err);

/* What a secret stands for: the content of PATH without its last newline for "file:PATH", what was
 * encrypted for one that opens under the key above, the text itself otherwise.  secret_free() it.
 */
int secret_resolve(const char *text, char **ret, struct err *err);

#endif
