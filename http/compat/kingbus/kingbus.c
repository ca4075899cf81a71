#include "http/compat/kingbus/kingbus.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/facade.h"
#include "http/status.h"

static const struct use uses[] = {
    [KINGBUS_SOURCE] = { "sources/{unit}", NULL },
    [KINGBUS_SOURCE_CONFIG] = { "sources/{unit}", "config" },
    [KINGBUS_RELAY] = { "sources/{unit}/relay", NULL },
    [KINGBUS_RELAY_START] = { "sources/{unit}/relay", "start" },
    [KINGBUS_RELAY_STOP] = { "sources/{unit}/relay", "stop" },
    [KINGBUS_RELAY_PAUSE] = { "sources/{unit}/relay", "pause" },
    [KINGBUS_RELAY_HISTOGRAMS] = { "sources/{unit}/relay", "histograms" },
    [KINGBUS_SERVER] = { "servers/{unit}", NULL },
    [KINGBUS_SERVER_CONFIG] = { "servers/{unit}", "config" },
    [KINGBUS_SERVER_START] = { "servers/{unit}", "start" },
    [KINGBUS_SERVER_STOP] = { "servers/{unit}", "stop" },
    [KINGBUS_REPLICAS] = { "servers/{unit}/replicas", NULL },
    [KINGBUS_REPLICA] = { "servers/{unit}/replicas/{replica}", NULL },
    [KINGBUS_MEMBERS] = { "cluster/members", NULL },
    [KINGBUS_MEMBER] = { "cluster/members/{member}", NULL },
    [KINGBUS_MEMBER_PEER_URL] = { "cluster/members/{member}", "peer_url" },
    [KINGBUS_MEMBER_ADMIN_URL] = { "cluster/members/{member}", "admin_url" },
    { 0 },
};

/* --- replies --- */

int kingbus_reply(struct call *c, json_t *data)
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

int kingbus_fail(struct call *c, unsigned status, struct err *err, const char *fmt, ...)
{
    char text[sizeof err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->r->status = status;
    return err_set(err, -EINVAL, "%s", text);
}

json_t *kingbus_body(struct call *c, const struct field *fields, struct err *err)
{
    json_t *body = call_body(c, err);

    if (body && call_check_body(body, fields, err) == 0)
        return body;
    json_decref(body);
    c->r->status = 400;
    return NULL;
}

const char *kingbus_text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

/* --- what the syncer and the server have in common --- */

static bool is_state(const json_t *attrs, const char *state)
{
    return strcmp(kingbus_text(attrs, "state"), state) == 0;
}

/* Is it at work, or will be without being told? */
static bool is_started(const json_t *attrs)
{
    return is_state(attrs, "running") ||
           (is_state(attrs, "error") &&
            json_number_value(json_object_get(attrs, "next_retry_seconds")) > 0);
}

json_t *kingbus_masked(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_string(json_string_length(v) ? "******" : "");
}

bool kingbus_address(const char *text, char **host, unsigned *port)
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

/* kingbus has one text for all that is wrong at run time; the reason follows it. */
static int not_available(struct call *c, struct err *err)
{
    if (err->code == -EACCES)
        return err->code;
    return kingbus_fail(c, 500, err, "binlog_server:args are not available: %s", err->text);
}

static int put(struct call *c, const struct kingbus_start *s, const json_t *old, const json_t *body,
               struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = s->document(c, old, body);

    return old ? call_write(c, s->config, doc, err) : call_create(c, s->node, doc, err);
}

int kingbus_start(struct call *c, const struct kingbus_start *s, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = kingbus_body(c, s->fields, err);
    SCOPED(json_decrefp) json_t *none = json_object();
    struct err missing = ERR_INIT;

    if (!body)
        return err->code;
    if (!s->legal(body))
        return kingbus_fail(c, 500, err, "args illegal");
    SCOPED(json_decrefp) json_t *attrs = call_read(c, s->state, &missing);
    SCOPED(json_decrefp) json_t *old = call_read(c, s->config, &missing);

    if (is_started(attrs))
        return kingbus_fail(c, 500, err, "kingbus: server already started");
    if (put(c, s, old, body, err) < 0)
        return not_available(c, err);
    attrs = attrs ? attrs : call_read(c, s->state, &missing);
    if (!is_started(attrs) && call_write(c, s->start, none, err) < 0 && err->code != -EBUSY)
        return not_available(c, err);
    return kingbus_reply(c, json_string(""));
}

int kingbus_stop(struct call *c, unsigned node, unsigned action, struct err *err)
{
    struct err missing = ERR_INIT;
    SCOPED(json_decrefp) json_t *attrs = call_read(c, node, &missing), *none = json_object();

    if (attrs && !is_state(attrs, "stopped") && !is_state(attrs, "new") &&
        !is_state(attrs, "paused") && call_write(c, action, none, err) < 0)
        return err->code;
    return kingbus_reply(c, json_string(""));
}

/* --- the facade --- */

static const struct route routes[] = {
    { "GET", "/cluster", kingbus_get_cluster },
    { "GET", "/members", kingbus_get_members },
    { "POST", "/members", kingbus_add_member },
    { "DELETE", "/members", kingbus_remove_member },
    { "PUT", "/members", kingbus_update_member },
    { "PUT", "/admin/url", kingbus_set_admin_url },
    { "PUT", "/binlog/syncer/start", kingbus_syncer_start },
    { "PUT", "/binlog/syncer/stop", kingbus_syncer_stop },
    { "GET", "/binlog/syncer/status", kingbus_syncer_status },
    { "PUT", "/binlog/server/start", kingbus_server_start },
    { "PUT", "/binlog/server/stop", kingbus_server_stop },
    { "GET", "/binlog/server/status", kingbus_server_status },
    { "GET", "/metrics", kingbus_get_metrics },
    { 0 },
};

static const struct shape *const shapes[] = {
    &kingbus_cluster_shape, &kingbus_members_shape, &kingbus_source_shape, &kingbus_relay_shape,
    &kingbus_replica_shape, &kingbus_server_shape,  &kingbus_served_shape, NULL,
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
