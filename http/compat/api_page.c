/* api_page.c - an OpenAPI document as a page that needs nothing else. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/api.h"

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#222;background:#fff}h1,h2{font-weight:600}h2{border-bottom:1px solid #ccc;"
    "margin-top:2.5rem}code,.path{font-family:ui-monospace,monospace}details{border:1px solid #ddd;"
    "border-radius:4px;margin:.4rem 0}summary{padding:.4rem .6rem;cursor:pointer}"
    "details>div{padding:.2rem 1rem 1rem}.verb{display:inline-block;width:4.6rem;font-weight:600}"
    ".get{color:#06c}.post{color:#080}.put,.patch{color:#a60}.delete{color:#b00}"
    ".told{color:#666;margin-left:.8rem}table{border-collapse:collapse;width:100%}"
    "td,th{border-top:1px solid #eee;text-align:left;padding:.2rem .6rem .2rem 0;"
    "vertical-align:top}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}"
    "a{color:#6af}details{border-color:#444}td,th{border-color:#333}.get{color:#6af}"
    ".post{color:#6c6}.put,.patch{color:#db6}.delete{color:#f77}.told{color:#999}}";

static void text(struct buf *out, const char *s)
{
    for (; s && *s; s++) {
        if (*s == '<')
            buf_str(out, "&lt;");
        else if (*s == '&')
            buf_str(out, "&amp;");
        else if (*s == '"')
            buf_str(out, "&quot;");
        else
            buf_byte(out, *s);
    }
}

static const char *text_at(const json_t *v, const char *key)
{
    const char *s = json_string_value(json_object_get(v, key));

    return s ? s : "";
}

/* --- types --- */

static void link_to(struct buf *out, const char *ref)
{
    const char *name = strrchr(ref, '/');

    name = name ? name + 1 : ref;
    buf_str(out, "<a href=\"#");
    text(out, name);
    buf_str(out, "\">");
    text(out, name);
    buf_str(out, "</a>");
}

static void type_of(struct buf *out, const json_t *schema);

static bool one_of_many(struct buf *out, const json_t *list, const char *between)
{
    const json_t *v;
    size_t i;

    json_array_foreach ((json_t *)list, i, v) {
        buf_str(out, i ? between : "");
        type_of(out, v);
    }
    return json_array_size(list) > 0;
}

static void type_of(struct buf *out, const json_t *schema)
{
    const char *ref = text_at(schema, "$ref");

    if (*ref) {
        link_to(out, ref);
    } else if (one_of_many(out, json_object_get(schema, "allOf"), " and ") ||
               one_of_many(out, json_object_get(schema, "oneOf"), " or ")) {
        return;
    } else if (json_object_get(schema, "items")) {
        buf_str(out, "list of ");
        type_of(out, json_object_get(schema, "items"));
    } else if (json_object_get(schema, "additionalProperties")) {
        buf_str(out, "names to ");
        type_of(out, json_object_get(schema, "additionalProperties"));
    } else {
        text(out, text_at(schema, "type"));
    }
}

static void choices_of(struct buf *out, const json_t *schema)
{
    const json_t *word;
    size_t i;

    json_array_foreach (json_object_get(schema, "enum"), i, word) {
        buf_str(out, i ? " | " : ": ");
        text(out, json_string_value(word));
    }
}

static void fallback_of(struct buf *out, const json_t *schema)
{
    const json_t *v = json_object_get(schema, "default");
    SCOPED(freep) char *shown = v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    if (!shown)
        return;
    buf_str(out, " <span class=\"told\">default ");
    text(out, shown);
    buf_str(out, "</span>");
}

static void row(struct buf *out, const char *name, bool required, const json_t *schema,
                const char *help)
{
    buf_str(out, "<tr><td><code>");
    text(out, name);
    buf_printf(out, "</code>%s</td><td>", required ? " *" : "");
    type_of(out, schema);
    choices_of(out, schema);
    fallback_of(out, schema);
    buf_str(out, "</td><td>");
    text(out, help);
    buf_str(out, "</td></tr>");
}

/* --- operations --- */

static void parameters(struct buf *out, const json_t *list)
{
    const json_t *p;
    size_t i;

    if (!json_array_size(list))
        return;
    buf_str(out, "<table><tr><th>parameter</th><th></th><th></th></tr>");
    json_array_foreach ((json_t *)list, i, p)
        row(out, text_at(p, "name"), json_is_true(json_object_get(p, "required")),
            json_object_get(p, "schema"), text_at(p, "description"));
    buf_str(out, "</table>");
}

static void content(struct buf *out, const json_t *of)
{
    const char *media;
    const json_t *v;

    json_object_foreach (json_object_get(of, "content"), media, v) {
        buf_str(out, " <code>");
        text(out, media);
        buf_str(out, "</code> ");
        type_of(out, json_object_get(v, "schema"));
    }
}

static void operation(struct buf *out, const char *method, const char *path, const json_t *op)
{
    const char *status;
    const json_t *reply;

    buf_printf(out, "<details><summary><span class=\"verb %s\">%s</span><span class=\"path\">",
               method, method);
    text(out, path);
    buf_str(out, "</span><span class=\"told\">");
    text(out, text_at(op, "summary"));
    buf_str(out, "</span></summary><div>");
    parameters(out, json_object_get(op, "parameters"));
    if (json_object_get(op, "requestBody")) {
        buf_str(out, "<p>Body:");
        content(out, json_object_get(op, "requestBody"));
        buf_str(out, "</p>");
    }
    json_object_foreach (json_object_get(op, "responses"), status, reply) {
        buf_printf(out, "<p>%s %s", status, text_at(reply, "description"));
        content(out, reply);
        buf_str(out, "</p>");
    }
    buf_str(out, "</div></details>");
}

static void operations_of(struct buf *out, const json_t *paths, const char *base, const char *tag)
{
    const char *path, *method;
    const json_t *item, *op;

    json_object_foreach ((json_t *)paths, path, item)
        json_object_foreach ((json_t *)item, method, op) {
            SCOPED(freep) char *whole = xasprintf("%s%s", base, path);

            if (strcmp(json_string_value(json_array_get(json_object_get(op, "tags"), 0)), tag) == 0)
                operation(out, method, whole, op);
        }
}

static void schemas(struct buf *out, const json_t *all)
{
    const char *name, *field;
    const json_t *schema, *f, *word;
    size_t i;

    json_object_foreach ((json_t *)all, name, schema) {
        buf_str(out, "<h3 id=\"");
        text(out, name);
        buf_str(out, "\">");
        text(out, name);
        buf_str(out, "</h3><p>");
        text(out, text_at(schema, "description"));
        buf_str(out, "</p><table>");
        json_object_foreach (json_object_get(schema, "properties"), field, f) {
            bool required = false;

            json_array_foreach (json_object_get(schema, "required"), i, word)
                required = required || strcmp(json_string_value(word), field) == 0;
            row(out, field, required, f, text_at(f, "description"));
        }
        if (!json_object_get(schema, "properties"))
            row(out, "", false, schema, "");
        buf_str(out, "</table>");
    }
}

char *api_page(const json_t *document)
{
    const json_t *info = json_object_get(document, "info"), *tag;
    const char *base = text_at(json_array_get(json_object_get(document, "servers"), 0), "url");
    struct buf out = BUF_INIT;
    size_t i;

    buf_str(&out, "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    text(&out, text_at(info, "title"));
    buf_printf(&out, "</title><style>%s</style></head><body><h1>", style);
    text(&out, text_at(info, "title"));
    buf_str(&out, "</h1><p>");
    text(&out, text_at(info, "description"));
    buf_str(&out, "</p>");
    json_array_foreach (json_object_get(document, "tags"), i, tag) {
        buf_str(&out, "<h2>");
        text(&out, text_at(tag, "name"));
        buf_str(&out, "</h2>");
        operations_of(&out, json_object_get(document, "paths"), base, text_at(tag, "name"));
    }
    buf_str(&out, "<h2>Objects</h2>");
    schemas(&out, json_object_get(json_object_get(document, "components"), "schemas"));
    buf_str(&out, "</body></html>\n");
    return buf_steal(&out);
}
