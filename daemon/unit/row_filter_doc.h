/*
 * row_filter_doc.h - the expression_filter of a task's document: rows that are left out by their
 * values.
 *
 * Rules by name, {schema, table, insert_value_expr | delete_value_expr | update_old_value_expr
 * and/or update_new_value_expr}, and in source_conf the names of those that hold for the source.
 */
#ifndef SLUICE_UNIT_ROW_FILTER_DOC_H
#define SLUICE_UNIT_ROW_FILTER_DOC_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

/* Texts are the document's; NULL: not given. */
struct row_rule {
    const char *name, *schema, *table;
    const char *insert, *delete, *update_old, *update_new;
};

bool row_rule_is_for(const struct row_rule *r, const char *schema, const char *table);

/* Fields and syntax of each rule.  -EINVAL. */
int row_filter_doc_check(const json_t *rules, struct err *err);
/* Are all rules there that source_conf names?  -EINVAL. */
int row_filter_doc_named(const json_t *rules, const json_t *source_confs, struct err *err);
/* Those of one entry of source_conf; the caller frees the array. */
struct row_rule *row_filter_doc_rules(const json_t *rules, const json_t *conf, size_t *n);

#endif
