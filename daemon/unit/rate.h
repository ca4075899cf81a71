/*
 * rate.h - how fast something grows, over its last few seconds.
 *
 * A sample is taken once a second; the rate is that from the oldest one kept to
 * now, so one slow second neither hides nor shows too much, and a copy of three
 * seconds has one too.  Pure; the caller brings the time.
 */
#ifndef SLUICE_UNIT_RATE_H
#define SLUICE_UNIT_RATE_H

#include <stdint.h>

enum { RATE_SAMPLES = 6 };

/* What is counted, at a moment. */
struct rate_point {
    int64_t us; /* monotonic */
    uint64_t rows, bytes;
};

struct rate {
    struct rate_point samples[RATE_SAMPLES];
    unsigned n; /* ever taken */
};

/* Counters that went down (the unit was made anew, the next stage has begun) start over. */
void rate_sample(struct rate *r, const struct rate_point *now);
double rate_rows_s(const struct rate *r, const struct rate_point *now);
double rate_bytes_s(const struct rate *r, const struct rate_point *now);
/* Seconds until 'estimated' rows are reached; 0: done, or nobody knows. */
double rate_eta_s(const struct rate *r, const struct rate_point *now, uint64_t estimated);

#endif
