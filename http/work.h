/*
 * work.h - threads for requests that may wait (an action, a server that is
 * asked), so that the event loops never do.  Threads are started when all are
 * busy, up to a limit, and stay.
 */
#ifndef SLUICE_HTTP_WORK_H
#define SLUICE_HTTP_WORK_H

#include "base/err.h"

struct work;

struct work *work_new(unsigned max_threads, unsigned max_queued);
/* Runs what is queued, waits for all threads; nothing is taken any more. */
void work_end(struct work *w);
void work_free(struct work *w); /* ends it first; NULL is fine */
/* Calls 'run' with 'arg' in a thread; -EAGAIN if too much is queued, -ESHUTDOWN while stopping. */
int work_submit(struct work *w, void (*run)(void *arg), void *arg, struct err *err);

#endif
