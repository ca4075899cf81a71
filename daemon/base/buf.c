#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT;
}

void buf_clear(struct buf *b)
{
    b->size = 0;
    b->bad = false;
    if (b->data)
        b->data[0] = '\0';
}

char *buf_steal(struct buf *b)
{
    char *data = b->data ? b->data : xstrdup("");

    *b = (struct buf){ .limit = b->limit };
    return data;
}

bool buf_reserve(struct buf *b, size_t more)
{
    size_t need = b->size + more + 1, cap = b->cap ? b->cap : 64;

    if (b->bad || need < more || (b->limit && b->size + more > b->limit)) {
        b->bad = true;
        return false;
    }
    if (need <= b->cap)
        return true;
    while (cap < need)
        cap += cap / 2 + 64;
    if (b->limit && cap > b->limit + 1)
        cap = b->limit + 1; /* so that buf_add()'s check of 'cap' checks the limit too */
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
    return true;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && buf_reserve(b, (size_t)n)) {
        vsnprintf(b->data + b->size, (size_t)n + 1, fmt, again);
        b->size += (size_t)n;
    }
    va_end(again);
}

void buf_u64_text(struct buf *b, uint64_t v)
{
    char digits[20], *p = digits + sizeof digits;

    do {
        *--p = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void buf_i64_text(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_byte(b, '-');
    buf_u64_text(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_le(struct buf *b, uint64_t v, unsigned n_bytes)
{
    char raw[8];

    for (unsigned i = 0; i < n_bytes; i++)
        raw[i] = (char)(v >> (8 * i));
    buf_add(b, raw, n_bytes);
}

void buf_be(struct buf *b, uint64_t v, unsigned n_bytes)
{
    char raw[8];

    for (unsigned i = 0; i < n_bytes; i++)
        raw[i] = (char)(v >> (8 * (n_bytes - 1 - i)));
    buf_add(b, raw, n_bytes);
}

void buf_lenenc(struct buf *b, uint64_t v)
{
    if (v < 251) {
        buf_le(b, v, 1);
    } else if (v <= 0xffff) {
        buf_le(b, 0xfc, 1);
        buf_le(b, v, 2);
    } else if (v <= 0xffffff) {
        buf_le(b, 0xfd, 1);
        buf_le(b, v, 3);
    } else {
        buf_le(b, 0xfe, 1);
        buf_le(b, v, 8);
    }
}
