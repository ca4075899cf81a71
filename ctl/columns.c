/* columns.c - members of a collection as a table. */
#include "ctl/columns.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/human.h"
#include "ctl/schema.h"

enum { MAX_COLUMNS = 10, BAR_WIDTH = 16 };

/* status and last_error are in every directory: they say nothing about its kind. */
static bool is_column(const json_t *row)
{
    return row_is(row, "watched") && row_is(row, "read") && !row_is(row, "bulk") &&
           strcmp(row_name(row), "status") != 0 && strcmp(row_name(row), "last_error") != 0;
}

static bool is_sentence(const json_t *row)
{
    return strcmp(row_text(row, "type"), "text") == 0;
}

/* Words and numbers first: a sentence may be cut at the end of the line. */
static size_t pick_rows(const json_t *type, const json_t *rows[MAX_COLUMNS])
{
    size_t i, n = 0;
    json_t *row;

    for (int sentences = 0; sentences < 2; sentences++)
        json_array_foreach (json_object_get(type, "attributes"), i, row)
            if (is_column(row) && is_sentence(row) == sentences && n < MAX_COLUMNS)
                rows[n++] = row;
    return n;
}

bool columns_any(const json_t *type)
{
    const json_t *rows[MAX_COLUMNS];

    return pick_rows(type, rows) > 0;
}

/* "lag_seconds" of type seconds is "LAG". */
static void add_head(struct table *t, const json_t *row)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    size_t len = strlen(row_name(row));

    if (strcmp(row_text(row, "type"), "seconds") == 0 && len > 8 &&
        strcmp(row_name(row) + len - 8, "_seconds") == 0)
        len -= 8;
    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)row_name(row)[i];

        buf_byte(&b, (char)(ch == '_' ? ' ' : toupper(ch)));
    }
    table_cell(t, b.data);
    table_style(t, "\033[1m");
}

/* Colours for words that every state machine has. */
static const char *style_of(const json_t *v)
{
    static const struct {
        const char *word, *style;
    } styles[] = {
        { "running", "\033[32m" }, { "finished", "\033[32m" }, { "error", "\033[1;31m" },
        { "paused", "\033[33m" },  { "stopped", "\033[33m" },  { "quarantined", "\033[1;31m" },
    };
    const char *text = json_string_value(v);

    for (size_t i = 0; text && i < ARRAY_LEN(styles); i++)
        if (strcmp(text, styles[i].word) == 0)
            return styles[i].style;
    return NULL;
}

/* What says how much is done gets a bar. */
static void add_value(const json_t *row, const json_t *v, struct buf *b)
{
    double fraction;

    if (json_is_string(v) && is_sentence(row) && human_percent(json_string_value(v), &fraction)) {
        human_bar(fraction, BAR_WIDTH, b);
        buf_byte(b, ' ');
    }
    human_value(row, v, b);
}

static void add_member(struct table *t, const char *name, const json_t *values,
                       const json_t *const *rows, size_t n, bool people)
{
    table_cell(t, name);
    for (size_t i = 0; i < n; i++) {
        SCOPED(buf_fini) struct buf b = BUF_INIT;
        const json_t *v = json_object_get(values, row_name(rows[i]));

        if (people && !json_is_null(v))
            add_value(rows[i], v, &b);
        else if (v)
            plain_value(v, &b);
        table_cell(t, b.size ? b.data : people ? "-" : "");
        table_style(t, style_of(v));
    }
    table_end_row(t);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **sorted_keys(const json_t *object, size_t *n)
{
    const char **keys = xcalloc(json_object_size(object) + 1, sizeof *keys), *key;
    json_t *v;

    *n = 0;
    json_object_foreach ((json_t *)object, key, v)
        keys[(*n)++] = key;
    qsort(keys, *n, sizeof *keys, by_text);
    return keys;
}

static bool is_numeric(const json_t *row)
{
    const char *type = row_text(row, "type");

    return strcmp(type, "count") == 0 || strcmp(type, "bytes") == 0 || strcmp(type, "seconds") == 0;
}

void columns_add(const json_t *type, const json_t *members, bool people, struct table *t)
{
    const json_t *rows[MAX_COLUMNS];
    size_t n_rows = pick_rows(type, rows), n;
    const char **names = sorted_keys(members, &n);

    table_cell(t, "NAME");
    table_style(t, "\033[1m");
    for (size_t i = 0; i < n_rows; i++) {
        add_head(t, rows[i]);
        if (is_numeric(rows[i]))
            table_align_right(t, i + 1);
    }
    table_end_row(t);
    for (size_t i = 0; i < n; i++)
        add_member(t, names[i], json_object_get(members, names[i]), rows, n_rows, people);
    free(names);
}
