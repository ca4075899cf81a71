/* Rows that sync has written, looked at once the target has them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_follow_priv.h"

#define TICK_MS 500
#define LOOK_US ((int64_t)10 * 1000000) /* so old may the definitions of a table be */
#define AT_ONCE 1000                    /* rows */

static struct follow *follow_of(struct verify_run *r)
{
    return (struct follow *)r;
}

/* --- whose rows --- */

/* The task may have been started again, with other units. */
static void watch(struct verify_follow *f, bool on)
{
    struct task *t = f->task;

    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs; i++)
        if (t->subs[i]->units[STAGE_SYNC])
            sync_set_watch(t->subs[i]->units[STAGE_SYNC],
                           on ? verify_pending_watch(f->pending) : NULL);
    mutex_unlock(&t->lock);
}

static int find_table(const struct verify_run *r, const struct verify_pending_table *p)
{
    for (unsigned i = 0; i < r->n_tables; i++)
        for (unsigned k = 0; k < r->tables[i].n_parts; k++) {
            const struct verify_part *part = &r->tables[i].parts[k];

            if (strcmp(part->name, p->name) == 0 && strcmp(part->db, p->db) == 0 &&
                strcmp(r->sources[part->source].job->source, p->source) == 0)
                return (int)i;
        }
    return -1;
}

/* What is known of a table of the target outlives the run: definitions do not. */
struct verify_followed *verify_followed_of(struct verify_follow *u, const struct verify_table *t)
{
    for (unsigned i = 0; i < u->n_followed; i++)
        if (strcmp(u->followed[i].name, t->name) == 0 && strcmp(u->followed[i].db, t->db) == 0)
            return &u->followed[i];
    u->followed = xrealloc(u->followed, (u->n_followed + 1) * sizeof *u->followed);
    u->followed[u->n_followed] =
        (struct verify_followed){ .db = xstrdup(t->db), .name = xstrdup(t->name) };
    return &u->followed[u->n_followed++];
}

static struct verify_followed *followed_of(struct follow *f, const struct verify_table *t)
{
    return verify_followed_of(f->unit, t);
}

void verify_follow_forget(struct verify_follow *u)
{
    for (unsigned i = 0; i < u->n_followed; i++) {
        free(u->followed[i].db);
        free(u->followed[i].name);
        verify_suspects_fini(&u->followed[i].suspects);
    }
    free(u->followed);
    u->followed = NULL;
    u->n_followed = 0;
}

/* With other connections, or another set of rules. */
static bool started_anew(const struct follow *f)
{
    bool same = true;

    for (unsigned i = 0; i < f->run.n_sources && same; i++) {
        struct subtask *s = task_find_sub(f->run.task, f->run.sources[i].job->source);

        same = !s || s->job == f->run.sources[i].job;
        node_unref(s ? &s->node : NULL);
    }
    return !same;
}

/* --- tables --- */

static void say_table(struct follow *f, const struct verify_table *t, const char *why)
{
    SCOPED(freep) char *name = xasprintf("%s.%s", t->db, t->name);
    struct verify_follow *u = f->unit;

    mutex_lock(&u->unit.lock);
    if (why)
        json_object_set_new(u->tables, name, json_string(why));
    else
        json_object_del(u->tables, name);
    mutex_unlock(&u->unit.lock);
}

/* Why its rows cannot be named, DM's words first; NULL: they can. */
static const char *why_not(const struct verify_table *t)
{
    if (t->ranges)
        return NULL;
    return table_row_key(t->def)
               ? "primary key not in the same order at both ends: its changes are not looked at; "
                 "verify/start compares the table by hashes of its rows"
               : "no primary key: its changes are not looked at; verify/start compares the table "
                 "by "
                 "hashes of its rows";
}

/* 1: its rows can be looked at. */
static int look(struct follow *f, unsigned i, struct err *err)
{
    struct verify_table *t = &f->run.tables[i];
    struct verify_followed *known = followed_of(f, t);
    int64_t now = clock_mono_us();
    bool fast;
    int rc;

    if (t->def && now - known->looked_us < LOOK_US)
        return t->ranges;
    known->looked_us = now;
    rc = verify_look(&f->run, t, err);
    if (rc == -ENOENT || rc == -EINVAL || rc == -ENOTSUP) {
        say_table(f, t, err->text);
        *err = ERR_INIT;
        table_free(t->def);
        t->def = NULL;
        return 0;
    }
    if (rc < 0)
        return rc;
    say_table(f, t, why_not(t));
    mutex_lock(&f->unit->settings);
    fast = f->unit->fast;
    mutex_unlock(&f->unit->settings);
    for (unsigned k = 0; fast && k < t->n_parts; k++) {
        free(t->parts[k].exprs.source);
        free(t->parts[k].exprs.target);
        t->parts[k].exprs.source = xstrdup("''");
        t->parts[k].exprs.target = xstrdup("''");
    }
    return t->ranges;
}

/* --- rows --- */

static bool is_suspect(const struct verify_suspects *s, const char *key)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->all[i].key, key) == 0)
            return true;
    return false;
}

static void add_suspect(void *arg, const struct verify_item *a, const struct verify_item *b)
{
    struct verify_suspects *s = arg;

    if (is_suspect(s, a ? a->key : b->key))
        return;
    verify_suspect_add(s, a, b);
    s->all[s->n - 1].since_us = clock_mono_us();
}

static int look_at_keys(struct follow *f, unsigned i, const struct verify_set *keys, size_t first,
                        struct err *err)
{
    SCOPED(verify_set_fini) struct verify_set a = { .n = 0 }, b = { .n = 0 };
    struct verify_table *t = &f->run.tables[i];
    size_t n = keys->n - first < AT_ONCE ? keys->n - first : AT_ONCE;
    struct verify_set some = { .items = keys->items + first, .n = n };
    int rc = verify_keys_source(&f->run, t, &some, &a, err);

    if (rc == 0)
        rc = verify_keys_target(&f->run, t, &some, &b, err);
    if (rc < 0)
        return rc;
    atomic_fetch_add(&f->unit->checked, n);
    verify_set_compare(&a, &b, add_suspect, &followed_of(f, t)->suspects);
    return 0;
}

static void drop_settled(struct verify_suspects *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (!s->all[i].over) {
            s->all[kept++] = s->all[i];
            continue;
        }
        free(s->all[i].key);
        free(s->all[i].source);
        free(s->all[i].target);
    }
    s->n = kept;
}

/* It differs, and has for a while: an error row. */
static int found(struct verify_run *r, struct verify_table *t, struct verify_suspect *s,
                 struct err *err)
{
    const char *source = r->sources[t->parts[s->part].source].job->source;
    struct follow *f = follow_of(r);
    double delay_s;

    mutex_lock(&f->unit->settings);
    delay_s = f->unit->delay_s;
    mutex_unlock(&f->unit->settings);
    if (verify_cutover_reached(f->unit, source))
        delay_s = 0;
    if ((double)(clock_mono_us() - s->since_us) < delay_s * 1e6) {
        s->over = false;
        return 0;
    }
    if (verify_not_judged(t, s))
        return 0;
    f->found = true;
    return verify_error_put(r, t, s, err);
}

static int look_again(struct follow *f, unsigned i, struct err *err)
{
    struct verify_suspects *s = &followed_of(f, &f->run.tables[i])->suspects;
    int rc = 0;

    for (size_t first = 0; first < s->n && rc == 0; first += AT_ONCE) {
        size_t left;

        rc = verify_round(&f->run, &f->run.tables[i], s, first,
                          first + AT_ONCE < s->n ? first + AT_ONCE : s->n, &left, err);
    }
    drop_settled(s);
    return rc;
}

/* --- a tick --- */

static int look_at_pending(struct follow *f, const struct verify_pending_table *p, struct err *err)
{
    int i = find_table(&f->run, p), rc;

    if (i < 0)
        return 1; /* not planned yet */
    rc = look(f, (unsigned)i, err);
    if (rc <= 0)
        return rc;
    rc = verify_pass(&f->run, &f->run.tables[i], err);
    for (size_t first = 0; first < p->keys.n && rc == 0; first += AT_ONCE)
        rc = look_at_keys(f, (unsigned)i, &p->keys, first, err);
    return rc;
}

/* Tables that came since: all are listed anew. */
static int plan(struct follow *f, struct err *err)
{
    verify_tables_free(f->run.tables, f->run.n_tables);
    f->run.tables = NULL;
    f->run.n_tables = 0;
    return verify_plan(&f->run, err);
}

static int take(struct follow *f, struct err *err)
{
    unsigned n;
    struct verify_pending_table *tables = verify_pending_take(f->unit->pending, &n);
    int rc = 0;

    for (unsigned i = 0; i < n; i++) {
        if (rc == 0)
            rc = look_at_pending(f, &tables[i], err);
        if (rc > 0) {
            rc = plan(f, err);
            if (rc == 0)
                rc = look_at_pending(f, &tables[i], err);
            rc = rc > 0 ? 0 : rc; /* it is gone again */
        }
        if (rc < 0) /* its keys go: they are read again, as its place was not moved */
            break;
    }
    verify_pending_tables_free(tables, n);
    return rc;
}

static int look_at_suspects(struct follow *f, unsigned i, uint64_t *n, struct err *err)
{
    int rc = 0;

    if (!followed_of(f, &f->run.tables[i])->suspects.n)
        return 0;
    rc = look(f, i, err);
    if (rc > 0)
        rc = look_again(f, i, err);
    *n += followed_of(f, &f->run.tables[i])->suspects.n;
    return rc;
}

/* The table of a mark; -1: it is gone. */
static int marked(const struct follow *f, const struct verify_mark *m)
{
    return find_table(&f->run, &(struct verify_pending_table){
                                   .source = m->source, .db = m->db, .name = m->name });
}

/* Tables that were not looked at before a crash, or a failure. */
static int compare_again(struct follow *f, struct err *err)
{
    struct verify_follow *u = f->unit;
    int i = u->n_again ? marked(f, &u->again[0].mark) : -1, rc = 1;

    if (!u->n_again)
        return 0;
    if (i >= 0)
        rc = look(f, (unsigned)i, err);
    if (i >= 0 && rc > 0)
        rc = verify_again_step(u, &f->run, &f->run.tables[i],
                               &followed_of(f, &f->run.tables[i])->suspects, add_suspect, err);
    else if (rc == 0) /* it has no key, or cannot be compared, which stopped_tables says */
        rc = 1;
    if (rc > 0)
        verify_again_done(u);
    return rc < 0 ? rc : 0;
}

/* Marks of tables of which nothing is suspected, or to be compared. */
static void drop_marks(struct follow *f)
{
    struct verify_follow *u = f->unit;
    unsigned n;
    struct verify_mark *all = verify_marks_all(u->marks, &n);

    for (unsigned k = 0; k < n; k++) {
        int i = marked(f, &all[k]);

        if (!verify_again_has(u, &all[k]) &&
            (i < 0 || !followed_of(f, &f->run.tables[i])->suspects.n))
            verify_marks_drop(u->marks, &all[k]);
    }
    verify_mark_free(all, n);
}

static int tick(struct follow *f, struct err *err)
{
    struct verify_pending_counts counts;
    uint64_t suspects = 0;
    int rc;

    verify_pending_counts(f->unit->pending, &counts);
    if (counts.over)
        return err_set(err, -ENOBUFS,
                       "too many rows are pending (DM's code 43008): the comparison is slower than "
                       "the stream; resume goes on from where it was, mode fast is faster");
    rc = verify_since_step(f, err);
    if (rc == 0)
        rc = take(f, err);
    if (rc == 0)
        rc = compare_again(f, err);
    for (unsigned i = 0; i < f->run.n_tables && rc == 0; i++)
        rc = look_at_suspects(f, i, &suspects, err);
    atomic_store(&f->unit->suspects, suspects);
    if (rc == 0 && f->found)
        rc = verify_error_show(f->unit, f->run.target, f->run.sources[0].job, err);
    f->found = false;
    if (rc == 0)
        rc = verify_since_done(f, err);
    if (rc < 0)
        return rc;
    drop_marks(f);
    if (!suspects && !f->unit->n_again)
        verify_cutovers_settled(f->unit);
    return 0;
}

/* --- the run --- */

static void show_run(struct verify_follow *u, struct verify_run *r)
{
    mutex_lock(&u->unit.lock);
    u->run = r;
    mutex_unlock(&u->unit.lock);
}

void verify_follow_wake(struct unit *u)
{
    struct verify_follow *f = node_owner(u, struct verify_follow, unit);

    mutex_lock(&u->lock);
    verify_stop_links(f->run);
    mutex_unlock(&u->lock);
    verify_since_stop(f);
}

static void close_follow(struct follow *f)
{
    show_run(f->unit, NULL);
    verify_since_close(f);
    verify_close(&f->run);
    atomic_store(&f->unit->suspects, 0);
}

static int open_follow(struct follow *f, struct err *err)
{
    int rc;

    verify_take_sources(&f->run);
    show_run(f->unit, &f->run);
    rc = verify_open(&f->run, err);
    if (rc == 0)
        rc = verify_error_create(f->run.target, f->run.sources[0].job, err);
    if (rc == 0)
        rc = verify_error_show(f->unit, f->run.target, f->run.sources[0].job, err);
    if (rc == 0)
        rc = verify_again_load(f->unit, &f->run, err);
    if (rc == 0)
        rc = plan(f, err);
    return rc == 0 ? verify_since_open(f, err) : rc;
}

/* 0: the task was started anew, and so is this. */
static int follow_once(struct verify_follow *v, struct err *err)
{
    SCOPED(close_follow)
    struct follow f = { .run = { .report = found, .task = v->task, .unit = &v->unit }, .unit = v };
    int rc;

    watch(v, true); /* what comes meanwhile waits */
    rc = open_follow(&f, err);
    while (rc == 0 && !started_anew(&f)) {
        watch(v, true);
        rc = tick(&f, err);
        if (rc == 0)
            unit_progressed(&v->unit);
        node_changed(&v->unit.node, "pending_rows");
        if (rc == 0 && !unit_sleep(&v->unit, f.more ? 0 : TICK_MS))
            rc = err_set(err, -ECANCELED, "asked to stop");
    }
    return rc;
}

int verify_follow_main(struct unit *u, struct err *err)
{
    struct verify_follow *v = node_owner(u, struct verify_follow, unit);
    int rc;

    do {
        *err = ERR_INIT;
        rc = follow_once(v, err);
    } while (rc == 0);
    if (rc == -ECANCELED || rc == -ENOBUFS || unit_stopping(u))
        watch(v, false);
    return unit_stopping(u) ? err_set(err, -ECANCELED, "asked to stop") : rc;
}
