/*
 * table.h - tables as their server tells of them (information_schema): what
 * there is (table_list), and one table's columns, keys and foreign keys
 * (table_read).  Needs SELECT on the tables; foreign keys of other schemas that
 * point at a table are seen where the account may see those tables.
 */
#ifndef SLUICE_MYSQL_TABLE_H
#define SLUICE_MYSQL_TABLE_H

#include "mysql/conn.h"

enum table_kind { TABLE_BASE, TABLE_VIEW, TABLE_SEQUENCE /* MariaDB */ };

struct table_column {
    char *name;
    char *data_type;           /* "varchar", "int", "uuid", ... lower case */
    char *column_type;         /* "int(10) unsigned", "enum('a','b')" */
    char *charset, *collation; /* NULL if not a character type */
    bool is_unsigned, nullable, invisible;
    bool generated;  /* its value is computed: never written */
    bool is_virtual; /* ... and not stored */
    bool auto_increment;
    bool on_update_now;
    bool needs_value; /* not nullable, and nothing fills it in */
    bool json;        /* MySQL JSON (MariaDB's is longtext) */
};

struct table_key {
    char *name;
    bool unique, primary;
    bool functional; /* some part is an expression */
    unsigned n_parts;
    unsigned *cols;   /* index into cols; UINT_MAX for an expression */
    unsigned *prefix; /* 0: the whole column; in characters, bytes for binary types */
};

struct table_foreign_key {
    char *name;
    char *db, *table;            /* the table that has the key */
    char *to_db, *to_table;      /* the table that it points at */
    char *on_update, *on_delete; /* "CASCADE", "SET NULL", "RESTRICT", "NO ACTION", ... */
};

struct table_def {
    char *db, *name, *engine, *collation;
    enum table_kind kind;
    bool transactional;
    bool versioned; /* MariaDB: WITH SYSTEM VERSIONING */
    unsigned n_cols;
    struct table_column *cols;
    unsigned n_keys;
    struct table_key *keys; /* primary first, then unique, then others */
    unsigned n_foreign;
    struct table_foreign_key *foreign; /* its own, and those of others that point at it */
    bool has_foreign_keys;             /* n_foreign > 0 */
    uint64_t rows_estimate, size_estimate;
};

/* The primary key, or the first unique key without nullable columns,
 * prefixes, expressions and virtual columns; NULL for a keyless table. */
const struct table_key *table_row_key(const struct table_def *t);
/* Index of a column by name (letter case does not matter), or -1. */
int table_column_find(const struct table_def *t, const char *name);

/* Returns 0 or -ENOENT. */
int table_read(struct mysql_conn *c, const char *db, const char *name, struct table_def **ret,
               struct err *err);
void table_free(struct table_def *t);

struct table_name {
    char *db, *name;
    enum table_kind kind;
    uint64_t rows_estimate, size_estimate; /* 0 for what has none */
};

struct table_names {
    unsigned n;
    struct table_name *names; /* by schema and name */
};

/* All tables, views and sequences of schema 'db', or of every schema but the servers' own when
 * it is NULL. */
int table_list(struct mysql_conn *c, const char *db, struct table_names *ret, struct err *err);
void table_names_fini(struct table_names *t);

/* All schemas but the servers' own, as names with 'db' only. */
int table_schemas(struct mysql_conn *c, struct table_names *ret, struct err *err);

#endif
