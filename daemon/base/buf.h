/*
 * buf.h - growable bytes.
 *
 *     SCOPED(buf_fini) struct buf b = BUF_INIT;
 *     buf_str(&b, "INSERT INTO ");
 *     buf_printf(&b, "t%d", n);
 *     use(b.data, b.size);          b.data is NUL-terminated whenever size > 0
 *
 * Appending never fails for small sizes (out of memory aborts, see mem.h).  A
 * buffer given a limit goes bad instead of growing past it: appends then do
 * nothing and 'bad' stays true, so a run of appends is checked once at the end.
 */
#ifndef SLUICE_BASE_BUF_H
#define SLUICE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
    char *data;
    size_t size;  /* bytes in use, without the NUL */
    size_t cap;   /* bytes allocated */
    size_t limit; /* most bytes it may hold; 0 is unlimited */
    bool bad;     /* an append would have passed 'limit' */
};

#define BUF_INIT     \
    (struct buf)     \
    {                \
        .data = NULL \
    }

void buf_fini(struct buf *b);
void buf_clear(struct buf *b);  /* empty, memory kept; 'bad' reset */
char *buf_steal(struct buf *b); /* NUL-terminated, caller frees; never NULL; b is empty after */
bool buf_reserve(struct buf *b, size_t more); /* room for 'more' bytes and a NUL; false if bad */

static inline void buf_add(struct buf *b, const void *p, size_t size)
{
    if (b->cap - b->size <= size && !buf_reserve(b, size))
        return;
    if (size)
        memcpy(b->data + b->size, p, size);
    b->size += size;
    b->data[b->size] = '\0';
}

static inline void buf_byte(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

static inline void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u64_text(struct buf *b, uint64_t v); /* decimal, faster than printf */
void buf_i64_text(struct buf *b, int64_t v);

/* Little-endian, as MySQL's protocol has it. */
void buf_le(struct buf *b, uint64_t v, unsigned n_bytes);
/* Big-endian, as the store's keys have it. */
void buf_be(struct buf *b, uint64_t v, unsigned n_bytes);
/* Length-encoded integer of the MySQL protocol. */
void buf_lenenc(struct buf *b, uint64_t v);

#endif
