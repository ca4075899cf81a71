#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/precheck/check.h"
#include "unit/task/forget.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"

#define ACTION_MS 10000 /* TREE.md 8: an action returns after ten seconds at the latest */

static void json_freep(json_t **v)
{
    json_decref(*v);
}

static enum unit_state state_of(struct task *t)
{
    enum unit_state state;

    mutex_lock(&t->lock);
    state = task_state(t);
    mutex_unlock(&t->lock);
    return state;
}

/* After anything that may have changed the state: watchers, the events and who waits. */
static void tell(struct task *t)
{
    enum unit_state now, before;

    mutex_lock(&t->lock);
    before = t->shown;
    now = t->shown = task_state(t);
    cond_broadcast(&t->cond);
    mutex_unlock(&t->lock);
    if (now == before)
        return;
    node_changed(&t->node, "state");
    node_changed(&t->node, "progress");
    node_event(
        &t->node, "state",
        json_pack("{s:s, s:s}", "from", unit_state_names[before], "to", unit_state_names[now]));
}

void task_unit_moved(struct unit *u, void *arg)
{
    struct subtask *s = arg;

    (void)u;
    node_changed(&s->node, "state");
    tell(s->task);
}

/* --- waiting for units; without steer, which their ends need --- */

static bool live(enum unit_state s)
{
    return s == UNIT_RUNNING || s == UNIT_QUARANTINED || s == UNIT_ERROR || s == UNIT_PAUSED;
}

/* References to all units; caller frees. */
static struct unit **all_units(struct task *t, unsigned *n)
{
    struct unit **units;

    *n = 0;
    mutex_lock(&t->lock);
    units = xcalloc(t->n_subs * N_STAGES + 1, sizeof(struct unit *));
    for (unsigned i = 0; i < t->n_subs; i++)
        for (unsigned s = 0; s < N_STAGES; s++)
            if (t->subs[i]->units[s]) {
                units[*n] = t->subs[i]->units[s];
                node_ref(&units[(*n)++]->node);
            }
    mutex_unlock(&t->lock);
    return units;
}

static void ask_all(struct task *t, enum unit_state to)
{
    unsigned n;
    SCOPED(freep) struct unit **units = all_units(t, &n);

    for (unsigned i = 0; i < n; i++) {
        if (live(unit_state(units[i])))
            unit_ask_stop(units[i], to);
        node_unref(&units[i]->node);
    }
}

int task_wait(struct task *t, int64_t timeout_ms)
{
    int64_t until_us = clock_mono_us() + timeout_ms * 1000;
    unsigned n;
    SCOPED(freep) struct unit **units = all_units(t, &n);
    int rc = 0;

    for (unsigned i = 0; i < n; i++) {
        int64_t left_ms = (until_us - clock_mono_us()) / 1000;

        if (rc == 0)
            rc = unit_wait(units[i], timeout_ms < 0 ? -1 : left_ms > 0 ? left_ms : 0);
        node_unref(&units[i]->node);
    }
    return rc;
}

void task_cut(struct task *t)
{
    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs; i++)
        job_cut(t->subs[i]->job);
    mutex_unlock(&t->lock);
}

/* Waits for units that were asked to end, as long as an action may take. */
static int await_end(struct task *t)
{
    if (task_wait(t, TASK_GRACE_MS) == 0)
        return 0;
    task_cut(t);
    return task_wait(t, ACTION_MS - TASK_GRACE_MS);
}

void task_halt(struct task *t)
{
    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    t->wanted = t->wanted == WANTED_RUNNING ? WANTED_STOPPED : t->wanted; /* in memory alone */
    mutex_unlock(&t->lock);
    ask_all(t, UNIT_STOPPED);
    mutex_unlock(&t->steer);
}

/* --- the next step; under steer --- */

static void start_units(struct subtask *s, unsigned which)
{
    for (unsigned i = 0; i < N_STAGES; i++) {
        struct err err = ERR_INIT;

        if (!(which & STAGE_BIT(i)))
            continue;
        /* Nothing but a unit that ended at this very moment can refuse; its end steps again. */
        if (unit_start(s->units[i], &err) < 0)
            log_debug(s->job->path, "%s: %s", stage_names[i], err.text);
    }
}

static void step(struct task *t, bool also_failed) REQUIRES(t->steer)
{
    enum wanted wanted;

    mutex_lock(&t->lock);
    wanted = t->wanted;
    mutex_unlock(&t->lock);
    for (unsigned i = 0; i < t->n_subs && wanted == WANTED_RUNNING; i++) {
        struct subtask *s = t->subs[i];
        enum unit_state units[N_STAGES];

        subtask_states(s, units);
        start_units(s, plan_to_start(s->stages, units, also_failed));
    }
}

static bool all_in(struct task *t, enum stage least) REQUIRES(t->lock)
{
    for (unsigned i = 0; i < t->n_subs; i++) {
        enum unit_state units[N_STAGES];

        subtask_states(t->subs[i], units);
        if (plan_stage(t->subs[i]->stages, units) < least)
            return false;
    }
    return t->n_subs > 0;
}

/* Remembers what need not be done again. */
static void keep_progress(struct task *t, const char *path)
{
    bool checked, finished, changed;
    struct err err = ERR_INIT;

    mutex_lock(&t->lock);
    checked = all_in(t, STAGE_DUMP);
    finished = all_in(t, N_STAGES);
    changed = (checked && !t->checked) || (finished && !t->finished);
    t->checked = t->checked || checked;
    t->passed = t->passed || checked;
    t->finished = t->finished || finished;
    mutex_unlock(&t->lock);
    if (changed && task_save(t, &err) < 0)
        log_warn(path, "after a restart a finished stage runs again: %s", err.text);
}

void task_unit_ended(struct unit *u, void *arg)
{
    struct subtask *s = arg;
    struct task *t = s->task;

    mutex_lock(&t->steer);
    if (unit_state(u) == UNIT_FINISHED) {
        keep_progress(t, s->job->path);
        step(t, false);
    }
    mutex_unlock(&t->steer);
    tell(t);
}

/* --- units for the document as it is; under steer, while none runs --- */

static void drop_subtasks(struct task *t) REQUIRES(t->steer)
{
    struct subtask **subs;
    unsigned n;

    mutex_lock(&t->lock);
    subs = t->subs;
    n = t->n_subs;
    t->subs = NULL;
    t->n_subs = 0;
    mutex_unlock(&t->lock);
    for (unsigned i = 0; i < n; i++) {
        node_remove(&subs[i]->node);
        node_unref(&subs[i]->node);
    }
    free(subs);
}

void task_drop(struct task *t)
{
    mutex_lock(&t->steer);
    drop_subtasks(t);
    mutex_unlock(&t->steer);
}

static int make_subtasks(struct task *t, const json_t *doc, unsigned stages, struct subtask ***ret,
                         struct err *err)
{
    SCOPED(json_freep) json_t *names = task_doc_sources(doc);
    struct subtask **subs = xcalloc(json_array_size(names) + 1, sizeof(struct subtask *));
    const json_t *name;
    size_t i;
    int rc = 0;

    json_array_foreach (names, i, name)
        if (rc == 0)
            rc = subtask_new(t, doc, json_string_value(name), stages, &subs[i], err);
    if (rc < 0) {
        for (i = 0; subs[i]; i++)
            node_unref(&subs[i]->node);
        free(subs);
        return rc;
    }
    *ret = subs;
    return (int)json_array_size(names);
}

static int build(struct task *t, struct err *err) REQUIRES(t->steer)
{
    struct node *dir = node_child(&t->node, "sources");
    struct subtask **subs = NULL;
    json_t *doc;
    unsigned stages;
    int n;

    mutex_lock(&t->lock);
    doc = json_incref(t->full);
    stages = plan_stages(json_string_value(json_object_get(doc, "task_mode")), t->checked);
    mutex_unlock(&t->lock);
    n = make_subtasks(t, doc, stages, &subs, err);
    if (n >= 0) {
        drop_subtasks(t);
        for (int i = 0; i < n; i++)
            node_add(dir, node_ref(&subs[i]->node), err);
        mutex_lock(&t->lock);
        t->subs = subs;
        t->n_subs = (unsigned)n;
        mutex_unlock(&t->lock);
        task_sample(t); /* where the rate starts */
    }
    node_unref(dir);
    json_decref(doc);
    return n < 0 ? n : 0;
}

/* --- start and resume --- */

static int may(struct task *t, enum task_command c, struct err *err)
{
    int rc;

    if ((rc = plan_allows(c, state_of(t), err)) < 0)
        return rc;
    mutex_lock(&t->lock);
    rc = c != TASK_PAUSE && c != TASK_STOP ? task_doc_complete(t->doc, err) : 0;
    mutex_unlock(&t->lock);
    return rc;
}

static int set_wanted(struct task *t, enum wanted wanted, struct err *err)
{
    enum wanted was;
    bool ever;
    int rc;

    mutex_lock(&t->lock);
    was = t->wanted;
    ever = t->ever;
    t->wanted = wanted;
    t->ever = t->ever || wanted == WANTED_RUNNING;
    t->error = ERR_INIT;
    mutex_unlock(&t->lock);
    if ((rc = task_save(t, err)) == 0)
        return 0;
    mutex_lock(&t->lock);
    t->wanted = was;
    t->ever = ever;
    mutex_unlock(&t->lock);
    return rc;
}

/* May it be told so, and have the units of before ended?  Lets go of steer while it waits for
 * them. */
static int settle(struct task *t, enum task_command c, struct err *err) REQUIRES(t->steer)
{
    int rc;

    while ((rc = may(t, c, err)) == 0 && task_wait(t, 0) < 0) {
        ask_all(t, UNIT_STOPPED); /* such as wait for their next retry */
        mutex_unlock(&t->steer);
        rc = await_end(t);
        mutex_lock(&t->steer);
        if (rc < 0)
            return err_set(err, rc, "a unit is still ending; try again");
    }
    return rc;
}

static int forget_all(struct task *t, struct err *err) REQUIRES(t->steer)
{
    int rc = 0;

    for (unsigned i = 0; i < t->n_subs && rc == 0; i++)
        rc = forget_job(t->subs[i]->job, err);
    mutex_lock(&t->lock);
    if (rc == 0)
        t->checked = t->passed = t->finished = false;
    mutex_unlock(&t->lock);
    return rc < 0 ? rc : build(t, err);
}

/* Units are made anew, so that whatever has changed meanwhile counts: the document, the source, a
 * file with a password. */
static int start(struct task *t, bool forget, struct err *err) REQUIRES(t->steer)
{
    int rc = build(t, err);

    if (rc == 0 && forget)
        rc = forget_all(t, err);
    if (rc == 0)
        rc = set_wanted(t, WANTED_RUNNING, err);
    if (rc == 0)
        step(t, true);
    return rc;
}

/* The table that comes in was not there when the others were checked and copied, and is not asked
 * for before its rows are. */
static int take_document(struct task *t, const json_t *doc, struct err *err) REQUIRES(t->steer)
{
    bool checked, runs;
    int rc;

    mutex_lock(&t->lock);
    runs = t->wanted == WANTED_RUNNING;
    checked = t->checked;
    mutex_unlock(&t->lock);
    rc = task_replace_document(t, doc, err);
    mutex_lock(&t->lock);
    t->checked = checked;
    mutex_unlock(&t->lock);
    if (rc == 0)
        rc = task_save(t, err);
    if (runs) /* with the old document, if the new one was not taken */
        rc = rc == 0 ? start(t, false, err) : (start(t, false, &(struct err){ 0 }), rc);
    return rc;
}

int task_take_document(struct task *t, const json_t *doc, struct err *err)
{
    int rc;

    mutex_lock(&t->steer);
    while (task_wait(t, 0) < 0) {
        ask_all(t, UNIT_STOPPED);
        mutex_unlock(&t->steer);
        rc = await_end(t);
        mutex_lock(&t->steer);
        if (rc < 0) {
            mutex_unlock(&t->steer);
            return err_set(err, rc, "a unit is still ending; try again");
        }
    }
    rc = take_document(t, doc, err);
    mutex_unlock(&t->steer);
    tell(t);
    return rc;
}

/* Waits for the check to pass.  A check that fails is the start's failure; one that takes longer
 * goes on by itself. */
static int await_check(struct task *t, struct err *err)
{
    int64_t until_us = clock_mono_us() + ACTION_MS * 1000LL, left_us;
    struct err first = ERR_INIT;

    mutex_lock(&t->lock);
    while (!all_in(t, STAGE_DUMP) && task_state(t) == UNIT_RUNNING &&
           (left_us = until_us - clock_mono_us()) > 0)
        cond_wait(&t->cond, &t->lock, left_us / 1000 + 1);
    for (unsigned i = 0; i < t->n_subs && !first.code; i++)
        if (t->subs[i]->units[STAGE_CHECK])
            unit_error(t->subs[i]->units[STAGE_CHECK], &first);
    mutex_unlock(&t->lock);
    if (first.code)
        *err = first;
    return first.code;
}

/* What should run but cannot even begin is in error; a draft stays what it is. */
static void keep_error(struct task *t, const struct err *err)
{
    mutex_lock(&t->lock);
    if (t->wanted == WANTED_RUNNING)
        t->error = *err;
    mutex_unlock(&t->lock);
}

static int run_start(struct task *t, enum task_command c, bool forget, struct err *err)
{
    int rc;

    if (forget_wait(t->name, ACTION_MS) < 0)
        return err_set(err, -EBUSY,
                       "the checkpoints of a deleted task of this name are still being removed");
    mutex_lock(&t->steer);
    if ((rc = settle(t, c, err)) == 0 && (rc = start(t, forget, err)) < 0)
        keep_error(t, err);
    mutex_unlock(&t->steer);
    tell(t);
    return rc < 0 ? rc : await_check(t, err);
}

/* --- pause and stop --- */

static int run_stop(struct task *t, enum task_command c, struct err *err)
{
    enum wanted wanted = c == TASK_PAUSE ? WANTED_PAUSED : WANTED_STOPPED;
    int rc;

    mutex_lock(&t->steer);
    rc = may(t, c, err);
    if (rc == 0)
        rc = set_wanted(t, wanted, err);
    if (rc == 0)
        ask_all(t, wanted == WANTED_PAUSED ? UNIT_PAUSED : UNIT_STOPPED);
    mutex_unlock(&t->steer);
    if (rc < 0)
        return rc;
    rc = await_end(t);
    tell(t);
    return rc < 0 ? err_set(err, rc, "it will %s when the servers let go of it",
                            c == TASK_PAUSE ? "pause" : "stop")
                  : 0;
}

int task_run(struct task *t, enum task_command c, bool forget, struct err *err)
{
    if (c == TASK_PAUSE || c == TASK_STOP)
        return run_stop(t, c, err);
    return run_start(t, c, forget, err);
}

/* --- check --- */

/* Subtasks of its own, outside of the tree: what the task has may be at work later. */
static int subtasks_to_check(struct task *t, struct subtask ***ret, struct err *err)
{
    json_t *doc;
    unsigned stages;
    int rc;

    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    doc = json_incref(t->full);
    stages = plan_stages(json_string_value(json_object_get(doc, "task_mode")), false);
    json_object_clear(t->reports);
    mutex_unlock(&t->lock);
    if ((rc = may(t, TASK_CHECK, err)) == 0)
        rc = make_subtasks(t, doc, stages, ret, err);
    mutex_unlock(&t->steer);
    json_decref(doc);
    return rc;
}

int task_check(struct task *t, struct err *err)
{
    SCOPED(freep) struct subtask **subs = NULL;
    int n = subtasks_to_check(t, &subs, err), rc = n < 0 ? n : 0;

    for (int i = 0; i < n; i++) {
        struct err found = ERR_INIT;

        if (check_run(subs[i], &found) < 0 && rc == 0) {
            *err = found;
            rc = found.code;
        }
        node_unref(&subs[i]->node);
    }
    return rc;
}

/* --- the daemon starts --- */

void task_resume_at_start(struct task *t)
{
    SCOPED(freep) char *path = node_path(&t->node);
    struct err err = ERR_INIT;
    bool resume;
    int rc = 0;

    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    resume = t->wanted == WANTED_RUNNING && !t->finished;
    if (resume)
        rc = task_doc_complete(t->doc, &err);
    mutex_unlock(&t->lock);
    if (resume && rc == 0)
        rc = start(t, false, &err);
    if (rc < 0) {
        keep_error(t, &err);
        log_error(path, "cannot go on: %s", err.text);
    }
    mutex_unlock(&t->steer);
    tell(t);
}
