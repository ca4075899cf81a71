/* What a task shows of itself: state, progress, rates, lag.  Called with the task locked. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"

/* --- state --- */

enum wanted task_wanted(const struct task *t, const char *source)
{
    const char *apart = json_string_value(json_object_get(t->apart, source));

    for (unsigned i = 0; apart && wanted_names[i]; i++)
        if (strcmp(wanted_names[i], apart) == 0)
            return (enum wanted)i;
    return t->wanted;
}

bool task_started(const struct task *t, const char *source)
{
    return json_object_get(t->started, source) != NULL;
}

/* Without units: what was asked for is all there is. */
static enum unit_state state_of_draft(const struct task *t, enum wanted wanted, bool started)
    REQUIRES(t->lock)
{
    if (t->finished)
        return UNIT_FINISHED;
    switch (wanted) {
    case WANTED_RUNNING:
        return UNIT_RUNNING;
    case WANTED_PAUSED:
        return UNIT_PAUSED;
    case WANTED_STOPPED:
        break;
    }
    return started ? UNIT_STOPPED : UNIT_NEW;
}

enum unit_state task_source_state(struct task *t, const char *source)
{
    struct subtask *s = task_subtask(t, source);
    enum unit_state units[N_STAGES];

    if (!s)
        return t->error.code ? UNIT_ERROR
                             : state_of_draft(t, task_wanted(t, source), task_started(t, source));
    subtask_states(s, units);
    return plan_state(s->stages, units, subtask_wanted(s), task_started(t, source));
}

static enum unit_state roll_up(struct task *t) REQUIRES(t->lock)
{
    json_t *names = task_doc_sources(t->doc), *name;
    SCOPED(freep) enum unit_state *states = xcalloc(json_array_size(names), sizeof *states);
    size_t i;

    json_array_foreach (names, i, name)
        states[i] = task_source_state(t, json_string_value(name));
    json_decref(names);
    return plan_roll_up(states, (unsigned)i);
}

enum unit_state task_state(struct task *t)
{
    if (t->error.code)
        return UNIT_ERROR;
    if (t->n_subs == 0 && json_object_size(t->apart) == 0)
        return state_of_draft(t, t->wanted, json_object_size(t->started) > 0);
    return roll_up(t);
}

json_t *task_get_state(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(unit_state_names[task_state(task_of(n))]);
}

json_t *task_get_error(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    struct task *t = task_of(n);
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    (void)a, (void)err;
    if (t->error.code)
        buf_str(&b, t->error.text);
    for (unsigned i = 0; i < t->n_subs; i++)
        for (unsigned s = 0; s < N_STAGES; s++) {
            struct err found = ERR_INIT;

            if (t->subs[i]->units[s])
                unit_error(t->subs[i]->units[s], &found);
            if (found.code)
                buf_printf(&b, "%ssource %s: %s: %s", b.size ? "\n" : "", t->subs[i]->job->source,
                           stage_names[s], found.text);
        }
    return json_string(b.data ? b.data : "");
}

json_t *task_get_reason(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    struct task *t = task_of(n);
    struct err found = t->error;

    (void)a, (void)err;
    for (unsigned i = 0; i < t->n_subs && !found.code; i++)
        for (unsigned s = 0; s < N_STAGES && !found.code; s++)
            if (t->subs[i]->units[s])
                unit_error(t->subs[i]->units[s], &found);
    return json_string(reason_word(found.reason));
}

static bool all_finished(const struct task *t) REQUIRES(t->lock)
{
    for (unsigned i = 0; i < t->n_subs; i++)
        if (subtask_current(t->subs[i]))
            return false;
    return t->n_subs > 0 || t->finished;
}

/* The stage that the slowest source is in. */
static const char *stage_now(const struct task *t) REQUIRES(t->lock)
{
    unsigned least = N_STAGES;

    for (unsigned i = 0; i < t->n_subs; i++) {
        enum stage stage = subtask_stage(t->subs[i]);

        if (stage < least)
            least = stage;
    }
    return least == N_STAGES ? "" : stage_names[least];
}

json_t *task_get_stage(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(stage_now(task_of(n)));
}

json_t *task_get_next_retry(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    const struct task *t = task_of(n);
    double soonest = 0;

    (void)a, (void)err;
    for (unsigned i = 0; i < t->n_subs; i++)
        for (unsigned s = 0; s < N_STAGES; s++) {
            double left = t->subs[i]->units[s] ? unit_retry_s(t->subs[i]->units[s]) : 0;

            if (left > 0 && (soonest == 0 || left < soonest))
                soonest = left;
        }
    return json_real(soonest);
}

/* --- counts --- */

/* Of all sources together; lag of the one that is furthest behind. */
static void sum(const struct task *t, struct unit_progress *ret) REQUIRES(t->lock)
{
    *ret = (struct unit_progress){ .lag_s = -1 };
    for (unsigned i = 0; i < t->n_subs; i++) {
        struct unit_progress p;

        subtask_progress(t->subs[i], &p);
        ret->phase = ret->phase ? ret->phase : p.phase;
        ret->tables += p.tables;
        ret->tables_done += p.tables_done;
        ret->rows += p.rows;
        ret->rows_estimated += p.rows_estimated;
        ret->bytes += p.bytes;
        ret->lag_s = p.lag_s > ret->lag_s ? p.lag_s : ret->lag_s;
    }
}

static struct rate_point point_of(const struct unit_progress *p)
{
    return (struct rate_point){ .us = clock_mono_us(), .rows = p->rows, .bytes = p->bytes };
}

json_t *task_get_number(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const struct task *t = task_of(n);
    struct unit_progress p;
    struct rate_point now;

    (void)err;
    sum(t, &p);
    now = point_of(&p);
    switch ((enum task_number)a->offset) {
    case TASK_ROWS:
        return json_integer((json_int_t)p.rows);
    case TASK_ROWS_ESTIMATED:
        return json_integer((json_int_t)p.rows_estimated);
    case TASK_BYTES:
        return json_integer((json_int_t)p.bytes);
    case TASK_TABLES:
        return json_integer((json_int_t)p.tables);
    case TASK_TABLES_DONE:
        return json_integer((json_int_t)p.tables_done);
    case TASK_ROWS_S:
        return json_integer((json_int_t)rate_rows_s(&t->rate, &now));
    case TASK_BYTES_S:
        return json_integer((json_int_t)rate_bytes_s(&t->rate, &now));
    case TASK_ETA_S:
        return json_integer((json_int_t)rate_eta_s(&t->rate, &now, p.rows_estimated));
    }
    return json_null();
}

json_t *task_get_lag(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    struct unit_progress p;

    (void)a, (void)err;
    sum(task_of(n), &p);
    return p.lag_s < 0 ? json_null() : json_real(p.lag_s);
}

json_t *task_get_tables(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const struct task *t = task_of(n);
    json_t *all = json_array();

    (void)a, (void)err;
    for (unsigned i = 0; i < t->n_subs; i++)
        for (unsigned s = 0; s < N_STAGES; s++) {
            struct unit *u = t->subs[i]->units[s];
            json_t *rows = u && u->ops->tables ? u->ops->tables(u) : NULL, *row;
            size_t k;

            json_array_foreach (rows, k, row) {
                json_object_set_new(row, "source", json_string(t->subs[i]->job->source));
                json_array_append(all, row);
            }
            json_decref(rows);
        }
    return all;
}

/* --- progress, for people --- */

/* 1234567 as 1,234,567. */
static void add_number(struct buf *b, uint64_t v)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_byte(b, ',');
        buf_byte(b, digits[i]);
    }
}

static void add_size(struct buf *b, double bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    unsigned i = 0;

    for (; bytes >= 1024 && i + 1 < ARRAY_LEN(units); i++)
        bytes /= 1024;
    buf_printf(b, i ? "%.1f %s" : "%.0f %s", bytes, units[i]);
}

static void add_duration(struct buf *b, double seconds)
{
    unsigned long s = (unsigned long)(seconds + 0.5);

    if (s >= 3600)
        buf_printf(b, "%lu h %02lu min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        buf_printf(b, "%lu min %02lu s", s / 60, s % 60);
    else
        buf_printf(b, "%lu s", s);
}

static void add_rates(struct buf *b, const struct unit_progress *p, const struct rate *r)
{
    struct rate_point now = point_of(p);

    buf_str(b, ", ");
    add_number(b, (uint64_t)rate_rows_s(r, &now));
    buf_str(b, " rows/s, ");
    add_size(b, rate_bytes_s(r, &now));
    buf_str(b, "/s");
}

/* What a copy does that moves no rows now, for those who do not know its phases. */
static const char *copy_does(const char *phase)
{
    static const struct {
        const char *phase, *does;
    } words[] = {
        { "idle", "about to begin" },
        { "planning", "asking which tables there are" },
        { "snapshot", "taking one moment of all tables" },
        { "schema", "making the tables at the target" },
        { "rows", NULL },
        { "views", "making the views at the target" },
        { "finished", "done" },
    };

    for (size_t i = 0; phase && i < ARRAY_LEN(words); i++)
        if (strcmp(words[i].phase, phase) == 0)
            return words[i].does;
    return phase;
}

/* "copy 45 %: 1,234,567 of about 2,700,000 rows, 512.0 MiB, 98,123 rows/s, ..., 15 s left" */
static void add_copy(struct buf *b, const struct unit_progress *p, const struct rate *r)
{
    const char *does = copy_does(p->phase);
    uint64_t of = p->rows_estimated > p->rows ? p->rows_estimated : p->rows;
    struct rate_point now = point_of(p);
    double eta_s = rate_eta_s(r, &now, p->rows_estimated);

    if (p->tables == 0) { /* not known yet, or copied before the last start */
        buf_printf(b, "copy: %s", does ? does : "about to begin");
        return;
    }
    buf_printf(b, "copy %llu %%: ", (unsigned long long)(of ? p->rows * 100 / of : 0));
    add_number(b, p->rows);
    buf_str(b, " of about ");
    add_number(b, of);
    buf_printf(b, " rows, %llu of %llu tables, ", (unsigned long long)p->tables_done,
               (unsigned long long)p->tables);
    add_size(b, (double)p->bytes);
    add_rates(b, p, r);
    if (eta_s > 0) {
        buf_str(b, ", ");
        add_duration(b, eta_s);
        buf_str(b, " left");
    }
    if (does)
        buf_printf(b, " (%s)", does);
}

/* "sync: 0.2 s behind, 12,345 rows applied, 98 rows/s, 1.2 MiB/s" */
static void add_sync(struct buf *b, const struct unit_progress *p, const struct rate *r)
{
    if (p->lag_s < 0)
        buf_str(b, "sync: ");
    else
        buf_printf(b, "sync: %.1f s behind, ", p->lag_s);
    add_number(b, p->rows);
    buf_str(b, " rows applied");
    add_rates(b, p, r);
    if (p->phase)
        buf_printf(b, " (%s)", p->phase);
}

json_t *task_get_progress(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    struct task *t = task_of(n);
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    const char *stage = stage_now(t);
    struct unit_progress p;

    (void)a, (void)err;
    sum(t, &p);
    if (all_finished(t))
        buf_str(&b, "finished");
    else if (strcmp(stage, "sync") == 0)
        add_sync(&b, &p, &t->rate);
    else if (strcmp(stage, "dump") == 0 || strcmp(stage, "load") == 0)
        add_copy(&b, &p, &t->rate);
    else
        buf_str(&b, *stage ? stage : unit_state_names[task_state(t)]);
    if (all_finished(t) && p.rows) {
        buf_str(&b, ": ");
        add_number(&b, p.rows);
        buf_str(&b, " rows, ");
        add_size(&b, (double)p.bytes);
    }
    return json_string(b.data);
}

void task_sample(struct task *t)
{
    struct unit_progress p;
    struct rate_point now;
    bool runs;

    mutex_lock(&t->lock);
    if (t->n_subs == 0) {
        mutex_unlock(&t->lock);
        return;
    }
    runs = task_state(t) == UNIT_RUNNING || task_state(t) == UNIT_QUARANTINED;
    sum(t, &p);
    now = point_of(&p);
    rate_sample(&t->rate, &now);
    mutex_unlock(&t->lock);
    if (runs) {
        node_changed(&t->node, "progress");
        node_changed(&t->node, "lag_seconds");
    }
}
