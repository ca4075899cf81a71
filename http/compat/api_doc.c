/* api_doc.c - the OpenAPI 3.0 document of a facade, from its routes. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/route.h"

/* --- schemas --- */

static json_t *schema_of(enum api_type type, const struct api_schema *of, json_t *all);

static json_t *ref(const char *name)
{
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}

static void add_fallback(const struct api_field *f, json_t *v)
{
    json_t *fallback = f->fallback ? json_loads(f->fallback, JSON_DECODE_ANY, NULL) : NULL;

    if (fallback)
        json_object_set_new(v, "default", fallback);
}

static json_t *field_schema(const struct api_field *f, json_t *all)
{
    json_t *v = schema_of(f->type, f->of, all);

    if (json_object_get(v, "$ref")) /* beside which nothing counts */
        v = json_pack("{s:[o]}", "allOf", v);
    if (f->help)
        json_object_set_new(v, "description", json_string(f->help));
    if (f->choices) {
        json_t *words = json_array();

        for (size_t i = 0; f->choices[i]; i++)
            json_array_append_new(words, json_string(f->choices[i]));
        json_object_set_new(v, "enum", words);
    }
    if (f->flags & API_SHOWN)
        json_object_set_new(v, "readOnly", json_true());
    if (f->flags & API_SECRET)
        json_object_set_new(v, "format", json_string("password"));
    if (!(f->flags & API_REQUIRED))
        json_object_set_new(v, "nullable", json_true());
    add_fallback(f, v);
    return v;
}

static json_t *object_schema(const struct api_schema *s, json_t *all)
{
    json_t *properties = json_object(), *required = json_array(), *v;

    for (const struct api_field *f = s->fields; f->name; f++) {
        json_object_set_new(properties, f->name, field_schema(f, all));
        if (f->flags & API_REQUIRED)
            json_array_append_new(required, json_string(f->name));
    }
    v = json_pack("{s:s,s:o}", "type", "object", "properties", properties);
    if (json_array_size(required))
        json_object_set(v, "required", required);
    if (s->closed)
        json_object_set_new(v, "additionalProperties", json_false());
    json_decref(required);
    return v;
}

/* Puts 's' and all that it is of among the named ones; what refers to it. */
static json_t *named(const struct api_schema *s, json_t *all)
{
    json_t *v;

    if (!s)
        return json_pack("{s:s}", "type", "string");
    if (!json_object_get(all, s->name)) {
        json_object_set_new(all, s->name, json_object()); /* it may be of itself */
        v = s->type == API_OBJECT ? object_schema(s, all) : schema_of(s->type, s->of, all);
        if (s->help)
            json_object_set_new(v, "description", json_string(s->help));
        json_object_set_new(all, s->name, v);
    }
    return ref(s->name);
}

static json_t *schema_of(enum api_type type, const struct api_schema *of, json_t *all)
{
    switch (type) {
    case API_TEXT:
        break;
    case API_COUNT:
        return json_pack("{s:s,s:s}", "type", "integer", "format", "int64");
    case API_NUMBER:
        return json_pack("{s:s}", "type", "number");
    case API_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case API_OBJECT:
        return named(of, all);
    case API_LIST:
        return json_pack("{s:s,s:o}", "type", "array", "items", named(of, all));
    case API_MAP:
        return json_pack("{s:s,s:o}", "type", "object", "additionalProperties", named(of, all));
    }
    return json_pack("{s:s}", "type", "string");
}

/* --- operations --- */

/* "PATCH", "/sources/{source}/start-relay": "patchSourcesSourceStartRelay" */
static json_t *id_of(const char *method, const char *path)
{
    SCOPED(buf_fini) struct buf id = BUF_INIT;
    bool upper = false;

    for (; *method; method++)
        buf_byte(&id, (char)tolower((unsigned char)*method));
    for (; *path; path++) {
        if (isalnum((unsigned char)*path))
            buf_byte(&id, upper ? (char)toupper((unsigned char)*path) : *path);
        upper = !isalnum((unsigned char)*path);
    }
    return json_string(id.data);
}

static json_t *path_parameters(const char *path)
{
    json_t *all = json_array();

    while ((path = strchr(path, '{'))) {
        size_t len = strcspn(++path, "}");
        SCOPED(freep) char *name = xstrndup(path, len);

        json_array_append_new(all, json_pack("{s:s,s:s,s:b,s:{s:s}}", "name", name, "in", "path",
                                             "required", 1, "schema", "type", "string"));
        path += len;
    }
    return all;
}

static json_t *parameters(const char *path, const struct api_field *query, json_t *schemas)
{
    json_t *all = path_parameters(path);

    for (; query && query->name; query++) {
        json_t *schema = field_schema(query, schemas);
        json_t *v = json_pack("{s:s,s:s,s:b,s:o}", "name", query->name, "in", "query", "required",
                              (int)(query->flags & API_REQUIRED), "schema", schema);

        json_object_del(schema, "description");
        json_object_del(schema, "nullable");
        if (query->help)
            json_object_set_new(v, "description", json_string(query->help));
        json_array_append_new(all, v);
    }
    return all;
}

static json_t *one_or(json_t *a, json_t *b)
{
    return b ? json_pack("{s:[o,o]}", "oneOf", a, b) : a;
}

static json_t *json_content(json_t *schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", schema);
}

static json_t *body_of(const struct api_operation *op, json_t *schemas)
{
    json_t *schema = named(op->bodies[0].schema, schemas), *other = NULL;

    for (size_t i = 1; op->bodies[i].schema; i++)
        if (op->bodies[i].schema != op->bodies[i - 1].schema)
            other = named(op->bodies[i].schema, schemas);
    return json_pack("{s:b,s:o}", "required", (int)op->needs_body, "content",
                     json_content(one_or(schema, other)));
}

static json_t *success_of(const struct api_operation *op, json_t *schemas)
{
    json_t *v = json_pack("{s:s}", "description", "done");

    if (op->media)
        json_object_set_new(v, "content",
                            json_pack("{s:{s:{s:s}}}", op->media, "schema", "type", "string"));
    else if (op->reply)
        json_object_set_new(
            v, "content",
            json_content(one_or(named(op->reply, schemas),
                                op->or_reply ? named(op->or_reply, schemas) : NULL)));
    return v;
}

static json_t *operation_of(const struct route *r, const char *path, const struct api_info *info,
                            json_t *schemas)
{
    const struct api_operation *op = r->op;
    SCOPED(freep) char *status = xasprintf("%u", op->status ? op->status : 200);
    json_t *responses = json_object(), *v;

    json_object_set_new(responses, status, success_of(op, schemas));
    json_object_set_new(responses, "400",
                        json_pack("{s:s,s:o}", "description", "refused", "content",
                                  json_content(named(info->error, schemas))));
    v = json_pack("{s:[s],s:s,s:o,s:o,s:o}", "tags", op->tag, "summary", op->summary, "operationId",
                  id_of(r->method, path), "parameters", parameters(path, op->query, schemas),
                  "responses", responses);
    if (op->bodies)
        json_object_set_new(v, "requestBody", body_of(op, schemas));
    return v;
}

static void add_tag(json_t *tags, const char *name)
{
    const json_t *tag;
    size_t i;

    json_array_foreach (tags, i, tag)
        if (strcmp(json_string_value(json_object_get(tag, "name")), name) == 0)
            return;
    json_array_append_new(tags, json_pack("{s:s}", "name", name));
}

static void add_route(const struct route *r, const struct api_info *info, json_t *paths,
                      json_t *tags, json_t *schemas)
{
    const char *path = r->path + strlen(info->base);
    SCOPED(freep) char *method = xstrdup(r->method);
    json_t *item = json_object_get(paths, path);

    for (char *p = method; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (!item) {
        item = json_object();
        json_object_set_new(paths, path, item);
    }
    json_object_set_new(item, method, operation_of(r, path, info, schemas));
    add_tag(tags, r->op->tag);
}

json_t *api_document(const struct facade *f, const struct api_info *info)
{
    SCOPED(json_decrefp) json_t *paths = json_object(), *tags = json_array();
    json_t *schemas = json_object();

    for (const struct route *r = f->routes; r->method; r++)
        if (r->op)
            add_route(r, info, paths, tags, schemas);
    return json_pack("{s:s,s:{s:s,s:s,s:s},s:[{s:s}],s:O,s:O,s:{s:o}}", "openapi", "3.0.0", "info",
                     "title", info->title, "version", info->version, "description", info->help,
                     "servers", "url", info->base, "tags", tags, "paths", paths, "components",
                     "schemas", schemas);
}
