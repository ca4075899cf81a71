/*
 * filter_doc.h - the binlog_filter_rule of a document, as a filter (route/filter.h).
 *
 * Tasks and drainers write them alike: rules by name, {ignore_event: [...], ignore_sql: [...]}, and
 * the names beside the table_migrate_rule that says for which tables.
 */
#ifndef SLUICE_UNIT_FILTER_DOC_H
#define SLUICE_UNIT_FILTER_DOC_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "unit/doc.h"

struct filter;

/* The row of what the map has under each name. */
extern const struct doc_field filter_doc_element[];

/* 'migrate': the list of table_migrate_rule; 'rules': the map.  Of the entries for 'source' (NULL:
 * all of them).  '*ret' is NULL when nothing is left out.  -EINVAL. */
int filter_doc(const json_t *migrate, const json_t *rules, const char *source, bool fold_case,
               struct filter **ret, struct err *err);
/* Only the words and expressions of the map. */
int filter_doc_check(const json_t *rules, struct err *err);
/* Are all the rules there that are named?  -EINVAL. */
int filter_doc_named(const json_t *migrate, const json_t *rules, struct err *err);

#endif
