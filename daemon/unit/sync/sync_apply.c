/* Groups into the target, and what the tree hears of it. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_priv.h"

#define MAX_TRIES 10 /* of one group, on deadlocks and lock waits */

/* A table that catches up has a position of its own; the main stream stands meanwhile. */
static void publish_catch_up(struct sync_run *r)
{
    struct sync *s = r->sync;

    mutex_lock(&s->unit.lock);
    memcpy(s->aside_at.file, r->cp.pos.file, sizeof s->aside_at.file);
    s->aside_at.offset = r->cp.pos.offset;
    mutex_unlock(&s->unit.lock);
    node_changed(&s->unit.node, "catching_up");
}

void sync_publish_catching_up(struct sync *s, const char *table)
{
    char *old;

    mutex_lock(&s->unit.lock);
    old = s->catching_up;
    s->catching_up = xstrdup(table);
    s->aside_at.file[0] = '\0';
    mutex_unlock(&s->unit.lock);
    free(old);
    node_changed(&s->unit.node, "catching_up");
}

void sync_publish(struct sync_run *r)
{
    struct sync *s = r->sync;
    SCOPED(buf_fini) struct buf gtid = BUF_INIT;
    char *old, *file = NULL;

    if (r->only_aside || r->second) {
        publish_catch_up(r);
        return;
    }
    if (r->cp.pos.gtids)
        gtid_set_print(r->cp.pos.gtids, &gtid);
    mutex_lock(&s->unit.lock);
    old = s->gtid;
    s->gtid = buf_steal(&gtid);
    if (!s->binlog_file || strcmp(s->binlog_file, r->cp.pos.file) != 0) {
        file = s->binlog_file;
        s->binlog_file = xstrdup(r->cp.pos.file);
    }
    s->binlog_offset = r->cp.pos.offset;
    mutex_unlock(&s->unit.lock);
    free(old);
    free(file);
    if (r->published)
        r->published(r);
}

void sync_publish_aside(struct sync_run *r)
{
    struct sync *s = r->sync;
    struct position oldest = { .offset = 0 };
    char *text = aside_text(r->aside), *gone = aside_gone_text(r->aside), *old, *old_gone;
    bool some = aside_oldest(r->aside, &oldest);

    mutex_lock(&s->unit.lock);
    s->aside_oldest = oldest;
    old = s->aside_text;
    s->aside_text = text;
    old_gone = s->aside_gone;
    s->aside_gone = gone;
    mutex_unlock(&s->unit.lock);
    free(old);
    free(old_gone);
    unit_quarantined(&s->unit, some);
    node_changed(&s->unit.node, "set_aside");
    node_changed(&s->unit.node, "needs_resnapshot");
}

void sync_publish_refill(struct sync_run *r)
{
    struct sync *s = r->sync;
    json_t *now = refill_json(r->refill), *old;

    mutex_lock(&s->unit.lock);
    old = s->refill;
    s->refill = now;
    mutex_unlock(&s->unit.lock);
    json_decref(old);
    node_changed(&s->unit.node, "copied_again");
}

/* Is the table left out by this run? For group_write(). */
static bool sync_skips(void *run, const struct target_table *t)
{
    struct sync_run *r = run;

    return aside_has_table(r->aside, t) != (r->only_aside != NULL);
}

/* The tables of the pass at hand: those without transactions first, and apart. */
struct pass {
    struct sync_run *run;
    bool plain;
};

static bool pass_skips(void *arg, const struct target_table *t)
{
    struct pass *p = arg;

    return t->transactional == p->plain || sync_skips(p->run, t);
}

int sync_write_rows(struct sync_run *r, struct sink *s, struct group *g, bool plain,
                    struct err *err)
{
    struct pass pass = { r, plain };

    return group_write(g, s, pass_skips, &pass, err);
}

/* At least once, of which the second time does no harm. */
static int write_plain(struct sync_run *r, struct sink *s, struct group *g, struct err *err)
{
    int rc;

    sink_begin_plain(s);
    rc = sync_write_rows(r, s, g, true, err);
    return rc < 0 ? rc : sink_flush(s, err);
}

static int write_mark(struct sync_run *r, struct sync_hand *h, struct err *err)
{
    int64_t began_us = clock_mono_us();
    int rc = sink_statement(h->sink, r->also, err);

    histogram_observe(&r->sync->mark_us, clock_mono_us() - began_us);
    return rc;
}

static int commit(struct sync_run *r, struct sync_hand *h, struct err *err)
{
    int64_t began_us = clock_mono_us();
    int rc = sink_commit(h->sink, err);

    histogram_observe(&r->sync->commit_us, clock_mono_us() - began_us);
    return rc;
}

static int write_transaction(struct sync_run *r, struct sync_hand *h, const struct sync_write *w,
                             struct err *err)
{
    int64_t began_us = clock_mono_us();
    int rc;

    if (w->beside.size)
        sink_begin_beside(h->sink, w->beside);
    else
        sink_begin(h->sink, &w->group->pos, 0);
    rc = aside_write(r->aside, h->sink, err);
    if (rc == 0 && r->also.size && w->group->n_rows)
        rc = write_mark(r, h, err);
    if (rc == 0)
        rc = sync_write_rows(r, h->sink, w->group, false, err);
    if (rc == 0 && w->also.size)
        rc = sink_statement(h->sink, w->also, err);
    histogram_observe(&r->sync->exec_us, clock_mono_us() - began_us);
    return rc == 0 ? commit(r, h, err) : rc;
}

static int write_once(struct sync_run *r, struct sync_hand *h, const struct sync_write *w,
                      struct err *err)
{
    int64_t began_us = clock_mono_us();
    int rc;

    atomic_store(&h->writing_us, began_us);
    rc = w->group->has_plain ? write_plain(r, h->sink, w->group, err) : 0;
    if (rc == 0)
        rc = write_transaction(r, h, w, err);
    atomic_store(&h->writing_us, 0);
    histogram_observe(&r->sync->group_us, clock_mono_us() - began_us);
    return rc;
}

/* Deadlock, lock wait: the server has rolled back, the group is still here. */
static bool passes(const struct err *err)
{
    return err->sql == 1213 || err->sql == 1205 || err->sql == 1020;
}

static void account(struct sync_run *r, const struct group *g)
{
    struct sync *s = r->sync;

    if (g->n_txns == 0)
        return;
    atomic_fetch_add(&s->groups, 1);
    atomic_fetch_add(&s->transactions, g->n_txns);
    atomic_fetch_add(&s->rows, g->n_rows);
    atomic_fetch_sub(&s->rows_in_flight, g->n_rows);
    unit_progressed(&s->unit);
}

static int set_aside(struct sync_run *r, struct sync_hand *h, const struct sync_write *w,
                     struct err *err)
{
    const struct target_table *t = sink_failed_table(h->sink);
    struct position from = { .offset = 0 };
    int rc;

    if (t)
        w->from(w->arg, t, &from);
    rc = aside_failed(r->aside, t, &from, err);
    position_fini(&from);
    if (rc < 0)
        return rc;
    assert(t); /* without one aside_failed() fails */
    log_error(r->sync->unit.path, "sets table %s.%s aside: %s", t->db, t->name, err->text);
    sync_publish_aside(r);
    return 0;
}

/* Sessions that got into each other's way do not meet again at once. */
static bool try_again(struct sync_run *r, unsigned tries, const struct err *err)
{
    atomic_fetch_add(&r->sync->write_retries, 1);
    log_warn(r->sync->unit.path, "writes again, %u of %u: %s", tries + 1, MAX_TRIES, err->text);
    return unit_sleep(&r->sync->unit, (int64_t)1 << tries);
}

int sync_write(struct sync_run *r, struct sync_hand *h, const struct sync_write *w, struct err *err)
{
    int64_t since_us = clock_mono_us();
    int rc = -EIO;

    for (unsigned i = 0; i < MAX_TRIES; i++) {
        rc = write_once(r, h, w, err);
        if (rc == 0) {
            histogram_observe(&r->sync->write_us, clock_mono_us() - since_us);
            histogram_observe(&r->sync->write_rows, (int64_t)w->group->n_rows);
            account(r, w->group);
            return 0;
        }
        if (rc == -ECONNRESET || rc == -ETIMEDOUT || rc == -ECANCELED)
            return rc;
        sink_rollback(h->sink);
        if (checkpoint_fenced(err) && !sink_failed_table(h->sink))
            return err_set(err, -EOWNERDEAD,
                           "another process has taken over this task at the target");
        if (passes(err)) {
            if (!try_again(r, i, err))
                return rc;
            continue;
        }
        rc = set_aside(r, h, w, err);
        if (rc < 0)
            return rc;
    }
    return rc;
}

const struct sync_mode *sync_mode_of(enum apply_mode mode)
{
    static const struct sync_mode *const modes[] = { [APPLY_MERGED] = &sync_merged,
                                                     [APPLY_ONE_TO_ONE] = &sync_one_to_one,
                                                     [APPLY_PARALLEL] = &sync_parallel };

    return modes[mode];
}
