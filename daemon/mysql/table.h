/*
 * table.h - a table's definition as its server tells it (information_schema).
 */
#ifndef SLUICE_MYSQL_TABLE_H
#define SLUICE_MYSQL_TABLE_H

#include "mysql/conn.h"

struct table_column {
    char *name;
    char *data_type;           /* "varchar", "int", "uuid", ... lower case */
    char *column_type;         /* "int(10) unsigned", "enum('a','b')" */
    char *charset, *collation; /* NULL if not a character type */
    bool is_unsigned, nullable, generated, invisible;
    bool on_update_now;
    bool json; /* MySQL JSON (MariaDB's is longtext) */
    bool uuid; /* MariaDB UUID */
};

struct table_key {
    char *name;
    bool unique, primary;
    bool functional; /* some part is an expression */
    unsigned n_parts;
    unsigned *cols;   /* index into cols; UINT_MAX for an expression */
    unsigned *prefix; /* 0: the whole column */
};

struct table_def {
    char *db, *name, *engine, *collation;
    bool transactional;
    unsigned n_cols;
    struct table_column *cols;
    unsigned n_keys;
    struct table_key *keys; /* primary first, then unique, then others */
    bool has_foreign_keys;  /* its own, or others that point at it */
    uint64_t rows_estimate, size_estimate;
};

/* The primary key, or the first unique key without nullable columns,
 * prefixes and expressions; NULL for a keyless table. */
const struct table_key *table_row_key(const struct table_def *t);

/* Returns 0 or -ENOENT. */
int table_read(struct mysql_conn *c, const char *db, const char *name, struct table_def **ret,
               struct err *err);
void table_free(struct table_def *t);

#endif
