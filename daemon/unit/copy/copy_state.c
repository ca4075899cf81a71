#include "unit/copy/copy_state.h"

#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"

const char *const copy_table_state_names[] = { "new", "loading", "loaded", "done", NULL };

/* Names are compared byte by byte, hence VARBINARY. */
static const char *const create_sql[] = {
    "CREATE TABLE IF NOT EXISTS %i.sluice_copy ("
    "task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, finished TINYINT NOT NULL, "
    "PRIMARY KEY (task, source)) ENGINE=InnoDB",

    "CREATE TABLE IF NOT EXISTS %i.sluice_copy_round ("
    "task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, round INT UNSIGNED NOT NULL, "
    "flavor INT NOT NULL, "
    "low_file VARBINARY(255) NOT NULL, low_offset BIGINT UNSIGNED NOT NULL, low_gtids LONGBLOB, "
    "high_file VARBINARY(255) NOT NULL, high_offset BIGINT UNSIGNED NOT NULL, "
    "high_gtids LONGBLOB, PRIMARY KEY (task, source, round)) ENGINE=InnoDB",

    "CREATE TABLE IF NOT EXISTS %i.sluice_copy_table ("
    "task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, "
    "db VARBINARY(192) NOT NULL, tab VARBINARY(192) NOT NULL, "
    "state VARBINARY(16) NOT NULL, shape BIGINT UNSIGNED NOT NULL, "
    "first_round INT UNSIGNED NOT NULL, last_round INT UNSIGNED NOT NULL, "
    "n_rows BIGINT UNSIGNED NOT NULL, PRIMARY KEY (task, source, db, tab)) "
    "ENGINE=InnoDB ROW_FORMAT=DYNAMIC",

    "CREATE TABLE IF NOT EXISTS %i.sluice_copy_range ("
    "task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, "
    "db VARBINARY(192) NOT NULL, tab VARBINARY(192) NOT NULL, no INT UNSIGNED NOT NULL, "
    "low BLOB, high BLOB, last_key LONGBLOB, finished TINYINT NOT NULL, "
    "n_rows BIGINT UNSIGNED NOT NULL, PRIMARY KEY (task, source, db, tab, no)) "
    "ENGINE=InnoDB ROW_FORMAT=DYNAMIC",
};

static const char *const state_tables[] = { "sluice_copy", "sluice_copy_round", "sluice_copy_table",
                                            "sluice_copy_range" };

int copy_state_create(struct mysql_conn *target, const struct job *job, struct err *err)
{
    int rc = sql_exec(target, err, "CREATE DATABASE IF NOT EXISTS %i", job->meta_schema);

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(create_sql); i++)
        rc = sql_exec(target, err, create_sql[i], job->meta_schema);
    return rc < 0 ? err_wrap(err, "making the copy's tables in %s", job->meta_schema) : 0;
}

int copy_state_forget(struct mysql_conn *target, const struct job *job, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(state_tables); i++) {
        int rc = sql_exec(target, err, "DELETE FROM %i.%i WHERE task = %q AND source = %q",
                          job->meta_schema, state_tables[i], job->task, job->source);

        if (rc < 0 && err->sql != 1146 && err->sql != 1049) /* no such table, no such database */
            return err_wrap(err, "forgetting the copy");
    }
    return 0;
}

static char *gtids_text(const struct position *p)
{
    struct buf b = BUF_INIT;

    if (!p->gtids)
        return NULL;
    gtid_set_print(p->gtids, &b);
    return buf_steal(&b);
}

int copy_state_add_round(struct mysql_conn *target, const struct job *job,
                         const struct position *low, const struct position *high, unsigned *ret,
                         struct err *err)
{
    SCOPED(freep) char *low_gtids = gtids_text(low);
    SCOPED(freep) char *high_gtids = gtids_text(high);
    SCOPED(freep) char *last = NULL;
    enum flavor flavor = low->gtids ? gtid_set_flavor(low->gtids) : FLAVOR_MARIADB;
    uint64_t round = 0;
    int rc = sql_scalar(target, &last, err,
                        "SELECT COALESCE(MAX(round), 0) FROM %i.sluice_copy_round "
                        "WHERE task = %q AND source = %q",
                        job->meta_schema, job->task, job->source);

    if (rc < 0)
        return err_wrap(err, "reading the copy's rounds");
    round = strtoull(last, NULL, 10) + 1;
    rc = sql_exec(target, err,
                  "INSERT INTO %i.sluice_copy_round VALUES "
                  "(%q, %q, %u, %u, %q, %u, %q, %q, %u, %q)",
                  job->meta_schema, job->task, job->source, round, (uint64_t)flavor, low->file,
                  low->offset, low_gtids, high->file, high->offset, high_gtids);
    if (rc < 0)
        return err_wrap(err, "recording the snapshot's position");
    *ret = (unsigned)round;
    return 0;
}

static void table_values(struct buf *out, const struct job *job, const struct copy_table_row *row)
{
    sql_add(out, "(%q, %q, %q, %q, %q, %u, %u, %u, %u)", job->task, job->source, row->schema,
            row->table, copy_table_state_names[row->state], row->shape, (uint64_t)row->first_round,
            (uint64_t)row->last_round, row->rows);
}

static void copy_state_sql_table(struct buf *out, const struct job *job,
                                 const struct copy_table_row *row)
{
    sql_add(out, "REPLACE INTO %i.sluice_copy_table VALUES ", job->meta_schema);
    table_values(out, job, row);
}

int copy_state_put_table(struct mysql_conn *target, const struct job *job,
                         const struct copy_table_row *row, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    copy_state_sql_table(&sql, job, row);
    rc = mysql_conn_exec(target, slice_of(sql.data, sql.size), NULL, err);
    return rc < 0 ? err_wrap(err, "recording the state of %s.%s", row->schema, row->table) : 0;
}

static void range_values(struct buf *out, const struct job *job, const char *schema,
                         const char *table, const struct read_range *row)
{
    sql_add(out, "(%q, %q, %q, %q, %u, %q, %q, %q, %u, %u)", job->task, job->source, schema, table,
            (uint64_t)row->no, row->low, row->high, row->at, (uint64_t)row->done, row->rows);
}

void copy_state_sql_range(struct buf *out, const struct job *job, const char *schema,
                          const char *table, const struct read_range *row)
{
    sql_add(out, "REPLACE INTO %i.sluice_copy_range VALUES ", job->meta_schema);
    range_values(out, job, schema, table, row);
}

int copy_state_put_ranges(struct mysql_conn *target, const struct job *job, const char *schema,
                          const char *table, const struct read_range *rows, unsigned n,
                          struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = sql_exec(target, err,
                      "DELETE FROM %i.sluice_copy_range "
                      "WHERE task = %q AND source = %q AND db = %q AND tab = %q",
                      job->meta_schema, job->task, job->source, schema, table);

    if (rc == 0 && n) {
        sql_add(&sql, "INSERT INTO %i.sluice_copy_range VALUES ", job->meta_schema);
        for (unsigned i = 0; i < n; i++) {
            buf_str(&sql, i ? ", " : "");
            range_values(&sql, job, schema, table, &rows[i]);
        }
        rc = mysql_conn_exec(target, slice_of(sql.data, sql.size), NULL, err);
    }
    return rc < 0 ? err_wrap(err, "recording the ranges of %s.%s", schema, table) : 0;
}

int copy_state_put_tables(struct mysql_conn *target, const struct job *job,
                          struct copy_table *const *all, unsigned n, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    sql_add(&sql, "REPLACE INTO %i.sluice_copy_table VALUES ", job->meta_schema);
    for (unsigned i = 0; i < n; i++) {
        buf_str(&sql, i ? ", " : "");
        table_values(&sql, job, &all[i]->row);
    }
    rc = mysql_conn_exec(target, slice_of(sql.data, sql.size), NULL, err);
    return rc < 0 ? err_wrap(err, "recording the state of %u tables", n) : 0;
}

static int put_many(struct mysql_conn *target, const struct job *job, struct copy_table *const *all,
                    unsigned n, struct err *err)
{
    SCOPED(buf_fini) struct buf forget = BUF_INIT, ranges = BUF_INIT;
    int rc;

    sql_add(&forget,
            "DELETE FROM %i.sluice_copy_range WHERE task = %q AND source = %q AND "
            "(db, tab) IN (",
            job->meta_schema, job->task, job->source);
    sql_add(&ranges, "INSERT INTO %i.sluice_copy_range VALUES ", job->meta_schema);
    for (unsigned i = 0, k = 0; i < n; i++) {
        const struct copy_table_row *row = &all[i]->row;

        sql_add(&forget, i ? ", (%q, %q)" : "(%q, %q)", row->schema, row->table);
        for (unsigned r = 0; r < all[i]->n_ranges; r++) {
            buf_str(&ranges, k++ ? ", " : "");
            range_values(&ranges, job, row->schema, row->table, &all[i]->ranges[r]);
        }
    }
    buf_byte(&forget, ')');
    rc = mysql_conn_exec(target, slice_of(forget.data, forget.size), NULL, err);
    if (rc == 0)
        rc = mysql_conn_exec(target, slice_of(ranges.data, ranges.size), NULL, err);
    return rc == 0 ? copy_state_put_tables(target, job, all, n, err) : rc;
}

int copy_state_put_new(struct mysql_conn *target, const struct job *job,
                       struct copy_table *const *all, unsigned n, struct err *err)
{
    struct err ignored = ERR_INIT;
    int rc = sql_exec(target, err, "START TRANSACTION");

    if (rc == 0)
        rc = put_many(target, job, all, n, err);
    if (rc == 0)
        rc = sql_exec(target, err, "COMMIT");
    if (rc == 0)
        return 0;
    (void)sql_exec(target, &ignored, "ROLLBACK");
    return err_wrap(err, "recording the state of %u tables", n);
}

static enum copy_table_state state_of(const struct mysql_row *row, unsigned col)
{
    struct slice name = slice_of(row->values[col], row->sizes[col]);

    for (unsigned i = 0; copy_table_state_names[i]; i++)
        if (slice_eq(name, slice_str(copy_table_state_names[i])))
            return (enum copy_table_state)i;
    return COPY_TABLE_NEW;
}

int copy_state_tables(struct mysql_conn *target, const struct job *job, struct copy_table_row **ret,
                      unsigned *n, struct err *err)
{
    struct copy_table_row *rows = NULL;
    struct mysql_result *r;
    struct mysql_row row;
    unsigned n_rows = 0;
    int rc = sql_query(target, &r, err,
                       "SELECT db, tab, state, shape, first_round, last_round, n_rows "
                       "FROM %i.sluice_copy_table WHERE task = %q AND source = %q "
                       "ORDER BY db, tab",
                       job->meta_schema, job->task, job->source);

    if (rc < 0)
        return err_wrap(err, "reading the state of the copy");
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        rows = xrealloc(rows, (n_rows + 1) * sizeof *rows);
        rows[n_rows++] = (struct copy_table_row){
            .schema = mysql_row_text(&row, 0),
            .table = mysql_row_text(&row, 1),
            .state = state_of(&row, 2),
            .shape = mysql_row_u64(&row, 3),
            .first_round = (unsigned)mysql_row_u64(&row, 4),
            .last_round = (unsigned)mysql_row_u64(&row, 5),
            .rows = mysql_row_u64(&row, 6),
        };
    }
    mysql_result_free(r);
    if (rc < 0) {
        copy_state_rows_free(rows, n_rows);
        return err_wrap(err, "reading the state of the copy");
    }
    *ret = rows;
    *n = n_rows;
    return 0;
}

void copy_state_rows_free(struct copy_table_row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(rows[i].schema);
        free(rows[i].table);
    }
    free(rows);
}

int copy_state_ranges(struct mysql_conn *target, const struct job *job, const char *schema,
                      const char *table, struct read_range **ret, unsigned *n, struct err *err)
{
    struct read_range *rows = NULL;
    struct mysql_result *r;
    struct mysql_row row;
    unsigned n_rows = 0;
    int rc = sql_query(target, &r, err,
                       "SELECT no, low, high, last_key, finished, n_rows "
                       "FROM %i.sluice_copy_range WHERE task = %q AND source = %q "
                       "AND db = %q AND tab = %q ORDER BY no",
                       job->meta_schema, job->task, job->source, schema, table);

    if (rc < 0)
        return err_wrap(err, "reading the ranges of %s.%s", schema, table);
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        rows = xrealloc(rows, (n_rows + 1) * sizeof *rows);
        rows[n_rows++] = (struct read_range){
            .no = (unsigned)mysql_row_u64(&row, 0),
            .low = mysql_row_text(&row, 1),
            .high = mysql_row_text(&row, 2),
            .at = mysql_row_text(&row, 3),
            .done = mysql_row_u64(&row, 4) != 0,
            .rows = mysql_row_u64(&row, 5),
        };
    }
    mysql_result_free(r);
    if (rc < 0) {
        read_ranges_free(rows, n_rows);
        return err_wrap(err, "reading the ranges of %s.%s", schema, table);
    }
    *ret = rows;
    *n = n_rows;
    return 0;
}

int copy_state_finish(struct mysql_conn *target, const struct job *job, struct err *err)
{
    int rc = sql_exec(target, err, "REPLACE INTO %i.sluice_copy VALUES (%q, %q, 1)",
                      job->meta_schema, job->task, job->source);

    return rc < 0 ? err_wrap(err, "recording the end of the copy") : 0;
}

int copy_state_finished(struct mysql_conn *target, const struct job *job, struct err *err)
{
    SCOPED(freep) char *finished = NULL;
    int rc = sql_scalar(target, &finished, err,
                        "SELECT finished FROM %i.sluice_copy WHERE task = %q AND source = %q",
                        job->meta_schema, job->task, job->source);

    if (rc == -ENOENT || (rc < 0 && (err->sql == 1146 || err->sql == 1049))) {
        *err = ERR_INIT;
        return 0;
    }
    if (rc < 0)
        return err_wrap(err, "reading whether the copy is finished");
    return finished[0] == '1';
}
