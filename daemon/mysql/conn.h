/*
 * conn.h - a connection to a MySQL or MariaDB server.
 *
 * Wraps the client library; mysql.h is included in this folder only.  Every
 * failure becomes an err with the server's number and SQLSTATE: -ECONNRESET
 * when the connection is gone (retry by opening a new one), -ETIMEDOUT, -EIO
 * for any other refusal of the server, -EACCES for a failed login, -ECANCELED
 * once the set that the connection is in was shut (conn_set.h).
 *
 * A connection belongs to one thread at a time; mysql_conn_shutdown() is for others.
 */
#ifndef SLUICE_MYSQL_CONN_H
#define SLUICE_MYSQL_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/slice.h"
#include "binlog/event.h" /* enum flavor */

struct conn_set;

struct mysql_tls {
    bool required;
    bool verify;           /* the certificate against 'ca' and its name; implies required */
    char *ca, *cert, *key; /* PEM text; NULL if not given */
    char *allowed_cn;      /* names separated by commas, one of which the certificate's common
                              name must be; NULL: it must be made out for 'host' */
};

struct mysql_params {
    char *host;
    unsigned port;
    char *user, *password;
    struct mysql_tls tls;
    unsigned connect_timeout_s, io_timeout_s; /* 0: 10 and 60; io: without any byte */
    char *session;                            /* a statement that sets variables; NULL: none */
    struct conn_set *set;                     /* that the connection joins; NULL: none */
};

void mysql_params_copy(struct mysql_params *to, const struct mysql_params *from);
void mysql_params_fini(struct mysql_params *p);

struct mysql_conn;

/* Connects, logs in, SET NAMES binary, probes the flavour and version.  What
 * the session needs beyond that is the caller's.
 *
 * With a binary client character set, bytes go into columns as they are and
 * identifiers are UTF-8.  Compare a literal with a column by writing
 * _utf8mb4'...', and give JSON to MySQL as CONVERT(... USING utf8mb4).
 * "Affected" rows of an UPDATE are those matched, changed or not. */
int mysql_conn_open(struct mysql_conn **ret, const struct mysql_params *p, struct err *err);
void mysql_conn_close(struct mysql_conn *c); /* NULL is fine */

static inline void mysql_conn_closep(struct mysql_conn **c) /* for SCOPED() */
{
    mysql_conn_close(*c);
}

enum flavor mysql_conn_flavor(const struct mysql_conn *c);
unsigned mysql_conn_version(const struct mysql_conn *c); /* 101100 is 10.11.0, 90700 is 9.7.0 */
const char *mysql_conn_version_text(const struct mysql_conn *c);
unsigned mysql_version_of_text(const char *text); /* "10.11.19-MariaDB-log" is 101119 */
uint64_t mysql_conn_id(const struct mysql_conn *c);
uint64_t mysql_conn_max_packet(const struct mysql_conn *c); /* the server's, in bytes */
/* Shuts the socket down so that a call waiting in another thread returns. Any thread. */
void mysql_conn_shutdown(struct mysql_conn *c);

/* The same work may succeed when done again: deadlock, lost connection, failover, ... */
bool mysql_err_transient(const struct err *err);

/* One statement, its result (if any) thrown away.  'affected' may be NULL. */
int mysql_conn_exec(struct mysql_conn *c, struct slice sql, uint64_t *affected, struct err *err);
int mysql_conn_execf(struct mysql_conn *c, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
unsigned mysql_conn_warnings(const struct mysql_conn *c); /* of the last statement */

/* Several statements in one packet, ';' between.  Sends and reads apart, so
 * that two connections can work at once.  'n_done' is how many succeeded. */
int mysql_conn_send(struct mysql_conn *c, struct slice sql, struct err *err);
int mysql_conn_recv(struct mysql_conn *c, unsigned *n_done, uint64_t *affected, struct err *err);

/* One statement's outcome of such a packet at a time: 1 it succeeded, 0 there is none left,
 * <0 it failed (and none follows).  'first' for the first call after mysql_conn_send(). */
int mysql_conn_recv_one(struct mysql_conn *c, bool first, uint64_t *affected, struct err *err);

/* A result read row by row as it comes (unbuffered) or after all came (buffered). */
struct mysql_result;
struct mysql_row {
    unsigned n_cols;
    const char *const *values; /* NULL for NULL; not NUL-terminated */
    const unsigned long *sizes;
};
int mysql_conn_query(struct mysql_conn *c, struct slice sql, bool buffered,
                     struct mysql_result **ret, struct err *err);
int mysql_conn_queryf(struct mysql_conn *c, struct mysql_result **ret, struct err *err,
                      const char *fmt, ...) __attribute__((format(printf, 4, 5))); /* buffered */
/* 1; 0: there is none left; <0. */
int mysql_result_next(struct mysql_result *r, struct mysql_row *row, struct err *err);
int mysql_result_find(const struct mysql_result *r, const char *name); /* its column, or -1 */
void mysql_result_free(struct mysql_result *r); /* reads the rest away; NULL is fine */

/* The first column of the first row, caller frees; -ENOENT if there is none
 * (NULL counts as ""). */
int mysql_scalar(struct mysql_conn *c, char **ret, struct err *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* LOAD DATA LOCAL: 'read' fills 'to' and returns the bytes, 0 at the end, <0 to
 * abort (then -ECANCELED; what was sent so far is in the open transaction: roll back).
 * 'sql' must start with LOAD.  'records', 'skipped' and 'warnings' are the server's own count. */
struct mysql_load_result {
    uint64_t records, deleted, skipped, warnings;
};
int mysql_conn_load(struct mysql_conn *c, struct slice sql,
                    ssize_t (*read)(void *arg, char *to, size_t size), void *arg,
                    struct mysql_load_result *ret, struct err *err);

/* Prepared statements without a result set, executed for many rows at once on
 * MariaDB (COM_STMT_BULK_EXECUTE; mysql_conn_has_bulk()).  Parameters travel as
 * the values are: numbers as numbers, all else as bytes (a column with kinds of
 * several sorts in one call: all as text). */
struct value;
struct mysql_stmt;
bool mysql_conn_has_bulk(const struct mysql_conn *c);
int mysql_stmt_open(struct mysql_conn *c, struct slice sql, struct mysql_stmt **ret,
                    struct err *err);
void mysql_stmt_close_free(struct mysql_stmt *s); /* NULL is fine */
/* Runs it for n_rows rows; row r's parameter p is values[r][columns[p]].  In as few packets as
 * are of good size, so use a transaction.  Values over 1 MiB are sent ahead in pieces.
 * Errors: -ENOTSUP for several rows without bulk, -E2BIG for what no packet can hold, -EINVAL
 * for VALUE_ABSENT and VALUE_JSON_DIFF. */
int mysql_stmt_exec_rows(struct mysql_stmt *s, const struct value *const *values,
                         const unsigned *columns, size_t n_rows, uint64_t *affected,
                         struct err *err);

#endif
