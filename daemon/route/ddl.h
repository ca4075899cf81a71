/*
 * ddl.h - a tolerant scanner of DDL: statement class, the tables it names, with
 * byte ranges so that routing rewrites only identifiers.  It is no parser:
 * what it does not know it skips; the target is the only full parser.
 * Reads executable comments as code, MySQL's and MariaDB's both.
 *
 * Names are found where a table is created, changed, dropped, renamed, or
 * referred to by LIKE, REFERENCES, UNION=(), EXCHANGE and CONVERT PARTITION.
 * The SELECT of CREATE TABLE and the body of a view, trigger or routine are
 * not looked into: their names would need a full parser.
 */
#ifndef SLUICE_ROUTE_DDL_H
#define SLUICE_ROUTE_DDL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

enum ddl_class {
    DDL_UNKNOWN,
    DDL_CREATE_DATABASE,
    DDL_DROP_DATABASE,
    DDL_ALTER_DATABASE,
    DDL_CREATE_TABLE,
    DDL_CREATE_TABLE_LIKE,
    DDL_CREATE_TABLE_SELECT,
    DDL_DROP_TABLE,
    DDL_ALTER_TABLE,
    DDL_RENAME_TABLE,
    DDL_TRUNCATE_TABLE,
    DDL_CREATE_INDEX,
    DDL_DROP_INDEX,
    DDL_CREATE_VIEW,
    DDL_DROP_VIEW,
    DDL_ALTER_VIEW,
    DDL_CREATE_SEQUENCE,
    DDL_ALTER_SEQUENCE,
    DDL_DROP_SEQUENCE,
    DDL_TRIGGER,
    DDL_ROUTINE, /* procedures, functions, packages */
    DDL_EVENT,
    DDL_ACCOUNT,     /* users, roles, GRANT, REVOKE */
    DDL_ADMIN,       /* ANALYZE, OPTIMIZE, REPAIR, FLUSH, SET, tablespaces, ... */
    DDL_DML,         /* INSERT, UPDATE, DELETE, REPLACE, LOAD, CALL */
    DDL_TRANSACTION, /* BEGIN, COMMIT, SAVEPOINT, XA ... */
    DDL_N_CLASSES,
};

struct ddl_name {
    struct slice schema, table; /* unquoted, in the arena; schema empty: the session's default */
    size_t at,
        size; /* the bytes of `schema`.`table` as written; ALTER DATABASE without a name: 0 */
    bool to;  /* RENAME ... TO this one */
};

struct ddl {
    enum ddl_class class;
    unsigned n_names;
    struct ddl_name *names; /* in the order written; for databases 'table' is empty.  DDL_DML:
                             * tables that it may change, with aliases among them */
    bool if_exists;         /* IF [NOT] EXISTS was there */
    bool or_replace;        /* CREATE OR REPLACE */
    bool temporary;         /* CREATE/DROP TEMPORARY TABLE */
    bool own_values;   /* ALTER TABLE ... ADD: rows get values that each server makes up (UUID) */
    bool numbers_rows; /* ALTER TABLE ... ADD ... AUTO_INCREMENT: numbers, in the server's order */
    bool tablespace;   /* ALTER TABLE ... DISCARD or IMPORT TABLESPACE: rows by way of files */
    bool start_transaction; /* "START TRANSACTION" at the end of CREATE ... SELECT (MySQL 8) */
    size_t start_transaction_at, start_transaction_size;
};

/* 'ansi_quotes': "x" is an identifier.  Never fails: what it cannot make out is DDL_UNKNOWN
 * with the names found so far.  'sql' is in UTF-8 or any charset in which no character
 * contains an ASCII byte. */
void ddl_scan(struct slice sql, bool ansi_quotes, bool no_backslash_escapes, struct arena *arena,
              struct ddl *ret);

/* Appends 'sql' with every name replaced by what 'rename' says (unchanged if it returns
 * false, or 'rename' is NULL) and without START TRANSACTION.  'rename' writes the name as it
 * is to stand, quoted. */
void ddl_rewrite(struct slice sql, const struct ddl *d,
                 bool (*rename)(void *arg, const struct ddl_name *n, struct buf *quoted), void *arg,
                 struct buf *out);

/* The clauses of ALTER TABLE t ADD ..., DROP ..., in the arena: each could be a statement of its
 * own, and with commas between them they are one again.  ADD (a INT, b INT) is two.  Returns how
 * many; 0: it is no such statement. */
unsigned ddl_clauses(struct slice sql, const struct ddl *d, bool ansi_quotes,
                     bool no_backslash_escapes, struct arena *arena, struct slice **ret);

/* The same, and DROP PARTITION p, q is two: those cannot be joined again. */
unsigned ddl_parts(struct slice sql, const struct ddl *d, bool ansi_quotes,
                   bool no_backslash_escapes, struct arena *arena, struct slice **ret);

const char *ddl_class_name(enum ddl_class c); /* "alter table" */

#endif
