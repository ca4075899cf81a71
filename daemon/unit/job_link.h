/*
 * job_link.h - a job's connections to both ends, and how their sessions are set.
 *
 * Sessions of both ends: times in UTC, no conversion of what is read, zero and
 * invalid dates let through, time limits long enough for the other end to be
 * slow.  Every connection is on a list, so that job_link_stop() can wake
 * whoever waits on one.
 *
 * What the target's sessions may write is fenced by the checkpoint "load": all
 * are enlisted, so a later run ends them before it looks at the state.
 */
#ifndef SLUICE_UNIT_JOB_LINK_H
#define SLUICE_UNIT_JOB_LINK_H

#include "base/thread.h"
#include "sink/checkpoint.h"
#include "unit/job.h"

enum { JOB_MAX_LINKS = 160 };

struct job_link {
    const struct job *job;
    struct mutex lock;
    struct mysql_conn *conns[JOB_MAX_LINKS] GUARDED;
    unsigned n_conns GUARDED;
    bool stopping GUARDED;
};

void job_link_init(struct job_link *l, const struct job *job);
void job_link_fini(struct job_link *l); /* every connection was closed before */

/* A session that reads rows; a transaction is the caller's to start.  -ECANCELED when stopping. */
int job_link_source(struct job_link *l, struct mysql_conn **ret, struct err *err);
/* A session that writes rows or makes tables; 'fence' may be NULL before it is taken.
 * One thread at a time, as the checkpoint is. */
int job_link_target(struct job_link *l, struct checkpoint *fence, struct mysql_conn **ret,
                    struct err *err);
void job_link_close(struct job_link *l, struct mysql_conn *c); /* NULL is fine */

/* Any thread: every call on a connection of ours returns soon, new ones are refused. */
void job_link_stop(struct job_link *l);
bool job_link_stopping(struct job_link *l);
void job_link_restart(struct job_link *l); /* after a stop; no connection is open */

#endif
