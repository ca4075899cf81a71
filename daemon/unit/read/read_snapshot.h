/*
 * read_snapshot.h - one moment of the source, seen by several connections.
 *
 *   MariaDB            BACKUP STAGE BLOCK_COMMIT holds commits back (not reads, not
 *                      running statements) while all start their snapshots; the
 *                      server itself says the position of each
 *   MySQL              FLUSH TABLES WITH READ LOCK meanwhile
 *   MariaDB without the RELOAD right: one connection needs no lock
 *   MySQL without it   one connection, and two positions around its moment: low
 *                      (all of it is in) and high (nothing later is in).  Needs GTIDs
 *
 * That is consistency 'auto'.  With 'flush' there is no way around the lock; with 'lock' the
 * tables of the copy are locked against writes instead, which needs no RELOAD; else there is none.
 *
 * The lock is waited for five seconds at most, so that a long statement at the
 * source never makes us the cause of a queue, and tried again a few times.
 * XA transactions that are prepared and not finished are in no snapshot and
 * not in the binlog after it: they are waited for, with a deadline.
 */
#ifndef SLUICE_UNIT_READ_SNAPSHOT_H
#define SLUICE_UNIT_READ_SNAPSHOT_H

#include "unit/job.h"
#include "unit/job_link.h"

struct read_snapshot {
    struct mysql_conn **conns; /* in a snapshot transaction each, with a savepoint */
    unsigned n;
    struct position low, high; /* equal but in the last case above; file "" without a binlog */
    bool exact;
};

/* How to come to one moment. */
struct read_way {
    enum consistency how;
    const char *lock_tables; /* the LOCK TABLES of CONSISTENT_LOCK; else NULL */
    /* Called at that moment, while commits are held back; maybe again, when another is tried.
     * NULL if there is nothing to do.  Where none can be held back: -EACCES. */
    int (*held)(void *arg, struct err *err);
    void *arg;
};

/* At most 'n' connections; fewer where one is all we can have. */
int read_snapshot_take(struct job_link *l, unsigned n, const struct read_way *way,
                       struct read_snapshot *ret, struct err *err);
void read_snapshot_close(struct job_link *l, struct read_snapshot *s);

/* Lets go of the metadata locks of the tables read so far: DDL at the source need not wait for
 * the end of the copy. */
int read_snapshot_release_tables(struct mysql_conn *c, struct err *err);

/* MariaDB: of the snapshot that the session is in, without a set; 'ret' is empty before. */
int read_snapshot_position(struct mysql_conn *c, struct position *ret, struct err *err);

/* The position now; for a table that is locked against writes. */
int read_position_now(struct mysql_conn *c, struct position *ret, struct err *err);

#endif
