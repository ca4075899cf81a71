/*
 * A table's rows as files of INSERTs, a row a line.
 *
 * SET NAMES binary: strings are the bytes that the column has, whatever its
 * character set, as mydumper writes them.  JSON, UUID and addresses are text
 * that the server must parse, and say so.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/escape.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"
#include "unit/dump/dump_file.h"
#include "unit/dump/dump_folder.h"

enum {
    STATEMENT_BYTES = 1 << 20,
    FILE_BYTES = 64 << 20,
};

const char dump_data_head[] =
    "/*!40101 SET NAMES binary*/;\n"
    "/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'*/;\n"
    "/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n"
    "/*!40103 SET TIME_ZONE='+00:00' */;\n";

struct writer {
    struct copy_table *t;
    struct dump_folder *folder;
    struct dump_file file; /* begun with its first row */
    bool begun;
    struct buf text;
    size_t statement; /* bytes of it; 0: none is begun */
};

static void value_add(struct buf *out, const struct read_column *c, const char *value, size_t size)
{
    if (!value) {
        buf_add(out, "NULL", 4);
        return;
    }
    if (c->kind == READ_NUMBER || c->kind == READ_INDEX) {
        buf_add(out, value, size);
        return;
    }
    buf_str(out, c->kind == READ_TEXT ? "_utf8mb4'" : "'");
    if (buf_reserve(out, 2 * size + 1)) {
        out->size += escape_file(out->data + out->size, value, size);
        out->data[out->size] = '\0';
    }
    buf_byte(out, '\'');
}

static int file_begin(struct writer *w, struct err *err)
{
    SCOPED(buf_fini) struct buf name = BUF_INIT;
    int rc;

    dump_folder_name(&name, w->t->def->db, w->t->def->name);
    buf_printf(&name, ".%05u.sql", atomic_fetch_add(&w->t->n_files, 1));
    rc = dump_file_begin(&w->file, w->folder, name.data, err);
    w->begun = rc == 0;
    buf_str(&w->text, dump_data_head);
    return rc;
}

static int text_put(struct writer *w, struct err *err)
{
    int rc = dump_file_write(&w->file, &w->text, err);

    buf_clear(&w->text);
    return rc;
}

static int file_end(struct writer *w, struct err *err)
{
    int rc;

    if (w->statement)
        buf_str(&w->text, ";\n");
    w->statement = 0;
    rc = text_put(w, err);
    if (rc < 0)
        return rc;
    w->begun = false;
    return dump_file_end(&w->file, err);
}

static int row_put(struct writer *w, const struct mysql_row *row, struct err *err)
{
    size_t before;
    int rc = w->begun ? 0 : file_begin(w, err);

    if (rc < 0)
        return rc;
    before = w->text.size;
    if (w->statement)
        buf_str(&w->text, ",\n(");
    else
        sql_add(&w->text, "INSERT INTO %i (%r) VALUES\n(", w->t->def->name, w->t->columns.names);
    for (unsigned i = 0; i < w->t->columns.n; i++) {
        if (i)
            buf_byte(&w->text, ',');
        value_add(&w->text, &w->t->columns.cols[i], row->values[i], row->sizes[i]);
    }
    buf_byte(&w->text, ')');
    w->file.rows++;
    w->statement += w->text.size - before;
    atomic_fetch_add_explicit(&w->t->rows, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->t->bytes, w->text.size - before, memory_order_relaxed);
    if (w->statement >= STATEMENT_BYTES) {
        buf_str(&w->text, ";\n");
        w->statement = 0;
        rc = text_put(w, err);
    }
    return rc == 0 && w->file.bytes >= FILE_BYTES ? file_end(w, err) : rc;
}

static int rows_put(struct writer *w, struct mysql_result *result, struct err *err)
{
    struct mysql_row row;
    int rc;

    while ((rc = mysql_result_next(result, &row, err)) > 0) {
        rc = row_put(w, &row, err);
        if (rc < 0)
            return rc;
    }
    return rc == 0 && w->begun ? file_end(w, err) : rc;
}

/* A dump is of one moment: a table that the moment no longer has means another moment. */
static int another_moment(struct err *err)
{
    err->code = -EAGAIN;
    err->sql = 0;
    return err_wrap(err, "changed while it was read, the dump begins again");
}

int dump_result(struct copy *c, struct copy_table *t, struct mysql_result *result, struct err *err)
{
    struct writer out = { .t = t, .folder = c->folder };
    int rc = rows_put(&out, result, err);

    if (out.begun)
        dump_file_drop(&out.file);
    buf_fini(&out.text);
    return rc < 0 && copy_stale(err, rc) == -ESTALE ? another_moment(err) : rc;
}

int dump_rows(struct copy_worker *w, struct copy_table *t, struct read_range *r, struct err *err)
{
    struct mysql_result *result;
    int rc = copy_select(w, t, r, r->low || r->high, &result, err);

    if (rc < 0)
        return rc == -ESTALE ? another_moment(err) : rc;
    rc = dump_result(w->copy, t, result, err);
    if (rc < 0)
        mysql_conn_shutdown(w->source); /* do not read the rest */
    mysql_result_free(result);
    return rc;
}

int dump_end(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    (void)err;
    t->row.state = COPY_TABLE_DONE;
    atomic_store(&t->state, COPY_TABLE_DONE);
    if (w->copy->progressed)
        w->copy->progressed(w->copy->progressed_arg);
    return 0;
}
