#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/load/load_folder.h"
#include "unit/load/load_input.h"
#include "unit/load/load_priv.h"
#include "unit/load/load_words.h"

struct load_rows {
    const char *folder;
    const struct read_columns *columns;
    const struct load_table *t;
    unsigned file, end; /* the one that is read; behind the last */
    bool open;
    uint64_t skip; /* rows that end up to here were taken before */
    uint64_t rows; /* of this file */
    struct load_words words;
    struct load_input in;
    const char **all_values; /* with the columns that are the same for all rows */
    unsigned long *all_sizes;
    char *numbers; /* 8 bytes a column, for numbers that stand for bits */
};

int load_rows_open(struct copy_rows *rows, const struct read_range *r, bool ordered,
                   struct err *err)
{
    const struct copy_worker *w = rows->w;
    const struct copy_table *t = rows->t;
    struct load_rows *l;
    int rc = sql_exec(w->target, err, "SET time_zone = %q",
                      t->files->n_files ? t->files->zone : "+00:00");

    (void)ordered; /* as they are */
    if (rc < 0)
        return rc;
    l = xcalloc(1, sizeof *l);
    *l = (struct load_rows){ .folder = w->copy->job->folder,
                             .columns = &t->columns,
                             .t = t->files,
                             .end = t->files->n_files };
    l->numbers = xcalloc(t->columns.n + 1, 8);
    l->all_values = xcalloc(t->columns.n + 1, sizeof *l->all_values);
    l->all_sizes = xcalloc(t->columns.n + 1, sizeof *l->all_sizes);
    if (r->low)
        l->file = (unsigned)strtoul(r->low, NULL, 10);
    if (r->high)
        l->end = (unsigned)strtoul(r->high, NULL, 10);
    if (r->at) {
        l->file = (unsigned)strtoul(r->at, NULL, 10);
        l->skip = strtoull(r->at + strcspn(r->at, ":") + 1, NULL, 10);
    }
    rows->files = l;
    return 0;
}

void load_rows_close(struct copy_rows *rows, bool broken)
{
    struct load_rows *l = rows->files;

    (void)broken;
    if (!l)
        return;
    if (l->open)
        load_input_close(&l->in);
    free(l->numbers);
    free((void *)l->all_values);
    free(l->all_sizes);
    free(l);
}

void load_rows_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out)
{
    const struct load_rows *l = rows->files;

    (void)row;
    buf_printf(out, "%u:%llu", l->file, (unsigned long long)load_parser_at(&l->in.parser));
}

/* --- what a literal of the file is for its column --- */

/* What is sent as it is must be what it is to be. */
static bool all_of(const char *p, size_t size, const char *set)
{
    for (size_t i = 0; i < size; i++)
        if (!p[i] || !strchr(set, p[i]))
            return false;
    return size > 0;
}

/* A BIT written as a number becomes its bytes. */
static bool bits_of(const char **value, unsigned long *size, char *to)
{
    SCOPED(freep) char *text = xstrndup(*value, *size);
    uint64_t v;

    if (!all_of(*value, *size, "0123456789"))
        return false;
    v = strtoull(text, NULL, 10);
    for (unsigned i = 0; i < 8; i++)
        to[i] = (char)(v >> (56 - 8 * i));
    *value = to;
    *size = 8;
    return true;
}

static bool is_utf8(const struct read_column *c)
{
    return !c->charset || strncmp(c->charset, "utf8", 4) == 0 || strcmp(c->charset, "ascii") == 0;
}

static bool fits(const struct read_column *c, enum load_form form, const char **value,
                 unsigned long *size, char *number)
{
    switch (c->kind) {
    case READ_NUMBER:
    case READ_INDEX:
        return form != LOAD_BYTES && all_of(*value, *size, "+-.0123456789eE");
    case READ_PLAIN:
        return form != LOAD_BYTES && all_of(*value, *size, "+-.:0123456789eE T");
    case READ_BYTES:
        if (c->is_bit && form == LOAD_NUMBER)
            return bits_of(value, size, number);
        return (form != LOAD_UTF8 || is_utf8(c)) && !(c->is_enum && form == LOAD_NUMBER);
    case READ_TEXT:
        return true;
    }
    return false;
}

/* Behind what the file has. */
static void add_constants(struct load_rows *l, struct mysql_row *row)
{
    unsigned n = row->n_cols;

    memcpy((void *)l->all_values, (const void *)row->values, n * sizeof *l->all_values);
    memcpy(l->all_sizes, row->sizes, n * sizeof *l->all_sizes);
    for (unsigned i = 0; i < l->columns->n_constants; i++) {
        l->all_values[n + i] = l->columns->constants->at[i].value;
        l->all_sizes[n + i] = strlen(l->columns->constants->at[i].value);
    }
    *row = (struct mysql_row){ .n_cols = l->columns->n,
                               .values = l->all_values,
                               .sizes = l->all_sizes };
}

static int row_make(struct load_rows *l, struct mysql_row *row, struct err *err)
{
    struct load_parser *p = &l->in.parser;
    unsigned n_constants = l->columns->n_constants;

    if (strcmp(p->table, l->t->name) != 0)
        err_set(err, -EBADMSG, "a row of %s among those of %s", p->table, l->t->name);
    else if (p->n_values + n_constants != l->columns->n)
        err_set(err, -EBADMSG, "a row of %u values for %u columns", p->n_values,
                l->columns->n - n_constants);
    for (unsigned i = 0; !err->code && i < p->n_values; i++)
        if (p->values[i] && !fits(&l->columns->cols[i], p->forms[i], &p->values[i], &p->sizes[i],
                                  l->numbers + (size_t)8 * i))
            err_set(err, -EBADMSG, "value %u of the row is none for its column: %.*s", i + 1,
                    (int)(p->sizes[i] < 60 ? p->sizes[i] : 60), p->values[i]);
    if (err->code)
        return load_input_named(&l->in, err);
    *row = (struct mysql_row){ .n_cols = p->n_values, .values = p->values, .sizes = p->sizes };
    if (n_constants)
        add_constants(l, row);
    return 1;
}

/* --- files --- */

static int file_end(struct load_rows *l, struct err *err)
{
    const struct load_file *f = &l->t->files[l->file];
    int rc = 0;

    if (f->checked && (l->rows != f->rows || load_input_hash(&l->in) != f->hash))
        rc = err_set(err, -EBADMSG, "%s is not as it was written: %llu rows of %llu%s", l->in.path,
                     (unsigned long long)l->rows, (unsigned long long)f->rows,
                     l->rows == f->rows ? ", and other bytes" : "");
    load_input_close(&l->in);
    l->open = false;
    l->skip = 0;
    l->file++;
    return rc;
}

static int file_begin(struct load_rows *l, struct err *err)
{
    int rc = load_input_open(&l->in, l->folder, l->t->files[l->file].name, err);

    l->open = true;
    l->rows = 0;
    load_words_init(&l->words);
    return rc;
}

/* One item of the file.  1: a row that was not taken before. */
static int item_next(struct load_rows *l, struct mysql_row *row, struct err *err)
{
    enum load_item item;
    int rc = load_input_next(&l->in, &item, err);

    if (rc < 0)
        return rc;
    switch (item) {
    case LOAD_END:
        return file_end(l, err);
    case LOAD_STATEMENT:
        if (load_words_take(&l->words, l->in.parser.statement, err) < 0)
            return load_input_named(&l->in, err);
        return 0;
    case LOAD_ROW:
        l->rows++;
        return load_parser_at(&l->in.parser) > l->skip ? row_make(l, row, err) : 0;
    }
    return 0;
}

int load_rows_next(struct copy_rows *rows, struct mysql_row *row, struct err *err)
{
    struct load_rows *l = rows->files;
    int rc = 0;

    while (rc == 0 && l->file < l->end) {
        rc = l->open ? 0 : file_begin(l, err);
        if (rc == 0)
            rc = item_next(l, row, err);
    }
    return rc;
}
