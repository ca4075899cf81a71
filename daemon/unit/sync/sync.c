#include "unit/sync/sync.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/copy/copy_sql.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_aside.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_priv.h"

static struct sync *sync_of(const struct unit *u)
{
    return node_owner(u, struct sync, unit);
}

static struct sync *sync_of_node(const struct node *n)
{
    return node_owner(n, struct sync, unit.node);
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
    release = take_release(s, &skip);
    if (release)
        take_back(&r, release, skip);
    return sync_run_loop(&r, err);
}

/* A release interrupts the loop once all that was read is in the target, and then goes on. */
static int sync_main(struct unit *u, struct err *err)
{
    struct sync *s = sync_of(u);
    int rc;

    do {
        *err = ERR_INIT;
        rc = run_once(s, err);
    } while (rc == -ECANCELED && !unit_stopping(u));
    return rc;
}

static void interrupt(struct sync *s, bool at_once) REQUIRES(s->unit.lock)
{
    if (s->run && s->run->feed)
        feed_shutdown(s->run->feed);
    if (s->run && at_once)
        s->run->mode->stop(s->run);
}

static void sync_wake(struct unit *u)
{
    struct sync *s = sync_of(u);

    mutex_lock(&s->unit.lock);
    interrupt(s, true);
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

/* The oldest commit that the target may lack; 0: it has all; -1: it never ran. */
static int64_t oldest_us(struct sync *s) REQUIRES(s->unit.lock)
{
    int64_t oldest, silent = silent_since_us(s);

    if (!s->run)
        return atomic_load(&s->heard_us) ? atomic_load(&s->heard_us) : -1;
    oldest = s->run->mode->oldest_us(s->run);
    if (oldest)
        return oldest;
    if (silent || atomic_load(&s->waiting))
        return silent;
    return atomic_load(&s->read_commit_us);
}

double sync_lag_seconds(struct unit *u)
{
    struct sync *s = sync_of(u);
    int64_t oldest, now = clock_wall_us();

    mutex_lock(&s->unit.lock);
    oldest = oldest_us(s);
    mutex_unlock(&s->unit.lock);
    if (oldest <= 0)
        return oldest < 0 ? -1.0 : 0.0;
    return now > oldest ? (double)(now - oldest) / 1e6 : 0.0;
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

/* --- the node --- */

static json_t *get_lag(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    struct sync *s = sync_of_node(n);
    int64_t oldest = oldest_us(s), now = clock_wall_us();

    (void)a;
    (void)err;
    return json_real(oldest > 0 && now > oldest ? (double)(now - oldest) / 1e6 : 0.0);
}

static json_t *text(const char *s)
{
    return json_string_nocheck(s ? s : "");
}

static json_t *get_gtid(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->gtid);
}

static json_t *get_position(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    struct sync *s = sync_of_node(n);
    SCOPED(freep) char *both = NULL;

    (void)a;
    (void)err;
    if (!s->binlog_file || !s->binlog_file[0])
        return text("");
    both = xasprintf("%s:%llu", s->binlog_file, (unsigned long long)s->binlog_offset);
    return text(both);
}

static json_t *get_order(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_mode_of(sync_of_node(n)->job->apply_mode)->order);
}

static json_t *get_aside(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->aside_text);
}

static json_t *get_catching_up(const struct node *n, const struct attr *a,
                               struct err *err) NO_THREAD_CHECK
{
    const struct sync *s = sync_of_node(n);
    SCOPED(freep) char *both = NULL;

    (void)a;
    (void)err;
    if (!s->catching_up || !s->catching_up[0])
        return text("");
    both = xasprintf("%s at %s:%llu of %s:%llu", s->catching_up, s->aside_at.file,
                     (unsigned long long)s->aside_at.offset, s->binlog_file ? s->binlog_file : "",
                     (unsigned long long)s->binlog_offset);
    return text(both);
}

static json_t *get_reason(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a;
    (void)err;
    return text(sync_of_node(n)->reconnect_reason);
}

static const struct attr sync_attrs[] = {
    UNIT_ATTRS,
    { .name = "lag_seconds",
      .help = "Age of the oldest change at the source that the target does not have; 0 if none",
      .type = ATTR_SECONDS,
      .flags = ATTR_WATCHED | ATTR_GAUGE,
      .get = get_lag },
    { .name = "gtid",
      .help = "All transactions that the target has, as the source names them",
      .type = ATTR_TEXT,
      .get = get_gtid },
    { .name = "position",
      .help = "Binlog file and offset up to which the target has everything",
      .type = ATTR_TEXT,
      .get = get_position },
    { .name = "order",
      .help = "What readers of the target may see while changes are applied: see apply_mode",
      .type = ATTR_TEXT,
      .get = get_order },
    ATTR_U64(struct sync, events, ATTR_COUNT, "Binlog events read since the daemon started"),
    ATTR_U64(struct sync, bytes, ATTR_BYTES, "Bytes of binlog read"),
    ATTR_U64(struct sync, transactions, ATTR_COUNT, "Transactions of the source applied"),
    ATTR_U64(struct sync, rows, ATTR_COUNT, "Row changes of the source applied"),
    { .name = "rows_in_flight",
      .help = "Row changes read that the target has not committed yet",
      .type = ATTR_COUNT,
      .flags = ATTR_GAUGE,
      .get = attr_get_u64,
      .offset = offsetof(struct sync, rows_in_flight) },
    ATTR_U64(struct sync, groups, ATTR_COUNT,
             "Transactions of the target that they were merged into"),
    ATTR_U64(struct sync, write_retries, ATTR_COUNT,
             "Times that one of these was written again after a deadlock or a lock wait"),
    ATTR_U64(struct sync, ddl, ATTR_COUNT, "DDL statements run at the target"),
    ATTR_U64(struct sync, ddl_skipped, ATTR_COUNT, "DDL statements left out"),
    ATTR_U64(struct sync, spilled, ATTR_COUNT, "Transactions too large for memory"),
    ATTR_U64(struct sync, heartbeats, ATTR_COUNT, "Heartbeats of the source"),
    ATTR_FLAG(struct sync, from_relay,
              "Whether the events come from the source's relay instead of from its server"),
    ATTR_U64(struct sync, reconnects, ATTR_COUNT, "Times that the stream was opened again"),
    { .name = "reconnect_reason",
      .help = "Why the stream was opened again the last time",
      .type = ATTR_TEXT,
      .get = get_reason },
    { .name = "set_aside",
      .help = "Tables that stand still after an error while the others go on; consistency is per "
              "table meanwhile",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_aside },
    { .name = "catching_up",
      .help = "The table that a release brings to where the others are, and how far it is; the "
              "others wait meanwhile",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = get_catching_up },
    { 0 },
};

/* --- actions --- */

static void ask(struct sync *s, const char *table, bool skip)
{
    char *old;

    mutex_lock(&s->unit.lock);
    old = s->release;
    s->release = xstrdup(table);
    s->release_skips = skip;
    atomic_store(&s->leave, true);
    interrupt(s, false);
    mutex_unlock(&s->unit.lock);
    free(old);
}

static int check_aside(struct sync *s, const char *table, struct err *err)
{
    SCOPED(freep) char *list = NULL, *wanted = xasprintf(",%s,", table);
    bool busy;

    mutex_lock(&s->unit.lock);
    busy = s->catching_up && s->catching_up[0];
    list = xasprintf(",%s,", s->aside_text ? s->aside_text : "");
    mutex_unlock(&s->unit.lock);
    if (busy)
        return err_set(err, -EBUSY, "a table is catching up: see catching_up");
    if (strcmp(list, ",,") == 0)
        return err_set(err, -ENOENT, "no table is set aside");
    if (table[0] && !strstr(list, wanted))
        return err_set(err, -ENOENT, "table %s is not set aside: see set_aside", table);
    return 0;
}

/* The loop ends, takes the tables back and begins anew: see catching_up, set_aside and error. */
static int release(struct node *n, const json_t *args, bool skip, struct err *err)
{
    struct sync *s = sync_of_node(n);
    const char *table = json_string_value(json_object_get(args, "table"));
    int rc = check_aside(s, table ? table : "", err);

    if (rc < 0)
        return rc;
    ask(s, table ? table : "", skip);
    return 0;
}

static int run_release(struct node *n, const json_t *args, struct err *err)
{
    return release(n, args, false, err);
}

static int run_skip(struct node *n, const json_t *args, struct err *err)
{
    return release(n, args, true, err);
}

static int run_resolve(struct node *n, const json_t *args, struct err *err)
{
    struct sync *s = sync_of_node(n);
    const char *as = json_string_value(json_object_get(args, "as"));
    bool runs;

    if (!as || (strcmp(as, "done") != 0 && strcmp(as, "run") != 0))
        return err_set(err, -EINVAL, "say as=done (it ran at the target) or as=run (it did not)");
    mutex_lock(&s->unit.lock);
    runs = s->run != NULL;
    mutex_unlock(&s->unit.lock);
    if (runs) /* the word would lie there for a statement that nobody has looked at */
        return err_set(err, -EBUSY, "nothing is open: the stream goes on");
    return sync_ddl_resolve(s->job, as, err);
}

static const struct attr table_params[] = {
    { .name = "table",
      .help = "One that is set aside; without it all are taken back, one after the other",
      .type = ATTR_TEXT },
    { 0 },
};
static const struct attr resolve_params[] = {
    { .name = "as", .help = "done or run", .type = ATTR_TEXT },
    { 0 },
};
static const struct action sync_actions[] = {
    { .name = "release",
      .help = "Brings the tables that were set aside to where the others are",
      .params = table_params,
      .run = run_release },
    { .name = "skip",
      .help = "Takes them back as they are, without the changes that they missed",
      .params = table_params,
      .run = run_skip },
    { .name = "resolve_ddl",
      .help =
          "Answers whether a DDL had run at the target when we were killed; done also says that "
          "what a refused statement takes was made there by hand",
      .params = resolve_params,
      .run = run_resolve },
    { 0 },
};

void sync_fini(struct sync *s) NO_THREAD_CHECK
{
    free(s->gtid);
    free(s->binlog_file);
    free(s->aside_text);
    free(s->release);
    free(s->catching_up);
    free(s->reconnect_reason);
    job_unref(s->job);
}

static void sync_release(struct node *n)
{
    struct sync *s = sync_of_node(n);

    unit_fini(&s->unit);
    sync_fini(s);
    free(s);
}

const struct node_type sync_type = {
    .name = "sync",
    .help = "Follows the source's binlog and applies it to the target.",
    .attrs = sync_attrs,
    .actions = sync_actions,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = sync_release,
};

static const struct unit_ops sync_ops = {
    .name = "sync",
    .run = sync_main,
    .wake = sync_wake,
    .progress = sync_progress,
};

struct unit *sync_new(const struct job *job)
{
    struct sync *s = xcalloc(1, sizeof *s);

    s->job = job_ref(job);
    unit_init(&s->unit, &sync_ops, &sync_type, "sync");
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
    return rc < 0 ? rc : sync_ddl_unresolve(job, err);
}

int sync_forget(const struct job *job, struct err *err)
{
    static const char *const tables[] = { "sluice_ddl", "sluice_aside", APPLIED_TABLE };
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return rc;
    rc = checkpoint_forget(c, job->meta_schema, job->task, job->source, err);
    for (size_t i = 0; i < ARRAY_LEN(tables) && rc == 0; i++) {
        rc = copy_sql_exec(c, err, "DELETE FROM %i.%i WHERE task=%q AND source=%q",
                           job->meta_schema, tables[i], job->task, job->source);
        if (rc < 0 && err->sql == 1146)
            rc = 0;
    }
    mysql_conn_close(c);
    return rc < 0 ? rc : forget_stored(job, err);
}
