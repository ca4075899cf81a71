/*
 * read_range.h - a table cut by ranges of its row key.
 *
 * A range is low <= k < high of the key's leading column, read in key order,
 * and continued after the last key that was copied.  Where the leading column
 * is a whole number, the table is cut into several ranges that go in parallel;
 * other tables are one range.
 *
 * Keys are compared by the source alone: a text is given back to it in the
 * column's own character set and collation, so that "after" means the same as
 * in the index.  Columns whose comparison with a literal is not the order of
 * the index (ENUM, SET, BIT, floating point) cannot be continued: such a table
 * is read as a whole.
 */
#ifndef SLUICE_UNIT_READ_RANGE_H
#define SLUICE_UNIT_READ_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "mysql/table.h"

struct buf;
struct err;

struct read_range {
    unsigned no;
    char *low, *high; /* SQL literals of the leading key column; NULL is open */
    char *at;         /* the last key copied: hex of each part, commas between; NULL none */
    bool done;
    uint64_t rows;
};

/* The row key if the table can be read in its order and continued; NULL if not. */
const struct table_key *read_range_key(const struct table_def *t);

/* " WHERE ... ORDER BY ..." of what is left of 'r'; nothing if the table has no such key. */
void read_range_sql(struct buf *out, const struct table_def *t, const struct read_range *r);

/* Conditions in parentheses, of a table with such a key: rows after 'at' (as read_range has it)
 * in its order, up to 'at', and the row 'at' itself; and the ORDER BY. */
void read_range_after(struct buf *out, const struct table_def *t, const char *at);
void read_range_upto(struct buf *out, const struct table_def *t, const char *at);
void read_range_equal(struct buf *out, const struct table_def *t, const char *at);
void read_range_order(struct buf *out, const struct table_def *t);

/* The row's key as read_range.at wants it.  'row' has the columns of
 * read_columns.h, that is all but the generated ones, in their order. */
void read_range_at(struct buf *out, const struct table_def *t, const struct table_key *key,
                   const struct mysql_row *row);

/* Cuts at 'n' - 1 evenly spaced points between min and max (texts of whole
 * numbers, of the leading column).  Returns how many ranges were made, at least 1. */
unsigned read_range_cut(const char *min, const char *max, unsigned n, struct read_range **ret);

/* Asks the source for min and max where the leading column is a whole number; else one range. */
int read_range_split(struct mysql_conn *source, const struct table_def *t, unsigned n,
                     struct read_range **ret, unsigned *n_ret, struct err *err);
void read_ranges_free(struct read_range *ranges, unsigned n);

#endif
