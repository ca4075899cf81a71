/*
 * copy_link.h - the connections of one copy, and how their sessions are set.
 *
 * Sessions of both ends: times in UTC, no conversion of what is read, zero and
 * invalid dates let through, time limits long enough for the other end to be
 * slow.  Every connection is on a list, so that copy_link_stop() can wake
 * whoever waits on one.
 *
 * What the target's sessions may write is fenced by the checkpoint "load": all
 * are enlisted, so a later run ends them before it looks at the state.
 */
#ifndef SLUICE_UNIT_COPY_LINK_H
#define SLUICE_UNIT_COPY_LINK_H

#include "base/thread.h"
#include "sink/checkpoint.h"
#include "unit/job.h"

enum { COPY_MAX_LINKS = 160 };

struct copy_link {
    const struct job *job;
    struct mutex lock;
    struct mysql_conn *conns[COPY_MAX_LINKS] GUARDED;
    unsigned n_conns GUARDED;
    bool stopping GUARDED;
};

void copy_link_init(struct copy_link *l, const struct job *job);
void copy_link_fini(struct copy_link *l); /* every connection was closed before */

/* A session that reads rows; a transaction is the caller's to start.  -ECANCELED when stopping. */
int copy_link_source(struct copy_link *l, struct mysql_conn **ret, struct err *err);
/* A session that writes rows or makes tables; 'fence' may be NULL before it is taken.
 * One thread at a time, as the checkpoint is. */
int copy_link_target(struct copy_link *l, struct checkpoint *fence, struct mysql_conn **ret,
                     struct err *err);
void copy_link_close(struct copy_link *l, struct mysql_conn *c); /* NULL is fine */

/* Any thread: every call on a connection of ours returns soon, new ones are refused. */
void copy_link_stop(struct copy_link *l);
bool copy_link_stopping(struct copy_link *l);
void copy_link_restart(struct copy_link *l); /* after a stop; no connection is open */

#endif
