/* sluice_refill: what is copied again, in the target. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "sink/checkpoint.h"
#include "unit/refill/refill.h"

const char *const refill_state_names[] = { "new", "loading", "settling", "done", "failed", NULL };

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS %i.sluice_refill (task VARBINARY(255) NOT NULL,"
    " source VARBINARY(255) NOT NULL, db VARBINARY(192) NOT NULL, tab VARBINARY(192) NOT NULL,"
    " state VARBINARY(16) NOT NULL, predicate LONGBLOB NOT NULL, flags INT UNSIGNED NOT NULL,"
    " row_key BLOB NOT NULL, last_key LONGBLOB NOT NULL, n_rows BIGINT UNSIGNED NOT NULL,"
    " estimated BIGINT UNSIGNED NOT NULL, server VARBINARY(128) NOT NULL,"
    " skip_file VARBINARY(255) NOT NULL, skip_offset BIGINT UNSIGNED NOT NULL,"
    " skip_gtids LONGBLOB NOT NULL, ddl_file VARBINARY(255) NOT NULL,"
    " ddl_offset BIGINT UNSIGNED NOT NULL, ddl_gtids LONGBLOB NOT NULL,"
    " settled_file VARBINARY(255) NOT NULL, settled_offset BIGINT UNSIGNED NOT NULL,"
    " settled_gtids LONGBLOB NOT NULL, reason LONGBLOB NOT NULL,"
    " PRIMARY KEY (task, source, db, tab)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC";

static const char columns[] =
    "db,tab,state,predicate,flags,row_key,last_key,n_rows,estimated,server,skip_file,skip_offset,"
    "skip_gtids,ddl_file,ddl_offset,ddl_gtids,settled_file,settled_offset,settled_gtids,reason";

enum { FLAG_CREATE = 1, FLAG_KEEP = 2, FLAG_WHOLE = 4, FLAG_ROWS = 8, FLAG_REPLACE = 16 };

static unsigned flags_of(const struct refill_row *r)
{
    return (r->create ? FLAG_CREATE : 0) | (r->keep_extra ? FLAG_KEEP : 0) |
           (r->whole ? FLAG_WHOLE : 0) | (r->rows_only ? FLAG_ROWS : 0) |
           (r->replace ? FLAG_REPLACE : 0);
}

void refill_row_fini(struct refill_row *r)
{
    free(r->schema);
    free(r->table);
    free(r->where);
    free(r->key);
    free(r->at);
    free(r->reason);
    position_fini(&r->skip);
    position_fini(&r->ddl);
    position_fini(&r->settled);
    *r = (struct refill_row){ .schema = NULL };
}

void refill_rows_free(struct refill_row *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        refill_row_fini(&rows[i]);
    free(rows);
}

int refill_state_create(struct mysql_conn *target, const struct job *job, struct err *err)
{
    int rc = checkpoint_prepare(target, job->meta_schema, err);

    return rc < 0 ? rc : sql_exec(target, err, create_table, job->meta_schema);
}

static const char *plain(const char *text)
{
    return text ? text : "";
}

static void add_position(struct buf *out, const struct position *p)
{
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;

    if (p->gtids)
        gtid_set_print(p->gtids, &gtids);
    sql_add(out, ",%q,%u,%q", p->file, p->offset, gtids.data ? gtids.data : "");
}

void refill_state_sql(struct buf *out, const struct job *job, const struct refill_row *r)
{
    sql_add(out,
            "REPLACE INTO %i.sluice_refill (task,source,%r) VALUES "
            "(%q,%q,%q,%q,%q,%q,%u,%q,%q,%u,%u,%q",
            job->meta_schema, columns, job->task, job->source, r->schema, r->table,
            refill_state_names[r->state], plain(r->where), (uint64_t)flags_of(r), plain(r->key),
            plain(r->at), r->rows, r->estimated, r->source_id);
    add_position(out, &r->skip);
    add_position(out, &r->ddl);
    add_position(out, &r->settled);
    sql_add(out, ",%q)", plain(r->reason));
}

/* --- reading --- */

static int read_position(const struct mysql_row *row, unsigned col, enum flavor flavor,
                         struct position *ret, struct err *err)
{
    SCOPED(freep) char *gtids = mysql_row_text(row, col + 2);

    snprintf(ret->file, sizeof ret->file, "%.*s", (int)row->sizes[col], row->values[col]);
    ret->offset = mysql_row_u64(row, col + 1);
    return gtids[0] ? gtid_set_parse(&ret->gtids, flavor, gtids, err) : 0;
}

static enum refill_state state_of(const struct mysql_row *row, unsigned col)
{
    struct slice name = slice_of(row->values[col], row->sizes[col]);

    for (unsigned i = 0; refill_state_names[i]; i++)
        if (slice_eq(name, slice_str(refill_state_names[i])))
            return (enum refill_state)i;
    return REFILL_FAILED;
}

static int read_row(const struct mysql_row *row, enum flavor flavor, struct refill_row *ret,
                    struct err *err)
{
    uint64_t flags = mysql_row_u64(row, 4);
    int rc;

    *ret = (struct refill_row){ .schema = mysql_row_text(row, 0),
                                .table = mysql_row_text(row, 1),
                                .state = state_of(row, 2),
                                .where = mysql_row_text(row, 3),
                                .create = flags & FLAG_CREATE,
                                .keep_extra = flags & FLAG_KEEP,
                                .whole = flags & FLAG_WHOLE,
                                .rows_only = flags & FLAG_ROWS,
                                .replace = flags & FLAG_REPLACE,
                                .key = mysql_row_text(row, 5),
                                .at = mysql_row_text(row, 6),
                                .rows = mysql_row_u64(row, 7),
                                .estimated = mysql_row_u64(row, 8),
                                .reason = mysql_row_text(row, 19) };
    snprintf(ret->source_id, sizeof ret->source_id, "%.*s", (int)row->sizes[9], row->values[9]);
    rc = read_position(row, 10, flavor, &ret->skip, err);
    if (rc == 0)
        rc = read_position(row, 13, flavor, &ret->ddl, err);
    return rc == 0 ? read_position(row, 16, flavor, &ret->settled, err) : rc;
}

int refill_state_read(struct mysql_conn *target, const struct job *job, enum flavor flavor,
                      struct refill_row **ret, unsigned *n, struct err *err)
{
    struct refill_row *rows = NULL;
    struct mysql_result *res;
    struct mysql_row row;
    unsigned n_rows = 0;
    int rc = sql_query(target, &res, err,
                       "SELECT %r FROM %i.sluice_refill WHERE task=%q AND source=%q "
                       "ORDER BY db, tab",
                       columns, job->meta_schema, job->task, job->source);

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        rows = xrealloc(rows, (n_rows + 1) * sizeof *rows);
        rc = read_row(&row, flavor, &rows[n_rows++], err);
        if (rc < 0)
            break;
    }
    mysql_result_free(res);
    if (rc < 0) {
        refill_rows_free(rows, n_rows);
        return err_wrap(err, "reading what is copied again");
    }
    *ret = rows;
    *n = n_rows;
    return 0;
}

/* --- asking --- */

static int busy(struct mysql_conn *c, const struct job *job, const struct refill_row *want,
                struct err *err)
{
    SCOPED(freep) char *state = NULL;
    int rc = sql_scalar(c, &state, err,
                        "SELECT state FROM %i.sluice_refill WHERE task=%q AND source=%q AND "
                        "db=%q AND tab=%q FOR UPDATE",
                        job->meta_schema, job->task, job->source, want->schema, want->table);

    if (rc == -ENOENT) {
        *err = ERR_INIT;
        return 0;
    }
    if (rc < 0 || strcmp(state, "done") == 0 || strcmp(state, "failed") == 0)
        return rc;
    return err_set(err, -EBUSY, "table %s.%s is being copied already: it is %s", want->schema,
                   want->table, state);
}

static int write_row(struct mysql_conn *c, const struct job *job, const struct refill_row *want,
                     struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = mysql_conn_execf(c, err, "BEGIN");

    if (rc == 0)
        rc = busy(c, job, want, err);
    refill_state_sql(&sql, job, want);
    if (rc == 0)
        rc = mysql_conn_exec(c, slice_of(sql.data, sql.size), NULL, err);
    return rc == 0 ? mysql_conn_execf(c, err, "COMMIT") : rc;
}

int refill_ask(const struct job *job, const struct refill_row *want, struct err *err)
{
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return err_of_target(err);
    rc = refill_state_create(c, job, err);
    if (rc == 0)
        rc = write_row(c, job, want, err);
    mysql_conn_close(c);
    return rc;
}
