#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mock.h"

/* The document by the rules of OpenAPI 3.0 that tools stumble over. */

static json_t *document;
static char *page;

static void setup(void)
{
    struct node *root = mock_new("{}");
    struct serve dm;
    unsigned status;
    char *text;

    serve_all(&dm);
    text = mock_ask(root, &dm, "GET", "/api/v1/dm.json", "", &status);
    cr_assert_eq(status, 200, "%s", text);
    document = json_loads(text, 0, NULL);
    cr_assert_not_null(document);
    free(text);
    page = mock_ask(root, &dm, "GET", "/api/v1/docs", "", &status);
    cr_assert_eq(status, 200);
    serve_fini(&dm);
    node_unref(root);
}

static void teardown(void)
{
    json_decref(document);
    free(page);
}

TestSuite(dm_doc, .init = setup, .fini = teardown);

static const char *text_at(const json_t *v, const char *key)
{
    const char *s = json_string_value(json_object_get(v, key));

    return s ? s : "";
}

static const json_t *schemas(void)
{
    return json_object_get(json_object_get(document, "components"), "schemas");
}

/* Every $ref leads somewhere, every schema without one has a type or is made of others. */
static void check_refs(const json_t *v)
{
    const char *key, *ref = text_at(v, "$ref");
    const json_t *member;
    size_t i;

    if (*ref) {
        cr_expect_eq(strncmp(ref, "#/components/schemas/", 21), 0, "%s", ref);
        cr_expect_not_null(json_object_get(schemas(), ref + 21), "%s", ref);
        cr_expect_eq(json_object_size(v), 1, "%s: others beside", ref);
    }
    json_object_foreach ((json_t *)v, key, member)
        check_refs(member);
    json_array_foreach ((json_t *)v, i, member)
        check_refs(member);
}

static void check_schema(const json_t *s, const char *where)
{
    static const char *const types[] = {
        "string", "integer", "number", "boolean", "array", "object"
    };
    const char *type = text_at(s, "type"), *name;
    const json_t *member, *word;
    bool known = false;
    size_t i;

    if (json_object_get(s, "$ref") || json_object_get(s, "allOf") || json_object_get(s, "oneOf"))
        return;
    for (i = 0; i < ARRAY_LEN(types); i++)
        known = known || strcmp(types[i], type) == 0;
    cr_expect(known, "%s: type '%s'", where, type);
    if (strcmp(type, "array") == 0) {
        cr_expect_not_null(json_object_get(s, "items"), "%s", where);
        check_schema(json_object_get(s, "items"), where);
    }
    json_object_foreach (json_object_get(s, "properties"), name, member)
        check_schema(member, name);
    json_array_foreach (json_object_get(s, "required"), i, word)
        cr_expect_not_null(
            json_object_get(json_object_get(s, "properties"), json_string_value(word)),
            "%s: requires %s", where, json_string_value(word));
}

static bool has_parameter(const json_t *op, const char *name, size_t len)
{
    const json_t *p;
    size_t i;

    json_array_foreach (json_object_get(op, "parameters"), i, p)
        if (strcmp(text_at(p, "in"), "path") == 0 && strlen(text_at(p, "name")) == len &&
            strncmp(text_at(p, "name"), name, len) == 0)
            return json_is_true(json_object_get(p, "required"));
    return false;
}

static void check_parameters(const char *path, const json_t *op)
{
    const json_t *p;
    size_t i, n_path = 0;

    for (const char *at = strchr(path, '{'); at; at = strchr(at + 1, '{'), n_path++)
        cr_expect(has_parameter(op, at + 1, strcspn(at + 1, "}")), "%s", path);
    json_array_foreach (json_object_get(op, "parameters"), i, p) {
        check_schema(json_object_get(p, "schema"), path);
        n_path -= strcmp(text_at(p, "in"), "path") == 0;
    }
    cr_expect_eq(n_path, 0, "%s", path);
}

static void check_content(const json_t *of, const char *where)
{
    const char *media;
    const json_t *v;

    json_object_foreach (json_object_get(of, "content"), media, v)
        check_schema(json_object_get(v, "schema"), where);
}

static void check_operation(const char *path, const json_t *op, json_t *ids)
{
    const char *id = text_at(op, "operationId"), *status;
    const json_t *responses = json_object_get(op, "responses"), *r;
    bool succeeds = false;

    cr_expect(*id && !json_object_get(ids, id), "%s: '%s' is there twice", path, id);
    json_object_set_new(ids, id, json_true());
    cr_expect(*text_at(op, "summary"), "%s", path);
    check_parameters(path, op);
    json_object_foreach ((json_t *)responses, status, r) {
        cr_expect(strlen(status) == 3 && *text_at(r, "description"), "%s %s", path, status);
        succeeds = succeeds || *status == '2';
        check_content(r, path);
    }
    cr_expect(succeeds, "%s", path);
    if (json_object_get(op, "requestBody")) {
        cr_expect_gt(
            json_object_size(json_object_get(json_object_get(op, "requestBody"), "content")), 0);
        check_content(json_object_get(op, "requestBody"), path);
    }
}

Test(dm_doc, is_valid)
{
    SCOPED(json_decrefp) json_t *ids = json_object();
    const char *path, *method, *name;
    const json_t *item, *op, *schema;

    cr_expect_eq(strncmp(text_at(document, "openapi"), "3.0.", 4), 0);
    cr_expect(*text_at(json_object_get(document, "info"), "title"));
    cr_expect(*text_at(json_object_get(document, "info"), "version"));
    cr_assert_gt(json_object_size(json_object_get(document, "paths")), 20);
    json_object_foreach (json_object_get(document, "paths"), path, item) {
        cr_expect_eq(*path, '/');
        json_object_foreach ((json_t *)item, method, op) {
            cr_expect_not_null(strstr("get put post patch delete", method), "%s", method);
            check_operation(path, op, ids);
        }
    }
    json_object_foreach ((json_t *)schemas(), name, schema)
        check_schema(schema, name);
    check_refs(document);
}

/* As DM's own clients look them up. */
Test(dm_doc, has_what_the_page_has)
{
    static const char *const wanted[] = {
        "get /cluster/masters",
        "delete /cluster/workers/{member}",
        "post /sources",
        "patch /sources/{source}/start-relay",
        "post /sources/{source}/relay/purge",
        "post /tasks",
        "get /tasks/{task}/status",
        "patch /tasks/{task}/pause",
        "post /tasks/{task}/start",
    };

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const char *path = strchr(wanted[i], ' ') + 1;
        SCOPED(freep) char *method = xstrndup(wanted[i], (size_t)(path - wanted[i] - 1));
        const json_t *item = json_object_get(json_object_get(document, "paths"), path);

        cr_expect_not_null(json_object_get(item, method), "%s", wanted[i]);
    }
}

Test(dm_doc, page_shows_all_of_it_and_fetches_nothing)
{
    static const char *const fetches[] = { "<script", "<link",   "src=", "http:",
                                           "https:",  "@import", "url(" };
    const char *path, *name;
    const json_t *item;

    json_object_foreach (json_object_get(document, "paths"), path, item) {
        SCOPED(freep) char *whole = xasprintf(">/api/v1%s<", path);

        cr_expect_not_null(strstr(page, whole), "%s", path);
    }
    json_object_foreach ((json_t *)schemas(), name, item) {
        SCOPED(freep) char *anchor = xasprintf("id=\"%s\"", name);

        cr_expect_not_null(strstr(page, anchor), "%s", name);
    }
    for (size_t i = 0; i < ARRAY_LEN(fetches); i++)
        cr_expect_null(strstr(page, fetches[i]), "%s", fetches[i]);
}
