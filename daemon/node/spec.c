#include "node/spec.h"

#include <errno.h>
#include <string.h>

#include "base/scope.h"
#include "node/node.h"
#include "node/private.h"
#include "node/suggest.h"

static json_t *field(const struct node *n, const struct attr *a, bool with_secrets)
{
    struct err err = ERR_INIT; /* what cannot be had is left out */
    SCOPED(json_decrefp) json_t *secret = NULL;

    if (a->get)
        return a->get(n, a, &err);
    secret = a->secret ? a->secret(n, a) : NULL;
    if (!secret || with_secrets)
        return STEAL(secret);
    return json_string("******");
}

json_t *spec_of(const struct node *n, bool with_secrets)
{
    json_t *doc = json_object();

    node_lock(n);
    for (const struct attr *a = n->type->attrs; a && a->name; a++) {
        json_t *v = a->flags & ATTR_STORED ? field(n, a, with_secrets) : NULL;

        if (v && !json_is_null(v))
            json_object_set(doc, a->name, v);
        json_decref(v);
    }
    node_unlock(n);
    return doc;
}

static int check_name(const struct node *n, const json_t *v, struct err *err)
{
    SCOPED(freep) char *shown = json_is_string(v) ? node_name_shown(json_string_value(v)) : NULL;

    if (shown && strcmp(shown, n->name) == 0)
        return 0;
    return err_set(err, -EINVAL, "name: it is %s and stays so", n->name);
}

static int check_field(const struct node *n, const char *key, const json_t *v, struct err *err)
{
    const struct attr *a = type_attr(n->type, key);
    struct suggestion s = suggest_for(key);

    if (a && a->flags & ATTR_STORED)
        return value_check(a, v, err);
    if (strcmp(key, "name") == 0)
        return check_name(n, v, err);
    for (a = n->type->attrs; a && a->name; a++)
        if (a->flags & ATTR_STORED)
            suggest_offer(&s, a->name);
    return err_set(err, -EINVAL, "there is no setting %s%s", key, SUGGESTED(&s));
}

int spec_apply(struct node *n, const json_t *doc, struct err *err)
{
    const char *key;
    json_t *v;
    int rc = 0;

    if (!json_is_object(doc))
        return err_set(err, -EINVAL, "a document with named fields is expected");
    json_object_foreach ((json_t *)doc, key, v) {
        rc = check_field(n, key, v, err);
        if (rc < 0)
            return rc;
    }
    for (const struct attr *a = n->type->attrs; rc == 0 && a && a->name; a++) {
        v = a->flags & ATTR_STORED ? json_object_get(doc, a->name) : NULL;
        if (v && !(attr_is_secret(a) && json_is_string(v) &&
                   strcmp(json_string_value(v), "******") == 0))
            rc = a->set(n, a, v, err);
    }
    return rc;
}
