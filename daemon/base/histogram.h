/*
 * histogram.h - how often something took how long, or was how large.
 *
 * Counted in whole units (microseconds, bytes) in buckets whose bounds double: 16, 32, ... 2^27
 * units, then all above.  Observing costs two atomic additions; any thread, no lock.
 */
#ifndef SLUICE_BASE_HISTOGRAM_H
#define SLUICE_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 24, HISTOGRAM_FIRST = 16 };

struct histogram {
    _Atomic uint64_t n[HISTOGRAM_BUCKETS + 1]; /* the last: above all bounds */
    _Atomic uint64_t sum;
};

/* The upper bound of a bucket, inclusive. */
static inline uint64_t histogram_bound(unsigned bucket)
{
    return (uint64_t)HISTOGRAM_FIRST << bucket;
}

/* 'times' observations of the same value; a negative one counts as 0. */
void histogram_observe_n(struct histogram *h, int64_t value, uint64_t times);

uint64_t histogram_count(const struct histogram *h);

static inline void histogram_observe(struct histogram *h, int64_t value)
{
    histogram_observe_n(h, value, 1);
}

#endif
