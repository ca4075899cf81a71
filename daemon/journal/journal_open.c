/* What is in the store of a journal, into memory.  Nobody else has it yet, so its lock is not
 * taken. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/commit_ts.h"
#include "journal/journal_impl.h"
#include "store/key.h"

void journal_free(struct journal *j) NO_THREAD_CHECK
{
    struct hold *h;

    if (!j)
        return;
    assert(!j->writing); /* journal_write_end() has waited for the disk: nothing is left to do */
    while ((h = j->holds) != NULL) {
        j->holds = h->next;
        free(h);
    }
    tail_fini(&j->tail);
    stretch_fini(&j->stretch);
    gtid_set_free(j->gtids);
    gtid_set_free(j->purged);
    cond_fini(&j->written);
    cond_fini(&j->durable);
    cond_fini(&j->work);
    cond_fini(&j->room);
    mutex_fini(&j->lock);
    free(j->name);
    free(j);
}

struct journal *journal_make(struct journals *all, struct store *s, const char *name)
{
    struct journal *j = xcalloc(1, sizeof *j);

    j->all = all;
    j->name = xstrdup(name);
    j->store = s;
    j->now_us = clock_wall_us;
    mutex_init(&j->lock);
    cond_init(&j->written);
    cond_init(&j->durable);
    cond_init(&j->work);
    cond_init(&j->room);
    return j;
}

/* A head that was lost must not look like a new journal. */
static int check_no_blocks(struct journal *j, struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    struct slice key, value;
    int rc = 0;

    key_prefix(&prefix, KEY_BLOCK, j->name, NULL);
    for (unsigned slot = 0; slot < STORE_N_JOURNALS && rc == 0; slot++) {
        SCOPED(store_iter_freep)
        struct store_iter *it = store_iter_new(j->store, store_journal(slot), key_slice(&prefix));

        rc = store_iter_next(it, &key, &value, err);
    }
    return rc > 0 ? err_set(err, -EBADMSG, "damaged: it has blocks but no head") : rc;
}

/* The smallest of those that the fewest have. */
static unsigned rarest(const unsigned *n, unsigned size)
{
    unsigned best = 0;

    for (unsigned i = 1; i < size; i++)
        if (n[i] < n[best])
            best = i;
    return best;
}

/* The slot and the mark that the fewest journals have; the first slot is left to others while it
 * can be. */
static int choose(struct journal *j, unsigned *slot, unsigned *mark, struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    unsigned n[STORE_N_JOURNALS] = { 1 }, n_marks[COMMIT_TS_MARKS + 1] = { 0 };
    struct slice key, value;
    struct head h;
    int rc;

    key_prefix(&prefix, KEY_HEAD, NULL);
    it = store_iter_new(j->store, STORE_JOURNAL_INDEX, key_slice(&prefix));
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        struct err none = ERR_INIT;

        if (open_head(key, value, &h, &none) < 0) /* another one's damage is not ours to tell */
            continue;
        n[h.slot]++;
        n_marks[h.mark / 2]++;
    }
    *slot = rarest(n, STORE_N_JOURNALS);
    *mark = 2 * rarest(n_marks, COMMIT_TS_MARKS / 2);
    return rc;
}

static int create_head(struct journal *j, struct err *err) NO_THREAD_CHECK
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    unsigned slot, mark;

    if (check_no_blocks(j, err) < 0 || choose(j, &slot, &mark, err) < 0)
        return err->code;
    j->head = (struct head){ .next_seq = 1, .slot = slot, .mark = mark };
    put_head(b, j->name, &j->head);
    return store_batch_commit(j->store, b, true, err);
}

/* One that an older version made. */
static int give_mark(struct journal *j, struct err *err) NO_THREAD_CHECK
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    unsigned slot;
    int rc = choose(j, &slot, &j->head.mark, err);

    if (rc < 0)
        return rc;
    put_head(b, j->name, &j->head);
    return store_batch_commit(j->store, b, true, err);
}

/* Pieces of a record that never ended. */
static int delete_unpublished(struct journal *j, struct err *err) NO_THREAD_CHECK
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    SCOPED(store_batch_freep) struct store_batch *b = NULL;
    SCOPED(buf_fini) struct buf to = BUF_INIT;
    struct slice key, value;
    int rc;

    key_prefix(&prefix, KEY_BLOCK, j->name, NULL);
    key_block(&from, j->name, j->head.next_seq, 0);
    it = store_iter_new(j->store, j->blocks, key_slice(&prefix));
    store_iter_seek(it, key_slice(&from));
    rc = store_iter_next(it, &key, &value, err);
    if (rc <= 0)
        return rc;
    store_iter_last(it);
    rc = store_iter_prev(it, &key, &value, err);
    if (rc <= 0)
        return rc;
    buf_add(&to, key.data, key.size);
    buf_byte(&to, 0);
    b = store_batch_new();
    store_batch_delete_range(b, j->blocks, key_slice(&from), key_slice(&to));
    return store_batch_commit(j->store, b, true, err);
}

static int load_holds(struct journal *j, struct err *err) NO_THREAD_CHECK
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value, who;
    uint64_t seq;
    int rc;

    key_prefix(&prefix, KEY_HOLD, j->name, NULL);
    it = store_iter_new(j->store, STORE_JOURNAL_INDEX, key_slice(&prefix));
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        struct hold *h;

        rc = open_hold(key, value, &seq, err);
        if (rc < 0 || !key_hold_parse(key, &who))
            return rc < 0 ? rc : err_set(err, -EBADMSG, "damaged: no hold");
        h = xcalloc(1, sizeof *h + who.size + 1);
        h->seq = seq;
        h->kept = true;
        memcpy(h->who, who.data, who.size);
        h->next = j->holds;
        j->holds = h;
    }
    return rc;
}

/* A damaged record is told when it is read. */
static void load_first_ts(struct journal *j) NO_THREAD_CHECK
{
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    struct err none = ERR_INIT;

    if (journal_reader_seek(r, j->first.seq, &none) == 0 &&
        journal_reader_next(r, &rec, 0, &none) > 0)
        j->first_ts = rec.commit_ts;
    journal_reader_free(r);
}

/* What memory has of the records behind the last index entries: the open stretch, and all GTIDs. */
static int load_tail(struct journal *j, struct err *err) NO_THREAD_CHECK
{
    SCOPED(stretch_fini) struct stretch last = { 0 };
    struct journal_reader *r = NULL;
    struct journal_record rec;
    uint64_t state_seq = j->first.seq, from = j->first.seq, begin;
    int rc = last_state(j->store, j->name, j->head.next_seq, &state_seq, &j->gtids, err);

    j->head.state_seq = state_seq;
    if (rc >= 0)
        rc = last_stretch(j->store, j->name, UINT64_MAX, &last, err);
    if (rc < 0)
        return rc;
    if (rc > 0)
        from = last.first_seq + last.n;
    begin = state_seq < from ? state_seq : from;
    if (begin >= j->head.next_seq)
        return 0;
    r = journal_reader_new(j, JOURNAL_DURABLE);
    rc = journal_reader_seek(r, begin, err);
    while (rc >= 0 && (rc = journal_reader_next(r, &rec, 0, err)) > 0) {
        if (rec.seq >= from)
            stretch_add(&j->stretch, &rec);
        if (rec.seq >= state_seq && j->gtids)
            gtid_set_add(j->gtids, &rec.gtid);
    }
    journal_reader_free(r);
    return rc;
}

int journal_load(struct journal *j, bool create, struct err *err) NO_THREAD_CHECK
{
    int rc = get_head(j->store, j->name, &j->head, err);

    if (rc == -ENOENT && create)
        rc = create_head(j, err);
    else if (rc == -ENOENT)
        return err_set(err, -ENOENT, "there is no journal %s", j->name);
    j->blocks = store_journal(j->head.slot);
    if (rc == 0 && j->head.mark == COMMIT_TS_MARKS)
        rc = give_mark(j, err);
    if (rc == 0)
        rc = delete_unpublished(j, err);
    j->next_seq = j->head.next_seq;
    j->last_ts = j->head.floor > j->head.commit_ts ? j->head.floor : j->head.commit_ts;
    j->first.seq = 1;
    if (rc == 0)
        rc = get_first(j->store, j->name, &j->first, err);
    if (rc == 0 || rc == -ENOENT)
        rc = load_holds(j, err);
    if (rc == 0)
        rc = journal_set_before(j, j->first.seq, &j->purged, err);
    if (rc < 0)
        return err_wrap(err, "journal %s", j->name);
    load_first_ts(j);
    journal_measure(j);
    if (load_tail(j, &j->damaged) == -EBADMSG) { /* who reads elsewhere in it may */
        gtid_set_free(j->gtids);
        j->gtids = NULL;
        stretch_clear(&j->stretch);
        return 0;
    }
    if (j->damaged.code)
        *err = j->damaged;
    return j->damaged.code;
}
