/*
 * sync_ddl_priv.h - what the files behind sync_ddl.h share.
 *
 *     sync_ddl_use.c     what a statement is, whose, and what it changes in what we know
 *     sync_ddl_text.c    as the target takes it: on its tables there, or tried on empty ones
 *     sync_ddl_intent.c  what is about to be run, and what a crash left open
 *     sync_ddl.c         running it, between the intent and the checkpoint
 */
#ifndef SLUICE_UNIT_SYNC_DDL_PRIV_H
#define SLUICE_UNIT_SYNC_DDL_PRIV_H

#include "binlog/query_context.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_priv.h"

/* --- sync_ddl_use.c --- */

/* What becomes of a class of statements. */
enum ddl_kind {
    KIND_TABLES,   /* run, if of tables of the task alone */
    KIND_DATABASE, /* run, if of a schema of the task */
    KIND_SEQUENCE, /* as of tables, where both ends have sequences */
    KIND_NEVER,    /* never copied */
    KIND_REFUSED,  /* stops the task, if it touches its tables */
    KIND_INNER,    /* part of a transaction */
};
enum ddl_kind sync_ddl_kind(const struct ddl *d);

/* A table as the source calls it; 64 characters of UTF-8 each. */
struct ddl_names {
    char schema[200], table[200];
};
void sync_ddl_names_of(const struct query *q, const struct ddl_name *n, struct ddl_names *ret);

/* Of the session that ran it; what cannot be read is as if it were not there. */
void sync_ddl_context(struct sync_run *r, const struct query *q, struct query_context *ret);

/* --- sync_ddl_text.c --- */

/* What is sent to the target: with a mark to find it by, and of DROP only what is ours. */
void sync_ddl_statement(struct sync_run *r, const struct query *q, const struct ddl *d,
                        struct buf *out);

/* --- sync_ddl_intent.c --- */

/* Through the sink's connection; fails when another owner has the checkpoint. */
int sync_ddl_write_intent(struct sync_run *r, const struct query *q, const struct ddl *d,
                          struct err *err);

#endif
