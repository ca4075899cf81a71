#include "unit/rate.h"

#include <criterion/criterion.h>

#define SECOND 1000000

static const struct rate_point *at(int64_t us, uint64_t rows, uint64_t bytes)
{
    static struct rate_point p;

    p = (struct rate_point){ .us = us, .rows = rows, .bytes = bytes };
    return &p;
}

Test(rate, is_that_of_the_last_seconds)
{
    struct rate r = { .n = 0 };
    const struct rate_point *now = at(0, 0, 0);

    cr_expect_eq(rate_rows_s(&r, now), 0);
    cr_expect_eq(rate_eta_s(&r, now, 100), 0);
    rate_sample(&r, now);
    cr_expect_eq(rate_rows_s(&r, now), 0);
    for (int i = 1; i <= 10; i++) /* 10 a second, then 100 */
        rate_sample(&r, at(i * SECOND, (uint64_t)(i <= 5 ? i * 10 : 50 + (i - 5) * 100),
                           (uint64_t)i * 1000));
    cr_expect_eq(rate_rows_s(&r, now), 100);
    cr_expect_eq(rate_bytes_s(&r, now), 1000);
    cr_expect_eq(rate_eta_s(&r, now, 1550), 10);
    cr_expect_eq(rate_eta_s(&r, now, 5), 0);
}

Test(rate, is_there_before_the_second_sample)
{
    struct rate r = { .n = 0 };

    rate_sample(&r, at(0, 0, 0));

    cr_expect_eq(rate_rows_s(&r, at(SECOND / 100, 9, 9)), 0); /* too short to tell */
    cr_expect_eq(rate_rows_s(&r, at(SECOND / 2, 50, 9)), 100);
    cr_expect_eq(rate_eta_s(&r, at(SECOND / 2, 50, 9), 150), 1);
}

Test(rate, starts_over_when_counters_fall)
{
    struct rate r = { .n = 0 };

    rate_sample(&r, at(0, 1000, 1000));
    rate_sample(&r, at(SECOND, 2000, 2000));
    cr_expect_eq(rate_rows_s(&r, at(2 * SECOND, 5, 5)), 0);
    rate_sample(&r, at(2 * SECOND, 5, 5));
    rate_sample(&r, at(3 * SECOND, 10, 5));
    cr_expect_eq(rate_rows_s(&r, at(3 * SECOND, 10, 5)), 5);
}
