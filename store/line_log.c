#include "store/line_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "store/key.h"
#include "store/store.h"

#define RETRY_US INT64_C(1000000)

struct line {
    struct line *next;
    uint64_t number;
    char text[];
};

struct line_log {
    struct store *store;
    const char *log;
    unsigned keep;
    struct mutex lock;
    struct cond work;
    struct line *first GUARDED, **last GUARDED;
    unsigned n GUARDED;
    bool stop GUARDED;
    pthread_t thread;
};

static void free_lines(struct line *first)
{
    while (first) {
        struct line *next = first->next;

        free(first);
        first = next;
    }
}

void line_log_append(struct line_log *l, uint64_t number, const char *text)
{
    size_t size = strlen(text) + 1;
    struct line *line = xmalloc(sizeof *line + size), *old = NULL;

    *line = (struct line){ .number = number };
    memcpy(line->text, text, size);
    mutex_lock(&l->lock);
    if (l->n == l->keep) {
        old = l->first;
        l->first = old->next;
        old->next = NULL;
        l->n--;
        if (!l->first)
            l->last = &l->first;
    }
    *l->last = line;
    l->last = &line->next;
    l->n++;
    cond_signal(&l->work);
    mutex_unlock(&l->lock);
    free_lines(old);
}

/* The lines, and what has become too old, in one batch. */
static int write_lines(struct line_log *l, const struct line *first, struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(buf_fini) struct buf from = BUF_INIT;

    for (const struct line *line = first; line; line = line->next) {
        key_line(&key, l->log, line->number);
        store_batch_put(b, STORE_AUDIT, key_slice(&key), slice_str(line->text));
        if (line->number % l->keep == 0 && line->number > l->keep) {
            key_line(&from, l->log, 0);
            key_line(&key, l->log, line->number - l->keep);
            store_batch_delete_range(b, STORE_AUDIT, key_slice(&from), key_slice(&key));
        }
    }
    return store_batch_commit(l->store, b, false, err);
}

/* Takes all that is queued; NULL when it is time to end. */
static struct line *take_lines(struct line_log *l)
{
    struct line *first;

    mutex_lock(&l->lock);
    while (!l->first && !l->stop)
        cond_wait(&l->work, &l->lock, -1);
    first = l->first;
    l->first = NULL;
    l->last = &l->first;
    l->n = 0;
    mutex_unlock(&l->lock);
    return first;
}

/* After a failure, so that it is said once a second at most; an append does not cut it short. */
static void pause_writing(struct line_log *l)
{
    int64_t until = clock_mono_us() + RETRY_US, left;

    mutex_lock(&l->lock);
    while (!l->stop && (left = until - clock_mono_us()) > 0)
        cond_wait(&l->work, &l->lock, left / 1000 + 1);
    mutex_unlock(&l->lock);
}

static void *run(void *arg)
{
    struct line_log *l = arg;
    struct line *lines;

    while ((lines = take_lines(l)) != NULL) {
        struct err err = ERR_INIT;

        if (write_lines(l, lines, &err) < 0) {
            log_error(l->log, "some lines are not kept for the next start: %s", err.text);
            pause_writing(l);
        }
        free_lines(lines);
    }
    return NULL;
}

int line_log_each(struct line_log *l, void (*visit)(void *arg, const char *line), void *arg,
                  uint64_t *next, struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    uint64_t number = 0, n = 0;
    int rc = 0;

    key_prefix(&prefix, KEY_LINE, l->log, NULL);
    it = store_iter_new(l->store, STORE_AUDIT, key_slice(&prefix));
    store_iter_last(it);
    for (; n < l->keep && (rc = store_iter_prev(it, &key, &value, err)) > 0; n++)
        continue;
    if (rc < 0)
        return rc;
    *next = 0;
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        SCOPED(freep) char *text = xstrndup((const char *)value.data, value.size);

        if (key_line_parse(key, &number))
            *next = number + 1;
        visit(arg, text);
    }
    return rc;
}

struct line_log *line_log_new(struct store *s, const char *log, unsigned keep) NO_THREAD_CHECK
{
    struct line_log *l = xcalloc(1, sizeof *l);

    l->store = s;
    l->log = log;
    l->keep = keep;
    mutex_init(&l->lock);
    cond_init(&l->work);
    l->last = &l->first;
    l->thread = thread_start(log, run, l);
    return l;
}

void line_log_free(struct line_log *l) NO_THREAD_CHECK
{
    if (!l)
        return;
    mutex_lock(&l->lock);
    l->stop = true;
    cond_signal(&l->work);
    mutex_unlock(&l->lock);
    thread_join(l->thread);
    free_lines(l->first);
    cond_fini(&l->work);
    mutex_fini(&l->lock);
    free(l);
}
