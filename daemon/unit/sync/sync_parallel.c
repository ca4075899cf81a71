/*
 * Parallel: several sessions write at once, in the order of the source only where
 * transactions conflict.
 *
 *     reader    what does it touch? -> the schedule says which batch -> decoded into it
 *     workers   a batch that waits for no other -> one transaction of the target, which
 *               names those of the source in it (sync_applied.h)
 *     keeper    low water of the ledger -> the checkpoint, a few times a second
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_ledger.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_schedule.h"

#define WORKERS 4
#define BATCH_TXNS 512
#define BATCH_SIZE ((size_t)4 << 20)
#define WAITING_SIZE ((size_t)48 << 20) /* of events and values under way */
#define WAITING_TXNS ((size_t)32768)    /* above low water: what a restart reads again */
#define SAVE_US ((int64_t)100000)       /* between checkpoints */
#define IDLE_US ((int64_t)1000000)      /* ... that only pass rows by */

/* The first transaction of a batch that changes a class of tables. */
struct first {
    uint64_t class, seq;
};

/* What a batch of the schedule is about. */
struct load {
    struct group group;
    struct buf names;
    uint64_t *seqs;
    size_t n_seqs, cap_seqs;
    struct first *firsts; /* for tables that may be set aside */
    size_t n_firsts;
    size_t size;
};

struct worker {
    struct sync_run *run;
    struct sync_hand *hand;
    struct buf head;
    pthread_t thread;
};

struct parallel {
    struct mutex lock;
    struct cond work, keep, changed; /* what workers, the keeper, all others wait for */
    struct schedule schedule GUARDED;
    struct ledger ledger GUARDED;
    struct load loads[SCHEDULE_BATCHES]; /* filled under the lock; a running one is its worker's */
    size_t waiting GUARDED;              /* bytes under way */
    uint64_t saved_seq GUARDED;          /* low water of the checkpoint */
    int64_t saved_us GUARDED;            /* monotonic */
    bool rows_done GUARDED;              /* since then */
    bool stopping GUARDED, draining GUARDED;
    struct err error GUARDED; /* code 0: none */

    struct worker *workers;
    unsigned n_workers;
    pthread_t keeper;
    struct group mark; /* the keeper's: without rows */
    /* the reader's */
    struct group staging; /* the transaction at hand, decoded to see what it touches */
    struct footprint footprint;
    bool by_table; /* a table may be set aside: its changes keep their order */
};

/* --- life --- */

static int open_workers(struct sync_run *r, struct parallel *p, struct err *err)
{
    int rc = 0;

    p->n_workers = r->job->apply_threads ? r->job->apply_threads : WORKERS;
    p->workers = xcalloc(p->n_workers, sizeof *p->workers);
    r->appliers = xcalloc(p->n_workers, sizeof *r->appliers);
    r->n_appliers = p->n_workers;
    for (unsigned i = 0; i < p->n_workers && rc == 0; i++) {
        p->workers[i].run = r;
        p->workers[i].hand = &r->appliers[i];
        rc = sink_open(&r->appliers[i].sink, &r->job->to, &r->cp, err);
    }
    return rc;
}

static int open_parallel(struct sync_run *r, struct err *err) NO_THREAD_CHECK
{
    struct parallel *p = xcalloc(1, sizeof *p);
    struct schedule_limits limits = { .max_txns =
                                          r->job->apply_batch ? r->job->apply_batch : BATCH_TXNS,
                                      .max_rows = r->job->apply_rows,
                                      .max_size = BATCH_SIZE };
    int rc;

    r->parallel = p;
    mutex_init(&p->lock);
    cond_init(&p->work);
    cond_init(&p->keep);
    cond_init(&p->changed);
    ledger_init(&p->ledger, &r->cp.pos);
    for (int i = 0; i < SCHEDULE_BATCHES; i++)
        group_init(&p->loads[i].group);
    group_init(&p->mark);
    group_init(&p->staging);
    p->staging.in_order = true;
    p->by_table = r->job->on_error == ON_ERROR_QUARANTINE;
    rc = open_workers(r, p, err);
    limits.n_open = p->n_workers;
    schedule_init(&p->schedule, &limits);
    return rc;
}

static void close_load(struct load *l)
{
    group_fini(&l->group);
    buf_fini(&l->names);
    free(l->seqs);
    free(l->firsts);
}

static void close_parallel(struct sync_run *r) NO_THREAD_CHECK
{
    struct parallel *p = r->parallel;

    if (!p)
        return;
    for (unsigned i = 0; i < p->n_workers; i++) {
        sink_close(r->appliers[i].sink);
        buf_fini(&p->workers[i].head);
    }
    for (int i = 0; i < SCHEDULE_BATCHES; i++)
        close_load(&p->loads[i]);
    group_fini(&p->mark);
    group_fini(&p->staging);
    footprint_fini(&p->footprint);
    schedule_fini(&p->schedule);
    ledger_fini(&p->ledger);
    cond_fini(&p->work);
    cond_fini(&p->keep);
    cond_fini(&p->changed);
    mutex_fini(&p->lock);
    free(p->workers);
    free(r->appliers);
    free(p);
}

static void wake_all(struct parallel *p) REQUIRES(p->lock)
{
    cond_broadcast(&p->work);
    cond_broadcast(&p->keep);
    cond_broadcast(&p->changed);
}

static void fail(struct parallel *p, const struct err *err) REQUIRES(p->lock)
{
    if (!p->error.code)
        p->error = *err;
    wake_all(p);
}

static bool ended(const struct parallel *p) REQUIRES(p->lock)
{
    return p->stopping || p->error.code;
}

/* --- workers --- */

static void clear_load(struct load *l)
{
    group_clear(&l->group);
    buf_clear(&l->names);
    l->n_seqs = l->n_firsts = 0;
    l->size = 0;
}

/* The batch to write now; -1: the end. */
static int take(struct parallel *p)
{
    int batch = -1;

    mutex_lock(&p->lock);
    while (!ended(p) && (batch = schedule_take(&p->schedule)) < 0)
        cond_wait(&p->work, &p->lock, -1);
    mutex_unlock(&p->lock);
    return batch;
}

static void done(struct parallel *p, int batch)
{
    struct load *l = &p->loads[batch];

    mutex_lock(&p->lock);
    for (size_t i = 0; i < l->n_seqs; i++)
        ledger_done(&p->ledger, l->seqs[i]);
    p->waiting -= l->size;
    p->rows_done = true;
    clear_load(l);
    schedule_done(&p->schedule, batch);
    wake_all(p);
    mutex_unlock(&p->lock);
}

struct failing {
    struct parallel *parallel;
    const struct load *load;
};

/* Changes of a table that may be set aside keep their order: all before its first in the batch
 * are in the target, none after it. */
static void failed_from(void *arg, const struct target_table *t, struct position *ret)
{
    const struct failing *f = arg;
    uint64_t seq = f->load->seqs[0], class = conflict_class(t);

    for (size_t i = 0; i < f->load->n_firsts; i++)
        if (f->load->firsts[i].class == class)
            seq = f->load->firsts[i].seq;
    mutex_lock(&f->parallel->lock);
    ledger_before(&f->parallel->ledger, seq, ret);
    mutex_unlock(&f->parallel->lock);
}

static int write_batch(struct worker *w, int batch, struct err *err)
{
    struct parallel *p = w->run->parallel;
    struct load *l = &p->loads[batch];
    struct failing failing = { p, l };
    struct sync_write write = { .group = &l->group, .from = failed_from, .arg = &failing };

    buf_clear(&w->head);
    applied_insert_sql(&w->run->cp, w->run->job->by_gtid, l->seqs[0], l->seqs[l->n_seqs - 1],
                       slice_of(l->names.data, l->names.size), &w->head);
    write.beside = slice_of(w->head.data, w->head.size);
    return sync_write(w->run, w->hand, &write, err);
}

static void *worker(void *arg)
{
    struct worker *w = arg;
    struct parallel *p = w->run->parallel;
    int batch;

    while ((batch = take(p)) >= 0) {
        struct err err = ERR_INIT;

        if (write_batch(w, batch, &err) < 0) {
            mutex_lock(&p->lock);
            fail(p, &err);
            mutex_unlock(&p->lock);
            break;
        }
        done(p, batch);
    }
    return NULL;
}

/* --- the keeper --- */

static bool all_done(const struct parallel *p) REQUIRES(p->lock)
{
    return ledger_size(&p->ledger) == 0;
}

/* 1 now, 0 not yet; *wait_ms until then, -1: until something is done. */
static bool is_due(const struct parallel *p, int64_t *wait_ms) REQUIRES(p->lock)
{
    int64_t left = p->saved_us + (p->rows_done ? SAVE_US : IDLE_US) - clock_mono_us();

    *wait_ms = -1;
    if (p->ledger.low_seq == p->saved_seq)
        return false;
    *wait_ms = left / 1000 + 1;
    return left <= 0 || (p->draining && all_done(p));
}

/* The checkpoint moves to 'p->mark'; what it passes is not kept by name any more. */
static int save(struct sync_run *r, uint64_t low_seq, struct err *err)
{
    SCOPED(buf_fini) struct buf prune = BUF_INIT;
    struct sync_write write = { .group = &r->parallel->mark };
    int rc;

    applied_prune_sql(&r->cp, low_seq, &prune);
    write.also = slice_of(prune.data, prune.size);
    rc = sync_write(r, &r->main, &write, err);
    if (rc == 0)
        sync_publish(r);
    return rc;
}

/* What is to be saved, into p->mark. */
static uint64_t begin_save(struct parallel *p) REQUIRES(p->lock)
{
    position_copy(&p->mark.pos, &p->ledger.low);
    p->rows_done = false;
    return p->ledger.low_seq;
}

static void end_save(struct parallel *p, uint64_t low_seq, int rc, const struct err *err)
{
    mutex_lock(&p->lock);
    if (rc < 0) {
        fail(p, err);
    } else {
        p->saved_seq = low_seq;
        p->saved_us = clock_mono_us();
        cond_broadcast(&p->changed);
    }
    mutex_unlock(&p->lock);
}

/* False: the end. */
static bool wait_due(struct parallel *p, uint64_t *low_seq)
{
    int64_t wait_ms;
    bool go;

    mutex_lock(&p->lock);
    while (!ended(p) && !is_due(p, &wait_ms))
        cond_wait(&p->keep, &p->lock, wait_ms);
    go = !ended(p);
    if (go)
        *low_seq = begin_save(p);
    mutex_unlock(&p->lock);
    return go;
}

static void *keeper(void *arg)
{
    struct sync_run *r = arg;
    uint64_t low_seq;

    while (wait_due(r->parallel, &low_seq)) {
        struct err err = ERR_INIT;

        end_save(r->parallel, low_seq, save(r, low_seq, &err), &err);
    }
    return NULL;
}

/* --- start and stop --- */

static void start(struct sync_run *r)
{
    struct parallel *p = r->parallel;

    for (unsigned i = 0; i < p->n_workers; i++)
        p->workers[i].thread = thread_start("sync-apply", worker, &p->workers[i]);
    p->keeper = thread_start("sync-keep", keeper, r);
}

static void stop(struct sync_run *r)
{
    struct parallel *p = r->parallel;

    mutex_lock(&p->lock);
    p->stopping = true;
    wake_all(p);
    mutex_unlock(&p->lock);
}

/* An orderly stop leaves few names behind. */
static void join(struct sync_run *r)
{
    struct parallel *p = r->parallel;
    struct err err = ERR_INIT;
    uint64_t low_seq;
    bool more;

    for (unsigned i = 0; i < p->n_workers; i++)
        thread_join(p->workers[i].thread);
    thread_join(p->keeper);
    mutex_lock(&p->lock);
    more = !p->error.code && p->ledger.low_seq != p->saved_seq;
    low_seq = begin_save(p);
    mutex_unlock(&p->lock);
    if (more)
        end_save(p, low_seq, save(r, low_seq, &err), &err);
}

static bool sleep_ms(struct sync_run *r, int64_t ms)
{
    struct parallel *p = r->parallel;
    int64_t until = clock_mono_us() + ms * 1000, left;
    bool stopping;

    mutex_lock(&p->lock);
    while (!p->stopping && (left = until - clock_mono_us()) > 0)
        cond_wait(&p->changed, &p->lock, left / 1000 + 1);
    stopping = p->stopping;
    mutex_unlock(&p->lock);
    return !stopping;
}

/* --- the reader's side --- */

static int state_of(const struct parallel *p, struct err *err) REQUIRES(p->lock)
{
    if (p->error.code) {
        *err = p->error;
        return err->code;
    }
    return p->stopping ? err_set(err, -ECANCELED, "stopping") : 0;
}

/* What the transaction at hand touches.  Decoded once for that and once into its batch: cheaper
 * than to move it there. */
static int look(struct sync_run *r, struct parallel *p, struct err *err)
{
    int rc;

    group_clear(&p->staging);
    footprint_clear(&p->footprint);
    rc = sync_add_rows(r, &r->txn, &p->staging, err);
    for (size_t i = 0; i < p->staging.n_changes && rc == 0; i++) {
        const struct group_change *c = &p->staging.changes[i];

        footprint_add(&p->footprint, c->table, c->kind, c->row, p->by_table);
    }
    return rc;
}

static void note_firsts(const struct parallel *p, struct load *l, uint64_t seq)
{
    for (size_t i = 0; i < p->staging.n_changes; i++) {
        uint64_t class = conflict_class(p->staging.changes[i].table);
        size_t at = 0;

        while (at < l->n_firsts && l->firsts[at].class != class)
            at++;
        if (at < l->n_firsts)
            continue;
        l->firsts = xrealloc(l->firsts, (l->n_firsts + 1) * sizeof *l->firsts);
        l->firsts[l->n_firsts++] = (struct first){ class, seq };
    }
}

static int fill(struct sync_run *r, struct parallel *p, struct load *l, const struct queue_txn *txn,
                uint64_t seq, struct err *err) REQUIRES(p->lock)
{
    struct group *g = &l->group;
    size_t before = g->values.size;
    uint64_t rows_before = g->n_rows;
    int rc = sync_add_rows(r, &r->txn, g, err);

    atomic_fetch_add_explicit(&r->sync->rows_in_flight, g->n_rows - rows_before,
                              memory_order_relaxed);

    if (rc < 0)
        return rc;
    raw_hold_add(&g->hold, txn->raw);
    g->n_txns++;
    GROW(l->seqs, l->n_seqs, l->cap_seqs);
    l->seqs[l->n_seqs++] = seq;
    applied_name(r->job->by_gtid, txn->gtid, txn->pos, &l->names);
    if (p->by_table)
        note_firsts(p, l, seq);
    l->size += txn->size + g->values.size - before;
    p->waiting += txn->size + g->values.size - before;
    return 0;
}

static int place(struct sync_run *r, struct parallel *p, const struct queue_txn *txn, uint64_t seq,
                 struct err *err) REQUIRES(p->lock)
{
    int batch, rc;

    while ((batch = schedule_add(&p->schedule, &p->footprint, seq, p->staging.n_rows, txn->size)) <
           0) {
        cond_wait(&p->changed, &p->lock, -1);
        rc = state_of(p, err);
        if (rc < 0)
            return rc;
    }
    rc = fill(r, p, &p->loads[batch], txn, seq, err);
    if (rc < 0)
        fail(p, err); /* half of a transaction is in the batch: nobody may write it */
    cond_signal(&p->work);
    return rc;
}

static int wait_room(struct parallel *p, struct err *err) REQUIRES(p->lock)
{
    int rc;

    while ((rc = state_of(p, err)) == 0 &&
           (p->waiting >= WAITING_SIZE || ledger_size(&p->ledger) >= WAITING_TXNS))
        cond_wait(&p->changed, &p->lock, -1);
    return rc;
}

static int add(struct sync_run *r, const struct queue_txn *txn, struct err *err)
{
    struct parallel *p = r->parallel;
    int rc = 0;
    uint64_t seq;

    p->staging.n_changes = 0;
    if (txn->raw)
        rc = look(r, p, err);
    if (rc < 0)
        return rc;
    mutex_lock(&p->lock);
    rc = wait_room(p, err);
    if (rc == 0) {
        seq = ledger_add(&p->ledger, txn->gtid, txn->pos, txn->commit_us);
        if (p->staging.n_changes)
            rc = place(r, p, txn, seq, err);
        else
            ledger_done(&p->ledger, seq);
        if (p->ledger.low_seq == seq)
            cond_signal(&p->keep);
    }
    mutex_unlock(&p->lock);
    return rc;
}

static int turn(struct sync_run *r, bool more, struct err *err)
{
    struct parallel *p = r->parallel;
    int rc;

    (void)more;
    mutex_lock(&p->lock);
    rc = state_of(p, err);
    mutex_unlock(&p->lock);
    return rc;
}

static int drain(struct sync_run *r, struct err *err)
{
    struct parallel *p = r->parallel;
    int rc;

    mutex_lock(&p->lock);
    p->draining = true;
    cond_signal(&p->keep);
    while ((rc = state_of(p, err)) == 0 && !(all_done(p) && p->saved_seq == p->ledger.low_seq))
        cond_wait(&p->changed, &p->lock, -1);
    p->draining = false;
    mutex_unlock(&p->lock);
    return rc;
}

static void passed(struct sync_run *r, const struct position *pos)
{
    struct parallel *p = r->parallel;

    mutex_lock(&p->lock);
    ledger_pass(&p->ledger, pos);
    mutex_unlock(&p->lock);
}

static int64_t oldest_us(struct sync_run *r)
{
    struct parallel *p = r->parallel;
    int64_t oldest;

    mutex_lock(&p->lock);
    oldest = ledger_oldest_us(&p->ledger);
    mutex_unlock(&p->lock);
    return oldest;
}

const struct sync_mode sync_parallel = {
    .order = "readers of the target may see a transaction before one that came earlier at the "
             "source; each is whole, and those that conflict keep their order",
    .open = open_parallel,
    .close = close_parallel,
    .start = start,
    .stop = stop,
    .join = join,
    .sleep = sleep_ms,
    .add = add,
    .turn = turn,
    .drain = drain,
    .passed = passed,
    .oldest_us = oldest_us,
};
