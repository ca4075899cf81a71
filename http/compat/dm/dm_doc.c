/* dm_doc.c - the API told: as an OpenAPI document and as a page. */
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/facade.h"

static const struct api_info info = {
    .title = "DM OpenAPI",
    .version = "1.0.0",
    .help =
        "Sources, tasks and relay in the words of DM's OpenAPI. The same and more is under /v1, "
        "and as files.",
    .base = "/api/v1",
    .error = &dm_error_schema,
};

int dm_get_document(struct call *c, struct err *err)
{
    (void)err;
    return dm_json(c, api_document(&dm_facade, &info));
}

int dm_get_docs(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *document = api_document(&dm_facade, &info);
    SCOPED(freep) char *page = api_page(document);

    (void)err;
    c->r->type = "text/html; charset=utf-8";
    buf_str(&c->r->body, page);
    return 0;
}
