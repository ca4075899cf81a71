#include "sink/change_sql.h"

#include <inttypes.h>
#include <stdio.h>

#include "mysql/quote.h"

/* --- values --- */

static void put_hex(struct buf *out, const struct value *v)
{
    static const char digits[] = "0123456789ABCDEF";

    if (v->size == 0) {
        buf_str(out, "''");
        return;
    }
    buf_str(out, "X'");
    for (uint32_t i = 0; i < v->size; i++) {
        buf_byte(out, digits[v->p[i] >> 4]);
        buf_byte(out, digits[v->p[i] & 15]);
    }
    buf_byte(out, '\'');
}

static bool is_number(uint8_t type)
{
    return type == COL_NEWDECIMAL || type == COL_DECIMAL;
}

/* One value as people read it: 'text', X'..', NULL, 12. */
static void change_sql_value(const struct change_column *c, const struct value *v, struct buf *out)
{
    char text[40];

    switch (v->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        buf_str(out, "NULL");
        return;
    case VALUE_INT:
        buf_i64_text(out, v->i);
        return;
    case VALUE_UINT:
        buf_u64_text(out, v->u);
        return;
    case VALUE_FLOAT:
    case VALUE_DOUBLE:
        snprintf(text, sizeof text, "%.17g", v->kind == VALUE_FLOAT ? (double)v->f : v->d);
        buf_str(out, text);
        return;
    case VALUE_TEXT:
        if (is_number(c->type))
            buf_add(out, v->p, v->size);
        else
            sql_quote(out, slice_of(v->p, v->size));
        return;
    case VALUE_BYTES:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
        if (c->binary || c->type == COL_GEOMETRY)
            put_hex(out, v);
        else
            sql_quote(out, slice_of(v->p, v->size));
        return;
    }
}

/* --- statements --- */

static bool is_there(const struct change_table *t, const struct value *row, unsigned i)
{
    return !t->cols[i].generated && row[i].kind != VALUE_ABSENT;
}

static void put_name(struct buf *out, const char *name)
{
    sql_ident(out, slice_str(name));
}

static bool put_equal(struct buf *out, const struct change_table *t, const struct value *row,
                      unsigned i)
{
    if (!is_there(t, row, i))
        return false;
    put_name(out, t->cols[i].name);
    if (row[i].kind == VALUE_NULL) {
        buf_str(out, " IS NULL");
        return true;
    }
    buf_byte(out, '=');
    change_sql_value(&t->cols[i], &row[i], out);
    return true;
}

/* The first unique key of which the row has all, without a NULL; -1: there is none. */
static int usable_key(const struct change_table *t, const struct value *row)
{
    for (unsigned k = 0; k < t->n_keys; k++) {
        bool usable = t->keys[k].n_cols > 0;

        for (unsigned i = 0; i < t->keys[k].n_cols; i++)
            usable = usable && is_there(t, row, t->keys[k].cols[i]) &&
                     row[t->keys[k].cols[i]].kind != VALUE_NULL;
        if (usable)
            return (int)k;
    }
    return -1;
}

static void put_where(struct buf *out, const struct change_table *t, const struct value *row)
{
    int key = usable_key(t, row);
    unsigned n = key < 0 ? t->n_cols : t->keys[key].n_cols;
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        unsigned col = key < 0 ? i : t->keys[key].cols[i];

        if (!is_there(t, row, col))
            continue;
        buf_str(out, any ? " AND " : " WHERE ");
        any = put_equal(out, t, row, col);
    }
    buf_str(out, key < 0 ? " LIMIT 1" : "");
}

static void put_table(struct buf *out, const struct change_table *t)
{
    put_name(out, t->schema);
    buf_byte(out, '.');
    put_name(out, t->name);
}

static void put_insert(struct buf *out, const struct change_table *t, const struct value *row)
{
    const char *between = " (";

    buf_str(out, "INSERT INTO ");
    put_table(out, t);
    for (unsigned i = 0; i < t->n_cols; i++)
        if (is_there(t, row, i)) {
            buf_str(out, between);
            put_name(out, t->cols[i].name);
            between = ",";
        }
    buf_str(out, between[0] == ',' ? ") VALUES " : " () VALUES (");
    between = "(";
    for (unsigned i = 0; i < t->n_cols; i++)
        if (is_there(t, row, i)) {
            buf_str(out, between);
            change_sql_value(&t->cols[i], &row[i], out);
            between = ",";
        }
    buf_byte(out, ')');
}

static void put_update(struct buf *out, const struct change *c)
{
    const struct change_table *t = c->table;
    const char *between = " SET ";

    buf_str(out, "UPDATE ");
    put_table(out, t);
    for (unsigned i = 0; i < t->n_cols; i++)
        if (is_there(t, c->after, i)) {
            buf_str(out, between);
            put_name(out, t->cols[i].name);
            buf_byte(out, '=');
            change_sql_value(&t->cols[i], &c->after[i], out);
            between = ",";
        }
    put_where(out, t, c->before);
}

void change_sql(const struct change *c, struct buf *out)
{
    switch (c->kind) {
    case ROWS_INSERT:
        put_insert(out, c->table, c->after);
        break;
    case ROWS_UPDATE:
        put_update(out, c);
        break;
    case ROWS_DELETE:
        buf_str(out, "DELETE FROM ");
        put_table(out, c->table);
        put_where(out, c->table, c->before);
        break;
    }
    buf_str(out, ";\n");
}

void change_sql_txn(const struct change_txn *t, const char *from, struct buf *out)
{
    buf_printf(out, "-- commit_ts %" PRIu64 "%s%s\n", t->commit_ts, from ? " of " : "",
               from ? from : "");
    if (t->ddl) {
        if (t->schema.size && !t->creates_schema) {
            buf_str(out, "USE ");
            sql_ident(out, t->schema);
            buf_str(out, ";\n");
        }
        buf_add(out, t->query.data, t->query.size);
        buf_str(out, ";\n");
        return;
    }
    buf_str(out, "BEGIN;\n");
    for (size_t i = 0; i < t->n_changes; i++)
        change_sql(&t->changes[i], out);
    buf_str(out, "COMMIT;\n");
}

/* --- undo --- */

void change_undo(const struct change *c, struct change *ret)
{
    static const enum rows_kind kinds[] = {
        [ROWS_INSERT] = ROWS_DELETE, [ROWS_UPDATE] = ROWS_UPDATE, [ROWS_DELETE] = ROWS_INSERT
    };

    *ret = (struct change){
        .table = c->table, .kind = kinds[c->kind], .before = c->after, .after = c->before
    };
}
