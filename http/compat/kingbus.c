/*
 * kingbus.c - kingbus's admin API (9595): members, syncer, server.
 *
 * kingbus has one syncer and one server; ours are the source and the server called as the listener
 * says (facades: kingbus/NAME=ADDRESS), which is "kingbus" where nothing is said.  Its cluster is
 * this daemon.
 *
 * Source: "Kingbus Admin Command"; api/ of flike/kingbus.  What we do otherwise: passwords are
 * masked, the ids of the syncer are filled in, a wrong body is a 400, and a refusal says why;
 * last_error, since and what a replica has are keys of ours.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/facade.h"
#include "http/compat/kingbus_metrics.h"
#include "http/compat/state.h"
#include "http/status.h"

enum {
    SOURCE,
    SOURCE_CONFIG,
    RELAY,
    RELAY_START,
    RELAY_STOP,
    RELAY_PAUSE,
    RELAY_HISTOGRAMS,
    SERVER,
    SERVER_CONFIG,
    SERVER_START,
    SERVER_STOP,
    REPLICAS,
    REPLICA,
    MEMBERS,
    MEMBER,
    MEMBER_PEER_URL,
    MEMBER_ADMIN_URL,
};

static const struct use uses[] = {
    [SOURCE] = { "sources/{unit}", NULL },
    [SOURCE_CONFIG] = { "sources/{unit}", "config" },
    [RELAY] = { "sources/{unit}/relay", NULL },
    [RELAY_START] = { "sources/{unit}/relay", "start" },
    [RELAY_STOP] = { "sources/{unit}/relay", "stop" },
    [RELAY_PAUSE] = { "sources/{unit}/relay", "pause" },
    [RELAY_HISTOGRAMS] = { "sources/{unit}/relay", "histograms" },
    [SERVER] = { "servers/{unit}", NULL },
    [SERVER_CONFIG] = { "servers/{unit}", "config" },
    [SERVER_START] = { "servers/{unit}", "start" },
    [SERVER_STOP] = { "servers/{unit}", "stop" },
    [REPLICAS] = { "servers/{unit}/replicas", NULL },
    [REPLICA] = { "servers/{unit}/replicas/{replica}", NULL },
    [MEMBERS] = { "cluster/members", NULL },
    [MEMBER] = { "cluster/members/{member}", NULL },
    [MEMBER_PEER_URL] = { "cluster/members/{member}", "peer_url" },
    [MEMBER_ADMIN_URL] = { "cluster/members/{member}", "admin_url" },
    { 0 },
};

/* --- replies --- */

/* Takes 'data'. */
static int reply(struct call *c, json_t *data)
{
    return call_json(c, json_pack("{s:s,s:o}", "message", "success", "data", data), JSON_COMPACT);
}

static void refuse(struct call *c, const struct err *err)
{
    const char *text = err->text;

    if (!c->route) {
        c->r->status = status_of_errno(err->code);
        text = c->r->status == 404   ? "Not Found"
               : c->r->status == 405 ? "Method Not Allowed"
                                     : text;
    } else if (c->r->status < 400) {
        c->r->status = route_status(err->code);
    }
    json_t *v = json_pack("{s:s}", "message", text);

    call_json(c, v ? v : json_pack("{s:s}", "message", "the request is not UTF-8"), JSON_COMPACT);
}

/* An error with a status of its own. */
static int __attribute__((format(printf, 4, 5)))
fail(struct call *c, unsigned status, struct err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->r->status = status;
    return err_set(err, -EINVAL, "%s", text);
}

/* The body with these fields; the caller frees. */
static json_t *body_of(struct call *c, const struct field *fields, struct err *err)
{
    json_t *body = call_body(c, err);

    if (body && call_check_body(body, fields, err) == 0)
        return body;
    json_decref(body);
    c->r->status = 400;
    return NULL;
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static bool is_state(const json_t *attrs, const char *state)
{
    return strcmp(text_at(attrs, "state"), state) == 0;
}

/* Is it at work, or will be without being told? */
static bool is_started(const json_t *attrs)
{
    return is_state(attrs, "running") ||
           (is_state(attrs, "error") &&
            json_number_value(json_object_get(attrs, "next_retry_seconds")) > 0);
}

/* --- members --- */

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

static const struct shape cluster_shape = { "cluster/members/{member}", cluster_fields };
static const struct shape members_shape = { "cluster/members/{member}", members_fields };

static int reply_members(struct call *c, const struct shape *shape, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = call_children(c, MEMBERS, err), *all = json_array();
    size_t i;
    json_t *name;

    if (!names)
        return err->code;
    json_array_foreach (names, i, name) {
        call_set_param(c, "member", json_string_value(name));
        SCOPED(json_decrefp) json_t *attrs = call_read(c, MEMBER, err);
        json_t *v;

        if (!attrs)
            return err->code;
        v = shape_of(shape, attrs);
        json_object_set(v, "name", name);
        if (!json_array_size(json_object_get(v, "adminURLs")))
            json_object_del(v, "adminURLs"); /* not published yet */
        json_array_append_new(all, v);
    }
    return reply(c, json_incref(all));
}

static int get_cluster(struct call *c, struct err *err)
{
    return reply_members(c, &cluster_shape, err);
}

static int get_members(struct call *c, struct err *err)
{
    return reply_members(c, &members_shape, err);
}

static unsigned status_of_change(int code)
{
    return code == -EEXIST ? 409 : code == -ENOENT ? 404 : code == -EACCES ? 403 : 500;
}

static const struct field add_fields[] = {
    { "name", NULL, JSON_STRING },
    { "peer_url", NULL, JSON_STRING },
    { "admin_url", NULL, JSON_STRING },
    { 0 },
};

static int add_member(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, add_fields, err), *spec = NULL;
    int rc;

    if (!body)
        return err->code;
    if (!*text_at(body, "name") || !*text_at(body, "peer_url"))
        return fail(c, 500, err, "args illegal");
    call_set_param(c, "member", text_at(body, "name"));
    spec = json_pack("{s:s,s:s}", "peer_url", text_at(body, "peer_url"), "admin_url",
                     text_at(body, "admin_url"));
    rc = call_create(c, MEMBER, spec, err);
    if (rc < 0)
        return fail(c, status_of_change(rc), err, "%s", err->text);
    return get_members(c, err);
}

static const struct field remove_fields[] = {
    { "name", NULL, JSON_STRING },
    { "peer_url", NULL, JSON_STRING },
    { 0 },
};

static int remove_member(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, remove_fields, err);
    int rc;

    if (!body)
        return err->code;
    call_set_param(c, "member", text_at(body, "name"));
    rc = *text_at(body, "name") ? call_remove(c, MEMBER, err) : -ENOENT;
    if (rc == -ENOENT)
        return fail(c, 404, err, "No such member: %s", text_at(body, "name"));
    return rc < 0 ? fail(c, status_of_change(rc), err, "%s", err->text) : get_members(c, err);
}

static const struct field update_fields[] = {
    { "name", NULL, JSON_STRING },
    { "new_peer_url", NULL, JSON_STRING },
    { 0 },
};

static int update_member(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, update_fields, err);
    int rc;

    if (!body)
        return err->code;
    call_set_param(c, "member", text_at(body, "name"));
    rc = *text_at(body, "name")
             ? call_write(c, MEMBER_PEER_URL, json_object_get(body, "new_peer_url"), err)
             : -ENOENT;
    if (rc == -ENOENT)
        return fail(c, 404, err, "no such member: %s", text_at(body, "name"));
    return rc < 0 ? fail(c, status_of_change(rc), err, "%s", err->text) : get_members(c, err);
}

static const struct field admin_url_fields[] = {
    { "name", NULL, JSON_STRING },
    { "admin_urls", NULL, JSON_ARRAY },
    { 0 },
};

/* What members of kingbus tell their leader of themselves. */
static int set_admin_url(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, admin_url_fields, err);
    const json_t *url = json_array_get(json_object_get(body, "admin_urls"), 0);
    int rc;

    if (!body)
        return err->code;
    if (!json_is_string(url))
        return fail(c, 500, err, "args illegal");
    call_set_param(c, "member", text_at(body, "name"));
    rc = *text_at(body, "name") ? call_write(c, MEMBER_ADMIN_URL, url, err) : -ENOENT;
    if (rc == -ENOENT)
        return fail(c, 404, err, "no such member: %s", text_at(body, "name"));
    return rc < 0 ? fail(c, status_of_change(rc), err, "%s", err->text) : reply(c, json_string(""));
}

/* --- the syncer --- */

static json_t *address_of(const json_t *v, const json_t *attrs)
{
    const char *host = json_string_value(v);

    if (!host || !*host)
        return NULL;
    return json_sprintf("%s:%lld", host,
                        (long long)json_integer_value(json_object_get(attrs, "port")));
}

/* There is one where there is a user. */
static json_t *masked(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_string(json_string_length(v) ? "******" : "");
}

static const struct field source_fields[] = {
    { "mysql_addr", "host", JSON_STRING, address_of },
    { "mysql_user", "user", JSON_STRING },
    { "mysql_password", "user", JSON_STRING, masked },
    { 0 },
};

static const struct field relay_status_fields[] = {
    { "syncer_id", "server_id", JSON_INTEGER },
    { "syncer_uuid", "server_uuid", JSON_STRING },
    { "semi_sync", "semi_sync_active", JSON_FALSE },
    { "current_gtid", "current_gtid", JSON_STRING },
    { "last_binlog_file", "binlog_file", JSON_STRING },
    { "last_file_position", "binlog_offset", JSON_INTEGER },
    { "executed_gtid_set", "gtid_executed", JSON_STRING },
    { "purged_gtid_set", "gtid_purged", JSON_STRING },
    { "status", "state", JSON_STRING, state_kingbus },
    { "last_error", "error", JSON_STRING },
    { 0 },
};

static const struct shape source_shape = { "sources/{unit}", source_fields };
static const struct shape relay_shape = { "sources/{unit}/relay", relay_status_fields };

static const struct field start_fields[] = {
    { "syncer_id", NULL, JSON_INTEGER },
    { "syncer_uuid", NULL, JSON_STRING },
    { "mysql_addr", NULL, JSON_STRING },
    { "mysql_user", NULL, JSON_STRING },
    { "mysql_password", NULL, JSON_STRING },
    { "semi_sync", NULL, JSON_FALSE },
    { 0 },
};

/* "192.168.1.150:3415" or "[::1]:3415"; the host is owned by the caller. */
static bool split_address(const char *text, char **host, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    char *end;
    unsigned long n;

    if (!colon || colon == text || colon[1] < '0' || colon[1] > '9')
        return false;
    n = strtoul(colon + 1, &end, 10);
    if (*end || n == 0 || n > 65535)
        return false;
    *port = (unsigned)n;
    *host = *text == '[' && colon[-1] == ']' ? xstrndup(text + 1, (size_t)(colon - text) - 2)
                                             : xstrndup(text, (size_t)(colon - text));
    return true;
}

/* The source's document: what it has (secrets masked, which keeps them) with what was asked for. */
static json_t *syncer_document(const json_t *old, const json_t *body, const char *host,
                               unsigned port)
{
    json_t *doc = old ? json_deep_copy(old) : json_object(), *relay;

    json_object_update_new(doc, json_pack("{s:s,s:i,s:O,s:O,s:b,s:b}", "host", host, "port", port,
                                          "user", json_object_get(body, "mysql_user"), "password",
                                          json_object_get(body, "mysql_password"), "enable_gtid", 1,
                                          "enable", 1));
    relay = json_object_get(doc, "relay_config");
    if (!json_is_object(relay)) {
        relay = json_object();
        json_object_set_new(doc, "relay_config", relay);
    }
    json_object_update_new(relay, json_pack("{s:b,s:O,s:O,s:O}", "enable_relay", 1, "server_id",
                                            json_object_get(body, "syncer_id"), "server_uuid",
                                            json_object_get(body, "syncer_uuid"), "semi_sync",
                                            json_object_get(body, "semi_sync")));
    return doc;
}

/* Makes 'use' with its document, or gives it this one. */
static int put_document(struct call *c, unsigned node, unsigned config, const json_t *old,
                        const json_t *doc, struct err *err)
{
    return old ? call_write(c, config, doc, err) : call_create(c, node, doc, err);
}

/* kingbus has one text for all that is wrong at run time; the reason follows it. */
static int not_available(struct call *c, struct err *err)
{
    if (err->code == -EACCES)
        return err->code;
    return fail(c, 500, err, "binlog_server:args are not available: %s", err->text);
}

static int syncer_start(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, start_fields, err), *doc = NULL;
    SCOPED(json_decrefp) json_t *none = json_object();
    SCOPED(freep) char *host = NULL;
    struct err missing = ERR_INIT;
    unsigned port;

    if (!body)
        return err->code;
    if (json_integer_value(json_object_get(body, "syncer_id")) <= 0 ||
        json_integer_value(json_object_get(body, "syncer_id")) > UINT32_MAX ||
        !*text_at(body, "syncer_uuid") || !*text_at(body, "mysql_user") ||
        !split_address(text_at(body, "mysql_addr"), &host, &port))
        return fail(c, 500, err, "args illegal");
    SCOPED(json_decrefp) json_t *relay = call_read(c, RELAY, &missing);
    SCOPED(json_decrefp) json_t *old = call_read(c, SOURCE_CONFIG, &missing);

    if (is_started(relay))
        return fail(c, 500, err, "kingbus: server already started");
    doc = syncer_document(old, body, host, port);
    if (put_document(c, SOURCE, SOURCE_CONFIG, old, doc, err) < 0)
        return not_available(c, err);
    relay = relay ? relay : call_read(c, RELAY, &missing);
    if (!is_started(relay) && call_write(c, RELAY_START, none, err) < 0 && err->code != -EBUSY)
        return not_available(c, err);
    return reply(c, json_string(""));
}

/* Also when it is stopped already. */
static int stop(struct call *c, unsigned node, unsigned action, struct err *err)
{
    struct err missing = ERR_INIT;
    SCOPED(json_decrefp) json_t *attrs = call_read(c, node, &missing), *none = json_object();

    if (attrs && !is_state(attrs, "stopped") && !is_state(attrs, "new") &&
        !is_state(attrs, "paused") && call_write(c, action, none, err) < 0)
        return err->code;
    return reply(c, json_string(""));
}

/* A relay that others use (the server, a pump) does not stop under them, but stands still. */
static int syncer_stop(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *none = json_object();
    int rc = stop(c, RELAY, RELAY_STOP, err);

    if (rc != -EBUSY)
        return rc;
    *err = ERR_INIT;
    rc = call_write(c, RELAY_PAUSE, none, err);
    return rc < 0 ? rc : reply(c, json_string(""));
}

static int syncer_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *source = call_read(c, SOURCE, err);
    SCOPED(json_decrefp) json_t *relay = source ? call_read(c, RELAY, err) : NULL;
    json_t *v;

    if (err->code < 0 && err->code != -ENOENT) /* else there was never one: stopped */
        return err->code;
    v = shape_of(&relay_shape, relay);
    json_object_update_new(v, shape_of(&source_shape, source));
    return reply(c, v);
}

/* --- the server --- */

static json_t *one(const json_t *v, const json_t *attrs)
{
    (void)v, (void)attrs;
    return json_integer(1);
}

static json_t *nanoseconds(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_integer((json_int_t)(json_number_value(v) * 1e9));
}

static const struct field replica_fields[] = {
    { "replication_state", NULL, JSON_INTEGER, one }, /* only the registered are there */
    { "server_id", "server_id", JSON_INTEGER },
    { "server_uuid", "server_uuid", JSON_STRING },
    { "host_name", "host", JSON_STRING },
    { "port", "port", JSON_INTEGER },
    { "user", "user", JSON_STRING },
    { "password", NULL, JSON_STRING },
    { "connect_time", "connect_time", JSON_STRING },
    { "heartbeat", "heartbeat_seconds", JSON_INTEGER, nanoseconds },
    { "stats", NULL, JSON_OBJECT },
    /* ours */
    { "binlog_file", "binlog_file", JSON_STRING },
    { "binlog_offset", "binlog_offset", JSON_INTEGER },
    { "gtid", "gtid", JSON_STRING },
    { "lag_seconds", "lag_seconds", JSON_NULL },
    { "lag_bytes", "lag_bytes", JSON_NULL },
    { "bytes_sent", "bytes_sent", JSON_INTEGER },
    { "last_error", "error", JSON_STRING },
    { "tls_cipher", "tls_cipher", JSON_STRING },
    { 0 },
};

static const struct field server_fields[] = {
    { "addr", "addr", JSON_STRING },
    { "user", "user", JSON_STRING },
    { "password", "user", JSON_STRING, masked },
    { "slaves", NULL, JSON_ARRAY },
    { "last_binlog_file", "binlog_file", JSON_STRING },
    { "last_file_position", "binlog_offset", JSON_INTEGER },
    { "executed_gtid_set", "gtid_executed", JSON_STRING },
    { "purged_gtid_set", "gtid_purged", JSON_STRING },
    { "status", "state", JSON_STRING, state_kingbus },
    { "last_error", "error", JSON_STRING },
    { 0 },
};

/* It serves what the relay has stored. */
static const struct field served_fields[] = {
    { "current_gtid", "current_gtid", JSON_STRING },
    { 0 },
};

static const struct shape served_shape = { "sources/{unit}/relay", served_fields };
static const struct shape replica_shape = { "servers/{unit}/replicas/{replica}", replica_fields };
static const struct shape server_shape = { "servers/{unit}", server_fields };

static const struct field server_start_fields[] = {
    { "addr", NULL, JSON_STRING },
    { "user", NULL, JSON_STRING },
    { "password", NULL, JSON_STRING },
    { 0 },
};

static int server_start(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, server_start_fields, err), *doc = NULL;
    SCOPED(json_decrefp) json_t *none = json_object();
    SCOPED(freep) char *host = NULL;
    struct err missing = ERR_INIT;
    unsigned port;

    if (!body)
        return err->code;
    if (!split_address(text_at(body, "addr"), &host, &port) || !*text_at(body, "user") ||
        !*text_at(body, "password"))
        return fail(c, 500, err, "args illegal");
    SCOPED(json_decrefp) json_t *server = call_read(c, SERVER, &missing);
    SCOPED(json_decrefp) json_t *old = call_read(c, SERVER_CONFIG, &missing);

    if (is_started(server))
        return fail(c, 500, err, "kingbus: server already started");
    doc = old ? json_deep_copy(old) : json_object();
    for (const struct field *f = server_start_fields; f->key; f++)
        json_object_set(doc, f->key, json_object_get(body, f->key));
    json_object_set_new(doc, "source_name", json_string(call_param(c, "unit")));
    if (put_document(c, SERVER, SERVER_CONFIG, old, doc, err) < 0 ||
        call_write(c, SERVER_START, none, err) < 0)
        return not_available(c, err);
    return reply(c, json_string(""));
}

static int server_stop(struct call *c, struct err *err)
{
    return stop(c, SERVER, SERVER_STOP, err);
}

static json_t *replicas_of(struct call *c)
{
    struct err gone = ERR_INIT;
    SCOPED(json_decrefp) json_t *names = call_children(c, REPLICAS, &gone);
    json_t *list = json_array(), *name, *attrs;
    size_t i;

    json_array_foreach (names, i, name) {
        call_set_param(c, "replica", json_string_value(name));
        attrs = call_read(c, REPLICA, &gone);
        if (attrs)
            json_array_append_new(list, attrs);
    }
    return list;
}

static void add_replicas(struct call *c, json_t *list)
{
    SCOPED(json_decrefp) json_t *all = replicas_of(c);
    const json_t *attrs;
    size_t i;

    json_array_foreach (all, i, attrs)
        json_array_append_new(list, shape_of(&replica_shape, attrs));
}

static int server_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *server = call_read(c, SERVER, err);
    SCOPED(json_decrefp) json_t *relay = server ? call_read(c, RELAY, err) : NULL;
    json_t *v;

    if (err->code < 0 && err->code != -ENOENT)
        return err->code;
    v = shape_of(&server_shape, server);
    json_object_update_new(v, shape_of(&served_shape, relay));
    if (server)
        add_replicas(c, json_object_get(v, "slaves"));
    return reply(c, v);
}

/* --- metrics, on a listener of kingbus's own: elsewhere the tree has that path --- */

static int get_metrics(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = call_read(c, RELAY, err), *replicas = NULL;
    SCOPED(json_decrefp) json_t *histograms = relay ? call_read(c, RELAY_HISTOGRAMS, err) : NULL;

    if (err->code < 0 && err->code != -ENOENT)
        return err->code;
    *err = ERR_INIT;
    replicas = replicas_of(c);
    c->r->type = "text/plain; version=0.0.4; charset=utf-8";
    kingbus_metrics(relay, histograms, replicas, &c->r->body);
    return 0;
}

static const struct route routes[] = {
    { "GET", "/cluster", get_cluster },
    { "GET", "/members", get_members },
    { "POST", "/members", add_member },
    { "DELETE", "/members", remove_member },
    { "PUT", "/members", update_member },
    { "PUT", "/admin/url", set_admin_url },
    { "PUT", "/binlog/syncer/start", syncer_start },
    { "PUT", "/binlog/syncer/stop", syncer_stop },
    { "GET", "/binlog/syncer/status", syncer_status },
    { "PUT", "/binlog/server/start", server_start },
    { "PUT", "/binlog/server/stop", server_stop },
    { "GET", "/binlog/server/status", server_status },
    { "GET", "/metrics", get_metrics },
    { 0 },
};

static const struct shape *const shapes[] = {
    &cluster_shape, &members_shape, &source_shape, &relay_shape,
    &replica_shape, &server_shape,  &served_shape, NULL,
};

const struct facade kingbus_facade = {
    .name = "kingbus",
    .prefix = "",
    .unit = "kingbus",
    .routes = routes,
    .uses = uses,
    .shapes = shapes,
    .refuse = refuse,
};
