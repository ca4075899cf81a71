/*
 * root.h - the root of the tree: the daemon itself.
 *
 * Its attributes are what a running daemon knows of itself and one row for
 * each setting (options.h), made from the same table.
 */
#ifndef SLUICE_ROOT_H
#define SLUICE_ROOT_H

#include "node/node.h"

struct lines;
struct options;
struct root;

/* The type of the root, with 'parts' (ended by a row without a type; borrowed) below it.  Made
 * once, by the first call. */
const struct node_type *root_type(const struct node_part *parts);

/* 'o' is borrowed.  root_type() was called before. */
struct node *root_new(const struct options *o);

/* What its files 'events' and 'audit' show. */
struct lines *root_events(struct node *root);
struct lines *root_audit(struct node *root);

#endif
