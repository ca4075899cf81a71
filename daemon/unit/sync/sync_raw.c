#include "unit/sync/sync_raw.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SIZE ((size_t)512 << 10)

struct raw_block {
    atomic_uint refs;
    size_t size, used;
    uint8_t data[];
};

static struct raw_block *block_new(size_t size)
{
    struct raw_block *b = xmalloc(sizeof *b + size);

    atomic_init(&b->refs, 1);
    b->size = size;
    b->used = 0;
    return b;
}

static struct raw_block *block_ref(struct raw_block *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void raw_block_unref(struct raw_block *b)
{
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        free(b);
}

void raw_writer_fini(struct raw_writer *w)
{
    raw_block_unref(w->block);
    w->block = NULL;
}

static void push(struct raw_block ***list, size_t *n, size_t *cap, struct raw_block *b)
{
    GROW(*list, *n, *cap);
    (*list)[(*n)++] = block_ref(b);
}

static uint8_t *room(struct raw_writer *w, size_t size)
{
    uint8_t *at;

    if (!w->block || w->block->size - w->block->used < size) {
        raw_block_unref(w->block);
        w->block = block_new(size > BLOCK_SIZE ? size : BLOCK_SIZE);
    }
    at = w->block->data + w->block->used;
    w->block->used += size;
    return at;
}

void raw_txn_add(struct raw_writer *w, struct raw_txn *t, const struct event *ev, uint8_t step)
{
    uint8_t *copy = room(w, ev->body.size);

    memcpy(copy, ev->body.data, ev->body.size);
    if (t->n_blocks == 0 || t->blocks[t->n_blocks - 1] != w->block)
        push(&t->blocks, &t->n_blocks, &t->cap_blocks, w->block);
    GROW(t->events, t->n_events, t->cap_events);
    t->events[t->n_events++] = (struct raw_event){ .body = { copy, ev->body.size },
                                                   .timestamp = ev->timestamp,
                                                   .flags = ev->flags,
                                                   .type = ev->type,
                                                   .step = step };
    t->size += ev->body.size;
}

struct event raw_event_view(const struct raw_event *e)
{
    return (struct event){
        .timestamp = e->timestamp, .type = e->type, .flags = e->flags, .body = e->body
    };
}

void raw_txn_truncate(struct raw_txn *t, size_t n_events)
{
    assert(n_events <= t->n_events);
    while (t->n_events > n_events)
        t->size -= t->events[--t->n_events].body.size;
}

void raw_txn_clear(struct raw_txn *t)
{
    for (size_t i = 0; i < t->n_blocks; i++)
        raw_block_unref(t->blocks[i]);
    t->n_blocks = 0;
    t->n_events = 0;
    t->size = 0;
}

void raw_txn_fini(struct raw_txn *t)
{
    raw_txn_clear(t);
    free(t->events);
    free(t->blocks);
    *t = (struct raw_txn){ 0 };
}

void raw_hold_add(struct raw_hold *h, const struct raw_txn *t)
{
    for (size_t i = 0; i < t->n_blocks; i++)
        if (h->n == 0 || h->blocks[h->n - 1] != t->blocks[i])
            push(&h->blocks, &h->n, &h->cap, t->blocks[i]);
}

void raw_hold_clear(struct raw_hold *h)
{
    for (size_t i = 0; i < h->n; i++)
        raw_block_unref(h->blocks[i]);
    h->n = 0;
}

void raw_hold_fini(struct raw_hold *h)
{
    raw_hold_clear(h);
    free(h->blocks);
    *h = (struct raw_hold){ 0 };
}
