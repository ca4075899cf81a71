/*
 * mirror.h - the native API: the tree over HTTP, under the same paths.
 *
 *     GET     read an attribute, or all of a directory with its children
 *     PUT     write an attribute; create a directory from a document
 *     POST    run an action
 *     DELETE  remove a directory
 *
 * Knows no node, attribute or action by name.  The caller's right to do it is
 * that of the file (authority.h).
 */
#ifndef SLUICE_HTTP_MIRROR_H
#define SLUICE_HTTP_MIRROR_H

#include "http/message.h"

/* Serves 'q'; refusals are replies too.  Waits only where mirror_waits() says so. */
void mirror_serve(struct node *root, const struct http_request *q, struct http_reply *r);

/* May serving 'q' wait for something (an action, a server)?  Then not in an event loop. */
bool mirror_waits(struct node *root, const struct http_request *q);

/* Finds what 'q' asks to read or to watch; -EACCES, -EOPNOTSUPP where that may not or cannot be. */
int mirror_find_readable(struct node *root, const struct http_request *q, struct target *t,
                         struct err *err);

#endif
