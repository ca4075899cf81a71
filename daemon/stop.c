#include "stop.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"

#define SAY_AFTER_US INT64_C(3000000)
#define LOOK_EVERY_NS 50000000L

struct stop {
    int64_t limit_us;
    void (*on_give_up)(void *arg);
    void *arg;
    struct mutex lock;
    const char *step GUARDED;
    int64_t since_us GUARDED, said_us GUARDED;
    bool ended GUARDED;
    pthread_t thread;
};

static void give_up(struct stop *s, const char *why, const char *step)
{
    log_error(NULL, "%s: exiting without waiting for %s", why, step);
    s->on_give_up(s->arg);
    _exit(1);
}

/* False when all is stopped. */
static bool look(struct stop *s)
{
    int64_t now = clock_mono_us(), waited;
    const char *step;
    bool say, ended;

    mutex_lock(&s->lock);
    ended = s->ended;
    step = s->step;
    waited = now - s->since_us;
    say = step && now - s->said_us > SAY_AFTER_US;
    if (say)
        s->said_us = now;
    mutex_unlock(&s->lock);
    if (ended)
        return false;
    if (step && waited > s->limit_us)
        give_up(s, "stop_seconds have passed", step);
    if (say)
        log_info(NULL, "waiting for %s, %lld s so far", step, (long long)(waited / 1000000));
    return true;
}

static void *run(void *arg)
{
    struct stop *s = arg;
    const struct timespec every = { .tv_nsec = LOOK_EVERY_NS };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    while (look(s)) {
        if (sigtimedwait(&set, NULL, &every) > 0) {
            const char *step;

            mutex_lock(&s->lock);
            step = s->step;
            mutex_unlock(&s->lock);
            give_up(s, "second signal", step ? step : "anything");
        }
    }
    return NULL;
}

struct stop *stop_begin(uint64_t step_seconds, void (*on_give_up)(void *arg), void *arg)
{
    struct stop *s = xcalloc(1, sizeof *s);

    s->limit_us = (int64_t)step_seconds * 1000000;
    s->on_give_up = on_give_up;
    s->arg = arg;
    mutex_init(&s->lock);
    s->thread = thread_start("stop", run, s);
    return s;
}

void stop_step(struct stop *s, const char *what)
{
    mutex_lock(&s->lock);
    s->step = what;
    s->since_us = s->said_us = clock_mono_us();
    mutex_unlock(&s->lock);
    log_debug(NULL, "stopping %s", what);
}

void stop_end(struct stop *s)
{
    mutex_lock(&s->lock);
    s->ended = true;
    mutex_unlock(&s->lock);
    thread_join(s->thread);
    mutex_fini(&s->lock);
    free(s);
}
