/* One run: all tables that are not compared yet. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_priv.h"

/* --- opening --- */

void verify_stop_links(struct verify_run *r)
{
    for (unsigned i = 0; r && i < r->n_sources; i++)
        job_link_stop(&r->sources[i].link);
}

void verify_wake(struct unit *u)
{
    struct verify *v = node_owner(u, struct verify, unit);

    mutex_lock(&u->lock);
    verify_stop_links(v->run);
    mutex_unlock(&u->lock);
}

static void show_run(struct verify *v, struct verify_run *r)
{
    mutex_lock(&v->unit.lock);
    v->run = r;
    mutex_unlock(&v->unit.lock);
}

void verify_take_sources(struct verify_run *r)
{
    struct task *t = r->task;

    mutex_lock(&t->lock);
    r->sources = xcalloc(t->n_subs + 1, sizeof *r->sources);
    for (unsigned i = 0; i < t->n_subs; i++) {
        struct verify_source *s = &r->sources[r->n_sources++];

        s->sub = t->subs[i];
        s->job = s->sub->job;
        node_ref(&s->sub->node);
        job_link_init(&s->link, s->job);
    }
    mutex_unlock(&t->lock);
}

int verify_open(struct verify_run *r, struct err *err)
{
    int rc = 0;

    if (r->n_sources == 0)
        return err_set(err, -EBUSY, "the task was never started: there is nothing to compare");
    for (unsigned i = 0; i < r->n_sources && rc == 0; i++)
        rc = job_link_source(&r->sources[i].link, &r->sources[i].conn, err);
    if (rc == 0)
        rc = job_link_target(&r->sources[0].link, NULL, &r->target, err);
    return rc;
}

void verify_close(struct verify_run *r)
{
    if (r->target)
        job_link_close(&r->sources[0].link, r->target);
    for (unsigned i = 0; i < r->n_sources; i++) {
        struct verify_source *s = &r->sources[i];

        if (s->conn)
            job_link_close(&s->link, s->conn);
        job_link_fini(&s->link);
        node_unref(&s->sub->node);
    }
    free(r->sources);
    verify_tables_free(r->tables, r->n_tables);
}

/* --- showing --- */

static void show_table(struct verify_run *r, unsigned i)
{
    const struct verify_table *t = &r->tables[i];
    struct verify *v = r->verify;
    SCOPED(freep) char *name = xasprintf("%s.%s", t->db, t->name);
    json_t *row = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "table", name, "state",
                            verify_state_names[t->state], "way", t->way, "rows",
                            (json_int_t)t->rows, "differing", (json_int_t)t->differing, "unsettled",
                            (json_int_t)t->unsettled, "left_out", (json_int_t)t->left_out,
                            "not_judged", (json_int_t)t->not_judged, "reason", t->reason);

    mutex_lock(&v->unit.lock);
    if (i < json_array_size(v->report))
        json_array_set_new(v->report, i, row);
    else
        json_array_append_new(v->report, row);
    mutex_unlock(&v->unit.lock);
}

static void show_all(struct verify_run *r)
{
    struct verify *v = r->verify;
    uint64_t rows = 0, differing = 0, unsettled = 0, not_judged = 0, done = 0, failed = 0;

    mutex_lock(&v->unit.lock);
    json_array_clear(v->report);
    mutex_unlock(&v->unit.lock);
    for (unsigned i = 0; i < r->n_tables; i++) {
        show_table(r, i);
        rows += r->tables[i].rows;
        differing += r->tables[i].differing;
        unsettled += r->tables[i].unsettled;
        not_judged += r->tables[i].not_judged;
        done += r->tables[i].state == VERIFY_DONE;
        failed += r->tables[i].state == VERIFY_FAILED;
    }
    atomic_store(&v->rows_checked, rows);
    atomic_store(&v->rows_differing, differing);
    atomic_store(&v->rows_unsettled, unsettled);
    atomic_store(&v->rows_not_judged, not_judged);
    atomic_store(&v->tables_done, done);
    atomic_store(&v->tables_failed, failed);
}

int verify_show(struct verify_run *r, struct err *err)
{
    int rc = verify_state_read(r, err);

    if (rc == 0)
        rc = verify_state_show(r, err);
    if (rc == 0)
        show_all(r);
    return rc;
}

/* --- running --- */

static int begin(struct verify_run *r, struct err *err)
{
    struct verify *v = r->verify;
    bool fresh;
    int rc;

    verify_say(v, "asking which tables there are");
    mutex_lock(&v->unit.lock);
    fresh = v->fresh;
    mutex_unlock(&v->unit.lock);
    rc = verify_state_create(r, err);
    if (rc == 0 && fresh)
        rc = verify_state_clear(r, err);
    if (rc == 0)
        rc = verify_plan(r, err);
    if (rc == 0)
        rc = verify_show(r, err);
    if (rc < 0)
        return rc;
    mutex_lock(&v->unit.lock);
    v->fresh = false;
    mutex_unlock(&v->unit.lock);
    return fresh && !unit_stopping(&v->unit) ? verify_keep(v, true, err) : 0;
}

static bool passes(const struct verify *v, const struct err *why)
{
    return unit_stopping(&v->unit) || why->code == -ECANCELED || why->code == -ECONNRESET ||
           why->code == -ETIMEDOUT || why->code == -ECONNREFUSED;
}

static int compare(struct verify_run *r, unsigned i, struct err *err)
{
    struct verify_table *t = &r->tables[i];
    struct verify *v = r->verify;
    struct err why = ERR_INIT;
    int rc;

    if (t->state == VERIFY_DONE)
        return 0;
    if (t->state == VERIFY_FAILED)
        atomic_fetch_sub(&v->tables_failed, 1);
    rc = verify_compare(r, t, &why);
    if (rc < 0 && passes(v, &why)) {
        *err = why;
        return rc;
    }
    if (rc < 0) {
        log_warn(v->unit.path, "%s.%s: %s", t->db, t->name, why.text);
        t->state = VERIFY_FAILED;
        free(t->reason);
        t->reason = xstrdup(why.text);
        atomic_fetch_add(&v->tables_failed, 1);
        rc = verify_state_put(r, t, err);
    } else {
        atomic_fetch_add(&v->tables_done, 1);
    }
    show_table(r, i);
    unit_progressed(&v->unit);
    return rc;
}

static void close_run(struct verify_run *r)
{
    show_run(r->verify, NULL);
    verify_close(r);
}

static int compare_all(struct verify_run *r, struct err *err)
{
    struct verify *v = r->verify;
    int rc = begin(r, err);

    for (unsigned i = 0; i < r->n_tables && rc == 0; i++)
        rc = compare(r, i, err);
    if (rc < 0)
        return rc;
    verify_say(v, "finished");
    log_info(v->unit.path, "%llu rows of %u tables compared, %llu differ",
             (unsigned long long)atomic_load(&v->rows_checked), r->n_tables,
             (unsigned long long)atomic_load(&v->rows_differing));
    return 0;
}

int verify_main(struct unit *u, struct err *err)
{
    struct verify *v = node_owner(u, struct verify, unit);
    SCOPED(close_run)
    struct verify_run r = { .report = verify_report, .task = v->task, .unit = u, .verify = v };
    bool repairs;
    int rc;

    verify_take_sources(&r);
    show_run(v, &r);
    rc = verify_open(&r, err);

    mutex_lock(&u->lock);
    repairs = v->repairs;
    mutex_unlock(&u->lock);
    if (rc == 0)
        rc = repairs ? verify_repair(&r, err) : compare_all(&r, err);
    if (rc < 0 && unit_stopping(u))
        return err_set(err, -ECANCELED, "asked to stop");
    return rc;
}
