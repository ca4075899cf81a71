/*
 * spec.h - the settings of a node (rows with ATTR_STORED) as one document.
 *
 * What a document creates and what the store keeps: a new row with ATTR_STORED
 * is persistent without further code.
 */
#ifndef SLUICE_NODE_SPEC_H
#define SLUICE_NODE_SPEC_H

#include <jansson.h>
#include <stdbool.h>

struct err;
struct node;

/* A new object.  Secrets that are set: "******", or what they are, for the store alone. */
json_t *spec_of(const struct node *n, bool with_secrets);

/* Checks every field of 'doc' against the rows, then sets them in the order of the rows.  "name"
 * may be there and must be the node's.  A secret of "******" keeps the old one.  Unlocked. */
int spec_apply(struct node *n, const json_t *doc, struct err *err);

#endif
