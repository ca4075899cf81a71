/*
 * Readers: blocks from the tail in memory, shared by all who are there, or else from the store, a
 * few at a time.  No iterator of the store outlives a call.
 */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/event.h"
#include "journal/journal_ahead.h"
#include "store/key.h"

struct journal_reader {
    struct journal *j;
    enum journal_depth depth;
    _Atomic bool stop;
    uint64_t next_seq;

    /* the block at hand */
    struct bytes *bytes;
    uint64_t block_id; /* of the tail; 0: from the store */
    uint64_t end_seq;  /* behind its last record that may be read */
    size_t offset;     /* where the record 'next_seq' begins, if 'bytes' is not NULL */
    struct block_cursor at;

    struct ahead ahead; /* from the store, behind the one at hand */

    /* the record at hand */
    struct journal_record record;
    struct slice events; /* not yet handed out; of a long one: of the piece at hand */
    struct block_large large;
    uint32_t next_piece;
    uint64_t checksum, left; /* of a long record */
    struct store_iter *pieces;
    struct buf piece, event;
    uint64_t last_to, beyond;
    uint32_t last_incarnation, last_file_no;
};

struct journal_reader *journal_reader_new(struct journal *j, enum journal_depth depth)
{
    struct journal_reader *r = xcalloc(1, sizeof *r);

    r->j = j;
    r->depth = depth;
    r->next_seq = 1;
    return r;
}

static void drop_block(struct journal_reader *r)
{
    bytes_unref(r->bytes);
    r->bytes = NULL;
    r->block_id = 0;
    r->end_seq = 0;
}

static void end_record(struct journal_reader *r)
{
    store_iter_free(r->pieces);
    r->pieces = NULL;
    r->events = slice_of(NULL, 0);
    r->large = (struct block_large){ 0 };
    r->left = 0;
}

void journal_reader_free(struct journal_reader *r)
{
    if (!r)
        return;
    end_record(r);
    drop_block(r);
    ahead_clear(&r->ahead);
    buf_fini(&r->piece);
    buf_fini(&r->event);
    free(r);
}

void journal_reader_stop(struct journal_reader *r)
{
    mutex_lock(&r->j->lock);
    atomic_store(&r->stop, true);
    journal_wake_written(r->j);
    journal_wake_durable(r->j);
    mutex_unlock(&r->j->lock);
}

uint64_t journal_reader_beyond(const struct journal_reader *r)
{
    return r->beyond;
}

static uint64_t limit_of(const struct journal_reader *r) REQUIRES(r->j->lock)
{
    return r->depth == JOURNAL_WRITTEN ? r->j->next_seq : r->j->head.next_seq;
}

static int purged(const struct journal_reader *r, uint64_t seq, uint64_t first, struct err *err)
{
    return err_set(err, -ERANGE, "journal %s: record %llu is purged, the oldest is %llu",
                   r->j->name, (unsigned long long)seq, (unsigned long long)first);
}

/* --- damage --- */

/* Says what is damaged and where, and finds where one can go on. */
static int damaged(struct journal_reader *r, struct err *err)
{
    struct stretch s = { 0 };
    struct err none = ERR_INIT;
    struct journal_file f = { 0 };
    uint64_t from = r->last_to;
    uint32_t incarnation = r->last_incarnation, no = r->last_file_no;
    const char *about = "";
    int rc = last_stretch(r->j->store, r->j->name, r->next_seq, &s, &none);

    if (rc > 0 && (incarnation == 0 || s.first_seq == r->next_seq)) {
        incarnation = s.incarnation;
        no = s.file_no;
        from = s.from;
        about = s.first_seq == r->next_seq ? "" : "behind ";
    }
    r->beyond = rc > 0 && s.first_seq + s.n > r->next_seq ? s.first_seq + s.n : r->next_seq + 1;
    if (get_file(r->j->store, r->j->name, incarnation, no, &f, &none) < 0)
        snprintf(f.name, sizeof f.name, "file %u", no);
    err_wrap(err, "journal %s: record %llu, %s%s:%llu", r->j->name, (unsigned long long)r->next_seq,
             about, f.name, (unsigned long long)from);
    journal_file_fini(&f);
    drop_block(r);
    ahead_clear(&r->ahead);
    end_record(r);
    return err->code;
}

/* --- blocks from the store --- */

/* Makes the block with 'next_seq' the one at hand. */
static int take_fetched(struct journal_reader *r, uint64_t limit, struct err *err)
{
    const struct fetched *f = ahead_first(&r->ahead);
    uint64_t first;
    int rc = 0;

    if (!f) {
        rc = ahead_fetch(&r->ahead, r->j, r->next_seq, limit, err);
        f = ahead_first(&r->ahead);
    }
    if (rc == 0 && f && fetched_has(f, r->next_seq)) {
        drop_block(r);
        r->bytes = bytes_ref(f->bytes);
        r->end_seq = f->first_seq + f->n;
        block_begin(&r->at, slice_of(f->bytes->data + f->skip, f->size), f->first_seq);
        ahead_pop(&r->ahead);
        return 0;
    }
    mutex_lock(&r->j->lock);
    first = r->j->first.seq;
    mutex_unlock(&r->j->lock);
    if (r->next_seq < first)
        return purged(r, r->next_seq, first, err);
    if (rc == 0)
        err_set(err, -EBADMSG, "it is missing");
    return damaged(r, err);
}

/* --- the tail --- */

/* Takes, or goes on in, a block of the tail. False: it has none. */
static bool take_tail(struct journal_reader *r, uint64_t limit) REQUIRES(r->j->lock)
{
    struct block *b = tail_find(&r->j->tail, r->next_seq);
    uint64_t end;

    if (!b)
        return false;
    end = b->first_seq + b->n;
    r->end_seq = end < limit ? end : limit;
    if (r->block_id == b->id) {
        size_t done = (size_t)(r->at.c.at - r->bytes->data);

        if (r->bytes != b->bytes) {
            bytes_unref(r->bytes);
            r->bytes = bytes_ref(b->bytes);
        }
        r->at.c.at = r->bytes->data + done;
        r->at.c.end = r->bytes->data + b->size;
        return true;
    }
    bytes_unref(r->bytes);
    r->bytes = bytes_ref(b->bytes);
    r->block_id = b->id;
    block_begin(&r->at, slice_of(b->bytes->data, b->size), b->first_seq);
    return true;
}

/* Waits until 'next_seq' may be read.  1, 0, -ECANCELED, -ERANGE; 'limit', and whether the tail
 * has it. */
static int wait_for(struct journal_reader *r, int64_t timeout_ms, uint64_t *limit, bool *in_tail,
                    struct err *err)
{
    bool written = r->depth == JOURNAL_WRITTEN;
    int64_t until = timeout_ms > 0 ? clock_mono_us() + timeout_ms * 1000 : 0;
    bool in_time = timeout_ms != 0;
    uint64_t first;
    int rc = 1;

    mutex_lock(&r->j->lock);
    while (limit_of(r) <= r->next_seq && in_time && !atomic_load(&r->stop)) {
        unsigned *n = written ? &r->j->n_written : &r->j->n_durable;

        ++*n;
        in_time = journal_wait(r->j, written ? &r->j->written : &r->j->durable, timeout_ms, until);
        --*n;
    }
    *limit = limit_of(r);
    first = r->j->first.seq;
    if (atomic_load(&r->stop))
        rc = err_set(err, -ECANCELED, "journal %s: the reader is stopped", r->j->name);
    else if (*limit <= r->next_seq)
        rc = 0;
    else if (r->next_seq < first)
        rc = purged(r, r->next_seq, first, err);
    else
        *in_tail = take_tail(r, *limit);
    mutex_unlock(&r->j->lock);
    return rc;
}

/* The block with 'next_seq' is at hand after it.  1; 0: not in time. */
static int refill(struct journal_reader *r, int64_t timeout_ms, struct err *err)
{
    bool in_tail = false;
    uint64_t limit = 0;
    int rc;

    if (ahead_has(&r->ahead, r->next_seq) && !atomic_load(&r->stop)) {
        rc = take_fetched(r, 0, err);
        return rc < 0 ? rc : 1;
    }
    rc = wait_for(r, timeout_ms, &limit, &in_tail, err);
    if (rc <= 0)
        return rc;
    if (in_tail) {
        ahead_clear(&r->ahead);
        return 1;
    }
    r->block_id = 0;
    ahead_clear(&r->ahead);
    rc = take_fetched(r, limit, err);
    return rc < 0 ? rc : 1;
}

/* --- the calls --- */

int journal_reader_seek(struct journal_reader *r, uint64_t seq, struct err *err)
{
    uint64_t first;

    mutex_lock(&r->j->lock);
    first = r->j->first.seq;
    mutex_unlock(&r->j->lock);
    if (seq < first)
        return purged(r, seq, first, err);
    end_record(r);
    drop_block(r);
    ahead_clear(&r->ahead);
    r->next_seq = seq;
    r->last_incarnation = 0;
    return 0;
}

static int next_in_block(struct journal_reader *r, struct journal_record *ret, struct err *err)
{
    int rc;

    do {
        rc = block_next(&r->at, ret, &r->events, &r->large, err);
        if (rc == 0)
            rc = err_set(err, -EBADMSG, "damaged: a block ends before its last record");
    } while (rc > 0 && ret->seq < r->next_seq);
    return rc < 0 ? damaged(r, err) : rc;
}

int journal_reader_next(struct journal_reader *r, struct journal_record *ret, int64_t timeout_ms,
                        struct err *err)
{
    struct journal_record rec = { 0 };
    int rc = 1;

    end_record(r);
    if (r->next_seq >= r->end_seq)
        rc = refill(r, timeout_ms, err);
    else if (atomic_load_explicit(&r->stop, memory_order_relaxed))
        rc = err_set(err, -ECANCELED, "journal %s: the reader is stopped", r->j->name);
    if (rc > 0)
        rc = next_in_block(r, &rec, err);
    if (rc == -EBADMSG || rc == -EIO)
        atomic_fetch_add(&r->j->stats.read_errors, 1);
    if (rc <= 0)
        return rc;
    r->next_seq = rec.seq + 1;
    r->record = rec;
    r->last_incarnation = rec.incarnation;
    r->last_file_no = rec.file_no;
    r->last_to = rec.to;
    r->next_piece = 1;
    r->checksum = 0;
    r->left = r->large.n_pieces ? rec.size : 0;
    *ret = rec;
    return 1;
}

bool journal_reader_ready(struct journal_reader *r)
{
    bool ready = r->next_seq < r->end_seq || ahead_has(&r->ahead, r->next_seq);

    if (!ready) {
        mutex_lock(&r->j->lock);
        ready = limit_of(r) > r->next_seq;
        mutex_unlock(&r->j->lock);
    }
    return ready;
}

/* --- pieces of a long record --- */

static int read_piece(struct journal_reader *r, struct slice *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;
    struct slice key, value;
    uint64_t sum = 0;
    int rc;

    key_block(&k, r->j->name, r->record.seq, r->next_piece);
    if (!r->pieces) {
        SCOPED(buf_fini) struct buf prefix = BUF_INIT;

        key_at_seq(&prefix, KEY_BLOCK, r->j->name, r->record.seq);
        r->pieces = store_iter_new(r->j->store, r->j->blocks, key_slice(&prefix));
        store_iter_seek(r->pieces, key_slice(&k));
    }
    rc = store_iter_next(r->pieces, &key, &value, err);
    if (rc == 0 || (rc > 0 && !slice_eq(key, key_slice(&k))))
        rc = err_set(err, -EBADMSG, "piece %u of it is missing", r->next_piece);
    if (rc > 0)
        rc = checked_open_sum(value, key, ret, &sum, err);
    if (rc < 0)
        return rc;
    r->checksum = checked_chain(r->checksum, sum);
    return 0;
}

static int next_piece(struct journal_reader *r, struct slice *ret, struct err *err)
{
    int rc = read_piece(r, ret, err);

    if (rc == 0 && (ret->size == 0 || ret->size > r->left))
        rc = err_set(err, -EBADMSG, "damaged: its pieces are longer than it is");
    if (rc == 0 && ret->size == r->left &&
        (r->next_piece != r->large.n_pieces || r->checksum != r->large.checksum))
        rc = err_set(err, -EBADMSG, "damaged: its pieces are not those that were written");
    if (rc < 0) {
        r->next_seq = r->record.seq; /* for the sentence */
        r->last_to = r->record.from;
        rc = damaged(r, err);
        r->beyond = r->record.seq + 1;
        return rc;
    }
    r->left -= ret->size;
    r->next_piece++;
    return 1;
}

int journal_reader_piece(struct journal_reader *r, struct slice *ret, struct err *err)
{
    if (r->events.size) {
        *ret = r->events;
        r->events = slice_of(NULL, 0);
        return 1;
    }
    return r->left ? next_piece(r, ret, err) : 0;
}

static int no_event(struct journal_reader *r, struct err *err)
{
    return err_set(err, -EBADMSG, "journal %s: record %llu is not made of events", r->j->name,
                   (unsigned long long)r->record.seq);
}

/* The first 'size' bytes of what is left, whole if one piece has them, else put together. */
static int take_bytes(struct journal_reader *r, size_t size, struct slice *ret, struct err *err)
{
    struct slice some = { 0 };
    int rc;

    while (r->event.size < size && r->event.size + r->events.size < size) {
        buf_add(&r->event, r->events.data, r->events.size);
        r->events = slice_of(NULL, 0);
        rc = r->left ? next_piece(r, &some, err) : no_event(r, err);
        if (rc < 0)
            return rc;
        r->events = some;
    }
    if (r->event.size == 0) {
        *ret = slice_of(r->events.data, size);
        return 0;
    }
    if (r->event.size < size) {
        size_t more = size - r->event.size;

        buf_add(&r->event, r->events.data, more);
        r->events = slice_of(r->events.data + more, r->events.size - more);
    }
    *ret = key_slice(&r->event);
    return 0;
}

int journal_reader_event(struct journal_reader *r, struct slice *ret, struct err *err)
{
    struct slice head = { 0 };
    uint32_t size;
    int rc;

    buf_clear(&r->event);
    if (r->events.size == 0 && r->left == 0)
        return 0;
    rc = take_bytes(r, EVENT_HEADER_SIZE, &head, err);
    if (rc < 0)
        return rc;
    size = event_size(head.data);
    if (size < EVENT_HEADER_SIZE || size > r->left + r->events.size + r->event.size)
        return no_event(r, err);
    rc = take_bytes(r, size, ret, err);
    if (rc < 0)
        return rc;
    if (r->event.size == 0)
        r->events = slice_of(r->events.data + size, r->events.size - size);
    return 1;
}
