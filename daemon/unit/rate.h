/*
 * rate.h - how fast something grows, over its last few seconds.
 *
 * A sample is taken once a second; the rate is that of the oldest to the newest
 * kept, so one slow second neither hides nor shows too much.  Pure; the caller
 * brings the time.
 */
#ifndef SLUICE_UNIT_RATE_H
#define SLUICE_UNIT_RATE_H

#include <stdint.h>

enum { RATE_SAMPLES = 6 };

struct rate {
    struct {
        int64_t us;
        uint64_t rows, bytes;
    } samples[RATE_SAMPLES];
    unsigned n; /* ever taken */
};

/* Counters that went down (the unit was made anew) start over. */
void rate_sample(struct rate *r, int64_t mono_us, uint64_t rows, uint64_t bytes);
double rate_rows_s(const struct rate *r);
double rate_bytes_s(const struct rate *r);
/* Seconds until 'estimated' rows are reached; 0: done, or nobody knows. */
double rate_eta_s(const struct rate *r, uint64_t estimated);

#endif
