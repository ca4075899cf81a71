/*
 * sync_table.h - the tables of the source, as the stream needs them.
 *
 * A TABLE_MAP tells types, and names only with binlog_row_metadata=FULL.  The
 * rest comes from definitions, and the question is always of which moment:
 *
 *   names in the TABLE_MAP      win; they are of the moment of the rows
 *   one that was set by hand    holds until a DDL on the table: schema_store.h
 *   the target mirrors it       the target is at this very position, so its definition is the
 *                               one that holds here, unless it differs by design.  Found by
 *                               comparing both ends when a table is met first, or by the copy
 *                               that made it; remembered in the store, kept true by
 *                               each DDL that we apply
 *   a proposal of the source    read now, which may be after a DDL that the stream has not
 *                               reached: accepted once the stream is past the moment of
 *                               reading without one
 *
 * An answer whose shape is not the TABLE_MAP's is refused with a sentence.
 *
 * Belongs to the thread that reads the stream; target_tables live until the table
 * is forgotten, which happens only when no group is under way.
 */
#ifndef SLUICE_UNIT_SYNC_TABLE_H
#define SLUICE_UNIT_SYNC_TABLE_H

#include "binlog/rows.h"
#include "route/router.h"
#include "sink/target.h"
#include "unit/job.h"
#include "unit/sync/sync_extra.h"

struct drops; /* sync_drop.h */

struct sync_table {
    char *schema, *name;         /* as the source calls it */
    bool in_scope;               /* false: nothing below is set */
    unsigned ignored;            /* of enum filter_rows: the changes that are left out */
    struct table_map *map;       /* one malloc; the columns completed from the definition */
    struct target_table *target; /* of the map's columns and, behind them, 'extra' */
    struct extra extra;
    void *body; /* of its TABLE_MAP, to know it again */
    size_t body_size;
    struct drops *drops; /* rows that are left out by their values; NULL: none */
    bool has_window;     /* a full copy wants to be asked about it: copy_state.h */
};

struct sync_tables;

/* 'source' is connected to when it is needed first.  'target' is borrowed. */
struct sync_tables *sync_tables_new(const struct job *job, struct mysql_conn *target);
void sync_tables_free(struct sync_tables *ts);

/* The table of a TABLE_MAP event.  'seq' is the checkpoint's.  Errors: -EINVAL the shapes differ,
 * -ENOENT the target lacks it, -EAGAIN the source's definition is a proposal: *hold_until is set
 * (owned by the caller); ask again once the stream is there. */
int sync_tables_map(struct sync_tables *ts, const struct event *ev, const struct event_format *fmt,
                    uint64_t seq, struct sync_table **ret, struct position *hold_until,
                    struct err *err);
/* The rows of this TABLE_MAP's id are nobody's business until the next TABLE_MAP. */
void sync_tables_pass_by(struct sync_tables *ts, const struct event *ev);
/* The stream reached what -EAGAIN asked to wait for, without a DDL. */
void sync_tables_accept(struct sync_tables *ts);
/* The table that a rows event means: NULL if no TABLE_MAP named its id. */
struct sync_table *sync_tables_by_id(const struct sync_tables *ts, uint64_t table_id);

/* The table's rows are as this CREATE TABLE has them, whatever the target's are (sync_shard.h).
 * Not for tables whose columns are known to be others than the target's by design. */
void sync_tables_tell(struct sync_tables *ts, const char *schema, const char *name,
                      const char *create);
/* The target's tables may have changed: each is looked up again when its next rows come. */
void sync_tables_forget(struct sync_tables *ts);

/* What became of the definitions of both ends. */
enum sync_change {
    SYNC_CHANGE_BOTH,    /* the target went through the DDL too */
    SYNC_CHANGE_CREATED, /* and the table is new there */
    SYNC_CHANGE_SOURCE,  /* it was left out */
    SYNC_CHANGE_DROPPED, /* the table, or the schema, is gone at both */
};

/* A DDL named the table.  'name' NULL: all tables of the schema; both NULL: all tables. */
int sync_tables_changed(struct sync_tables *ts, const char *schema, const char *name,
                        enum sync_change change, uint64_t seq, struct err *err);
/* Tables are called otherwise at both ends, and are to the target's what they were before: as
 * schema_store_rename(). */
struct schema_rename;
int sync_tables_renamed(struct sync_tables *ts, const struct schema_rename *names, unsigned n,
                        uint64_t seq, uint64_t hash, struct err *err);
#endif
