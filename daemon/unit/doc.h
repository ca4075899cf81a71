/*
 * doc.h - a document (YAML or JSON) against the table of its fields.
 *
 * A row says all there is to know of a field: name, type, range, default and a
 * sentence of help.  From it follow the check of what is written, with the path
 * of what is wrong and a guess at what was meant, the document as it is shown,
 * and the attributes of the node that it belongs to.
 *
 * Pure; documents are values, none of these changes its argument unless it says so.
 */
#ifndef SLUICE_UNIT_DOC_H
#define SLUICE_UNIT_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum doc_type {
    DOC_BOOL,
    DOC_COUNT, /* a whole number from 'min' to 'max' */
    DOC_TEXT,
    DOC_ENUM,   /* one of 'choices' */
    DOC_OBJECT, /* of 'fields' */
    DOC_LIST,   /* of what the one row in 'fields' says */
    DOC_MAP,    /* any name to what the one row in 'fields' says */
};

enum doc_flag {
    DOC_SECRET = 1,    /* a password: shown as ******, which also keeps it when written */
    DOC_READ_ONLY = 2, /* others show it in what they give out: accepted, not kept */
    DOC_REQUIRED = 4, /* of a list's objects; what a task needs is task_doc_complete()'s business */
    DOC_LIVE = 8,     /* of the outermost: in effect at once, also on what runs */
};

struct doc_field {
    const char *name; /* NULL ends a table */
    enum doc_type type;
    const char *help; /* one sentence without a full stop */
    unsigned flags;   /* enum doc_flag */
    int64_t min, max; /* DOC_COUNT; DOC_TEXT: of its length, in bytes; both 0: no bounds */
    const char *const *choices;
    const char *fallback; /* the default as JSON; NULL: it is left out */
    const struct doc_field *fields;
    /* Understood, but nothing else than the default, or 'inert' (as JSON: what others write into
     * their documents when they mean nothing by it), is possible (yet): why. */
    const char *refused, *inert;
    enum reason reason; /* of errors in it, unless an inner field has another */
    /* Accepted, since documents of others have it, without effect here: why. */
    const char *ignored;
};

#define DOC_MASK "******"

/* A checked copy: nulls and read-only fields are gone, whole numbers given for texts are texts.
 * -EINVAL: "target_config.prot: no such field: did you mean port?" */
int doc_check(const struct doc_field *fields, const json_t *doc, json_t **ret, struct err *err);

/* New references: with the defaults filled in; with secrets masked. */
json_t *doc_full(const struct doc_field *fields, const json_t *doc);
json_t *doc_masked(const struct doc_field *fields, const json_t *doc);
/* Changes 'doc': a secret that is absent or masked becomes that of 'old' (NULL: is removed). */
void doc_keep_secrets(const struct doc_field *fields, json_t *doc, const json_t *old);

/* {"field": "why it has no effect"} of the fields that 'doc' sets in vain; a new reference. */
json_t *doc_ignored(const struct doc_field *fields, const json_t *doc);

/* The value at "a.b.c", borrowed; NULL if it is not there. */
const json_t *doc_at(const json_t *doc, const char *path);
/* A deep copy of 'doc' with 'v' (not stolen) at "a.b.c", objects made on the way; NULL removes. */
json_t *doc_with(const json_t *doc, const char *path, const json_t *v);
/* The default of a field; NULL if it has none. */
json_t *doc_fallback(const struct doc_field *f);

#endif
