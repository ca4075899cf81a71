/*
 * path.h - from the path of a URL to the path of the tree, and its query.
 *
 * A URL is decoded one segment at a time, so that "%2F" stays within its name:
 * libmicrohttpd is told not to decode at all.  Names in a URL may be spelled
 * as the tree shows them (`a%2Fb`), or that percent-encoded once more by a
 * client library (`a%252Fb`): both mean the same node.
 */
#ifndef SLUICE_HTTP_PATH_H
#define SLUICE_HTTP_PATH_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the tree's path of 'url' ("/tasks/a%2Fb/state" -> "tasks/a%2Fb/state"); empty segments
 * are left out.  -EINVAL on a broken escape or a zero byte. */
int path_of_url(const char *url, struct buf *path, struct err *err);

/* Appends 'path', a path of the tree, as a URL has it. */
void url_of_path(const char *path, struct buf *url);

/* Decodes %XX and, where 'plus' is set, + into 'text' itself.  -EINVAL on a broken escape or a
 * zero byte. */
int percent_decode(char *text, bool plus);

#endif
