#include "unit/unit.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/retry.h"

void unit_init(struct unit *u, const struct unit_ops *ops, const struct node_type *type,
               const char *name) NO_THREAD_CHECK
{
    node_init(&u->node, type, name);
    u->ops = ops;
    mutex_init(&u->lock);
    cond_init(&u->cond);
    u->state = UNIT_NEW;
    u->max_retries = UNIT_MAX_RETRIES;
}

/* Joins the thread if it is over.  Two callers cannot both see 'has_thread'. */
static void unit_reap(struct unit *u)
{
    bool reap;

    mutex_lock(&u->lock);
    reap = u->has_thread && u->over;
    if (reap)
        u->has_thread = false;
    mutex_unlock(&u->lock);
    if (reap)
        thread_join(u->thread);
}

static bool unit_is_live(const struct unit *u) REQUIRES(u->lock)
{
    return u->has_thread && !u->over;
}

void unit_fini(struct unit *u)
{
    unit_reap(u);
    mutex_lock(&u->lock);
    assert(!u->has_thread);
    mutex_unlock(&u->lock);
    free(u->path);
    cond_fini(&u->cond);
    mutex_fini(&u->lock);
}

/* Returns the state it was in.  A move that the table does not have is a bug. */
static enum unit_state unit_move(struct unit *u, enum unit_state to) REQUIRES(u->lock)
{
    enum unit_state from = u->state;

    assert(from == to || unit_may_move(from, to));
    u->state = to;
    cond_broadcast(&u->cond);
    return from;
}

/* Says to watchers, the events and the log what unit_move() did; without locks. */
static void unit_tell(struct unit *u, enum unit_state from, enum unit_state to)
{
    if (from == to)
        return;
    log_info(u->path, "%s -> %s", unit_state_names[from], unit_state_names[to]);
    node_changed(&u->node, "state");
    node_event(&u->node, "state",
               json_pack("{s:s, s:s}", "from", unit_state_names[from], "to", unit_state_names[to]));
    if (u->moved)
        u->moved(u, u->arg);
}

/* --- the owner thread --- */

static void unit_log_error(struct unit *u, const struct err *err, unsigned retries, unsigned max,
                           int64_t delay_ms)
{
    if (delay_ms)
        log_warn(u->path, "%s; retry %u of %u in %lld ms", err->text, retries, max,
                 (long long)delay_ms);
    else
        log_error(u->path, "%s", err->text);
}

/* Of a session that was there: the library's numbers for it, and a server that ends. */
static bool is_lost(const struct err *err)
{
    return err->sql == 2006 || err->sql == 2013 || err->sql == 2055 ||
           (err->code == -ECONNRESET && err->sql >= 1000 && err->sql < 2000);
}

/* Numbers from 2000 are the client library's: it did not get in, or the line broke. */
static void blame_connection(struct err *err)
{
    if (is_lost(err))
        err_because(err, REASON_CONNECTION_LOST);
    else if ((err->sql >= 2000 && err->sql < 3000) || err->code == -ECONNRESET ||
             err->code == -ECONNREFUSED)
        err_because(err, REASON_CONNECTION);
}

static void patience_of(struct unit *u, struct unit_patience *ret)
{
    mutex_lock(&u->lock);
    *ret = (struct unit_patience){ .max_retries = u->max_retries };
    mutex_unlock(&u->lock);
    if (u->patience)
        u->patience(u, u->arg, ret);
}

/* The wait before the next attempt, of which it is the u->retries'th. */
static int64_t delay_ms_of(struct unit *u, enum retry_kind kind, const struct unit_patience *p)
    REQUIRES(u->lock)
{
    int64_t ran_ms = (clock_mono_us() - u->begun_us) / 1000, ms;
    unsigned random = 0;

    (void)!getrandom(&random, sizeof random, 0);
    if (kind != RETRY_NEVER)
        return retry_delay_ms(kind, u->retries);
    u->resumes = retry_forget(u->resumes, ran_ms, p->calm_ms) + 1;
    ms = retry_delay_ms(RETRY_SOON, u->resumes);
    return retry_jitter_ms(p->longest_ms && ms > p->longest_ms ? p->longest_ms : ms, random);
}

/* Records the error; how long to wait before the next attempt, 0 to give up, which it says.
 * '*mended': somebody has to mend it meanwhile. */
static int64_t unit_failed(struct unit *u, struct err *err, bool *mended, unsigned *retries,
                           unsigned *max)
{
    enum retry_kind kind = retry_kind_of(err);
    struct unit_patience p;
    int64_t delay_ms = 0;

    blame_connection(err);
    patience_of(u, &p);
    *mended = kind == RETRY_NEVER && p.resumes && retry_resumes(err);
    mutex_lock(&u->lock);
    if (atomic_exchange(&u->progressed, false))
        u->retries = 0;
    u->max_retries = p.max_retries;
    if ((kind != RETRY_NEVER || *mended) && u->retries < u->max_retries) {
        u->retries++;
        delay_ms = delay_ms_of(u, kind, &p);
        u->next_retry_us = clock_mono_us() + delay_ms * 1000;
    } else if (u->retries && (kind != RETRY_NEVER || *mended)) {
        err_wrap(err, "gave up after %u retries", u->retries);
    }
    u->error = *err;
    atomic_fetch_add(delay_ms ? &u->failures : &u->gave_up, 1);
    *retries = u->retries;
    *max = u->max_retries;
    mutex_unlock(&u->lock);
    return delay_ms;
}

enum awaited { AWAITED_DUE, AWAITED_STOP, AWAITED_NO_MORE };

static bool still_resumes(struct unit *u)
{
    struct unit_patience p;

    patience_of(u, &p);
    return p.resumes;
}

/* Waits until the next attempt is due, or until there is to be none any more. */
static enum awaited unit_await_retry(struct unit *u, bool mended)
{
    enum awaited ret = AWAITED_DUE;
    int64_t left;

    mutex_lock(&u->lock);
    while (!u->stop_wanted && ret == AWAITED_DUE &&
           (left = u->next_retry_us - clock_mono_us()) > 0) {
        cond_wait(&u->cond, &u->lock, left / 1000 + 1);
        mutex_unlock(&u->lock);
        if (mended && !still_resumes(u))
            ret = AWAITED_NO_MORE;
        mutex_lock(&u->lock);
    }
    if (u->stop_wanted)
        ret = AWAITED_STOP;
    else if (u->next_retry_us <= clock_mono_us()) /* or unit_start() said so */
        ret = AWAITED_DUE;
    u->next_retry_us = 0;
    if (ret == AWAITED_DUE) {
        u->error = ERR_INIT;
        u->begun_us = clock_mono_us();
    }
    mutex_unlock(&u->lock);
    return ret;
}

static void unit_become(struct unit *u, enum unit_state to)
{
    enum unit_state from;

    mutex_lock(&u->lock);
    from = unit_move(u, to);
    mutex_unlock(&u->lock);
    unit_tell(u, from, to);
}

static enum unit_state unit_stop_to(struct unit *u)
{
    enum unit_state to;

    mutex_lock(&u->lock);
    to = u->stop_to;
    mutex_unlock(&u->lock);
    return to;
}

/* What follows from the return of run().  True: run again. */
static bool unit_after_run(struct unit *u, int rc, struct err *err)
{
    unsigned retries, max;
    enum awaited next;
    int64_t delay_ms;
    bool mended;

    if (rc == 0) {
        unit_become(u, UNIT_FINISHED);
        return false;
    }
    if (u->stop_wanted) {
        if (rc != -ECANCELED)
            log_warn(u->path, "while stopping: %s", err->text);
        unit_become(u, unit_stop_to(u));
        return false;
    }
    delay_ms = unit_failed(u, err, &mended, &retries, &max);
    unit_log_error(u, err, retries, max, delay_ms);
    unit_become(u, UNIT_ERROR);
    next = delay_ms ? unit_await_retry(u, mended) : AWAITED_NO_MORE;
    if (next == AWAITED_NO_MORE && delay_ms) {
        log_info(u->path, "no further attempt is wanted");
        atomic_fetch_add(&u->gave_up, 1);
    }
    if (next == AWAITED_STOP)
        unit_become(u, unit_stop_to(u));
    else if (next == AWAITED_DUE)
        unit_become(u, UNIT_RUNNING);
    return next == AWAITED_DUE;
}

static void unit_over(struct unit *u)
{
    mutex_lock(&u->lock);
    u->over = true;
    cond_broadcast(&u->cond);
    mutex_unlock(&u->lock);
}

static void *unit_main(void *arg)
{
    struct unit *u = arg;
    struct err err;
    int rc;

    do {
        err = ERR_INIT;
        rc = u->ops->run(u, &err);
    } while (unit_after_run(u, rc, &err));
    if (u->ended)
        u->ended(u, u->arg);
    unit_over(u);
    return NULL;
}

/* --- any thread --- */

static int unit_may_start(struct unit *u, struct err *err) REQUIRES(u->lock)
{
    if (u->state == UNIT_FINISHED)
        return err_set(err, -EALREADY, "%s has finished", u->ops->name);
    if (unit_is_live(u) || !unit_may_move(u->state, UNIT_RUNNING))
        return err_set(err, -EBUSY, "%s is %s already", u->ops->name, unit_state_names[u->state]);
    return 0;
}

int unit_start(struct unit *u, struct err *err)
{
    SCOPED(freep) char *path = node_path(&u->node);
    enum unit_state from = UNIT_RUNNING;
    int rc = 0;

    unit_reap(u);
    mutex_lock(&u->lock);
    if (u->next_retry_us && !u->stop_wanted) {
        u->next_retry_us = 1; /* long ago: now */
        cond_broadcast(&u->cond);
    } else if ((rc = unit_may_start(u, err)) == 0) {
        free(u->path);
        u->path = STEAL(path);
        u->stop_wanted = false;
        u->progressed = false;
        u->error = ERR_INIT;
        u->retries = u->resumes = 0;
        u->begun_us = clock_mono_us();
        u->over = false;
        from = unit_move(u, UNIT_RUNNING);
        u->has_thread = true;
        u->thread = thread_start(u->ops->name, unit_main, u);
    }
    mutex_unlock(&u->lock);
    unit_tell(u, from, UNIT_RUNNING);
    return rc;
}

void unit_reconsider(struct unit *u)
{
    struct unit_patience p;

    patience_of(u, &p);
    mutex_lock(&u->lock);
    u->max_retries = p.max_retries;
    cond_broadcast(&u->cond);
    mutex_unlock(&u->lock);
}

void unit_renew(struct unit *u)
{
    unit_reap(u);
    mutex_lock(&u->lock);
    if (u->state == UNIT_FINISHED)
        u->state = UNIT_NEW;
    mutex_unlock(&u->lock);
}

void unit_was(struct unit *u, enum unit_state state)
{
    mutex_lock(&u->lock);
    if (u->state == UNIT_NEW &&
        (state == UNIT_PAUSED || state == UNIT_STOPPED || state == UNIT_FINISHED))
        u->state = state;
    mutex_unlock(&u->lock);
}

void unit_ask_stop(struct unit *u, enum unit_state to)
{
    enum unit_state from = to;
    bool live;

    mutex_lock(&u->lock);
    live = unit_is_live(u);
    if (live) {
        u->stop_to = to;
        u->stop_wanted = true;
        cond_broadcast(&u->cond);
    } else if (unit_may_move(u->state, to)) {
        from = unit_move(u, to);
    }
    mutex_unlock(&u->lock);
    if (live && u->ops->wake)
        u->ops->wake(u);
    unit_tell(u, from, to);
}

int unit_wait(struct unit *u, int64_t timeout_ms)
{
    int64_t until_us = clock_mono_us() + timeout_ms * 1000;
    int64_t left_ms = timeout_ms;
    bool live;

    mutex_lock(&u->lock);
    while ((live = unit_is_live(u)) && (timeout_ms < 0 || left_ms > 0)) {
        cond_wait(&u->cond, &u->lock, left_ms);
        if (timeout_ms >= 0)
            left_ms = (until_us - clock_mono_us()) / 1000;
    }
    mutex_unlock(&u->lock);
    if (live)
        return -ETIMEDOUT;
    unit_reap(u);
    return 0;
}

void unit_stop(struct unit *u, enum unit_state to)
{
    unit_ask_stop(u, to);
    unit_wait(u, -1);
}

bool unit_stopping(const struct unit *u)
{
    return atomic_load_explicit(&u->stop_wanted, memory_order_relaxed);
}

bool unit_sleep(struct unit *u, int64_t ms)
{
    int64_t until_us = clock_mono_us() + ms * 1000;
    int64_t left_us;

    mutex_lock(&u->lock);
    while (!u->stop_wanted && (left_us = until_us - clock_mono_us()) > 0)
        cond_wait(&u->cond, &u->lock, left_us / 1000 + 1);
    mutex_unlock(&u->lock);
    return !unit_stopping(u);
}

void unit_progressed(struct unit *u)
{
    atomic_store_explicit(&u->progressed, true, memory_order_relaxed);
}

void unit_quarantined(struct unit *u, bool some)
{
    unit_become(u, some ? UNIT_QUARANTINED : UNIT_RUNNING);
}

enum unit_state unit_state(struct unit *u)
{
    enum unit_state s;

    mutex_lock(&u->lock);
    s = u->state;
    mutex_unlock(&u->lock);
    return s;
}

void unit_error(struct unit *u, struct err *ret)
{
    mutex_lock(&u->lock);
    *ret = u->error;
    mutex_unlock(&u->lock);
}

static double retry_s(const struct unit *u) REQUIRES(u->lock)
{
    int64_t left_us = u->next_retry_us ? u->next_retry_us - clock_mono_us() : 0;

    return left_us > 0 ? (double)left_us / 1e6 : 0;
}

double unit_retry_s(struct unit *u)
{
    double s;

    mutex_lock(&u->lock);
    s = retry_s(u);
    mutex_unlock(&u->lock);
    return s;
}

/* --- rows; called between unit_lock() and unit_unlock() --- */

static struct unit *unit_of(const struct node *n)
{
    return node_owner((struct node *)n, struct unit, node);
}

void unit_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&unit_of(n)->lock);
}

void unit_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&unit_of(n)->lock);
}

json_t *unit_get_state(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(unit_state_names[unit_of(n)->state]);
}

json_t *unit_get_error(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    const struct unit *u = unit_of(n);

    (void)a, (void)err;
    return json_string(u->error.code ? u->error.text : "");
}

json_t *unit_get_reason(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_string(reason_word(unit_of(n)->error.reason));
}

json_t *unit_get_retries(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_integer(unit_of(n)->retries);
}

json_t *unit_get_max_retries(const struct node *n, const struct attr *a,
                             struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_integer(unit_of(n)->max_retries);
}

json_t *unit_get_next_retry(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_real(retry_s(unit_of(n)));
}

json_t *unit_get_failures(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)atomic_load(&unit_of(n)->failures));
}

json_t *unit_get_gave_up(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_integer((json_int_t)atomic_load(&unit_of(n)->gave_up));
}
