/*
 * table.h - columns that line up.
 *
 *     SCOPED(table_fini) struct table t = TABLE_INIT;
 *     table_cell(&t, "NAME");  table_cell(&t, "STATE");  table_end_row(&t);
 *     …
 *     table_print(&t, width, &out);
 *
 * Cells are UTF-8 on one line.  Numbers are aligned right where every cell of
 * the column below the head is one.
 */
#ifndef SLUICE_CTL_TABLE_H
#define SLUICE_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { TABLE_MAX_COLUMNS = 32 };

struct table_cell {
    char *text;
    const char *style; /* an escape sequence for a terminal, or NULL; static */
};

struct table {
    struct table_cell *cells; /* rows of n_columns */
    size_t n_cells, cap;
    size_t n_columns; /* known after the first row */
    bool right[TABLE_MAX_COLUMNS];
    bool has_head; /* the first row is a head */
};

#define TABLE_INIT       \
    (struct table)       \
    {                    \
        .has_head = true \
    }

void table_fini(struct table *t);
void table_cell(struct table *t, const char *text);   /* copied */
void table_style(struct table *t, const char *style); /* of the last cell */
void table_end_row(struct table *t);                  /* missing cells become empty */
void table_align_right(struct table *t, size_t column);

/* Lines of at most 'width' cells of the terminal (0: no limit), styled if 'color'. */
void table_print(const struct table *t, size_t width, bool color, struct buf *out);

/* Cells that 'text' takes on a terminal. */
size_t text_width(const char *text);
/* As much of 'text' as fits 'width' cells; what is cut ends in an ellipsis. */
void text_cut(const char *text, size_t width, struct buf *out);
/* All of 'text' in lines of at most 'width' cells (0: one line), broken at blanks where that is
 * possible; further lines begin with two.  Newlines of the text stay. */
void text_wrap(const char *text, size_t width, struct buf *out);

#endif
