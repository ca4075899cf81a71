#include "store/catalog.h"

#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"
#include "store/secret.h"
#include "store/store.h"

/* Members of documents that are sealed on disk, wherever they stand in one. */
static const char *const secrets[] = { "password", "ssl_key_content", "tls_key", NULL };

struct catalog {
    struct store *store;
    const struct secret_key *key;
};

struct catalog *catalog_new(struct store *s, const struct secret_key *key)
{
    struct catalog *c = xcalloc(1, sizeof *c);

    *c = (struct catalog){ .store = s, .key = key };
    return c;
}

void catalog_free(struct catalog *c)
{
    free(c);
}

int catalog_put(struct catalog *c, const char *path, const json_t *doc, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    json_t *sealed = secret_seal_json(c->key, doc, secrets, path);
    SCOPED(freep) char *text = json_dumps(sealed, JSON_COMPACT);

    json_decref(sealed);
    if (!text)
        return err_set(err, -EINVAL, "the document of %s is not text in UTF-8", path);
    key_document(&key, path);
    return store_put(c->store, STORE_META, key_slice(&key), slice_str(text), true, err);
}

static json_t *parse(struct catalog *c, const char *path, struct slice text, struct err *err)
{
    json_t *sealed = json_loadb((const char *)text.data, text.size, 0, NULL), *doc;

    if (!sealed) {
        err_set(err, -EBADMSG, "the kept document of %s is damaged", path);
        return NULL;
    }
    doc = secret_open_json(c->key, sealed, secrets, path, err);
    json_decref(sealed);
    return doc;
}

int catalog_get(struct catalog *c, const char *path, json_t **ret, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf value = BUF_INIT;
    json_t *doc;
    int rc;

    key_document(&key, path);
    rc = store_get(c->store, STORE_META, key_slice(&key), &value, err);
    if (rc == -ENOENT)
        return err_set(err, rc, "no document of %s is kept", path);
    if (rc < 0)
        return rc;
    doc = parse(c, path, key_slice(&value), err);
    if (!doc)
        return err->code;
    *ret = doc;
    return 0;
}

int catalog_delete(struct catalog *c, const char *path, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    key_document(&key, path);
    return store_delete(c->store, STORE_META, key_slice(&key), true, err);
}

int catalog_each(struct catalog *c, const char *dir,
                 int (*visit)(void *arg, const char *name, const json_t *doc,
                              const struct err *why),
                 void *arg, struct err *err)
{
    SCOPED(freep) char *below = xasprintf("%s/", dir);
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value, path;
    int rc;

    key_document(&prefix, below);
    it = store_iter_new(c->store, STORE_META, key_slice(&prefix));
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        struct err why = ERR_INIT;
        SCOPED(freep) char *full = NULL;
        const char *name;
        json_t *doc;

        if (!key_document_parse(key, &path))
            continue;
        full = xstrndup((const char *)path.data, path.size);
        name = full + strlen(below);
        if (strchr(name, '/'))
            continue;
        doc = parse(c, full, value, &why);
        rc = visit(arg, name, doc, &why);
        json_decref(doc);
        if (rc != 0)
            return rc;
    }
    return rc;
}
