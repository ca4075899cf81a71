#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/value.h"
#include "mysql/conn_priv.h"

/*
 * The library prepares and closes; the packets of execution are made here,
 * straight from struct value: its own binding would want an array of pointers
 * and lengths per column and batch first.
 *
 * Source: MariaDB Knowledge Base, "COM_STMT_BULK_EXECUTE" and "COM_STMT_EXECUTE";
 * MySQL Source Code Documentation, "COM_STMT_EXECUTE", "COM_STMT_SEND_LONG_DATA".
 */
#define PACKET_SIZE_WANTED (8u << 20) /* rows are sent when this many bytes are ready */
#define LONG_DATA_SIZE (1u << 20)     /* a value over this of a single row goes ahead, in pieces */
#define BULK_SEND_TYPES 128
#define TYPE_UNSIGNED 0x8000

/* How a parameter travels, for all rows of one call. */
enum bind {
    BIND_UNKNOWN, /* only NULLs so far */
    BIND_INT,
    BIND_UINT,
    BIND_FLOAT,
    BIND_DOUBLE,
    BIND_BYTES, /* also for a column that has kinds of several sorts: numbers as text */
};

static const uint16_t bind_types[] = {
    [BIND_UNKNOWN] = MYSQL_TYPE_STRING,
    [BIND_INT] = MYSQL_TYPE_LONGLONG,
    [BIND_UINT] = MYSQL_TYPE_LONGLONG | TYPE_UNSIGNED,
    [BIND_FLOAT] = MYSQL_TYPE_FLOAT,
    [BIND_DOUBLE] = MYSQL_TYPE_DOUBLE,
    [BIND_BYTES] = MYSQL_TYPE_STRING,
};

struct mysql_stmt {
    struct mysql_conn *conn;
    MYSQL_STMT *st;
    unsigned n_params;
    enum bind *binds;
    struct buf packet;
};

static int stmt_fail(struct mysql_stmt *s, struct err *err)
{
    return conn_error(err, mysql_stmt_errno(s->st), mysql_stmt_sqlstate(s->st),
                      mysql_stmt_error(s->st));
}

static void stmt_freep(struct mysql_stmt **s)
{
    mysql_stmt_close_free(*s);
}

int mysql_stmt_open(struct mysql_conn *c, struct slice sql, struct mysql_stmt **ret,
                    struct err *err)
{
    SCOPED(stmt_freep) struct mysql_stmt *s = xcalloc(1, sizeof *s);

    s->conn = c;
    s->st = mysql_stmt_init(c->my);
    if (!s->st)
        return conn_fail(c, err);
    if (mysql_stmt_prepare(s->st, (const char *)sql.data, sql.size))
        return stmt_fail(s, err);
    if (mysql_stmt_field_count(s->st) != 0)
        return err_set(err, -EINVAL, "a prepared statement with a result set is not supported");
    s->n_params = (unsigned)mysql_stmt_param_count(s->st);
    s->binds = xcalloc(s->n_params + 1, sizeof *s->binds);
    *ret = STEAL(s);
    return 0;
}

void mysql_stmt_close_free(struct mysql_stmt *s)
{
    if (!s)
        return;
    if (s->st)
        mysql_stmt_close(s->st);
    buf_fini(&s->packet);
    free(s->binds);
    free(s);
}

static enum bind bind_of(enum value_kind kind)
{
    switch (kind) {
    case VALUE_INT:
        return BIND_INT;
    case VALUE_UINT:
        return BIND_UINT;
    case VALUE_FLOAT:
        return BIND_FLOAT;
    case VALUE_DOUBLE:
        return BIND_DOUBLE;
    case VALUE_TEXT:
    case VALUE_BYTES:
    case VALUE_JSON:
        return BIND_BYTES;
    case VALUE_NULL:
    case VALUE_ABSENT:
    case VALUE_JSON_DIFF:
        break;
    }
    return BIND_UNKNOWN;
}

static int choose_binds(struct mysql_stmt *s, const struct value *const *values,
                        const unsigned *columns, size_t n_rows, struct err *err)
{
    memset(s->binds, 0, s->n_params * sizeof *s->binds);
    for (size_t r = 0; r < n_rows; r++) {
        for (unsigned p = 0; p < s->n_params; p++) {
            const struct value *v = &values[r][columns[p]];
            enum bind b = bind_of(v->kind);

            if (b == s->binds[p])
                continue;
            if (v->kind == VALUE_ABSENT || v->kind == VALUE_JSON_DIFF)
                return err_set(err, -EINVAL, "parameter %u of row %zu is not a whole value", p, r);
            if (b != BIND_UNKNOWN)
                s->binds[p] = s->binds[p] == BIND_UNKNOWN ? b : BIND_BYTES;
        }
    }
    return 0;
}

static void put_bytes(struct buf *b, const void *p, size_t size)
{
    buf_lenenc(b, size);
    buf_add(b, p, size);
}

/* A number in a column that also has values of other kinds. */
static void put_as_text(struct buf *b, const struct value *v)
{
    char text[32];
    int n = 0;

    if (v->kind == VALUE_INT)
        n = snprintf(text, sizeof text, "%lld", (long long)v->i);
    else if (v->kind == VALUE_UINT)
        n = snprintf(text, sizeof text, "%llu", (unsigned long long)v->u);
    else if (v->kind == VALUE_FLOAT)
        n = snprintf(text, sizeof text, "%.17g", (double)v->f);
    else
        n = snprintf(text, sizeof text, "%.17g", v->d);
    put_bytes(b, text, (size_t)n);
}

static void put_value(struct buf *b, enum bind bind, const struct value *v)
{
    uint32_t bits;

    if (bind == BIND_BYTES && bind_of(v->kind) == BIND_BYTES) {
        put_bytes(b, v->p, v->size);
    } else if (bind == BIND_BYTES) {
        put_as_text(b, v);
    } else if (bind == BIND_FLOAT) {
        memcpy(&bits, &v->f, sizeof bits);
        buf_le(b, bits, 4);
    } else {
        buf_le(b, v->u, 8); /* the bits of i and d are those of u */
    }
}

static void put_types(struct mysql_stmt *s)
{
    for (unsigned p = 0; p < s->n_params; p++)
        buf_le(&s->packet, bind_types[s->binds[p]], 2);
}

static int run_packet(struct mysql_stmt *s, unsigned command, uint64_t *affected, struct err *err)
{
    int rc;

    if (s->packet.size >= s->conn->max_packet)
        return err_set(err, -E2BIG,
                       "%zu bytes for one statement are more than the target's max_allowed_packet "
                       "of %llu: SET GLOBAL max_allowed_packet=1073741824",
                       s->packet.size, (unsigned long long)s->conn->max_packet);
    rc = conn_command(s->conn, command, slice_of(s->packet.data, s->packet.size), err);
    if (rc == 0)
        rc = conn_reply(s->conn, err);
    if (rc == 0)
        *affected += mysql_affected_rows(s->conn->my);
    return rc;
}

static bool is_long(const struct value *v)
{
    return bind_of(v->kind) == BIND_BYTES && v->size > LONG_DATA_SIZE;
}

/* Values that would not fit a packet comfortably go ahead of it, in pieces. */
static int send_long_data(struct mysql_stmt *s, const struct value *row, const unsigned *columns,
                          struct err *err)
{
    int rc = 0;

    for (unsigned p = 0; p < s->n_params; p++) {
        const struct value *v = &row[columns[p]];

        for (size_t at = 0; is_long(v) && at < v->size && rc == 0; at += LONG_DATA_SIZE) {
            size_t left = v->size - at;

            buf_clear(&s->packet);
            buf_le(&s->packet, s->st->stmt_id, 4);
            buf_le(&s->packet, p, 2);
            buf_add(&s->packet, v->p + at, left < LONG_DATA_SIZE ? left : LONG_DATA_SIZE);
            rc = conn_command(s->conn, COM_STMT_SEND_LONG_DATA,
                              slice_of(s->packet.data, s->packet.size), err);
        }
    }
    return rc;
}

static void put_null_bitmap(struct mysql_stmt *s, const struct value *row, const unsigned *columns)
{
    uint8_t byte = 0;

    for (unsigned p = 0; p < s->n_params; p++) {
        if (row[columns[p]].kind == VALUE_NULL)
            byte |= (uint8_t)(1 << p % 8);
        if (p % 8 == 7 || p + 1 == s->n_params) {
            buf_byte(&s->packet, (char)byte);
            byte = 0;
        }
    }
}

static int exec_one(struct mysql_stmt *s, const struct value *row, const unsigned *columns,
                    uint64_t *affected, struct err *err)
{
    int rc = send_long_data(s, row, columns, err);

    if (rc < 0)
        return rc;
    buf_clear(&s->packet);
    buf_le(&s->packet, s->st->stmt_id, 4);
    buf_le(&s->packet, 0, 1); /* no cursor */
    buf_le(&s->packet, 1, 4); /* iterations */
    if (s->n_params) {
        put_null_bitmap(s, row, columns);
        buf_le(&s->packet, 1, 1); /* types follow */
        put_types(s);
    }
    for (unsigned p = 0; p < s->n_params; p++) {
        const struct value *v = &row[columns[p]];

        if (v->kind != VALUE_NULL && !is_long(v))
            put_value(&s->packet, s->binds[p], v);
    }
    return run_packet(s, COM_STMT_EXECUTE, affected, err);
}

static bool has_long(struct mysql_stmt *s, const struct value *row, const unsigned *columns)
{
    for (unsigned p = 0; p < s->n_params; p++)
        if (is_long(&row[columns[p]]))
            return true;
    return false;
}

/* Sends as many rows as make a packet of good size; returns how many, or an error. */
static ssize_t exec_bulk(struct mysql_stmt *s, const struct value *const *values,
                         const unsigned *columns, size_t n_rows, uint64_t *affected,
                         struct err *err)
{
    size_t wanted = s->conn->max_packet / 2;
    size_t r;
    int rc;

    if (wanted > PACKET_SIZE_WANTED)
        wanted = PACKET_SIZE_WANTED;
    buf_clear(&s->packet);
    buf_le(&s->packet, s->st->stmt_id, 4);
    buf_le(&s->packet, BULK_SEND_TYPES, 2);
    put_types(s);
    for (r = 0; r < n_rows && s->packet.size < wanted; r++) {
        if (has_long(s, values[r], columns))
            break;
        for (unsigned p = 0; p < s->n_params; p++) {
            const struct value *v = &values[r][columns[p]];
            bool null = v->kind == VALUE_NULL;

            buf_byte(&s->packet, null ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE);
            if (!null)
                put_value(&s->packet, s->binds[p], v);
        }
    }
    rc = run_packet(s, COM_STMT_BULK_EXECUTE, affected, err);
    return rc < 0 ? rc : (ssize_t)r;
}

bool mysql_conn_has_bulk(const struct mysql_conn *c)
{
    unsigned long caps = 0;

    mariadb_get_infov(c->my, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &caps);
    return c->flavor == FLAVOR_MARIADB && (caps & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32));
}

int mysql_stmt_exec_rows(struct mysql_stmt *s, const struct value *const *values,
                         const unsigned *columns, size_t n_rows, uint64_t *affected,
                         struct err *err)
{
    uint64_t sum = 0;
    int rc = choose_binds(s, values, columns, n_rows, err);

    if (rc == 0 && n_rows > 1 && !mysql_conn_has_bulk(s->conn))
        rc = err_set(err, -ENOTSUP, "the server has no array binding");
    for (size_t at = 0; at < n_rows && rc == 0;) {
        size_t left = n_rows - at;
        ssize_t n = 1;

        if (left > 1 && s->n_params && !has_long(s, values[at], columns))
            n = exec_bulk(s, values + at, columns, left, &sum, err);
        else
            rc = exec_one(s, values[at], columns, &sum, err);
        if (n < 0)
            rc = (int)n;
        else
            at += (size_t)n;
    }
    if (affected)
        *affected = sum;
    return rc;
}
