/*
 * relay_print.h - fingerprints of transactions: what is the same of one in every server's binlog.
 *
 * A replica logs what it applied again, with other positions, table ids, thread ids and, without
 * GTIDs, nothing that names a transaction.  What stays are the times and the server_id of its
 * events, the changed rows, and the texts of statements.
 */
#ifndef SLUICE_UNIT_RELAY_PRINT_H
#define SLUICE_UNIT_RELAY_PRINT_H

#include "base/buf.h"
#include "binlog/txn.h"
#include "journal/journal.h"
#include "mysql/server.h"

#define RELAY_PRINTS 3 /* so many transactions in a row tell a place */

/* Of the transaction whose events are being fed: 0 at its begin. */
struct txn_print {
    uint64_t hash;
    unsigned n_events; /* that count */
};
/* 'g' was fed 'ev' just now and said 'step'. */
void txn_print_add(struct txn_print *p, const struct grouper *g, const struct event *ev, int step);

/* Looks for the last transactions of the journal in the server's files.  'ret' gets a sentence or
 * two that say what was found, 'example' a "file:offset" after it, or "". */
int relay_print_search(struct journal *j, const struct mysql_params *p, enum flavor flavor,
                       const struct binlog_files *files, char example[static BINLOG_NAME_SIZE + 24],
                       struct buf *ret, struct err *err);

#endif
