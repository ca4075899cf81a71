/*
 * arena.h - many small allocations, freed at once.
 *
 * Rows and the texts made from them live in an arena that is cleared per
 * group: no malloc per row on the hot path.  Memory is 8-byte aligned and not
 * zeroed.  One thread at a time.
 */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* the newest first */
    uint8_t *at, *end;
    size_t size; /* bytes held in blocks */
};

#define ARENA_INIT     \
    (struct arena)     \
    {                  \
        .blocks = NULL \
    }

void arena_fini(struct arena *a);
void arena_clear(struct arena *a); /* keeps one block for reuse */
void *arena_alloc_slow(struct arena *a, size_t size);

static inline void *arena_alloc(struct arena *a, size_t size)
{
    size_t need = (size + 7) & ~(size_t)7;
    uint8_t *p = a->at;

    if (need > (size_t)(a->end - p))
        return arena_alloc_slow(a, need);
    a->at = p + need;
    return p;
}

void *arena_dup(struct arena *a, const void *p, size_t size);
/* Likewise, with a zero byte behind it.  'p' may be NULL where there is nothing. */
char *arena_text(struct arena *a, const void *p, size_t size);

/* An array with room for one more behind its 'n': 'items' itself while n < *cap, else a copy in
 * twice the room.  'items' may be NULL. */
void *arena_grow(struct arena *a, void *items, unsigned n, unsigned *cap, size_t item_size);

#endif
