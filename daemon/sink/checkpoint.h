/*
 * checkpoint.h - the row in the target that says how far its data is.
 *
 * The row is written first in every transaction that changes the target, and
 * that write fails unless the writer still owns the row: exactly once follows.
 * The target's row is the authority on positions, never ours.
 *
 *     checkpoint_take(admin, &key, flavor, &cp, &err);  end the former owner, read
 *     checkpoint_enlist(&cp, session, &err);            once per session that writes
 *     buf_str(&sql, "BEGIN;");
 *     checkpoint_sql(&cp, &pos, 0, &sql);               UPDATE ..., fails when fenced
 *     ... row changes ...; COMMIT
 *     checkpoint_advanced(&cp, &pos, 0);                once the COMMIT is OK
 *
 * Transactions that end out of order do not move the row; they hold it share-locked
 * instead (checkpoint_owned_sql()), so that a takeover waits for them and they fail
 * after it.
 *
 * A row is (task, source, part).  Parts: "sync" is the stream, "load" fences
 * the full copy, "quarantine" follows tables that were set aside.  The tables
 * are made on first use, in the schema that the task calls meta_schema.
 *
 * Why killing the former owner's sessions is needed on top of the fence: after
 * kill -9 the target goes on executing a packet that it already has, and
 * commits seconds later.  Sessions are told from strangers that got the same
 * number after a restart of the target by a user lock that they hold.
 *
 * One thread at a time.
 */
#ifndef SLUICE_SINK_CHECKPOINT_H
#define SLUICE_SINK_CHECKPOINT_H

#include "binlog/position.h"
#include "mysql/conn.h"

struct checkpoint_key {
    const char *meta_schema, *task, *source, *part;
};

struct checkpoint {
    struct checkpoint_key key; /* its strings are copies, freed by checkpoint_fini() */
    uint64_t epoch;            /* of this owner: greater than any before */
    _Atomic uint64_t seq;      /* target transactions so far; 0: nothing was written yet.  The owner
                                * counts, the reader of a stream looks */
    uint32_t sub_seq;          /* steps of the next transaction that are already done */
    struct position pos;       /* of the source, after the last whole transaction; maybe unknown */
    char source_id[128];       /* the server that 'pos' is of; "" if not known */
};

/* Makes the schema and the tables if they are missing. */
int checkpoint_prepare(struct mysql_conn *c, const char *meta_schema, struct err *err);

/* Takes the row over, making it if it is new: ends all sessions enlisted by
 * former owners, waits at most a minute until they are gone (-ETIMEDOUT), bumps
 * the epoch and reads.  'flavor' is the source's.  'ret' is to be fini'ed. */
int checkpoint_take(struct mysql_conn *c, const struct checkpoint_key *key, enum flavor flavor,
                    struct checkpoint *ret, struct err *err);
void checkpoint_fini(struct checkpoint *cp);

/* True if 'cp' has a position: a file or a GTID set. */
bool checkpoint_has_position(const struct checkpoint *cp);

/* Registers 'session' as one that will write under this checkpoint; before its first write. */
int checkpoint_enlist(struct checkpoint *cp, struct mysql_conn *session, struct err *err);

/* Sets position and source without a transaction of the stream: where the
 * snapshot was taken, or where the user says to start. */
int checkpoint_set(struct checkpoint *cp, struct mysql_conn *session, const struct position *pos,
                   const char *source_id, struct err *err);
/* SQL of a statement that changes nothing and fails with 1048 unless we own the row.  Without ';'.
 */
void checkpoint_touch_sql(const struct checkpoint *cp, struct buf *out);
/* The source is another server of the same group: the set holds there, file and offset do not and
 * are taken out.  The numbers stay, since an open intent names them. */
int checkpoint_rehome(struct checkpoint *cp, struct mysql_conn *session, const char *source_id,
                      struct err *err);

/* Appends the fenced UPDATE, ending in ';'.  Server error 1048 means: fenced.
 * 'sub_seq' 0: the transaction is whole, seq goes up by one and the position is
 * 'pos'.  Else 'sub_seq' steps of the next transaction are done, 'pos' unused. */
void checkpoint_sql(const struct checkpoint *cp, const struct position *pos, uint32_t sub_seq,
                    struct buf *out);
/* That transaction was committed. */
void checkpoint_advanced(struct checkpoint *cp, const struct position *pos, uint32_t sub_seq);

/* Appends a condition, in parentheses, that is true while we own the row and
 * share-locks it, for tables of one's own with a NOT NULL column in a strict session:
 * UPDATE chunk SET state = IF(<condition>, 'done', NULL) WHERE ... */
void checkpoint_owned_sql(const struct checkpoint *cp, struct buf *out);

/* True if 'err' is what a fenced writer gets. */
bool checkpoint_fenced(const struct err *err);

/* Removes all parts of (task, source), or of all sources if source is NULL. Ends their sessions. */
int checkpoint_forget(struct mysql_conn *c, const char *meta_schema, const char *task,
                      const char *source, struct err *err);

#endif
