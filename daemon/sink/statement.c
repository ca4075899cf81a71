#include "sink/statement.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/json_diff.h"
#include "mysql/quote.h"

static void add_double(struct buf *out, double d, int digits)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%.*e", digits - 1, d);

    buf_add(out, text, (size_t)n);
}

void statement_literal(const struct target_column *c, const struct value *v, struct buf *out)
{
    switch (v->kind) {
    case VALUE_ABSENT:
    case VALUE_JSON_DIFF:
        abort(); /* left out, or worked out, by who calls */
        break;
    case VALUE_NULL:
        buf_add(out, "NULL", 4);
        break;
    case VALUE_INT:
        buf_i64_text(out, v->i);
        break;
    case VALUE_UINT:
        buf_u64_text(out, v->u);
        break;
    case VALUE_FLOAT:
        /* As a double, exactly: nine digits of FLT_MAX are more than FLT_MAX, which MySQL refuses.
         */
        add_double(out, (double)v->f, DBL_DECIMAL_DIG);
        break;
    case VALUE_DOUBLE:
        add_double(out, v->d, DBL_DECIMAL_DIG);
        break;
    case VALUE_TEXT:
        if (c->class == TARGET_DECIMAL) { /* a string would compare as a double */
            buf_add(out, v->p, v->size);
            break;
        }
        buf_byte(out, '\'');
        buf_add(out, v->p, v->size);
        buf_byte(out, '\'');
        break;
    case VALUE_BYTES:
    case VALUE_JSON:
        if (c->class == TARGET_JSON)
            buf_str(out, "_utf8mb4");
        sql_quote(out, slice_of(v->p, v->size));
        break;
    }
}

static void add_name(const struct target_column *c, struct buf *out)
{
    sql_ident(out, slice_str(c->name));
}

static void add_table(const struct target_table *t, struct buf *out)
{
    sql_ident(out, slice_str(t->db));
    buf_byte(out, '.');
    sql_ident(out, slice_str(t->name));
}

static bool written(const struct target_column *c, const struct value *v)
{
    return c->written && v->kind != VALUE_ABSENT;
}

/* --- WHERE --- */

/* Bytes by bytes, whatever the column's collation thinks. */
static void add_exactly(const struct target_column *c, const struct value *v, struct buf *out)
{
    bool cast = c->class == TARGET_TEXT || c->class == TARGET_BYTES;

    if (cast)
        buf_str(out, "CAST(");
    add_name(c, out);
    buf_str(out, cast ? " AS BINARY)<=>" : "<=>");
    if (c->class == TARGET_JSON && v->kind != VALUE_NULL)
        buf_str(out, "CAST(");
    statement_literal(c, v, out);
    if (c->class == TARGET_JSON && v->kind != VALUE_NULL)
        buf_str(out, " AS JSON)");
}

/* A literal that a key column is compared with: bytes alone would be converted to the column's
 * character set, and MySQL refuses to where a byte of that set is no character of Unicode. */
static void add_key_literal(const struct target_column *c, const struct value *v, struct buf *out)
{
    if (c->charset && v->kind == VALUE_BYTES)
        buf_printf(out, "_%s", c->charset);
    statement_literal(c, v, out);
}

static void add_where(const struct target_table *t, const struct value *row, struct buf *out)
{
    const char *between = " WHERE ";

    for (unsigned p = 0; p < t->n_key; p++, between = " AND ") {
        const struct target_column *c = &t->cols[t->key[p]];

        buf_str(out, between);
        add_name(c, out);
        buf_byte(out, '=');
        add_key_literal(c, &row[t->key[p]], out);
    }
    if (t->n_key)
        return;
    for (unsigned i = 0; i < t->n_cols; i++) {
        if (!written(&t->cols[i], &row[i]))
            continue;
        buf_str(out, between);
        add_exactly(&t->cols[i], &row[i], out);
        between = " AND ";
    }
    buf_str(out, " LIMIT 1");
}

/* --- INSERT --- */

static void add_insert_head(const struct target_table *t, enum statement_insert how,
                            const struct value *row, struct buf *out)
{
    const char *between = "(";

    buf_str(out, how == STATEMENT_REPLACE ? "REPLACE INTO " : "INSERT INTO ");
    add_table(t, out);
    for (unsigned i = 0; i < t->n_cols; i++) {
        if (row ? !written(&t->cols[i], &row[i]) : !t->cols[i].written)
            continue;
        buf_str(out, between);
        add_name(&t->cols[i], out);
        between = ",";
    }
    buf_str(out, *between == '(' ? "() VALUES " : ") VALUES ");
}

static void add_tuple(const struct target_table *t, const struct value *row, struct buf *out)
{
    char between = '(';

    for (unsigned i = 0; i < t->n_cols; i++) {
        if (!written(&t->cols[i], &row[i]))
            continue;
        buf_byte(out, between);
        statement_literal(&t->cols[i], &row[i], out);
        between = ',';
    }
    if (between == '(')
        buf_byte(out, '(');
    buf_byte(out, ')');
}

static size_t insert_rows(const struct target_table *t, enum statement_insert how,
                          const struct value *const *rows, size_t n_rows, size_t until,
                          struct buf *out)
{
    size_t n = 0;

    add_insert_head(t, how, rows[0], out);
    do {
        if (n)
            buf_byte(out, ',');
        add_tuple(t, rows[n], out);
    } while (++n < n_rows && out->size < until);
    return n;
}

/* --- UPDATE --- */

static void add_assignment(const struct target_column *c, const char *between, struct buf *out)
{
    buf_str(out, between);
    add_name(c, out);
    buf_byte(out, '=');
}

#define DIFF_SIZE_MIN 3 /* bytes of operation, path and value */

/* JSON_REPLACE(JSON_SET(col,path,value),path,value): the first diff is the innermost. */
static void add_json_diffs(const struct target_column *c, const struct value *v, struct buf *out)
{
    struct cursor at = cursor_of(slice_of(v->p, v->size));
    size_t most = v->size / DIFF_SIZE_MIN + 1;
    SCOPED(freep) struct json_diff *diffs = xcalloc(most, sizeof *diffs);
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    unsigned n = 0;

    while (n < most && json_diff_next(&at, &diffs[n]) > 0)
        n++;
    for (unsigned i = n; i-- > 0;) {
        struct slice path = diffs[i].path;
        bool in_array = path.size && path.data[path.size - 1] == ']';

        buf_str(out, diffs[i].op == JSON_DIFF_REPLACE  ? "JSON_REPLACE("
                     : diffs[i].op == JSON_DIFF_REMOVE ? "JSON_REMOVE("
                     : in_array                        ? "JSON_ARRAY_INSERT("
                                                       : "JSON_INSERT(");
    }
    add_name(c, out);
    for (unsigned i = 0; i < n; i++) {
        struct slice text;

        buf_str(out, ",_utf8mb4");
        sql_quote(out, diffs[i].path);
        if (diffs[i].op != JSON_DIFF_REMOVE && json_binary_text(diffs[i].value, &arena, &text)) {
            buf_str(out, ",CAST(_utf8mb4");
            sql_quote(out, text);
            buf_str(out, " AS JSON)");
        }
        buf_byte(out, ')');
    }
}

static void update_row(const struct target_table *t, const struct value *row, struct buf *out)
{
    const char *between = " SET ";

    buf_str(out, "UPDATE ");
    add_table(t, out);
    for (unsigned i = 0; i < t->n_cols; i++) {
        const struct target_column *c = &t->cols[i];

        if (written(c, &row[i])) {
            add_assignment(c, between, out);
            if (row[i].kind == VALUE_JSON_DIFF)
                add_json_diffs(c, &row[i], out);
            else
                statement_literal(c, &row[i], out);
        } else if (c->written && c->on_update_now) {
            add_assignment(c, between, out);
            add_name(c, out);
        } else {
            continue;
        }
        between = ",";
    }
    add_where(t, row + t->n_cols, out);
}

/* UPDATE t JOIN (VALUES ROW(1,'a'),ROW(2,'b')) v(c0,c1) ON t.id=v.c0 SET t.name=v.c1: a row
 * that is missing shows in the count, and no other unique key is looked at. */
static size_t update_rows(const struct target_table *t, const struct value *const *rows,
                          size_t n_rows, size_t until, struct buf *out)
{
    const char *between = "";
    size_t n = 0;

    buf_str(out, "UPDATE ");
    add_table(t, out);
    buf_str(out, " t JOIN (VALUES ");
    do {
        buf_str(out, n ? ",ROW" : "ROW");
        add_tuple(t, rows[n], out);
    } while (++n < n_rows && out->size < until);
    buf_str(out, ") v(");
    for (unsigned i = 0; i < t->n_cols; i++) {
        if (!written(&t->cols[i], &rows[0][i]))
            continue;
        buf_printf(out, "%sc%u", between, i);
        between = ",";
    }
    buf_str(out, ") ON ");
    for (unsigned p = 0; p < t->n_key; p++) {
        buf_str(out, p ? " AND t." : "t.");
        add_name(&t->cols[t->key[p]], out);
        buf_printf(out, "=v.c%u", t->key[p]);
    }
    between = " SET t.";
    for (unsigned i = 0; i < t->n_cols; i++) {
        if (!written(&t->cols[i], &rows[0][i]) || t->cols[i].in_key)
            continue;
        add_assignment(&t->cols[i], between, out);
        buf_printf(out, "v.c%u", i);
        between = ",t.";
    }
    return n;
}

/* --- DELETE --- */

static size_t delete_rows(const struct target_table *t, const struct value *const *rows,
                          size_t n_rows, size_t until, struct buf *out)
{
    const char *open = t->n_key > 1 ? "(" : "", *close = t->n_key > 1 ? ")" : "";
    size_t n = 0;

    buf_str(out, "DELETE FROM ");
    add_table(t, out);
    buf_printf(out, " WHERE %s", open);
    for (unsigned p = 0; p < t->n_key; p++) {
        if (p)
            buf_byte(out, ',');
        add_name(&t->cols[t->key[p]], out);
    }
    buf_printf(out, "%s IN (", close);
    do {
        buf_printf(out, "%s%s", n ? "," : "", open);
        for (unsigned p = 0; p < t->n_key; p++) {
            if (p)
                buf_byte(out, ',');
            add_key_literal(&t->cols[t->key[p]], &rows[n][t->key[p]], out);
        }
        buf_str(out, close);
    } while (++n < n_rows && out->size < until);
    buf_byte(out, ')');
    return n;
}

/* --- the three shapes --- */

void statement_row(const struct target_table *t, enum rows_kind kind, enum statement_insert how,
                   const struct value *row, struct buf *out)
{
    switch (kind) {
    case ROWS_INSERT:
        add_insert_head(t, how, row, out);
        add_tuple(t, row, out);
        break;
    case ROWS_UPDATE:
        update_row(t, row, out);
        break;
    case ROWS_DELETE:
        buf_str(out, "DELETE FROM ");
        add_table(t, out);
        add_where(t, row, out);
        break;
    }
}

bool statement_rows_ok(const struct target_table *t, enum rows_kind kind, bool has_values_list)
{
    switch (kind) {
    case ROWS_INSERT:
        return true;
    case ROWS_UPDATE:
        return has_values_list && t->joined_key;
    case ROWS_DELETE:
        return t->n_key > 0;
    }
    return false;
}

size_t statement_rows(const struct target_table *t, enum rows_kind kind, enum statement_insert how,
                      const struct value *const *rows, size_t n_rows, size_t max_size,
                      struct buf *out)
{
    size_t until = out->size + max_size;

    switch (kind) {
    case ROWS_INSERT:
        return insert_rows(t, how, rows, n_rows, until, out);
    case ROWS_UPDATE:
        return update_rows(t, rows, n_rows, until, out);
    case ROWS_DELETE:
        return delete_rows(t, rows, n_rows, until, out);
    }
    return 0;
}

static void add_param(const struct target_column *c, bool json_convert, struct buf *out)
{
    buf_str(out, c->class == TARGET_JSON && json_convert ? "CONVERT(? USING utf8mb4)" : "?");
}

unsigned statement_prepared(const struct target_table *t, enum rows_kind kind,
                            enum statement_insert how, bool json_convert, struct buf *out,
                            unsigned *params)
{
    unsigned n = 0, old = kind == ROWS_UPDATE ? t->n_cols : 0;

    if (kind == ROWS_INSERT) {
        add_insert_head(t, how, NULL, out);
    } else {
        buf_str(out, kind == ROWS_UPDATE ? "UPDATE " : "DELETE FROM ");
        add_table(t, out);
    }
    for (unsigned i = 0; i < t->n_cols && kind != ROWS_DELETE; i++) {
        if (!t->cols[i].written)
            continue;
        if (kind == ROWS_UPDATE)
            add_assignment(&t->cols[i], n ? "," : " SET ", out);
        else
            buf_byte(out, n ? ',' : '(');
        add_param(&t->cols[i], json_convert, out);
        params[n++] = i;
    }
    if (kind == ROWS_INSERT) {
        buf_byte(out, ')');
        return n;
    }
    for (unsigned p = 0; p < t->n_key; p++) {
        add_assignment(&t->cols[t->key[p]], p ? " AND " : " WHERE ", out);
        buf_byte(out, '?');
        params[n++] = old + t->key[p];
    }
    return n;
}

bool statement_full(const struct target_table *t, const struct value *row)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (t->cols[i].written && (row[i].kind == VALUE_ABSENT || row[i].kind == VALUE_JSON_DIFF))
            return false;
    return true;
}

size_t statement_row_size(const struct target_table *t, enum rows_kind kind,
                          const struct value *row)
{
    unsigned n = kind == ROWS_UPDATE ? 2 * t->n_cols : t->n_cols;
    size_t size = 0;

    for (unsigned i = 0; i < n; i++)
        size += row[i].kind >= VALUE_TEXT ? row[i].size + 4 : 8;
    return size;
}

bool statement_needs_lenient(const struct target_table *t, const struct value *row)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (t->cols[i].enumerated && row[i].kind == VALUE_UINT && row[i].u == 0)
            return true;
    return false;
}
