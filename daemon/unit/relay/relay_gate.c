#include "unit/relay/relay_gate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

struct relay_gate {
    struct mutex lock;
    struct cond cond;
    struct gate_keeper *keepers GUARDED;
};

struct gate_keeper {
    struct gate_keeper *next;
    struct relay_gate *gate;
    char *who;
    int64_t timeout_ms;
    struct gate_view view; /* under the gate's lock, as all that follows */
    uint64_t waits_for;    /* the highest that it was waited for */
    int64_t since_us;      /* that this is so; 0: nobody waits */
    uint64_t counted;      /* the highest that it let pass in time */
    bool unsaid;           /* it has lapsed, and the log does not have it yet */
};

struct relay_gate *relay_gate_new(void) NO_THREAD_CHECK
{
    struct relay_gate *g = xcalloc(1, sizeof *g);

    mutex_init(&g->lock);
    cond_init(&g->cond);
    return g;
}

void relay_gate_free(struct relay_gate *g)
{
    if (!g)
        return;
    cond_fini(&g->cond);
    mutex_fini(&g->lock);
    free(g);
}

struct gate_keeper *relay_gate_enter(struct relay_gate *g, const char *who, int64_t timeout_ms)
{
    struct gate_keeper *k = xcalloc(1, sizeof *k);

    k->gate = g;
    k->who = xstrdup(who);
    k->timeout_ms = timeout_ms;
    mutex_lock(&g->lock);
    k->next = g->keepers;
    g->keepers = k;
    mutex_unlock(&g->lock);
    return k;
}

void relay_gate_leave(struct gate_keeper *k)
{
    struct relay_gate *g;

    if (!k)
        return;
    g = k->gate;
    mutex_lock(&g->lock);
    for (struct gate_keeper **p = &g->keepers; *p; p = &(*p)->next)
        if (*p == k) {
            *p = k->next;
            break;
        }
    cond_broadcast(&g->cond);
    mutex_unlock(&g->lock);
    free(k->who);
    free(k);
}

void relay_gate_reached(struct gate_keeper *k, uint64_t seq)
{
    bool back = false;

    mutex_lock(&k->gate->lock);
    if (seq > k->view.reached)
        k->view.reached = seq;
    if (k->view.reached >= k->waits_for) {
        back = k->view.lapsed;
        k->view.lapsed = false;
        k->since_us = 0;
    }
    cond_broadcast(&k->gate->cond);
    mutex_unlock(&k->gate->lock);
    if (back)
        log_info(k->who, "enough replicas acknowledge again: the source's commits wait for them");
}

void relay_gate_look(struct gate_keeper *k, struct gate_view *ret)
{
    mutex_lock(&k->gate->lock);
    *ret = k->view;
    mutex_unlock(&k->gate->lock);
}

/* Milliseconds that this keeper still has for 'seq'; 0: it does not hold it back. */
static int64_t patience_ms(struct gate_keeper *k, uint64_t seq, int64_t now_us)
{
    int64_t left_ms;

    if (k->view.reached >= seq) {
        k->view.passed += seq > k->counted && !k->view.lapsed;
        k->counted = seq > k->counted ? seq : k->counted;
        return 0;
    }
    if (seq > k->waits_for || !k->since_us) {
        k->since_us = now_us;
        k->waits_for = seq > k->waits_for ? seq : k->waits_for;
    }
    if (k->view.lapsed)
        return 0;
    left_ms = k->timeout_ms - (now_us - k->since_us) / 1000;
    if (left_ms > 0)
        return left_ms;
    k->view.lapsed = k->unsaid = true;
    k->view.lapses++;
    return 0;
}

/* Until when the most patient of those who hold 'seq' back is to be waited for. */
static int64_t held_ms(struct relay_gate *g, uint64_t seq) REQUIRES(g->lock)
{
    int64_t now_us = clock_mono_us(), least = 0;

    for (struct gate_keeper *k = g->keepers; k; k = k->next) {
        int64_t ms = patience_ms(k, seq, now_us);

        if (ms > 0 && (least == 0 || ms < least))
            least = ms;
    }
    return least;
}

/* Who has lapsed since the last look; the caller frees it.  NULL: nobody. */
static char *take_unsaid(struct relay_gate *g, int64_t *timeout_ms)
{
    char *who = NULL;

    mutex_lock(&g->lock);
    for (struct gate_keeper *k = g->keepers; k && !who; k = k->next)
        if (k->unsaid) {
            k->unsaid = false;
            *timeout_ms = k->timeout_ms;
            who = xstrdup(k->who);
        }
    mutex_unlock(&g->lock);
    return who;
}

static void say_lapsed(struct relay_gate *g)
{
    int64_t timeout_ms;
    char *who;

    while ((who = take_unsaid(g, &timeout_ms))) {
        log_warn(who,
                 "too few replicas acknowledged within %lld ms what the source waits for: its "
                 "commits do not wait for them until they have caught up",
                 (long long)timeout_ms);
        free(who);
    }
}

bool relay_gate_wait(struct relay_gate *g, uint64_t seq, int64_t timeout_ms)
{
    int64_t until_us = clock_mono_us() + timeout_ms * 1000, ms;

    mutex_lock(&g->lock);
    while ((ms = held_ms(g, seq)) > 0) {
        int64_t left_ms = (until_us - clock_mono_us() + 999) / 1000;

        if (left_ms <= 0)
            break;
        cond_wait(&g->cond, &g->lock, ms < left_ms ? ms : left_ms);
    }
    mutex_unlock(&g->lock);
    say_lapsed(g);
    return ms == 0;
}

uint64_t relay_gate_passed(struct relay_gate *g)
{
    uint64_t least = UINT64_MAX;

    mutex_lock(&g->lock);
    for (struct gate_keeper *k = g->keepers; k; k = k->next)
        if (!k->view.lapsed && k->view.reached < least)
            least = k->view.reached;
    mutex_unlock(&g->lock);
    return least;
}
