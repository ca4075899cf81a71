/*
 * sync_operator.h - what an operator wants done about a DDL that the target refuses (DM's skip,
 * replace and inject).
 *
 * Kept by place: "file:offset" of anywhere in the statement's transaction, in the store too, so it
 * holds after a restart and for statements that are still to come.  What it leads to runs as every
 * DDL, with an intent for each statement and a sub_seq of the checkpoint between them: each once,
 * whatever happens. Once the checkpoint is past the place it is forgotten.
 */
#ifndef SLUICE_UNIT_SYNC_OPERATOR_H
#define SLUICE_UNIT_SYNC_OPERATOR_H

#include "unit/sync/sync_priv.h"

/* --- any thread --- */

/* Reads what the store has; once, before the unit runs. */
int operators_load(struct sync *s, struct err *err);
/* 'op': "skip", "replace" or "inject"; 'sql' has the statements of the last two; 'position' NULL or
 * "": that of the statement that failed.  -EINVAL, -ENOENT: nothing failed. */
int operators_add(struct sync *s, const char *op, const char *position, const char *sql,
                  struct err *err);
int operators_revert(struct sync *s, const char *position, struct err *err);
json_t *operators_list(const struct sync *s); /* with the unit locked; a new reference */
int operators_forget(const struct job *job, struct err *err);

/* --- the reader --- */

/* Those that are behind the checkpoint go. */
int operators_purge(struct sync_run *r, struct err *err);
/* What is to be done about the statement that ends at 'end', with all before it in the target: a
 * new reference, or NULL. */
json_t *operators_find(struct sync_run *r, const struct position *end);
bool operators_any(struct sync_run *r);
/* The statement at hand failed for 'err', or, NULL, it passed. */
void operators_failed(struct sync_run *r, const struct query *q, const struct err *err);

#endif
