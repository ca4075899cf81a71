#include "unit/rate.h"

#include <stdbool.h>

#define LEAST_US 300000 /* over less than that a rate is noise */

static const struct rate_point *oldest(const struct rate *r)
{
    return &r->samples[r->n > RATE_SAMPLES ? r->n % RATE_SAMPLES : 0];
}

static bool fell(const struct rate *r, const struct rate_point *now)
{
    const struct rate_point *last = &r->samples[(r->n - 1) % RATE_SAMPLES];

    return now->rows < last->rows || now->bytes < last->bytes;
}

void rate_sample(struct rate *r, const struct rate_point *now)
{
    if (r->n && fell(r, now))
        r->n = 0;
    r->samples[r->n++ % RATE_SAMPLES] = *now;
}

/* Over what time the rate is taken; 0: there is none. */
static double seconds(const struct rate *r, const struct rate_point *now)
{
    if (r->n == 0 || fell(r, now) || now->us - oldest(r)->us < LEAST_US)
        return 0;
    return (double)(now->us - oldest(r)->us) / 1e6;
}

double rate_rows_s(const struct rate *r, const struct rate_point *now)
{
    double s = seconds(r, now);

    return s > 0 ? (double)(now->rows - oldest(r)->rows) / s : 0;
}

double rate_bytes_s(const struct rate *r, const struct rate_point *now)
{
    double s = seconds(r, now);

    return s > 0 ? (double)(now->bytes - oldest(r)->bytes) / s : 0;
}

double rate_eta_s(const struct rate *r, const struct rate_point *now, uint64_t estimated)
{
    double rows_s = rate_rows_s(r, now);

    return rows_s > 0 && estimated > now->rows ? (double)(estimated - now->rows) / rows_s : 0;
}
