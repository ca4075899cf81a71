#include "sink/sink_mysql.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/scope.h"
#include "sink/packet.h"

#define WAIT_S 86400 /* for a statement: an ALTER or a COMMIT takes as long as it takes */
#define PACKET_SIZE ((size_t)512 << 10) /* text is sent when it has grown so far */
#define STATEMENT_SIZE ((size_t)256 << 10)
#define ARRAY_SIZE ((size_t)2 << 20) /* of values in one execution of an array */
#define ARRAY_ROWS 8                 /* fewer go as text: no round trip of their own */
#define N_PREPARED 1024

/* Source values go in as they were stored: zero and impossible dates are legal, all else that
 * would change on the way is an error.  ENUM index 0 is no legal value: lenient. */
#define STRICT_MODE "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,STRICT_ALL_TABLES"
#define LENIENT_MODE "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"

struct prepared {
    uint64_t table_id;
    enum rows_kind kind;
    enum statement_insert how;
    struct mysql_stmt *stmt;
    unsigned *params, n_params;
    uint64_t used;
};

struct sink {
    struct mysql_conn *conn;
    struct checkpoint *cp;
    bool arrays;      /* the server executes prepared statements for arrays */
    bool values_list; /* VALUES ROW(...) as a table */
    struct packet packet;
    struct position pos; /* of the open transaction */
    uint32_t sub_seq;
    bool beside; /* the checkpoint does not move with it */
    bool open;   /* a transaction */
    bool no_foreign_key_checks;
    struct prepared prepared[N_PREPARED];
    unsigned n_prepared;
    uint64_t clock;
};

/* --- life --- */

static int set_session(struct sink *s, struct err *err)
{
    int rc = mysql_conn_execf(s->conn, err,
                              "SET SESSION time_zone='+00:00',sql_mode='" STRICT_MODE
                              "',foreign_key_checks=1,unique_checks=1,autocommit=1");

    if (rc == 0)
        rc = mysql_conn_execf(s->conn, err,
                              "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    return rc;
}

int sink_session(struct sink *s, const char *sql, struct err *err)
{
    int rc = sql ? mysql_conn_exec(s->conn, slice_str(sql), NULL, err) : 0;

    s->no_foreign_key_checks = false;
    return rc < 0 ? rc : set_session(s, err);
}

int sink_open(struct sink **ret, const struct mysql_params *p, struct checkpoint *cp,
              struct err *err)
{
    struct sink *s = xcalloc(1, sizeof *s);
    struct mysql_params patient = *p;
    size_t max;
    int rc;

    patient.io_timeout_s = WAIT_S;
    rc = mysql_conn_open(&s->conn, &patient, err);

    s->cp = cp;
    if (rc == 0)
        rc = checkpoint_enlist(cp, s->conn, err);
    if (rc == 0)
        rc = set_session(s, err);
    if (rc < 0) {
        sink_close(s);
        return err_of_target(err);
    }
    s->arrays = mysql_conn_flavor(s->conn) == FLAVOR_MARIADB;
    s->values_list = !s->arrays && mysql_conn_version(s->conn) >= 80019;
    max = mysql_conn_max_packet(s->conn);
    s->packet.conn = s->conn;
    s->packet.full_size = max && max / 2 < PACKET_SIZE ? max / 2 : PACKET_SIZE;
    *ret = s;
    return 0;
}

static void drop_prepared(struct prepared *p)
{
    mysql_stmt_close_free(p->stmt);
    free(p->params);
    *p = (struct prepared){ 0 };
}

void sink_close(struct sink *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_prepared; i++)
        drop_prepared(&s->prepared[i]);
    mysql_conn_close(s->conn);
    packet_fini(&s->packet);
    position_fini(&s->pos);
    free(s);
}

struct mysql_conn *sink_conn(struct sink *s)
{
    return s->conn;
}

const struct target_table *sink_failed_table(const struct sink *s)
{
    return s->packet.failed;
}

/* --- the head --- */

static void add_statement(struct sink *s, const char *sql)
{
    packet_add(&s->packet, slice_str(sql));
}

static void begin(struct sink *s, bool beside)
{
    s->beside = beside;
    s->open = true;
    s->packet.sent = false;
    s->packet.failed = NULL;
    packet_clear(&s->packet);
    add_statement(s, "BEGIN");
    packet_next(&s->packet);
}

void sink_begin(struct sink *s, const struct position *pos, uint32_t sub_seq)
{
    position_copy(&s->pos, pos);
    s->sub_seq = sub_seq;
    begin(s, false);
    checkpoint_sql(s->cp, pos, sub_seq, &s->packet.text);
    s->packet.text.size--; /* its ';' */
    packet_expect(&s->packet, NULL, ROWS_UPDATE, 1, true);
}

void sink_begin_beside(struct sink *s, struct slice head)
{
    begin(s, true);
    buf_add(&s->packet.text, head.data, head.size);
    packet_expect(&s->packet, NULL, ROWS_INSERT, 1, true);
}

void sink_begin_plain(struct sink *s)
{
    s->open = false;
    s->packet.sent = false;
    s->packet.failed = NULL;
    packet_clear(&s->packet);
    checkpoint_touch_sql(s->cp, &s->packet.text);
    packet_expect(&s->packet, NULL, ROWS_UPDATE, 1, true);
}

int sink_flush(struct sink *s, struct err *err)
{
    return packet_flush(&s->packet, err);
}

int sink_statement(struct sink *s, struct slice sql, struct err *err)
{
    packet_add(&s->packet, sql);
    return packet_flush_if_full(&s->packet, err);
}

/* --- rows as text --- */

static int text_one(struct sink *s, const struct sink_batch *b, const struct value *row,
                    enum statement_insert how, struct err *err)
{
    bool lenient = b->kind != ROWS_DELETE && statement_needs_lenient(b->table, row);

    if (lenient)
        add_statement(s, "SET SESSION sql_mode='" LENIENT_MODE "'");
    packet_next(&s->packet);
    statement_row(b->table, b->kind, how, row, &s->packet.text);
    packet_expect(&s->packet, b->table, b->kind, 1, !b->safe);
    if (lenient)
        add_statement(s, "SET SESSION sql_mode='" STRICT_MODE "'");
    return packet_flush_if_full(&s->packet, err);
}

static bool same_columns(const struct target_table *t, const struct value *a, const struct value *b)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if ((a[i].kind == VALUE_ABSENT) != (b[i].kind == VALUE_ABSENT))
            return false;
    return true;
}

/* How many rows from the first on may share one statement. */
static size_t run_of(const struct sink_batch *b, const struct value *const *rows, size_t n_rows)
{
    size_t n = 1;

    if (b->kind == ROWS_DELETE)
        return n_rows;
    if (statement_needs_lenient(b->table, rows[0]))
        return 1;
    while (n < n_rows && same_columns(b->table, rows[0], rows[n]) &&
           !statement_needs_lenient(b->table, rows[n]))
        n++;
    return n;
}

/* A list for UPDATE needs the whole key in each row; a statement of one row is simpler alone. */
static bool may_share(const struct sink *s, const struct sink_batch *b, size_t run)
{
    if (run < 2 || !statement_rows_ok(b->table, b->kind, s->values_list))
        return false;
    if (b->kind == ROWS_UPDATE && !statement_full(b->table, b->rows[0]))
        return false;
    return !b->ordered || b->kind == ROWS_INSERT;
}

static int text_rows(struct sink *s, const struct sink_batch *b, const struct value *const *rows,
                     size_t n_rows, enum statement_insert how, struct err *err)
{
    int rc = 0;

    while (n_rows && rc == 0) {
        size_t run = run_of(b, rows, n_rows), n = 1;

        if (may_share(s, b, run)) {
            packet_next(&s->packet);
            n = statement_rows(b->table, b->kind, how, rows, run, STATEMENT_SIZE, &s->packet.text);
            packet_expect(&s->packet, b->table, b->kind, n, !b->safe);
            rc = packet_flush_if_full(&s->packet, err);
        } else {
            rc = text_one(s, b, rows[0], how, err);
        }
        rows += n;
        n_rows -= n;
    }
    return rc;
}

/* --- rows as arrays --- */

static struct prepared *free_slot(struct sink *s)
{
    struct prepared *oldest = &s->prepared[0];

    if (s->n_prepared < N_PREPARED)
        return &s->prepared[s->n_prepared++];
    for (unsigned i = 1; i < N_PREPARED; i++)
        if (s->prepared[i].used < oldest->used)
            oldest = &s->prepared[i];
    drop_prepared(oldest);
    return oldest;
}

static int get_prepared(struct sink *s, const struct target_table *t, enum rows_kind kind,
                        enum statement_insert how, struct prepared **ret, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct prepared *p;
    int rc;

    for (unsigned i = 0; i < s->n_prepared; i++) {
        p = &s->prepared[i];
        if (p->table_id == t->id && p->kind == kind && p->how == how && p->stmt) {
            p->used = ++s->clock;
            *ret = p;
            return 0;
        }
    }
    p = free_slot(s);
    *p = (struct prepared){ .table_id = t->id, .kind = kind, .how = how, .used = ++s->clock };
    p->params = xcalloc(2 * (size_t)t->n_cols + 1, sizeof *p->params);
    p->n_params = statement_prepared(t, kind, how, false, &sql, p->params);
    rc = mysql_stmt_open(s->conn, slice_of(sql.data, sql.size), &p->stmt, err);
    if (rc < 0) {
        s->packet.failed = t;
        drop_prepared(p);
        return err_wrap(err, "table %s.%s of the target", t->db, t->name);
    }
    *ret = p;
    return 0;
}

/* Rows from the first on that fill one execution, all with every column and strict. */
static size_t array_of(const struct sink_batch *b, const struct value *const *rows, size_t n_rows)
{
    size_t n = 0, size = 0;

    for (; n < n_rows && size < ARRAY_SIZE; n++) {
        if (b->kind != ROWS_DELETE &&
            (!statement_full(b->table, rows[n]) || statement_needs_lenient(b->table, rows[n])))
            break;
        size += statement_row_size(b->table, b->kind, rows[n]);
    }
    return n;
}

static int array_rows(struct sink *s, const struct sink_batch *b, const struct value *const *rows,
                      size_t n, enum statement_insert how, struct err *err)
{
    struct expected e = { b->table, b->kind, n, !b->safe };
    struct prepared *p = NULL;
    uint64_t affected = 0;
    int rc = packet_flush(&s->packet, err);

    if (rc == 0)
        rc = get_prepared(s, b->table, b->kind, how, &p, err);
    if (rc < 0)
        return rc;
    assert(p);
    rc = mysql_stmt_exec_rows(p->stmt, rows, p->params, n, &affected, err);
    if (rc < 0) {
        s->packet.failed = b->table;
        return err_wrap(err, "table %s.%s of the target", b->table->db, b->table->name);
    }
    return packet_check(&s->packet, &e, affected, err);
}

static int rows_as(struct sink *s, const struct sink_batch *b, enum statement_insert how,
                   struct err *err)
{
    const struct value *const *rows = b->rows;
    size_t left = b->n_rows;
    bool arrays = s->arrays && b->table->n_key > 0;
    int rc = 0;

    while (left && rc == 0) {
        size_t n = arrays && left >= ARRAY_ROWS ? array_of(b, rows, left) : 0;

        if (n >= ARRAY_ROWS) {
            rc = array_rows(s, b, rows, n, how, err);
        } else {
            n = n ? n : arrays && left >= ARRAY_ROWS ? 1 : left;
            rc = text_rows(s, b, rows, n, how, err);
        }
        rows += n;
        left -= n;
    }
    return rc;
}

/* --- safe mode: the same changes again do no harm --- */

/* A full UPDATE of a row that keeps its key is a REPLACE; one that moves is DELETE and REPLACE. */
static int safe_update(struct sink *s, const struct sink_batch *b, const struct value *row,
                       struct err *err)
{
    const struct target_table *t = b->table;
    const struct value *old = row + t->n_cols;
    struct sink_batch one = *b;
    int rc;

    one.n_rows = 1;
    if (!statement_full(t, row) || t->n_key == 0) {
        one.rows = &row;
        return rows_as(s, &one, STATEMENT_INSERT, err);
    }
    one.kind = ROWS_DELETE;
    one.rows = &old;
    rc = rows_as(s, &one, STATEMENT_INSERT, err);
    if (rc < 0)
        return rc;
    one.kind = ROWS_INSERT;
    one.rows = &row;
    return rows_as(s, &one, STATEMENT_REPLACE, err);
}

static int safe_rows(struct sink *s, const struct sink_batch *b, struct err *err)
{
    int rc = 0;

    if (b->kind != ROWS_UPDATE)
        return rows_as(s, b, b->kind == ROWS_INSERT ? STATEMENT_REPLACE : STATEMENT_INSERT, err);
    for (size_t i = 0; i < b->n_rows && rc == 0; i++)
        rc = safe_update(s, b, b->rows[i], err);
    return rc;
}

static void set_unchecked(struct sink *s, bool unchecked)
{
    if (unchecked == s->no_foreign_key_checks)
        return;
    add_statement(s, unchecked ? "SET SESSION foreign_key_checks=0"
                               : "SET SESSION foreign_key_checks=1");
    s->no_foreign_key_checks = unchecked;
}

int sink_unchecked(struct sink *s, bool unchecked, struct err *err)
{
    set_unchecked(s, unchecked);
    return packet_flush_if_full(&s->packet, err);
}

int sink_rows(struct sink *s, const struct sink_batch *b, struct err *err)
{
    if (b->n_rows == 0)
        return 0;
    set_unchecked(s, b->no_foreign_key_checks);
    return b->safe ? safe_rows(s, b, err) : rows_as(s, b, STATEMENT_INSERT, err);
}

/* --- the end of a transaction --- */

int sink_commit(struct sink *s, struct err *err)
{
    int rc = packet_must_look(&s->packet) ? packet_flush(&s->packet, err) : 0;

    if (rc < 0)
        return rc;
    add_statement(s, "COMMIT");
    rc = packet_flush(&s->packet, err);
    if (rc < 0)
        return rc;
    if (!s->beside)
        checkpoint_advanced(s->cp, &s->pos, s->sub_seq);
    s->open = false;
    return 0;
}

void sink_rollback(struct sink *s)
{
    struct err ignored = ERR_INIT;

    packet_clear(&s->packet);
    if (s->open && s->packet.sent)
        mysql_conn_execf(s->conn, &ignored, "ROLLBACK");
    mysql_conn_execf(s->conn, &ignored,
                     "SET SESSION foreign_key_checks=1,sql_mode='" STRICT_MODE "'");
    s->no_foreign_key_checks = false;
    s->open = false;
}
