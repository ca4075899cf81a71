#include "unit/sync/sync.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/refill/refill.h"
#include "unit/shard/shards.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_begun.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_dm.h"
#include "unit/sync/sync_gone.h"
#include "unit/sync/sync_node.h"
#include "unit/sync/sync_online.h"
#include "unit/sync/sync_operator.h"
#include "unit/sync/sync_shard.h"
#include "unit/sync/sync_watch.h"

static struct sync *sync_of(const struct unit *u)
{
    return node_owner(u, struct sync, unit);
}

/* --- running --- */

static void close_run(struct sync_run *r)
{
    sync_run_close(r);
}

/* The table that is to be taken back, "" for all; NULL: none.  *skip: without what it missed. */
static char *take_release(struct sync *s, bool *skip)
{
    char *release;

    mutex_lock(&s->unit.lock);
    release = s->release;
    s->release = NULL;
    atomic_store(&s->leave, false);
    *skip = s->release_skips;
    mutex_unlock(&s->unit.lock);
    return release;
}

/* The others go on, whatever comes of it; why it failed is in 'error' until the next one. */
static void take_back(struct sync_run *r, const char *table, bool skip)
{
    struct sync *s = r->sync;
    struct err why = ERR_INIT;

    if (sync_run_release(r, table, skip, &why) < 0)
        log_error(s->unit.path, "%s", why.text);
    else
        why = ERR_INIT; /* what was not found on the way is no error */
    mutex_lock(&s->unit.lock);
    s->unit.error = why;
    mutex_unlock(&s->unit.lock);
    node_changed(&s->unit.node, "error");
}

static int run_once(struct sync *s, struct err *err)
{
    SCOPED(close_run) struct sync_run r = { .sync = s };
    SCOPED(freep) char *release = NULL;
    bool skip;
    int rc = sync_run_open(&r, s, "sync", err);

    if (rc < 0)
        return rc;
    sync_publish_aside(&r);
    sync_publish_refill(&r);
    gone_look(&r);
    release = take_release(s, &skip);
    if (release)
        take_back(&r, release, skip);
    rc = sync_shard_release(&r, err);
    return rc < 0 ? rc : sync_run_loop(&r, err);
}

/* Another source has released tables of this one. */
static void wake_for_shards(void *arg)
{
    struct sync *s = arg;

    mutex_lock(&s->unit.lock);
    atomic_store(&s->leave, true);
    sync_interrupt(s, false);
    mutex_unlock(&s->unit.lock);
}

/* A release interrupts the loop once all that was read is in the target, and then goes on. */
static int sync_main(struct unit *u, struct err *err)
{
    struct sync *s = sync_of(u);
    int rc;

    atomic_store(&s->shards_known, false);
    if (s->job->shards)
        shards_enter(s->job->shards, s->job, wake_for_shards, s);
    do {
        *err = ERR_INIT;
        rc = run_once(s, err);
    } while (rc == -ECANCELED && !unit_stopping(u));
    if (s->job->shards)
        shards_leave(s->job->shards, s);
    return rc;
}

void sync_interrupt(struct sync *s, bool at_once) REQUIRES(s->unit.lock)
{
    if (s->run && s->run->feed)
        feed_shutdown(s->run->feed);
    if (s->run && at_once) {
        s->run->mode->stop(s->run);
        refill_stop(s->run->refill);
    }
}

static void sync_wake(struct unit *u)
{
    struct sync *s = sync_of(u);

    mutex_lock(&s->unit.lock);
    sync_interrupt(s, true);
    mutex_unlock(&s->unit.lock);
}

/* --- how far it is --- */

/* Only a source that is heard can tell that there is no more: without heartbeats it may have gone
 * on since. */
static int64_t silent_since_us(struct sync *s)
{
    int64_t heard = atomic_load(&s->heard_us);

    return clock_wall_us() - heard > 2000 * (int64_t)SYNC_HEARTBEAT_MS ? heard : 0;
}

#define TIP_US 1000000   /* behind a transaction: what has not come for so long is not on its way */
#define FRESH_US 2000000 /* ... or that one was so young when it was waited for the next */

/* Has the reader read all there is?  A stream can pause anywhere, also far behind, and takes its
 * time before the first: only a heartbeat says so, if what came does not. */
static bool is_at_tip(struct sync *s)
{
    int64_t since = atomic_load(&s->waiting_us), waited = clock_mono_us() - since;

    if (!since)
        return false;
    if (atomic_load(&s->quiet) || waited >= 1000 * (int64_t)SYNC_HEARTBEAT_MS)
        return true;
    return atomic_load(&s->has_txn) &&
           (waited >= TIP_US ||
            clock_wall_us() - waited - atomic_load(&s->read_commit_us) < FRESH_US);
}

void sync_set_waiting(struct sync *s, bool is)
{
    if (is != (atomic_load(&s->waiting_us) != 0))
        atomic_store(&s->waiting_us, is ? clock_mono_us() : 0);
}

void sync_set_quiet(struct sync *s, bool is)
{
    if (is != atomic_load(&s->quiet))
        atomic_store(&s->quiet, is);
}

void sync_leaves_stream(struct sync *s)
{
    if (is_at_tip(s))
        atomic_store(&s->read_commit_us, atomic_load(&s->heard_us));
    atomic_store(&s->waiting_us, 0);
    atomic_store(&s->quiet, false);
    atomic_store(&s->has_txn, false);
}

int64_t sync_oldest_us(struct sync *s) REQUIRES(s->unit.lock)
{
    int64_t oldest, silent = silent_since_us(s), read = atomic_load(&s->read_commit_us);

    if (!s->run && !read)
        read = atomic_load(&s->heard_us);
    if (!s->run)
        return read ? read : -1;
    oldest = s->run->mode->oldest_us(s->run);
    if (!oldest)
        oldest = atomic_load(&s->held_us);
    if (oldest)
        return oldest;
    if (silent || is_at_tip(s))
        return silent;
    return read ? read : -1;
}

/* All that was read is in the target, events that change nothing among it. */
static bool has_all_read(const struct sync *s) REQUIRES(s->unit.lock)
{
    return s->run && s->has_read && s->run->mode->oldest_us(s->run) == 0 &&
           atomic_load(&s->held_us) == 0;
}

void sync_position(struct unit *u, struct position *ret)
{
    struct sync *s = sync_of(u);

    mutex_lock(&s->unit.lock);
    snprintf(ret->file, sizeof ret->file, "%s", s->binlog_file ? s->binlog_file : "");
    ret->offset = s->binlog_offset;
    if (ret->file[0] && has_all_read(s) && position_compare(&s->read_to, ret) > 0) {
        memcpy(ret->file, s->read_to.file, sizeof ret->file);
        ret->offset = s->read_to.offset;
    }
    mutex_unlock(&s->unit.lock);
}

char *sync_gtids(struct unit *u)
{
    struct sync *s = sync_of(u);
    char *text;

    mutex_lock(&s->unit.lock);
    text = xstrdup(s->gtid ? s->gtid : "");
    mutex_unlock(&s->unit.lock);
    return text;
}

struct sync_watch *sync_watch_ref(struct sync_watch *w)
{
    atomic_fetch_add(&w->refs, 1);
    return w;
}

void sync_watch_unref(struct sync_watch *w)
{
    if (w && atomic_fetch_sub(&w->refs, 1) == 1)
        w->free(w);
}

void sync_set_watch(struct unit *u, struct sync_watch *w)
{
    struct sync *s = sync_of(u);
    struct sync_watch *old;

    mutex_lock(&s->unit.lock);
    old = s->watch;
    if (old == w) {
        mutex_unlock(&s->unit.lock);
        return;
    }
    s->watch = w ? sync_watch_ref(w) : NULL;
    atomic_store(&s->watched, w != NULL);
    mutex_unlock(&s->unit.lock);
    sync_watch_unref(old);
}

json_t *sync_copied_again(struct unit *u)
{
    struct sync *s = sync_of(u);
    json_t *now;

    mutex_lock(&s->unit.lock);
    now = s->refill ? json_deep_copy(s->refill) : json_array();
    mutex_unlock(&s->unit.lock);
    return now;
}

double sync_lag_seconds(struct unit *u)
{
    struct sync *s = sync_of(u);
    int64_t oldest, now = clock_wall_us();

    mutex_lock(&s->unit.lock);
    oldest = sync_oldest_us(s);
    mutex_unlock(&s->unit.lock);
    if (oldest <= 0)
        return oldest < 0 ? -1.0 : 0.0;
    return now > oldest ? (double)(now - oldest) / 1e6 : 0.0;
}

void sync_succeeds(struct unit *u, struct unit *before)
{
    struct sync *s = sync_of(u), *old = sync_of(before);

    atomic_store(&s->heard_us, atomic_load(&old->heard_us));
    atomic_store(&s->read_commit_us, atomic_load(&old->read_commit_us));
}

/* The source must not purge from here on: what is set aside is still to be read. */
static void needed_from(const struct sync *s, struct position *ret) REQUIRES(s->unit.lock)
{
    if (s->binlog_file)
        snprintf(ret->file, sizeof ret->file, "%s", s->binlog_file);
    ret->offset = s->binlog_offset;
    if (ret->file[0] && s->aside_oldest.file[0] && position_compare(&s->aside_oldest, ret) < 0)
        *ret = s->aside_oldest;
}

static void sync_progress(struct unit *u, struct unit_progress *ret)
{
    struct sync *s = sync_of(u);
    struct position from = { .offset = 0 };

    ret->phase = "following the binlog";
    ret->rows = atomic_load(&s->rows);
    ret->bytes = atomic_load(&s->bytes);
    ret->lag_s = sync_lag_seconds(u);
    mutex_lock(&s->unit.lock);
    needed_from(s, &from);
    mutex_unlock(&s->unit.lock);
    memcpy(ret->file, from.file, sizeof ret->file);
    ret->offset = from.offset;
}

/* --- the end of it --- */

void sync_fini(struct sync *s) NO_THREAD_CHECK
{
    free(s->gtid);
    free(s->binlog_file);
    free(s->aside_text);
    json_decref(s->refill);
    sync_watch_unref(s->watch);
    free(s->aside_gone);
    free(s->release);
    free(s->catching_up);
    free(s->reconnect_reason);
    json_decref(s->operators);
    free(s->error_position);
    free(s->error_sql);
    job_unref(s->job);
}

void sync_release(struct node *n)
{
    struct sync *s = sync_of_node(n);

    unit_fini(&s->unit);
    sync_fini(s);
    free(s);
}

static const struct unit_ops sync_ops = {
    .name = "sync",
    .run = sync_main,
    .wake = sync_wake,
    .progress = sync_progress,
    .tables = sync_copied_again,
};

struct unit *sync_new(const struct job *job)
{
    struct sync *s = xcalloc(1, sizeof *s);
    struct err err = ERR_INIT;

    s->job = job_ref(job);
    unit_init(&s->unit, &sync_ops, &sync_type, "sync");
    if (operators_load(s, &err) < 0)
        log_error(job->path, "%s", err.text);
    return &s->unit;
}

/* --- forgetting --- */

static int forget_prefix(struct store *store, enum store_family family, const struct buf *key,
                         struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(store_iter_freep) struct store_iter *it = store_iter_new(store, family, key_slice(key));
    struct slice k, v;
    int rc;

    while ((rc = store_iter_next(it, &k, &v, err)) > 0)
        store_batch_delete(b, family, k);
    return rc < 0 ? rc : store_batch_commit(store, b, false, err);
}

static int forget_stored(const struct job *job, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(freep) char *owner = xasprintf("%s/%s", job->task, job->source);
    int rc;

    if (!job->store)
        return 0;
    key_prefix(&key, KEY_TABLE, owner, NULL);
    rc = forget_prefix(job->store, STORE_SCHEMA, &key, err);
    if (rc < 0)
        return rc;
    key_prefix(&key, KEY_XA, job->task, job->source, NULL);
    rc = forget_prefix(job->store, STORE_CHECKPOINT, &key, err);
    if (rc == 0)
        rc = operators_forget(job, err);
    return rc < 0 ? rc : sync_ddl_unresolve(job, err);
}

int sync_forget(const struct job *job, struct err *err)
{
    static const char *const tables[] = { "sluice_ddl", "sluice_aside", BEGUN_TABLE,
                                          "sluice_refill", APPLIED_TABLE };
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return rc;
    rc = checkpoint_forget(c, job->meta_schema, job->task, job->source, err);
    for (size_t i = 0; i < ARRAY_LEN(tables) && rc == 0; i++) {
        rc = sql_exec(c, err, "DELETE FROM %i.%i WHERE task=%q AND source=%q", job->meta_schema,
                      tables[i], job->task, job->source);
        if (rc < 0 && err->sql == 1146)
            rc = 0;
    }
    if (rc == 0)
        rc = shard_store_forget(c, job, err);
    if (rc == 0)
        rc = dm_checkpoint_forget(c, job, err);
    if (rc == 0)
        rc = sync_online_forget(c, job, err);
    mysql_conn_close(c);
    return rc < 0 ? rc : forget_stored(job, err);
}
