/*
 * Rows as multi-row INSERTs.  While the target works on one statement, the
 * next is made from the rows that arrive; every few megabytes the last key
 * goes into the same transaction, and it is committed.
 *
 * Sessions let invalid dates and the ENUM's index 0 through, so strictness is
 * ours: a statement with more warnings than expected is undone and its first
 * row in question is named.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/escape.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"
#include "unit/read/read_range.h"
#include "unit/retry.h"

enum {
    STATEMENT_BYTES = 1 << 20,
    STATEMENT_ROWS = 10000,
    CHUNK_BYTES = 16 << 20, /* of one transaction */
};

/* --- what to do with rows that the target has --- */

void copy_insert_head(const struct copy *c, const struct copy_table *t, struct buf *sql)
{
    sql_add(sql, "%r INTO %i.%i (%r) VALUES ",
            c->job->on_duplicate == ON_DUPLICATE_REPLACE ? "REPLACE" : "INSERT", t->to.to_schema,
            t->to.to_table, t->columns.names);
}

/* A column of the row that is there becomes itself: unlike INSERT IGNORE this lets nothing else
 * pass. */
void copy_insert_tail(const struct copy *c, const struct copy_table *t, struct buf *sql)
{
    if (c->job->on_duplicate == ON_DUPLICATE_IGNORE)
        sql_add(sql, " ON DUPLICATE KEY UPDATE %r = %i.%r", t->columns.first, t->to.to_table,
                t->columns.first);
}

bool copy_insert_fits(const struct copy *c, uint64_t affected, unsigned n_rows)
{
    return c->job->on_duplicate == ON_DUPLICATE_REPLACE ? affected >= n_rows : affected == n_rows;
}

/* --- statements --- */

struct statement {
    struct buf sql;
    unsigned n_rows;
    uint64_t warnings; /* expected */
    size_t *rows;      /* where each begins in 'sql', to name one */
};

struct inserter {
    struct copy_worker *w;
    struct copy_table *t;
    struct read_range *range;
    struct copy_rows rows;
    struct statement two[2], *next, *sent; /* 'sent' is NULL when none is under way */
    struct buf head, tail, at;
    bool whole, in_transaction;
    size_t statement_bytes; /* about the size of one */
    size_t chunk_most;      /* bytes of a transaction, about */
    size_t chunk_bytes;
    uint64_t chunk_rows;
    uint64_t taken; /* rows since the last commit */
};

static void value_add(struct buf *out, const struct read_column *c, const char *value, size_t size)
{
    static const char *const open[] = { [READ_NUMBER] = "",
                                        [READ_PLAIN] = "'",
                                        [READ_BYTES] = "_binary'",
                                        [READ_TEXT] = "_utf8mb4'",
                                        [READ_INDEX] = "" };

    if (!value) {
        buf_add(out, "NULL", 4);
        return;
    }
    buf_str(out, open[c->kind]);
    if (c->kind < READ_BYTES || c->kind == READ_INDEX) {
        buf_add(out, value, size);
    } else if (buf_reserve(out, 2 * size)) {
        out->size += escape_sql(out->data + out->size, value, size);
        out->data[out->size] = '\0';
    }
    if (*open[c->kind])
        buf_byte(out, '\'');
}

static void row_add(struct inserter *in, const struct mysql_row *row)
{
    const struct read_columns *columns = &in->t->columns;
    struct statement *s = in->next;

    if (s->n_rows == 0) {
        buf_clear(&s->sql);
        buf_add(&s->sql, in->head.data, in->head.size);
    }
    s->rows[s->n_rows] = s->sql.size;
    for (unsigned i = 0; i < columns->n; i++) {
        const struct read_column *c = &columns->cols[i];

        buf_str(&s->sql, i ? "," : s->n_rows ? ",(" : "(");
        value_add(&s->sql, c, row->values[i], row->sizes[i]);
        s->warnings += read_column_warns(c, row->values[i], row->sizes[i]);
    }
    buf_byte(&s->sql, ')');
    s->n_rows++;
}

/* One row of a statement alone: does the target take it? */
static bool row_fits(struct inserter *in, const struct statement *s, unsigned i)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct err ignored = ERR_INIT;
    size_t from = s->rows[i] + (i > 0); /* the comma */
    size_t end = i + 1 < s->n_rows ? s->rows[i + 1] : s->sql.size;

    buf_add(&sql, in->head.data, in->head.size);
    buf_add(&sql, s->sql.data + from, end - from);
    if (i + 1 < s->n_rows) /* the last has it */
        buf_add(&sql, in->tail.data, in->tail.size);
    return mysql_conn_exec(in->w->target, slice_of(sql.data, sql.size), NULL, &ignored) == 0;
}

/* The row, from 1, that a server refused without saying which, as it does for a CHECK; 0: none by
 * itself.  In a transaction that the caller rolls back. */
static unsigned long row_refused(struct inserter *in, const struct statement *s)
{
    struct err ignored = ERR_INIT;

    if (sql_exec(in->w->target, &ignored, "ROLLBACK") < 0 ||
        sql_exec(in->w->target, &ignored, "START TRANSACTION") < 0)
        return 0;
    for (unsigned i = 0; i < s->n_rows; i++)
        if (!row_fits(in, s, i))
            return i + 1;
    return 0;
}

/* Names the row of a statement that was refused: "... at row 17" is what servers say. */
static int row_named(struct inserter *in, const struct statement *s, const struct err *server,
                     struct err *err)
{
    const char *message = server->text, *at = strstr(message, "at row ");
    unsigned long row = at ? strtoul(at + 7, NULL, 10) : 0;
    char text[200] = "";
    int code = server->code;

    if (!row && server->sql && retry_kind_of(server) == RETRY_NEVER)
        row = row_refused(in, s);
    if (row >= 1 && row <= s->n_rows) {
        size_t from = s->rows[row - 1] + (row > 1); /* the comma */
        size_t size = (row < s->n_rows ? s->rows[row] : s->sql.size) - from;

        snprintf(text, sizeof text, "%.*s", (int)(size < 190 ? size : 190), s->sql.data + from);
    }
    return err_set(err, code, "%s; the row: %s", message,
                   text[0] ? text : "not named by the server");
}

/* More or fewer warnings than expected: the first that is not an ENUM's. */
static int warning_named(struct inserter *in, const struct statement *s, unsigned n,
                         struct err *err)
{
    struct mysql_result *r;
    struct mysql_row row;
    struct err found = ERR_INIT;
    int rc = sql_query(in->w->target, &r, err, "SHOW WARNINGS");

    if (rc < 0)
        return rc;
    while (mysql_result_next(r, &row, err) > 0)
        if (!found.code || s->warnings == 0 || mysql_row_u64(&row, 1) != 1265)
            err_set(&found, -EILSEQ, "%.*s", (int)row.sizes[2], row.values[2]);
    mysql_result_free(r);
    if (!found.code)
        return err_set(err, -EILSEQ, "%u warnings where %llu were expected", n,
                       (unsigned long long)s->warnings);
    return row_named(in, s, &found, err);
}

/* What the target says to the statement under way. */
static int insert_wait(struct inserter *in, struct err *err)
{
    struct statement *s = in->sent;
    uint64_t affected = 0;
    unsigned n_done = 0;
    int rc;

    if (!s)
        return 0;
    in->sent = NULL;
    rc = mysql_conn_recv(in->w->target, &n_done, &affected, err);
    if (rc < 0 && err->sql) {
        struct err server = *err;

        (void)row_named(in, s, &server, err);
        err->sql = server.sql;
        memcpy(err->sqlstate, server.sqlstate, sizeof err->sqlstate);
    } else if (rc == 0 && mysql_conn_warnings(in->w->target) != s->warnings) {
        rc = warning_named(in, s, mysql_conn_warnings(in->w->target), err);
    } else if (rc == 0 && !copy_insert_fits(in->w->copy, affected, s->n_rows)) {
        rc = err_set(err, -EILSEQ, "%llu of %u rows were taken", (unsigned long long)affected,
                     s->n_rows);
    }
    in->chunk_rows += s->n_rows;
    s->n_rows = 0;
    s->warnings = 0;
    return rc < 0 ? err_because(err, REASON_TARGET) : rc;
}

static int insert_send(struct inserter *in, struct err *err)
{
    int rc = insert_wait(in, err);

    if (rc == 0 && !in->in_transaction) {
        rc = copy_begin(in->w, err);
        in->in_transaction = rc == 0;
    }
    buf_add(&in->next->sql, in->tail.data, in->tail.size);
    if (rc == 0)
        rc = mysql_conn_send(in->w->target, slice_of(in->next->sql.data, in->next->sql.size), err);
    if (rc < 0)
        return rc;
    in->chunk_bytes += in->next->sql.size;
    in->sent = in->next;
    in->next = in->sent == &in->two[0] ? &in->two[1] : &in->two[0];
    return 0;
}

/* Commits what was inserted, with the range's new state. */
static int chunk_end(struct inserter *in, bool done, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct read_range row = *in->range;
    int rc = in->next->n_rows ? insert_send(in, err) : 0;

    if (rc == 0)
        rc = insert_wait(in, err);
    if (rc == 0 && !in->in_transaction)
        rc = copy_begin(in->w, err);
    if (rc < 0)
        return rc;
    row.done = done;
    row.rows += in->chunk_rows;
    if (in->at.size)
        row.at = in->at.data;
    copy_state_sql_range(&sql, in->w->copy->job, in->t->def->db, in->t->def->name, &row);
    rc = mysql_conn_exec(in->w->target, slice_of(sql.data, sql.size), NULL, err);
    if (rc == 0)
        rc = sql_exec(in->w->target, err, "COMMIT");
    if (rc < 0)
        return rc;
    if (in->at.size) {
        free(in->range->at);
        in->range->at = xstrdup(in->at.data);
    }
    in->range->done = done;
    in->range->rows = row.rows;
    in->in_transaction = false;
    in->chunk_bytes = 0;
    in->chunk_rows = 0;
    atomic_fetch_sub(&in->w->copy->in_flight, in->taken);
    in->taken = 0;
    return 0;
}

static size_t row_text_most(const struct mysql_row *row)
{
    size_t size = 0;

    for (unsigned i = 0; i < row->n_cols; i++)
        size += 2 * row->sizes[i] + 16;
    return size;
}

/* Alone, and not as text. */
static int row_take_big(struct inserter *in, const struct mysql_row *row, struct err *err)
{
    int rc = in->next->n_rows ? insert_send(in, err) : 0;

    if (rc == 0)
        rc = insert_wait(in, err);
    if (rc == 0 && !in->in_transaction) {
        rc = copy_begin(in->w, err);
        in->in_transaction = rc == 0;
    }
    if (rc == 0)
        rc = copy_big_row(in->w, in->t, row, err);
    in->chunk_rows += rc == 0;
    in->chunk_bytes += row_text_most(row) / 2;
    return rc;
}

static int row_take(struct inserter *in, const struct mysql_row *row, struct err *err)
{
    struct statement *s = in->next;
    size_t before = s->n_rows ? s->sql.size : 0;
    bool big = row_text_most(row) > in->statement_bytes &&
               row_text_most(row) + in->statement_bytes > in->w->copy->max_packet;
    int rc = 0;

    if (!big)
        row_add(in, row);
    in->taken++;
    atomic_fetch_add_explicit(&in->w->copy->in_flight, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&in->t->rows, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&in->t->bytes, big ? row_text_most(row) / 2 : s->sql.size - before,
                              memory_order_relaxed);
    if (!big && s->sql.size < in->statement_bytes && s->n_rows < STATEMENT_ROWS)
        return 0;
    rc = big ? row_take_big(in, row, err) : insert_send(in, err);
    if (rc == 0 && !in->whole && in->chunk_bytes >= in->chunk_most) {
        buf_clear(&in->at);
        copy_rows_at(&in->rows, row, &in->at);
        rc = chunk_end(in, false, err);
    }
    return rc;
}

static int insert_rows(struct inserter *in, struct err *err)
{
    struct mysql_row row;
    int rc;

    while ((rc = copy_rows_next(&in->rows, &row, err)) > 0) {
        rc = row_take(in, &row, err);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return copy_stale(err, rc);
    return chunk_end(in, true, err);
}

static size_t least(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

int copy_insert(struct copy_worker *w, struct copy_table *t, struct read_range *r, struct err *err)
{
    struct inserter in = { .w = w, .t = t, .range = r };
    int rc = copy_rows_open(&in.rows, w, t, r, true, err);

    if (rc < 0)
        return rc;
    in.next = &in.two[0];
    in.chunk_most = least(CHUNK_BYTES, w->copy->bulk_max_bytes);
    in.statement_bytes = least(STATEMENT_BYTES, least(w->copy->max_packet / 4, in.chunk_most / 2));
    in.whole = t->merged && !t->resumable;
    for (unsigned i = 0; i < 2; i++)
        in.two[i].rows = xcalloc(STATEMENT_ROWS, sizeof *in.two[i].rows);
    copy_insert_head(w->copy, t, &in.head);
    copy_insert_tail(w->copy, t, &in.tail);
    rc = insert_rows(&in, err);
    if (rc < 0) {
        struct err ignored = ERR_INIT;

        rc = copy_stale_there(err, rc);
        if (in.sent)
            (void)insert_wait(&in, &ignored);
        (void)sql_exec(w->target, &ignored, "ROLLBACK");
        atomic_fetch_sub(&w->copy->in_flight, in.taken);
    }
    copy_rows_close(&in.rows, rc < 0 && rc != -ESTALE);
    for (unsigned i = 0; i < 2; i++) {
        buf_fini(&in.two[i].sql);
        free(in.two[i].rows);
    }
    buf_fini(&in.head);
    buf_fini(&in.tail);
    buf_fini(&in.at);
    return rc;
}
