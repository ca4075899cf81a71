/*
 * alter.h - the clauses of an ALTER TABLE, each with what it does, the column it names and its
 * bytes, so that some of them can be left out.
 *
 * A tolerant scanner as ddl.h: what it does not know is ALTER_OTHER.  Clauses are what commas
 * part outside of parentheses; table options that no comma parts are one clause, named by the
 * first of them.
 */
#ifndef SLUICE_ROUTE_ALTER_H
#define SLUICE_ROUTE_ALTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "route/ddl.h"

enum alter_kind {
    ALTER_OTHER,
    ALTER_HOW, /* ALGORITHM, LOCK, FORCE, VALIDATION: how the rest is done */
    ALTER_ADD_COLUMN,
    ALTER_DROP_COLUMN,
    ALTER_MODIFY_COLUMN,
    ALTER_CHANGE_COLUMN,
    ALTER_RENAME_COLUMN,
    ALTER_SET_DEFAULT,
    ALTER_DROP_DEFAULT,
    ALTER_ADD_INDEX,
    ALTER_ADD_UNIQUE,
    ALTER_ADD_PRIMARY,
    ALTER_ADD_FOREIGN,
    ALTER_ADD_CHECK,
    ALTER_DROP_INDEX,
    ALTER_DROP_PRIMARY,
    ALTER_DROP_FOREIGN,
    ALTER_DROP_CHECK, /* or CONSTRAINT */
    ALTER_CHECK,      /* ALTER CHECK or CONSTRAINT [NOT] ENFORCED */
    ALTER_RENAME_INDEX,
    ALTER_INDEX_VISIBILITY,
    ALTER_RENAME_TABLE,
    ALTER_ENGINE,
    ALTER_CHARSET, /* of the table: CHARACTER SET, COLLATE, CONVERT TO */
    ALTER_COMMENT,
    ALTER_AUTO_INCREMENT,
    ALTER_ADD_PARTITION,
    ALTER_DROP_PARTITION,
    ALTER_TRUNCATE_PARTITION,
    ALTER_EXCHANGE_PARTITION,
    ALTER_REORGANIZE_PARTITION,
    ALTER_REBUILD_PARTITION,
    ALTER_COALESCE_PARTITION,
    ALTER_PARTITION_BY,
    ALTER_REMOVE_PARTITIONING,
    ALTER_N_KINDS,
};

struct alter_clause {
    enum alter_kind kind;
    /* The column, or the index, that it is about, unquoted; empty: none, or several.  'to': its new
     * name, of ALTER_CHANGE_COLUMN, ALTER_RENAME_COLUMN and ALTER_RENAME_INDEX. */
    struct slice name, to;
    size_t name_at, name_size; /* its bytes, as written; 0, 0: none */
    size_t definition_at;      /* of a column: what stands behind its name; else 0 */
    size_t at, size;           /* the clause */
    /* Words of a column's definition. */
    bool has_default, has_charset, has_collate, has_place, has_auto_increment;
};

struct alter {
    unsigned n_clauses;
    struct alter_clause *clauses; /* in the arena */
    size_t at;                    /* of the first clause: up to there it is ALTER TABLE name */
    bool in_comment; /* some stand in an executable comment: none can be taken out alone */
};

/* 'd' is ddl_scan()'s of the same statement, DDL_ALTER_TABLE; the flags are the same. */
void alter_scan(struct slice sql, const struct ddl *d, bool ansi_quotes, bool no_backslash_escapes,
                struct arena *arena, struct alter *ret);

/* Appends 'sql' without the clauses for which 'drop' is true; there is one that stays. */
void alter_without(struct slice sql, const struct alter *a, const bool *drop, struct buf *out);

#endif
