/* The writer: records into blocks, long ones into pieces. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#ifdef __x86_64__
#include <xxh_x86dispatch.h> /* the same sums with the vectors that this machine has */
#endif

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/commit_ts.h"
#include "journal/journal_impl.h"
#include "store/key.h"

/* What the disk said since the last call; said once, then it is tried again. */
static int take_failure(struct journal *j, struct err *err) REQUIRES(j->lock)
{
    if (!j->failed)
        return 0;
    if (j->reported) {
        j->failed = false;
        cond_signal(&j->work);
        return 0;
    }
    j->reported = true;
    *err = j->failure;
    return err_wrap(err, "journal %s: cannot write", j->name);
}

static void fill_head(struct journal *j, struct journal_head *ret) REQUIRES(j->lock)
{
    *ret = (struct journal_head){ .next_seq = j->head.next_seq,
                                  .commit_ts = j->head.commit_ts,
                                  .incarnation = j->head.incarnation,
                                  .tail_hash = j->head.tail_hash };
    memcpy(ret->source_id, j->head.source_id, sizeof ret->source_id);
    memcpy(ret->pos.file, j->head.file, sizeof ret->pos.file);
    ret->pos.offset = j->head.offset;
    ret->pos.gtids = gtid_set_copy(j->gtids);
}

void journal_head_fini(struct journal_head *h)
{
    position_fini(&h->pos);
}

static void begin_writer(struct journal *j) REQUIRES(j->lock)
{
    const struct head *h = &j->head;

    j->w = (struct writer){ .incarnation = h->incarnation,
                            .file_no = h->file_no,
                            .offset = h->offset,
                            .has_file = h->file[0] != '\0',
                            .batch = store_batch_new() };
    j->next_seq = h->next_seq;
    j->last_ts = h->floor > h->commit_ts ? h->floor : h->commit_ts;
    j->queue = (struct queue){ .last = &j->queue.first };
    j->flush = j->ending = j->busy = j->failed = j->reported = false;
}

int journal_write_begin(struct journal *j, struct journal_head *ret, struct err *err)
{
    int rc = 0;

    if (j->damaged.code) {
        *err = j->damaged;
        return err->code;
    }
    mutex_lock(&j->lock);
    if (j->writing) {
        rc = err_set(err, -EBUSY, "journal %s: somebody writes it already", j->name);
    } else {
        j->writing = true;
        begin_writer(j);
        fill_head(j, ret);
        j->thread = thread_start("journal", journal_disk_run, j);
    }
    mutex_unlock(&j->lock);
    return rc;
}

/* Pieces that nobody will see are deleted; those of a crash are when the journal is opened. */
static void drop_pieces(struct journal *j)
{
    SCOPED(buf_fini) struct buf from = BUF_INIT;
    SCOPED(buf_fini) struct buf to = BUF_INIT;
    struct err none = ERR_INIT;
    uint64_t seq;

    if (j->w.large.n_pieces == 0)
        return;
    mutex_lock(&j->lock);
    seq = j->next_seq;
    mutex_unlock(&j->lock);
    key_block(&from, j->name, seq, 1);
    key_block(&to, j->name, seq + 1, 0);
    store_batch_free(j->w.batch);
    j->w.batch = store_batch_new();
    store_batch_delete_range(j->w.batch, j->blocks, key_slice(&from), key_slice(&to));
    (void)store_batch_commit(j->store, j->w.batch, false, &none);
}

void journal_drop(struct journal *j)
{
    drop_pieces(j);
    buf_clear(&j->w.pending);
    j->w.large = (struct block_large){ 0 };
    j->w.streamed = 0;
}

int journal_write_end(struct journal *j, struct err *err) NO_THREAD_CHECK
{
    struct item *left;
    int rc = 0;

    journal_drop(j);
    mutex_lock(&j->lock);
    j->ending = true;
    cond_signal(&j->work);
    mutex_unlock(&j->lock);
    thread_join(j->thread);
    mutex_lock(&j->lock);
    if (j->failed) {
        *err = j->failure;
        rc = err_wrap(err, "journal %s: cannot write", j->name);
    }
    left = j->queue.first;
    j->queue = (struct queue){ .last = &j->queue.first };
    tail_drop(&j->tail, j->head.next_seq);
    j->open = NULL;
    j->next_seq = j->head.next_seq;
    j->writing = false;
    journal_wake_written(j);
    journal_wake_durable(j);
    mutex_unlock(&j->lock);
    while (left) {
        struct item *next = left->next;

        item_free(left);
        left = next;
    }
    store_batch_free(j->w.batch);
    buf_fini(&j->w.pending);
    buf_fini(&j->w.head);
    j->w = (struct writer){ 0 };
    return rc;
}

/* Behind all that was committed. Takes 'i'. */
static int send_item(struct journal *j, struct item *i, struct err *err)
{
    int rc;

    mutex_lock(&j->lock);
    rc = take_failure(j, err);
    if (rc == 0) {
        journal_seal(j);
        journal_enqueue(j, i);
    }
    mutex_unlock(&j->lock);
    if (rc < 0)
        item_free(i);
    return rc;
}

int journal_incarnation(struct journal *j, const char *source_id, const struct gtid_set *gtids,
                        struct err *err)
{
    struct item *i = xcalloc(1, sizeof *i);
    int rc;

    i->kind = ITEM_INCARNATION;
    i->gtids = gtid_set_copy(gtids);
    snprintf(i->source_id, sizeof i->source_id, "%s", source_id);
    rc = send_item(j, i, err);
    if (rc < 0)
        return rc;
    j->w.incarnation++;
    j->w.has_file = false;
    return 0;
}

int journal_file_begin(struct journal *j, const struct journal_file *f, struct err *err)
{
    int64_t began_us = clock_mono_us();
    struct item *i;
    int rc;

    if (j->w.incarnation == 0)
        return err_set(err, -EINVAL, "journal %s: a file before the first incarnation", j->name);
    i = xcalloc(1, sizeof *i);
    i->kind = ITEM_FILE;
    i->file = *f;
    i->file.bytes = BUF_INIT;
    buf_add(&i->file.bytes, f->format.data, f->format.size);
    i->file.format = key_slice(&i->file.bytes);
    i->file.at_from = gtid_set_copy(f->at_from);
    rc = send_item(j, i, err);
    if (rc < 0)
        return rc;
    j->w.file_no = f->no;
    j->w.offset = f->from;
    j->w.has_file = true;
    histogram_observe(&j->stats.file_us, clock_mono_us() - began_us);
    return 0;
}

/* --- long records --- */

/* What is pending goes out: whole pieces, or 'all' of it. */
static int write_pieces(struct journal *j, bool all, struct err *err)
{
    struct buf *pending = &j->w.pending;
    struct block_large was = j->w.large;
    size_t done = 0, size;
    uint64_t seq;
    int rc;

    mutex_lock(&j->lock);
    seq = j->next_seq;
    mutex_unlock(&j->lock);
    for (; done < pending->size; done += size) {
        size = pending->size - done < BLOCK_SIZE ? pending->size - done : BLOCK_SIZE;
        if (size < BLOCK_SIZE && !all)
            break;
        journal_put_piece(j, j->w.batch, seq, slice_of(pending->data + done, size), &j->w.large);
    }
    rc = store_room(j->store, err);
    if (rc == 0)
        rc = store_batch_commit(j->store, j->w.batch, false, err);
    if (rc < 0) {
        store_batch_free(j->w.batch);
        j->w.batch = store_batch_new();
        j->w.large = was;
        return err_wrap(err, "journal %s: cannot write", j->name);
    }
    j->w.streamed += done;
    memmove(pending->data, pending->data + done, pending->size - done);
    pending->size -= done;
    return 0;
}

int journal_add(struct journal *j, struct slice bytes, struct err *err)
{
    size_t some;
    int rc = 0;

    while (rc == 0 && bytes.size) {
        some = LARGE_SIZE - j->w.pending.size;
        some = bytes.size < some ? bytes.size : some;
        buf_add(&j->w.pending, bytes.data, some);
        bytes = slice_of(bytes.data + some, bytes.size - some);
        if (j->w.pending.size >= LARGE_SIZE)
            rc = write_pieces(j, false, err);
    }
    return rc;
}

/* --- records --- */

static int check_record(struct journal *j, const struct journal_record *r, struct err *err)
{
    const struct writer *w = &j->w;

    if (!w->has_file || r->incarnation != w->incarnation || r->file_no != w->file_no)
        return err_set(err, -EINVAL, "journal %s: a record of file %u:%u, which was not begun",
                       j->name, r->incarnation, r->file_no);
    if (r->from < w->offset || r->to < r->from)
        return err_set(err, -EINVAL,
                       "journal %s: a record at %llu to %llu of its file, but the one before ends "
                       "at %llu",
                       j->name, (unsigned long long)r->from, (unsigned long long)r->to,
                       (unsigned long long)w->offset);
    if (r->kind != JOURNAL_TXN && r->kind != JOURNAL_EVENT)
        return err_set(err, -EINVAL, "journal %s: no kind of record", j->name);
    return 0;
}

/* Waits while more waits for the disk than memory is to hold. */
static int wait_room(struct journal *j, struct err *err) REQUIRES(j->lock)
{
    while (j->queue.size > QUEUE_SIZE && !j->failed)
        cond_wait(&j->room, &j->lock, -1);
    return take_failure(j, err);
}

static void append(struct journal *j, struct journal_record *r) REQUIRES(j->lock)
{
    struct writer *w = &j->w;
    bool large = r->flags & JOURNAL_LARGE;
    size_t size = w->large.n_pieces ? 0 : w->pending.size;

    if (j->open && (large || j->open->size + size + BLOCK_RECORD_MAX > BLOCK_SIZE))
        journal_seal(j);
    if (!j->open) {
        j->open = tail_add(&j->tail, r->seq, size + BLOCK_RECORD_MAX);
        j->open->born_us = clock_mono_us();
        w->prev = (struct journal_record){ 0 };
    }
    buf_clear(&w->head);
    block_add(&w->head, &w->prev, r, &w->large);
    tail_append(&j->tail, j->open, key_slice(&w->head), slice_of(w->pending.data, size));
    j->open->large = large && size;
    j->next_seq = r->seq + 1;
    if (large || j->open->size >= BLOCK_SIZE)
        journal_seal(j);
    journal_wake_written(j);
}

static void stamp(struct journal *j, struct journal_record *r) REQUIRES(j->lock)
{
    bool skewed;

    r->commit_ts = j->last_ts =
        commit_ts_next(j->last_ts, r->commit_us, j->now_us(), j->head.mark, &skewed);
    r->size = j->w.streamed + j->w.pending.size;
    r->flags &= ~(unsigned)(JOURNAL_SKEWED | JOURNAL_LARGE);
    r->flags |= (skewed ? JOURNAL_SKEWED : 0) | (r->size > BLOCK_SIZE ? JOURNAL_LARGE : 0);
}

int journal_commit(struct journal *j, struct journal_record *r, struct err *err)
{
    struct writer *w = &j->w;
    int rc = check_record(j, r, err);

    if (rc == 0 && w->large.n_pieces)
        rc = write_pieces(j, true, err);
    if (rc < 0) {
        atomic_fetch_add(&j->stats.record_errors, 1);
        return rc;
    }
    mutex_lock(&j->lock);
    rc = wait_room(j, err);
    if (rc == 0) {
        stamp(j, r);
        r->seq = j->next_seq;
        append(j, r);
    }
    mutex_unlock(&j->lock);
    if (rc < 0)
        return rc;
    w->offset = r->to;
    buf_clear(&w->pending);
    w->large = (struct block_large){ 0 };
    w->streamed = 0;
    return 0;
}

int journal_flush(struct journal *j, struct err *err)
{
    int rc;

    mutex_lock(&j->lock);
    rc = take_failure(j, err);
    if (j->open)
        journal_flush_open(j);
    mutex_unlock(&j->lock);
    return rc;
}

/* --- time stamps without a record --- */

/* Waits for the disk: 0 when it has the floor. */
static int await_floor(struct journal *j, uint64_t floor, int64_t timeout_ms, struct err *err)
    REQUIRES(j->lock)
{
    int64_t until_us = clock_mono_us() + timeout_ms * 1000;
    bool in_time = true;

    while (j->head.floor < floor && j->writing && !j->failed && in_time) {
        j->n_durable++;
        in_time = journal_wait(j, &j->durable, timeout_ms, until_us);
        j->n_durable--;
    }
    if (j->head.floor >= floor)
        return 0;
    return err_set(err, -ETIMEDOUT, "journal %s: time stamp %llu is not on disk", j->name,
                   (unsigned long long)floor);
}

/* Behind all that was committed; no later record gets one up to 'ts'. */
static void put_floor(struct journal *j, uint64_t ts) REQUIRES(j->lock)
{
    struct item *i = xcalloc(1, sizeof *i);

    i->kind = ITEM_FLOOR;
    i->floor = j->last_ts = ts;
    journal_seal(j);
    journal_enqueue(j, i);
}

int journal_promise(struct journal *j, uint64_t at_least, int64_t timeout_ms, uint64_t *ret,
                    struct err *err)
{
    uint64_t ts;
    int rc;

    mutex_lock(&j->lock);
    if (!j->writing || j->ending || j->failed) {
        rc = err_set(err, -ESHUTDOWN, "journal %s: nobody writes it", j->name);
    } else {
        ts = at_least > j->last_ts ? at_least : j->last_ts;
        put_floor(j, ts);
        rc = await_floor(j, ts, timeout_ms, err);
        if (rc == 0)
            *ret = ts;
    }
    mutex_unlock(&j->lock);
    return rc;
}

int journal_idle(struct journal *j, uint64_t *safe_ts, struct err *err)
{
    struct err late = ERR_INIT;
    int rc;

    mutex_lock(&j->lock);
    rc = take_failure(j, err);
    if (rc == 0) {
        *safe_ts = commit_ts_floor(j->last_ts, j->now_us());
        put_floor(j, *safe_ts);
        await_floor(j, *safe_ts, -1, &late);
        rc = take_failure(j, err);
    }
    mutex_unlock(&j->lock);
    return rc;
}
