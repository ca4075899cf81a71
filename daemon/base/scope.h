/* scope.h - free a resource when its variable leaves scope. */
#ifndef SLUICE_BASE_SCOPE_H
#define SLUICE_BASE_SCOPE_H

#include <stdlib.h>
#include <unistd.h>

/* SCOPED(buf_fini) struct buf b = BUF_INIT;  the function takes a pointer to the variable. */
#define SCOPED(release) __attribute__((cleanup(release)))

static inline void freep(void *p)
{
    free(*(void **)p);
}

static inline void closep(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Hands ownership out of a SCOPED variable: return STEAL(conn); */
#define STEAL(p)                  \
    __extension__({               \
        __typeof__(p) *p_ = &(p); \
        __typeof__(p) v_ = *p_;   \
        *p_ = NULL;               \
        v_;                       \
    })

#endif
