/*
 * export.h - the same rows for machines and for the manual.
 *
 * schema_json() is /schema: every type with its attributes, actions and
 * parameters, and which type a path has, so that sluicectl needs to know
 * nothing else.  metrics_print() is /metrics in Prometheus' text format.
 * manual_print() is sluice-tree(5) in roff.  All three show a new row without
 * further code.
 */
#ifndef SLUICE_NODE_EXPORT_H
#define SLUICE_NODE_EXPORT_H

#include <jansson.h>

struct attr;
struct buf;
struct err;
struct node;
struct node_type;

/* {"types":{"task":{"help":…,"attributes":[…],"actions":[…],"create":bool,"remove":bool}},
 *  "paths":{"":"daemon","tasks":"tasks","tasks/NAME":"task",…}} from the type's parts; NAME stands
 * for any. */
json_t *schema_json(const struct node_type *root);

/* Numbers of every node below 'root' as sluice_<type>_<attr>{path="…"}; what is rising only is a
 * counter and ends in _total. */
void metrics_print(struct node *root, struct buf *out);

/* The manual page of everything reachable from 'root' by parts. */
void manual_print(const struct node_type *root, struct buf *out);

/* Getters for the root's rows "schema" (ATTR_JSON) and "metrics" (ATTR_TEXT), both ATTR_BULK |
 * ATTR_LARGE | ATTR_ASKS: the latter because metrics reads other nodes, which takes their locks. */
json_t *schema_get(const struct node *root, const struct attr *a, struct err *err);
json_t *metrics_get(const struct node *root, const struct attr *a, struct err *err);

#endif
