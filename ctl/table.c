/* table.c - columns that line up. */
#define _XOPEN_SOURCE 700
#include "ctl/table.h"

#include <assert.h>
#include <stdlib.h>
#include <wchar.h>

#include "base/mem.h"

void table_fini(struct table *t)
{
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i].text);
    free(t->cells);
    *t = TABLE_INIT;
}

void table_cell(struct table *t, const char *text)
{
    GROW(t->cells, t->n_cells, t->cap);
    t->cells[t->n_cells++] = (struct table_cell){ .text = xstrdup(text) };
}

void table_style(struct table *t, const char *style)
{
    t->cells[t->n_cells - 1].style = style;
}

void table_end_row(struct table *t)
{
    if (t->n_columns == 0)
        t->n_columns = t->n_cells;
    assert(t->n_columns && t->n_columns <= TABLE_MAX_COLUMNS);
    while (t->n_cells % t->n_columns)
        table_cell(t, "");
}

void table_align_right(struct table *t, size_t column)
{
    t->right[column] = true;
}

/* The next character of UTF-8 text: its bytes, and the cells it takes. */
static size_t next_char(const char *text, size_t *cells)
{
    wchar_t c;
    mbstate_t state = { 0 };
    size_t n = mbrtowc(&c, text, strlen(text), &state);
    int width;

    if (n == 0 || n > 16) { /* not of this locale: a byte is a cell */
        *cells = 1;
        return 1;
    }
    width = wcwidth(c);
    *cells = width < 0 ? 1 : (size_t)width;
    return n;
}

size_t text_width(const char *text)
{
    size_t total = 0, cells;

    while (*text) {
        text += next_char(text, &cells);
        total += cells;
    }
    return total;
}

static void spaces(struct buf *out, size_t n)
{
    while (n--)
        buf_byte(out, ' ');
}

void text_cut(const char *text, size_t width, struct buf *out)
{
    size_t used = 0, cells;

    if (text_width(text) <= width) {
        buf_str(out, text);
        return;
    }
    for (size_t n; width; text += n) {
        n = next_char(text, &cells);
        if (used + cells > width - 1)
            break;
        buf_add(out, text, n);
        used += cells;
    }
    buf_str(out, width ? "…" : "");
}

/* Bytes of 'text' that one line of 'width' cells takes: to its newline, its last blank, or as many
 * as fit. */
static size_t line_size(const char *text, size_t width)
{
    size_t used = 0, at = 0, blank = 0, cells;

    while (text[at] && text[at] != '\n') {
        size_t n = next_char(text + at, &cells);

        if (width && used + cells > width)
            return blank ? blank : at ? at : n;
        if (text[at] == ' ')
            blank = at;
        used += cells;
        at += n;
    }
    return at;
}

void text_wrap(const char *text, size_t width, struct buf *out)
{
    static const char indent[] = "  ";
    size_t less = 0;

    while (*text) {
        size_t n = line_size(text, width > less ? width - less : width);

        buf_str(out, less ? indent : "");
        buf_add(out, text, n);
        buf_byte(out, '\n');
        text += n + (text[n] == '\n');
        text += strspn(text, " ");
        less = sizeof indent - 1;
    }
}

static void print_cell(const struct table_cell *c, size_t width, bool right, bool last, bool color,
                       struct buf *out)
{
    size_t used = text_width(c->text), pad = used < width ? width - used : 0;

    if (right)
        spaces(out, pad);
    if (color && c->style)
        buf_str(out, c->style);
    text_cut(c->text, width, out);
    if (color && c->style)
        buf_str(out, "\033[0m");
    if (!right && !last)
        spaces(out, pad);
}

void table_print(const struct table *t, size_t width, bool color, struct buf *out)
{
    size_t widths[TABLE_MAX_COLUMNS] = { 0 };

    for (size_t i = 0; i < t->n_cells; i++) {
        size_t w = text_width(t->cells[i].text), *column = &widths[i % t->n_columns];

        *column = w > *column ? w : *column;
    }
    for (size_t i = 0; i < t->n_cells; i += t->n_columns) {
        size_t left = width ? width : SIZE_MAX;

        for (size_t k = 0; k < t->n_columns && left; k++) {
            bool last = k + 1 == t->n_columns;
            size_t w = widths[k] < left ? widths[k] : left;

            print_cell(&t->cells[i + k], w, t->right[k], last, color, out);
            left -= w;
            if (!last && left > 2) {
                spaces(out, 2);
                left -= 2;
            } else {
                left = 0;
            }
        }
        while (out->size && out->data[out->size - 1] == ' ')
            out->data[--out->size] = '\0';
        buf_byte(out, '\n');
    }
}
