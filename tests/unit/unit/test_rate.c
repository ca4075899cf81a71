#include "unit/rate.h"

#include <criterion/criterion.h>

#define SECOND 1000000

Test(rate, is_that_of_the_last_seconds)
{
    struct rate r = { .n = 0 };

    cr_expect_eq(rate_rows_s(&r), 0);
    cr_expect_eq(rate_eta_s(&r, 100), 0);
    rate_sample(&r, 0, 0, 0);
    cr_expect_eq(rate_rows_s(&r), 0);
    for (int i = 1; i <= 10; i++) /* 10 a second, then 100 */
        rate_sample(&r, i * SECOND, i <= 5 ? i * 10 : 50 + (i - 5) * 100, i * 1000);
    cr_expect_eq(rate_rows_s(&r), 100);
    cr_expect_eq(rate_bytes_s(&r), 1000);
    cr_expect_eq(rate_eta_s(&r, 1550), 10);
    cr_expect_eq(rate_eta_s(&r, 5), 0);
}

Test(rate, starts_over_when_counters_fall)
{
    struct rate r = { .n = 0 };

    rate_sample(&r, 0, 1000, 1000);
    rate_sample(&r, SECOND, 2000, 2000);
    rate_sample(&r, 2 * SECOND, 5, 5);
    cr_expect_eq(rate_rows_s(&r), 0);
    rate_sample(&r, 3 * SECOND, 10, 5);
    cr_expect_eq(rate_rows_s(&r), 5);
}
