/* private.h - what server.c, request.c and stream.c share. */
#ifndef SLUICE_HTTP_PRIVATE_H
#define SLUICE_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "http/compat/serve.h"
#include "http/guard.h"
#include "http/message.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/work.h"

struct listener {
    struct http_server *server;
    struct serve serve;    /* what it answers */
    atomic_uint exchanges; /* begun and not completed */
    atomic_bool closing;   /* nothing begins any more: libmicrohttpd aborts if a connection is
                              suspended while its daemon is stopped */
    atomic_uint connections;
    _Atomic int64_t full_us; /* monotonic: when it was last said that there are as many as may be */
    struct MHD_Daemon *mhd;
    int quiet_fd; /* once closing: the socket that it listened on; else 0 */
    char *text;
    char *socket_path; /* of a unix socket, removed at stop */
    char *cert, *key;  /* PEM; libmicrohttpd reads them while it runs */
};

struct http_server {
    struct node *root;
    struct http_config config; /* for listeners that come later; its paths are owned */
    struct mutex lock;         /* of the two below */
    struct listener **listeners;
    size_t n_listeners;
    struct units *units;
    struct guard guard;
    struct work *work;
    struct streams *streams;
    size_t max_body, max_bodies;
    _Atomic size_t bodies; /* bytes of request bodies held now */
};

/* Listens at 'text' and serves 'serve', which is taken.  Any thread, until http_stop(). */
int http_listen(struct http_server *s, const char *text, struct serve *serve, struct listener **ret,
                struct err *err);
/* Nobody new comes in; what was begun finishes, at most eleven seconds; then its socket is closed.
 * -EBUSY if something is still not finished: try again. */
int http_unlisten(struct http_server *s, struct listener *l);

/* request.c: libmicrohttpd's access handler and its completion. */
enum MHD_Result request_handle(void *listener, struct MHD_Connection *conn, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **exchange);
void request_completed(void *listener, struct MHD_Connection *conn, void **exchange,
                       enum MHD_RequestTerminationCode why);
/* The socket's peer, kept with its connection. */
void request_connection(void *listener, struct MHD_Connection *conn, void **peer,
                        enum MHD_ConnectionNotificationCode what);

#endif
