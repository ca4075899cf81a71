/*
 * source_doc.h - the document of a source, as a table of fields with the names
 * of DM's OpenAPI (Source).  Pure, but for passwords that are kept in a file.
 */
#ifndef SLUICE_UNIT_SOURCE_DOC_H
#define SLUICE_UNIT_SOURCE_DOC_H

#include "mysql/conn.h"
#include "unit/doc.h"

extern const struct doc_field source_doc_fields[], source_doc_checker_fields[];

/* Checks what was written for source 'name' (its "source_name" may be absent).  '*ret' is a
 * checked copy with the name.  -EINVAL. */
int source_doc_check(const json_t *doc, const char *name, json_t **ret, struct err *err);

/* What connecting needs: mysql_params_fini() it.  -EINVAL while host or user are missing, -ENOENT
 * for "file:PATH" that is not there. */
int source_doc_params(const json_t *doc, struct mysql_params *ret, struct err *err);

#endif
