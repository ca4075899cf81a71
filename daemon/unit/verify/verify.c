#include "unit/verify/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/catalog.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_follow.h"
#include "unit/verify/verify_priv.h"

#define CHUNK_ROWS 10000

static struct verify *verify_of(const struct node *n)
{
    return node_owner((struct node *)n, struct verify, unit.node);
}

static void ended(struct unit *u, void *arg)
{
    struct verify *v = arg;
    struct err err = ERR_INIT;

    if (unit_state(u) == UNIT_FINISHED) {
        mutex_lock(&u->lock);
        v->repairs = false;
        mutex_unlock(&u->lock);
        if (verify_keep(v, false, &err) < 0)
            log_warn(u->path, "after a restart it is looked at again: %s", err.text);
    }
    verify_keep_shown(v);
}

static void moved(struct unit *u, void *arg)
{
    (void)arg;
    node_changed(&u->node, "state");
    node_event(&u->node, "state", json_pack("{s:s}", "to", unit_state_names[unit_state(u)]));
}

/* --- rows --- */

static json_t *get_progress(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    const struct verify *v = verify_of(n);
    SCOPED(freep) char *text = NULL;

    (void)a, (void)err;
    text = xasprintf(
        "%llu of %llu tables, %llu rows, %llu differ: %s",
        (unsigned long long)(atomic_load(&v->tables_done) + atomic_load(&v->tables_failed)),
        (unsigned long long)atomic_load(&v->tables),
        (unsigned long long)atomic_load(&v->rows_checked),
        (unsigned long long)atomic_load(&v->rows_differing), v->now ? v->now : "new");
    return json_string_nocheck(text);
}

static json_t *get_found(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_copy(verify_of(n)->found);
}

static json_t *get_report(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_copy(verify_of(n)->report);
}

enum { RATE, CHUNK };

static uint64_t *setting_of(struct verify *v, const struct attr *a)
{
    return a->offset == RATE ? &v->rate : &v->chunk_rows;
}

static json_t *get_setting(const struct node *n, const struct attr *a, struct err *err)
{
    struct verify *v = verify_of(n);
    json_t *value;

    (void)err;
    mutex_lock(&v->settings);
    value = json_integer((json_int_t)*setting_of(v, a));
    mutex_unlock(&v->settings);
    return value;
}

static int set_setting(struct node *n, const struct attr *a, const json_t *value, struct err *err)
{
    struct verify *v = verify_of(n);
    enum unit_state state = unit_state(&v->unit);

    mutex_lock(&v->settings);
    *setting_of(v, a) = (uint64_t)json_integer_value(value);
    mutex_unlock(&v->settings);
    return verify_keep(v, state == UNIT_RUNNING || state == UNIT_ERROR, err);
}

static const struct attr verify_attrs[] = {
    UNIT_ATTRS,
    { .name = "progress",
      .help = "How far it is, as a line for people",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_progress },
    ATTR_U64(struct verify, tables, ATTR_COUNT, "Tables of the target that are compared"),
    ATTR_U64(struct verify, tables_done, ATTR_COUNT, "Tables that were compared to their end"),
    ATTR_U64(struct verify, tables_failed, ATTR_COUNT,
             "Tables that could not be compared: report says why"),
    ATTR_U64(struct verify, rows_checked, ATTR_COUNT, "Rows compared"),
    ATTR_U64(struct verify, rows_differing, ATTR_COUNT,
             "Rows that the ends do not have alike, for sure"),
    ATTR_U64(struct verify, rows_unsettled, ATTR_COUNT,
             "Rows that changed each time they were looked at"),
    ATTR_U64(struct verify, rows_not_judged, ATTR_COUNT,
             "Rows that differ where filters leave updates or deletes out, which may be why"),
    { .name = "differing",
      .help = "The rows that differ: source, table of the target, key, and missing, extra or "
              "different there",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE,
      .get = get_found },
    { .name = "report",
      .help = "Each table: state, rows, how many differ, and how it was compared",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE,
      .get = get_report },
    { .name = "rate",
      .help = "Rows compared in a second at most; 0 no limit",
      .type = ATTR_COUNT,
      .unit = "rows/s",
      .flags = ATTR_GAUGE,
      .offset = RATE,
      .get = get_setting,
      .set = set_setting },
    { .name = "chunk_rows",
      .help = "Rows that the servers make one sum of",
      .type = ATTR_COUNT,
      .unit = "rows",
      .flags = ATTR_GAUGE,
      .offset = CHUNK,
      .min = 10,
      .max = 1000000,
      .get = get_setting,
      .set = set_setting },
    { 0 },
};

/* --- actions --- */

static bool is_at_work(enum unit_state s)
{
    return s == UNIT_RUNNING || s == UNIT_QUARANTINED;
}

int verify_run(struct verify *v, enum verify_how how, struct err *err)
{
    enum unit_state state = unit_state(&v->unit);
    bool started;
    int rc;

    mutex_lock(&v->task->lock);
    started = v->task->n_subs > 0;
    mutex_unlock(&v->task->lock);
    if (!started)
        return err_set(err, -EBUSY, "the task was never started: there is nothing to compare");
    if (state == UNIT_RUNNING)
        return err_set(err, -EBUSY, "it runs already");
    if (state == UNIT_ERROR)
        unit_stop(&v->unit, UNIT_STOPPED);
    unit_renew(&v->unit);
    mutex_lock(&v->unit.lock);
    v->fresh = how == VERIFY_ALL || (v->fresh && how == VERIFY_GO_ON);
    v->repairs = how == VERIFY_REPAIR || (v->repairs && how == VERIFY_GO_ON);
    mutex_unlock(&v->unit.lock);
    if (how == VERIFY_ALL) {
        atomic_store(&v->rows_checked, 0);
        atomic_store(&v->rows_differing, 0);
        atomic_store(&v->rows_unsettled, 0);
        atomic_store(&v->rows_not_judged, 0);
        atomic_store(&v->tables_done, 0);
        atomic_store(&v->tables_failed, 0);
    }
    rc = verify_keep(v, true, err);
    return rc < 0 ? rc : unit_start(&v->unit, err);
}

static int run_start(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return verify_run(verify_of(n), VERIFY_ALL, err);
}

static int run_resume(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return verify_run(verify_of(n), VERIFY_GO_ON, err);
}

/* Rows are mended by the task's own stream. */
static int follows(struct task *t, struct err *err)
{
    int rc = 0;

    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs && rc == 0; i++)
        if (!t->subs[i]->units[STAGE_SYNC])
            rc =
                err_set(err, -EBUSY, "the task does not follow the binlog: nothing mends the rows");
        else if (!is_at_work(unit_state(t->subs[i]->units[STAGE_SYNC])))
            rc = err_set(err, -EBUSY,
                         "sync of source %s is %s, and mends no rows: resume the task first",
                         t->subs[i]->job->source,
                         unit_state_names[unit_state(t->subs[i]->units[STAGE_SYNC])]);
    mutex_unlock(&t->lock);
    return rc;
}

/* What came of it, once it is over. */
static int repaired(struct verify *v, struct err *err)
{
    if (unit_wait(&v->unit, 9000) < 0)
        return err_set(err, -ETIMEDOUT,
                       "the rows are still being repaired: progress says how far it is");
    switch (unit_state(&v->unit)) {
    case UNIT_FINISHED:
        return 0;
    case UNIT_ERROR:
        unit_error(&v->unit, err);
        return err->code ? err->code : err_set(err, -EIO, "the rows are not repaired");
    default:
        return err_set(err, -ECANCELED, "somebody has stopped it meanwhile");
    }
}

static int run_repair(struct node *n, const json_t *args, struct err *err)
{
    struct verify *v = verify_of(n);
    int rc;

    (void)args;
    if (atomic_load(&v->rows_differing) == 0)
        return err_set(err, -ENOENT, "no row is known to differ: start compares all of them");
    rc = follows(v->task, err);
    if (rc == 0)
        rc = verify_run(v, VERIFY_REPAIR, err);
    return rc < 0 ? rc : repaired(v, err);
}

static int end(struct verify *v, enum unit_state to, struct err *err)
{
    int rc = verify_keep(v, false, err);

    if (rc < 0)
        return rc;
    unit_ask_stop(&v->unit, to);
    rc = unit_wait(&v->unit, 9000);
    return rc < 0 ? err_set(err, rc, "it will end when the servers let go of it") : 0;
}

static int run_pause(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return end(verify_of(n), UNIT_PAUSED, err);
}

static int run_stop(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return end(verify_of(n), UNIT_STOPPED, err);
}

static const struct action verify_actions[] = {
    { .name = "start", .run = run_start, .help = "Compare all rows of all tables, from the first" },
    { .name = "pause", .run = run_pause, .help = "Stop for a while; resume goes on" },
    { .name = "resume", .run = run_resume, .help = "Go on where it stopped" },
    { .name = "stop", .run = run_stop, .help = "End; what was found stays" },
    { .name = "repair",
      .run = run_repair,
      .help = "Copy the rows that differ again, while the stream goes on: returns when they are" },
    { 0 },
};

static const char *const examples[] = { "echo > start; watch cat progress", "cat differing",
                                        "echo 10000 > rate", NULL };

/* --- its life --- */

static void release(struct node *n) NO_THREAD_CHECK
{
    struct verify *v = verify_of(n);

    unit_fini(&v->unit);
    mutex_fini(&v->settings);
    json_decref(v->found);
    json_decref(v->report);
    free(v->now);
    node_unref(verify_follow_node(v->follow));
    node_unref(&v->task->node);
    free(v);
}

static const struct node_part verify_parts[] = { { "continuous", &verify_follow_type }, { 0 } };

const struct node_type verify_type = {
    .name = "verify",
    .help = "Compares all rows of the target with the sources', while both go on",
    .examples = examples,
    .attrs = verify_attrs,
    .actions = verify_actions,
    .parts = verify_parts,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = release,
};

static const struct unit_ops verify_ops = {
    .name = "verify",
    .run = verify_main,
    .wake = verify_wake,
};

struct verify *verify_new(struct task *task) NO_THREAD_CHECK
{
    struct verify *v = xcalloc(1, sizeof *v);
    struct err ignored = ERR_INIT; /* it is the only child */

    unit_init(&v->unit, &verify_ops, &verify_type, "verify");
    mutex_init(&v->settings);
    v->task = task;
    node_ref(&task->node);
    v->chunk_rows = CHUNK_ROWS;
    v->found = json_array();
    v->report = json_array();
    v->unit.ended = ended;
    v->unit.moved = moved;
    v->unit.arg = v;
    v->follow = verify_follow_new(task);
    (void)node_add(&v->unit.node, node_ref(verify_follow_node(v->follow)), &ignored);
    return v;
}

struct node *verify_node(struct verify *v)
{
    return &v->unit.node;
}

void verify_halt(struct verify *v)
{
    verify_follow_halt(v->follow);
    unit_ask_stop(&v->unit, UNIT_STOPPED);
}

int verify_wait(struct verify *v, int64_t timeout_ms)
{
    int rc = verify_follow_wait(v->follow, timeout_ms);

    return rc < 0 ? rc : unit_wait(&v->unit, timeout_ms);
}
