/*
 * api.h - what an API takes and gives, as tables: they check requests and are its OpenAPI document.
 *
 * A schema is an object with fields, a list or a map.  An operation is what a route may have
 * besides its function: the sentence that tells it, the arguments of its query, its body and its
 * reply. Where it has one, the request is checked before the function runs, which then finds
 * call->query and call->body as the tables say: known fields of the right types and nothing else.
 *
 *     static const struct api_field worker_fields[] = {
 *         { "name", API_TEXT, API_REQUIRED, .help = "Its name" },
 *         { "labels", API_LIST },                      a list of texts
 *         { "source", API_OBJECT, .of = &source },
 *         { 0 },
 *     };
 *     static const struct api_schema worker = { "Worker", API_OBJECT, worker_fields };
 *
 * Checks are lenient where clients are: unknown fields are passed over, commas at the end of a list
 * are no mistake, null is as if it were not there, and so is an empty text where one of some words
 * is expected.
 */
#ifndef SLUICE_HTTP_API_H
#define SLUICE_HTTP_API_H

#include <jansson.h>

#include "base/err.h"
#include "base/slice.h"

struct api_schema;
struct facade;

enum api_type { API_TEXT, API_COUNT, API_NUMBER, API_BOOL, API_OBJECT, API_LIST, API_MAP };

enum api_flag {
    API_REQUIRED = 1,
    API_SHOWN = 2,  /* only in replies: dropped from what comes in */
    API_SECRET = 4, /* a password: ****** in replies */
    API_OURS = 8,   /* that system has no such field: absent means that it stays as it is */
};

struct api_field {
    const char *name;
    enum api_type type;
    unsigned flags;
    const struct api_schema *of; /* the object; what the list or map is of: NULL means texts */
    const char *const *choices;  /* of a text; NULL: any */
    const char *fallback;        /* the default, as JSON: told, not filled in */
    const char *help;
};

struct api_schema {
    const char *name; /* in the document */
    enum api_type type;
    const struct api_field *fields; /* of an object; ended by a row without a name */
    const struct api_schema *of;    /* of a list or map */
    const char *help;
    bool closed; /* an object with other fields is refused */
};

/* One form that a body may have. */
struct api_body {
    const struct api_schema *schema;
    const char *key; /* a field that only this form has; NULL: any other body has this form */
};

struct api_operation {
    const char *tag, *summary;
    const struct api_field *query;
    const struct api_body *bodies; /* ended by a row without a schema */
    bool needs_body;
    unsigned status;                           /* of success; 0: 200 */
    const struct api_schema *reply, *or_reply; /* NULL: empty */
    const char *media;                         /* of the reply, if it is not JSON */
};

/* "a=1&b=x&b=y" as an object by 'fields'; names that are not there are passed over. */
int api_query(const struct api_field *fields, const char *text, json_t **ret, struct err *err);
/* The body by 'op'; json_null() if there is none.  '*form' says which row of op->bodies it was. */
int api_body(const struct api_operation *op, struct slice text, json_t **ret, unsigned *form,
             struct err *err);
/* A checked copy of 'v'; -EINVAL says where it is wrong. */
int api_check(const struct api_schema *s, const json_t *v, json_t **ret, struct err *err);
/* A copy of 'v' (of ours, so not checked) with the fields of the schema and no others; secrets as
 * ****** where they are not empty.  What 's' requires and 'v' lacks is null. */
json_t *api_shown(const struct api_schema *s, const json_t *v);

/* The first field of ours (API_OURS) that 'v' has; NULL: none. */
const char *api_ours(const struct api_schema *s, const json_t *v);

/* --- api_doc.c, api_page.c --- */

struct api_info {
    const char *title, *version, *help;
    const char *base;               /* what all paths begin with: "/api/v1" */
    const struct api_schema *error; /* of every refusal */
};

/* The OpenAPI 3.0 document of the routes of 'f' that have an operation; a new reference. */
json_t *api_document(const struct facade *f, const struct api_info *info);
/* The same as a page to read, which fetches nothing; the caller frees. */
char *api_page(const json_t *document);

#endif
