#include <criterion/criterion.h>

#include "base/histogram.h"

Test(histogram, puts_a_value_into_the_first_bucket_that_has_room_for_it)
{
    static const struct {
        int64_t value;
        unsigned bucket;
    } rows[] = {
        { -5, 0 },
        { 0, 0 },
        { 1, 0 },
        { 16, 0 },
        { 17, 1 },
        { 32, 1 },
        { 33, 2 },
        { 64, 2 },
        { 65, 3 },
        { 1000, 6 },
        { 1 << 27, 23 },
        { (1 << 27) + 1, HISTOGRAM_BUCKETS },
        { INT64_C(1) << 50, HISTOGRAM_BUCKETS },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct histogram h = { .sum = 0 };

        histogram_observe(&h, rows[i].value);
        cr_expect_eq(h.n[rows[i].bucket], 1, "%lld", (long long)rows[i].value);
        cr_expect(rows[i].bucket == HISTOGRAM_BUCKETS || rows[i].value < 0 ||
                  (uint64_t)rows[i].value <= histogram_bound(rows[i].bucket));
    }
}

Test(histogram, sums)
{
    struct histogram h = { .sum = 0 };

    histogram_observe_n(&h, 100, 3);
    histogram_observe(&h, -7);
    histogram_observe(&h, 1);
    cr_assert_eq(h.sum, 301);
}
