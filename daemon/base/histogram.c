#include "base/histogram.h"

static unsigned bucket_of(uint64_t value)
{
    unsigned bits;

    if (value <= HISTOGRAM_FIRST)
        return 0;
    bits = 64 - (unsigned)__builtin_clzll((value - 1) / HISTOGRAM_FIRST);
    return bits < HISTOGRAM_BUCKETS ? bits : HISTOGRAM_BUCKETS;
}

void histogram_observe_n(struct histogram *h, int64_t value, uint64_t times)
{
    uint64_t v = value < 0 ? 0 : (uint64_t)value;

    atomic_fetch_add_explicit(&h->n[bucket_of(v)], times, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum, v * times, memory_order_relaxed);
}

uint64_t histogram_count(const struct histogram *h)
{
    uint64_t count = 0;

    for (unsigned i = 0; i <= HISTOGRAM_BUCKETS; i++)
        count += atomic_load_explicit(&h->n[i], memory_order_relaxed);
    return count;
}
