/* dm_relay.c - the relay of a source, and what is told of both. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/state.h"

/* 0; 1 when that is the reply already: a name is no worker's. */
static int check_workers(struct call *c, struct err *err)
{
    const json_t *names = json_object_get(c->body, "worker_name_list"), *name;
    SCOPED(json_decrefp) json_t *worker = dm_worker(c, err);
    size_t i;

    if (!worker)
        return err->code;
    json_array_foreach ((json_t *)names, i, name) {
        if (json_equal(name, worker))
            continue;
        dm_fail(c, DM_WORKER_NOT_EXIST, "dm-worker with name %.200s not exists",
                json_string_value(name));
        return 1;
    }
    return 0;
}

/* The relay's attributes; NULL with a reply (err->code is 0) or an error. */
static json_t *read_relay(struct call *c, enum dm_error missing, struct err *err)
{
    json_t *relay = call_read(c, DM_RELAY, err);

    if (relay || err->code != -ENOENT)
        return relay;
    *err = ERR_INIT;
    if (missing == DM_RELAY_SOURCE_NOT_EXIST)
        dm_fail(c, missing, "sources [%s] need to update expectant relay stage not exist",
                call_param(c, "source"));
    else
        dm_fail(c, missing, "source config with ID %s not exists", call_param(c, "source"));
    return NULL;
}

/* Likewise, if those that the request names may be asked for it. */
static json_t *read_relay_of_workers(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay(c, DM_SOURCE_NOT_EXIST, err);

    return relay && check_workers(c, err) == 0 ? STEAL(relay) : NULL;
}

/* --- the relay --- */

/* Where an empty relay begins; "" leaves it. */
static int set_begin(struct call *c, const char *key, unsigned use, struct err *err)
{
    return *dm_text(c->body, key) ? call_write(c, use, json_object_get(c->body, key), err) : 0;
}

/* Also when it is on already. */
int dm_relay_start(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay_of_workers(c, err);
    SCOPED(json_decrefp) json_t *none = json_object();

    if (!relay)
        return err->code;
    if (dm_flag(relay, "enable_relay"))
        return dm_done(c);
    if (dm_check_binlog_name(c, dm_text(c->body, "relay_binlog_name")) ||
        dm_check_gtid(c, dm_text(c->body, "relay_binlog_gtid")))
        return 0;
    if (set_begin(c, "relay_binlog_name", DM_RELAY_NAME_SET, err) < 0 ||
        set_begin(c, "relay_binlog_gtid", DM_RELAY_GTID, err) < 0 ||
        call_write(c, DM_RELAY_START, none, err) < 0)
        return dm_fail_at(c, DM_STEP_RELAY, err);
    return dm_done(c);
}

int dm_relay_stop(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay_of_workers(c, err);
    SCOPED(json_decrefp) json_t *none = json_object();

    if (!relay)
        return err->code;
    return call_write(c, DM_RELAY_STOP, none, err) < 0 ? dm_fail_at(c, DM_STEP_RELAY, err)
                                                       : dm_done(c);
}

/* What an operation does with a relay that is in one of two states. */
struct stage_change {
    const char *from[2];
    unsigned use;
};

/* DM keeps the wish and lets the worker find out: where there is nothing to do, that is done. */
static int change_stage(struct call *c, const struct stage_change *to, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay(c, DM_RELAY_SOURCE_NOT_EXIST, err);
    SCOPED(json_decrefp) json_t *none = json_object();

    if (!relay)
        return err->code;
    if ((dm_is_state(relay, to->from[0]) || dm_is_state(relay, to->from[1])) &&
        call_write(c, to->use, none, err) < 0)
        return dm_fail_at(c, DM_STEP_RELAY, err);
    return dm_done(c);
}

int dm_relay_pause(struct call *c, struct err *err)
{
    static const struct stage_change to = { { "running", "error" }, DM_RELAY_PAUSE };

    return change_stage(c, &to, err);
}

int dm_relay_resume(struct call *c, struct err *err)
{
    static const struct stage_change to = { { "paused", "error" }, DM_RELAY_RESUME };

    return change_stage(c, &to, err);
}

/* 1 of "e9a1fc22-….000001", a sub-directory of DM's relay; 0 of what is none. */
static json_int_t incarnation_of(const char *dir)
{
    const char *dot = strrchr(dir, '.');
    bool is_number = dot && strlen(dot + 1) == 6 && strspn(dot + 1, "0123456789") == 6;

    return is_number ? strtoll(dot + 1, NULL, 10) : 0;
}

int dm_relay_purge(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = read_relay(c, DM_SOURCE_NOT_EXIST, err), *args = NULL;
    const char *dir = dm_text(c->body, "relay_dir");

    if (!relay)
        return err->code;
    if (!dm_flag(relay, "enable_relay"))
        return dm_fail(c, DM_COMMON, "no relay worker for source %s", call_param(c, "source"));
    if (*dir && !incarnation_of(dir))
        return dm_fail(c, DM_COMMON,
                       "relay_dir %.200s is no sub-directory of the relay, such as UUID.000001: "
                       "leave it out for the last one",
                       dir);
    args = json_pack("{s:O}", "before", json_object_get(c->body, "relay_binlog_name"));
    if (*dir)
        json_object_set_new(args, "incarnation", json_integer(incarnation_of(dir)));
    return call_write(c, DM_RELAY_PURGE, args, err) < 0 ? dm_fail_at(c, DM_STEP_PURGE, err)
                                                        : dm_done(c);
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

const struct shape dm_relay_shape = { "sources/{source}/relay", relay_status_fields };

/* Is there one, in DM's eyes: asked for, or at work for others? */
static bool has_relay(const json_t *relay)
{
    return dm_flag(relay, "enable_relay") ||
           !(dm_is_state(relay, "new") || dm_is_state(relay, "stopped"));
}

static json_t *relay_status(const json_t *source, const json_t *relay)
{
    json_t *v = shape_of(&dm_relay_shape, relay);
    const char *dir = dm_text(v, "relay_dir"), *uuid = dm_text(source, "server_uuid");

    if (*dir && *uuid)
        json_object_set_new(v, "relay_dir", json_sprintf("%s.%s", uuid, dir));
    return v;
}

json_t *dm_source_status(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *relay = call_read(c, DM_RELAY, err);
    SCOPED(json_decrefp) json_t *source = relay ? call_read(c, DM_SOURCE, err) : NULL;
    SCOPED(json_decrefp) json_t *worker = source ? dm_worker(c, err) : NULL;
    const char *why = dm_text(relay, "error"), *known = dm_text(source, "error");
    json_t *v;

    if (!worker)
        return NULL;
    v = json_pack("{s:s,s:O}", "source_name", call_param(c, "source"), "worker_name", worker);
    if (has_relay(relay))
        json_object_set_new(v, "relay_status", relay_status(source, relay));
    if (*why)
        json_object_set_new(
            v, "error_msg",
            dm_error_of_unit("relay", reason_of_word(dm_text(relay, "error_reason")), why));
    else if (*known)
        json_object_set_new(v, "error_msg", dm_error_of_unit("source", REASON_SOURCE, known));
    return v;
}

int dm_get_source_status(struct call *c, struct err *err)
{
    int rc = dm_no_source(c, err);
    json_t *v = rc == 0 ? dm_source_status(c, err) : NULL;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return v ? dm_list(c, json_pack("[o]", v)) : err->code;
}
