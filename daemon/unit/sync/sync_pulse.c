/* Once a second: tells who watches that time passes, and says when the target does not answer. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/scope.h"
#include "unit/sync/sync_begun.h"
#include "unit/sync/sync_dm.h"
#include "unit/sync/sync_gone.h"

#define LOOK_AT_ASIDE 5 /* pulses: so often what was set aside is looked for at the source */
#define STALL_US ((int64_t)20 * 1000000)

/* What the session that we wait for does, as the target tells another. */
static void look_at_session(struct sync_run *r, const struct sync_hand *h, struct err *ret)
{
    struct mysql_params quick = r->job->to;
    uint64_t id = mysql_conn_id(sink_conn(h->sink));
    SCOPED(freep) char *state = NULL;
    struct mysql_conn *c;
    struct err err = ERR_INIT;

    quick.connect_timeout_s = quick.io_timeout_s = 5;
    if (mysql_conn_open(&c, &quick, &err) < 0) {
        err_set(ret, -ETIMEDOUT, "the target does not answer: %s", err.text);
        return;
    }
    if (mysql_scalar(c, &state, &err,
                     "SELECT CONCAT(IFNULL(STATE,''),': ',IFNULL(LEFT(INFO,100),''))"
                     " FROM information_schema.PROCESSLIST WHERE ID=%llu",
                     (unsigned long long)id) == 0)
        err_set(ret, -ETIMEDOUT,
                "waits for the target: session %llu there is at '%s': is a disk full, or does "
                "somebody hold a lock?",
                (unsigned long long)id, state);
    else
        err_set(ret, -ETIMEDOUT, "waits for the target: %s", err.text);
    mysql_conn_close(c);
}

/* The unit runs on, so its state stays; why nothing moves is in 'error'. */
static void show(struct sync *s, const struct err *why)
{
    mutex_lock(&s->unit.lock);
    s->unit.error = *why;
    mutex_unlock(&s->unit.lock);
    node_changed(&s->unit.node, "error");
}

static struct sync_hand *hand(struct sync_run *r, unsigned i)
{
    return i == 0 ? &r->main : &r->appliers[i - 1];
}

/* The session that has been waited for too long, if there is one. */
static struct sync_hand *stalled(struct sync_run *r)
{
    for (unsigned i = 0; i <= r->n_appliers; i++) {
        int64_t since = atomic_load(&hand(r, i)->writing_us);

        if (since && clock_mono_us() - since > STALL_US)
            return hand(r, i);
    }
    return NULL;
}

void *sync_pulse(void *run)
{
    struct sync_run *r = run;
    struct sync *s = r->sync;
    bool shown = false;
    double lag = -1;
    unsigned n = 0;

    while (r->mode->sleep(r, 1000)) {
        double now = sync_lag_seconds(&s->unit);

        sync_sample(s);
        dm_checkpoint_pulse(r);
        begun_pulse(r);
        if (++n % LOOK_AT_ASIDE == 0)
            gone_look(r);
        if (now != lag)
            node_changed(&s->unit.node, "lag_seconds");
        lag = now;
        histogram_observe(&s->lag_us, (int64_t)(now * 1e6));
        const struct sync_hand *slow = stalled(r);

        if (slow) {
            struct err why = ERR_INIT;

            look_at_session(r, slow, &why);
            if (!shown)
                log_warn(s->unit.path, "%s", why.text);
            show(s, &why);
            shown = true;
        } else if (shown) {
            show(s, &ERR_INIT);
            shown = false;
        }
    }
    return NULL;
}
