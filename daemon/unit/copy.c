#include "unit/copy.h"

#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/copy_engine.h"
#include "unit/copy_sql.h"

enum { MAX_PASSES = 30, DEFAULT_THREADS = 4, MAX_THREADS = 64 };
#define BULK_MAX_BYTES (2ull << 30) /* a crash repeats the table */

const char *const copy_phase_names[] = { "idle", "planning", "snapshot", "schema",
                                         "rows", "views",    "finished", NULL };

struct copy *copy_new(const struct job *job)
{
    struct copy *c = xcalloc(1, sizeof *c);

    c->job = job_ref(job);
    atomic_init(&c->refs, 1);
    copy_link_init(&c->link, job);
    mutex_init(&c->lock);
    return c;
}

struct copy *copy_ref(struct copy *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void copy_unref(struct copy *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    copy_tables_fini(&c->tables);
    position_fini(&c->position);
    copy_link_fini(&c->link);
    mutex_fini(&c->lock);
    job_unref(c->job);
    free(c);
}

static void phase_set(struct copy *c, enum copy_phase phase)
{
    mutex_lock(&c->lock);
    c->phase = phase;
    mutex_unlock(&c->lock);
}

void copy_stop(struct copy *c)
{
    mutex_lock(&c->lock);
    c->stop_wanted = true;
    mutex_unlock(&c->lock);
    copy_link_stop(&c->link);
}

void copy_restart(struct copy *c)
{
    mutex_lock(&c->lock);
    c->stop_wanted = false;
    mutex_unlock(&c->lock);
}

static bool stop_wanted(struct copy *c)
{
    bool wanted;

    mutex_lock(&c->lock);
    wanted = c->stop_wanted;
    mutex_unlock(&c->lock);
    return wanted;
}

bool copy_finished(struct copy *c)
{
    bool finished;

    mutex_lock(&c->lock);
    finished = c->finished;
    mutex_unlock(&c->lock);
    return finished;
}

void copy_on_progress(struct copy *c, void (*progressed)(void *arg), void *arg)
{
    c->progressed = progressed;
    c->progressed_arg = arg;
}

/* --- what the servers are --- */

static int source_probe(struct copy *c, struct err *err)
{
    SCOPED(freep) char *image = NULL;
    int rc = copy_sql_scalar(c->source, &image, err, "SELECT @@GLOBAL.binlog_row_image");

    if (rc == 0)
        c->full_images = strncmp(image, "FULL", 4) == 0; /* FULL_NODUP too */
    return rc;
}

/* Where one transaction cannot be large, or LOCAL is off, there is INSERT (DATA.md 19). */
static int target_probe(struct copy *c, struct err *err)
{
    bool local = false, cluster = false;
    struct mysql_result *r;
    struct mysql_row row;
    int rc = copy_sql_query(c->target, &r, err,
                            "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('local_infile', "
                            "'wsrep_on', 'group_replication_group_name', 'max_binlog_cache_size')");

    if (rc < 0)
        return rc;
    c->bulk_max_bytes = BULK_MAX_BYTES;
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        struct slice name = slice_of(row.values[0], row.sizes[0]);
        struct slice value = slice_of(row.values[1], row.sizes[1]);

        if (slice_eq(name, slice_str("local_infile")))
            local = slice_eq(value, slice_str("ON"));
        else if (slice_eq(name, slice_str("wsrep_on")))
            cluster |= slice_eq(value, slice_str("ON"));
        else if (slice_eq(name, slice_str("group_replication_group_name")))
            cluster |= value.size > 0;
        else if (copy_row_u64(&row, 1) / 2 < c->bulk_max_bytes)
            c->bulk_max_bytes = copy_row_u64(&row, 1) / 2;
    }
    mysql_result_free(r);
    c->can_load = local && !cluster;
    c->max_packet = mysql_conn_max_packet(c->target);
    return rc;
}

/* Both ends open, the copy ours and nobody else's. */
static int ends_open(struct copy *c, struct err *err)
{
    const struct job *job = c->job;
    struct checkpoint_key key = { job->meta_schema, job->task, job->source, "load" };
    struct mysql_conn *first = NULL;
    int rc = copy_link_source(&c->link, &c->source, err);

    if (rc == 0)
        rc = source_probe(c, err);
    if (rc == 0)
        rc = copy_link_target(&c->link, NULL, &first, err);
    if (rc == 0)
        rc = checkpoint_prepare(first, job->meta_schema, err);
    if (rc == 0)
        rc = checkpoint_take(first, &key, mysql_conn_flavor(c->source), &c->fence, err);
    c->has_fence = rc == 0;
    copy_link_close(&c->link, first);
    if (rc == 0)
        rc = copy_link_target(&c->link, &c->fence, &c->target, err);
    if (rc == 0)
        rc = target_probe(c, err);
    return rc == 0 ? copy_state_create(c->target, job, err) : rc;
}

static void ends_close(struct copy *c)
{
    dump_snapshot_close(&c->link, &c->snapshot);
    copy_link_close(&c->link, c->source);
    copy_link_close(&c->link, c->target);
    c->source = c->target = NULL;
    if (c->has_fence)
        checkpoint_fini(&c->fence);
    c->has_fence = false;
}

/* --- rounds --- */

static unsigned n_threads(const struct job *job)
{
    unsigned dump = job->dump_threads ? job->dump_threads : DEFAULT_THREADS;
    unsigned load = job->load_threads ? job->load_threads : DEFAULT_THREADS;
    unsigned n = dump < load ? dump : load;

    return n < MAX_THREADS ? n : MAX_THREADS;
}

/* Shows the plan to those who watch; the old one goes. */
static void tables_publish(struct copy *c, struct copy_tables *tables)
{
    struct copy_tables old;

    mutex_lock(&c->lock);
    old = c->tables;
    c->tables = *tables;
    mutex_unlock(&c->lock);
    copy_tables_fini(&old);
}

static unsigned tables_left(const struct copy_tables *tables)
{
    unsigned n = 0;

    for (unsigned i = 0; i < tables->n; i++)
        n += tables->all[i]->row.state != COPY_TABLE_DONE;
    return n;
}

/* A snapshot between two positions is good only where replaying does no harm. */
static int inexact_check(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    if (c->snapshot.exact)
        return 0;
    if (!c->job->by_gtid)
        return err_set(err, -EACCES,
                       "without the RELOAD right at the source the position is known by GTID only: "
                       "GRANT RELOAD ON *.* TO CURRENT_USER, or enable_gtid for the source");
    for (unsigned i = 0; i < tables->n; i++)
        if (tables->all[i]->row.state < COPY_TABLE_LOADED && !tables->all[i]->resumable &&
            tables->all[i]->def->transactional)
            return err_set(err, -EACCES,
                           "%s has no primary key of its own kind and the source took no lock: "
                           "GRANT RELOAD ON *.* TO CURRENT_USER",
                           tables->all[i]->label);
    return 0;
}

/* "LOCK TABLES `db`.`t` READ, ..." for consistency: lock; NULL if there is none to lock. */
static char *lock_text(const struct copy *c, const struct copy_tables *tables)
{
    struct buf sql = BUF_INIT;

    for (unsigned i = 0; c->job->consistency == CONSISTENT_LOCK && i < tables->n; i++) {
        const struct copy_table *t = tables->all[i];

        if (t->row.state < COPY_TABLE_LOADED && !t->sequence)
            copy_sql(&sql, "%r%i.%i READ", sql.size ? ", " : "LOCK TABLES ", t->def->db,
                     t->def->name);
    }
    return sql.size ? buf_steal(&sql) : NULL;
}

static int snapshot_take(struct copy *c, struct copy_tables *tables, struct err *err)
{
    SCOPED(freep) char *lock_tables = lock_text(c, tables);
    unsigned round = 0;
    int rc;

    phase_set(c, COPY_SNAPSHOT);
    rc = dump_snapshot_take(&c->link, n_threads(c->job), c->job->consistency, lock_tables,
                            &c->snapshot, err);
    if (rc == 0)
        rc = inexact_check(c, tables, err);
    if (rc == 0)
        rc = copy_plan_recheck(c, tables, err);
    if (rc == 0)
        rc = copy_state_add_round(c->target, c->job, &c->snapshot.low, &c->snapshot.high, &round,
                                  err);
    if (rc < 0)
        return rc;
    c->round = round;
    mutex_lock(&c->lock);
    if (!c->position.file[0] && !c->position.gtids)
        position_copy(&c->position, &c->snapshot.low);
    mutex_unlock(&c->lock);
    log_info(c->job->path, "round %u: snapshot at %s:%llu over %u connections", c->round,
             c->snapshot.low.file, (unsigned long long)c->snapshot.low.offset, c->snapshot.n);
    return 0;
}

static int rows_copy(struct copy *c, struct copy_tables *tables, struct err *err)
{
    int rc;

    phase_set(c, COPY_SCHEMA);
    rc = copy_schema(c, tables, err);
    if (rc < 0)
        return rc;
    phase_set(c, COPY_ROWS);
    rc = copy_work(c, tables, err);
    if (rc == 0)
        rc = copy_locked(c, tables, err);
    for (unsigned i = 0; rc == 0 && i < tables->n; i++)
        if (tables->all[i]->sequence && tables->all[i]->row.state != COPY_TABLE_DONE &&
            !atomic_load(&tables->all[i]->again))
            rc = copy_sequence(c, tables->all[i], err);
    return rc;
}

/* Plans, and copies what one snapshot can give.  'left': tables for another one. */
static int pass(struct copy *c, unsigned *left, struct err *err)
{
    struct copy_tables tables;
    int rc;

    phase_set(c, COPY_PLANNING);
    rc = copy_plan(c, &tables, err);
    if (rc == -ERESTART) {
        log_info(c->job->path, "the copy starts over: %s", err->text);
        rc = copy_plan_start_over(c, err);
        *left = 1;
        return rc;
    }
    if (rc < 0)
        return rc;
    tables_publish(c, &tables);
    *left = tables_left(&tables);
    if (*left == 0 && (c->round > 0 || tables.n > 0))
        return 0;
    rc = snapshot_take(c, &tables, err);
    if (rc == 0)
        rc = rows_copy(c, &tables, err);
    dump_snapshot_close(&c->link, &c->snapshot);
    if (rc == -EAGAIN) {
        *left = 1;
        return 0;
    }
    *left = tables_left(&tables);
    return rc;
}

static int copy_all(struct copy *c, struct err *err)
{
    unsigned left = 1;
    int rc = 0;

    c->round = 0;
    for (unsigned i = 0; rc == 0 && left > 0; i++) {
        if (i == MAX_PASSES)
            return err_set(err, -EAGAIN, "tables keep changing at the source: %u are left", left);
        rc = pass(c, &left, err);
    }
    if (rc == 0) {
        phase_set(c, COPY_VIEWS);
        rc = copy_views(c, &c->tables, err);
    }
    return rc == 0 ? copy_state_finish(c->target, c->job, err) : rc;
}

int copy_run(struct copy *c, struct err *err)
{
    int rc;

    if (stop_wanted(c))
        return err_set(err, -ECANCELED, "asked to stop");
    copy_link_restart(&c->link);
    rc = ends_open(c, err);
    if (rc == 0)
        rc = copy_state_finished(c->target, c->job, err);
    if (rc == 0)
        rc = copy_all(c, err);
    ends_close(c);
    if (rc >= 0) {
        mutex_lock(&c->lock);
        c->finished = true;
        c->phase = COPY_FINISHED;
        mutex_unlock(&c->lock);
        return 0;
    }
    phase_set(c, COPY_IDLE);
    return stop_wanted(c) ? err_set(err, -ECANCELED, "asked to stop") : rc;
}

/* --- what can be seen --- */

static void rates(struct copy *c, struct copy_totals *t, int64_t now) REQUIRES(c->lock)
{
    double seconds;

    if (c->rate_us[1] == 0 || t->rows < c->rate_rows[0] || t->bytes < c->rate_bytes[0]) {
        c->rate_us[0] = c->rate_us[1] = now;
        c->rate_rows[0] = c->rate_rows[1] = t->rows;
        c->rate_bytes[0] = c->rate_bytes[1] = t->bytes;
    }
    seconds = (double)(now - c->rate_us[0]) / 1e6;
    if (seconds > 0.1) {
        t->rows_s = (double)(t->rows - c->rate_rows[0]) / seconds;
        t->bytes_s = (double)(t->bytes - c->rate_bytes[0]) / seconds;
    }
    if (now - c->rate_us[1] > 2000000) {
        c->rate_us[0] = c->rate_us[1];
        c->rate_rows[0] = c->rate_rows[1];
        c->rate_bytes[0] = c->rate_bytes[1];
        c->rate_us[1] = now;
        c->rate_rows[1] = t->rows;
        c->rate_bytes[1] = t->bytes;
    }
}

/* A done table has as many rows as it has, whatever the estimate was. */
static uint64_t rows_expected(const struct copy_table *t)
{
    uint64_t rows = atomic_load(&t->rows);

    if (atomic_load(&t->state) == COPY_TABLE_DONE || rows > t->def->rows_estimate)
        return rows;
    return t->def->rows_estimate;
}

void copy_totals_read(struct copy *c, struct copy_totals *ret)
{
    struct copy_totals t = { .phase = COPY_IDLE };

    mutex_lock(&c->lock);
    t.phase = c->phase;
    t.tables = c->tables.n;
    t.rounds = c->round;
    for (unsigned i = 0; i < c->tables.n; i++) {
        const struct copy_table *table = c->tables.all[i];

        t.tables_done += atomic_load(&table->state) == COPY_TABLE_DONE;
        t.rows += atomic_load(&table->rows);
        t.bytes += atomic_load(&table->bytes);
        t.rows_estimated += rows_expected(table);
    }
    if (t.phase != COPY_FINISHED)
        rates(c, &t, clock_mono_us());
    mutex_unlock(&c->lock);
    if (t.rows_s > 0 && t.rows_estimated > t.rows)
        t.eta_s = (double)(t.rows_estimated - t.rows) / t.rows_s;
    *ret = t;
}

json_t *copy_tables_json(struct copy *c)
{
    json_t *all = json_array();

    mutex_lock(&c->lock);
    for (unsigned i = 0; i < c->tables.n; i++) {
        const struct copy_table *t = c->tables.all[i];
        SCOPED(freep) char *target = xasprintf("%s.%s", t->to.to_schema, t->to.to_table);

        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "table",
                                             t->label, "target", target, "state",
                                             copy_table_state_names[atomic_load(&t->state)], "rows",
                                             (json_int_t)atomic_load(&t->rows), "rows_estimated",
                                             (json_int_t)rows_expected(t), "bytes",
                                             (json_int_t)atomic_load(&t->bytes), "way",
                                             t->sequence ? "sequence"
                                             : t->bulk   ? "bulk"
                                                         : "ranges"));
    }
    mutex_unlock(&c->lock);
    return all;
}

json_t *copy_position_json(struct copy *c)
{
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;
    json_t *ret;

    mutex_lock(&c->lock);
    if (c->position.gtids)
        gtid_set_print(c->position.gtids, &gtids);
    ret = c->position.file[0] || gtids.size
              ? json_pack("{s:s, s:I, s:s}", "file", c->position.file, "offset",
                          (json_int_t)c->position.offset, "gtid_set", gtids.size ? gtids.data : "")
              : json_null();
    mutex_unlock(&c->lock);
    return ret;
}
