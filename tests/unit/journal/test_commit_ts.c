#include <criterion/criterion.h>

#include "journal/commit_ts.h"

#define S INT64_C(1000000)
#define MS INT64_C(1000)

enum { STEP = COMMIT_TS_MARKS };

static bool skewed;

static uint64_t ts(int64_t ms, uint64_t logical)
{
    return (uint64_t)ms << COMMIT_TS_LOGICAL_BITS | logical;
}

Test(commit_ts, is_the_sources_time_when_that_is_to_be_believed)
{
    cr_assert_eq(commit_ts_next(0, 100 * S + 5 * MS, 100 * S, 0, &skewed), ts(100005, 0));
    cr_assert_not(skewed);
    cr_assert_eq(commit_ts_next(ts(100005, 0), 100 * S + 7 * MS, 100 * S, 0, &skewed),
                 ts(100007, 0));
    cr_assert_not(skewed);
    cr_assert_eq(commit_ts_next(0, 102 * S + 999, 100 * S, 0, &skewed), ts(102000, 0), "2 s ahead");
    cr_assert_not(skewed);
}

Test(commit_ts, grows_in_the_logical_part_within_a_millisecond)
{
    uint64_t last = ts(100000, 3 * STEP);

    cr_assert_eq(commit_ts_next(last, 100 * S, 100 * S, 0, &skewed), ts(100000, 4 * STEP));
    cr_assert_not(skewed);
}

Test(commit_ts, carries_a_full_logical_part_into_the_physical_one)
{
    uint64_t last = ts(100000, (1 << COMMIT_TS_LOGICAL_BITS) - 1);

    cr_assert_eq(commit_ts_next(last, 100 * S + 1, 100 * S, 0, &skewed), ts(100001, 0));
    cr_assert_eq(commit_ts_next(ts(100001, 0), 100 * S + 1, 100 * S, 0, &skewed), ts(100001, STEP));
}

Test(commit_ts, two_journals_never_have_the_same)
{
    uint64_t last = ts(100000, 2 * STEP + 7);

    cr_assert_eq(commit_ts_next(last, 100 * S, 100 * S, 7, &skewed), ts(100000, 3 * STEP + 7));
    cr_assert_eq(commit_ts_next(last, 100 * S, 100 * S, 9, &skewed), ts(100000, 2 * STEP + 9));
    cr_assert_eq(commit_ts_next(last, 100 * S, 100 * S, 6, &skewed), ts(100000, 3 * STEP + 6));
    cr_assert_eq(commit_ts_next(0, 100 * S, 100 * S, 6, &skewed), ts(100000, 6));
    cr_assert_eq(
        commit_ts_next(ts(100000, (1 << COMMIT_TS_LOGICAL_BITS) - 1), 100 * S, 100 * S, 6, &skewed),
        ts(100001, 6));
}

Test(commit_ts, takes_our_clock_when_the_source_is_ahead_or_behind)
{
    cr_assert_eq(commit_ts_next(0, 102 * S + MS, 100 * S, 0, &skewed), ts(100000, 0));
    cr_assert(skewed, "more than 2 s ahead");
    cr_assert_eq(commit_ts_next(ts(90000, 7), 50 * S + 1, 100 * S, 0, &skewed), ts(100000, 0));
    cr_assert(skewed, "before the last");
    cr_assert_eq(commit_ts_next(ts(120000, 7), 50 * S + 1, 100 * S, 0, &skewed), ts(120000, STEP));
    cr_assert(skewed, "our clock is behind as well");
    cr_assert_eq(commit_ts_next(0, -5, 100 * S, 0, &skewed), ts(100000, 0));
    cr_assert(skewed, "before 1970");
}

Test(commit_ts, takes_our_clock_when_the_source_does_not_say)
{
    cr_assert_eq(commit_ts_next(ts(5, 5), 0, 100 * S, 0, &skewed), ts(100000, 0));
    cr_assert_not(skewed);
}

Test(commit_ts, takes_whole_seconds_for_all_of_the_second)
{
    cr_assert_eq(commit_ts_next(ts(100700, 0), 100 * S, 101 * S, 0, &skewed), ts(100700, STEP));
    cr_assert_not(skewed, "100.7 s is within second 100");
    cr_assert_eq(commit_ts_next(ts(101000, 0), 100 * S, 101 * S, 0, &skewed), ts(101000, STEP));
    cr_assert(skewed, "but 101 s is not");
}

Test(commit_ts, stays_above_a_floor)
{
    uint64_t floor = commit_ts_floor(ts(90000, 1), 100 * S + 300 * MS);

    cr_assert_eq(floor, ts(100300, 0));
    cr_assert_eq(commit_ts_floor(ts(200000, 9), 100 * S), ts(200000, 9), "never goes back");
    cr_assert_eq(commit_ts_next(floor, 100 * S, 100 * S, 0, &skewed), floor + STEP);
    cr_assert_not(skewed);
}

Test(commit_ts, grows_whatever_the_clocks_do)
{
    uint64_t last = 0, x = 1;

    for (int i = 0; i < 200000; i++) {
        uint64_t next;

        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        next = commit_ts_next(last, (int64_t)(x >> 40) * 1000 - 5 * S,
                              (int64_t)(x >> 20 & 0xfffff) * 20, (unsigned)(x >> 56), &skewed);
        cr_assert_gt(next, last);
        cr_assert_eq(next % COMMIT_TS_MARKS, x >> 56);
        if (x % 8 == 0)
            next = commit_ts_floor(next, (int64_t)(x >> 30));
        last = next;
    }
}

Test(commit_ts, converts_to_microseconds)
{
    cr_assert_eq(commit_ts_of_us(1234567), ts(1234, 0));
    cr_assert_eq(commit_ts_us(ts(1234, 77)), 1234000);
    cr_assert_eq(commit_ts_of_us(-1), 0);
}
