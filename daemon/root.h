/*
 * root.h - the root of the tree: the daemon itself.
 *
 * Its attributes are what a running daemon knows of itself and the settings
 * that one asks for most; all of them are in settings/.  Both are made from the
 * table in options.h.
 */
#ifndef SLUICE_ROOT_H
#define SLUICE_ROOT_H

#include "node/node.h"

struct lines;
struct options;
struct root;

/* The type of the root, with 'parts' (ended by a row without a type) and settings/ below it.
 * Made once, by the first call, before any thread. */
const struct node_type *root_type(const struct node_part *parts);

/* The root and its settings/.  'o' is borrowed.  root_type() was called before. */
struct node *root_new(const struct options *o);

/* What its files 'events' and 'audit' show. */
struct lines *root_events(struct node *root);
struct lines *root_audit(struct node *root);

#endif
