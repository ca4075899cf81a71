/* slice.h - bytes that belong to somebody else. */
#ifndef SLUICE_BASE_SLICE_H
#define SLUICE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t size;
};

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){ data, size };
}

static inline struct slice slice_str(const char *s)
{
    return (struct slice){ (const uint8_t *)s, strlen(s) };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Behind its last byte; of nothing at all, NULL, to which C lets nobody add, not even 0. */
static inline const uint8_t *slice_end(struct slice s)
{
    return s.size ? s.data + s.size : s.data;
}

/* For printf: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s) (int)(s).size, (const char *)(s).data
/* Likewise, at most so many bytes of it. */
#define SLICE_HEAD(s, most) (int)((s).size < (most) ? (s).size : (most)), (const char *)(s).data

#endif
