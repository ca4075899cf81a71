#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_SIZE ((size_t)256 << 10)

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(16) uint8_t data[];
};

void arena_fini(struct arena *a)
{
    struct arena_block *b = a->blocks;

    while (b) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    *a = ARENA_INIT;
}

static void use(struct arena *a, struct arena_block *b)
{
    a->blocks = b;
    a->at = b->data;
    a->end = b->data + b->size;
}

void arena_clear(struct arena *a)
{
    struct arena_block *keep = NULL;

    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        if (!keep && b->size == BLOCK_SIZE)
            keep = b;
        else
            free(b);
    }
    *a = ARENA_INIT;
    if (keep) {
        keep->next = NULL;
        use(a, keep);
        a->size = keep->size;
    }
}

void *arena_alloc_slow(struct arena *a, size_t size)
{
    size_t block = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
    struct arena_block *b = xmalloc(sizeof *b + block);

    b->size = block;
    a->size += block;
    if (block != BLOCK_SIZE &&
        a->blocks) { /* a large one goes behind: the current block stays in use */
        b->next = a->blocks->next;
        a->blocks->next = b;
        return b->data;
    }
    b->next = a->blocks;
    use(a, b);
    a->at += size;
    return b->data;
}

void *arena_dup(struct arena *a, const void *p, size_t size)
{
    void *copy = arena_alloc(a, size);

    if (size)
        memcpy(copy, p, size);
    return copy;
}

char *arena_text(struct arena *a, const void *p, size_t size)
{
    char *text = arena_alloc(a, size + 1);

    if (size)
        memcpy(text, p, size);
    text[size] = '\0';
    return text;
}

void *arena_grow(struct arena *a, void *items, unsigned n, unsigned *cap, size_t item_size)
{
    void *more;

    if (n < *cap)
        return items;
    *cap = *cap * 2 + 8;
    more = arena_alloc(a, *cap * item_size);
    if (n)
        memcpy(more, items, n * item_size);
    return more;
}
