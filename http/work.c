/* work.c - threads for requests that may wait. */
#include "http/work.h"

#include <errno.h>

#include "base/mem.h"
#include "base/thread.h"

struct job {
    void (*run)(void *arg);
    void *arg;
};

struct work {
    struct mutex lock;
    struct cond cond;
    struct job *queue; /* a ring of 'max_queued' */
    unsigned max_queued, first GUARDED, n_queued GUARDED;
    pthread_t *threads;
    unsigned max_threads, n_threads GUARDED, n_idle GUARDED;
    bool stopping GUARDED;
};

/* Takes the next job; false when there is none and none will come. */
static bool take(struct work *w, struct job *ret)
{
    bool found;

    mutex_lock(&w->lock);
    w->n_idle++;
    while (!w->n_queued && !w->stopping)
        cond_wait(&w->cond, &w->lock, -1);
    w->n_idle--;
    found = w->n_queued > 0;
    if (found) {
        *ret = w->queue[w->first];
        w->first = (w->first + 1) % w->max_queued;
        w->n_queued--;
    }
    mutex_unlock(&w->lock);
    return found;
}

static void *run_jobs(void *arg)
{
    struct work *w = arg;
    struct job job;

    while (take(w, &job))
        job.run(job.arg);
    return NULL;
}

struct work *work_new(unsigned max_threads, unsigned max_queued)
{
    struct work *w = xcalloc(1, sizeof *w);

    mutex_init(&w->lock);
    cond_init(&w->cond);
    w->max_threads = max_threads;
    w->max_queued = max_queued;
    w->queue = xcalloc(max_queued, sizeof *w->queue);
    w->threads = xcalloc(max_threads, sizeof *w->threads);
    return w;
}

void work_end(struct work *w)
{
    unsigned n;

    mutex_lock(&w->lock);
    w->stopping = true;
    n = w->n_threads;
    w->n_threads = 0;
    cond_broadcast(&w->cond);
    mutex_unlock(&w->lock);
    for (unsigned i = 0; i < n; i++)
        thread_join(w->threads[i]);
}

void work_free(struct work *w)
{
    if (!w)
        return;
    work_end(w);
    cond_fini(&w->cond);
    mutex_fini(&w->lock);
    free(w->queue);
    free(w->threads);
    free(w);
}

int work_submit(struct work *w, void (*run)(void *arg), void *arg, struct err *err)
{
    int rc = 0;

    mutex_lock(&w->lock);
    if (w->stopping)
        rc = err_set(err, -ESHUTDOWN, "the daemon is stopping");
    else if (w->n_queued == w->max_queued)
        rc = err_set(err, -EAGAIN, "%u requests wait already", w->n_queued);
    if (rc == 0) {
        w->queue[(w->first + w->n_queued++) % w->max_queued] = (struct job){ run, arg };
        if (w->n_queued > w->n_idle && w->n_threads < w->max_threads)
            w->threads[w->n_threads++] = thread_start("http-work", run_jobs, w);
        cond_signal(&w->cond);
    }
    mutex_unlock(&w->lock);
    return rc;
}
