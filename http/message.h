/*
 * message.h - one request and one reply, without a connection.
 *
 * request.c makes the first from what libmicrohttpd brings and sends the
 * second; mirror.c (and each facade) turns one into the other.  So everything
 * between can be tested without a socket.
 */
#ifndef SLUICE_HTTP_MESSAGE_H
#define SLUICE_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "http/format.h"
#include "node/node.h"

enum { HTTP_MAX_DEPTH = 8, HTTP_DEFAULT_PAGE = 1000, HTTP_MAX_PAGE = 100000 };

/* What comes after '?'. */
struct http_query {
    char *after;    /* list children after this name; NULL: from the first */
    unsigned limit; /* most children of a directory in one reply */
    unsigned depth; /* levels of children given whole instead of by name; 0: names */
    bool watch;     /* stream changes instead */
};

struct http_request {
    const char *method;      /* "GET"; HEAD comes as GET */
    const char *path;        /* in the tree: "tasks/t1/state" */
    struct http_query query; /* of the tree's */
    const char *arguments; /* what comes after '?', as it came, for other systems; NULL: nothing */
    enum format accept;    /* of the reply */
    enum format sends;     /* of the body */
    struct slice body;
    struct caller caller;
    bool may_write; /* false for a token that only reads */
};

struct http_reply {
    unsigned status;
    const char *type; /* of the body; static */
    struct buf body;
    const char *allow; /* of a 405: the methods that apply; static */
    char *location;    /* of a 201; owned */
};

void http_reply_fini(struct http_reply *r);

/* Fills 'r' from an error, in the format that 'q' accepts. */
void http_reply_error(struct http_reply *r, const struct http_request *q, const struct err *err);

/* Parses "after=x&limit=10&depth=1&watch=1"; -EINVAL with a sentence that names the key. */
int http_query_parse(const char *text, struct http_query *ret, struct err *err);
void http_query_fini(struct http_query *q);

#endif
