/*
 * The store of unit tests: a sorted array a family.  Inserting moves what is
 * behind, which is fine for the few thousand keys of a test.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"
#include "store/store.h"
#include "store/store_impl.h"

struct entry {
    uint8_t *key, *value; /* owned */
    size_t key_size, value_size;
};

struct entries {
    struct entry *at;
    size_t n, cap;
};

struct store_mem {
    struct store store;
    struct mutex lock;
    struct entries families[STORE_N_FAMILIES] GUARDED;
    unsigned calls_until_failure GUARDED; /* 0: none is to fail */
    bool stops GUARDED;                   /* and all after it */
    bool full GUARDED;
    bool held GUARDED;
    struct cond let_go;
};

struct iter_mem {
    struct store_iter iter;
    struct store_mem *store;
    struct entries view; /* a copy: iterators see one moment */
    size_t gap;          /* next returns what is behind it, prev what is before */
};

static struct slice key_of(const struct entry *e)
{
    return slice_of(e->key, e->key_size);
}

static struct slice value_of(const struct entry *e)
{
    return slice_of(e->value, e->value_size);
}

static int compare(struct slice a, struct slice b)
{
    size_t least = a.size < b.size ? a.size : b.size;
    int rc = least ? memcmp(a.data, b.data, least) : 0;

    return rc ? rc : (a.size > b.size) - (a.size < b.size);
}

/* Index of the first entry whose key is not below 'key'. */
static size_t lower_bound(const struct entries *list, struct slice key)
{
    size_t low = 0, high = list->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare(key_of(&list->at[mid]), key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_at(const struct entries *list, size_t i, struct slice key)
{
    return i < list->n && compare(key_of(&list->at[i]), key) == 0;
}

static void insert(struct entries *list, size_t i, struct slice key, struct slice value)
{
    GROW(list->at, list->n, list->cap);
    memmove(&list->at[i + 1], &list->at[i], (list->n - i) * sizeof *list->at);
    list->at[i] = (struct entry){ .key = xmemdup(key.data, key.size),
                                  .key_size = key.size,
                                  .value = xmemdup(value.data, value.size),
                                  .value_size = value.size };
    list->n++;
}

static void erase(struct entries *list, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        free(list->at[i].key);
        free(list->at[i].value);
    }
    if (from < to)
        memmove(&list->at[from], &list->at[to], (list->n - to) * sizeof *list->at);
    list->n -= to - from;
}

static void entries_fini(struct entries *list)
{
    erase(list, 0, list->n);
    free(list->at);
}

/* Whether this call is the one that store_mem_fail_at() chose. */
static bool must_fail(struct store_mem *m) REQUIRES(m->lock)
{
    if (m->calls_until_failure == 0)
        return false;
    if (m->calls_until_failure > 1) {
        m->calls_until_failure--;
        return false;
    }
    m->calls_until_failure = m->stops ? 1 : 0;
    return true;
}

static int failure(struct err *err)
{
    return err_set(err, -EIO, "store: made to fail");
}

static int mem_get(struct store *s, enum store_family f, struct slice key, struct buf *ret,
                   struct err *err)
{
    struct store_mem *m = (struct store_mem *)s;
    const struct entries *list = &m->families[f];
    int rc = 0;
    size_t i;

    mutex_lock(&m->lock);
    i = lower_bound(list, key);
    if (must_fail(m))
        rc = failure(err);
    else if (!is_at(list, i, key))
        rc = err_set(err, -ENOENT, "store: no such key");
    else
        buf_add(ret, list->at[i].value, list->at[i].value_size);
    mutex_unlock(&m->lock);
    return rc;
}

static void apply(struct entries *list, const struct batch_record *r)
{
    size_t i = lower_bound(list, r->key);
    size_t end = is_at(list, i, r->key) ? i + 1 : i;

    if (r->op == BATCH_DELETE_RANGE) {
        end = lower_bound(list, r->value);
        end = end < i ? i : end;
    }
    erase(list, i, end);
    if (r->op == BATCH_PUT)
        insert(list, i, r->key, r->value);
}

static int mem_commit(struct store *s, const struct store_batch *b, bool sync, struct err *err)
{
    struct store_mem *m = (struct store_mem *)s;
    struct cursor c = cursor_of(slice_of(b->records.data, b->records.size));
    struct batch_record r;
    int rc = 0;

    (void)sync;
    mutex_lock(&m->lock);
    while (m->held)
        cond_wait(&m->let_go, &m->lock, -1);
    if (must_fail(m))
        rc = failure(err);
    while (rc == 0 && batch_next(&c, &r))
        apply(&m->families[r.family], &r);
    mutex_unlock(&m->lock);
    return rc;
}

static int step(struct iter_mem *it, bool forward, struct slice *key, struct slice *value,
                struct err *err)
{
    const struct entry *e;
    bool fails;

    mutex_lock(&it->store->lock);
    fails = must_fail(it->store);
    mutex_unlock(&it->store->lock);
    if (fails)
        return failure(err);
    if (it->gap == (forward ? it->view.n : 0))
        return 0;
    e = &it->view.at[forward ? it->gap++ : --it->gap];
    *key = key_of(e);
    *value = value_of(e);
    return 1;
}

static int mem_iter_next(struct store_iter *it, struct slice *key, struct slice *value,
                         struct err *err)
{
    return step((struct iter_mem *)it, true, key, value, err);
}

static int mem_iter_prev(struct store_iter *it, struct slice *key, struct slice *value,
                         struct err *err)
{
    return step((struct iter_mem *)it, false, key, value, err);
}

static void mem_iter_seek(struct store_iter *iter, struct slice key)
{
    struct iter_mem *it = (struct iter_mem *)iter;

    it->gap = lower_bound(&it->view, key);
}

static void mem_iter_last(struct store_iter *iter)
{
    struct iter_mem *it = (struct iter_mem *)iter;

    it->gap = it->view.n;
}

static void mem_iter_free(struct store_iter *iter)
{
    struct iter_mem *it = (struct iter_mem *)iter;

    entries_fini(&it->view);
    free(it);
}

static const struct store_iter_ops iter_ops = {
    .free = mem_iter_free,
    .seek = mem_iter_seek,
    .last = mem_iter_last,
    .next = mem_iter_next,
    .prev = mem_iter_prev,
};

static bool has_prefix(const struct entry *e, struct slice prefix)
{
    return e->key_size >= prefix.size && slice_eq(slice_of(e->key, prefix.size), prefix);
}

static struct store_iter *mem_iter_new(struct store *s, enum store_family f, struct slice prefix)
{
    struct store_mem *m = (struct store_mem *)s;
    struct iter_mem *it = xcalloc(1, sizeof *it);
    const struct entries *list = &m->families[f];

    it->iter.ops = &iter_ops;
    it->store = m;
    mutex_lock(&m->lock);
    for (size_t i = lower_bound(list, prefix); i < list->n && has_prefix(&list->at[i], prefix); i++)
        insert(&it->view, it->view.n, key_of(&list->at[i]), value_of(&list->at[i]));
    mutex_unlock(&m->lock);
    return &it->iter;
}

static uint64_t mem_size(struct store *s, enum store_family f, struct slice from, struct slice to)
{
    struct store_mem *m = (struct store_mem *)s;
    const struct entries *list = &m->families[f];
    uint64_t size = 0;

    mutex_lock(&m->lock);
    for (size_t i = lower_bound(list, from); i < lower_bound(list, to); i++)
        size += list->at[i].key_size + list->at[i].value_size;
    mutex_unlock(&m->lock);
    return size;
}

/* Each key is a file of its own. */
static int mem_drop_files(struct store *s, enum store_family f, struct slice from, struct slice to,
                          struct err *err)
{
    struct store_mem *m = (struct store_mem *)s;
    struct entries *list = &m->families[f];
    bool fails;

    mutex_lock(&m->lock);
    fails = must_fail(m);
    if (!fails)
        erase(list, lower_bound(list, from), lower_bound(list, to));
    mutex_unlock(&m->lock);
    return fails ? failure(err) : 0;
}

static int mem_room(struct store *s, struct err *err)
{
    struct store_mem *m = (struct store_mem *)s;
    bool full;

    mutex_lock(&m->lock);
    full = m->full;
    mutex_unlock(&m->lock);
    return full ? err_set(err, -ENOSPC, "store: made to be full") : 0;
}

static void mem_close(struct store *s)
{
    struct store_mem *m = (struct store_mem *)s;

    for (size_t f = 0; f < STORE_N_FAMILIES; f++)
        entries_fini(&m->families[f]);
    cond_fini(&m->let_go);
    mutex_fini(&m->lock);
    free(m);
}

static const struct store_ops mem_ops = {
    .get = mem_get,
    .commit = mem_commit,
    .iter_new = mem_iter_new,
    .size = mem_size,
    .drop_files = mem_drop_files,
    .room = mem_room,
    .close = mem_close,
};

struct store *store_open_mem(void)
{
    struct store_mem *m = xcalloc(1, sizeof *m);

    m->store.ops = &mem_ops;
    mutex_init(&m->lock);
    cond_init(&m->let_go);
    return &m->store;
}

static void fail_at(struct store *s, unsigned n, bool stops)
{
    struct store_mem *m = (struct store_mem *)s;

    mutex_lock(&m->lock);
    m->calls_until_failure = n;
    m->stops = stops;
    mutex_unlock(&m->lock);
}

void store_mem_fail_at(struct store *s, unsigned n)
{
    fail_at(s, n, false);
}

void store_mem_stop_at(struct store *s, unsigned n)
{
    fail_at(s, n, true);
}

void store_mem_fill(struct store *s, bool full)
{
    struct store_mem *m = (struct store_mem *)s;

    mutex_lock(&m->lock);
    m->full = full;
    mutex_unlock(&m->lock);
}

void store_mem_hold(struct store *s, bool hold)
{
    struct store_mem *m = (struct store_mem *)s;

    mutex_lock(&m->lock);
    m->held = hold;
    cond_broadcast(&m->let_go);
    mutex_unlock(&m->lock);
}
