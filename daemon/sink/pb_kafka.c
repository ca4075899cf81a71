#include "sink/pb_kafka.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "sink/proto.h"

enum { BINLOG_TYPE = 1, BINLOG_COMMIT_TS = 2, BINLOG_DML = 3, BINLOG_DDL = 4, BINLOG_ZONE = 5 };
enum { DDL_SCHEMA = 1, DDL_TABLE = 2, DDL_QUERY = 3 };
enum { TABLE_SCHEMA = 1, TABLE_NAME = 2, TABLE_COLUMN = 3, TABLE_MUTATION = 4, TABLE_KEY = 5 };
enum { COLUMN_NAME = 1, COLUMN_TYPE = 2, COLUMN_PRIMARY = 3, COLUMN_FLEN = 4, COLUMN_DECIMAL = 5 };
enum { KEY_NAME = 1, KEY_COLUMNS = 2 };
enum { MUTATION_TYPE = 1, MUTATION_ROW = 2, MUTATION_CHANGE_ROW = 3 };
enum { V_NULL = 1, V_INT = 2, V_UINT = 3, V_DOUBLE = 4, V_BYTES = 5, V_STRING = 6 };

/* --- encoding --- */

/* Which field a value that is bytes goes to. */
static unsigned field_of(const struct change_column *c)
{
    switch (c->type) {
    case COL_BIT:
    case COL_JSON:
    case COL_VECTOR:
        return V_BYTES;
    case COL_GEOMETRY:
        return V_STRING;
    default:
        return c->binary ? V_BYTES : V_STRING;
    }
}

/* BIT is bytes, the highest first, as many as it takes. */
static void put_bits(struct buf *b, uint64_t v)
{
    uint8_t bytes[8];
    unsigned n = 0;

    for (int shift = 56; shift >= 0; shift -= 8)
        if (n || v >> shift & 0xff || shift == 0)
            bytes[n++] = (uint8_t)(v >> shift);
    proto_bytes(b, V_BYTES, bytes, n);
}

static void put_year(struct buf *b, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%lld", (long long)v);

    proto_bytes(b, V_STRING, text, (size_t)n);
}

static void put_value(struct buf *b, const struct change_column *c, const struct value *v)
{
    switch (v->kind) {
    case VALUE_ABSENT:
    case VALUE_NULL:
        proto_u64(b, V_NULL, 1);
        return;
    case VALUE_INT:
        if (c->type == COL_YEAR)
            put_year(b, v->i);
        else
            proto_u64(b, V_INT, (uint64_t)v->i);
        return;
    case VALUE_UINT:
        if (c->type == COL_BIT)
            put_bits(b, v->u);
        else
            proto_u64(b, V_UINT, v->u);
        return;
    case VALUE_FLOAT:
        proto_double(b, V_DOUBLE, (double)v->f);
        return;
    case VALUE_DOUBLE:
        proto_double(b, V_DOUBLE, v->d);
        return;
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON:
    case VALUE_JSON_DIFF:
        proto_bytes(b, field_of(c), v->p, v->size);
        return;
    }
}

/* An image that lacks a column has it as in the other. */
static void put_row(struct buf *b, unsigned field, const struct change_table *t,
                    const struct value *row, const struct value *other)
{
    size_t at = proto_begin(b, field);

    for (unsigned i = 0; i < t->n_cols; i++) {
        const struct value *v = &row[i];
        size_t column;

        if (t->cols[i].generated)
            continue;
        if (v->kind == VALUE_ABSENT && other)
            v = &other[i];
        column = proto_begin(b, 1);
        put_value(b, &t->cols[i], v);
        proto_end(b, column);
    }
    proto_end(b, at);
}

static void put_mutation(struct buf *b, const struct change *c)
{
    static const uint8_t kinds[] = { [ROWS_INSERT] = 0, [ROWS_UPDATE] = 1, [ROWS_DELETE] = 2 };
    size_t at = proto_begin(b, TABLE_MUTATION);

    proto_u64(b, MUTATION_TYPE, kinds[c->kind]);
    put_row(b, MUTATION_ROW, c->table, c->after ? c->after : c->before, c->before);
    if (c->kind == ROWS_UPDATE)
        put_row(b, MUTATION_CHANGE_ROW, c->table, c->before, c->after);
    proto_end(b, at);
}

static void put_column_info(struct buf *b, const struct change_column *c)
{
    size_t at = proto_begin(b, TABLE_COLUMN);

    proto_str(b, COLUMN_NAME, c->name);
    proto_str(b, COLUMN_TYPE, change_type_name(c));
    proto_u64(b, COLUMN_PRIMARY, c->primary);
    proto_u64(b, COLUMN_FLEN, c->flen);
    proto_u64(b, COLUMN_DECIMAL, c->decimals);
    proto_end(b, at);
}

static void put_key(struct buf *b, const struct change_table *t, const struct change_key *k)
{
    size_t at = proto_begin(b, TABLE_KEY);

    proto_str(b, KEY_NAME, k->name);
    for (unsigned i = 0; i < k->n_cols; i++)
        proto_str(b, KEY_COLUMNS, t->cols[k->cols[i]].name);
    proto_end(b, at);
}

/* Changes of one table that follow one another, in one Table. */
static size_t put_table(struct buf *b, const struct change *c, size_t n)
{
    const struct change_table *t = c->table;
    size_t at = proto_begin(b, 1), done = 0;

    proto_str(b, TABLE_SCHEMA, t->schema);
    proto_str(b, TABLE_NAME, t->name);
    for (unsigned i = 0; i < t->n_cols; i++)
        if (!t->cols[i].generated)
            put_column_info(b, &t->cols[i]);
    for (; done < n && c[done].table == t; done++)
        put_mutation(b, &c[done]);
    for (unsigned i = 0; i < t->n_keys; i++)
        put_key(b, t, &t->keys[i]);
    proto_end(b, at);
    return done;
}

static void put_ddl(struct buf *b, const struct change_txn *t)
{
    size_t at = proto_begin(b, BINLOG_DDL);

    proto_bytes(b, DDL_SCHEMA, t->schema.data, t->schema.size);
    proto_bytes(b, DDL_TABLE, t->table.data, t->table.size);
    proto_bytes(b, DDL_QUERY, t->query.data, t->query.size);
    proto_end(b, at);
}

void pb_kafka_encode(const struct change_txn *t, struct buf *out)
{
    size_t at;

    proto_u64(out, BINLOG_TYPE, t->ddl);
    proto_u64(out, BINLOG_COMMIT_TS, t->commit_ts);
    if (t->ddl) {
        put_ddl(out, t);
    } else {
        at = proto_begin(out, BINLOG_DML);
        for (size_t i = 0; i < t->n_changes;)
            i += put_table(out, &t->changes[i], t->n_changes - i);
        proto_end(out, at);
    }
    proto_str(out, BINLOG_ZONE, "UTC");
}

/* --- decoding --- */

static size_t count(struct slice message, unsigned number)
{
    struct cursor c = cursor_of(message);
    struct proto_field f;
    size_t n = 0;

    while (proto_next(&c, &f) > 0)
        n += f.number == number;
    return n;
}

struct type_name {
    const char *name;
    uint8_t type;
    bool binary;
};

static const struct type_name type_names[] = {
    { "tinyint", COL_TINY, false },
    { "smallint", COL_SHORT, false },
    { "mediumint", COL_INT24, false },
    { "int", COL_LONG, false },
    { "bigint", COL_LONGLONG, false },
    { "float", COL_FLOAT, false },
    { "double", COL_DOUBLE, false },
    { "decimal", COL_NEWDECIMAL, false },
    { "year", COL_YEAR, false },
    { "date", COL_DATE, false },
    { "time", COL_TIME2, false },
    { "datetime", COL_DATETIME2, false },
    { "timestamp", COL_TIMESTAMP2, false },
    { "bit", COL_BIT, false },
    { "enum", COL_ENUM, false },
    { "set", COL_SET, false },
    { "json", COL_JSON, false },
    { "geometry", COL_GEOMETRY, false },
    { "char", COL_STRING, false },
    { "binary", COL_STRING, true },
    { "varchar", COL_VARCHAR, false },
    { "varbinary", COL_VARCHAR, true },
    { "text", COL_BLOB, false },
    { "blob", COL_BLOB, true },
    { "tinytext", COL_TINY_BLOB, false },
    { "tinyblob", COL_TINY_BLOB, true },
    { "mediumtext", COL_MEDIUM_BLOB, false },
    { "mediumblob", COL_MEDIUM_BLOB, true },
    { "longtext", COL_LONG_BLOB, false },
    { "longblob", COL_LONG_BLOB, true },
};

static void set_type(struct change_column *c, struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++)
        if (slice_eq(name, slice_str(type_names[i].name))) {
            c->type = type_names[i].type;
            c->binary = type_names[i].binary;
        }
}

static bool parse_column_info(struct slice s, struct arena *arena, struct change_column *ret)
{
    struct cursor c = cursor_of(s);
    struct proto_field f;
    int rc;

    *ret = (struct change_column){ .name = "", .type = COL_NULL };
    while ((rc = proto_next(&c, &f)) > 0) {
        if (f.number == COLUMN_NAME)
            ret->name = arena_text(arena, f.bytes.data, f.bytes.size);
        else if (f.number == COLUMN_TYPE)
            set_type(ret, f.bytes);
        else if (f.number == COLUMN_PRIMARY)
            ret->primary = f.u != 0;
        else if (f.number == COLUMN_FLEN)
            ret->flen = (unsigned)f.u;
        else if (f.number == COLUMN_DECIMAL)
            ret->decimals = (unsigned)f.u;
    }
    return rc == 0;
}

static bool get_value(struct slice s, const struct change_column *col, struct value *ret)
{
    struct cursor c = cursor_of(s);
    struct proto_field f;
    int rc;

    *ret = (struct value){ .kind = VALUE_NULL };
    while ((rc = proto_next(&c, &f)) > 0) {
        switch (f.number) {
        case V_INT:
            *ret = (struct value){ .kind = VALUE_INT, .i = (int64_t)f.u };
            break;
        case V_UINT:
            *ret = (struct value){ .kind = VALUE_UINT, .u = f.u };
            break;
        case V_DOUBLE:
            *ret = (struct value){ .kind = VALUE_DOUBLE };
            memcpy(&ret->d, &f.u, sizeof f.u);
            break;
        case V_BYTES:
        case V_STRING:
            *ret = (struct value){ .kind = VALUE_BYTES, .size = (uint32_t)f.bytes.size };
            ret->p = f.bytes.data;
            if (col->type == COL_BIT) {
                uint64_t bits = 0;

                for (size_t i = 0; i < f.bytes.size; i++)
                    bits = bits << 8 | f.bytes.data[i];
                *ret = (struct value){ .kind = VALUE_UINT, .u = bits };
            }
            break;
        default:
            break;
        }
    }
    return rc == 0;
}

static struct value *parse_row(struct slice s, const struct change_table *t, struct arena *arena)
{
    struct value *row = arena_alloc(arena, (t->n_cols + 1) * sizeof *row);
    struct cursor c = cursor_of(s);
    struct proto_field f;
    unsigned i = 0;

    while (proto_next(&c, &f) > 0) {
        if (f.number != 1 || i == t->n_cols || !get_value(f.bytes, &t->cols[i], &row[i]))
            return NULL;
        i++;
    }
    return i == t->n_cols ? row : NULL;
}

static bool parse_mutation(struct slice s, const struct change_table *t, struct arena *arena,
                           struct change *ret)
{
    static const enum rows_kind kinds[] = { ROWS_INSERT, ROWS_UPDATE, ROWS_DELETE };
    struct cursor c = cursor_of(s);
    struct value *row = NULL, *old = NULL;
    struct proto_field f;
    uint64_t type = 0;

    while (proto_next(&c, &f) > 0) {
        if (f.number == MUTATION_TYPE)
            type = f.u;
        else if (f.number == MUTATION_ROW)
            row = parse_row(f.bytes, t, arena);
        else if (f.number == MUTATION_CHANGE_ROW)
            old = parse_row(f.bytes, t, arena);
    }
    if (type > 2 || !row || (type == 1) != (old != NULL))
        return false;
    *ret = (struct change){ .table = t, .kind = kinds[type] };
    ret->after = ret->kind == ROWS_DELETE ? NULL : row;
    ret->before = ret->kind == ROWS_DELETE ? row : old;
    return true;
}

static bool parse_key(struct slice s, const struct change_table *t, struct arena *arena,
                      struct change_key *ret)
{
    struct cursor c = cursor_of(s);
    struct proto_field f;

    *ret = (struct change_key){ .name = "" };
    ret->cols = arena_alloc(arena, (count(s, KEY_COLUMNS) + 1) * sizeof *ret->cols);
    while (proto_next(&c, &f) > 0) {
        if (f.number == KEY_NAME)
            ret->name = arena_text(arena, f.bytes.data, f.bytes.size);
        if (f.number != KEY_COLUMNS)
            continue;
        for (unsigned i = 0; i < t->n_cols; i++)
            if (slice_eq(f.bytes, slice_str(t->cols[i].name)))
                ret->cols[ret->n_cols++] = i;
    }
    return true;
}

/* Columns first, wherever they stand: rows are as long as there are columns. */
static bool parse_columns(struct slice s, struct arena *arena, struct change_table *t)
{
    struct cursor c = cursor_of(s);
    struct proto_field f;
    int rc;

    while ((rc = proto_next(&c, &f)) > 0) {
        if (f.number == TABLE_SCHEMA)
            t->schema = arena_text(arena, f.bytes.data, f.bytes.size);
        else if (f.number == TABLE_NAME)
            t->name = arena_text(arena, f.bytes.data, f.bytes.size);
        else if (f.number == TABLE_COLUMN &&
                 !parse_column_info(f.bytes, arena, &t->cols[t->n_cols++]))
            return false;
    }
    return rc == 0;
}

static bool parse_table(struct slice s, struct arena *arena, struct change_txn *txn)
{
    struct change_table *t = arena_alloc(arena, sizeof *t);
    struct cursor c = cursor_of(s);
    struct proto_field f;

    *t = (struct change_table){ .schema = "", .name = "" };
    t->cols = arena_alloc(arena, (count(s, TABLE_COLUMN) + 1) * sizeof *t->cols);
    t->keys = arena_alloc(arena, (count(s, TABLE_KEY) + 1) * sizeof *t->keys);
    if (!parse_columns(s, arena, t))
        return false;
    while (proto_next(&c, &f) > 0) {
        bool ok = true;

        if (f.number == TABLE_MUTATION)
            ok = parse_mutation(f.bytes, t, arena, &txn->changes[txn->n_changes++]);
        else if (f.number == TABLE_KEY)
            ok = parse_key(f.bytes, t, arena, &t->keys[t->n_keys++]);
        if (!ok)
            return false;
    }
    return true;
}

static bool parse_dml(struct slice s, struct arena *arena, struct change_txn *txn)
{
    struct cursor c = cursor_of(s);
    struct proto_field f;
    int rc;

    txn->n_changes = txn->cap_changes = 0; /* of two the last counts, as protobuf has it */
    while ((rc = proto_next(&c, &f)) > 0)
        txn->cap_changes += f.number == 1 ? count(f.bytes, TABLE_MUTATION) : 0;
    if (rc < 0)
        return false;
    txn->changes = arena_alloc(arena, (txn->cap_changes + 1) * sizeof *txn->changes);
    c = cursor_of(s);
    while (proto_next(&c, &f) > 0)
        if (f.number == 1 && !parse_table(f.bytes, arena, txn))
            return false;
    return true;
}

static bool parse_ddl(struct slice s, struct change_txn *txn)
{
    struct cursor c = cursor_of(s);
    struct proto_field f;
    int rc;

    while ((rc = proto_next(&c, &f)) > 0) {
        if (f.number == DDL_SCHEMA)
            txn->schema = f.bytes;
        else if (f.number == DDL_TABLE)
            txn->table = f.bytes;
        else if (f.number == DDL_QUERY)
            txn->query = f.bytes;
    }
    return rc == 0;
}

int pb_kafka_decode(struct slice message, struct arena *arena, struct change_txn *ret,
                    struct err *err)
{
    struct cursor c = cursor_of(message);
    struct change_txn t = { .commit_ts = 0 };
    struct proto_field f;
    bool ok = true;
    int rc = 0;

    while (ok && (rc = proto_next(&c, &f)) > 0) {
        if (f.number == BINLOG_TYPE)
            t.ddl = f.u == 1;
        else if (f.number == BINLOG_COMMIT_TS)
            t.commit_ts = f.u;
        else if (f.number == BINLOG_DML)
            ok = parse_dml(f.bytes, arena, &t);
        else if (f.number == BINLOG_DDL)
            ok = parse_ddl(f.bytes, &t);
    }
    if (!ok || rc < 0)
        return err_set(err, -EBADMSG, "the transaction %llu is no message of a drainer",
                       (unsigned long long)t.commit_ts);
    *ret = t;
    return 0;
}
