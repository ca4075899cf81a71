/* relay_rate.h - how fast a relay is, over its last few seconds, and its journal since the daemon
 * started: rows of relay_rows.c. */
#ifndef SLUICE_UNIT_RELAY_RATE_H
#define SLUICE_UNIT_RELAY_RATE_H

#include "node/node.h"

struct journal;
struct relay;

/* Once a second, by the keeper's thread. */
void relay_sample(struct relay *r, struct journal *j);

json_t *relay_get_rates(const struct node *n, const struct attr *a, struct err *err);
json_t *relay_get_pending(const struct node *n, const struct attr *a, struct err *err);
json_t *relay_get_histograms(const struct node *n, const struct attr *a, struct err *err);

#endif
