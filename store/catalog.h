/*
 * catalog.h - documents of nodes, by path: what survives a restart.
 *
 * A document is the object that a node's `config` shows, with its secrets in
 * clear text here and sealed on disk.  Every change waits for the disk: what a
 * write(2) or a POST acknowledged is kept.
 *
 * Any thread, no lock held: the disk may take its time.
 */
#ifndef SLUICE_STORE_CATALOG_H
#define SLUICE_STORE_CATALOG_H

#include <jansson.h>

#include "base/err.h"

struct catalog;
struct secret_key;
struct store;

/* Both are borrowed and outlive it. */
struct catalog *catalog_new(struct store *s, const struct secret_key *key);
void catalog_free(struct catalog *c); /* NULL is fine */

/* 'path' is that of the node: "tasks/orders". */
int catalog_put(struct catalog *c, const char *path, const json_t *doc, struct err *err);
/* '*ret' is a new reference.  -ENOENT; -EBADMSG if it is damaged or its secrets do not open. */
int catalog_get(struct catalog *c, const char *path, json_t **ret, struct err *err);
int catalog_delete(struct catalog *c, const char *path, struct err *err);

/* Calls 'visit' for each document right below 'dir' ("tasks"), by name as it is in the path.
 * A damaged one is given as NULL with 'why'.  Returns 0, what 'visit' returned if not 0, or -EIO.
 */
int catalog_each(struct catalog *c, const char *dir,
                 int (*visit)(void *arg, const char *name, const json_t *doc,
                              const struct err *why),
                 void *arg, struct err *err);

#endif
