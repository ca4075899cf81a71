#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void mutex_init(struct mutex *m)
{
    pthread_mutex_init(&m->m, NULL);
}

void mutex_fini(struct mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

void mutex_lock(struct mutex *m) NO_THREAD_CHECK
{
    int rc = pthread_mutex_lock(&m->m);

    assert(rc == 0);
}

void mutex_unlock(struct mutex *m) NO_THREAD_CHECK
{
    int rc = pthread_mutex_unlock(&m->m);

    assert(rc == 0);
}

void cond_init(struct cond *c)
{
    pthread_condattr_t a;

    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&c->c, &a);
    pthread_condattr_destroy(&a);
}

void cond_fini(struct cond *c)
{
    pthread_cond_destroy(&c->c);
}

void cond_signal(struct cond *c)
{
    pthread_cond_signal(&c->c);
}

void cond_broadcast(struct cond *c)
{
    pthread_cond_broadcast(&c->c);
}

bool cond_wait(struct cond *c, struct mutex *m, int64_t timeout_ms) NO_THREAD_CHECK
{
    struct timespec until;

    if (timeout_ms < 0)
        return pthread_cond_wait(&c->c, &m->m) == 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    return pthread_cond_timedwait(&c->c, &m->m, &until) != ETIMEDOUT;
}

pthread_t thread_start(const char *name, void *(*run)(void *arg), void *arg)
{
    sigset_t all, was;
    char shown[16];
    pthread_t t;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    rc = pthread_create(&t, NULL, run, arg);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    if (rc != 0) {
        fprintf(stderr, "sluiced: cannot start thread %s: error %d\n", name, rc);
        abort();
    }
    snprintf(shown, sizeof shown, "%s", name);
    pthread_setname_np(t, shown);
    return t;
}

void thread_join(pthread_t t)
{
    int rc = pthread_join(t, NULL);

    assert(rc == 0);
}
