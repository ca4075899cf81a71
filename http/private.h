/* private.h - what server.c, request.c and stream.c share. */
#ifndef SLUICE_HTTP_PRIVATE_H
#define SLUICE_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "http/guard.h"
#include "http/message.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/work.h"

struct listener {
    struct MHD_Daemon *mhd;
    int quiet_fd; /* after http_stop() began: the socket that it listened on; else 0 */
    char *text;
    char *socket_path; /* of a unix socket, removed at stop */
    char *cert, *key;  /* PEM; libmicrohttpd reads them while it runs */
};

struct http_server {
    struct node *root;
    struct listener *listeners;
    size_t n_listeners;
    struct guard guard;
    struct work *work;
    struct streams *streams;
    size_t max_body, max_bodies;
    _Atomic size_t bodies; /* bytes of request bodies held now */
    atomic_uint exchanges; /* begun and not completed */
};

/* request.c: libmicrohttpd's access handler and its completion. */
enum MHD_Result request_handle(void *server, struct MHD_Connection *conn, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **exchange);
void request_completed(void *server, struct MHD_Connection *conn, void **exchange,
                       enum MHD_RequestTerminationCode why);
/* The socket's peer, kept with its connection. */
void request_connection(void *server, struct MHD_Connection *conn, void **peer,
                        enum MHD_ConnectionNotificationCode what);

#endif
