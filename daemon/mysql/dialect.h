/*
 * dialect.h - how servers differ, as tables: statements and variables by
 * flavour and version, and what becomes of types and collations when a table
 * moves from one flavour to the other.
 *
 * Pure, apart from dialect_of().  Versions are mysql_conn_version()'s numbers.
 * Sources: MySQL Reference Manual 5.7 to 9.7 ("What Is New"), MariaDB Knowledge
 * Base (release notes 10.5 to 12.1), and the servers themselves.
 */
#ifndef SLUICE_MYSQL_DIALECT_H
#define SLUICE_MYSQL_DIALECT_H

#include "mysql/conn.h"

/* Of one flavour from one version on.  Text is SQL that can be sent as it is. */
struct dialect {
    enum flavor flavor;
    unsigned from_version;
    const char *show_position;  /* File, Position, ... of the binlog's end */
    const char *gtid_position;  /* expression: all transactions in its binlog; NULL: no GTIDs */
    const char *gtid_purged;    /* expression: those no longer in it; NULL: ask by position */
    const char *gtid_enabled;   /* expression that is true when events carry GTIDs */
    const char *server_uuid;    /* expression; NULL: only server_id tells servers apart */
    const char *expire_seconds; /* expression: age at which a binlog file goes; 0 never */
    const char *space_limit;    /* expression: bytes of binlog kept; 0 or NULL: no limit */
    const char *innodb_foreign; /* table of information_schema; NULL: not needed */
    const char *monitor_grant;  /* the right to read binlog positions */
    const char *backup_grant;   /* the right to take a consistent snapshot */
    const char *show_replica;   /* a row if it is a replica that runs; none if not */
    bool backup_stage;          /* BACKUP STAGE: a snapshot that blocks commits only */
    bool logs_cascades;         /* rows changed by ON DELETE/UPDATE clauses are in the binlog */
    bool bulk;                  /* COM_STMT_BULK_EXECUTE */
    bool invisible_columns;
    bool functional_keys;
};

/* The row for a server; the oldest of its flavour for one older than all. */
const struct dialect *dialect_find(enum flavor flavor, unsigned version);
const struct dialect *dialect_of(const struct mysql_conn *c);

/* --- across flavours --- */

enum fidelity {
    FIDELITY_EXACT,   /* every value is the same there */
    FIDELITY_LOSSY,   /* works, but not all is kept: 'note' says what */
    FIDELITY_REFUSED, /* there is nothing there to keep it in */
};

struct server_kind {
    enum flavor flavor;
    unsigned version;
};

/* What becomes of a column type. */
struct type_change {
    enum fidelity fidelity;
    const char *to;        /* the type there; NULL: the same words */
    const char *canonical; /* expression over a column, "%s", that gives equal text at both ends;
                              NULL: the column itself */
    const char *note;      /* one sentence; NULL if exact and the same words */
};

/* 'data_type' is information_schema's ("uuid"), 'column_type' all of it. */
struct type_change dialect_type(struct server_kind from, struct server_kind to,
                                const char *data_type, const char *column_type);

/* What becomes of a collation. */
struct collation_change {
    enum fidelity fidelity;
    char to[65];  /* the nearest collation there; the same name if it has it */
    bool coarser; /* values that differ may be equal there: a unique key may refuse rows */
    const char *note;
};

struct collation_change dialect_collation(struct server_kind from, struct server_kind to,
                                          const char *collation);

#endif
