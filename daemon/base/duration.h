/*
 * duration.h - "90s", "1h30m", "500ms": lengths of time as others write them (Go's notation), and
 * bare seconds, "90" and "1.5".
 */
#ifndef SLUICE_BASE_DURATION_H
#define SLUICE_BASE_DURATION_H

#include <stdint.h>

#include "base/err.h"

/* Microseconds, from 0 to 100 years.  -EINVAL. */
int duration_parse(const char *text, int64_t *ret, struct err *err);

#endif
