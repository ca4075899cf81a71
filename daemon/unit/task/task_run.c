#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/source/source.h"
#include "unit/sync/sync.h"
#include "unit/task/forget.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_check.h"
#include "unit/task/task_doc.h"
#include "unit/task/task_order.h"

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

void task_halt(struct task *t)
{
    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    t->halted = true; /* in memory alone: what is wanted stays so after a restart */
    mutex_unlock(&t->lock);
    task_ask(t, NULL, UNIT_STOPPED);
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

/* 'chosen': those whose failed units start too. */
static void step(struct task *t, const json_t *chosen) REQUIRES(t->steer)
{
    for (unsigned i = 0; i < t->n_subs; i++) {
        struct subtask *s = t->subs[i];
        enum unit_state units[N_STAGES];
        enum wanted wanted;

        mutex_lock(&t->lock);
        wanted = subtask_wanted(s);
        mutex_unlock(&t->lock);
        subtask_states(s, units);
        if (wanted == WANTED_RUNNING)
            start_units(
                s, plan_to_start(s->stages, units, chosen && names_have(chosen, s->job->source)));
    }
}

/* All of 'only' (NULL: all there are). */
static bool all_in(struct task *t, const json_t *only, enum stage least) REQUIRES(t->lock)
{
    for (unsigned i = 0; i < t->n_subs; i++) {
        enum unit_state units[N_STAGES];

        if (only && !names_have(only, t->subs[i]->job->source))
            continue;
        subtask_states(t->subs[i], units);
        if (plan_stage(t->subs[i]->stages, units) < least)
            return false;
    }
    return t->n_subs > 0;
}

/* Which sources came to sync; true if one did just now. */
static bool note_followed(struct task *t) REQUIRES(t->lock)
{
    size_t before = json_object_size(t->followed);

    for (unsigned i = 0; i < t->n_subs; i++)
        if (t->subs[i]->units[STAGE_SYNC] && subtask_stage(t->subs[i]) == STAGE_SYNC &&
            !json_object_get(t->followed, t->subs[i]->job->source))
            json_object_set_new(t->followed, t->subs[i]->job->source, json_true());
    return json_object_size(t->followed) > before;
}

/* Remembers what need not be done again. */
static void keep_progress(struct task *t, const char *path)
{
    bool checked, finished, changed;
    struct err err = ERR_INIT;

    mutex_lock(&t->lock);
    checked = all_in(t, NULL, STAGE_DUMP);
    finished = all_in(t, NULL, N_STAGES);
    changed = (checked && !t->checked) || (finished && !t->finished);
    changed = note_followed(t) || changed;
    t->checked = t->checked || checked;
    t->passed = t->passed || checked;
    t->finished = t->finished || finished;
    mutex_unlock(&t->lock);
    if (changed && task_save(t, &err) < 0)
        log_warn(path, "after a restart a finished stage runs again: %s", err.text);
}

/* Where sync ended, to be shown if the daemon starts again before sync does. */
static void keep_place(struct task *t, const struct subtask *s)
{
    SCOPED(json_decrefp) json_t *place = sync_place(s->units[STAGE_SYNC]);
    struct err err = ERR_INIT;
    bool moved;

    mutex_lock(&t->lock);
    moved = place && !t->halted && task_subtask(t, s->job->source) == s &&
            !json_equal(place, json_object_get(t->followed, s->job->source));
    if (moved)
        json_object_set(t->followed, s->job->source, place);
    mutex_unlock(&t->lock);
    if (moved && task_save(t, &err) < 0)
        log_warn(s->job->path, "after a restart it is not shown where sync was: %s", err.text);
}

void task_unit_ended(struct unit *u, void *arg)
{
    struct subtask *s = arg;
    struct task *t = s->task;

    mutex_lock(&t->steer);
    if (unit_state(u) == UNIT_FINISHED) {
        keep_progress(t, s->job->path);
        step(t, NULL);
    } else if (u == s->units[STAGE_SYNC]) {
        keep_place(t, s);
    }
    mutex_unlock(&t->steer);
    tell(t);
}

/* --- what is wanted --- */

void task_note_started(struct task *t, const json_t *sources)
{
    SCOPED(json_decrefp)
    json_t *names = sources ? json_incref((json_t *)sources) : task_doc_sources(t->doc);
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name)
        json_object_set_new(t->started, json_string_value(name), json_true());
}

/* For all: one word.  For some: theirs, where it is another than that of all. */
static void put_wanted(struct task *t, const json_t *sources, enum wanted wanted) REQUIRES(t->lock)
{
    const json_t *name;
    size_t i;

    if (!sources) {
        t->wanted = wanted;
        json_object_clear(t->apart);
    }
    json_array_foreach (sources, i, name) {
        if (wanted == t->wanted)
            json_object_del(t->apart, json_string_value(name));
        else
            json_object_set_new(t->apart, json_string_value(name),
                                json_string(wanted_names[wanted]));
    }
    if (wanted == WANTED_RUNNING)
        task_note_started(t, sources);
}

static int set_wanted(struct task *t, const json_t *sources, enum wanted wanted, struct err *err)
{
    SCOPED(json_decrefp) json_t *apart = NULL, *started = NULL;
    enum wanted was;
    int rc;

    mutex_lock(&t->lock);
    was = t->wanted;
    started = json_copy(t->started);
    apart = json_copy(t->apart);
    put_wanted(t, sources, wanted);
    t->error = ERR_INIT;
    mutex_unlock(&t->lock);
    if ((rc = task_save(t, err)) == 0)
        return 0;
    mutex_lock(&t->lock);
    t->wanted = was;
    json_object_clear(t->started);
    json_object_update(t->started, started);
    json_object_clear(t->apart);
    json_object_update(t->apart, apart);
    mutex_unlock(&t->lock);
    return rc;
}

/* --- start and resume --- */

static int complete(struct task *t, struct err *err)
{
    int rc;

    mutex_lock(&t->lock);
    rc = task_doc_complete(t->doc, err);
    mutex_unlock(&t->lock);
    return rc;
}

/* May it be told so, and have the units of before ended?  Lets go of steer while it waits for
 * them.  '*ret': the sources that it is for. */
static int settle(struct task *t, const struct task_order *o, json_t **ret, struct err *err)
    REQUIRES(t->steer)
{
    int rc;

    while ((rc = task_choose(t, o, ret, err)) == 0) {
        if ((rc = complete(t, err)) == 0 && task_wait(t, *ret, 0) == 0)
            return 0;
        if (rc == 0) {
            task_ask(t, *ret, UNIT_STOPPED); /* such as wait for their next retry */
            mutex_unlock(&t->steer);
            rc = task_await(t, *ret, TASK_GRACE_MS);
            mutex_lock(&t->steer);
            if (rc < 0)
                err_set(err, rc, "a unit is still ending; try again");
        }
        json_decref(*ret);
        *ret = NULL;
        if (rc < 0)
            break;
    }
    return rc;
}

static int check_enabled(struct task *t, const json_t *chosen, struct err *err)
{
    const json_t *name;
    size_t i;

    json_array_foreach (chosen, i, name) {
        struct source *s = source_find(t->config.sources, json_string_value(name));
        bool disabled = s && !source_enabled(s);

        source_unref(s);
        if (disabled)
            return err_set(err, -EPERM, "source %s is disabled: echo > sources/%s/enable",
                           json_string_value(name), json_string_value(name));
    }
    return 0;
}

static int forget_chosen(struct task *t, const json_t *chosen, struct err *err) REQUIRES(t->steer)
{
    const json_t *name;
    size_t n = 0, i;
    int rc = 0;

    for (i = 0; i < t->n_subs && rc == 0; i++) {
        if (!names_have(chosen, t->subs[i]->job->source))
            continue;
        rc = forget_job(t->subs[i]->job, err);
        n++;
    }
    mutex_lock(&t->lock);
    json_array_foreach (chosen, i, name)
        json_object_del(t->followed, json_string_value(name));
    if (rc == 0) {
        t->checked = t->finished = false;
        t->passed = t->passed && n < t->n_subs; /* the tables of the others stay */
    }
    mutex_unlock(&t->lock);
    return rc < 0 ? rc : task_build(t, chosen, err);
}

/* Units are made anew, so that whatever has changed meanwhile counts: the document, the source, a
 * file with a password. */
static int start(struct task *t, const struct task_order *o, const json_t *chosen, struct err *err)
    REQUIRES(t->steer)
{
    int rc = check_enabled(t, chosen, err);

    if (rc == 0)
        rc = task_build(t, chosen, err);
    if (rc == 0 && o->forget)
        rc = forget_chosen(t, chosen, err);
    if (rc == 0)
        rc = task_begin(t, o, chosen, err);
    if (rc == 0)
        rc = set_wanted(t, o->sources, WANTED_RUNNING, err);
    if (rc == 0)
        step(t, chosen);
    return rc;
}

static bool any_runs(struct task *t, const json_t *chosen) REQUIRES(t->lock)
{
    const json_t *name;
    size_t i;

    json_array_foreach (chosen, i, name)
        if (task_source_state(t, json_string_value(name)) == UNIT_RUNNING)
            return true;
    return false;
}

/* Waits for the check to pass.  A check that fails is the start's failure; one that takes longer
 * goes on by itself, and nobody is told that it passed. */
static int await_check(struct task *t, const json_t *chosen, struct err *err)
{
    int64_t until_us = clock_mono_us() + TASK_ACTION_MS * 1000LL, left_us;
    struct err first = ERR_INIT;
    bool open;

    mutex_lock(&t->lock);
    while ((open = !all_in(t, chosen, STAGE_DUMP) && any_runs(t, chosen)) &&
           (left_us = until_us - clock_mono_us()) > 0)
        cond_wait(&t->cond, &t->lock, left_us / 1000 + 1);
    for (unsigned i = 0; i < t->n_subs && !first.code; i++)
        if (t->subs[i]->units[STAGE_CHECK] && names_have(chosen, t->subs[i]->job->source))
            unit_error(t->subs[i]->units[STAGE_CHECK], &first);
    mutex_unlock(&t->lock);
    if (!first.code && open)
        err_set(&first, -ETIMEDOUT, "the check still goes on; the task runs once it has passed");
    if (first.code)
        *err = first;
    return first.code;
}

/* What should run but cannot even begin is in error; a draft stays what it is, and so do the other
 * sources where one alone cannot. */
static void keep_error(struct task *t, const struct task_order *o, const struct err *err)
{
    mutex_lock(&t->lock);
    if (t->wanted == WANTED_RUNNING && !o->sources)
        t->error = *err;
    mutex_unlock(&t->lock);
}

static int run_start(struct task *t, const struct task_order *o, struct err *err)
{
    SCOPED(json_decrefp) json_t *chosen = NULL;
    int rc;

    if (forget_wait(t->name, TASK_ACTION_MS) < 0)
        return err_set(err, -EBUSY,
                       "the checkpoints of a deleted task of this name are still being removed");
    mutex_lock(&t->steer);
    if ((rc = settle(t, o, &chosen, err)) == 0 && (rc = start(t, o, chosen, err)) < 0)
        keep_error(t, o, err);
    mutex_unlock(&t->steer);
    tell(t);
    return rc < 0 ? rc : await_check(t, chosen, err);
}

/* --- pause and stop --- */

static int run_stop(struct task *t, const struct task_order *o, struct err *err)
{
    enum wanted wanted = o->command == TASK_PAUSE ? WANTED_PAUSED : WANTED_STOPPED;
    SCOPED(json_decrefp) json_t *chosen = NULL;
    int rc;

    mutex_lock(&t->steer);
    rc = task_choose(t, o, &chosen, err);
    if (rc == 0)
        rc = set_wanted(t, o->sources, wanted, err);
    if (rc == 0)
        task_ask(t, chosen, wanted == WANTED_PAUSED ? UNIT_PAUSED : UNIT_STOPPED);
    mutex_unlock(&t->steer);
    if (rc < 0)
        return rc;
    rc = task_await(t, chosen, o->grace_ms);
    tell(t);
    return rc < 0 ? err_set(err, rc, "it will %s when the servers let go of it",
                            o->command == TASK_PAUSE ? "pause" : "stop")
                  : 0;
}

int task_run(struct task *t, const struct task_order *o, struct err *err)
{
    if (o->command == TASK_PAUSE || o->command == TASK_STOP)
        return run_stop(t, o, err);
    return run_start(t, o, err);
}

/* --- a source is switched on or off --- */

/* Goes on, if it was running when the source was switched off. */
static int go_on(struct task *t, const json_t *one, struct err *err) REQUIRES(t->steer)
{
    bool wanted;
    int rc = 0;

    mutex_lock(&t->lock);
    wanted = task_wanted(t, json_string_value(json_array_get(one, 0))) == WANTED_RUNNING &&
             !t->finished && !t->halted && t->n_subs > 0;
    mutex_unlock(&t->lock);
    if (wanted)
        rc = task_build(t, one, err);
    if (wanted && rc == 0)
        step(t, one);
    return rc;
}

void task_source_switched(struct task *t, const char *source, bool on)
{
    SCOPED(json_decrefp) json_t *one = json_pack("[s]", source);
    SCOPED(freep) char *path = node_path(&t->node);
    struct err err = ERR_INIT;

    if (!on)
        task_ask(t, one, UNIT_STOPPED);
    if (task_await(t, one, TASK_GRACE_MS) < 0) {
        log_warn(path, "source %s: a unit is still ending", source);
    } else if (on) {
        mutex_lock(&t->steer);
        if (go_on(t, one, &err) < 0)
            log_error(path, "source %s cannot go on: %s", source, err.text);
        mutex_unlock(&t->steer);
    }
    tell(t);
}

/* --- check --- */

/* 'doc' as it would be, with the secrets that it has not; NULL: as the task's is. */
static int document_to_check(struct task *t, const json_t *doc, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *checked = NULL;

    if (doc && task_doc_check(doc, t->name, &checked, err) < 0)
        return err->code;
    mutex_lock(&t->lock);
    if (doc)
        doc_keep_secrets(task_doc_fields, checked, t->doc);
    else
        *ret = json_incref(t->full);
    json_object_clear(t->reports);
    json_object_clear(t->shapes);
    mutex_unlock(&t->lock);
    if (doc)
        *ret = doc_full(task_doc_fields, checked);
    return task_doc_complete(*ret, err);
}

/* Subtasks of its own, outside of the tree: what the task has may be at work later. */
static int subtasks_to_check(struct task *t, const json_t *with, struct subtask ***ret,
                             struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = NULL;
    unsigned stages;
    int rc;

    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    rc = plan_allows(TASK_CHECK, task_state(t), err);
    mutex_unlock(&t->lock);
    if (rc == 0 && (rc = document_to_check(t, with, &doc, err)) == 0) {
        stages = plan_stages(json_string_value(json_object_get(doc, "task_mode")), false);
        rc = task_make_subtasks(t, doc, stages, ret, err);
    }
    mutex_unlock(&t->steer);
    return rc;
}

int task_check(struct task *t, const json_t *doc, struct err *err)
{
    SCOPED(freep) struct subtask **subs = NULL;
    int n = subtasks_to_check(t, doc, &subs, err), rc = n < 0 ? n : 0;

    for (int i = 0; subs && i < n; i++) {
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

/* The sources that ran; a new reference. */
static json_t *to_resume(struct task *t) REQUIRES(t->lock)
{
    json_t *all = task_doc_sources(t->doc), *some = json_array(), *name;
    size_t i;

    json_array_foreach (all, i, name)
        if (!t->finished && task_wanted(t, json_string_value(name)) == WANTED_RUNNING)
            json_array_append(some, name);
    json_decref(all);
    return some;
}

/* The table that comes in was not there when the others were checked and copied, and is not asked
 * for before its rows are. */
static int take_document(struct task *t, const json_t *doc, struct err *err) REQUIRES(t->steer)
{
    SCOPED(json_decrefp) json_t *some = NULL;
    bool checked;
    int rc, rc_again = 0;

    mutex_lock(&t->lock);
    some = to_resume(t);
    checked = t->checked;
    mutex_unlock(&t->lock);
    rc = task_replace_document(t, doc, err);
    mutex_lock(&t->lock);
    t->checked = checked;
    mutex_unlock(&t->lock);
    if (rc == 0)
        rc = task_save(t, err);
    if (json_array_size(some) == 0)
        return rc;
    /* with the old document, if the new one was not taken */
    rc_again = task_build(t, some, rc == 0 ? err : &(struct err){ 0 });
    if (rc_again == 0)
        step(t, some);
    return rc < 0 ? rc : rc_again;
}

int task_take_document(struct task *t, const json_t *doc, struct err *err)
{
    int rc;

    mutex_lock(&t->steer);
    while (task_wait(t, NULL, 0) < 0) {
        task_ask(t, NULL, UNIT_STOPPED);
        mutex_unlock(&t->steer);
        rc = task_await(t, NULL, TASK_GRACE_MS);
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

void task_resume_at_start(struct task *t)
{
    struct task_order plain = { .command = TASK_RESUME };
    SCOPED(freep) char *path = node_path(&t->node);
    SCOPED(json_decrefp) json_t *some = NULL;
    struct err err = ERR_INIT;
    bool resume, shown;
    int rc = 0;

    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    some = to_resume(t);
    shown = json_object_size(t->started) && !t->finished; /* of a paused one too */
    resume = json_array_size(some) || (t->wanted == WANTED_RUNNING && !t->finished);
    if (resume)
        rc = task_doc_complete(t->doc, &err);
    mutex_unlock(&t->lock);
    if (shown && rc == 0)
        rc = task_build(t, some, &err);
    if (resume && rc == 0)
        step(t, some);
    if (rc < 0) {
        keep_error(t, &plain, &err);
        log_error(path, "cannot go on: %s", err.text);
    }
    mutex_unlock(&t->steer);
    tell(t);
}
