/* relay_ack.c - tells the source what is on our disk, and where the gate's keepers want it
 * (relay_gate.h): semi-synchronous replication.
 *
 * One thread, so that reading goes on while the disk works: what came meanwhile is one group, and
 * one acknowledgement, which counts for all before it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "unit/relay/relay_priv.h"

#define PENDING 256
#define LOOK_MS 100 /* how soon it notices its end while it waits for the disk or the gate */

struct pending {
    uint64_t seq, offset;
    char file[BINLOG_NAME_SIZE];
};

struct relay_acks {
    struct journal *journal;
    struct relay_gate *gate;
    struct mysql_stream *stream;
    char *path;
    struct mutex lock;
    struct cond cond;
    struct pending at[PENDING] GUARDED; /* the oldest first */
    unsigned n GUARDED;
    bool stopping GUARDED;
    pthread_t thread;
};

/* The oldest that is waited for; 0: the end. */
static uint64_t wait_for_one(struct relay_acks *a)
{
    uint64_t seq;

    mutex_lock(&a->lock);
    while (!a->n && !a->stopping)
        cond_wait(&a->cond, &a->lock, -1);
    seq = a->stopping ? 0 : a->at[0].seq;
    mutex_unlock(&a->lock);
    return seq;
}

static bool is_durable(struct relay_acks *a, uint64_t seq)
{
    struct err none = ERR_INIT;

    return journal_wait_durable(a->journal, seq, 0, &none) == 0;
}

/* A copy of the newest that is waited for. */
static struct pending newest_of(struct relay_acks *a)
{
    struct pending p;

    mutex_lock(&a->lock);
    p = a->at[a->n - 1];
    mutex_unlock(&a->lock);
    return p;
}

/* 'seq' is done, and those before it. */
static void take(struct relay_acks *a, uint64_t seq, struct pending *ret)
{
    unsigned i = 0;

    mutex_lock(&a->lock);
    while (i < a->n && a->at[i].seq <= seq)
        i++;
    *ret = a->at[i - 1];
    memmove(a->at, a->at + i, (a->n - i) * sizeof *a->at);
    a->n -= i;
    mutex_unlock(&a->lock);
}

/* The oldest may be acknowledged: how far, with what came meanwhile? */
static uint64_t reach(struct relay_acks *a, uint64_t oldest)
{
    uint64_t newest = newest_of(a).seq, passed = relay_gate_passed(a->gate);

    if (is_durable(a, newest))
        return newest <= passed ? newest : passed > oldest ? passed : oldest;
    return oldest;
}

/* 1: 'seq' may be acknowledged; 0: not yet; or the writer has ended: it never will. */
static int await(struct relay_acks *a, uint64_t seq, struct err *err)
{
    int rc = journal_wait_durable(a->journal, seq, LOOK_MS, err);

    if (rc == 0)
        return relay_gate_wait(a->gate, seq, LOOK_MS);
    return rc == -ETIMEDOUT ? 0 : rc;
}

static void *acknowledge(void *arg)
{
    struct relay_acks *a = arg;
    struct pending last;
    uint64_t seq;
    int rc = 0;

    while (rc >= 0 && (seq = wait_for_one(a)) != 0) {
        struct err err = ERR_INIT;

        if ((rc = await(a, seq, &err)) <= 0)
            continue;
        take(a, reach(a, seq), &last);
        rc = mysql_stream_acknowledge(a->stream, last.file, last.offset, &err);
        if (rc < 0)
            log_warn(a->path, "acknowledgement: %s", err.text);
    }
    return NULL;
}

struct relay_acks *relay_acks_new(struct journal *j, struct relay_gate *gate,
                                  struct mysql_stream *s, const char *path) NO_THREAD_CHECK
{
    struct relay_acks *a = xcalloc(1, sizeof *a);

    a->journal = j;
    a->gate = gate;
    a->stream = s;
    a->path = xstrdup(path);
    mutex_init(&a->lock);
    cond_init(&a->cond);
    a->thread = thread_start("relay-ack", acknowledge, a);
    return a;
}

void relay_acks_add(struct relay_acks *a, uint64_t seq, const char *file, uint64_t offset)
{
    struct pending *p;

    mutex_lock(&a->lock);
    if (a->n == PENDING)
        a->n--; /* the newest counts for it, too */
    p = &a->at[a->n++];
    p->seq = seq;
    p->offset = offset;
    snprintf(p->file, sizeof p->file, "%s", file);
    cond_signal(&a->cond);
    mutex_unlock(&a->lock);
}

void relay_acks_free(struct relay_acks *a)
{
    if (!a)
        return;
    mutex_lock(&a->lock);
    a->stopping = true;
    cond_broadcast(&a->cond);
    mutex_unlock(&a->lock);
    thread_join(a->thread);
    cond_fini(&a->cond);
    mutex_fini(&a->lock);
    free(a->path);
    free(a);
}
