/* The units of a task, or of some of its sources: asked to end, waited for, cut off.  Without
 * steer, which their ends need. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_order.h"

static bool live(enum unit_state s)
{
    return s == UNIT_RUNNING || s == UNIT_QUARANTINED || s == UNIT_ERROR || s == UNIT_PAUSED;
}

static bool concerns(const struct subtask *s, const json_t *only)
{
    return !only || names_have(only, s->job->source);
}

/* References to all units; caller frees. */
static struct unit **units_of(struct task *t, const json_t *only, unsigned *n)
{
    struct unit **units;

    *n = 0;
    mutex_lock(&t->lock);
    units = xcalloc(t->n_subs * N_STAGES + 1, sizeof(struct unit *));
    for (unsigned i = 0; i < t->n_subs; i++)
        for (unsigned s = 0; s < N_STAGES; s++)
            if (t->subs[i]->units[s] && concerns(t->subs[i], only)) {
                units[*n] = t->subs[i]->units[s];
                node_ref(&units[(*n)++]->node);
            }
    mutex_unlock(&t->lock);
    return units;
}

void task_ask(struct task *t, const json_t *only, enum unit_state to)
{
    unsigned n;
    SCOPED(freep) struct unit **units = units_of(t, only, &n);

    for (unsigned i = 0; i < n; i++) {
        if (live(unit_state(units[i])))
            unit_ask_stop(units[i], to);
        node_unref(&units[i]->node);
    }
}

int task_wait(struct task *t, const json_t *only, int64_t timeout_ms)
{
    int64_t until_us = clock_mono_us() + timeout_ms * 1000;
    unsigned n;
    SCOPED(freep) struct unit **units = units_of(t, only, &n);
    int rc = 0;

    for (unsigned i = 0; i < n; i++) {
        int64_t left_ms = (until_us - clock_mono_us()) / 1000;

        if (rc == 0)
            rc = unit_wait(units[i], timeout_ms < 0 ? -1 : left_ms > 0 ? left_ms : 0);
        node_unref(&units[i]->node);
    }
    return rc;
}

void task_reconsider(struct task *t)
{
    unsigned n;
    SCOPED(freep) struct unit **units = units_of(t, NULL, &n);

    for (unsigned i = 0; i < n; i++) {
        unit_reconsider(units[i]);
        node_unref(&units[i]->node);
    }
}

void task_cut(struct task *t, const json_t *only)
{
    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs; i++)
        if (concerns(t->subs[i], only))
            job_cut(t->subs[i]->job);
    mutex_unlock(&t->lock);
}

int task_await(struct task *t, const json_t *only, int64_t grace_ms)
{
    if (grace_ms > TASK_ACTION_MS)
        grace_ms = TASK_ACTION_MS;
    if (task_wait(t, only, grace_ms) == 0)
        return 0;
    if (grace_ms < TASK_ACTION_MS) /* else they have more time, and we have none */
        task_cut(t, only);
    return task_wait(t, only, TASK_ACTION_MS - grace_ms);
}
