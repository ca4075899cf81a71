/*
 * shard_group.h - the tables (shards) of a task that are merged into one table of the target, and
 * what is to become of a DDL that one of them came to.
 *
 *     pessimistic   the DDL is run once all shards came to it; who was there first waits.  All
 *                   shards have the same DDLs in the same order
 *     optimistic    the target always has a structure that takes the rows of all shards, as they
 *                   are now; a DDL is run when that one changes by it.  What takes away what
 *                   others still need (a column renamed) waits until they do the same
 *
 * A shard that waits is left out of its source's stream, from before the DDL on; the other tables
 * go on.  When the DDL may pass, the shard is released: it is read again from there, up to where
 * the stream is by then, and asks again when it comes to the DDL.  So a DDL is always run where it
 * is read, and whatever changed in between counts.
 *
 *     FOLLOWS  ->  WAITS  ->  RELEASED  ->  PICKED  ->  PASSING  ->  FOLLOWS
 *                    ^                        a second reading,  |
 *                    +---------- the next DDL waits -------------+
 *
 * A group with a member that waits is a lock for the operator, who can have it resolved in four
 * ways (enum shard_word).
 *
 * Pure: no clock, no I/O.  Whoever keeps groups stores them whole (every field counts).
 */
#ifndef SLUICE_ROUTE_SHARD_GROUP_H
#define SLUICE_ROUTE_SHARD_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum shard_mode { SHARD_OFF, SHARD_PESSIMISTIC, SHARD_OPTIMISTIC };

enum shard_state {
    SHARD_FOLLOWS,  /* its source's stream has it */
    SHARD_WAITS,    /* before a DDL */
    SHARD_RELEASED, /* to be read again from there */
    SHARD_PICKED,   /* by the second reading that is under way, which did not come to it yet */
    SHARD_PASSING,  /* which is past the DDL */
    SHARD_N_STATES
};
extern const char *const shard_state_names[]; /* NULL at the end */

/* What a released one is told to do with its DDL. */
enum shard_word {
    SHARD_ASK,   /* again, by the rules */
    SHARD_EXEC,  /* run it, whoever is missing */
    SHARD_SKIP,  /* leave it out; the table's structure counts as unchanged */
    SHARD_ADOPT, /* it was made at the target by hand: leave it out, and go on with what it makes */
    SHARD_N_WORDS
};
extern const char *const shard_word_names[]; /* NULL at the end */

struct shard_member {
    char *source, *schema, *table; /* as the source calls it */
    enum shard_state state;
    enum shard_word word;
    uint64_t step;  /* pessimistic: how many DDLs of the group it is past */
    char *now;      /* optimistic: CREATE TABLE of its rows; NULL: as the target's is */
    char *dropped;  /* optimistic: columns that it has no more and others have, each before a ',' */
    char *ddl;      /* it stands before this one, with the target's names; NULL: none */
    char *ddl_file; /* ... where the source has it; NULL: not known */
    uint64_t ddl_at;
    char *wanted; /* optimistic: what that makes of 'now' */
    char **steps; /* ... and what its clauses make of it, one after the other; none: it is one */
    unsigned n_steps;
    char *conflict;   /* why it can never pass by itself; NULL: it can */
    char *from_file;  /* where the second reading begins: */
    uint64_t from_at; /* ... the end of the transaction before the DDL */
    char *from_gtids; /* NULL: not known */
    int64_t since_us; /* that it waits */
};

struct shard_group {
    enum shard_mode mode;
    char *schema, *table; /* at the target */
    unsigned n;
    struct shard_member *members;
    uint64_t step;  /* pessimistic: DDLs that were run */
    char **history; /* ... the last 'n_history' of them, for those who are behind */
    unsigned n_history;
    char *runner;    /* "source/schema/table": its DDL is being run; NULL: none */
    bool incomplete; /* a source of the task has not said yet which tables it has; not stored */
};

void shard_group_fini(struct shard_group *g);
struct shard_member *shard_find(const struct shard_group *g, const char *source, const char *schema,
                                const char *table);
/* A table more, which follows; its structure is 'now' (copied; NULL: the target's). */
struct shard_member *shard_join(struct shard_group *g, const char *source, const char *schema,
                                const char *table, const char *now);
void shard_leave(struct shard_group *g, struct shard_member *m); /* 'm' and later ones move */
/* Whose structure was never told has this one. */
void shard_know(struct shard_group *g, const char *create);

enum shard_verdict {
    SHARD_RUN,      /* at the target, then shard_done() */
    SHARD_PASS,     /* shard_done() alone */
    SHARD_WAIT,     /* for others */
    SHARD_CONFLICT, /* for the operator, or for others who change their mind: 'why' */
    SHARD_N_VERDICTS
};

/* What is to become of 'ddl' (with the target's names), to which 'm' came?  'after' is what it
 * makes of m->now, for optimistic.  Nothing changes. */
enum shard_verdict shard_ask(const struct shard_group *g, const struct shard_member *m,
                             const char *ddl, const char *after, struct err *why);
/* The same of a statement of several clauses, which make 'steps' of m->now one after the other:
 * does each of them pass by itself?  Then 'run' (NULL: not asked) says which are to be run, maybe
 * none. If not, the statement is asked as a whole. */
bool shard_ask_clauses(const struct shard_group *g, const struct shard_member *m,
                       char *const *steps, unsigned n, bool *run);
/* It waits from now on.  'why' NULL: no conflict.  Its from_ fields and where the DDL is are the
 * caller's to set, and so is shard_wait_clauses(), which copies. */
void shard_wait(struct shard_member *m, const char *ddl, const char *after, const char *why,
                int64_t now_us);
void shard_wait_clauses(struct shard_member *m, char *const *steps, unsigned n);
/* It is past the DDL, which was run or not. */
void shard_done(struct shard_group *g, struct shard_member *m, const char *ddl, const char *after,
                bool ran);
/* Releases those who may pass now, after anything changed. */
void shard_settle(struct shard_group *g);

/* --- for the operator --- */

/* Does somebody wait, or have shards different structures? */
bool shard_locked(const struct shard_group *g);
/* Who waited first; NULL: nobody does. */
struct shard_member *shard_owner(const struct shard_group *g);
/* Has it done what the lock is about? */
bool shard_synced(const struct shard_group *g, const struct shard_member *m);
/* The operator's word on the lock, or ('m') on one that waits in it.  -ENOENT: nobody waits. */
int shard_order(struct shard_group *g, struct shard_member *m, enum shard_word word,
                struct err *err);
/* Asks all again; or a table ('m') is no part of the group any more. */
void shard_drop(struct shard_group *g, struct shard_member *m);

/* --- the two ways; for shard_group.c --- */

enum shard_verdict pessimist_ask(const struct shard_group *g, const struct shard_member *m,
                                 const char *ddl, struct err *why);
/* Of one whose own DDL is to be left out: it goes on when the others have had theirs. */
enum shard_verdict pessimist_ask_left_out(const struct shard_group *g,
                                          const struct shard_member *m);
bool shard_left_out(const struct shard_member *m); /* by the operator's word */
void pessimist_done(struct shard_group *g, struct shard_member *m, const char *ddl, bool ran);
/* The DDL counts as run. */
void pessimist_step(struct shard_group *g, const char *ddl);
enum shard_verdict optimist_ask(const struct shard_group *g, const struct shard_member *m,
                                const char *after, struct err *why);
void optimist_done(struct shard_group *g, struct shard_member *m, const char *after, bool ran);
/* Does the DDL change nothing that is looked at? */
bool optimist_same(const char *now, const char *after);
bool optimist_differ(const struct shard_group *g);
bool optimist_synced(const struct shard_group *g, const struct shard_member *m);

#endif
