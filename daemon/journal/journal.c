#include "journal/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal_impl.h"
#include "store/key.h"

/* One that is open, or about to be: then who else wants it waits. */
struct entry {
    struct entry *next;
    char *name;
    struct journal *j; /* NULL while it is being opened or closed */
    unsigned refs;
};

struct journals {
    struct store *store;
    struct mutex lock;
    struct cond changed;
    struct entry *first GUARDED;
};

struct journals *journals_new(struct store *store)
{
    struct journals *all = xcalloc(1, sizeof *all);

    all->store = store;
    mutex_init(&all->lock);
    cond_init(&all->changed);
    return all;
}

void journals_free(struct journals *all)
{
    if (!all)
        return;
    cond_fini(&all->changed);
    mutex_fini(&all->lock);
    free(all);
}

static struct entry *find(struct journals *all, const char *name) REQUIRES(all->lock)
{
    struct entry *e = all->first;

    while (e && strcmp(e->name, name) != 0)
        e = e->next;
    return e;
}

static struct entry *add(struct journals *all, const char *name) REQUIRES(all->lock)
{
    struct entry *e = xcalloc(1, sizeof *e);

    e->name = xstrdup(name);
    e->next = all->first;
    all->first = e;
    return e;
}

static void forget(struct journals *all, struct entry *e) REQUIRES(all->lock)
{
    struct entry **p = &all->first;

    while (*p != e)
        p = &(*p)->next;
    *p = e->next;
    free(e->name);
    free(e);
    cond_broadcast(&all->changed);
}

static int open_new(struct journals *all, const char *name, bool create, struct journal **ret,
                    struct err *err)
{
    struct journal *j = journal_make(all, all->store, name);
    int rc = journal_load(j, create, err);

    if (rc < 0)
        journal_free(j);
    else
        *ret = j;
    return rc;
}

/* The entry, to be filled in by the caller ('j' NULL), or one that is open: then with a reference
 * more. */
static struct entry *claim(struct journals *all, const char *name)
{
    struct entry *e;

    mutex_lock(&all->lock);
    while ((e = find(all, name)) != NULL && !e->j)
        cond_wait(&all->changed, &all->lock, -1);
    if (!e)
        e = add(all, name);
    else
        e->refs++;
    mutex_unlock(&all->lock);
    return e;
}

int journal_open(struct journals *all, const char *name, bool create, struct journal **ret,
                 struct err *err)
{
    struct entry *e = claim(all, name);
    struct journal *j = e->j;
    int rc = 0;

    if (!j) {
        rc = open_new(all, name, create, &j, err);
        mutex_lock(&all->lock);
        if (rc < 0) {
            forget(all, e);
        } else {
            e->j = j;
            e->refs = 1;
            cond_broadcast(&all->changed);
        }
        mutex_unlock(&all->lock);
    }
    if (rc == 0)
        *ret = j;
    return rc;
}

struct journal *journal_ref(struct journal *j)
{
    mutex_lock(&j->all->lock);
    find(j->all, j->name)->refs++;
    mutex_unlock(&j->all->lock);
    return j;
}

void journal_close(struct journal *j)
{
    struct journals *all;
    struct entry *e;
    bool last;

    if (!j)
        return;
    all = j->all;
    mutex_lock(&all->lock);
    e = find(all, j->name);
    last = --e->refs == 0;
    if (last)
        e->j = NULL; /* whoever opens it from now on waits */
    mutex_unlock(&all->lock);
    if (!last)
        return;
    journal_free(j);
    mutex_lock(&all->lock);
    forget(all, e);
    mutex_unlock(&all->lock);
}

static void delete_all(struct store_batch *b, enum store_family f, enum key_kind kind,
                       const char *name)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;

    key_prefix(&from, kind, name, NULL);
    key_prefix(&to, kind, name, NULL);
    key_after(&to);
    store_batch_delete_range(b, f, key_slice(&from), key_slice(&to));
}

static int delete_keys(struct journals *all, const char *name, struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;
    int rc;

    for (unsigned slot = 0; slot < STORE_N_JOURNALS; slot++)
        delete_all(b, store_journal(slot), KEY_BLOCK, name);
    for (enum key_kind k = KEY_HEAD; k <= KEY_HOLD; k++)
        delete_all(b, STORE_JOURNAL_INDEX, k, name);
    rc = store_batch_commit(all->store, b, true, err);
    key_prefix(&from, KEY_BLOCK, name, NULL);
    key_prefix(&to, KEY_BLOCK, name, NULL);
    key_after(&to);
    for (unsigned slot = 0; slot < STORE_N_JOURNALS && rc == 0; slot++)
        rc = store_drop_files(all->store, store_journal(slot), key_slice(&from), key_slice(&to),
                              err);
    return rc < 0 ? err_wrap(err, "journal %s: cannot delete", name) : 0;
}

int journal_delete(struct journals *all, const char *name, struct err *err)
{
    struct entry *e = NULL;
    bool busy;
    int rc;

    mutex_lock(&all->lock);
    busy = find(all, name) != NULL;
    if (!busy)
        e = add(all, name);
    mutex_unlock(&all->lock);
    if (busy)
        return err_set(err, -EBUSY, "journal %s is in use", name);
    rc = delete_keys(all, name, err);
    mutex_lock(&all->lock);
    forget(all, e);
    mutex_unlock(&all->lock);
    return rc;
}

const char *journal_name(const struct journal *j)
{
    return j->name;
}

struct journal_stats *journal_stats(struct journal *j)
{
    return &j->stats;
}

/* --- how far it is --- */

void journal_measure(struct journal *j)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;
    uint64_t size;

    key_prefix(&from, KEY_BLOCK, j->name, NULL);
    key_prefix(&to, KEY_BLOCK, j->name, NULL);
    key_after(&to);
    size = store_size(j->store, j->blocks, key_slice(&from), key_slice(&to));
    mutex_lock(&j->lock);
    j->disk_bytes = size;
    mutex_unlock(&j->lock);
}

void journal_state(struct journal *j, struct journal_state *ret)
{
    mutex_lock(&j->lock);
    *ret = (struct journal_state){
        .first_seq = j->first.seq,
        .next_seq = j->next_seq,
        .durable_seq = j->head.next_seq - 1,
        .commit_ts = j->head.commit_ts,
        .safe_ts = j->head.floor > j->head.commit_ts ? j->head.floor : j->head.commit_ts,
        .last_ts = j->last_ts,
        .first_ts = j->first_ts,
        .bytes = j->head.bytes - j->first.bytes,
        .disk_bytes = j->disk_bytes,
        .incarnation = j->head.incarnation,
        .writing = j->writing,
    };
    mutex_unlock(&j->lock);
}

void journal_position(struct journal *j, struct position *ret)
{
    *ret = (struct position){ 0 };
    mutex_lock(&j->lock);
    memcpy(ret->file, j->head.file, sizeof ret->file);
    ret->offset = j->head.offset;
    ret->gtids = gtid_set_copy(j->gtids);
    mutex_unlock(&j->lock);
}

struct gtid_set *journal_purged(struct journal *j)
{
    struct gtid_set *copy;

    mutex_lock(&j->lock);
    copy = gtid_set_copy(j->purged);
    mutex_unlock(&j->lock);
    return copy;
}

int journal_wait_durable(struct journal *j, uint64_t seq, int64_t timeout_ms, struct err *err)
{
    int64_t until = clock_mono_us() + timeout_ms * 1000;
    bool in_time = true;
    int rc = 0;

    mutex_lock(&j->lock);
    if (j->open && j->open->first_seq <= seq)
        journal_flush_open(j);
    while (j->head.next_seq <= seq && j->writing && !j->failed && in_time) {
        j->n_durable++;
        in_time = journal_wait(j, &j->durable, timeout_ms, until);
        j->n_durable--;
    }
    if (j->head.next_seq <= seq && j->failed && j->writing) {
        *err = j->failure;
        rc = err_wrap(err, "journal %s: cannot write", j->name);
    } else if (j->head.next_seq <= seq)
        rc = j->writing ? err_set(err, -ETIMEDOUT, "journal %s: record %llu is not on disk yet",
                                  j->name, (unsigned long long)seq)
                        : err_set(err, -ESHUTDOWN, "journal %s: nobody writes it", j->name);
    mutex_unlock(&j->lock);
    return rc;
}

bool journal_wait(struct journal *j, struct cond *c, int64_t timeout_ms, int64_t until_us)
{
    int64_t left = timeout_ms;

    if (timeout_ms >= 0) {
        left = (until_us - clock_mono_us() + 999) / 1000;
        if (left <= 0)
            return false;
    }
    (void)cond_wait(c, &j->lock, left);
    return true;
}
