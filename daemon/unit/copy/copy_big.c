/*
 * A row that no statement of the target's max_allowed_packet can hold as text:
 * a prepared INSERT, whose large values travel ahead of it in pieces.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/value.h"
#include "unit/copy/copy_engine.h"

static void insert_text(const struct copy *c, const struct copy_table *t, struct buf *sql)
{
    static const char *const forms[] = { [READ_NUMBER] = "?",
                                         [READ_PLAIN] = "?",
                                         [READ_BYTES] = "?",
                                         [READ_TEXT] = "CONVERT(? USING utf8mb4)",
                                         [READ_INDEX] = "? + 0" };

    copy_insert_head(c, t, sql);
    buf_byte(sql, '(');
    for (unsigned i = 0; i < t->columns.n; i++) {
        buf_str(sql, i ? ", " : "");
        buf_str(sql, forms[t->columns.cols[i].kind]);
    }
    buf_byte(sql, ')');
    copy_insert_tail(c, t, sql);
}

int copy_big_row(struct copy_worker *w, const struct copy_table *t, const struct mysql_row *row,
                 struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(freep) struct value *values = xcalloc(row->n_cols, sizeof *values);
    SCOPED(freep) unsigned *columns = xcalloc(row->n_cols, sizeof *columns);
    const struct value *rows[] = { values };
    struct mysql_stmt *stmt;
    uint64_t affected = 0;
    int rc;

    insert_text(w->copy, t, &sql);
    for (unsigned i = 0; i < row->n_cols; i++) {
        columns[i] = i;
        if (row->values[i])
            values[i] = (struct value){ .kind = VALUE_BYTES,
                                        .size = (uint32_t)row->sizes[i],
                                        .p = (const uint8_t *)row->values[i] };
        else
            values[i].kind = VALUE_NULL;
    }
    rc = mysql_stmt_open(w->target, slice_of(sql.data, sql.size), &stmt, err);
    if (rc < 0)
        return rc;
    rc = mysql_stmt_exec_rows(stmt, rows, columns, 1, &affected, err);
    mysql_stmt_close_free(stmt);
    if (rc == 0 && !copy_insert_fits(w->copy, affected, 1))
        rc = err_set(err, -EILSEQ, "a large row was not taken");
    return rc;
}
