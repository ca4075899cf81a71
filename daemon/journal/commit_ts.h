/*
 * commit_ts.h - the time stamp that a record gets at ingest: milliseconds << 18 | logical.
 *
 * It grows strictly with each record and stays close to the source's own time, so that
 * records of several journals can be merged by it.  The lowest bits are the journal's mark: as
 * long as no two journals share one, no two records of theirs have the same stamp, and who reads
 * their merged stream may know each by it.  Pure: the clock is handed in.
 */
#ifndef SLUICE_JOURNAL_COMMIT_TS_H
#define SLUICE_JOURNAL_COMMIT_TS_H

#include <stdbool.h>
#include <stdint.h>

#define COMMIT_TS_LOGICAL_BITS 18
#define COMMIT_TS_MARKS 256 /* the even ones are journals': 128 tell stamps apart */
/* The stamp after one of a journal, which no record has: for who tells a transaction in two. */
#define COMMIT_TS_SECOND(ts) ((ts) + 1)
#define COMMIT_TS_AHEAD_MS 2000 /* how far a source's clock may be ahead of ours */

/* The first one after 'last' with this mark.  'commit_us' is what the source says (0: it does not),
 * believed when it lies between 'last' and our clock + 2 s; a time in whole seconds stands for all
 * of its second. Else our clock counts, or 'last' when that is later, and 'skewed' is set. */
uint64_t commit_ts_next(uint64_t last, int64_t commit_us, int64_t now_us, unsigned mark,
                        bool *skewed);

/* What an idle source may promise at 'now_us': no later stamp is as low as this.  Handing it to
 * commit_ts_next() as 'last' keeps the promise. */
uint64_t commit_ts_floor(uint64_t last, int64_t now_us);

static inline uint64_t commit_ts_of_us(int64_t us)
{
    return us < 0 ? 0 : (uint64_t)us / 1000 << COMMIT_TS_LOGICAL_BITS;
}

static inline int64_t commit_ts_us(uint64_t ts)
{
    return (int64_t)(ts >> COMMIT_TS_LOGICAL_BITS) * 1000;
}

#endif
