#include "unit/rate.h"

void rate_sample(struct rate *r, int64_t mono_us, uint64_t rows, uint64_t bytes)
{
    unsigned last = (r->n + RATE_SAMPLES - 1) % RATE_SAMPLES;

    if (r->n && (rows < r->samples[last].rows || bytes < r->samples[last].bytes))
        r->n = 0;
    r->samples[r->n % RATE_SAMPLES].us = mono_us;
    r->samples[r->n % RATE_SAMPLES].rows = rows;
    r->samples[r->n % RATE_SAMPLES].bytes = bytes;
    r->n++;
}

static unsigned newest(const struct rate *r)
{
    return (r->n - 1) % RATE_SAMPLES;
}

static unsigned oldest(const struct rate *r)
{
    return r->n > RATE_SAMPLES ? r->n % RATE_SAMPLES : 0;
}

static double seconds(const struct rate *r)
{
    return r->n < 2 ? 0 : (double)(r->samples[newest(r)].us - r->samples[oldest(r)].us) / 1e6;
}

static double per_second(const struct rate *r, uint64_t from, uint64_t to)
{
    double s = seconds(r);

    return s > 0 ? (double)(to - from) / s : 0;
}

double rate_rows_s(const struct rate *r)
{
    return per_second(r, r->samples[oldest(r)].rows, r->n ? r->samples[newest(r)].rows : 0);
}

double rate_bytes_s(const struct rate *r)
{
    return per_second(r, r->samples[oldest(r)].bytes, r->n ? r->samples[newest(r)].bytes : 0);
}

double rate_eta_s(const struct rate *r, uint64_t estimated)
{
    double rows_s = rate_rows_s(r);
    uint64_t rows = r->n ? r->samples[newest(r)].rows : 0;

    return rows_s > 0 && estimated > rows ? (double)(estimated - rows) / rows_s : 0;
}
