/*
 * serve_quorum.h - how far so many replicas of a server are: what semi_sync_wait_for_replica_count
 * asks for.
 *
 * Each dump of a semi-synchronous replica says up to where its replica has acknowledged; the point
 * that enough of them have reached is told to the gate of the source (unit/relay/relay_gate.h).  It
 * never goes back: a replica that goes away keeps what it has.  Any thread.
 */
#ifndef SLUICE_UNIT_SERVE_QUORUM_H
#define SLUICE_UNIT_SERVE_QUORUM_H

#include "unit/relay/relay_gate.h"
#include "unit/serve/serve_ack.h"

struct quorum;

/* 'keeper' is borrowed; NULL: nobody waits, but the point is known all the same. */
struct quorum *quorum_new(unsigned count, struct gate_keeper *keeper);
void quorum_free(struct quorum *q); /* NULL is fine */

/* A replica, by its server_id, has all up to 'at'; the newest connection of an id counts. */
void quorum_report(struct quorum *q, uint32_t server_id, uint32_t connection,
                   const struct ack_point *at);
void quorum_leave(struct quorum *q, uint32_t connection);

struct quorum_view {
    unsigned clients;        /* replicas that acknowledge */
    struct ack_point safe;   /* as many as are asked for have all up to here */
    struct gate_view waited; /* what the source's acknowledgements had of it */
};
void quorum_look(struct quorum *q, struct quorum_view *ret);

#endif
