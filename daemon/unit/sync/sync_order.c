/* Merged and one-to-one: groups of neighbouring transactions, one after the other. */
#include <errno.h>

#include "unit/sync/sync_priv.h"

#define GROUP_TXNS 4096
#define GROUP_SIZE ((size_t)24 << 20)
#define IDLE_US ((int64_t)1000000)

static void open_queue(struct sync_run *r, uint64_t max_txns)
{
    struct queue_limits limits = { .max_txns = max_txns,
                                   .max_rows = r->job->apply_rows,
                                   .max_size = GROUP_SIZE,
                                   .idle_us = IDLE_US };

    queue_init(&r->queue, &limits, &r->cp.pos);
    r->has_queue = true;
}

static int open_merged(struct sync_run *r, struct err *err)
{
    (void)err;
    open_queue(r, r->job->apply_batch ? r->job->apply_batch : GROUP_TXNS);
    return 0;
}

static int open_one_to_one(struct sync_run *r, struct err *err)
{
    (void)err;
    open_queue(r, 1);
    queue_in_order(&r->queue);
    return 0;
}

static void close_queue(struct sync_run *r)
{
    if (r->has_queue)
        queue_fini(&r->queue);
}

/* --- writing --- */

static void failed_from(void *arg, const struct target_table *t, struct position *ret)
{
    struct sync_run *r = arg;

    (void)t;
    position_copy(ret, &r->cp.pos);
}

static int write_group(struct sync_run *r, struct group *g, struct err *err)
{
    struct sync_write w = { .group = g, .from = failed_from, .arg = r };
    int rc = sync_write(r, &r->main, &w, err);

    if (rc == 0)
        sync_publish(r);
    return rc;
}

static void *writer(void *arg)
{
    struct sync_run *r = arg;
    struct group *g;

    while ((g = queue_take(&r->queue))) {
        struct err err = ERR_INIT;

        if (write_group(r, g, &err) == 0)
            err = ERR_INIT;
        queue_done(&r->queue, g, &err);
        if (err.code)
            break;
    }
    return NULL;
}

static void start(struct sync_run *r)
{
    r->writer = thread_start("sync-write", writer, r);
}

static void join(struct sync_run *r)
{
    thread_join(r->writer);
}

static void stop(struct sync_run *r)
{
    queue_stop(&r->queue);
}

static bool sleep_ms(struct sync_run *r, int64_t ms)
{
    return queue_sleep(&r->queue, ms);
}

/* --- the reader's side --- */

static int fill(void *arg, struct group *g, struct err *err)
{
    struct sync_run *r = arg;
    uint64_t before = g->n_rows;
    int rc = sync_add_rows(r, &r->txn, g, err);

    atomic_fetch_add_explicit(&r->sync->rows_in_flight, g->n_rows - before, memory_order_relaxed);
    return rc;
}

static int add(struct sync_run *r, const struct queue_txn *txn, struct err *err)
{
    return queue_add(&r->queue, txn, fill, r, err);
}

/* At the tip the reader writes by itself: no other thread has to wake up first. */
static int turn(struct sync_run *r, bool more, struct err *err)
{
    struct group *g;
    int rc;

    if (more) {
        queue_wake(&r->queue);
        return 0;
    }
    g = queue_try_take(&r->queue);
    if (!g) /* a quiet source brings nothing that would ask for it later */
        return queue_error(&r->queue, err);
    rc = write_group(r, g, err);
    queue_done(&r->queue, g, rc < 0 ? err : &ERR_INIT);
    return rc;
}

static int drain(struct sync_run *r, struct err *err)
{
    return queue_drain(&r->queue, err);
}

static void passed(struct sync_run *r, const struct position *pos)
{
    queue_passed(&r->queue, pos);
}

static int64_t oldest_us(struct sync_run *r)
{
    /* In the order in which a transaction goes from one to the other. */
    int64_t waiting = atomic_load(&r->queue.oldest_us);
    int64_t writing = atomic_load(&r->queue.writing_oldest_us);

    return writing ? writing : waiting;
}

#define IN_ORDER                                                                                \
    .order = "readers of the target only see states that the source had", .close = close_queue, \
    .start = start, .stop = stop, .join = join, .sleep = sleep_ms, .add = add, .turn = turn,    \
    .drain = drain, .passed = passed, .oldest_us = oldest_us

const struct sync_mode sync_merged = { IN_ORDER, .open = open_merged };
const struct sync_mode sync_one_to_one = { IN_ORDER, .open = open_one_to_one };
