/*
 * mem.h - allocation that does not fail.
 *
 * Small allocations abort when memory is out: a path nobody tests is worth
 * less than a restart from the checkpoint.  Sizes that come from outside
 * (packets, rows, request bodies) are checked against a named limit first.
 * The caller owns what is returned and frees it with free().
 */
#ifndef SLUICE_BASE_MEM_H
#define SLUICE_BASE_MEM_H

#include <stddef.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof *(a))

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
void *xmemdup(const void *p, size_t size) __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* Room for one more in an array that has 'n' items of the 'cap' that fit:
 *
 *     GROW(list->at, list->n, list->cap);
 *     list->at[list->n++] = item; */
#define GROW(items, n, cap)                                        \
    do {                                                           \
        if ((n) == (cap)) {                                        \
            (cap) = (cap)*2 + 16;                                  \
            (items) = xrealloc((items), (cap) * sizeof(*(items))); \
        }                                                          \
    } while (0)

#endif
