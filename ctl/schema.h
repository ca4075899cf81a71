/*
 * schema.h - what the daemon says about its tree: GET /v1/schema.
 *
 * Everything that sluicectl knows of types, attributes and actions comes from
 * here: {"paths": {"tasks/NAME": "task"}, "types": {"task": {"help", "create",
 * "remove", "attributes": [row], "actions": [row]}}}.  All results are
 * borrowed from the schema.
 */
#ifndef SLUICE_CTL_SCHEMA_H
#define SLUICE_CTL_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/* The type of the directory 'path'; NULL if no directory can be there. */
const json_t *schema_type(const json_t *schema, const char *path);
/* The attribute or action 'name' of a type; NULL if it has none. */
const json_t *schema_attr(const json_t *type, const char *name);
const json_t *schema_action(const json_t *type, const char *name);

/* The attribute that takes a whole document, and the action that does; NULL if there is none. */
const json_t *schema_document(const json_t *type);
const json_t *schema_document_action(const json_t *type);

/* The collection whose members a document with these top-level keys describes: its path, or NULL
 * if none or several fit as well. */
const char *schema_guess(const json_t *schema, const json_t *keys);

const char *row_name(const json_t *row);
const char *row_text(const json_t *row, const char *key); /* "" if it has none */
bool row_is(const json_t *row, const char *flag);

#endif
