/* clock.h - time.  Microseconds in int64_t throughout. */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_us(void); /* for durations; never goes back */
int64_t clock_wall_us(void); /* since 1970-01-01 UTC */

/* "2026-01-31T12:00:00.123Z" of a wall time; 'ret' holds CLOCK_TEXT_SIZE bytes. */
#define CLOCK_TEXT_SIZE 32
void clock_text(int64_t wall_us, char ret[static CLOCK_TEXT_SIZE]);

#endif
