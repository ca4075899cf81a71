/*
 * relay.h - the binlog of a source, stored: sources/<s>/relay/.
 *
 * DM's relay, a pump's ingest and kingbus's syncer are this one unit: it reads the source's binlog
 * over one connection and writes the source's journal (journal/journal.h), from which everybody
 * reads.  It runs while enable_relay is set or somebody wants it (relay_want()), unless it was
 * paused.
 *
 *     relay.c         life; who wants it; what others may ask     relay_node.c    rows, actions
 *     relay_run.c     the thread: connect, read, reconnect         relay_place.c   where to go on
 *     relay_ingest.c  events -> records                            relay_ack.c     semi-sync
 *     relay_keep.c    once a second: purge, disk, holds            relay_print.c   fingerprints
 *     relay_rate.c    how fast it is
 *     relay_gate.c    what acknowledgements wait for, beside our disk
 *
 * Any thread, unless said otherwise.
 */
#ifndef SLUICE_UNIT_RELAY_H
#define SLUICE_UNIT_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "binlog/gtid_set.h"

struct journal;
struct relay_gate;
struct source;

/* The source's journal: a reference, journal_close() it.  NULL when there is none: nothing was
 * stored yet. */
struct journal *source_journal(struct source *s);

/* 'who' ("pumps/p1") reads the journal and wants it to grow: the relay runs from here on, and the
 * journal is there when this returns.  Counted by name: the same name twice counts once.  Not kept
 * over a restart: 'who' wants it again.  -EINVAL while the source is a draft; errors of the store.
 */
int relay_want(struct source *s, const char *who, struct err *err);
void relay_unwant(struct source *s, const char *who);

/* How the relay stands to the source, for who reads the journal. */
struct relay_tip {
    bool at_work;     /* connected, or about to be: what is not in the journal will come */
    bool caught_up;   /* has stored all that the source sent so far */
    int64_t heard_us; /* when the source was last heard, wall time; 0: never */
    struct gtid last; /* of the last transaction stored; number 0: not known */
};
void relay_tip(struct source *s, struct relay_tip *ret);
/* What acknowledgements to the source wait for; borrowed, as old as the source. */
struct relay_gate *relay_gate_of(struct source *s);
/* Does the source's commit wait for us now? */
bool relay_is_semi_sync(struct source *s);
/* Which server wrote the records of an incarnation: its server_uuid, or "server_id 101".  False:
 * not known. */
bool relay_server_of(struct source *s, uint32_t incarnation, char ret[static 64]);

#endif
