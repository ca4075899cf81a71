#include "journal/commit_ts.h"

#define SECOND_US 1000000

static int64_t last_ms(uint64_t last)
{
    return (int64_t)(last >> COMMIT_TS_LOGICAL_BITS);
}

/* The latest moment that 'commit_us' may stand for. */
static int64_t latest_ms(int64_t commit_us)
{
    return (commit_us % SECOND_US == 0 ? commit_us + SECOND_US - 1 : commit_us) / 1000;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A full logical part carries into the physical one. */
static uint64_t marked_after(uint64_t last, uint64_t least, unsigned mark)
{
    uint64_t ts = (least > last ? least : last) / COMMIT_TS_MARKS * COMMIT_TS_MARKS + mark;

    return ts > last ? ts : ts + COMMIT_TS_MARKS;
}

uint64_t commit_ts_next(uint64_t last, int64_t commit_us, int64_t now_us, unsigned mark,
                        bool *skewed)
{
    int64_t now_ms = now_us / 1000, ms;

    *skewed = commit_us != 0 && (latest_ms(commit_us) < last_ms(last) || commit_us < 0 ||
                                 commit_us / 1000 > now_ms + COMMIT_TS_AHEAD_MS);
    if (*skewed || commit_us == 0)
        ms = later(last_ms(last), now_ms);
    else
        ms = later(last_ms(last), commit_us / 1000);
    return marked_after(last, (uint64_t)ms << COMMIT_TS_LOGICAL_BITS, mark);
}

uint64_t commit_ts_floor(uint64_t last, int64_t now_us)
{
    uint64_t now = commit_ts_of_us(now_us);

    return now > last ? now : last;
}
