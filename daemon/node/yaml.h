/*
 * yaml.h - YAML 1.2 documents as JSON values, and back.
 *
 * One document, plain data: scalars follow the core schema (true, false, null,
 * whole and real numbers; everything else is text, so yes, 0123, 12:30 and
 * 2026-01-31 stay as they are written).  Keys are text and not given twice;
 * `<<` merges.  An alias is a copy; how much all copies may come to is bounded.
 * JSON is YAML.
 */
#ifndef SLUICE_NODE_YAML_H
#define SLUICE_NODE_YAML_H

#include <jansson.h>
#include <stddef.h>

struct buf;
struct err;

/* A new reference (json_null() for an empty text), or NULL and -EINVAL with the line. */
json_t *yaml_parse(const char *text, size_t size, struct err *err);
/* Appends 'v' such that yaml_parse() and readers of YAML 1.1 get the same back. */
void yaml_print(const json_t *v, struct buf *out);

#endif
