/*
 * A whole table as one LOAD DATA LOCAL.  The client library pulls: it asks for
 * bytes, and rows of the SELECT are turned into them where they are wanted,
 * without a copy in between.
 *
 * LOAD DATA LOCAL is lenient and the bulk path silent, so nothing
 * is believed: records must be what we sent, nothing skipped, and only the
 * warnings that we expect.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/scope.h"
#include "mysql/escape.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"

enum { ER_ERROR_DURING_COMMIT = 1180 };

/* MariaDB's bulk path waits for ever when one value is larger than its redo log, whose least size
 * this is. */
#define BULK_MAX_VALUE ((size_t)4 << 20)

struct bulk {
    struct copy_rows rows_in;
    const struct read_columns *columns;
    struct copy_table *table;
    struct mysql_row row;
    bool in_row;
    unsigned col; /* of 'row': all before it are written */
    size_t at;    /* bytes of that column that are written */
    uint64_t rows, bytes, warnings;
    _Atomic uint64_t *in_flight;
    int rc;
    struct err err;
};

/* The rest of the current row into 'to'; returns the bytes, 'in_row' stays if it did not fit. */
static size_t row_put(struct bulk *b, char *to, size_t room)
{
    char *out = to, *end = to + room;

    for (; b->col < b->columns->n; b->col++, b->at = 0) {
        const struct read_column *c = &b->columns->cols[b->col];
        const char *value = b->row.values[b->col];
        size_t size = b->row.sizes[b->col], used;

        if (end - out < 3) /* \N and what ends the column */
            return (size_t)(out - to);
        if (!value) {
            *out++ = '\\';
            *out++ = 'N';
        } else if (c->kind >= READ_BYTES || b->at || size + 1 > (size_t)(end - out)) {
            out += escape_tsv(out, (size_t)(end - out) - 1, value + b->at, size - b->at, &used);
            b->at += used;
            if (b->at < size)
                return (size_t)(out - to);
            b->warnings += read_column_warns(c, value, size);
        } else {
            memcpy(out, value, size);
            out += size;
        }
        *out++ = b->col + 1 == b->columns->n ? '\n' : '\t';
    }
    b->in_row = false;
    return (size_t)(out - to);
}

static int next_row(struct bulk *b)
{
    int rc = copy_rows_next(&b->rows_in, &b->row, &b->err);

    for (unsigned i = 0; i < b->columns->n && rc > 0; i++)
        if (b->row.sizes[i] > BULK_MAX_VALUE)
            rc = err_set(&b->err, -EILSEQ, "a value of %zu bytes is too large for one bulk load",
                         b->row.sizes[i]);
    if (rc <= 0)
        return rc;
    b->in_row = true;
    b->col = 0;
    b->at = 0;
    b->rows++;
    return 1;
}

static ssize_t bulk_read(void *arg, char *to, size_t size)
{
    struct bulk *b = arg;
    uint64_t before = b->rows;
    size_t done = 0;

    while (b->rc >= 0) {
        if (!b->in_row && (b->rc = next_row(b)) <= 0)
            break;
        done += row_put(b, to + done, size - done);
        if (b->in_row)
            break;
    }
    atomic_fetch_add_explicit(&b->table->rows, b->rows - before, memory_order_relaxed);
    atomic_fetch_add_explicit(b->in_flight, b->rows - before, memory_order_relaxed);
    atomic_fetch_add_explicit(&b->table->bytes, done, memory_order_relaxed);
    b->bytes += done;
    return b->rc < 0 && done == 0 ? -1 : (ssize_t)done;
}

static int load_rows(struct copy_worker *w, struct bulk *b, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct mysql_load_result r = { .records = 0 };
    int rc;

    /* The table's own warnings (an ENUM's index 0) are counted, so none may be hidden. */
    sql_add(&sql,
            "LOAD DATA LOCAL INFILE 'rows' INTO TABLE %i.%i CHARACTER SET binary "
            "FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' %r",
            b->table->to.to_schema, b->table->to.to_table, b->columns->load);
    rc = mysql_conn_load(w->target, slice_of(sql.data, sql.size), bulk_read, b, &r, err);
    if (b->rc < 0) { /* ours came first */
        *err = b->err;
        return copy_stale(err, b->rc);
    }
    if (rc < 0)
        return copy_stale_there(err, rc);
    if (r.records != b->rows || r.skipped || r.deleted || r.warnings != b->warnings)
        return err_set(err, -EILSEQ,
                       "the target took %llu of %llu rows, skipped %llu, with %llu warnings "
                       "(%llu expected)",
                       (unsigned long long)r.records, (unsigned long long)b->rows,
                       (unsigned long long)r.skipped, (unsigned long long)r.warnings,
                       (unsigned long long)b->warnings);
    return 0;
}

/* The state goes first, so that the transaction says what it is; the bulk path
 * still takes the LOAD after it. */
static int bulk_transaction(struct copy_worker *w, struct copy_table *t, struct bulk *b,
                            struct err *err)
{
    struct copy_table_row row = t->row;
    int rc = sql_exec(w->target, err, "SET unique_checks = 0");

    row.state = COPY_TABLE_LOADED;
    if (rc == 0)
        rc = copy_begin(w, err);
    if (rc == 0)
        rc = copy_state_put_table(w->target, w->copy->job, &row, err);
    if (rc == 0)
        rc = load_rows(w, b, err);
    row.rows = b->rows;
    if (rc == 0)
        rc = copy_state_put_table(w->target, w->copy->job, &row, err);
    if (rc == 0)
        rc = sql_exec(w->target, err, "COMMIT");
    if (rc == 0)
        rc = sql_exec(w->target, err, "SET unique_checks = 1");
    if (rc == 0)
        t->row = row;
    return rc;
}

int copy_bulk(struct copy_worker *w, struct copy_table *t, struct err *err)
{
    struct bulk b = { .columns = &t->columns, .table = t, .in_flight = &w->copy->in_flight };
    struct read_range all = { .no = 0 };
    struct err ignored = ERR_INIT;
    int rc = copy_rows_open(&b.rows_in, w, t, &all, false, err);

    if (rc < 0)
        return rc;
    rc = bulk_transaction(w, t, &b, err);
    if (rc < 0 && err->sql == ER_ERROR_DURING_COMMIT) /* rows equal in a key of the target's: */
        rc = err->code = -EILSEQ;                     /* INSERTs tell which */
    atomic_fetch_sub(b.in_flight, b.rows);
    copy_rows_close(&b.rows_in, rc < 0 && rc != -EILSEQ && rc != -ESTALE);
    if (rc == 0)
        return 0;
    atomic_fetch_sub(&t->rows, b.rows);
    atomic_fetch_sub(&t->bytes, b.bytes);
    (void)sql_exec(w->target, &ignored, "ROLLBACK");
    (void)sql_exec(w->target, &ignored, "SET unique_checks = 1");
    return rc;
}
