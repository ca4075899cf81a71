/* The rows of a range, from wherever the copy has them. */
#include "base/buf.h"
#include "unit/copy/copy_engine.h"
#include "unit/load/load_rows.h"
#include "unit/read/read_range.h"

int copy_rows_open(struct copy_rows *ret, struct copy_worker *w, const struct copy_table *t,
                   const struct read_range *r, bool ordered, struct err *err)
{
    *ret = (struct copy_rows){ .w = w, .t = t };
    return t->files ? load_rows_open(&ret->files, w, t, r, err)
                    : copy_select(w, t, r, ordered, &ret->result, err);
}

int copy_rows_next(struct copy_rows *rows, struct mysql_row *row, struct err *err)
{
    return rows->files ? load_rows_next(rows->files, row, err)
                       : mysql_result_next(rows->result, row, err);
}

void copy_rows_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out)
{
    const struct table_key *key = rows->files ? NULL : read_range_key(rows->t->def);

    if (rows->files)
        load_rows_at(rows->files, out);
    else if (key)
        read_range_at(out, rows->t->def, key, row);
}

void copy_rows_close(struct copy_rows *rows, bool broken)
{
    if (broken && rows->result)
        mysql_conn_shutdown(rows->w->source);
    mysql_result_free(rows->result);
    load_rows_free(rows->files);
}
