/*
 * drain_judge.h - which transactions and changes of a stream are left out: those that the operator
 * named, that came from an ignored server, that bear the mark of our channel, that a filter names.
 *
 * One for each reader of a stream.
 */
#ifndef SLUICE_UNIT_DRAIN_JUDGE_H
#define SLUICE_UNIT_DRAIN_JUDGE_H

#include "unit/drain/drain_feed.h"
#include "unit/drain/drain_filter.h"

struct drainer;
struct drain_target;
struct drain_judge;
struct sync_run;

struct drain_judge_config {
    const struct drain_filter *filter; /* borrowed */
    bool loopback, no_ddl;
    uint64_t channel;
};

int drain_judge_new(struct drain_judge **ret, struct drainer *d, const struct drain_target *t,
                    const json_t *doc, struct err *err);
void drain_judge_free(struct drain_judge *j); /* NULL is fine */

/* A transaction begins. */
void drain_judge_begin(struct drain_judge *j, const struct drain_item *item);
/* What a step of the stream is to mean: see sync_priv.h.  'r' may be NULL: then no statement is
 * noted as left out. */
int drain_judge_step(struct drain_judge *j, struct sync_run *r, const struct event *ev, int step,
                     struct err *err);
/* The same for who has no run: what is decoded is in 'g'. */
int drain_judge_event(struct drain_judge *j, struct grouper *g, const struct event *ev, int step,
                      struct err *err);
/* Of the transaction that is at its end. */
bool drain_judge_left_out(const struct drain_judge *j);

#endif
