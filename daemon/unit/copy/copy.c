#include "unit/copy/copy.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"
#include "unit/dm_left.h"

enum { MAX_PASSES = 30, DEFAULT_THREADS = 4 };

const char *const copy_phase_names[] = { "idle", "planning", "snapshot", "schema",
                                         "rows", "views",    "finished", NULL };

struct copy *copy_new(const struct job *job, const struct copy_way *way)
{
    struct copy *c = xcalloc(1, sizeof *c);

    c->job = job_ref(job);
    c->way = way;
    atomic_init(&c->refs, 1);
    job_link_init(&c->link, job);
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
    if (c->way->fini)
        c->way->fini(c);
    position_fini(&c->position);
    job_link_fini(&c->link);
    mutex_fini(&c->lock);
    job_unref(c->job);
    free(c);
}

void copy_phase_set(struct copy *c, enum copy_phase phase)
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
    job_link_stop(&c->link);
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
    int rc = sql_scalar(c->source, &image, err, "SELECT @@GLOBAL.binlog_row_image");

    if (rc == 0)
        c->full_images = strncmp(image, "FULL", 4) == 0; /* FULL_NODUP too */
    return rc;
}

/* Both ends open. */
static int ends_open(struct copy *c, struct err *err)
{
    int rc = job_link_source(&c->link, &c->source, err);

    if (rc < 0)
        return rc;
    c->from = (struct server_kind){ mysql_conn_flavor(c->source), mysql_conn_version(c->source) };
    rc = source_probe(c, err);
    return rc < 0 ? rc : copy_target_open(c, err);
}

static void ends_close(struct copy *c)
{
    read_snapshot_close(&c->link, &c->snapshot);
    job_link_close(&c->link, c->source);
    c->source = NULL;
    copy_target_close(c);
}

/* --- rounds --- */

unsigned copy_threads(const struct job *job)
{
    unsigned dump = job->dump_threads ? job->dump_threads : DEFAULT_THREADS;
    unsigned load = job->load_threads ? job->load_threads : DEFAULT_THREADS;
    unsigned n = dump < load ? dump : load;

    if (job->files != FILES_NONE)
        n = job->files == FILES_DUMP ? dump : load;
    return n;
}

/* Shows the plan to those who watch; the old one goes. */
void copy_tables_publish(struct copy *c, struct copy_tables *tables)
{
    struct copy_tables old;

    mutex_lock(&c->lock);
    old = c->tables;
    c->tables = *tables;
    mutex_unlock(&c->lock);
    copy_tables_fini(&old);
}

void copy_position_publish(struct copy *c, const struct position *p)
{
    mutex_lock(&c->lock);
    if (!c->position.file[0] && !c->position.gtids)
        position_copy(&c->position, p);
    mutex_unlock(&c->lock);
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
char *copy_lock_text(const struct copy *c, const struct copy_tables *tables)
{
    struct buf sql = BUF_INIT;

    for (unsigned i = 0; c->job->consistency == CONSISTENT_LOCK && i < tables->n; i++) {
        const struct copy_table *t = tables->all[i];

        if (t->row.state < COPY_TABLE_LOADED && !t->sequence)
            sql_add(&sql, "%r%i.%i READ", sql.size ? ", " : "LOCK TABLES ", t->def->db,
                    t->def->name);
    }
    return sql.size ? buf_steal(&sql) : NULL;
}

static int snapshot_take(struct copy *c, struct copy_tables *tables, struct err *err)
{
    SCOPED(freep) char *lock_tables = copy_lock_text(c, tables);
    struct read_way way = { .how = c->job->consistency, .lock_tables = lock_tables };
    unsigned round = 0;
    int rc;

    copy_phase_set(c, COPY_SNAPSHOT);
    rc = read_snapshot_take(&c->link, copy_threads(c->job), &way, &c->snapshot, err);
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
    copy_position_publish(c, &c->snapshot.low);
    log_info(c->job->path, "round %u: snapshot at %s:%llu over %u connections", c->round,
             c->snapshot.low.file, (unsigned long long)c->snapshot.low.offset, c->snapshot.n);
    return 0;
}

static int rows_copy(struct copy *c, struct copy_tables *tables, struct err *err)
{
    int rc;

    copy_phase_set(c, COPY_SCHEMA);
    rc = copy_schema(c, tables, err);
    if (rc < 0)
        return rc;
    copy_phase_set(c, COPY_ROWS);
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

    copy_phase_set(c, COPY_PLANNING);
    rc = copy_plan(c, &tables, err);
    if (rc == -ERESTART) {
        log_info(c->job->path, "the copy starts over: %s", err->text);
        rc = copy_plan_start_over(c, err);
        *left = 1;
        return rc;
    }
    if (rc < 0)
        return rc;
    copy_tables_publish(c, &tables);
    *left = tables_left(&tables);
    if (*left == 0 && (c->round > 0 || tables.n > 0))
        return 0;
    rc = snapshot_take(c, &tables, err);
    if (rc == 0)
        rc = rows_copy(c, &tables, err);
    read_snapshot_close(&c->link, &c->snapshot);
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
        copy_phase_set(c, COPY_VIEWS);
        rc = copy_views(c, &c->tables, err);
    }
    return rc == 0 ? copy_state_finish(c->target, c->job, err) : rc;
}

/* --- DM's copy --- */

static bool is_all_there(const struct copy *c, const struct dm_left *left)
{
    const char *mode = json_string_value(json_object_get(c->job->doc, "task_mode"));

    return mode && strcmp(mode, "full") == 0 ? left->load == DM_LOAD_FINISHED : left->sync;
}

/* 1: there is nothing to do. */
static int take_over(struct copy *c, struct err *err)
{
    struct dm_left left;
    int rc = dm_left_read(c->target, c->job, c->from.flavor, &left, err);

    if (rc < 0)
        return rc;
    if (is_all_there(c, &left)) {
        log_info(c->job->path, "DM has made the copy already");
        rc = copy_state_finish(c->target, c->job, err);
        rc = rc < 0 ? rc : 1;
    }
    dm_left_fini(&left);
    return rc;
}

int copy_stream_run(struct copy *c, struct err *err)
{
    int rc = ends_open(c, err);

    if (rc == 0)
        rc = take_over(c, err);
    if (rc == 0)
        rc = copy_all(c, err);
    ends_close(c);
    return rc < 0 ? rc : 0;
}

int copy_run(struct copy *c, struct err *err)
{
    int rc;

    if (stop_wanted(c))
        return err_set(err, -ECANCELED, "asked to stop");
    job_link_restart(&c->link);
    atomic_store(&c->in_flight, 0);
    rc = c->way->run(c, err);
    if (rc >= 0) {
        mutex_lock(&c->lock);
        c->finished = true;
        c->phase = COPY_FINISHED;
        mutex_unlock(&c->lock);
        return 0;
    }
    copy_phase_set(c, COPY_IDLE);
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
    struct copy_totals t = { .phase = COPY_IDLE, .rows_in_flight = atomic_load(&c->in_flight) };

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
