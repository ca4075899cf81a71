/* kingbus_server.c - the server, and its replicas. */
#include <errno.h>

#include "base/scope.h"
#include "http/compat/kingbus/kingbus.h"
#include "http/compat/kingbus/kingbus_metrics.h"
#include "http/compat/state.h"

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
    { "password", "user", JSON_STRING, kingbus_masked },
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

const struct shape kingbus_served_shape = { "sources/{unit}/relay", served_fields };
const struct shape kingbus_replica_shape = { "servers/{unit}/replicas/{replica}", replica_fields };
const struct shape kingbus_server_shape = { "servers/{unit}", server_fields };

static const struct field server_start_fields[] = {
    { "addr", NULL, JSON_STRING },
    { "user", NULL, JSON_STRING },
    { "password", NULL, JSON_STRING },
    { 0 },
};

static bool server_legal(const json_t *body)
{
    SCOPED(freep) char *host = NULL;
    unsigned port;

    return kingbus_address(kingbus_text(body, "addr"), &host, &port) &&
           *kingbus_text(body, "user") && *kingbus_text(body, "password");
}

static json_t *server_document(struct call *c, const json_t *old, const json_t *body)
{
    json_t *doc = old ? json_deep_copy(old) : json_object();

    for (const struct field *f = server_start_fields; f->key; f++)
        json_object_set(doc, f->key, json_object_get(body, f->key));
    json_object_set_new(doc, "source_name", json_string(call_param(c, "unit")));
    return doc;
}

static const struct kingbus_start server_start = {
    .fields = server_start_fields,
    .legal = server_legal,
    .document = server_document,
    .node = KINGBUS_SERVER,
    .config = KINGBUS_SERVER_CONFIG,
    .state = KINGBUS_SERVER,
    .start = KINGBUS_SERVER_START,
};

int kingbus_server_start(struct call *c, struct err *err)
{
    return kingbus_start(c, &server_start, err);
}

int kingbus_server_stop(struct call *c, struct err *err)
{
    return kingbus_stop(c, KINGBUS_SERVER, KINGBUS_SERVER_STOP, err);
}

static json_t *replicas_of(struct call *c)
{
    struct err gone = ERR_INIT;
    SCOPED(json_decrefp) json_t *names = call_children(c, KINGBUS_REPLICAS, &gone);
    json_t *list = json_array(), *name, *attrs;
    size_t i;

    json_array_foreach (names, i, name) {
        call_set_param(c, "replica", json_string_value(name));
        attrs = call_read(c, KINGBUS_REPLICA, &gone);
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
        json_array_append_new(list, shape_of(&kingbus_replica_shape, attrs));
}

int kingbus_server_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *server = call_read(c, KINGBUS_SERVER, err);
    SCOPED(json_decrefp) json_t *relay = server ? call_read(c, KINGBUS_RELAY, err) : NULL;
    json_t *v;

    if (err->code < 0 && err->code != -ENOENT)
        return err->code;
    v = shape_of(&kingbus_server_shape, server);
    json_object_update_new(v, shape_of(&kingbus_served_shape, relay));
    if (server)
        add_replicas(c, json_object_get(v, "slaves"));
    return kingbus_reply(c, v);
}

/* --- metrics, on a listener of kingbus's own: elsewhere the tree has that path --- */

int kingbus_get_metrics(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = call_read(c, KINGBUS_RELAY, err), *replicas = NULL;
    SCOPED(json_decrefp)
    json_t *histograms = relay ? call_read(c, KINGBUS_RELAY_HISTOGRAMS, err) : NULL;

    if (err->code < 0 && err->code != -ENOENT)
        return err->code;
    *err = ERR_INIT;
    replicas = replicas_of(c);
    c->r->type = "text/plain; version=0.0.4; charset=utf-8";
    kingbus_metrics(relay, histograms, replicas, &c->r->body);
    return 0;
}
