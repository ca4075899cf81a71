/*
 * change.h - whole transactions with their rows decoded, for targets that are no MySQL server, and
 * for files and undo: what happened, without how it was logged.
 *
 * A change_table is as the source's rows have it, under the names of the target.  All memory is
 * somebody's arena; nothing is owned here.
 */
#ifndef SLUICE_SINK_CHANGE_H
#define SLUICE_SINK_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "binlog/rows.h"
#include "binlog/value.h"

struct change_column {
    const char *name;
    uint8_t type; /* enum column_type, resolved */
    bool is_unsigned;
    bool binary;    /* bytes, not characters */
    bool generated; /* computed by the server: not written */
    bool primary;
    unsigned flen, decimals; /* what its definition says; 0: not known */
};

struct change_key {
    const char *name; /* "PRIMARY" */
    unsigned n_cols, *cols;
};

struct change_table {
    const char *schema, *name;
    const char *names; /* who says what the columns are called; NULL: not told */
    unsigned n_cols;
    struct change_column *cols;
    unsigned n_keys; /* unique ones; none: not known, or there are none */
    struct change_key *keys;
};

struct change {
    const struct change_table *table;
    enum rows_kind kind;
    struct value *before, *after; /* of n_cols; NULL where there is none */
};

struct change_txn {
    uint64_t commit_ts;
    bool more;         /* the rest of the same transaction follows: a statement, then its rows */
    int64_t commit_us; /* wall, as the source says; 0: not known */
    bool ddl;
    /* a DDL */
    struct slice schema, table; /* the statement's default schema; what it names first */
    struct slice query;
    bool creates_schema; /* CREATE DATABASE: it has no default schema */
    /* rows */
    struct change *changes;
    size_t n_changes, cap_changes;
};

/* The name that TiDB gives the column's type: "varchar", "text", "blob", "int". */
const char *change_type_name(const struct change_column *c);
/* The type as a column definition has it: TIMESTAMP2 is TIMESTAMP. */
uint8_t change_type_code(const struct change_column *c);

#endif
