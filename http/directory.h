/*
 * directory.h - what a GET of a directory shows.
 *
 * As JSON: every attribute that 'status' has, and "children": their names in
 * order, a page at a time ("children_next" is the 'after' of the next page).
 * With 'depth', children are given whole: an object by name, so that a table
 * of all tasks is one request.  As text: what `ls -p` prints.
 */
#ifndef SLUICE_HTTP_DIRECTORY_H
#define SLUICE_HTTP_DIRECTORY_H

#include "http/message.h"

/* A new reference, or NULL with 'err' set. */
json_t *directory_read(struct node *n, const struct http_query *q, struct err *err);
void directory_text(struct node *n, struct buf *out);

#endif
