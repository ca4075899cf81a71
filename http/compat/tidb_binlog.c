/*
 * tidb_binlog.c - the HTTP API of TiDB-Binlog's Pump (8250) and Drainer (8249).
 *
 * Their paths collide, so each has a port of its own, or on a shared port /pumps/{unit} and
 * /drainers/{unit} before its paths.  A refusal is mostly a 200 with a text or a code: so it is
 * upstream, and its tools look there.
 *
 * 'resume' (also 'start' and 'online') is ours: upstream's processes exit when they pause, and
 * come back online when they are started.  'stop' is in the sample of upstream's page, and means
 * what 'pause' means.
 *
 * Source: "TiDB-Binlog HTTP API"; pump/server.go, drainer/server.go, pump/status.go of
 * pingcap/tidb-binlog.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/facade.h"
#include "http/compat/tidb_binlog_metrics.h"
#include "http/status.h"

enum { CODE_OK = 200, CODE_FAILED = 3 };

/* The same numbers in both tables, so that one function serves both. */
enum {
    UNIT,
    PAUSE,
    RESUME,
    START,
    CLOSE,
    ERRORS,
    HISTOGRAMS,
    /* of a pump */
    NODES,
    DRAINERS,
    FRESH_TS,
    GC,
    BINLOG,
};

static const struct use pump_uses[] = {
    [UNIT] = { "pumps/{unit}", NULL },
    [PAUSE] = { "pumps/{unit}", "pause" },
    [RESUME] = { "pumps/{unit}", "resume" },
    [START] = { "pumps/{unit}", "start" },
    [CLOSE] = { "pumps/{unit}", "close" },
    [ERRORS] = { "pumps/{unit}", "errors" },
    [HISTOGRAMS] = { "pumps/{unit}", "histograms" },
    [NODES] = { "pumps/{unit}", "nodes" },
    [DRAINERS] = { "pumps/{unit}", "drainers" },
    [FRESH_TS] = { "pumps/{unit}", "commit_ts" },
    [GC] = { "pumps/{unit}", "gc" },
    [BINLOG] = { "pumps/{unit}/binlog", NULL },
    { 0 },
};

static const struct use drainer_uses[] = {
    [UNIT] = { "drainers/{unit}", NULL },
    [PAUSE] = { "drainers/{unit}", "pause" },
    [RESUME] = { "drainers/{unit}", "resume" },
    [START] = { "drainers/{unit}", "start" },
    [CLOSE] = { "drainers/{unit}", "close" },
    [ERRORS] = { "drainers/{unit}", "errors" },
    [HISTOGRAMS] = { "drainers/{unit}", "histograms" },
    { 0 },
};

/* --- status --- */

static const struct field drainer_status[] = {
    { "PumpPos", "pump_pos", JSON_NULL },
    { "Synced", "synced", JSON_FALSE },
    { "LastTS", "last_ts", JSON_INTEGER },
    { "TsMap", NULL, JSON_STRING },
    { 0 },
};

static const struct shape drainer_shape = { "drainers/{unit}", drainer_status };
static const struct shape *const pump_shapes[] = { NULL };
static const struct shape *const drainer_shapes[] = { &drainer_shape, NULL };

/* The registry's list, which is in upstream's form, as an object by id. */
static json_t *by_id(const json_t *nodes)
{
    json_t *all = json_object(), *node;
    size_t i;

    json_array_foreach ((json_t *)nodes, i, node)
        json_object_set(all, json_string_value(json_object_get(node, "nodeId")), node);
    return all;
}

/* The timestamp is taken last: it is beyond all that the nodes say. */
static int pump_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *unit = call_read(c, UNIT, err);
    SCOPED(json_decrefp) json_t *nodes = unit ? call_read(c, NODES, err) : NULL;
    SCOPED(json_decrefp) json_t *ts = nodes ? call_read(c, FRESH_TS, err) : NULL;
    const json_t *why = json_object_get(unit, "error");

    if (!ts)
        return err->code;
    return call_json(c,
                     json_pack("{s:o,s:O,s:{},s:s}", "status", by_id(nodes), "CommitTS", ts,
                               "Checkpoint", "ErrMsg",
                               json_is_string(why) ? json_string_value(why) : ""),
                     JSON_COMPACT);
}

static int pump_drainers(struct call *c, struct err *err)
{
    json_t *all = call_read(c, DRAINERS, err);

    return all ? call_json(c, all, JSON_COMPACT) : err->code;
}

static int drainer_serve_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *unit = call_read(c, UNIT, err);

    return unit ? call_json(c, shape_of(&drainer_shape, unit), JSON_COMPACT) : err->code;
}

/* --- the envelope --- */

static int reply_envelope(struct call *c, int code, const char *message, json_t *data)
{
    json_t *v = json_pack("{s:s,s:i,s:o}", "message", message, "code", code, "data",
                          data ? data : json_null());

    return call_json(c, v, JSON_INDENT(2));
}

static int __attribute__((format(printf, 2, 3))) fail(struct call *c, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return reply_envelope(c, CODE_FAILED, text, NULL);
}

static int drainer_commit_ts(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *unit = call_read(c, UNIT, err);

    if (!unit)
        return err->code;
    return reply_envelope(c, CODE_OK, "get drainer's latest ts success!",
                          json_pack("{s:O}", "ts", json_object_get(unit, "last_ts")));
}

/* --- changes of state --- */

/* What may be asked, from which state, and what it runs. */
static const struct verb {
    const char *name, *from;
    unsigned use;
} verbs[] = {
    { "pause", "online", PAUSE },   { "close", "online", CLOSE },  { "stop", "online", PAUSE },
    { "resume", "paused", RESUME }, { "start", "paused", RESUME }, { "online", "paused", RESUME },
    { "resume", "offline", START }, { "start", "offline", START }, { "online", "offline", START },
};

static const struct verb *find_verb(const char *action, const char *state)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, action) == 0 && strcmp(verbs[i].from, state) == 0)
            return &verbs[i];
    return NULL;
}

static bool is_verb(const char *action)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, action) == 0)
            return true;
    return false;
}

/* The tests and texts in upstream's order; both kinds call it "this pump". */
static int set_state(struct call *c, const char *invalid, struct err *err)
{
    const char *id = call_param(c, "id"), *action = call_param(c, "action");
    SCOPED(json_decrefp) json_t *unit = call_read(c, UNIT, err), *none = json_object();
    const char *own, *state;
    const struct verb *v;
    int rc;

    if (!unit)
        return err->code;
    own = json_string_value(json_object_get(unit, "node_id"));
    state = json_string_value(json_object_get(unit, "node_state"));
    if (strcmp(id, own) != 0)
        return fail(c, "%s nodeID %s, this pump's nodeID is %s", invalid, id, own);
    v = find_verb(action, state);
    if (!v && (strcmp(state, "online") != 0 || is_verb(action)))
        return fail(c, "this pump's state is %s, apply %s failed!", state, action);
    if (!v)
        return fail(c, "%s action %s", invalid, action);
    rc = call_write(c, v->use, none, err);
    if (rc == -EACCES)
        return rc;
    if (rc < 0 && rc != -ETIMEDOUT) /* it takes longer: upstream does not wait at all */
        return fail(c, "%s", err->text);
    SCOPED(freep) char *done = xasprintf("apply action %s success!", action);

    return reply_envelope(c, CODE_OK, done, NULL);
}

static int pump_state(struct call *c, struct err *err)
{
    return set_state(c, "invalide", err);
}

static int drainer_state(struct call *c, struct err *err)
{
    return set_state(c, "invalid", err);
}

/* --- debug/ --- */

static int pump_gc(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *none = json_object();
    int rc = call_write(c, GC, none, err);

    if (rc == -EBUSY)
        return call_text(c, "gc is working\n");
    return rc < 0 && rc != -ETIMEDOUT ? rc : call_text(c, "trigger gc success\n");
}

/* The file binlog/<ts> has upstream's form already. */
static int pump_binlog(struct call *c, struct err *err)
{
    const char *text = call_param(c, "ts");
    SCOPED(freep) char *name = NULL;
    char *end;
    long long ts;
    int rc;

    errno = 0;
    ts = strtoll(text, &end, 10);
    if (end == text || *end || errno || *text == ' ')
        return call_text(c, "invalid parameter ts: %s", text);
    name = xasprintf("%lld", ts);
    c->r->type = format_types[FORMAT_TEXT];
    rc = call_text_below(c, BINLOG, name, &c->r->body, err);
    if (rc == 0 || rc == -EACCES)
        return rc;
    buf_clear(&c->r->body);
    return call_text(c, "fail read binlog by ts: %lld: %s", ts,
                     rc == -ENOENT ? "binlog not found" : err->text);
}

/* --- metrics --- */

static int reply_metrics(struct call *c, const struct metric_row *rows, struct err *err)
{
    SCOPED(json_decrefp) json_t *unit = call_read(c, UNIT, err), *all = NULL;
    json_t *errors = unit ? call_read(c, ERRORS, err) : NULL;
    json_t *histograms = errors ? call_read(c, HISTOGRAMS, err) : NULL;

    if (!histograms) {
        json_decref(errors);
        return err->code;
    }
    all = json_copy(unit);
    json_object_set_new(all, "errors", errors);
    json_object_set_new(all, "histograms", histograms);
    c->r->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_of_rows(rows, all, &c->r->body);
    return 0;
}

static int pump_serve_metrics(struct call *c, struct err *err)
{
    return reply_metrics(c, pump_metrics, err);
}

static int drainer_serve_metrics(struct call *c, struct err *err)
{
    return reply_metrics(c, drainer_metrics, err);
}

/* --- errors --- */

static void refuse(struct call *c, const struct err *err)
{
    c->r->status = status_of_errno(err->code);
    c->r->type = format_types[FORMAT_TEXT];
    if (!c->route && c->r->status == 404)
        buf_str(&c->r->body, "404 page not found\n");
    else if (c->route || c->r->status != 405) /* upstream's 405 has no body */
        buf_printf(&c->r->body, "%s\n", err->text);
}

static const struct route pump_routes[] = {
    { "GET", "/status", pump_status },
    { "*", "/metrics", pump_serve_metrics },
    { "GET", "/drainers", pump_drainers },
    { "PUT", "/state/{id}/{action}", pump_state },
    { "GET", "/debug/binlog/{ts}", pump_binlog },
    { "POST", "/debug/gc/trigger", pump_gc },
    { 0 },
};

static const struct route drainer_routes[] = {
    { "GET", "/status", drainer_serve_status },
    { "*", "/metrics", drainer_serve_metrics },
    { "GET", "/commit_ts", drainer_commit_ts },
    { "PUT", "/state/{id}/{action}", drainer_state },
    { 0 },
};

const struct facade pump_facade = {
    .name = "pump",
    .prefix = "/pumps/{unit}",
    .units = "pumps",
    .routes = pump_routes,
    .uses = pump_uses,
    .shapes = pump_shapes,
    .metrics = pump_metrics,
    .refuse = refuse,
};

const struct facade drainer_facade = {
    .name = "drainer",
    .prefix = "/drainers/{unit}",
    .units = "drainers",
    .routes = drainer_routes,
    .uses = drainer_uses,
    .shapes = drainer_shapes,
    .metrics = drainer_metrics,
    .refuse = refuse,
};
