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

/* How values of a column may be equal at the target though their bytes differ.  Coarser
 * than any server: what is equal there is equal here. */
enum target_fold {
    FOLD_NONE,     /* not at all */
    FOLD_PADDING,  /* bytes, but for spaces and zeros at the end */
    FOLD_CASE,     /* nor by letter case; what is not printable ASCII may equal anything */
    FOLD_FRACTION, /* numbers and times as text: the part before the point */
    FOLD_ALL,      /* any value may equal any other */
};

/* A unique key, for who asks which rows may collide. */
struct target_unique {
    unsigned n_cols, *cols; /* of the source's rows: all that are part of it */
    unsigned n_told, *told; /* of these: the whole values tell, as folded; not FOLD_ALL */
    bool row_key;           /* it is the table's row key */
    bool unseen;            /* expressions, or columns that the rows do not have, are part of it */
};

struct target_column {
    char *name;
    char *charset; /* of a TARGET_TEXT; else NULL */
    enum target_class class;
    enum target_fold fold;
    uint8_t address;    /* enum address_kind: of a TARGET_OTHER that is one */
    bool written;       /* the target has it and does not generate it */
    bool on_update_now; /* set explicitly, or the target's clock gets in */
    bool enumerated;    /* ENUM: index 0 is refused by a strict session */
    bool in_unique;     /* part of some unique key */
    bool in_key;        /* part of the row key */
};

struct target_table {
    uint64_t id; /* unique in the process */
    char *db, *name;
    unsigned n_cols; /* of the source's rows */
    struct target_column *cols;
    unsigned n_key, *key; /* columns of the row key; n_key 0: keyless */
    bool only_key;        /* the row key is the only unique key */
    bool joined_key;      /* a set of its keys can be joined by type: see statement.h */
    unsigned n_unique;
    struct target_unique *unique;
    bool any_update_moves; /* a unique key is made of expressions: every update may move it */
    bool foreign_keys;     /* its own, or others' that point at it */
    bool transactional;
    bool may_lack; /* filters keep rows of it out: one that is not there need not be changed */
};

/* 'names' are the source's columns in order.  -EINVAL with a sentence if the
 * target lacks one of them. */
int target_table_new(const struct table_def *def, const char *const *names, unsigned n_cols,
                     struct target_table **ret, struct err *err);
void target_table_free(struct target_table *t);

/* Are they the same table of the target, written from rows of the same form?  Two tables of the
 * source that become one (shards) are. */
bool target_table_alike(const struct target_table *a, const struct target_table *b);

#endif
