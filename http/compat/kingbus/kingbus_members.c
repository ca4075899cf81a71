/* kingbus_members.c - the cluster and its members. */
#include <errno.h>
#include <stdlib.h>

#include "base/scope.h"
#include "http/compat/kingbus/kingbus.h"

/* An id is text in the tree: hexadecimal. */
static json_t *number_of_hex(const json_t *v, const json_t *attrs)
{
    const char *text = json_string_value(v);

    (void)attrs;
    return json_integer(text ? (json_int_t)strtoull(text, NULL, 16) : 0);
}

static json_t *list_of_text(const json_t *v, const json_t *attrs)
{
    const char *text = json_string_value(v);

    (void)attrs;
    return text && *text ? json_pack("[s]", text) : json_array();
}

static const struct field cluster_fields[] = {
    { "Id", "id", JSON_STRING },
    { "peerURLs", "peer_url", JSON_ARRAY, list_of_text },
    { "adminURLs", "admin_url", JSON_ARRAY, list_of_text },
    { "isLeader", "is_leader", JSON_FALSE },
    { 0 },
};

static const struct field members_fields[] = {
    { "Id", "id", JSON_INTEGER, number_of_hex },
    { "peerURLs", "peer_url", JSON_ARRAY, list_of_text },
    { "adminURLs", "admin_url", JSON_ARRAY, list_of_text },
    { 0 },
};

const struct shape kingbus_cluster_shape = { "cluster/members/{member}", cluster_fields };
const struct shape kingbus_members_shape = { "cluster/members/{member}", members_fields };

static int reply_members(struct call *c, const struct shape *shape, struct err *err)
{
    SCOPED(json_decrefp)
    json_t *names = call_children(c, KINGBUS_MEMBERS, err), *all = json_array();
    size_t i;
    json_t *name;

    if (!names)
        return err->code;
    json_array_foreach (names, i, name) {
        call_set_param(c, "member", json_string_value(name));
        SCOPED(json_decrefp) json_t *attrs = call_read(c, KINGBUS_MEMBER, err);
        json_t *v;

        if (!attrs)
            return err->code;
        v = shape_of(shape, attrs);
        json_object_set(v, "name", name);
        if (!json_array_size(json_object_get(v, "adminURLs")))
            json_object_del(v, "adminURLs"); /* not published yet */
        json_array_append_new(all, v);
    }
    return kingbus_reply(c, json_incref(all));
}

int kingbus_get_cluster(struct call *c, struct err *err)
{
    return reply_members(c, &kingbus_cluster_shape, err);
}

int kingbus_get_members(struct call *c, struct err *err)
{
    return reply_members(c, &kingbus_members_shape, err);
}

static unsigned status_of_change(int code)
{
    return code == -EEXIST ? 409 : code == -ENOENT ? 404 : code == -EACCES ? 403 : 500;
}

/* Why the member that the body names was not changed. */
static int refused(struct call *c, const json_t *body, int rc, const char *none, struct err *err)
{
    if (rc == -ENOENT)
        return kingbus_fail(c, 404, err, "%s: %s", none, kingbus_text(body, "name"));
    return kingbus_fail(c, status_of_change(rc), err, "%s", err->text);
}

/* Means the member that the body names from here on; false: it names none. */
static bool name_member(struct call *c, const json_t *body)
{
    call_set_param(c, "member", kingbus_text(body, "name"));
    return *kingbus_text(body, "name");
}

static const struct field add_fields[] = {
    { "name", NULL, JSON_STRING },
    { "peer_url", NULL, JSON_STRING },
    { "admin_url", NULL, JSON_STRING },
    { 0 },
};

int kingbus_add_member(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = kingbus_body(c, add_fields, err), *spec = NULL;
    int rc;

    if (!body)
        return err->code;
    if (!*kingbus_text(body, "name") || !*kingbus_text(body, "peer_url"))
        return kingbus_fail(c, 500, err, "args illegal");
    call_set_param(c, "member", kingbus_text(body, "name"));
    spec = json_pack("{s:s,s:s}", "peer_url", kingbus_text(body, "peer_url"), "admin_url",
                     kingbus_text(body, "admin_url"));
    rc = call_create(c, KINGBUS_MEMBER, spec, err);
    if (rc < 0)
        return kingbus_fail(c, status_of_change(rc), err, "%s", err->text);
    return kingbus_get_members(c, err);
}

static const struct field remove_fields[] = {
    { "name", NULL, JSON_STRING },
    { "peer_url", NULL, JSON_STRING },
    { 0 },
};

int kingbus_remove_member(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = kingbus_body(c, remove_fields, err);
    int rc;

    if (!body)
        return err->code;
    rc = name_member(c, body) ? call_remove(c, KINGBUS_MEMBER, err) : -ENOENT;
    return rc < 0 ? refused(c, body, rc, "No such member", err) : kingbus_get_members(c, err);
}

static const struct field update_fields[] = {
    { "name", NULL, JSON_STRING },
    { "new_peer_url", NULL, JSON_STRING },
    { 0 },
};

int kingbus_update_member(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = kingbus_body(c, update_fields, err);
    int rc;

    if (!body)
        return err->code;
    rc = name_member(c, body)
             ? call_write(c, KINGBUS_MEMBER_PEER_URL, json_object_get(body, "new_peer_url"), err)
             : -ENOENT;
    return rc < 0 ? refused(c, body, rc, "no such member", err) : kingbus_get_members(c, err);
}

static const struct field admin_url_fields[] = {
    { "name", NULL, JSON_STRING },
    { "admin_urls", NULL, JSON_ARRAY },
    { 0 },
};

/* What members of kingbus tell their leader of themselves. */
int kingbus_set_admin_url(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = kingbus_body(c, admin_url_fields, err);
    const json_t *url = json_array_get(json_object_get(body, "admin_urls"), 0);
    int rc;

    if (!body)
        return err->code;
    if (!json_is_string(url))
        return kingbus_fail(c, 500, err, "args illegal");
    rc = name_member(c, body) ? call_write(c, KINGBUS_MEMBER_ADMIN_URL, url, err) : -ENOENT;
    return rc < 0 ? refused(c, body, rc, "no such member", err) : kingbus_reply(c, json_string(""));
}
