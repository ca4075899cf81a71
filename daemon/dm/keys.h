/*
 * keys.h - DM's own files (task.yaml, source.yaml) against tables of what their keys are called in
 * the documents here, which have the names of DM's OpenAPI.
 *
 * The same table reads a file and writes one.  A key that it does not have is an error; one with
 * nothing behind it is accepted, since it has no effect here or DM itself does not look at it any
 * more, and is never written.  Pure.
 */
#ifndef SLUICE_DM_KEYS_H
#define SLUICE_DM_KEYS_H

#include <jansson.h>

#include "base/err.h"

struct dm_key {
    const char *file; /* in the file; NULL ends a table */
    const char *doc;  /* in the document: "target_config.host"; NULL: nowhere, or elsewhere */
    /* Instead of a value that is the same in both: puts 'v' into 'doc' by itself. */
    int (*take)(json_t *doc, const json_t *v, struct err *err);
    /* And back: what is written for the value at 'doc', a new reference; NULL: nothing.  Without it
     * a row with 'take' is not written. */
    json_t *(*give)(const json_t *v);
};

/* Puts what 'from' has into 'doc'.  'where' is the path for messages: "mysql-instances[0]".
 * -EINVAL: no such key, or the keys are not those of a mapping.  Nulls are not there. */
int dm_keys_take(const struct dm_key *keys, const json_t *from, const char *where, json_t *doc,
                 struct err *err);
/* Puts what 'doc' has into 'file'.  Of two keys for the same the first is written. */
void dm_keys_give(const struct dm_key *keys, const json_t *doc, json_t *file);

/* Sets 'v', of which it takes no reference away, at "a.b.c"; objects are made on the way. */
void dm_put(json_t *doc, const char *path, const json_t *v);
/* What is there, borrowed; NULL. */
json_t *dm_get(const json_t *doc, const char *path);
/* The text at a key, "" if there is none. */
const char *dm_word(const json_t *object, const char *key);

/* For 'take' of a "security": its files become "file:PATH". */
int dm_take_security(json_t *doc, const char *at, const json_t *v, struct err *err);
/* For 'give' of one: what is a file's content, and not its path, cannot be written. */
json_t *dm_give_security(const json_t *security);

#endif
