/*
 * relay_gate.h - who else must have a transaction before the source hears that it is safe.
 *
 * With semi-synchronous replication commits at the source wait for our acknowledgement: that our
 * disk has them.  A binlog server may want more than our disk: that some of its replicas have them,
 * too.  It is a keeper of the source's gate and tells how far its replicas are; the thread that
 * acknowledges (relay_ack.c) waits for all keepers.
 *
 * A keeper who lets somebody wait longer than its timeout has lapsed: it no longer counts, until it
 * is where it was last waited for.  That is how semi-synchronous replication falls back everywhere:
 * commits go on, and it is said.
 *
 * Any thread.  A gate is as old as its source.
 */
#ifndef SLUICE_UNIT_RELAY_GATE_H
#define SLUICE_UNIT_RELAY_GATE_H

#include <stdbool.h>
#include <stdint.h>

struct gate_keeper;
struct relay_gate;

struct relay_gate *relay_gate_new(void);
void relay_gate_free(struct relay_gate *g); /* all keepers have left; NULL is fine */

/* 'who' is shown in the log. */
struct gate_keeper *relay_gate_enter(struct relay_gate *g, const char *who, int64_t timeout_ms);
void relay_gate_leave(struct gate_keeper *k); /* NULL is fine */
/* The keeper's replicas have all up to 'seq'; less than was said before is passed by. */
void relay_gate_reached(struct gate_keeper *k, uint64_t seq);

struct gate_view {
    uint64_t reached;
    uint64_t passed; /* records that were asked for and there in time */
    uint64_t lapses;
    bool lapsed;
};
void relay_gate_look(struct gate_keeper *k, struct gate_view *ret);

/* Waits at most 'timeout_ms' until no keeper holds 'seq' back.  False: one does. */
bool relay_gate_wait(struct relay_gate *g, uint64_t seq, int64_t timeout_ms);
/* All up to here may be acknowledged as far as the keepers go; UINT64_MAX: anything. */
uint64_t relay_gate_passed(struct relay_gate *g);

#endif
