/*
 * journal_ahead.h - the blocks that a reader fetched from the store, a few at a time.
 *
 * One iterator a fetch, gone when that returns: the store cannot be opened anew (store.h) while
 * somebody keeps one, and readers may be slow.  A long record that fits into memory is put
 * together on the way, so that it reads as one from the tail does.
 */
#ifndef SLUICE_JOURNAL_JOURNAL_AHEAD_H
#define SLUICE_JOURNAL_JOURNAL_AHEAD_H

#include "journal/journal_impl.h"

enum { AHEAD_BLOCKS = 64 };

struct fetched {
    uint64_t first_seq;
    uint32_t n;
    size_t skip, size; /* where in 'bytes' it is */
    struct bytes *bytes;
};

struct ahead {
    struct fetched at[AHEAD_BLOCKS];
    unsigned first, end;
};

/* The block that has 'seq' and some behind it, all below 'limit'; 'a' is empty before.  0, also
 * when there is none; an error only when it hit the first of them. */
int ahead_fetch(struct ahead *a, struct journal *j, uint64_t seq, uint64_t limit, struct err *err);
const struct fetched *ahead_first(const struct ahead *a); /* NULL: none */
void ahead_pop(struct ahead *a);
void ahead_clear(struct ahead *a);

static inline bool fetched_has(const struct fetched *f, uint64_t seq)
{
    return f->first_seq <= seq && seq < f->first_seq + f->n;
}

static inline bool ahead_has(const struct ahead *a, uint64_t seq)
{
    const struct fetched *f = ahead_first(a);

    return f && fetched_has(f, seq);
}

#endif
