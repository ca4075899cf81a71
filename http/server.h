/*
 * server.h - HTTP: listeners, limits, and who may come in.
 *
 *     listen.c   where                     guard.c   in whose name: peer.c, token.c
 *     request.c  one exchange              work.c    threads for what may wait
 *     mirror.c   the tree under /v1        stream.c  server-sent events
 *     compat/    APIs of other systems     units.c   listeners that pumps and drainers ask for
 *
 * libmicrohttpd's threads run the event loops; nothing in them waits.
 */
#ifndef SLUICE_HTTP_SERVER_H
#define SLUICE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct node;
struct http_server;

#define HTTP_DEFAULT_LISTEN "127.0.0.1:8261"

struct http_config {
    const char *const *listen;  /* see listen.h; NULL-terminated; NULL: HTTP_DEFAULT_LISTEN */
    const char *const *facades; /* see compat/serve.h; NULL-terminated; NULL: none */

    /* PEM files, both or neither.  Listeners that other machines can reach use TLS. */
    const char *tls_cert, *tls_key;
    const char *tokens; /* file of bearer tokens, see token.h; NULL: none */
    /* Listen for other machines also without TLS or without tokens.  Said explicitly or not at
     * all: without tokens, everyone who can connect can do everything. */
    bool insecure;

    /* 0 takes the default. */
    unsigned threads;         /* event loops a listener: 2 */
    unsigned max_waiting;     /* requests that wait for an action at once: 16 */
    unsigned max_connections; /* a listener: 512 */
    unsigned timeout_s;       /* idle connections: 60 */
    size_t max_body;          /* bytes of one request: 64 MiB */
    size_t max_bodies;        /* bytes of all requests being received: 128 MiB */
};

/* Are these addresses, and the names of systems?  -EINVAL.  Opens nothing. */
int http_check(const struct http_config *c, struct err *err);
/* Listens on all or none.  'root' must outlive the server.  'c' is not needed afterwards. */
int http_start(const struct http_config *c, struct node *root, struct http_server **ret,
               struct err *err);
/* Ends every stream, lets what was begun finish (an action: at most ten seconds), closes. */
void http_stop(struct http_server *s); /* NULL is fine */

/* "127.0.0.1:8261", with the port that was taken; NULL past the last listener of the
 * configuration: first those of 'listen', then those of 'facades'. */
const char *http_address(const struct http_server *s, size_t i);
/* "http://127.0.0.1:9595": the first of them that serves this facade alone, else the first.  The
 * caller frees. */
char *http_url_of(const struct http_server *s, const char *facade);

#endif
