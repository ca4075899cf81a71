/* What may go, and how it goes; and the check of all that is there. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "journal/commit_ts.h"
#include "journal/journal_impl.h"
#include "store/key.h"

/* --- holds --- */

static struct hold **find_hold(struct journal *j, const char *who) REQUIRES(j->lock)
{
    struct hold **p = &j->holds;

    while (*p && strcmp((*p)->who, who) != 0)
        p = &(*p)->next;
    return p;
}

int journal_hold(struct journal *j, const char *who, uint64_t seq, bool keep, struct err *err)
{
    size_t size = strlen(who) + 1;
    struct hold *fresh = xcalloc(1, sizeof *fresh + size), **p;
    SCOPED(store_batch_freep) struct store_batch *b = NULL;

    mutex_lock(&j->lock);
    p = find_hold(j, who);
    if (!*p) {
        memcpy(fresh->who, who, size);
        *p = fresh;
        fresh = NULL;
    }
    (*p)->seq = seq;
    (*p)->kept |= keep;
    mutex_unlock(&j->lock);
    free(fresh);
    if (!keep)
        return 0;
    b = store_batch_new();
    put_hold(b, j->name, who, seq);
    return store_batch_commit(j->store, b, false, err);
}

int journal_release(struct journal *j, const char *who, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    struct hold **p, *old;
    bool kept;

    mutex_lock(&j->lock);
    p = find_hold(j, who);
    old = *p;
    kept = old && old->kept;
    if (old)
        *p = old->next;
    mutex_unlock(&j->lock);
    free(old);
    if (!kept)
        return 0;
    key_prefix(&key, KEY_HOLD, j->name, who, NULL);
    return store_delete(j->store, STORE_JOURNAL_INDEX, key_slice(&key), false, err);
}

void journal_holds(struct journal *j, void (*visit)(void *arg, const char *who, uint64_t seq),
                   void *arg)
{
    struct hold *copy = NULL;

    mutex_lock(&j->lock);
    for (const struct hold *h = j->holds; h; h = h->next) {
        struct hold *c = xmemdup(h, sizeof *h + strlen(h->who) + 1);

        c->next = copy;
        copy = c;
    }
    mutex_unlock(&j->lock);
    while (copy) {
        struct hold *next = copy->next;

        visit(arg, copy->who, copy->seq);
        free(copy);
        copy = next;
    }
}

/* The one that keeps the most. */
static void least_hold(struct journal *j, uint64_t *seq, char *who, size_t size)
{
    *seq = UINT64_MAX;
    who[0] = '\0';
    mutex_lock(&j->lock);
    for (const struct hold *h = j->holds; h; h = h->next)
        if (h->seq < *seq) {
            *seq = h->seq;
            snprintf(who, size, "%s", h->who);
        }
    mutex_unlock(&j->lock);
}

/* --- collecting --- */

struct plan {
    const struct journal_keep *keep;
    uint64_t hold; /* all from it on is needed */
    int64_t old_us;
    struct first first; /* as it will be */
    uint64_t kept_bytes, next_seq;
    uint64_t first_ts; /* of the oldest that stays */
};

static bool may_go(const struct plan *p, const struct stretch *s)
{
    if (p->keep->until_seq && s->first_seq + s->n <= p->keep->until_seq)
        return true;
    if (p->keep->max_age_us && commit_ts_us(s->last_ts) < p->old_us)
        return true;
    return p->keep->max_bytes && p->kept_bytes > p->keep->max_bytes;
}

/* Walks from the old end as far as may go. */
static int plan_gc(struct journal *j, struct plan *p, struct journal_gone *gone, const char *holder,
                   struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    struct stretch s = { 0 };
    int rc;

    key_prefix(&prefix, KEY_STRETCH, j->name, NULL);
    key_at_seq(&from, KEY_STRETCH, j->name, p->first.seq);
    it = store_iter_new(j->store, STORE_JOURNAL_INDEX, key_slice(&prefix));
    store_iter_seek(it, key_slice(&from));
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        rc = open_stretch(key, value, &s, err);
        if (rc < 0 || !may_go(p, &s) || s.first_seq + s.n >= p->next_seq)
            break;
        if (s.first_seq + s.n > p->hold) {
            char *by = p->keep->despite_holds ? gone->lost_by : gone->held_by;

            if (by[0] == '\0')
                snprintf(by, sizeof gone->held_by, "%s", holder);
            if (!p->keep->despite_holds)
                break;
        }
        p->first.seq = s.first_seq + s.n;
        p->first.bytes += s.bytes;
        p->first.commit_ts = s.last_ts;
        p->kept_bytes -= s.bytes;
        gone->records += s.n;
        gone->bytes += s.bytes;
    }
    return rc < 0 ? rc : 0;
}

static void delete_seqs(struct store_batch *b, enum key_kind kind, const char *name,
                        uint64_t before)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;

    key_at_seq(&from, kind, name, 0);
    key_at_seq(&to, kind, name, before);
    store_batch_delete_range(b, STORE_JOURNAL_INDEX, key_slice(&from), key_slice(&to));
}

/* Entries of stretches that go, of each origin from its least number up to the first that stays;
 * what is out of order behind that goes with it later. */
static int delete_gtids(struct journal *j, struct store_batch *b, uint64_t before, struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(buf_fini) struct buf next = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value, origin;
    uint64_t number = 0, seq = 0;
    int rc;

    key_prefix(&prefix, KEY_GTID, j->name, NULL);
    it = store_iter_new(j->store, STORE_JOURNAL_INDEX, key_slice(&prefix));
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        if (!key_gtid_parse(key, &origin, &number, &seq))
            return err_set(err, -EBADMSG, "damaged: no GTID key");
        if (seq < before) {
            store_batch_delete(b, STORE_JOURNAL_INDEX, key);
            continue;
        }
        buf_clear(&next);
        buf_add(&next, prefix.data, prefix.size);
        buf_add(&next, origin.data, origin.size);
        if (!key_after(&next))
            return 0;
        store_iter_seek(it, key_slice(&next));
    }
    return rc;
}

/* Files that are gone, and the one that now begins inside. */
static int change_files(struct journal *j, struct store_batch *b, struct plan *p,
                        struct gtid_set *before, struct err *err)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;
    struct journal_file f = { 0 };
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec = { 0 };
    int rc = journal_reader_seek(r, p->first.seq, err);

    if (rc == 0)
        rc = journal_reader_next(r, &rec, 0, err);
    journal_reader_free(r);
    if (rc == 0)
        return err_set(err, -EBADMSG, "the newest block is not there");
    if (rc > 0)
        rc = get_file(j->store, j->name, rec.incarnation, rec.file_no, &f, err);
    if (rc < 0)
        return rc;
    for (enum key_kind kind = KEY_FILE; kind <= KEY_FILE_END; kind++) {
        key_file(&from, kind, j->name, 0, 0);
        key_file(&to, kind, j->name, f.incarnation, f.no);
        store_batch_delete_range(b, STORE_JOURNAL_INDEX, key_slice(&from), key_slice(&to));
    }
    p->first_ts = rec.commit_ts;
    if (f.first_seq < p->first.seq) {
        gtid_set_free(f.at_from);
        f.at_from = gtid_set_copy(before);
        f.first_seq = p->first.seq;
        f.from = rec.from;
        put_file(b, j->name, &f);
    }
    journal_file_fini(&f);
    return 0;
}

/* Blocks go as whole files of the store.  What is left of the oldest file is out of sight, and goes
 * with it: a mark that says "deleted" would lie in one file with the newest blocks, which would
 * then have to be merged with all in between. */
static int delete_before(struct journal *j, struct plan *p, struct gtid_set *before,
                         struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;
    int rc = change_files(j, b, p, before, err);

    if (rc == 0)
        rc = delete_gtids(j, b, p->first.seq, err);
    if (rc < 0)
        return rc;
    delete_seqs(b, KEY_STRETCH, j->name, p->first.seq);
    delete_seqs(b, KEY_STATE, j->name, p->first.seq);
    put_state(b, j->name, p->first.seq, before);
    put_first(b, j->name, &p->first);
    rc = store_batch_commit(j->store, b, true, err);
    if (rc < 0)
        return rc;
    key_at_seq(&from, KEY_BLOCK, j->name, 0);
    key_at_seq(&to, KEY_BLOCK, j->name, p->first.seq);
    return store_drop_files(j->store, j->blocks, key_slice(&from), key_slice(&to), err);
}

static struct first set_first(struct journal *j, struct first f)
{
    struct first was;

    mutex_lock(&j->lock);
    was = j->first;
    j->first = f;
    mutex_unlock(&j->lock);
    return was;
}

static void set_purged(struct journal *j, struct gtid_set *takes, uint64_t first_ts)
{
    struct gtid_set *was;

    mutex_lock(&j->lock);
    j->first_ts = first_ts;
    was = j->purged;
    j->purged = takes;
    mutex_unlock(&j->lock);
    gtid_set_free(was);
}

/* Whether what failed was done all the same: a disk that fails at the end of a write may have it.
 */
static bool is_first(struct journal *j, uint64_t seq)
{
    struct first f;
    struct err none = ERR_INIT;

    return get_first(j->store, j->name, &f, &none) == 0 && f.seq == seq;
}

/* Readers learn first, so that none reads what is about to go and calls it damaged. */
static int execute(struct journal *j, struct plan *p, struct err *err)
{
    struct gtid_set *before = NULL;
    struct first was;
    int rc = journal_set_before(j, p->first.seq, &before, err);

    if (rc < 0)
        return rc;
    was = set_first(j, p->first);
    rc = delete_before(j, p, before, err);
    if (rc < 0 && !is_first(j, p->first.seq)) {
        (void)set_first(j, was);
        gtid_set_free(before);
        return rc;
    }
    set_purged(j, before, p->first_ts);
    journal_measure(j);
    return rc;
}

static int collect(struct journal *j, const struct journal_keep *k, struct journal_gone *gone,
                   struct err *err)
{
    struct plan p = { .keep = k, .old_us = j->now_us() - k->max_age_us };
    char holder[sizeof gone->held_by];
    uint64_t was;
    int rc;

    least_hold(j, &p.hold, holder, sizeof holder);
    mutex_lock(&j->lock);
    p.first = j->first;
    p.next_seq = j->head.next_seq;
    p.kept_bytes = j->head.bytes - j->first.bytes;
    mutex_unlock(&j->lock);
    was = p.first.seq;
    rc = plan_gc(j, &p, gone, holder, err);
    return rc == 0 && p.first.seq > was ? execute(j, &p, err) : rc;
}

int journal_gc(struct journal *j, const struct journal_keep *k, struct journal_gone *ret,
               struct err *err)
{
    struct journal_gone gone = { 0 };
    bool busy;
    int rc;

    mutex_lock(&j->lock);
    busy = j->collecting;
    j->collecting = true;
    mutex_unlock(&j->lock);
    if (busy) {
        err_set(err, -EBUSY, "journal %s: its old records are being deleted already", j->name);
        return err_because(err, REASON_PURGE_RUNNING);
    }
    rc = collect(j, k, &gone, err);
    mutex_lock(&j->lock);
    j->collecting = false;
    mutex_unlock(&j->lock);
    if (rc < 0)
        return err_wrap(err, "journal %s: cannot delete", j->name);
    *ret = gone;
    return 0;
}

/* --- checking --- */

/* Reads one record and all its bytes.  1; 0: no more; -EBADMSG. */
static int check_record(struct journal_reader *r, struct journal_record *rec, struct err *why)
{
    struct slice piece;
    int rc = journal_reader_next(r, rec, 0, why);

    if (rc <= 0)
        return rc;
    while ((rc = journal_reader_piece(r, &piece, why)) > 0)
        continue;
    return rc < 0 ? rc : 1;
}

int journal_verify(struct journal *j, void (*bad)(void *arg, uint64_t seq, const char *what),
                   void *arg, uint64_t *records, struct err *err)
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec = { 0 };
    struct journal_state st;
    uint64_t n = 0, seq;
    int rc;

    journal_state(j, &st);
    seq = st.first_seq;
    rc = journal_reader_seek(r, seq, err);
    while (rc >= 0 && seq <= st.durable_seq) {
        struct err why = ERR_INIT;

        rc = check_record(r, &rec, &why);
        if (rc == 0)
            break;
        n += rc > 0;
        if (rc > 0) {
            seq = rec.seq + 1;
        } else if (rc == -EBADMSG || rc == -EIO) {
            bad(arg, seq, why.text);
            seq = journal_reader_beyond(r);
            rc = journal_reader_seek(r, seq, err);
        } else {
            *err = why;
        }
    }
    journal_reader_free(r);
    *records = n;
    return rc < 0 ? rc : 0;
}
