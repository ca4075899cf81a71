#include "journal/journal_ahead.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/scope.h"
#include "store/key.h"

#define AHEAD_SIZE ((size_t)8 * BLOCK_SIZE) /* fetched at once, or one block if that is larger */
#define ROOM_SIZE 256 /* before the pieces, for what their block says of them */
static_assert(ROOM_SIZE >= BLOCK_HEAD_SIZE + BLOCK_RECORD_MAX, "room");

const struct fetched *ahead_first(const struct ahead *a)
{
    return a->first < a->end ? &a->at[a->first] : NULL;
}

void ahead_pop(struct ahead *a)
{
    bytes_unref(a->at[a->first++].bytes);
}

void ahead_clear(struct ahead *a)
{
    while (a->first < a->end)
        ahead_pop(a);
    a->first = a->end = 0;
}

/* --- one fetch --- */

struct fetch {
    struct ahead *a;
    struct journal *j;
    struct store_iter *it;
    uint64_t want, limit;
    size_t size; /* fetched so far */

    /* the pieces that came, behind ROOM_SIZE bytes */
    struct bytes *bytes;
    size_t pieces_size;
    struct block_large pieces;
};

static void fetch_end(struct fetch *f)
{
    bytes_unref(f->bytes);
    store_iter_free(f->it);
}

static void forget_pieces(struct fetch *f)
{
    bytes_unref(f->bytes);
    f->bytes = NULL;
    f->pieces_size = 0;
    f->pieces = (struct block_large){ 0 };
}

static void seek(struct fetch *f, uint64_t seq, uint32_t chunk)
{
    SCOPED(buf_fini) struct buf k = BUF_INIT;

    key_block(&k, f->j->name, seq, chunk);
    store_iter_seek(f->it, key_slice(&k));
}

static void add_bytes(struct fetch *f, struct slice piece)
{
    size_t used = ROOM_SIZE + f->pieces_size,
           cap = f->bytes ? f->bytes->cap : (size_t)2 * BLOCK_SIZE;

    while (cap - used < piece.size)
        cap *= 2;
    if (!f->bytes)
        f->bytes = bytes_new(cap);
    else if (cap > f->bytes->cap)
        f->bytes = bytes_widen(f->bytes, cap);
    memcpy(f->bytes->data + used, piece.data, piece.size);
    f->pieces_size += piece.size;
}

/* A piece that does not belong here leaves the record to be read piece by piece, which tells
 * what is wrong with it. */
static void add_piece(struct fetch *f, struct slice key, struct slice value, uint64_t seq,
                      uint32_t chunk)
{
    struct slice piece;
    uint64_t sum;
    struct err none = ERR_INIT;

    if (chunk != f->pieces.n_pieces + 1 || f->pieces_size > LARGE_SIZE ||
        checked_open_sum(value, key, &piece, &sum, &none) < 0) {
        forget_pieces(f);
        seek(f, seq, KEY_WHOLE);
        return;
    }
    add_bytes(f, piece);
    f->pieces.n_pieces++;
    f->pieces.checksum = checked_chain(f->pieces.checksum, sum);
}

/* If it is a long record whose pieces are here, all of it in memory. */
static bool join(struct fetch *f, struct slice block, struct fetched *ret)
{
    SCOPED(buf_fini) struct buf head = BUF_INIT;
    struct journal_record r, none = { 0 };
    struct block_large large;
    struct block_cursor c;
    struct slice events;
    struct err err = ERR_INIT;

    block_begin(&c, block, ret->first_seq);
    if (!f->bytes || ret->n != 1 || block_next(&c, &r, &events, &large, &err) <= 0 ||
        large.n_pieces != f->pieces.n_pieces || large.checksum != f->pieces.checksum ||
        r.size != f->pieces_size)
        return false;
    for (int i = 0; i < BLOCK_HEAD_SIZE; i++)
        buf_byte(&head, 0);
    block_add(&head, &none, &r, &(struct block_large){ 0 });
    ret->skip = ROOM_SIZE - head.size;
    ret->size = head.size + f->pieces_size;
    memcpy(f->bytes->data + ret->skip, head.data, head.size);
    ret->bytes = STEAL(f->bytes);
    return true;
}

static int add_block(struct fetch *f, struct slice key, struct slice value, uint64_t seq,
                     struct err *err)
{
    struct fetched b = { .first_seq = seq, .size = value.size };
    int rc = block_check(value, key, &b.n, err);

    if (rc < 0)
        return rc;
    if (!join(f, value, &b)) {
        b.bytes = bytes_new(value.size);
        memcpy(b.bytes->data, value.data, value.size);
    }
    forget_pieces(f);
    f->a->at[f->a->end++] = b;
    f->want = seq + b.n;
    f->size += b.size;
    return 0;
}

/* Before the block that has 'want', or its pieces. */
static int find_first(struct fetch *f, struct err *err)
{
    struct slice key, value;
    uint64_t seq;
    uint32_t chunk;
    int rc;

    seek(f, f->want, 0);
    rc = store_iter_next(f->it, &key, &value, err);
    if (rc < 0)
        return rc;
    if (rc > 0 && key_block_parse(key, &seq, &chunk) && seq == f->want) {
        rc = store_iter_prev(f->it, &key, &value, err);
        return rc < 0 ? rc : 1;
    }
    seek(f, f->want, 0);
    return store_iter_prev(f->it, &key, &value, err);
}

static int fetch_all(struct fetch *f, struct err *err)
{
    struct slice key, value;
    uint64_t seq;
    uint32_t chunk;
    bool first = true;
    int rc = find_first(f, err);

    while (rc > 0 && f->a->end < AHEAD_BLOCKS && f->size < AHEAD_SIZE) {
        rc = store_iter_next(f->it, &key, &value, err);
        if (rc <= 0 || !key_block_parse(key, &seq, &chunk) || seq >= f->limit ||
            (!first && seq != f->want))
            break; /* one that is missing is found when its turn comes */
        if (chunk == KEY_WHOLE) {
            rc = add_block(f, key, value, seq, err);
            rc = rc < 0 ? rc : 1;
            first = false;
        } else {
            add_piece(f, key, value, seq, chunk);
        }
    }
    return rc;
}

int ahead_fetch(struct ahead *a, struct journal *j, uint64_t seq, uint64_t limit, struct err *err)
{
    SCOPED(buf_fini) struct buf prefix = BUF_INIT;
    SCOPED(fetch_end) struct fetch f = { .a = a, .j = j, .want = seq, .limit = limit };
    int64_t began_us = clock_mono_us();
    int rc;

    assert(a->first == a->end);
    a->first = a->end = 0;
    key_prefix(&prefix, KEY_BLOCK, j->name, NULL);
    f.it = store_iter_new(j->store, j->blocks, key_slice(&prefix));
    rc = fetch_all(&f, err);
    histogram_observe(&j->stats.read_us, clock_mono_us() - began_us);
    histogram_observe(&j->stats.read_bytes, (int64_t)f.size);
    if (rc < 0 && a->end > 0) { /* found again when its turn comes */
        *err = ERR_INIT;
        rc = 0;
    }
    return rc < 0 ? rc : 0;
}
