/*
 * sync_applied.h - transactions that the target has beyond the checkpoint.
 *
 * In parallel mode transactions end out of order.  Each transaction of the target
 * first inserts a row that names those of the source in it, and that insert fails
 * unless this owner still has the checkpoint; the rows are removed as the checkpoint
 * passes them.  After a crash the rows that are left are what the stream brings again
 * and must not be applied again.
 *
 * Names, not numbers: a GTID where the source is followed by GTID, since after a
 * failover the same transactions may come in another order, else file and offset of the
 * end.  Rows stay until all that they name has come by, in whatever mode that is.
 *
 * One thread at a time.
 */
#ifndef SLUICE_UNIT_SYNC_APPLIED_H
#define SLUICE_UNIT_SYNC_APPLIED_H

#include "sink/checkpoint.h"

#define APPLIED_TABLE "sluice_applied"

struct applied;

/* Makes the table and reads what it has beyond cp->pos.  -EREMCHG: the names are of another
 * kind than 'by_gtid' says. */
int applied_open(struct applied **ret, struct mysql_conn *target, const struct checkpoint *cp,
                 enum flavor flavor, bool by_gtid, struct err *err);
void applied_free(struct applied *a); /* NULL is fine */

/* Has the target this transaction?  Asked once for each that comes. */
bool applied_take(struct applied *a, const struct gtid *gtid, const struct position *pos);
/* Transactions that have not come by yet. */
size_t applied_left(const struct applied *a);
/* There are rows, and all that they name has come by: once the checkpoint is past it, remove them.
 */
bool applied_is_over(const struct applied *a);
int applied_remove(struct applied *a, struct mysql_conn *target, const struct checkpoint *cp,
                   struct err *err);

/* Appends a transaction's name to a list. */
void applied_name(bool by_gtid, const struct gtid *gtid, const struct position *pos,
                  struct buf *list);
/* The statement at the head of a transaction of the target; server error 1048 means: fenced. */
void applied_insert_sql(const struct checkpoint *cp, bool by_gtid, uint64_t first_seq,
                        uint64_t last_seq, struct slice names, struct buf *out);
/* Removes the rows of this owner that end at or below 'low_seq'. */
void applied_prune_sql(const struct checkpoint *cp, uint64_t low_seq, struct buf *out);

#endif
