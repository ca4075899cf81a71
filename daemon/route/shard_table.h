/*
 * shard_table.h - the structure of a table, as far as merging shards needs it:
 * which rows would it take that another does not?
 *
 * Read from what SHOW CREATE TABLE of a server says, never from a statement that a
 * person typed: the server is the only full parser (it is asked in a scratch schema what a DDL
 * makes of a table).  What is not told apart: order of columns, comments, visibility, engine,
 * partitions, display widths of integers.
 *
 * A table is larger than another if it takes all rows of that and more:
 *
 *     column that may be left out     having it is larger; one that must be given: apart
 *     type                            wider integers, longer CHAR and VARCHAR, BLOB and TEXT, more
 *                                     members of an ENUM or SET; all else is equal or apart
 *     NULL                            allowing it is larger
 *     default                         having one is larger; two different ones: apart
 *     character set                   utf8mb4 is larger than utf8mb3
 *     key                             not having it is larger; primary keys are equal or apart
 *
 * Two that are apart may still have a join: the least table that takes the rows of both.
 *
 * Pure.
 */
#ifndef SLUICE_ROUTE_SHARD_TABLE_H
#define SLUICE_ROUTE_SHARD_TABLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

struct shard_column {
    const char *name;
    const char *type;    /* lower case, with its brackets: "varchar(20)", "enum('a','b')" */
    const char *charset; /* "" if it is not a character type */
    const char *collation;
    const char *fallback;  /* what follows DEFAULT; NULL: none, or NULL */
    const char *generated; /* its expression, with VIRTUAL or STORED; NULL: none */
    const char *others;    /* ON UPDATE, CHECK, SRID, ...: equal, or the tables are apart */
    bool is_unsigned, zerofill, nullable, auto_increment;
};

struct shard_key {
    const char *name; /* "" of the primary key */
    const char *text; /* kind and parts, to compare */
    bool primary;
};

struct shard_table {
    struct arena arena;
    unsigned n_cols, n_keys;
    struct shard_column *cols;
    struct shard_key *keys; /* constraints too */
};

/* The structure that a CREATE TABLE describes.  -EINVAL: it cannot be made out.  'ret' is to be
 * fini'ed in any case. */
int shard_table_parse(struct slice create, struct shard_table *ret, struct err *err);
void shard_table_fini(struct shard_table *t);
const struct shard_column *shard_table_column(const struct shard_table *t, const char *name);

enum shard_order {
    SHARD_EQUAL,
    SHARD_SMALLER, /* the first takes fewer rows than the second */
    SHARD_LARGER,
    SHARD_APART,
};

enum shard_order shard_table_compare(const struct shard_table *a, const struct shard_table *b);
/* How two columns of one name stand to each other; 'why' (NULL: not asked) says what is apart. */
enum shard_order shard_column_compare(const struct shard_column *a, const struct shard_column *b,
                                      struct err *why);

/* The least structure that takes the rows of both.  -EINVAL and a sentence: there is none.  'ret'
 * borrows the strings of both; to be fini'ed in any case. */
int shard_table_join(const struct shard_table *a, const struct shard_table *b,
                     struct shard_table *ret, struct err *err);

#endif
