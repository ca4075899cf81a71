/*
 * thread.h - mutexes, conditions and threads that clang's -Wthread-safety can
 * follow.  Members are GUARDED (clang 14 cannot name the lock inside a struct
 * in C), functions REQUIRES(x->lock).  Take and drop a lock in the same short
 * function; memory is released through SCOPED, locks by hand.
 *
 * Lock order: tree, then unit, then store.  Nothing that can wait (a server, a
 * disk, a callback) happens under a lock.
 */
#ifndef SLUICE_BASE_THREAD_H
#define SLUICE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __clang__
#define THREAD_ATTR(x) __attribute__((x))
#else
#define THREAD_ATTR(x)
#endif
#define CAPABILITY THREAD_ATTR(capability("mutex"))
#define GUARDED THREAD_ATTR(guarded_var)
#define REQUIRES(...) THREAD_ATTR(requires_capability(__VA_ARGS__))
#define ACQUIRES(...) THREAD_ATTR(acquire_capability(__VA_ARGS__))
#define RELEASES(...) THREAD_ATTR(release_capability(__VA_ARGS__))
#define NO_THREAD_CHECK THREAD_ATTR(no_thread_safety_analysis)

struct CAPABILITY mutex {
    pthread_mutex_t m;
};

#define MUTEX_INIT                \
    {                             \
        PTHREAD_MUTEX_INITIALIZER \
    }

struct cond {
    pthread_cond_t c; /* on CLOCK_MONOTONIC */
};

void mutex_init(struct mutex *m);
void mutex_fini(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRES(*m);
void mutex_unlock(struct mutex *m) RELEASES(*m);

void cond_init(struct cond *c);
void cond_fini(struct cond *c);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);
/* Waits until signalled or 'timeout_ms' passed (-1: for ever).  Returns false on timeout. */
bool cond_wait(struct cond *c, struct mutex *m, int64_t timeout_ms) REQUIRES(*m);

/* Starts a joinable thread called 'name' (15 characters show in ps and perf).
 * Signals are blocked in it.  Aborts when the system has no thread left. */
pthread_t thread_start(const char *name, void *(*run)(void *arg), void *arg);
void thread_join(pthread_t t);

#endif
