/*
 * setting_row.h - the field of a document (doc.h) as a row of a node's table.
 *
 * Objects are directories of their own; lists and maps are rows of JSON.
 */
#ifndef SLUICE_UNIT_SETTING_ROW_H
#define SLUICE_UNIT_SETTING_ROW_H

#include "node/node.h"
#include "unit/doc.h"

/* Not for objects, nor for what is refused or has no effect (it shows in config alone), nor for a
 * choice that can be left open. */
bool setting_has_row(const struct doc_field *f);

struct setting_access {
    json_t *(*get)(const struct node *n, const struct attr *a, struct err *err);
    int (*set)(struct node *n, const struct attr *a, const json_t *v, struct err *err);
};
struct attr setting_row(const struct doc_field *f, const struct setting_access *access);

/* Rows for all of 'fields' that have one; returns the end.  setting_count() is enough room. */
struct attr *setting_rows(struct attr *to, const struct doc_field *fields,
                          const struct setting_access *access);
size_t setting_count(const struct doc_field *fields);

/* What a row shows while the document has nothing there; a new reference. */
json_t *setting_empty(const struct attr *a);

#endif
