/*
 * dm.c - DM's OpenAPI (8261): the relay of a source.
 *
 * All three generations of it on the same paths: PATCH and POST .../start-relay of the page and of
 * 5.x, POST .../relay/enable of 6.0 and later.  A worker is a member of the cluster: there is one,
 * and it has every source.
 *
 * Source: "Maintain DM Clusters Using OpenAPI"; dm/openapi, dm/master/openapi_controller.go and
 * dm/pkg/terror of pingcap/tiflow.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/facade.h"
#include "http/compat/state.h"
#include "http/status.h"
#include "node/yaml.h"

enum {
    SOURCE,
    RELAY,
    RELAY_NAME,
    RELAY_GTID,
    RELAY_START,
    RELAY_STOP,
    RELAY_PAUSE,
    RELAY_RESUME,
    RELAY_PURGE,
    CLUSTER,
};

static const struct use uses[] = {
    [SOURCE] = { "sources/{source}", NULL },
    [RELAY] = { "sources/{source}/relay", NULL },
    [RELAY_NAME] = { "sources/{source}/relay", "relay_binlog_name" },
    [RELAY_GTID] = { "sources/{source}/relay", "relay_binlog_gtid" },
    [RELAY_START] = { "sources/{source}/relay", "start" },
    [RELAY_STOP] = { "sources/{source}/relay", "stop" },
    [RELAY_PAUSE] = { "sources/{source}/relay", "pause" },
    [RELAY_RESUME] = { "sources/{source}/relay", "resume" },
    [RELAY_PURGE] = { "sources/{source}/relay", "purge" },
    [CLUSTER] = { "cluster", NULL },
    { 0 },
};

/* --- errors --- */

enum dm_error {
    NOT_OF_DM, /* what DM's check of a request would say: code 0 and a bare text */
    WORKER_NOT_EXIST,
    SOURCE_NOT_EXIST,
    RELAY_SOURCE_NOT_EXIST,
    COMMON,
};

static const struct {
    unsigned code;
    const char *class, *scope, *level;
} errors[] = {
    [NOT_OF_DM] = { 0, NULL, NULL, NULL },
    [WORKER_NOT_EXIST] = { 46004, "scheduler", "internal", "medium" },
    [SOURCE_NOT_EXIST] = { 46008, "scheduler", "internal", "medium" },
    [RELAY_SOURCE_NOT_EXIST] = { 46012, "scheduler", "internal", "medium" },
    [COMMON] = { 49001, "openapi", "not-set", "high" },
};

static int reply_error(struct call *c, unsigned status, enum dm_error e, const char *message)
{
    SCOPED(freep) char *text = NULL;
    json_t *v;

    if (errors[e].code)
        text = xasprintf("[code=%u:class=%s:scope=%s:level=%s], Message: %s", errors[e].code,
                         errors[e].class, errors[e].scope, errors[e].level, message);
    else
        text = xstrdup(message);
    v = json_pack("{s:s,s:i}", "error_msg", text, "error_code", (int)errors[e].code);
    if (!v) /* it quotes bytes that are not UTF-8 */
        v = json_pack("{s:s,s:i}", "error_msg", "the request is not UTF-8", "error_code", 0);
    c->r->status = status;
    return call_json(c, v, JSON_INDENT(4));
}

static int __attribute__((format(printf, 3, 4)))
fail(struct call *c, enum dm_error e, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return reply_error(c, 400, e, text);
}

/* Errors of the tree are DM's catch-all; those before the tree have their own status. */
static void refuse(struct call *c, const struct err *err)
{
    unsigned status = route_status(err->code);

    if (!c->route)
        reply_error(c, status_of_errno(err->code), NOT_OF_DM, err->text);
    else if (status != 500)
        reply_error(c, status, NOT_OF_DM, err->text);
    else
        reply_error(c, 400, err->code == -EINVAL ? NOT_OF_DM : COMMON, err->text);
}

/* --- what all have --- */

/* None is {}; commas at the end of a list, as in the page's samples, are YAML's, too. */
static json_t *body_of(struct call *c, const struct field *fields, struct err *err)
{
    const struct slice *text = &c->q->body;
    json_t *body = yaml_parse(text->size ? (const char *)text->data : "", text->size, err);

    if (json_is_null(body)) {
        json_decref(body);
        body = json_object();
    }
    if (body && !json_is_object(body))
        err_set(err, -EINVAL, "the body is no JSON object");
    else if (body && call_check_body(body, fields, err) == 0)
        return body;
    json_decref(body);
    return NULL;
}

static const char *text_at(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static json_t *worker_of(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *cluster = call_read(c, CLUSTER, err);

    return cluster ? json_incref(json_object_get(cluster, "leader")) : NULL;
}

/* 0; 1 when 'c' has a reply already: a name is no worker's. */
static int check_workers(struct call *c, const json_t *body, struct err *err)
{
    const json_t *names = json_object_get(body, "worker_name_list"), *name;
    SCOPED(json_decrefp) json_t *worker = worker_of(c, err);
    size_t i;

    if (!worker)
        return err->code;
    json_array_foreach ((json_t *)names, i, name) {
        if (json_equal(name, worker))
            continue;
        fail(c, WORKER_NOT_EXIST, "dm-worker with name %s not exists",
             json_is_string(name) ? json_string_value(name) : "?");
        return 1;
    }
    return 0;
}

/* The relay's attributes; NULL with a reply (err->code is 0) or an error. */
static json_t *read_relay(struct call *c, enum dm_error missing, struct err *err)
{
    json_t *relay = call_read(c, RELAY, err);

    if (relay || err->code != -ENOENT)
        return relay;
    *err = ERR_INIT;
    if (missing == RELAY_SOURCE_NOT_EXIST)
        fail(c, missing, "sources [%s] need to update expectant relay stage not exist",
             call_param(c, "source"));
    else
        fail(c, missing, "source config with ID %s not exists", call_param(c, "source"));
    return NULL;
}

static bool is_state(const json_t *relay, const char *state)
{
    return strcmp(text_at(relay, "state"), state) == 0;
}

/* Success without a body. */
static int done(struct call *c)
{
    c->r->type = "application/json; charset=utf-8";
    return 0;
}

/* --- the relay --- */

static const struct field start_fields[] = {
    { "worker_name_list", NULL, JSON_ARRAY },
    { "relay_binlog_name", NULL, JSON_STRING },
    { "relay_binlog_gtid", NULL, JSON_STRING },
    { "relay_dir", NULL, JSON_STRING }, /* ignored: the journal has no folder of its own */
    { 0 },
};

/* Where an empty relay begins; "" leaves it. */
static int set_begin(struct call *c, const json_t *body, const char *key, unsigned use,
                     struct err *err)
{
    return *text_at(body, key) ? call_write(c, use, json_object_get(body, key), err) : 0;
}

/* Also when it is on already. */
static int relay_start(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, start_fields, err), *none = json_object();
    SCOPED(json_decrefp) json_t *relay = body ? read_relay(c, SOURCE_NOT_EXIST, err) : NULL;
    int rc;

    if (!relay)
        return err->code;
    rc = check_workers(c, body, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (json_is_true(json_object_get(relay, "enable_relay")))
        return done(c);
    if (set_begin(c, body, "relay_binlog_name", RELAY_NAME, err) < 0 ||
        set_begin(c, body, "relay_binlog_gtid", RELAY_GTID, err) < 0 ||
        call_write(c, RELAY_START, none, err) < 0)
        return err->code;
    return done(c);
}

static const struct field stop_fields[] = { { "worker_name_list", NULL, JSON_ARRAY }, { 0 } };

static int relay_stop(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, stop_fields, err), *none = json_object();
    SCOPED(json_decrefp) json_t *relay = body ? read_relay(c, SOURCE_NOT_EXIST, err) : NULL;
    int rc;

    if (!relay)
        return err->code;
    rc = check_workers(c, body, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    return call_write(c, RELAY_STOP, none, err) < 0 ? err->code : done(c);
}

/* DM keeps the wish and lets the worker find out: where there is nothing to do, that is done. */
static int relay_pause(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay(c, RELAY_SOURCE_NOT_EXIST, err);
    SCOPED(json_decrefp) json_t *none = json_object();

    if (!relay)
        return err->code;
    if ((is_state(relay, "running") || is_state(relay, "error")) &&
        call_write(c, RELAY_PAUSE, none, err) < 0)
        return err->code;
    return done(c);
}

static int relay_resume(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay(c, RELAY_SOURCE_NOT_EXIST, err);
    SCOPED(json_decrefp) json_t *none = json_object();

    if (!relay)
        return err->code;
    if ((is_state(relay, "paused") || is_state(relay, "error")) &&
        call_write(c, RELAY_RESUME, none, err) < 0)
        return err->code;
    return done(c);
}

static const struct field purge_fields[] = {
    { "relay_binlog_name", NULL, JSON_STRING },
    { "relay_dir", NULL, JSON_STRING },
    { 0 },
};

static int relay_purge(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *body = body_of(c, purge_fields, err), *args = NULL;
    SCOPED(json_decrefp) json_t *relay = body ? read_relay(c, SOURCE_NOT_EXIST, err) : NULL;

    if (!relay)
        return err->code;
    if (!*text_at(body, "relay_binlog_name"))
        return fail(c, NOT_OF_DM, "relay_binlog_name: it is required");
    if (!json_is_true(json_object_get(relay, "enable_relay")))
        return fail(c, COMMON, "no relay worker for source %s", call_param(c, "source"));
    args = json_pack("{s:O}", "before", json_object_get(body, "relay_binlog_name"));
    return call_write(c, RELAY_PURGE, args, err) < 0 ? err->code : done(c);
}

/* --- status --- */

/* "(mysql-bin.000001, 1979)" */
static json_t *binlog_of(const json_t *v, const json_t *attrs)
{
    const char *file = json_string_value(v);

    if (!file || !*file)
        return NULL;
    return json_sprintf("(%s, %lld)", file,
                        (long long)json_integer_value(json_object_get(attrs, "source_offset")));
}

/* The number of DM's sub-directory; the identity of the source goes before it. */
static json_t *dir_of(const json_t *v, const json_t *attrs)
{
    (void)attrs;
    return json_integer_value(v) ? json_sprintf("%06lld", (long long)json_integer_value(v)) : NULL;
}

static const struct field relay_status_fields[] = {
    { "master_binlog", "source_file", JSON_STRING, binlog_of },
    { "master_binlog_gtid", "source_gtid", JSON_STRING },
    { "relay_dir", "incarnation", JSON_STRING, dir_of },
    { "relay_binlog_gtid", "gtid_executed", JSON_STRING },
    { "relay_catch_up_master", "catch_up", JSON_FALSE },
    { "stage", "state", JSON_STRING, state_dm },
    { 0 },
};

static const struct shape relay_shape = { "sources/{source}/relay", relay_status_fields };

/* Is there one, in DM's eyes: asked for, or at work for others? */
static bool has_relay(const json_t *relay)
{
    return json_is_true(json_object_get(relay, "enable_relay")) ||
           !(is_state(relay, "new") || is_state(relay, "stopped"));
}

static json_t *relay_status(const json_t *source, const json_t *relay)
{
    json_t *v = shape_of(&relay_shape, relay);
    const char *dir = text_at(v, "relay_dir"), *uuid = text_at(source, "server_uuid");

    if (*dir && *uuid)
        json_object_set_new(v, "relay_dir", json_sprintf("%s.%s", uuid, dir));
    return v;
}

static int source_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay(c, SOURCE_NOT_EXIST, err);
    SCOPED(json_decrefp) json_t *source = relay ? call_read(c, SOURCE, err) : NULL;
    SCOPED(json_decrefp) json_t *worker = source ? worker_of(c, err) : NULL;
    const char *why = *text_at(relay, "error") ? text_at(relay, "error") : text_at(source, "error");
    json_t *v;

    if (!worker)
        return err->code;
    v = json_pack("{s:s,s:O}", "source_name", call_param(c, "source"), "worker_name", worker);
    if (has_relay(relay))
        json_object_set_new(v, "relay_status", relay_status(source, relay));
    if (*why)
        json_object_set_new(v, "error_msg", json_string(why));
    return call_json(c, json_pack("{s:i,s:[o]}", "total", 1, "data", v), JSON_INDENT(4));
}

#define SOURCE_PATH "/api/v1/sources/{source}"

static const struct route routes[] = {
    { "GET", SOURCE_PATH "/status", source_status },
    { "PATCH", SOURCE_PATH "/start-relay", relay_start },
    { "POST", SOURCE_PATH "/start-relay", relay_start },
    { "POST", SOURCE_PATH "/relay/enable", relay_start },
    { "PATCH", SOURCE_PATH "/stop-relay", relay_stop },
    { "POST", SOURCE_PATH "/stop-relay", relay_stop },
    { "POST", SOURCE_PATH "/relay/disable", relay_stop },
    { "PATCH", SOURCE_PATH "/pause-relay", relay_pause },
    { "POST", SOURCE_PATH "/pause-relay", relay_pause },
    { "PATCH", SOURCE_PATH "/resume-relay", relay_resume },
    { "POST", SOURCE_PATH "/resume-relay", relay_resume },
    { "POST", SOURCE_PATH "/relay/purge", relay_purge },
    { 0 },
};

static const struct shape *const shapes[] = { &relay_shape, NULL };

const struct facade dm_facade = {
    .name = "dm",
    .prefix = "",
    .unit = "dm", /* not used: its paths say which source */
    .routes = routes,
    .uses = uses,
    .shapes = shapes,
    .refuse = refuse,
};
