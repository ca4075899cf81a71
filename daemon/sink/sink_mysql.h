/*
 * sink_mysql.h - row changes into a MySQL or MariaDB server, one target
 * transaction after the other, each with the checkpoint's write at its head.
 *
 *     sink_begin(s, &pos, 0);
 *     sink_rows(s, &batch, &err);       as often as needed
 *     sink_commit(s, &err);
 *
 * What is small travels as one packet: BEGIN, checkpoint, rows, COMMIT, one
 * round trip.  What is large is sent in pieces: on MariaDB prepared statements
 * executed for an array of rows, on MySQL statements of many rows.  The number
 * of rows that each statement changed is compared with what the source says:
 * -ESTALE and a sentence naming the table when the target lacks a row that no filter kept from it.
 *
 * One thread at a time.
 */
#ifndef SLUICE_SINK_SINK_MYSQL_H
#define SLUICE_SINK_SINK_MYSQL_H

#include "sink/checkpoint.h"
#include "sink/statement.h"

struct sink;

struct sink_batch {
    const struct target_table *table;
    enum rows_kind kind;
    const struct value *const *rows; /* as statement.h says */
    size_t n_rows;
    bool ordered; /* one after the other, in this order */
    bool safe;    /* may have been applied before: replace by key, and missing rows are fine */
    bool no_foreign_key_checks;
};

/* Connects and sets the session up: '+00:00', READ COMMITTED, strict but for
 * zero dates, unique_checks on.  'cp' is kept and advanced at each commit; the
 * session is enlisted with it. */
int sink_open(struct sink **ret, const struct mysql_params *p, struct checkpoint *cp,
              struct err *err);
void sink_close(struct sink *s); /* NULL is fine */
struct mysql_conn *sink_conn(struct sink *s);

/* The session's own settings again, after 'sql' (NULL: nothing). No transaction is open. */
int sink_session(struct sink *s, const char *sql, struct err *err);

/* Starts a target transaction; as checkpoint_sql().  'pos' is copied. Nothing is sent yet. */
void sink_begin(struct sink *s, const struct position *pos, uint32_t sub_seq);
/* The same beside the checkpoint, which does not move: 'head' is what stands in for its write, a
 * statement that changes one row and fails with 1048 unless we own it. */
void sink_begin_beside(struct sink *s, struct slice head);
/* Rows of tables without transactions, each statement for itself, up to sink_flush(): before the
 * transaction that moves the checkpoint past them, since MySQL with GTIDs refuses both in one. */
void sink_begin_plain(struct sink *s);
int sink_flush(struct sink *s, struct err *err);
/* The values must live until sink_commit() or sink_rollback() returned. */
int sink_rows(struct sink *s, const struct sink_batch *b, struct err *err);
/* Foreign keys are not looked at (true), or are again, by the statements that follow. */
int sink_unchecked(struct sink *s, bool unchecked, struct err *err);
/* Any statement, in order with the rows; its count is not looked at. */
int sink_statement(struct sink *s, struct slice sql, struct err *err);
int sink_commit(struct sink *s, struct err *err);
/* After an error: nothing of the transaction stays.  If the connection is gone too, so it is. */
void sink_rollback(struct sink *s);

/* The table whose statement failed last; NULL if it was none of a table. */
const struct target_table *sink_failed_table(const struct sink *s);

#endif
