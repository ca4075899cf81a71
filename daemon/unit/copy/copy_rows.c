/* The rows of a range, from wherever the way has them; and from the source. */
#include "base/buf.h"
#include "unit/copy/copy_engine.h"
#include "unit/read/read_range.h"

int copy_rows_open(struct copy_rows *ret, struct copy_worker *w, const struct copy_table *t,
                   const struct read_range *r, bool ordered, struct err *err)
{
    *ret = (struct copy_rows){ .w = w, .t = t };
    return w->copy->way->rows_open(ret, r, ordered, err);
}

int copy_rows_next(struct copy_rows *rows, struct mysql_row *row, struct err *err)
{
    return rows->w->copy->way->rows_next(rows, row, err);
}

void copy_rows_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out)
{
    rows->w->copy->way->rows_at(rows, row, out);
}

void copy_rows_close(struct copy_rows *rows, bool broken)
{
    rows->w->copy->way->rows_close(rows, broken);
}

/* --- from the source --- */

int copy_selected_open(struct copy_rows *rows, const struct read_range *r, bool ordered,
                       struct err *err)
{
    return copy_select(rows->w, rows->t, r, ordered, &rows->result, err);
}

int copy_selected_next(struct copy_rows *rows, struct mysql_row *row, struct err *err)
{
    return mysql_result_next(rows->result, row, err);
}

void copy_selected_at(const struct copy_rows *rows, const struct mysql_row *row, struct buf *out)
{
    const struct table_key *key = read_range_key(rows->t->def);

    if (key)
        read_range_at(out, rows->t->def, key, row);
}

void copy_selected_close(struct copy_rows *rows, bool broken)
{
    if (broken && rows->result)
        mysql_conn_shutdown(rows->w->source);
    mysql_result_free(rows->result);
}
