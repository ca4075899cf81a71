/* kingbus_syncer.c - the syncer: a source and its relay. */
#include <errno.h>

#include "base/scope.h"
#include "http/compat/kingbus/kingbus.h"
#include "http/compat/state.h"

static json_t *address_of(const json_t *v, const json_t *attrs)
{
    const char *host = json_string_value(v);

    if (!host || !*host)
        return NULL;
    return json_sprintf("%s:%lld", host,
                        (long long)json_integer_value(json_object_get(attrs, "port")));
}

static const struct field source_fields[] = {
    { "mysql_addr", "host", JSON_STRING, address_of },
    { "mysql_user", "user", JSON_STRING },
    { "mysql_password", "user", JSON_STRING, kingbus_masked },
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

const struct shape kingbus_source_shape = { "sources/{unit}", source_fields };
const struct shape kingbus_relay_shape = { "sources/{unit}/relay", relay_status_fields };

static const struct field start_fields[] = {
    { "syncer_id", NULL, JSON_INTEGER },
    { "syncer_uuid", NULL, JSON_STRING },
    { "mysql_addr", NULL, JSON_STRING },
    { "mysql_user", NULL, JSON_STRING },
    { "mysql_password", NULL, JSON_STRING },
    { "semi_sync", NULL, JSON_FALSE },
    { 0 },
};

static bool syncer_legal(const json_t *body)
{
    json_int_t id = json_integer_value(json_object_get(body, "syncer_id"));
    SCOPED(freep) char *host = NULL;
    unsigned port;

    return id > 0 && id <= UINT32_MAX && *kingbus_text(body, "syncer_uuid") &&
           *kingbus_text(body, "mysql_user") &&
           kingbus_address(kingbus_text(body, "mysql_addr"), &host, &port);
}

/* The source's document: what it has (secrets masked, which keeps them) with what was asked for. */
static json_t *syncer_document(struct call *c, const json_t *old, const json_t *body)
{
    json_t *doc = old ? json_deep_copy(old) : json_object(), *relay;
    SCOPED(freep) char *host = NULL;
    unsigned port = 0;

    (void)c;
    kingbus_address(kingbus_text(body, "mysql_addr"), &host, &port);
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

static const struct kingbus_start syncer_start = {
    .fields = start_fields,
    .legal = syncer_legal,
    .document = syncer_document,
    .node = KINGBUS_SOURCE,
    .config = KINGBUS_SOURCE_CONFIG,
    .state = KINGBUS_RELAY,
    .start = KINGBUS_RELAY_START,
};

int kingbus_syncer_start(struct call *c, struct err *err)
{
    return kingbus_start(c, &syncer_start, err);
}

/* A relay that others use (the server, a pump) does not stop under them, but stands still. */
int kingbus_syncer_stop(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *none = json_object();
    int rc = kingbus_stop(c, KINGBUS_RELAY, KINGBUS_RELAY_STOP, err);

    if (rc != -EBUSY)
        return rc;
    *err = ERR_INIT;
    rc = call_write(c, KINGBUS_RELAY_PAUSE, none, err);
    return rc < 0 ? rc : kingbus_reply(c, json_string(""));
}

int kingbus_syncer_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *source = call_read(c, KINGBUS_SOURCE, err);
    SCOPED(json_decrefp) json_t *relay = source ? call_read(c, KINGBUS_RELAY, err) : NULL;
    json_t *v;

    if (err->code < 0 && err->code != -ENOENT) /* else there was never one: stopped */
        return err->code;
    v = shape_of(&kingbus_relay_shape, relay);
    json_object_update_new(v, shape_of(&kingbus_source_shape, source));
    return kingbus_reply(c, v);
}
