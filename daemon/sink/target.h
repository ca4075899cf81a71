/*
 * target.h - a table of the target, as those who write rows to it see it.
 *
 * Rows are arrays of values in the order of the source's columns; a target_table
 * says, for each of these, what it is called at the target and how a value of it
 * is written and compared there.  It is made once per version of a table and does
 * not change, so threads share it.
 */
#ifndef SLUICE_SINK_TARGET_H
#define SLUICE_SINK_TARGET_H

#include "binlog/value.h"
#include "mysql/table.h"

enum target_class {
    TARGET_NUMBER, /* integers, BIT, YEAR, ENUM, SET: compared as numbers */
    TARGET_DECIMAL,
    TARGET_FLOAT,
    TARGET_DOUBLE,
    TARGET_TIME, /* dates and times */
    TARGET_TEXT, /* compared by collation unless told otherwise */
    TARGET_BYTES,
    TARGET_JSON, /* MySQL's */
    TARGET_OTHER /* UUID, INET6, ... : written and compared as their bytes */
};

struct target_column {
    char *name;
    enum target_class class;
    bool written;       /* the target has it and does not generate it */
    bool on_update_now; /* set explicitly, or the target's clock gets in (DATA.md 11) */
    bool enumerated;    /* ENUM: index 0 is refused by a strict session */
    bool in_unique;     /* part of some unique key */
    bool in_key;        /* part of the row key */
};

struct target_table {
    uint64_t id; /* unique in the process */
    char *db, *name;
    unsigned n_cols; /* of the source's rows */
    struct target_column *cols;
    unsigned n_key, *key;  /* columns of the row key; n_key 0: keyless */
    bool only_key;         /* the row key is the only unique key */
    bool joined_key;       /* a set of its keys can be joined by type: see statement.h */
    bool any_update_moves; /* a unique key is made of expressions: every update may move it */
    bool foreign_keys;     /* its own, or others' that point at it */
    bool transactional;
};

/* 'names' are the source's columns in order.  -EINVAL with a sentence if the
 * target lacks one of them. */
int target_table_new(const struct table_def *def, const char *const *names, unsigned n_cols,
                     struct target_table **ret, struct err *err);
void target_table_free(struct target_table *t);

#endif
