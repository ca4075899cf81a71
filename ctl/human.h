/*
 * human.h - values as people like to read them, by the type and unit of their
 * row: 1288490188 bytes are "1.2 GiB", 3723 seconds "1h 2m".
 */
#ifndef SLUICE_CTL_HUMAN_H
#define SLUICE_CTL_HUMAN_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/* Appends 'v', on one line. 'row' may be NULL. */
void human_value(const json_t *row, const json_t *v, struct buf *out);
/* The same for programs: numbers as they are, text bare, the rest compact JSON. */
void plain_value(const json_t *v, struct buf *out);

void human_bytes(double v, struct buf *out);
void human_seconds(double v, struct buf *out);
void human_count(double v, struct buf *out); /* 1,234,567 */

/* How much is done, 0 to 1, by what a JSON object says: "percent", or a pair like "rows" and
 * "rows_total"; bytes before rows.  False if it says neither. */
bool human_fraction(const json_t *progress, double *ret);
/* The same from a sentence: "copy 45 %: …" is 0.45. */
bool human_percent(const char *text, double *ret);
/* "█████▌····" of 'width' cells. */
void human_bar(double fraction, int width, struct buf *out);

#endif
