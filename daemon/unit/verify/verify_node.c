/* tasks/<t>/verify/continuous/: the unit and its rows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/task/task.h"
#include "unit/verify/verify_follow_priv.h"

#define MAX_PENDING 1000000

const char *const verify_modes[] = { "full", "fast", NULL };

static struct verify_follow *follow_of(const struct node *n)
{
    return node_owner((struct node *)n, struct verify_follow, unit.node);
}

/* --- what is wanted, across restarts --- */

static char *kept_path(const struct verify_follow *f)
{
    return xasprintf("validator/%s", f->task->node.name);
}

int verify_follow_keep(struct verify_follow *f, bool runs, struct err *err)
{
    SCOPED(freep) char *path = kept_path(f);
    json_t *doc;
    int rc;

    mutex_lock(&f->settings);
    doc = json_pack("{s:b, s:b, s:b, s:f, s:s, s:o}", "runs", runs, "paused", f->paused, "fast",
                    f->fast, "delay", f->delay_s, "start_time", f->start_time, "cutovers",
                    verify_cutovers_json(&f->cutovers));
    mutex_unlock(&f->settings);
    rc = catalog_put(f->task->config.catalog, path, doc, err);
    json_decref(doc);
    return rc;
}

bool verify_follow_wanted(struct verify_follow *f)
{
    enum unit_state s = unit_state(&f->unit);

    return s == UNIT_RUNNING || s == UNIT_ERROR;
}

static void moved(struct unit *u, void *arg)
{
    (void)arg;
    node_changed(&u->node, "state");
    node_event(&u->node, "state", json_pack("{s:s}", "to", unit_state_names[unit_state(u)]));
}

static void ended(struct unit *u, void *arg)
{
    (void)u;
    verify_error_keep(arg);
}

/* --- rows --- */

static json_t *get_mode(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    bool fast;

    (void)a, (void)err;
    mutex_lock(&f->settings);
    fast = f->fast;
    mutex_unlock(&f->settings);
    return json_string(verify_modes[fast]);
}

static int set_mode(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct verify_follow *f = follow_of(n);

    (void)a;
    mutex_lock(&f->settings);
    f->fast = strcmp(json_string_value(v), "fast") == 0;
    mutex_unlock(&f->settings);
    return verify_follow_keep(f, verify_follow_wanted(f), err);
}

static json_t *get_delay(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    json_t *v;

    (void)a, (void)err;
    mutex_lock(&f->settings);
    v = json_real(f->delay_s);
    mutex_unlock(&f->settings);
    return v;
}

static int set_delay(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct verify_follow *f = follow_of(n);

    (void)a;
    mutex_lock(&f->settings);
    f->delay_s = json_number_value(v);
    mutex_unlock(&f->settings);
    return verify_follow_keep(f, verify_follow_wanted(f), err);
}

enum which { PROCESSED, PENDING, ERRORS };

static json_t *get_status(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    struct verify_pending_counts c;
    const uint64_t *rows;

    (void)err;
    verify_pending_counts(f->pending, &c);
    rows = a->offset == PROCESSED ? c.processed : c.pending;
    if (a->offset == ERRORS)
        return json_sprintf("new/ignored/resolved: %llu/%llu/%llu",
                            (unsigned long long)atomic_load(&f->errors_new),
                            (unsigned long long)atomic_load(&f->errors_ignored),
                            (unsigned long long)atomic_load(&f->errors_resolved));
    return json_sprintf(
        "insert/update/delete: %llu/%llu/%llu", (unsigned long long)rows[ROWS_INSERT],
        (unsigned long long)rows[ROWS_UPDATE], (unsigned long long)rows[ROWS_DELETE]);
}

static json_t *get_pending(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify_pending_counts c;

    (void)a, (void)err;
    verify_pending_counts(follow_of(n)->pending, &c);
    return json_integer((json_int_t)c.pending[0] + (json_int_t)c.pending[1] +
                        (json_int_t)c.pending[2]);
}

static json_t *get_start_time(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    json_t *v;

    (void)a, (void)err;
    mutex_lock(&f->settings);
    v = json_string(f->start_time);
    mutex_unlock(&f->settings);
    return v;
}

static json_t *get_catching_up(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_boolean(atomic_load(&follow_of(n)->catching_up));
}

static json_t *get_cutovers(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    json_t *v;

    (void)a, (void)err;
    mutex_lock(&f->settings);
    v = verify_cutovers_json(&f->cutovers);
    mutex_unlock(&f->settings);
    return v;
}

static json_t *get_errors(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_copy(follow_of(n)->errors);
}

static json_t *get_looked(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_copy(follow_of(n)->looked);
}

static json_t *get_tables(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_copy(follow_of(n)->tables);
}

static const struct attr attrs[] = {
    UNIT_ATTRS,
    { .name = "mode",
      .help = "full compares values, fast only whether rows are there; from the next start on",
      .type = ATTR_ENUM,
      .choices = verify_modes,
      .get = get_mode,
      .set = set_mode },
    { .name = "row_error_delay_seconds",
      .help = "A row that differs for so long is an error row",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_delay,
      .set = set_delay },
    { .name = "start_time",
      .help = "What changed since then is looked at, too; empty: what changed since the start",
      .type = ATTR_TEXT,
      .get = get_start_time },
    { .name = "catching_up",
      .help = "Changes from before it ran are still read from the sources' binlogs",
      .type = ATTR_BOOL,
      .get = get_catching_up },
    { .name = "looked_at",
      .help = "Up to where in each source's binlog all changes were looked at, but for suspects",
      .type = ATTR_JSON,
      .get = get_looked },
    { .name = "cutovers",
      .help =
          "Places after which the target is to be used: waiting, reached, or validated, and how "
          "many error rows there were then",
      .type = ATTR_JSON,
      .flags = ATTR_WATCHED,
      .get = get_cutovers },
    { .name = "processed_rows_status",
      .help = "Row changes taken from the stream, in DM's words",
      .type = ATTR_TEXT,
      .offset = PROCESSED,
      .get = get_status },
    { .name = "pending_rows_status",
      .help = "Of these, not looked at yet",
      .type = ATTR_TEXT,
      .offset = PENDING,
      .get = get_status },
    { .name = "error_rows_status",
      .help = "Rows that stay different",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .offset = ERRORS,
      .get = get_status },
    { .name = "pending_rows",
      .help = "Row changes that were not looked at yet",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE | ATTR_WATCHED,
      .get = get_pending },
    ATTR_U64(struct verify_follow, checked, ATTR_COUNT, "Rows looked at"),
    { .name = "suspects",
      .help = "Rows that differ now, and will be looked at again",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = attr_get_u64,
      .offset = offsetof(struct verify_follow, suspects) },
    { .name = "unlooked_tables",
      .help =
          "Tables of which all rows are compared: changes from before it ran cannot be told any "
          "more, or were suspected",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = attr_get_u64,
      .offset = offsetof(struct verify_follow, unlooked) },
    { .name = "errors_new",
      .help = "Of the rows that stay different, those that nobody has answered",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = attr_get_u64,
      .offset = offsetof(struct verify_follow, errors_new) },
    { .name = "errors",
      .help = "The rows that stay different: id, source, table, key, kind, DM's error_type, state",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE | ATTR_WATCHED,
      .get = get_errors },
    { .name = "stopped_tables",
      .help = "Tables whose rows are not looked at, and why",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_tables },
    { 0 },
};

static const char *const examples[] = { "echo mode=full > start", "cat error_rows_status errors",
                                        "echo id=7 > resolve_error",
                                        "echo pos=bin.000003:4711 > cutover; watch cat cutovers",
                                        NULL };

/* --- its life --- */

static void release(struct node *n) NO_THREAD_CHECK
{
    struct verify_follow *f = follow_of(n);

    unit_fini(&f->unit);
    verify_follow_forget(f);
    mutex_fini(&f->settings);
    verify_again_clear(f);
    verify_cutovers_fini(&f->cutovers);
    verify_places_fini(&f->places);
    verify_marks_free(f->marks);
    free(f->start_time);
    sync_watch_unref(verify_pending_watch(f->pending));
    json_decref(f->errors);
    json_decref(f->tables);
    json_decref(f->looked);
    node_unref(&f->task->node);
    free(f);
}

const struct node_type verify_follow_type = {
    .name = "verify_continuous",
    .help = "Looks at each row that sync has written, once the target has it; DM's validator",
    .examples = examples,
    .attrs = attrs,
    .actions = verify_follow_actions,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = release,
};

static const struct unit_ops ops = {
    .name = "continuous",
    .run = verify_follow_main,
    .wake = verify_follow_wake,
};

struct verify_follow *verify_follow_new(struct task *task) NO_THREAD_CHECK
{
    struct verify_follow *f = xcalloc(1, sizeof *f);

    unit_init(&f->unit, &ops, &verify_follow_type, "continuous");
    mutex_init(&f->settings);
    f->task = task;
    node_ref(&task->node);
    f->delay_s = 10;
    f->marks = verify_marks_new(task->config.store, task->node.name);
    verify_places_init(&f->places, task->config.catalog, task->node.name);
    f->pending = verify_pending_new(MAX_PENDING);
    f->start_time = xstrdup("");
    f->errors = json_array();
    f->tables = json_object();
    f->looked = json_object();
    f->unit.moved = moved;
    f->unit.ended = ended;
    f->unit.arg = f;
    return f;
}

struct node *verify_follow_node(struct verify_follow *f)
{
    return &f->unit.node;
}

void verify_follow_resume(struct verify_follow *f)
{
    SCOPED(freep) char *path = kept_path(f);
    struct err err = ERR_INIT;
    const char *time;
    json_t *doc = NULL;

    if (catalog_get(f->task->config.catalog, path, &doc, &err) < 0)
        return;
    time = json_string_value(json_object_get(doc, "start_time"));
    mutex_lock(&f->settings);
    f->fast = json_is_true(json_object_get(doc, "fast"));
    f->paused = json_is_true(json_object_get(doc, "paused"));
    f->delay_s = json_number_value(json_object_get(doc, "delay"));
    free(f->start_time);
    f->start_time = xstrdup(time ? time : "");
    verify_cutovers_take(&f->cutovers, json_object_get(doc, "cutovers"));
    mutex_unlock(&f->settings);
    verify_places_load(&f->places);
    mutex_lock(&f->unit.lock);
    json_decref(f->looked);
    f->looked = verify_places_json(&f->places);
    mutex_unlock(&f->unit.lock);
    verify_error_take(f);
    if (!json_is_true(json_object_get(doc, "runs")))
        unit_was(&f->unit, f->paused ? UNIT_PAUSED : UNIT_STOPPED);
    else if (verify_follow_go(f, &err) < 0)
        log_error(path, "cannot go on: %s", err.text);
    json_decref(doc);
}

void verify_follow_halt(struct verify_follow *f)
{
    unit_ask_stop(&f->unit, UNIT_STOPPED);
}

int verify_follow_wait(struct verify_follow *f, int64_t timeout_ms)
{
    return unit_wait(&f->unit, timeout_ms);
}

void verify_follow_drop(struct verify_follow *f)
{
    SCOPED(freep) char *path = kept_path(f);
    struct err ignored = ERR_INIT;

    (void)catalog_delete(f->task->config.catalog, path, &ignored);
    verify_error_drop(f);
    verify_marks_clear(f->marks);
    verify_places_clear(&f->places);
}
