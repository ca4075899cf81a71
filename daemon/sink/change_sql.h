/*
 * change_sql.h - changes as SQL text for people and for a client: what happened, or its undo.
 *
 * Pure.
 */
#ifndef SLUICE_SINK_CHANGE_SQL_H
#define SLUICE_SINK_CHANGE_SQL_H

#include "base/buf.h"
#include "sink/change.h"

/* One statement with its ';' and newline.  A row without a primary key is matched on all columns,
 * LIMIT 1. */
void change_sql(const struct change *c, struct buf *out);
/* The whole transaction between BEGIN and COMMIT, with a comment that names it; a statement with
 * USE before it. */
void change_sql_txn(const struct change_txn *t, const char *from, struct buf *out);

/* The change that takes 'c' back: 'ret' borrows its values. */
void change_undo(const struct change *c, struct change *ret);

#endif
