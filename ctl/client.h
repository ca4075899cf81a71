/*
 * client.h - how sluicectl reaches the daemon: over HTTP (client_http.c) or
 * through a mounted tree (client_fs.c).  Paths are the tree's: "tasks/t1/state".
 *
 * A failure is one sentence to show.  Code -ENOTCONN means that the daemon
 * could not be reached, everything else that it refused.
 */
#ifndef SLUICE_CTL_CLIENT_H
#define SLUICE_CTL_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct client;

/* Gets one event of a watch: "change", "create", "remove" or "reset", and its data.  Returns false
 * to end the watch. */
typedef bool client_event_fn(void *arg, const char *event, const json_t *data);

struct client_ops {
    /* A value, or a directory: {attributes…, "children": [names]}; with 'depth' children are
     * objects of the same form by name.  All children, however many.  A new reference. */
    json_t *(*read)(struct client *c, const char *path, unsigned depth, struct err *err);
    /* Exactly the file's bytes. */
    int (*text)(struct client *c, const char *path, struct buf *out, struct err *err);
    /* Writes what the file would take to an attribute, or runs an action with it. */
    int (*set)(struct client *c, const char *path, const char *text, size_t size, struct err *err);
    int (*run)(struct client *c, const char *path, const char *text, size_t size, struct err *err);
    /* Makes a directory; 'text' is its document, or size 0; 'row' the name of the attribute that
     * takes the document. */
    int (*create)(struct client *c, const char *path, const char *row, const char *text,
                  size_t size, struct err *err);
    int (*remove)(struct client *c, const char *path, struct err *err);
    /* Calls 'fn' for every change at and below 'path' until it says no. */
    int (*watch)(struct client *c, const char *path, client_event_fn *fn, void *arg,
                 struct err *err);
    void (*free)(struct client *c);
};

struct client {
    const struct client_ops *ops;
};

struct client_http_config {
    const char *url;    /* "http://127.0.0.1:8261", "https://…", "unix:/run/sluice.sock" */
    const char *token;  /* NULL: none */
    const char *cacert; /* PEM file that the server's certificate must lead to; NULL: system's */
    const char *cert, *key; /* PEM files: who we are, for a proxy that asks; NULL: nobody */
};

struct client *client_http_new(const struct client_http_config *c, struct err *err);
struct client *client_fs_new(const char *mount, struct err *err);

/* In client.c: for a NULL-safe end, and both clients' work on texts. */
void client_free(struct client *c);
/* The value of a file's text: JSON if it is an object, array, number or bool; else a string. */
json_t *client_value_of_text(const char *text, size_t size);

#endif
