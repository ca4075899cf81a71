#include "dm/keys.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/suggest.h"

#define FILE_PREFIX "file:"

const char *dm_word(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

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

json_t *dm_get(const json_t *doc, const char *path)
{
    const char *dot = strchr(path, '.');
    SCOPED(freep) char *name = xstrndup(path, dot ? (size_t)(dot - path) : strlen(path));
    json_t *v = json_object_get(doc, name);

    return dot && v ? dm_get(v, dot + 1) : v;
}

/* --- a file --- */

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
        if (k->doc && !k->take)
            dm_put(doc, k->doc, v);
    }
    return 0;
}

/* --- and back --- */

static bool is_second(const struct dm_key *keys, const struct dm_key *key)
{
    for (; keys < key; keys++)
        if (keys->doc && strcmp(keys->doc, key->doc) == 0)
            return true;
    return false;
}

void dm_keys_give(const struct dm_key *keys, const json_t *doc, json_t *file)
{
    for (const struct dm_key *k = keys; k->file; k++) {
        json_t *v = k->doc && (!k->take || k->give) ? dm_get(doc, k->doc) : NULL;
        json_t *given;

        if (!v || json_is_null(v) || is_second(keys, k))
            continue;
        given = k->give ? k->give(v) : json_incref(v);
        if (given)
            json_object_set_new(file, k->file, given);
    }
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
    text = xasprintf(FILE_PREFIX "%s", json_string_value(v));
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

static json_t *give_path(const json_t *v)
{
    const char *text = json_string_value(v);

    return text && strncmp(text, FILE_PREFIX, sizeof FILE_PREFIX - 1) == 0
               ? json_string(text + sizeof FILE_PREFIX - 1)
               : NULL;
}

static const struct dm_key security_keys[] = {
    { "ssl-ca", "ssl_ca_content", take_ca, give_path },
    { "ssl-cert", "ssl_cert_content", take_cert, give_path },
    { "ssl-key", "ssl_key_content", take_key, give_path },
    { "cert-allowed-cn", "cert_allowed_cn" },
    { 0 },
};

int dm_take_security(json_t *doc, const char *at, const json_t *v, struct err *err)
{
    json_t *security = json_object();
    int rc = dm_keys_take(security_keys, v, "", security, err);

    if (rc == 0)
        dm_put(doc, at, security);
    json_decref(security);
    return rc;
}

json_t *dm_give_security(const json_t *security)
{
    json_t *v = json_object();

    dm_keys_give(security_keys, security, v);
    if (json_object_size(v))
        return v;
    json_decref(v);
    return NULL;
}
