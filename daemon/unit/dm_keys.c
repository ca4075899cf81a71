#include "unit/dm_keys.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/suggest.h"

void dm_put(json_t *doc, const char *path, const json_t *v)
{
    const char *dot = strchr(path, '.');
    SCOPED(freep) char *name = xstrndup(path, dot ? (size_t)(dot - path) : strlen(path));
    json_t *inner;

    if (!dot) {
        json_object_set(doc, name, (json_t *)v);
        return;
    }
    inner = json_object_get(doc, name);
    if (!json_is_object(inner)) {
        inner = json_object();
        json_object_set_new(doc, name, inner);
    }
    dm_put(inner, dot + 1, v);
}

static int unknown(const struct dm_key *keys, const char *where, const char *key, struct err *err)
{
    struct suggestion s = suggest_for(key);

    for (; keys->file; keys++)
        suggest_offer(&s, keys->file);
    return err_set(err, -EINVAL, "%s%s%s: no such key in a file of DM%s", where, *where ? "." : "",
                   key, SUGGESTED(&s));
}

int dm_keys_take(const struct dm_key *keys, const json_t *from, const char *where, json_t *doc,
                 struct err *err)
{
    const char *name;
    json_t *v;

    if (!json_is_object(from))
        return err_set(err, -EINVAL, "%s: a mapping of keys is expected", where);
    json_object_foreach ((json_t *)from, name, v) {
        const struct dm_key *k = keys;

        while (k->file && strcmp(k->file, name) != 0)
            k++;
        if (!k->file)
            return unknown(keys, where, name, err);
        if (json_is_null(v))
            continue;
        if (k->take && k->take(doc, v, err) < 0)
            return err_wrap(err, "%s%s%s", where, *where ? "." : "", name);
        if (k->doc)
            dm_put(doc, k->doc, v);
    }
    return 0;
}

/* --- certificates --- */

static int file_of(json_t *doc, const char *to, const json_t *v, struct err *err)
{
    SCOPED(freep) char *text = NULL;
    json_t *file;

    if (!json_is_string(v))
        return err_set(err, -EINVAL, "the path of a file is expected");
    if (!json_string_length(v))
        return 0;
    text = xasprintf("file:%s", json_string_value(v));
    file = json_string(text);
    dm_put(doc, to, file);
    json_decref(file);
    return 0;
}

static int take_ca(json_t *doc, const json_t *v, struct err *err)
{
    return file_of(doc, "ssl_ca_content", v, err);
}

static int take_cert(json_t *doc, const json_t *v, struct err *err)
{
    return file_of(doc, "ssl_cert_content", v, err);
}

static int take_key(json_t *doc, const json_t *v, struct err *err)
{
    return file_of(doc, "ssl_key_content", v, err);
}

static const struct dm_key security_keys[] = { { .file = "ssl-ca", .take = take_ca },
                                               { .file = "ssl-cert", .take = take_cert },
                                               { .file = "ssl-key", .take = take_key },
                                               { "cert-allowed-cn", "cert_allowed_cn", NULL },
                                               { 0 } };

int dm_take_security(json_t *doc, const char *at, const json_t *v, struct err *err)
{
    json_t *security = json_object();
    int rc = dm_keys_take(security_keys, v, "", security, err);

    if (rc == 0)
        dm_put(doc, at, security);
    json_decref(security);
    return rc;
}
