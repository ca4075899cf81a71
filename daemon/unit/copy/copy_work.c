/*
 * The rows of all tables: workers take ranges from a list, the largest tables
 * first, so that none is left over at the end.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"
#include "unit/read/read_range.h"

enum { SMALL = 10000 }; /* rows; the ends of such tables are told together */

struct item {
    struct copy_table *table;
    struct read_range *range; /* NULL: only to be counted */
};

struct work {
    struct copy *copy;
    struct mutex lock;
    struct item *items;
    unsigned n_items;
    unsigned next GUARDED;
    struct err err GUARDED; /* the first failure; the others follow from it */
};

struct work_thread {
    struct work *work;
    struct copy_worker worker;
};

int copy_stale(const struct err *err, int rc)
{
    switch (err->sql) {
    case 1412: /* ER_TABLE_DEF_CHANGED: the snapshot is older than the table */
    case 1054: /* no such column */
    case 1146: /* no such table */
        return -ESTALE;
    default:
        return rc;
    }
}

int copy_stale_there(const struct err *err, int rc)
{
    return err->sql == 1054 ? -ESTALE : rc;
}

int copy_begin(struct copy_worker *w, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(freep) char *owned = NULL;
    int rc = sql_exec(w->target, err, "START TRANSACTION");

    if (rc < 0)
        return rc;
    buf_str(&sql, "SELECT ");
    checkpoint_owned_sql(&w->copy->fence, &sql);
    rc = sql_scalar(w->target, &owned, err, "%r", sql.data);
    if (rc == 0 && strcmp(owned, "1") != 0)
        rc = err_set(err, -ECONNRESET, "another run has taken the copy over");
    return rc;
}

int copy_select(struct copy_worker *w, const struct copy_table *t, const struct read_range *r,
                bool ordered, struct mysql_result **ret, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    sql_add(&sql, "SELECT %r FROM %i.%i", t->columns.select, t->def->db, t->def->name);
    if (ordered)
        read_range_sql(&sql, t->def, r);
    rc = mysql_conn_query(w->source, slice_of(sql.data, sql.size), false, ret, err);
    return rc < 0 ? copy_stale(err, rc) : 0;
}

static int count_check(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    SCOPED(freep) char *count = NULL;
    int rc = sql_scalar(w->target, &count, err, "SELECT COUNT(*) FROM %i.%i", t->to.to_schema,
                        t->to.to_table);

    if (rc < 0)
        return rc;
    if (strtoull(count, NULL, 10) == t->row.rows)
        return 0;
    err_set(err, -EILSEQ, "%llu rows were copied, the target has %s",
            (unsigned long long)t->row.rows, count);
    return err_because(err, REASON_ROW_COUNT);
}

static int state_set(struct copy_worker *w, struct copy_table *t, enum copy_table_state state,
                     struct err *err)
{
    int rc;

    t->row.state = state;
    rc = copy_state_put_table(w->target, w->copy->job, &t->row, err);
    if (rc == 0)
        atomic_store(&t->state, (int)state);
    return rc;
}

/* A bulk load that lost rows is done again, row by row, which names what is wrong. */
static int reload(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    int rc = copy_schema_empty(w->copy, w->target, t, err);

    if (rc == 0)
        rc = state_set(w, t, COPY_TABLE_LOADING, err);
    free(t->ranges[0].at);
    t->ranges[0].at = NULL;
    t->ranges[0].rows = 0;
    atomic_store(&t->rows, 0);
    atomic_store(&t->bytes, 0);
    if (rc == 0)
        rc = copy_insert(w, t, &t->ranges[0], err);
    t->row.rows = t->ranges[0].rows;
    return rc;
}

int copy_work_flush(struct copy_worker *w, struct err *err)
{
    unsigned n = w->n_counted;
    int rc;

    w->n_counted = 0;
    for (unsigned i = 0; i < n; i++)
        w->counted[i]->row.state = COPY_TABLE_DONE;
    rc = n ? copy_state_put_tables(w->target, w->copy->job, w->counted, n, err) : 0;
    for (unsigned i = 0; rc == 0 && i < n; i++)
        atomic_store(&w->counted[i]->state, COPY_TABLE_DONE);
    if (rc == 0 && n && w->copy->progressed)
        w->copy->progressed(w->copy->progressed_arg);
    return rc;
}

/* After the last range. */
int copy_work_end(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    int rc = 0;

    if (t->row.state == COPY_TABLE_LOADING) {
        t->row.rows = 0;
        for (unsigned i = 0; i < t->n_ranges; i++)
            t->row.rows += t->ranges[i].rows;
        rc = state_set(w, t, COPY_TABLE_LOADED, err);
    }
    if (rc == 0 && !t->merged) {
        rc = count_check(w, t, err);
        if (rc == -EILSEQ && t->bulk) {
            log_warn(w->copy->job->path, "%s: %s; loading it again by INSERT", t->label, err->text);
            rc = reload(w, t, err);
            if (rc == 0)
                rc = count_check(w, t, err);
        }
    }
    if (rc < 0)
        return rc;
    w->counted[w->n_counted++] = t; /* until it is told, a restart counts it once more */
    return t->row.rows < SMALL && w->n_counted < ARRAY_LEN(w->counted) ? 0
                                                                       : copy_work_flush(w, err);
}

int copy_work_range(struct copy_worker *w, struct copy_table *t, struct read_range *r,
                    struct err *err)
{
    int rc = -EILSEQ;

    if (t->bulk) {
        rc = copy_bulk(w, t, err);
        if (rc == -EILSEQ)
            log_warn(w->copy->job->path, "%s: %s; loading it again by INSERT", t->label, err->text);
    }
    return rc == -EILSEQ ? copy_insert(w, t, r, err) : rc;
}

/* No shape matches 0: the next round makes the table anew. */
static int mark_again(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    struct copy_table_row row = t->row;

    log_info(w->copy->job->path, "%s changed while it was read, it will be read again: %s",
             t->label, err->text);
    atomic_store(&t->again, true);
    row.state = COPY_TABLE_LOADING;
    row.shape = 0;
    return copy_state_put_table(w->target, w->copy->job, &row, err);
}

static int item_copy(struct copy_worker *w, struct item *i, struct err *err)
{
    struct copy_table *t = i->table;
    struct err ignored = ERR_INIT;
    const struct copy_way *way = w->copy->way;
    int rc = i->range && !i->range->done ? way->range(w, t, i->range, err) : 0;

    if (rc == 0 && atomic_fetch_sub(&t->ranges_left, 1) == 1 && !atomic_load(&t->again))
        rc = way->end(w, t, err);
    if (rc == -ESTALE)
        rc = mark_again(w, t, err);
    if (rc == 0 && way->source && read_snapshot_release_tables(w->source, &ignored) < 0)
        w->lost = true;
    return rc < 0 ? err_wrap(err, "%s", t->label) : 0;
}

static bool work_take(struct work *work, struct item *ret)
{
    bool found;

    mutex_lock(&work->lock);
    found = work->next < work->n_items && work->err.code == 0;
    if (found)
        *ret = work->items[work->next++];
    mutex_unlock(&work->lock);
    return found;
}

static void work_failed(struct work *work, const struct err *err)
{
    bool first;

    mutex_lock(&work->lock);
    first = work->err.code == 0;
    if (first)
        work->err = *err;
    mutex_unlock(&work->lock);
    if (first)
        job_link_stop(&work->copy->link); /* wakes the others */
}

static void *work_run(void *arg)
{
    struct work_thread *t = arg;
    struct err err = ERR_INIT;
    struct item item;

    while (!t->worker.lost && work_take(t->work, &item)) {
        err = ERR_INIT;
        if (!atomic_load(&item.table->again) && item_copy(&t->worker, &item, &err) < 0)
            work_failed(t->work, &err);
    }
    err = ERR_INIT;
    if (copy_work_flush(&t->worker, &err) < 0)
        work_failed(t->work, &err);
    return NULL;
}

/* Largest first; the ranges of a table next to each other. */
static int by_size(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    uint64_t left = x->table->def->size_estimate, right = y->table->def->size_estimate;

    if (left != right)
        return left < right ? 1 : -1;
    if (x->table != y->table)
        return strcmp(x->table->label, y->table->label);
    return x->range && y->range ? (int)x->range->no - (int)y->range->no : 0;
}

static void items_add(struct work *work, struct copy_table *t)
{
    unsigned n = t->row.state == COPY_TABLE_LOADING ? t->n_ranges : 1;

    work->items = xrealloc(work->items, (work->n_items + n) * sizeof *work->items);
    for (unsigned i = 0; i < n; i++)
        work->items[work->n_items++] =
            (struct item){ .table = t,
                           .range = t->row.state == COPY_TABLE_LOADING ? &t->ranges[i] : NULL };
    atomic_store(&t->ranges_left, n);
}

static int threads_open(struct work *work, struct work_thread *threads, unsigned n, struct err *err)
{
    struct copy *c = work->copy;
    const struct copy_way *way = c->way;

    for (unsigned i = 0; i < n; i++) {
        struct copy_worker *w = &threads[i].worker;
        int rc;

        threads[i].work = work;
        *w = (struct copy_worker){ .copy = c, .source = way->source ? c->snapshot.conns[i] : NULL };
        rc = way->target ? job_link_target(&c->link, &c->fence, &w->target, err) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int copy_work(struct copy *c, struct copy_tables *tables, struct err *err)
{
    struct work work = { .copy = c };
    unsigned n = c->way->source ? c->snapshot.n : copy_threads(c->job);
    SCOPED(freep) struct work_thread *threads = xcalloc(n + 1, sizeof *threads);
    int rc;

    mutex_init(&work.lock);
    for (unsigned i = 0; i < tables->n; i++) {
        struct copy_table *t = tables->all[i];

        if (t->row.state != COPY_TABLE_DONE && !t->sequence &&
            (t->def->transactional || !c->way->source) && !atomic_load(&t->again))
            items_add(&work, t);
    }
    if (work.n_items)
        qsort(work.items, work.n_items, sizeof *work.items, by_size);
    n = n < work.n_items ? n : work.n_items;
    rc = threads_open(&work, threads, n, err);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        threads[i].worker.thread = thread_start("copy", work_run, &threads[i]);
    for (unsigned i = 0; rc == 0 && i < n; i++)
        thread_join(threads[i].worker.thread);
    mutex_lock(&work.lock);
    if (rc == 0 && work.err.code < 0) {
        *err = work.err;
        rc = err->code;
    }
    mutex_unlock(&work.lock);
    for (unsigned i = 0; i < n; i++)
        job_link_close(&c->link, threads[i].worker.target);
    free(work.items);
    mutex_fini(&work.lock);
    return rc;
}

int copy_work_table(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    const struct copy_way *way = w->copy->way;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && t->row.state == COPY_TABLE_LOADING && i < t->n_ranges; i++)
        if (!t->ranges[i].done)
            rc = way->range(w, t, &t->ranges[i], err);
    if (rc == 0)
        rc = way->end(w, t, err);
    return rc == 0 ? copy_work_flush(w, err) : rc;
}
