/* histogram_show.h - a histogram as a value of the tree: cumulative, as Prometheus has it. */
#ifndef SLUICE_UNIT_HISTOGRAM_SHOW_H
#define SLUICE_UNIT_HISTOGRAM_SHOW_H

#include <jansson.h>

struct histogram;

/* {"le": [bound...], "n": [so many up to it...], "count": all, "sum": x}; bounds and sum in units
 * times 'scale': 1e-6 makes seconds of microseconds. */
json_t *histogram_show(const struct histogram *h, double scale);

#endif
