/*
 * drain_ahead.h - is a definition that the source gives today that of rows in its journal?
 *
 * It is when no statement about the table comes between the rows and the moment of reading, and
 * the journal, which has all of that, can be looked at.
 */
#ifndef SLUICE_UNIT_DRAIN_AHEAD_H
#define SLUICE_UNIT_DRAIN_AHEAD_H

#include "unit/drain/drain_feed.h"

struct unit;

/* From the record after 'seq' to 'until', which the journal may not have yet: it is waited for.
 * 0; -EINVAL with what to do when there is such a statement; -ECANCELED when 'u' is stopping. */
int drain_ahead(const struct drain_lane *lane, uint64_t seq, const struct position *until,
                const char *schema, const char *table, struct unit *u, struct err *err);

#endif
