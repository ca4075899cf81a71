#include "unit/verify/verify_place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/catalog.h"

void verify_places_init(struct verify_places *p, struct catalog *catalog, const char *task)
{
    *p =
        (struct verify_places){ .catalog = catalog, .path = xasprintf("validator_place/%s", task) };
}

static void forget(struct verify_places *p)
{
    for (unsigned i = 0; i < p->n; i++)
        free(p->all[i].source);
    free(p->all);
    p->all = NULL;
    p->n = 0;
}

void verify_places_fini(struct verify_places *p)
{
    forget(p);
    free(p->path);
}

static struct verify_place *find(const struct verify_places *p, const char *source)
{
    for (unsigned i = 0; i < p->n; i++)
        if (strcmp(p->all[i].source, source) == 0)
            return &p->all[i];
    return NULL;
}

const struct verify_place *verify_places_find(const struct verify_places *p, const char *source)
{
    return find(p, source);
}

void verify_places_set(struct verify_places *p, const char *source, const char *server,
                       const struct position *at)
{
    struct verify_place *to = find(p, source);

    if (!at->file[0])
        return;
    if (!to) {
        p->all = xrealloc(p->all, (p->n + 1) * sizeof *p->all);
        to = &p->all[p->n++];
        *to = (struct verify_place){ .source = xstrdup(source) };
    }
    snprintf(to->server, sizeof to->server, "%s", server);
    memcpy(to->file, at->file, sizeof to->file);
    to->offset = at->offset;
}

json_t *verify_places_json(const struct verify_places *p)
{
    json_t *all = json_object();

    for (unsigned i = 0; i < p->n; i++)
        json_object_set_new(
            all, p->all[i].source,
            json_sprintf("%s:%llu", p->all[i].file, (unsigned long long)p->all[i].offset));
    return all;
}

/* --- kept --- */

void verify_places_load(struct verify_places *p)
{
    struct err ignored = ERR_INIT; /* there are none */
    const char *source;
    json_t *doc = NULL, *one;

    forget(p);
    if (catalog_get(p->catalog, p->path, &doc, &ignored) < 0)
        return;
    json_object_foreach (doc, source, one) {
        struct position at = { .offset =
                                   (uint64_t)json_integer_value(json_object_get(one, "offset")) };
        const char *file = json_string_value(json_object_get(one, "file"));
        const char *server = json_string_value(json_object_get(one, "server"));

        snprintf(at.file, sizeof at.file, "%s", file ? file : "");
        verify_places_set(p, source, server ? server : "", &at);
    }
    json_decref(doc);
}

int verify_places_save(const struct verify_places *p, struct err *err)
{
    json_t *doc = json_object();
    int rc;

    for (unsigned i = 0; i < p->n; i++) {
        const struct verify_place *k = &p->all[i];

        json_object_set_new(doc, k->source,
                            json_pack("{s:s, s:s, s:I}", "server", k->server, "file", k->file,
                                      "offset", (json_int_t)k->offset));
    }
    rc = catalog_put(p->catalog, p->path, doc, err);
    json_decref(doc);
    return rc;
}

void verify_places_clear(struct verify_places *p)
{
    struct err ignored = ERR_INIT; /* none was kept */

    forget(p);
    (void)catalog_delete(p->catalog, p->path, &ignored);
}
