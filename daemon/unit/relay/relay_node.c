/* relay_node.c - sources/<s>/relay/: its actions and its type; relay_rows.c has the rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/relay/relay_priv.h"
#include "unit/source/source_priv.h"

#define ACTION_WAIT_MS 10000

static int keep_paused(struct relay *r, bool paused, struct err *err)
{
    return relay_keep(r, "paused", json_boolean(paused), err);
}

static int enable(struct relay *r, bool on, struct err *err)
{
    SCOPED(json_decrefp) json_t *is = relay_setting(r, "relay_config.enable_relay");
    SCOPED(json_decrefp) json_t *v = json_boolean(on);

    if (json_is_true(is) == on)
        return 0;
    return source_set_field(r->source, "relay_config.enable_relay", v, err);
}

/* One that is still stopping goes first. */
static int set_going(struct relay *r, struct err *err)
{
    if (unit_stopping(&r->unit) && unit_wait(&r->unit, ACTION_WAIT_MS) < 0)
        return err_set(err, -ETIMEDOUT, "it still stops");
    return relay_follow(r, true, err);
}

static int check_document(struct relay *r, struct err *err)
{
    struct mysql_params params;
    int rc = source_params(r->source, &params, err);

    if (rc == 0)
        mysql_params_fini(&params);
    return rc;
}

static int run_start(struct node *n, const json_t *args, struct err *err)
{
    struct relay *r = relay_of(n);
    int rc = check_document(r, err);

    (void)args;
    if (rc == 0)
        rc = keep_paused(r, false, err);
    if (rc == 0)
        rc = enable(r, true, err);
    return rc < 0 ? rc : set_going(r, err);
}

static int wait_stopped(struct relay *r, struct err *err)
{
    if (unit_wait(&r->unit, ACTION_WAIT_MS) < 0)
        return err_set(err, -ETIMEDOUT, "it still stops");
    return 0;
}

static int run_stop(struct node *n, const json_t *args, struct err *err)
{
    struct relay *r = relay_of(n);
    char who[64] = "";
    int rc;

    (void)args;
    mutex_lock(&r->unit.lock);
    if (r->n_wants)
        snprintf(who, sizeof who, "%s", r->wants[0]);
    mutex_unlock(&r->unit.lock);
    if (who[0])
        return err_set(err, -EBUSY, "%s uses it: stop that first, or pause the relay", who);
    rc = enable(r, false, err);
    if (rc == 0)
        rc = keep_paused(r, false, err);
    if (rc < 0)
        return rc;
    unit_ask_stop(&r->unit, UNIT_STOPPED);
    return wait_stopped(r, err);
}

static int run_pause(struct node *n, const json_t *args, struct err *err)
{
    struct relay *r = relay_of(n);
    enum unit_state state = unit_state(&r->unit);
    int rc;

    (void)args;
    if (state != UNIT_RUNNING && state != UNIT_ERROR)
        return err_set(err, -EBUSY, "the relay is %s, not running", unit_state_names[state]);
    rc = keep_paused(r, true, err);
    if (rc < 0)
        return rc;
    unit_ask_stop(&r->unit, UNIT_PAUSED);
    return wait_stopped(r, err);
}

static int run_resume(struct node *n, const json_t *args, struct err *err)
{
    struct relay *r = relay_of(n);
    enum unit_state state = unit_state(&r->unit);
    int rc;

    (void)args;
    if (state != UNIT_PAUSED && state != UNIT_ERROR)
        return err_set(err, -EBUSY, "the relay is %s, not paused", unit_state_names[state]);
    rc = keep_paused(r, false, err);
    return rc < 0 ? rc : set_going(r, err);
}

static int run_purge(struct node *n, const json_t *args, struct err *err)
{
    const char *before = json_string_value(json_object_get(args, "before"));
    const json_t *of = json_object_get(args, "incarnation");
    struct relay_until until = {
        .file = before,
        .incarnation = (uint32_t)json_integer_value(of),
        .seq = (uint64_t)json_integer_value(json_object_get(args, "until_seq")),
    };

    if (!before == !until.seq)
        return err_set(err, -EINVAL, "say before=FILE or until_seq=N");
    if (of && !before)
        return err_set(err, -EINVAL, "incarnation goes with before=FILE");
    return relay_purge(relay_of(n), &until, json_is_true(json_object_get(args, "force")), err);
}

static int run_verify(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return relay_verify(relay_of(n), err);
}

static int run_accept(struct node *n, const json_t *args, struct err *err)
{
    struct relay *r = relay_of(n);
    const char *from = json_string_value(json_object_get(args, "from"));
    char *old;

    if (unit_state(&r->unit) != UNIT_ERROR)
        return err_set(err, -EBUSY, "the relay is %s: there is nothing to accept",
                       unit_state_names[unit_state(&r->unit)]);
    if (strcmp(from, "oldest") != 0 && !strrchr(from, ':'))
        return err_set(err, -EINVAL, "from: say FILE:OFFSET, or oldest");
    mutex_lock(&r->unit.lock);
    old = r->accept;
    r->accept = xstrdup(from);
    mutex_unlock(&r->unit.lock);
    free(old);
    return set_going(r, err);
}

static const struct attr purge_params[] = {
    { .name = "before", .type = ATTR_TEXT, .help = "All before this file of the source goes" },
    { .name = "incarnation",
      .type = ATTR_COUNT,
      .help = "Of which server that file is, as files counts them; without it, of the last that "
              "has one of the name" },
    { .name = "until_seq", .type = ATTR_COUNT, .help = "All before this record goes" },
    { .name = "force", .type = ATTR_BOOL, .help = "Also what somebody still needs" },
    { 0 },
};

static const struct attr accept_params[] = {
    { .name = "from",
      .type = ATTR_TEXT,
      .flags = ATTR_REQUIRED,
      .help = "Where in the source's binlog: FILE:OFFSET, or oldest" },
    { 0 },
};

static const struct action relay_actions[] = {
    { .name = "start", .run = run_start, .help = "Store the binlog of this source, from now on" },
    { .name = "stop",
      .run = run_stop,
      .help = "Store no more; what is stored stays, and tasks read from the source" },
    { .name = "pause", .run = run_pause, .help = "Stand still until resume" },
    { .name = "resume", .run = run_resume, .help = "Go on after pause, or try again at once" },
    { .name = "purge",
      .run = run_purge,
      .params = purge_params,
      .help = "Delete what is stored up to a file or a record, unless somebody needs it" },
    { .name = "verify",
      .run = run_verify,
      .help = "Read all that is stored and compare checksums; see corruption and events" },
    { .name = "accept",
      .run = run_accept,
      .params = accept_params,
      .help = "Go on from a place of the source's binlog that does not follow what is stored, "
              "after an error that asked for it" },
    { 0 },
};

static const char *const relay_examples[] = {
    "echo > start; cat state",
    "cat binlog_file binlog_offset lag_seconds",
    "echo before=bin.000007 > purge",
    NULL,
};

const struct node_type relay_type = {
    .name = "relay",
    .help = "The binlog of this source, stored: read once from the source, and by all tasks, pumps "
            "and servers from here.",
    .examples = relay_examples,
    .attrs = relay_attrs,
    .actions = relay_actions,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = relay_release,
};
