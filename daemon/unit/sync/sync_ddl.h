/*
 * sync_ddl.h - statements of the source that commit by themselves.
 *
 * A DDL cannot be in one transaction with the checkpoint, so it is run between two:
 * an intent (what is about to be run, and how its tables look) and the checkpoint
 * that is past it.  After a crash between them the tables tell whether it ran; where
 * they cannot, the operator is asked.
 *
 * All in the reader's thread, with everything before the statement in the target.
 */
#ifndef SLUICE_UNIT_SYNC_DDL_H
#define SLUICE_UNIT_SYNC_DDL_H

#include "base/err.h"
#include "binlog/position.h"
#include "binlog/query.h"
#include "route/ddl.h"

struct job;
struct sync_run;
struct sync_ddl; /* a statement kept until its transaction is whole */

enum sync_ddl_use {
    SYNC_DDL_RUN,
    SYNC_DDL_SKIP,        /* not in scope, or of a kind that is never copied */
    SYNC_DDL_REFUSE,      /* in scope, and not to be had: sync_ddl_refuse() says why, unless
                             sync_ddl_excused() */
    SYNC_DDL_TRANSACTION, /* SAVEPOINT and such */
};

/* The sql_mode of the session that ran it. */
uint64_t sync_ddl_mode(struct sync_run *r, const struct query *q);
/* Into r->scratch. */
void sync_ddl_scan(struct sync_run *r, const struct query *q, struct ddl *ret);
enum sync_ddl_use sync_ddl_use(struct sync_run *r, const struct query *q, const struct ddl *d);
/* 1: the operator has done at the target what it takes and said so (sync_ddl_resolve()). */
int sync_ddl_excused(struct sync_run *r, const struct query *q, const struct ddl *d,
                     struct err *err);
int sync_ddl_refuse(const struct query *q, const struct ddl *d, struct err *err);
/* It is left out: what is known of its tables may have changed. */
int sync_ddl_skipped(struct sync_run *r, const struct query *q, const struct ddl *d,
                     struct err *err);

/* The operator's word on an open intent, or a statement that was refused: "done" it ran at the
 * target, or what it takes was done there by hand; "run" it did not.  Holds for one statement of
 * the next run, which may be after a restart. */
int sync_ddl_resolve(const struct job *job, const char *as, struct err *err);
int sync_ddl_unresolve(const struct job *job, struct err *err);
/* What was said: it is forgotten by this.  1 with *done; 0: nobody did. */
int sync_ddl_word(const struct job *job, bool *done, struct err *err);

/* At the start: makes the table of intents, and decides about one that was left open. */
int sync_ddl_open(struct sync_run *r, struct err *err);
/* Drains, runs it once, commits the position; 'sub_seq' as checkpoint_sql(). */
int sync_ddl_run(struct sync_run *r, const struct query *q, const struct ddl *d, uint32_t timestamp,
                 const struct position *pos, uint32_t sub_seq, struct err *err);

/* --- its steps, for sync_shard_ddl.c, which has more to commit with it --- */

struct route;
/* A name of the statement, as the source calls it. */
void sync_ddl_names(const struct query *q, const struct ddl_name *n, char schema[static 200],
                    char table[static 200]);
/* Does this run apply to the table?  *to is its name at the target. */
bool sync_ddl_in_scope(struct sync_run *r, const struct query *q, const struct ddl_name *n,
                       struct route *to);
/* The statement with the target's names. */
void sync_ddl_text(struct sync_run *r, const struct query *q, const struct ddl *d, struct buf *out);
/* Its clauses as ddl_clauses() has them, in r->scratch. */
unsigned sync_ddl_clauses(struct sync_run *r, const struct query *q, const struct ddl *d,
                          struct slice **ret);
/* The same as ddl_parts() has them. */
unsigned sync_ddl_parts(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct slice **ret);
/* How the tables look now: see sync_ddl_look.h. */
int sync_ddl_look(struct sync_run *r, const struct query *q, const struct ddl *d, struct buf *ret,
                  struct err *err);
/* How tables that look as 'before' would look after it: see sync_ddl_look.h. */
int sync_ddl_try(struct sync_run *r, const struct query *q, const struct ddl *d,
                 struct slice before, struct buf *ret, struct err *err);
/* The collation that a schema has which it makes; the caller frees. */
int sync_ddl_try_database(struct sync_run *r, const struct query *q, const struct ddl *d,
                          char **collation, struct err *err);
/* It was begun before a crash, and is the one to be gone on with. */
bool sync_ddl_begun(const struct sync_run *r, const struct query *q);
/* Writes the intent and runs it, unless that was done before a crash.  Refusals that 'passes'
 * (NULL: none) says yes to are none. */
int sync_ddl_execute(struct sync_run *r, const struct query *q, const struct ddl *d,
                     uint32_t timestamp, bool (*passes)(const struct err *err), struct err *err);
/* For the transaction that ends it, and afterwards. */
void sync_ddl_delete_intent(const struct sync_run *r, struct buf *sql);
void sync_ddl_consumed(struct sync_run *r);
/* It is left out because the target has what it makes. */
int sync_ddl_changed(struct sync_run *r, const struct query *q, const struct ddl *d,
                     struct err *err);

struct sync_ddl *sync_ddl_keep(const struct query *q, uint32_t timestamp);
void sync_ddl_free(struct sync_ddl *k); /* NULL is fine */
/* As the first step of the transaction at hand; does nothing if that is done already. */
int sync_ddl_run_kept(struct sync_run *r, const struct sync_ddl *k, struct err *err);

#endif
