/*
 * server_find.h - a place in a source's binlog from what is known of it: its GTIDs from file and
 * offset, its file and offset from GTIDs, both from a time.
 *
 * MariaDB answers the first by itself; the rest is read out of the binlog, one file of it and the
 * heads of a few.  Takes as long as that: call it where waiting is fine.
 */
#ifndef SLUICE_MYSQL_SERVER_FIND_H
#define SLUICE_MYSQL_SERVER_FIND_H

#include <stdbool.h>

#include "binlog/position.h"
#include "mysql/conn.h"

/* Adds the set of transactions that end at or before file and offset.  -ENODATA, -ERANGE: that
 * place is not there; -EINVAL: it is inside a transaction. */
int server_find_gtids(const struct mysql_params *p, struct position *at, struct err *err);
/* Adds file and offset after which no transaction of 'at->gtids' comes.  -ENODATA: what is needed
 * was purged; -EINVAL: there is no such place, since the binlog has them in another order. */
int server_find_file(const struct mysql_params *p, struct position *at, struct err *err);
/* Adds file and offset before the first transaction that is not in 'at->gtids'; others of the set
 * may come after it.  The end if there is none.  -ENODATA: what is needed was purged. */
int server_find_next(const struct mysql_params *p, struct position *at, struct err *err);
/* Before the first transaction that was logged at 'wall_us' or later; the end, and '*at_end', if
 * there is none.  -ENODATA: the binlog begins later, and is not all that there ever was. */
int server_find_time(const struct mysql_params *p, int64_t wall_us, struct position *ret,
                     bool *at_end, struct err *err);

#endif
