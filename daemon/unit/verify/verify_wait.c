/* What a comparison waits for: the stream, and its own rate. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/read/read_snapshot.h"
#include "unit/sync/sync.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_priv.h"

#define AGAIN_US ((int64_t)60 * 1000000) /* another server may be behind the source by then */
#define STEP_MS 20
#define LOOK_US ((int64_t)200000) /* the rate may be another one by then */

void verify_say(struct verify *v, const char *fmt, ...)
{
    char text[600];
    char *old;
    bool is_new;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    mutex_lock(&v->unit.lock);
    old = v->now;
    is_new = !old || strcmp(old, text) != 0;
    v->now = xstrdup(text);
    mutex_unlock(&v->unit.lock);
    free(old);
    if (is_new)
        node_changed(&v->unit.node, "progress");
}

static int nap(struct verify_run *r, int64_t ms, struct err *err)
{
    return unit_sleep(r->unit, ms) ? 0 : err_set(err, -ECANCELED, "asked to stop");
}

/* The task may have been started again since, with other units. */
static bool is_past(struct verify_run *r, const char *source, const struct position *until)
{
    struct subtask *s = task_find_sub(r->task, source);
    struct position at = { .offset = 0 };
    bool past;

    if (!s)
        return false;
    if (s->units[STAGE_SYNC])
        sync_position(s->units[STAGE_SYNC], &at);
    past = at.file[0] && position_compare(&at, until) >= 0;
    node_unref(&s->node);
    return past;
}

static int pass_source(struct verify_run *r, struct verify_source *s, const struct verify_table *t,
                       struct err *err)
{
    struct position until = { .offset = 0 };
    int64_t began = clock_mono_us();
    bool said = false;
    int rc = read_position_now(s->conn, &until, err);

    while (rc == 0 && !is_past(r, s->job->source, &until)) {
        if (r->verify && !said && clock_mono_us() - began > 1000000) {
            verify_say(r->verify, "%s.%s, waits until the task is at %s:%llu of %s", t->db, t->name,
                       until.file, (unsigned long long)until.offset, s->job->source);
            said = true;
        }
        rc = nap(r, STEP_MS, err);
        if (rc == 0 && clock_mono_us() - began > AGAIN_US) {
            position_fini(&until);
            until = (struct position){ .offset = 0 };
            rc = read_position_now(s->conn, &until, err);
            began = clock_mono_us();
        }
    }
    position_fini(&until);
    if (said)
        verify_say(r->verify, "%s.%s", t->db, t->name);
    return rc;
}

int verify_pass(struct verify_run *r, const struct verify_table *t, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < r->n_sources && rc == 0; i++)
        for (unsigned p = 0; p < t->n_parts; p++)
            if (t->parts[p].source == i) {
                rc = pass_source(r, &r->sources[i], t, err);
                break;
            }
    return rc;
}

static uint64_t rate_of(struct verify *v)
{
    uint64_t rate;

    mutex_lock(&v->settings);
    rate = v->rate;
    mutex_unlock(&v->settings);
    return rate;
}

/* When the rows so far are paid for at 'rate'; another one than before holds for what is owed. */
static int64_t due_us(struct verify_run *r, uint64_t rate, int64_t now)
{
    uint64_t paid = (uint64_t)(now - r->began_us) * r->paced_rate / 1000000;
    int64_t due;

    if (rate != r->paced_rate) {
        r->paced_rows = r->paced_rows > paid ? r->paced_rows - paid : 0;
        r->began_us = now;
        r->paced_rate = rate;
    }
    due = rate ? r->began_us + (int64_t)(r->paced_rows * 1000000 / rate) : now;
    if (due <= now) { /* what was waited for otherwise is no credit */
        r->began_us = now;
        r->paced_rows = 0;
    }
    return due;
}

int verify_pace(struct verify_run *r, uint64_t rows, struct err *err)
{
    int64_t now, due;
    int rc = 0;

    r->paced_rows += rows;
    do {
        now = clock_mono_us();
        due = due_us(r, rate_of(r->verify), now);
        if (unit_stopping(&r->verify->unit))
            rc = err_set(err, -ECANCELED, "asked to stop");
        else if (due > now)
            rc = nap(r, due - now < LOOK_US ? (due - now) / 1000 + 1 : LOOK_US / 1000, err);
    } while (rc == 0 && due > now);
    return rc;
}
