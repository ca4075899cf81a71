#include "unit/histogram_show.h"

#include "base/histogram.h"

json_t *histogram_show(const struct histogram *h, double scale)
{
    json_t *le = json_array(), *n = json_array();
    uint64_t count = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        count += atomic_load_explicit(&h->n[i], memory_order_relaxed);
        json_array_append_new(le, json_real((double)histogram_bound(i) * scale));
        json_array_append_new(n, json_integer((json_int_t)count));
    }
    count += atomic_load_explicit(&h->n[HISTOGRAM_BUCKETS], memory_order_relaxed);
    return json_pack("{s:o, s:o, s:I, s:f}", "le", le, "n", n, "count", (json_int_t)count, "sum",
                     (double)atomic_load_explicit(&h->sum, memory_order_relaxed) * scale);
}
