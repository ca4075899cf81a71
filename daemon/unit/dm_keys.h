/*
 * dm_keys.h - DM's own files (task.yaml, source.yaml) against tables of what their keys are called
 * in the documents here, which have the names of DM's OpenAPI.
 *
 * A key that a table does not have is an error; one with nothing behind it is accepted, since it
 * has no effect here or DM itself does not look at it any more.  Pure.
 */
#ifndef SLUICE_UNIT_DM_KEYS_H
#define SLUICE_UNIT_DM_KEYS_H

#include <jansson.h>

#include "base/err.h"

struct dm_key {
    const char *file; /* in the file; NULL ends a table */
    const char *doc;  /* in the document: "target_config.host"; NULL: nowhere */
    /* Or: puts 'v' into 'doc' by itself. */
    int (*take)(json_t *doc, const json_t *v, struct err *err);
};

/* Puts what 'from' has into 'doc'.  'where' is the path for messages: "mysql-instances[0]".
 * -EINVAL: no such key, or the keys are not those of a mapping.  Nulls are not there. */
int dm_keys_take(const struct dm_key *keys, const json_t *from, const char *where, json_t *doc,
                 struct err *err);
/* Sets 'v', of which it takes no reference away, at "a.b.c"; objects are made on the way. */
void dm_put(json_t *doc, const char *path, const json_t *v);

/* For 'take' of a "security": its files become "file:PATH". */
int dm_take_security(json_t *doc, const char *at, const json_t *v, struct err *err);

#endif
