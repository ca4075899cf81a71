/*
 * sync_group.h - whole transactions that become one transaction of the target.
 *
 * Tables whose changes can be merged are (sync_merge.h).  The others, in the
 * order of the source, form one list: tables without a key, tables joined by
 * foreign keys, and every table once one of its changes could not
 * be merged.  What was merged goes out first: it happened before.  Tables of the source that
 * are one at the target (shards) are merged as one, since a row may move from one to the other;
 * where their rows are not alike, they are in order from where the second comes in.
 *
 * A group owns the memory of its rows.  It is filled by one thread and written by
 * another, never at once.
 */
#ifndef SLUICE_UNIT_SYNC_GROUP_H
#define SLUICE_UNIT_SYNC_GROUP_H

#include "sink/sink_mysql.h"
#include "unit/sync/sync_merge.h"
#include "unit/sync/sync_raw.h"

struct group_change {
    const struct target_table *table;
    enum rows_kind kind;
    bool safe, no_foreign_key_checks;
    struct value *row;
};

struct group_table {
    struct merge merge;
    bool ordered; /* later changes of it are in the list */
};

struct group_alias {
    const struct target_table *table;
    size_t at; /* in 'tables' */
};

struct group {
    struct arena values;
    struct raw_hold hold; /* the events that values point into */
    struct group_table *tables;
    size_t n_tables, cap_tables;
    struct group_alias *aliases; /* every table that was met; shards share one of 'tables' */
    size_t n_aliases, cap_aliases;
    struct group_change *changes;
    size_t n_changes, cap_changes;
    const struct value **scratch;
    size_t cap_scratch;
    bool in_order;  /* nothing is merged: one-to-one */
    bool has_plain; /* changes of tables without transactions at the target */

    uint64_t n_txns, n_rows; /* of the source */
    size_t size;             /* bytes of events */
    int64_t first_commit_us, last_commit_us;
    struct position pos; /* after the last transaction */
};

void group_init(struct group *g);
void group_fini(struct group *g);
void group_clear(struct group *g); /* empty; memory kept */
bool group_empty(const struct group *g);

/* Adds one change; 'row' is as statement.h has it, in g->values. */
void group_add(struct group *g, const struct target_table *t, enum rows_kind kind, bool safe,
               bool no_foreign_key_checks, struct value *row);

/* Gives all changes to the sink, between sink_begin() and sink_commit().  Tables for which
 * 'skip' says so are left out; NULL: none. */
int group_write(struct group *g, struct sink *s,
                bool (*skip)(void *arg, const struct target_table *t), void *arg, struct err *err);

#endif
