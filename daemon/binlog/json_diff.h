/*
 * json_diff.h - MySQL's partial JSON updates (binlog_row_value_options).
 *
 * A diff says: at this path, replace, insert or remove.  Where the row event
 * has the value from before, rows_next() applies them and gives the whole text;
 * where it has not (binlog_row_image=MINIMAL), it gives VALUE_JSON_DIFF and the
 * diffs are walked:
 *
 *     struct cursor c = cursor_of(slice_of(v->p, v->size));
 *     while ((rc = json_diff_next(&c, &diff)) > 0)
 *         ... JSON_REPLACE(col, '<path>', CAST('<text>' AS JSON)) ...
 *
 * REPLACE is JSON_REPLACE, REMOVE is JSON_REMOVE; INSERT is JSON_ARRAY_INSERT
 * when the path ends in ']', else JSON_INSERT.
 *
 * Source: json_diff.cc of the MySQL server.
 */
#ifndef SLUICE_BINLOG_JSON_DIFF_H
#define SLUICE_BINLOG_JSON_DIFF_H

#include "base/cursor.h"
#include "binlog/json_binary.h"

enum json_diff_op { JSON_DIFF_REPLACE, JSON_DIFF_INSERT, JSON_DIFF_REMOVE };

struct json_diff {
    enum json_diff_op op;
    struct slice path;  /* "$.a[1].\"b c\"" */
    struct slice value; /* binary JSON; empty for REMOVE: json_binary_text() prints it */
};

/* 1 a diff, 0 the end, -EBADMSG. */
int json_diff_next(struct cursor *c, struct json_diff *ret);

/* The text of 'before' (binary JSON) with all of 'diffs' applied, in the arena.
 * False if the diffs are damaged or do not fit the value. */
bool json_diff_apply(struct slice before, struct slice diffs, struct arena *arena,
                     struct slice *ret);

#endif
