/*
 * query_context.h - the status variables of a QUERY event: the session in which
 * a statement ran, which its replay must restore.
 *
 * A variable that is not there keeps its "not said" value, below.  An unknown
 * code ends the reading, since its size is unknown too: 'unknown' names it.
 *
 * Sources: MySQL Source Code Documentation, "Query_event"; MariaDB's
 * Query_log_event.
 */
#ifndef SLUICE_BINLOG_QUERY_CONTEXT_H
#define SLUICE_BINLOG_QUERY_CONTEXT_H

#include "binlog/event.h"

/* bits of flags2: OPTION_... of both servers */
#define QUERY_FLAG_AUTO_IS_NULL (1u << 14)
#define QUERY_FLAG_NOT_AUTOCOMMIT (1u << 19)
#define QUERY_FLAG_NO_FOREIGN_KEY_CHECKS (1u << 26)
#define QUERY_FLAG_RELAXED_UNIQUE_CHECKS (1u << 27)

struct query_context {
    bool has_flags2, has_sql_mode, has_charset, has_microseconds, has_xid;
    uint32_t flags2;
    uint64_t sql_mode; /* bits as the source's flavour has them */
    struct slice catalog;
    uint16_t auto_increment_increment, auto_increment_offset;        /* 0: not said */
    uint16_t client_charset, connection_collation, server_collation; /* collation numbers */
    struct slice time_zone;                                          /* empty: not said */
    uint16_t lc_time_names;                                          /* 0: en_US */
    uint16_t database_collation;                                     /* 0: not said */
    uint64_t table_map_for_update;
    struct slice invoker_user, invoker_host;
    uint32_t microseconds;                     /* of the event's timestamp */
    int explicit_defaults_for_timestamp;       /* -1: not said */
    uint64_t xid;                              /* MySQL: of an atomic DDL; MariaDB: likewise */
    uint16_t default_collation_for_utf8mb4;    /* MySQL; 0: not said */
    int require_primary_key, table_encryption; /* MySQL; -1: not said */
    uint8_t gtid_flags_extra;                  /* MariaDB, as in its GTID event */
    struct slice collations; /* MariaDB character_set_collations: pairs of two 16-bit numbers */
    int unknown;             /* the code at which reading stopped; -1: all was read */
};

/* Returns 0, or -EBADMSG if a known variable is cut short. */
int query_context_decode(struct slice status_vars, enum flavor flavor, struct query_context *ret,
                         struct err *err);

#endif
