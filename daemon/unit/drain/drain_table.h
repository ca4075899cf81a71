/*
 * drain_table.h - the tables of a pump's stream, for targets that do not have them: what a
 * TABLE_MAP says, with names and types completed.
 *
 * Names in the TABLE_MAP (binlog_row_metadata=FULL) win.  Else the source is asked for the
 * definition that it has now, which is taken if its shape is that of the rows and no statement
 * about the table comes between them and now (drain_ahead.h).
 *
 * One for each lane; the thread that reads the stream.
 */
#ifndef SLUICE_UNIT_DRAIN_TABLE_H
#define SLUICE_UNIT_DRAIN_TABLE_H

#include "mysql/conn.h"
#include "route/router.h"
#include "sink/change.h"
#include "unit/drain/drain_feed.h"

struct unit;

struct drain_table {
    bool in_scope;         /* false: nothing below is set */
    struct table_map *map; /* one malloc; completed */
    struct change_table change;
    char *schema, *name; /* at the source */
    const char *names;   /* who says what the columns are called: "binlog", "source", "nobody" */
    struct arena arena;  /* of 'change' */
    void *body;
    size_t body_size;
};

struct drain_tables;

/* 'from' is copied; without a host no source is asked.  'router' and 'u' are borrowed.  'u' NULL:
 * for who only looks: columns that the rows do not name are called as the source calls them now,
 * or @1, @2, ... */
struct drain_tables *drain_tables_new(const struct mysql_params *from, const struct router *router,
                                      struct unit *u);
void drain_tables_free(struct drain_tables *ts); /* NULL is fine */

/* The table of a TABLE_MAP event in record 'seq' of the lane.  Lives until it is forgotten. */
int drain_tables_map(struct drain_tables *ts, const struct drain_lane *lane, uint64_t seq,
                     const struct event *ev, const struct event_format *fmt, struct err *err);
/* The table that a rows event means; NULL: no TABLE_MAP named its id. */
const struct drain_table *drain_tables_by_id(const struct drain_tables *ts, uint64_t table_id);
/* A statement was about it; 'name' NULL: about the schema. */
void drain_tables_forget(struct drain_tables *ts, struct slice schema, struct slice name);

#endif
