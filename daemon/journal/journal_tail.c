/* The newest blocks, in memory: read by all who are at the tip, so that they cost neither copies
 * nor reads of the store, however many they are. */
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/mem.h"
#include "journal/journal_impl.h"

struct bytes *bytes_new(size_t cap)
{
    struct bytes *b = xmalloc(sizeof *b + cap);

    atomic_init(&b->refs, 1);
    b->cap = cap;
    return b;
}

struct bytes *bytes_widen(struct bytes *b, size_t cap)
{
    assert(atomic_load(&b->refs) == 1);
    b = xrealloc(b, sizeof *b + cap);
    b->cap = cap;
    return b;
}

struct bytes *bytes_ref(struct bytes *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void bytes_unref(struct bytes *b)
{
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        free(b);
}

static void block_free(struct tail *t, struct block *b)
{
    t->size -= b->bytes->cap;
    bytes_unref(b->bytes);
    free(b);
}

struct block *tail_add(struct tail *t, uint64_t first_seq, size_t size)
{
    static _Atomic uint64_t last_id;
    struct block *b = xcalloc(1, sizeof *b);

    if (t->end == t->cap && t->first > t->cap / 2) {
        memmove(t->at, t->at + t->first, (t->end - t->first) * sizeof(struct block *));
        t->end -= t->first;
        t->first = 0;
    } else if (t->end == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->at = xrealloc(t->at, t->cap * sizeof(struct block *));
    }
    *b = (struct block){ .id = atomic_fetch_add(&last_id, 1) + 1,
                         .first_seq = first_seq,
                         .size = BLOCK_HEAD_SIZE };
    b->bytes = bytes_new(BLOCK_HEAD_SIZE + (size < 1024 ? 1024 : size));
    t->size += b->bytes->cap;
    t->at[t->end++] = b;
    return b;
}

struct block *tail_find(const struct tail *t, uint64_t seq)
{
    size_t low = t->first, high = t->end;
    struct block *b;

    while (low < high) { /* the first that begins after 'seq' */
        size_t mid = low + (high - low) / 2;

        if (t->at[mid]->first_seq <= seq)
            low = mid + 1;
        else
            high = mid;
    }
    b = low > t->first ? t->at[low - 1] : NULL;
    return b && seq < b->first_seq + b->n ? b : NULL;
}

static void grow(struct tail *t, struct block *b, size_t more)
{
    size_t cap = b->bytes->cap;
    struct bytes *wider;

    if (cap - b->size >= more)
        return;
    while (cap - b->size < more)
        cap *= 2;
    wider = bytes_new(cap);
    memcpy(wider->data + BLOCK_HEAD_SIZE, b->bytes->data + BLOCK_HEAD_SIZE,
           b->size - BLOCK_HEAD_SIZE);
    t->size += cap - b->bytes->cap;
    bytes_unref(b->bytes);
    b->bytes = wider;
}

void tail_append(struct tail *t, struct block *b, struct slice head, struct slice events)
{
    assert(b == t->at[t->end - 1]);
    grow(t, b, head.size + events.size);
    memcpy(b->bytes->data + b->size, head.data, head.size);
    b->size += head.size;
    if (events.size)
        memcpy(b->bytes->data + b->size, events.data, events.size);
    b->size += events.size;
    b->n++;
}

void tail_evict(struct tail *t, uint64_t before_seq)
{
    while (t->first < t->end && (t->size > TAIL_SIZE || t->end - t->first > TAIL_BLOCKS)) {
        struct block *b = t->at[t->first];

        if (b->first_seq + b->n > before_seq)
            return;
        block_free(t, b);
        t->first++;
    }
}

void tail_drop(struct tail *t, uint64_t from_seq)
{
    while (t->first < t->end && t->at[t->end - 1]->first_seq >= from_seq)
        block_free(t, t->at[--t->end]);
}

void tail_fini(struct tail *t)
{
    tail_drop(t, 0);
    free(t->at);
    *t = (struct tail){ 0 };
}
