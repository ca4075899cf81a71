#include "unit/task/forget.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "mysql/conn.h"
#include "unit/copy/copy_state.h"
#include "unit/doc.h"
#include "unit/dump/dump_folder.h"
#include "unit/job.h"
#include "unit/sync/sync.h"
#include "unit/task/task_doc.h"
#include "unit/verify/verify.h"

#define TRY_EVERY_MS 20000
#define TRIES 30

int forget_job(const struct job *job, struct err *err)
{
    struct mysql_conn *target;
    int rc;

    if (job->files == FILES_DUMP) /* which has no target */
        return dump_folder_forget(job, err);
    rc = sync_forget(job, err);
    if (rc == 0)
        rc = verify_forget(job, err);
    if (rc < 0)
        return err_wrap(err, "removing the checkpoints");
    if (mysql_conn_open(&target, &job->to, err) < 0)
        return err_of_target(err);
    rc = copy_state_forget(target, job, err);
    mysql_conn_close(target);
    return rc < 0 ? err_wrap(err, "removing the state of the copy") : 0;
}

/* --- in the background --- */

struct deleted {
    struct deleted *next;
    json_t *doc;
    struct store *store;
    unsigned tries;
};

static struct {
    struct mutex lock;
    struct cond cond;    /* the thread is to end */
    struct cond dropped; /* one is off the list */
    struct deleted *list GUARDED;
    struct job *at_work GUARDED; /* whose servers the thread may be waiting for */
    bool stopping GUARDED;
    bool runs GUARDED;       /* the thread looks at the list */
    bool has_thread GUARDED; /* it is to be joined */
    pthread_t thread;
} forgetting = { .lock = MUTEX_INIT };

static void init_conds(void)
{
    cond_init(&forgetting.cond);
    cond_init(&forgetting.dropped);
}

static void init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init_conds);
}

static const char *name_of(const struct deleted *d)
{
    return json_string_value(json_object_get(d->doc, "name"));
}

static void set_at_work(struct job *job)
{
    mutex_lock(&forgetting.lock);
    forgetting.at_work = job;
    if (job && forgetting.stopping)
        job_cut(job);
    mutex_unlock(&forgetting.lock);
}

static int forget_source(const struct deleted *d, const char *source, struct err *err)
{
    struct job_source from = { .name = source };
    struct job *job;
    int rc = job_new(d->doc, &from, d->store, &job, err);

    if (rc < 0)
        return rc;
    set_at_work(job);
    rc = forget_job(job, err);
    set_at_work(NULL);
    job_unref(job);
    return rc;
}

static int forget_deleted(const struct deleted *d, struct err *err)
{
    json_t *sources = task_doc_sources(d->doc), *source;
    size_t i;
    int rc = 0;

    json_array_foreach (sources, i, source)
        if (rc == 0)
            rc = forget_source(d, json_string_value(source), err);
    json_decref(sources);
    return rc;
}

static void deleted_free(struct deleted *d)
{
    json_decref(d->doc);
    free(d);
}

static void give_up(const struct deleted *d, const char *why)
{
    log_warn("tasks",
             "checkpoints of the deleted task %s stay at its target (%s); a new task of that name "
             "begins anew with: echo remove_meta=true > start",
             name_of(d), why);
}

/* The first of the list, which stays on it; NULL when stopping or when there is nothing left. */
static struct deleted *first_deleted(void)
{
    struct deleted *d;

    mutex_lock(&forgetting.lock);
    d = forgetting.stopping ? NULL : forgetting.list;
    if (!d)
        forgetting.runs = false;
    mutex_unlock(&forgetting.lock);
    return d;
}

static void drop_first(void)
{
    struct deleted *d;

    mutex_lock(&forgetting.lock);
    d = forgetting.list;
    forgetting.list = d->next;
    cond_broadcast(&forgetting.dropped);
    mutex_unlock(&forgetting.lock);
    deleted_free(d);
}

/* Those behind it do not wait for a target that is not there; all have their turn, then all wait.
 */
static void try_later(void)
{
    struct deleted *d, **end;

    mutex_lock(&forgetting.lock);
    d = forgetting.list;
    forgetting.list = d->next;
    d->next = NULL;
    for (end = &forgetting.list; *end; end = &(*end)->next)
        ;
    *end = d;
    if (!forgetting.stopping && forgetting.list->tries >= d->tries &&
        cond_wait(&forgetting.cond, &forgetting.lock, TRY_EVERY_MS))
        d->tries--; /* another came: its turn is soon, and this was no whole wait */
    mutex_unlock(&forgetting.lock);
}

static void *forget_thread(void *arg)
{
    struct deleted *d;

    (void)arg;
    while ((d = first_deleted())) {
        struct err err = ERR_INIT;

        if (forget_deleted(d, &err) == 0) {
            log_info("tasks", "checkpoints of the deleted task %s are removed", name_of(d));
            drop_first();
        } else if (++d->tries >= TRIES) {
            give_up(d, err.text);
            drop_first();
        } else {
            try_later();
        }
    }
    return NULL;
}

static void reap(void)
{
    bool join;
    pthread_t thread;

    mutex_lock(&forgetting.lock);
    join = forgetting.has_thread && !forgetting.runs;
    thread = forgetting.thread;
    if (join)
        forgetting.has_thread = false;
    mutex_unlock(&forgetting.lock);
    if (join)
        thread_join(thread);
}

void forget_later(const json_t *doc, struct store *store)
{
    json_t *full = doc_full(task_doc_fields, doc);
    struct deleted *d, **end;

    if (json_is_false(json_object_get(full, "remove_meta_on_delete"))) {
        json_decref(full);
        return;
    }
    init();
    reap();
    d = xcalloc(1, sizeof *d);
    *d = (struct deleted){ .doc = full, .store = store };
    mutex_lock(&forgetting.lock);
    for (end = &forgetting.list; *end; end = &(*end)->next)
        ;
    *end = d;
    cond_broadcast(&forgetting.cond);
    if (!forgetting.runs) {
        forgetting.runs = true;
        forgetting.stopping = false;
        forgetting.has_thread = true;
        forgetting.thread = thread_start("forget", forget_thread, NULL);
    }
    mutex_unlock(&forgetting.lock);
}

static bool is_pending(const char *task) REQUIRES(forgetting.lock)
{
    for (struct deleted *d = forgetting.list; d; d = d->next)
        if (strcmp(name_of(d), task) == 0)
            return true;
    return false;
}

int forget_wait(const char *task, int64_t timeout_ms)
{
    int64_t until_us = clock_mono_us() + timeout_ms * 1000, left_us;
    bool pending;

    init();
    mutex_lock(&forgetting.lock);
    while ((pending = is_pending(task)) && (left_us = until_us - clock_mono_us()) > 0)
        cond_wait(&forgetting.dropped, &forgetting.lock, left_us / 1000 + 1);
    mutex_unlock(&forgetting.lock);
    return pending ? -ETIMEDOUT : 0;
}

void forget_stop(void)
{
    bool join;

    init();
    mutex_lock(&forgetting.lock);
    forgetting.stopping = true;
    if (forgetting.at_work)
        job_cut(forgetting.at_work);
    cond_broadcast(&forgetting.cond);
    join = forgetting.has_thread;
    forgetting.has_thread = false;
    mutex_unlock(&forgetting.lock);
    if (join)
        thread_join(forgetting.thread);
    mutex_lock(&forgetting.lock);
    while (forgetting.list) {
        struct deleted *d = forgetting.list;

        forgetting.list = d->next;
        give_up(d, "the daemon stops");
        deleted_free(d);
    }
    mutex_unlock(&forgetting.lock);
}
