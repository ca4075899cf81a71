#include "unit/doc.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/suggest.h"

static const struct doc_field *find_field(const struct doc_field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

json_t *doc_fallback(const struct doc_field *f)
{
    json_t *v = f->fallback ? json_loads(f->fallback, JSON_DECODE_ANY, NULL) : NULL;

    assert(v || !f->fallback);
    return v;
}

/* --- checking --- */

static int check_choice(const struct doc_field *f, const char *text, const char *path,
                        struct err *err)
{
    struct suggestion s = suggest_for(text);
    char all[256] = "";
    size_t at = 0;

    for (const char *const *c = f->choices; *c; c++) {
        if (strcmp(*c, text) == 0)
            return 0;
        suggest_offer(&s, *c);
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", c == f->choices ? "" : ", ", *c);
        assert(at < sizeof all);
    }
    return err_set(err, -EINVAL, "%s: '%s' is none of %s%s", path, text, all, SUGGESTED(&s));
}

static int check_text(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                      struct err *err)
{
    size_t len;

    if (json_is_integer(v)) { /* YAML: password: 1234 */
        SCOPED(freep) char *text = xasprintf("%lld", (long long)json_integer_value(v));

        *ret = json_string(text);
        return 0;
    }
    if (!json_is_string(v))
        return err_set(err, -EINVAL, "%s: must be text; put it in quotes", path);
    len = json_string_length(v);
    if (strlen(json_string_value(v)) != len)
        return err_set(err, -EINVAL, "%s: has a zero byte in it", path);
    if ((int64_t)len < f->min)
        return err_set(err, -EINVAL, "%s: must not be empty", path);
    if (f->max && (int64_t)len > f->max)
        return err_set(err, -EINVAL, "%s: has %zu bytes, the most are %lld", path, len,
                       (long long)f->max);
    *ret = json_string(json_string_value(v));
    return 0;
}

static int check_count(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                       struct err *err)
{
    json_int_t n = json_integer_value(v);

    if (!json_is_integer(v))
        return err_set(err, -EINVAL, "%s: must be a whole number", path);
    if (n < f->min && !f->max)
        return err_set(err, -EINVAL, "%s: %lld is less than %lld", path, (long long)n,
                       (long long)f->min);
    if (n < f->min || (f->max && n > f->max))
        return err_set(err, -EINVAL, "%s: %lld is not between %lld and %lld", path, (long long)n,
                       (long long)f->min, (long long)f->max);
    *ret = json_integer(n);
    return 0;
}

/* One field's value, at 'path' in the message. */
static int check_value(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                       struct err *err);

static int check_list(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                      struct err *err)
{
    SCOPED(json_decrefp) json_t *list = json_array();
    const json_t *element;
    size_t i;

    if (!json_is_array(v))
        return err_set(err, -EINVAL, "%s: must be a list", path);
    json_array_foreach (v, i, element) {
        SCOPED(freep) char *at = xasprintf("%s[%zu]", path, i);
        json_t *checked;
        int rc = check_value(f->fields, element, at, &checked, err);

        if (rc < 0)
            return rc;
        json_array_append_new(list, checked);
    }
    *ret = STEAL(list);
    return 0;
}

static int check_map(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                     struct err *err)
{
    SCOPED(json_decrefp) json_t *map = json_object();
    const char *key;
    json_t *element;

    if (!json_is_object(v))
        return err_set(err, -EINVAL, "%s: must be names with values", path);
    json_object_foreach ((json_t *)v, key, element) {
        SCOPED(freep) char *at = xasprintf("%s.%s", path, key);
        json_t *checked;
        int rc = check_value(f->fields, element, at, &checked, err);

        if (rc < 0)
            return rc;
        json_object_set_new(map, key, checked);
    }
    *ret = STEAL(map);
    return 0;
}

static int unknown_field(const struct doc_field *fields, const char *path, const char *key,
                         struct err *err)
{
    struct suggestion s = suggest_for(key);

    for (; fields->name; fields++)
        suggest_offer(&s, fields->name);
    return err_set(err, -EINVAL, "%s%s%s: no such field%s", path, *path ? "." : "", key,
                   SUGGESTED(&s));
}

/* What the field at hand is called by who has numbers for errors. */
static int refused(const struct doc_field *f, struct err *err)
{
    return err_because(err, f->reason);
}

static int check_required(const struct doc_field *fields, const json_t *doc, const char *path,
                          struct err *err)
{
    for (; fields->name; fields++)
        if ((fields->flags & DOC_REQUIRED) && !json_object_get(doc, fields->name)) {
            err_set(err, -EINVAL, "%s: %s is missing", path, fields->name);
            return refused(fields, err);
        }
    return 0;
}

static int check_object(const struct doc_field *fields, const json_t *v, const char *path,
                        json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *object = json_object();
    const char *key;
    json_t *element;
    int rc;

    if (!json_is_object(v))
        return err_set(err, -EINVAL, "%s: must be fields with values", *path ? path : "document");
    json_object_foreach ((json_t *)v, key, element) {
        const struct doc_field *f = find_field(fields, key);
        SCOPED(freep) char *at = xasprintf("%s%s%s", path, *path ? "." : "", key);
        json_t *checked;

        if (!f)
            return unknown_field(fields, path, key, err);
        if (json_is_null(element) || (f->flags & DOC_READ_ONLY))
            continue;
        if ((rc = check_value(f, element, at, &checked, err)) < 0)
            return rc;
        json_object_set_new(object, key, checked);
    }
    if ((rc = check_required(fields, object, path, err)) < 0)
        return rc;
    *ret = STEAL(object);
    return 0;
}

static int check_type(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                      struct err *err)
{
    int rc;

    switch (f->type) {
    case DOC_BOOL:
        if (!json_is_boolean(v))
            return err_set(err, -EINVAL, "%s: must be true or false", path);
        *ret = json_boolean(json_is_true(v));
        return 0;
    case DOC_COUNT:
        return check_count(f, v, path, ret, err);
    case DOC_TEXT:
        return check_text(f, v, path, ret, err);
    case DOC_ENUM:
        if ((rc = check_text(f, v, path, ret, err)) < 0)
            return rc;
        if ((rc = check_choice(f, json_string_value(*ret), path, err)) < 0)
            json_decref(*ret);
        return rc;
    case DOC_OBJECT:
        return check_object(f->fields, v, path, ret, err);
    case DOC_LIST:
        return check_list(f, v, path, ret, err);
    case DOC_MAP:
        return check_map(f, v, path, ret, err);
    }
    return err_set(err, -EINVAL, "%s: has no type", path);
}

/* Nothing, as far as a refused or ignored field goes: its default, or empty. */
static bool is_default(const struct doc_field *f, const json_t *v)
{
    SCOPED(json_decrefp) json_t *fallback = doc_fallback(f);
    SCOPED(json_decrefp)
    json_t *inert = f->inert ? json_loads(f->inert, JSON_DECODE_ANY, NULL) : NULL;

    if ((fallback && json_equal(fallback, v)) || (inert && json_equal(inert, v)))
        return true;
    return (json_is_string(v) && json_string_length(v) == 0) || json_is_false(v) ||
           (json_is_array(v) && json_array_size(v) == 0) ||
           (json_is_object(v) && json_object_size(v) == 0);
}

static int check_value(const struct doc_field *f, const json_t *v, const char *path, json_t **ret,
                       struct err *err)
{
    SCOPED(json_decrefp) json_t *checked = NULL;
    int rc = check_type(f, v, path, &checked, err);

    if (rc < 0) {
        checked = NULL;
        return refused(f, err);
    }
    if (f->refused && !is_default(f, checked)) {
        err_set(err, -EINVAL, "%s: %s", path, f->refused);
        return refused(f, err);
    }
    *ret = STEAL(checked);
    return 0;
}

int doc_check(const struct doc_field *fields, const json_t *doc, json_t **ret, struct err *err)
{
    return check_object(fields, doc, "", ret, err);
}

/* --- showing --- */

static json_t *full_value(const struct doc_field *f, const json_t *v);

json_t *doc_full(const struct doc_field *fields, const json_t *doc)
{
    json_t *full = json_object();

    for (; fields->name; fields++) {
        json_t *v = full_value(fields, json_object_get(doc, fields->name));

        if (v)
            json_object_set_new(full, fields->name, v);
    }
    return full;
}

static json_t *full_value(const struct doc_field *f, const json_t *v)
{
    const json_t *element;
    json_t *list;
    size_t i;

    if (f->type == DOC_OBJECT) {
        json_t *object = doc_full(f->fields, v);

        if (v || json_object_size(object))
            return object;
        json_decref(object);
        return NULL;
    }
    if (f->type != DOC_LIST || !v)
        return v ? json_deep_copy(v) : doc_fallback(f);
    list = json_array();
    json_array_foreach (v, i, element)
        json_array_append_new(list, full_value(f->fields, element));
    return list;
}

json_t *doc_masked(const struct doc_field *fields, const json_t *doc)
{
    json_t *masked = json_deep_copy(doc);

    for (; fields->name; fields++) {
        json_t *v = json_object_get(masked, fields->name);

        if (v && fields->type == DOC_OBJECT)
            json_object_set_new(masked, fields->name, doc_masked(fields->fields, v));
        else if (v && (fields->flags & DOC_SECRET) && json_string_length(v))
            json_object_set_new(masked, fields->name, json_string(DOC_MASK));
    }
    return masked;
}

static bool is_mask(const json_t *v)
{
    return !v || (json_is_string(v) && strcmp(json_string_value(v), DOC_MASK) == 0);
}

static void keep_secret(json_t *doc, const char *name, const json_t *old)
{
    json_t *kept = json_object_get(old, name);

    if (!is_mask(json_object_get(doc, name)))
        return;
    if (kept)
        json_object_set(doc, name, kept);
    else
        json_object_del(doc, name);
}

void doc_keep_secrets(const struct doc_field *fields, json_t *doc, const json_t *old)
{
    for (; fields->name; fields++) {
        if (fields->type == DOC_OBJECT && json_object_get(doc, fields->name))
            doc_keep_secrets(fields->fields, json_object_get(doc, fields->name),
                             json_object_get(old, fields->name));
        else if (fields->flags & DOC_SECRET)
            keep_secret(doc, fields->name, old);
    }
}

static void add_ignored(const struct doc_field *fields, const json_t *doc, const char *path,
                        json_t *ret)
{
    for (; fields->name; fields++) {
        const json_t *v = json_object_get(doc, fields->name);
        SCOPED(freep) char *at = xasprintf("%s%s%s", path, *path ? "." : "", fields->name);

        if (v && fields->ignored && !is_default(fields, v))
            json_object_set_new(ret, at, json_string(fields->ignored));
        if (v && fields->type == DOC_OBJECT)
            add_ignored(fields->fields, v, at, ret);
    }
}

json_t *doc_ignored(const struct doc_field *fields, const json_t *doc)
{
    json_t *ret = json_object();

    add_ignored(fields, doc, "", ret);
    return ret;
}

/* --- paths --- */

/* The part of 'path' up to a dot, in 'part'; returns what follows, NULL at the end. */
static const char *next_part(const char *path, char part[static 64])
{
    size_t len = strcspn(path, ".");

    assert(len < 64);
    memcpy(part, path, len);
    part[len] = '\0';
    return path[len] ? path + len + 1 : NULL;
}

const json_t *doc_at(const json_t *doc, const char *path)
{
    char part[64];

    while (doc && path) {
        path = next_part(path, part);
        doc = json_object_get(doc, part);
    }
    return doc;
}

json_t *doc_with(const json_t *doc, const char *path, const json_t *v)
{
    json_t *copy = doc ? json_deep_copy(doc) : json_object();
    json_t *at = copy;
    char part[64];

    while ((path = next_part(path, part))) {
        json_t *inner = json_object_get(at, part);

        if (!inner) {
            inner = json_object();
            json_object_set_new(at, part, inner);
        }
        at = inner;
    }
    if (v)
        json_object_set_new(at, part, json_deep_copy(v));
    else
        json_object_del(at, part);
    return copy;
}
