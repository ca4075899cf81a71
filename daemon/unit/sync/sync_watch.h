/*
 * sync_watch.h - somebody is told of each row that sync takes from the stream: continuous
 * verification (unit/verify).
 *
 * Whoever embeds it gives the first reference; sync keeps one while it may call.
 */
#ifndef SLUICE_UNIT_SYNC_WATCH_H
#define SLUICE_UNIT_SYNC_WATCH_H

#include <stdatomic.h>

#include "binlog/rows.h"
#include "unit/sync/sync_table.h"

struct sync_watch {
    atomic_uint refs;
    /* In the reader's thread: must not wait.  'row' as statement.h has it, of 't'. */
    void (*row)(struct sync_watch *w, const char *source, const struct sync_table *t,
                enum rows_kind kind, const struct value *row);
    void (*free)(struct sync_watch *w);
};

struct sync_watch *sync_watch_ref(struct sync_watch *w);
void sync_watch_unref(struct sync_watch *w); /* NULL is fine */

struct unit;
/* 'w' NULL: nobody any more.  The same one again does nothing.  Any thread. */
void sync_set_watch(struct unit *u, struct sync_watch *w);

#endif
