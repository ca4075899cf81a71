#include "unit/sync/sync_queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"

void queue_init(struct queue *q, const struct queue_limits *limits,
                const struct position *tail) NO_THREAD_CHECK
{
    *q = (struct queue){ .limits = *limits, .filling = &q->groups[0], .spare = &q->groups[1] };
    mutex_init(&q->lock);
    cond_init(&q->changed);
    group_init(&q->groups[0]);
    group_init(&q->groups[1]);
    position_copy(&q->tail, tail);
    q->written_us = clock_mono_us();
}

void queue_fini(struct queue *q) NO_THREAD_CHECK
{
    group_fini(&q->groups[0]);
    group_fini(&q->groups[1]);
    position_fini(&q->tail);
    cond_fini(&q->changed);
    mutex_fini(&q->lock);
}

void queue_in_order(struct queue *q)
{
    q->groups[0].in_order = true;
    q->groups[1].in_order = true;
}

static void wake(struct queue *q) REQUIRES(q->lock)
{
    if (q->waiting)
        cond_broadcast(&q->changed);
}

static bool wait_change(struct queue *q, int64_t timeout_ms) REQUIRES(q->lock)
{
    bool woken;

    q->waiting++;
    woken = cond_wait(&q->changed, &q->lock, timeout_ms);
    q->waiting--;
    return woken;
}

void queue_stop(struct queue *q)
{
    mutex_lock(&q->lock);
    q->stopping = true;
    cond_broadcast(&q->changed);
    mutex_unlock(&q->lock);
}

static bool has_room(const struct queue *q) REQUIRES(q->lock)
{
    const struct group *g = q->filling;

    return g->n_txns < q->limits.max_txns &&
           (!q->limits.max_rows || g->n_rows < q->limits.max_rows) &&
           g->size < q->limits.max_size && g->values.size < q->limits.max_size;
}

static int state_of(struct queue *q, struct err *err) REQUIRES(q->lock)
{
    if (q->error.code) {
        *err = q->error;
        return err->code;
    }
    return q->stopping ? err_set(err, -ECANCELED, "stopping") : 0;
}

static void count(struct queue *q, const struct queue_txn *txn) REQUIRES(q->lock)
{
    struct group *g = q->filling;

    if (!q->tail.gtids && txn->pos->gtids)
        q->tail.gtids = gtid_set_copy(txn->pos->gtids);
    else if (txn->gtid->number && q->tail.gtids)
        gtid_set_add(q->tail.gtids, txn->gtid);
    q->tail.offset = txn->pos->offset;
    if (strcmp(q->tail.file, txn->pos->file) != 0)
        memcpy(q->tail.file, txn->pos->file, sizeof q->tail.file);
    if (g->n_txns++ == 0) {
        g->first_commit_us = txn->commit_us;
        atomic_store(&q->oldest_us, txn->commit_us);
    }
    g->last_commit_us = txn->commit_us;
    g->size += txn->size;
    if (txn->raw)
        raw_hold_add(&g->hold, txn->raw);
}

int queue_add(struct queue *q, const struct queue_txn *txn,
              int (*fill)(void *arg, struct group *g, struct err *err), void *arg, struct err *err)
{
    int rc;

    mutex_lock(&q->lock);
    while ((rc = state_of(q, err)) == 0 && !has_room(q)) {
        wake(q);
        wait_change(q, -1);
    }
    if (rc == 0 && txn->raw) {
        rc = fill(arg, q->filling, err);
        if (rc < 0)
            q->error = *err; /* half of a transaction is in the group: nobody may write it */
    }
    if (rc == 0)
        count(q, txn);
    mutex_unlock(&q->lock);
    return rc;
}

/* Worth a transaction of the target?  Without rows only once in a while. */
static bool worth(const struct queue *q) REQUIRES(q->lock)
{
    const struct group *g = q->filling;

    if (group_empty(g))
        return false;
    return g->n_rows || q->draining || !has_room(q) ||
           clock_mono_us() - q->written_us >= q->limits.idle_us;
}

static struct group *take(struct queue *q) REQUIRES(q->lock)
{
    struct group *g = q->filling;

    position_copy(&g->pos, &q->tail);
    q->filling = q->spare;
    q->spare = NULL;
    atomic_store(&q->writing_oldest_us, g->first_commit_us);
    atomic_store(&q->oldest_us, 0);
    wake(q);
    return g;
}

struct group *queue_take(struct queue *q)
{
    struct group *g = NULL;

    mutex_lock(&q->lock);
    while (!q->stopping && !q->error.code && !(q->spare && worth(q)))
        wait_change(q, q->limits.idle_us / 1000 + 1);
    if (!q->stopping && !q->error.code)
        g = take(q);
    mutex_unlock(&q->lock);
    return g;
}

void queue_wake(struct queue *q)
{
    mutex_lock(&q->lock);
    if (q->spare)
        wake(q);
    mutex_unlock(&q->lock);
}

struct group *queue_try_take(struct queue *q)
{
    struct group *g = NULL;

    mutex_lock(&q->lock);
    if (!q->stopping && !q->error.code && q->spare && worth(q))
        g = take(q);
    mutex_unlock(&q->lock);
    return g;
}

int queue_error(struct queue *q, struct err *err)
{
    int rc;

    mutex_lock(&q->lock);
    if (q->error.code)
        *err = q->error;
    rc = q->error.code;
    mutex_unlock(&q->lock);
    return rc;
}

void queue_done(struct queue *q, struct group *g, const struct err *err)
{
    group_clear(g);
    mutex_lock(&q->lock);
    q->spare = g;
    q->written_us = clock_mono_us();
    if (!err->code) /* else it is not in the target */
        atomic_store(&q->writing_oldest_us, 0);
    if (err->code && !q->error.code)
        q->error = *err;
    cond_broadcast(&q->changed);
    mutex_unlock(&q->lock);
}

int queue_drain(struct queue *q, struct err *err)
{
    int rc;

    mutex_lock(&q->lock);
    q->draining = true;
    cond_broadcast(&q->changed);
    while ((rc = state_of(q, err)) == 0 && !(q->spare && group_empty(q->filling)))
        wait_change(q, -1);
    q->draining = false;
    mutex_unlock(&q->lock);
    return rc;
}

void queue_passed(struct queue *q, const struct position *pos)
{
    mutex_lock(&q->lock);
    position_copy(&q->tail, pos);
    q->written_us = clock_mono_us();
    mutex_unlock(&q->lock);
}

bool queue_sleep(struct queue *q, int64_t ms)
{
    int64_t until = clock_mono_us() + ms * 1000, left;
    bool stopping;

    mutex_lock(&q->lock);
    while (!q->stopping && (left = until - clock_mono_us()) > 0)
        cond_wait(&q->changed, &q->lock, left / 1000 + 1);
    stopping = q->stopping;
    mutex_unlock(&q->lock);
    return !stopping;
}
