/* The target's side: the table, and a chunk of its rows in one transaction with the state. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "route/filter.h"
#include "unit/copy/copy_engine.h"
#include "unit/read/read_range.h"
#include "unit/read/read_snapshot.h"
#include "unit/refill/refill_priv.h"
#include "unit/sync/sync_aside.h"

#define KEYS_AT_ONCE 200 /* of single rows that are read by their keys */

/* --- the table --- */

static int make_database(struct refill_chunk *k, const struct copy *c, struct mysql_conn *to,
                         struct err *err)
{
    SCOPED(freep) char *name = NULL;
    struct collation_change there;
    int rc = sql_scalar(k->run->refill->source, &name, err,
                        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA "
                        "WHERE SCHEMA_NAME=_utf8mb4%q",
                        k->from->db);

    if (rc < 0)
        return rc;
    there = dialect_collation(c->from, c->to, name);
    return sql_exec(to, err, "CREATE DATABASE IF NOT EXISTS %i COLLATE %r", k->to_name.to_schema,
                    there.to);
}

static int make_table(struct refill_chunk *k, struct mysql_conn *to, struct err *err)
{
    struct sync_run *r = k->run;
    struct copy c = { .job = r->job,
                      .from = { r->flavor, r->version },
                      .to = { mysql_conn_flavor(to), mysql_conn_version(to) } };
    struct copy_table t = { .def = k->from, .create = k->create, .to = k->to_name };
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = make_database(k, &c, to, err);

    if (rc == 0)
        rc = copy_schema_text(&c, &t, &sql, err);
    return rc == 0 ? mysql_conn_exec(to, slice_of(sql.data, sql.size), NULL, err) : rc;
}

int refill_make(struct refill_chunk *k, struct err *err)
{
    struct sync_run *r = k->run;
    struct refill_entry *e = k->entry;
    struct mysql_conn *to = NULL;
    int rc = refill_moment(k, err);

    if (rc == 0)
        rc = refill_moment_after(k, err);
    if (rc == 0) { /* known to be of ours before it is there */
        e->row.create = true;
        position_copy(&e->row.ddl, &k->moment);
        snprintf(e->row.source_id, sizeof e->row.source_id, "%s", r->cp.source_id);
        rc = refill_write_state(r, e, err);
    }
    if (rc == 0)
        rc = job_link_target(&r->refill->link, NULL, &to, err);
    if (rc == 0)
        rc = make_table(k, to, err);
    if (to)
        job_link_close(&r->refill->link, to);
    refill_moment_end(k);
    if (rc < 0)
        return err_wrap(err, "making %s.%s", k->to_name.to_schema, k->to_name.to_table);
    e->absent = false;
    return sync_tables_changed(r->tables, e->row.schema, e->row.table, SYNC_CHANGE_CREATED,
                               r->cp.seq, err);
}

/* --- may it be done? --- */

/* Rows that point at the table's go with them there, and the binlog does not say so. */
static bool unlogged_cascades(const struct refill_chunk *k)
{
    const struct table_def *t = k->from;

    for (unsigned i = 0; i < t->n_foreign && !k->run->source_cascades; i++) {
        const struct table_foreign_key *f = &t->foreign[i];
        bool cascades =
            strcmp(f->on_delete, "CASCADE") == 0 || strcmp(f->on_delete, "SET NULL") == 0 ||
            strcmp(f->on_update, "CASCADE") == 0 || strcmp(f->on_update, "SET NULL") == 0;

        if (cascades && strcmp(f->to_table, t->name) == 0 && strcmp(f->to_db, t->db) == 0)
            return true;
    }
    return false;
}

static int has_rows(struct refill_chunk *k, struct err *err)
{
    SCOPED(freep) char *one = NULL;
    int rc = sql_scalar(k->run->admin, &one, err, "SELECT 1 FROM %i.%i LIMIT 1",
                        k->to_name.to_schema, k->to_name.to_table);

    if (rc != -ENOENT)
        return rc < 0 ? rc : 1;
    *err = ERR_INIT;
    return 0;
}

/* Rows whose deletes are left out are at the target on purpose. */
static bool leaves_deletes(const struct refill_chunk *k)
{
    const struct refill_row *row = &k->entry->row;

    return k->left.kinds & FILTER_ROWS_DELETE && !row->create && !row->rows_only;
}

static bool keeps_extra(const struct refill_chunk *k)
{
    return k->entry->row.keep_extra || leaves_deletes(k);
}

static int check(struct refill_chunk *k, struct err *err)
{
    const struct refill_row *row = &k->entry->row;
    const char *db = k->to_name.to_schema, *name = k->to_name.to_table;
    int rc;

    if (!k->to->transactional)
        return err_set(err, -ENOTSUP,
                       "%s.%s is of an engine without transactions: stop the task, copy the table "
                       "by hand, or ALTER TABLE ... ENGINE=InnoDB",
                       db, name);
    if (!k->key && (row->where[0] || row->rows_only))
        return err_set(err, -ENOTSUP,
                       "only all rows of it can be copied again: it has no key in whose order both "
                       "ends can be read, or foreign keys, or the source does not log full rows");
    if (!k->key && unlogged_cascades(k))
        return err_set(err, -ENOTSUP,
                       "rows of other tables go with its rows by foreign keys, which the source "
                       "does not log: copy the task anew (start with remove_meta)");
    if (!k->key && leaves_deletes(k))
        return err_set(err, -ENOTSUP,
                       "filters leave deletes of it out, and it has no key in whose order both "
                       "ends can be read: rows that only the target has would go");
    if (k->to->has_foreign_keys && aside_has(k->run->aside, db, name))
        return err_set(err, -ENOTSUP,
                       "it was set aside with the tables that its foreign keys join: release them");
    if (!row->create || row->replace || row->keep_extra || row->key[0])
        return 0;
    rc = has_rows(k, err);
    return rc <= 0 ? rc
                   : err_set(err, -EEXIST,
                             "%s.%s has rows that this task did not write: resnapshot it if they "
                             "are to go",
                             db, name);
}

static int fit(struct refill_chunk *k, struct err *err)
{
    SCOPED(freep) const char **names = xcalloc(k->from->n_cols + 1, sizeof *names);

    for (unsigned i = 0; i < k->from->n_cols; i++)
        names[i] = k->from->cols[i].name;
    refill_columns_init(&k->columns, k->from, k->to);
    return extra_target(k->run->job, k->from->db, k->from->name, k->to, names, k->from->n_cols,
                        &k->extra, &k->target, err);
}

/* --- its rows --- */

static void add_condition(struct buf *out, const char **between, const char *sql)
{
    buf_str(out, *between);
    buf_str(out, sql);
    *between = " AND ";
}

/* The rows of one end that belong to the chunk; 'upto': ... and not to the next. */
static void add_range(const struct refill_chunk *k, const struct table_def *t, const char *upto,
                      struct buf *out)
{
    const struct refill_row *row = &k->entry->row;
    SCOPED(buf_fini) struct buf range = BUF_INIT;
    const char *between = " WHERE ";

    if (row->rows_only) {
        const struct buf *rows = t == k->from ? &k->source_rows : &k->target_rows;

        add_condition(out, &between, rows->size ? rows->data : "FALSE");
        return;
    }
    if (t == k->from && k->wanted) {
        add_condition(out, &between, k->wanted);
    } else if (t != k->from && row->where[0]) {
        buf_printf(&range, "(%s)", row->where);
        add_condition(out, &between, range.data);
    }
    if (k->key && row->at[0]) {
        buf_clear(&range);
        read_range_after(&range, t, row->at);
        add_condition(out, &between, range.data);
    }
    if (k->key && upto) {
        buf_clear(&range);
        read_range_upto(&range, t, upto);
        add_condition(out, &between, range.data);
    }
}

/* Rows that are to be the source's again though the condition does not hold there any more. */
static int read_others(struct refill_chunk *k, const char *upto, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    struct refill_columns keys;
    struct mysql_result *res;
    struct mysql_row row;
    unsigned n = 0;
    int rc, got;

    refill_columns_init(&keys, k->to, NULL);
    sql_add(&sql, "SELECT %r FROM %i.%i", keys.select, k->to->db, k->to->name);
    refill_columns_fini(&keys);
    add_range(k, k->to, upto, &sql);
    rc = mysql_conn_query(k->run->admin, slice_of(sql.data, sql.size), true, &res, err);
    while (rc == 0 && (got = mysql_result_next(res, &row, err)) != 0) {
        SCOPED(buf_fini) struct buf at = BUF_INIT;

        rc = got < 0 ? got : 0;
        if (rc < 0)
            break;
        read_range_at(&at, k->to, read_range_key(k->to), &row);
        buf_str(&rest, n++ ? " OR " : " WHERE (");
        read_range_equal(&rest, k->from, at.data);
        if (n < KEYS_AT_ONCE)
            continue;
        buf_printf(&rest, ") AND NOT ((%s) IS TRUE)", k->wanted);
        rc = refill_rows(k, slice_of(rest.data, rest.size), false, err);
        buf_clear(&rest);
        n = 0;
    }
    mysql_result_free(res);
    if (rc < 0 || n == 0)
        return rc;
    buf_printf(&rest, ") AND NOT ((%s) IS TRUE)", k->wanted);
    return refill_rows(k, slice_of(rest.data, rest.size), false, err);
}

/* The next of the list of verify_state.c, as conditions at both ends. */
static int list_rows(struct refill_chunk *k, struct err *err)
{
    const struct job *job = k->run->job;
    const struct refill_row *e = &k->entry->row;
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(k->run->admin, &res, err,
                       "SELECT key_hash, row_key FROM %i.sluice_verify_row WHERE task=%q AND "
                       "source=%q AND db=%q AND tab=%q AND by_key=1 ORDER BY key_hash LIMIT "
                       "%u",
                       job->meta_schema, job->task, job->source, e->schema, e->table,
                       (uint64_t)KEYS_AT_ONCE);

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        SCOPED(freep) char *key = mysql_row_text(&row, 1);
        const char *between = k->n_listed++ ? " OR " : "(";

        buf_str(&k->source_rows, between);
        read_range_equal(&k->source_rows, k->from, key);
        buf_str(&k->target_rows, between);
        read_range_equal(&k->target_rows, k->to, key);
        buf_printf(&k->hashes, "%s%.*s", k->hashes.size ? "," : "", (int)row.sizes[0],
                   row.values[0]);
    }
    mysql_result_free(res);
    buf_str(&k->source_rows, k->n_listed ? ")" : "");
    buf_str(&k->target_rows, k->n_listed ? ")" : "");
    return rc;
}

static int unlist_rows(struct refill_chunk *k, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    const struct job *job = k->run->job;
    const struct refill_row *e = &k->entry->row;

    if (!k->n_listed)
        return 0;
    sql_add(&sql,
            "DELETE FROM %i.sluice_verify_row WHERE task=%q AND source=%q AND db=%q AND tab=%q "
            "AND key_hash IN (%r)",
            job->meta_schema, job->task, job->source, e->schema, e->table, k->hashes.data);
    return sink_statement(k->run->main.sink, slice_of(sql.data, sql.size), err);
}

/* All rows of a chunk in key order; *upto: the key of its last one, NULL for the table's last. */
static int read_chunk(struct refill_chunk *k, char **upto, struct err *err)
{
    SCOPED(buf_fini) struct buf rest = BUF_INIT;
    uint64_t limit = refill_limit(k);
    int rc = k->entry->row.rows_only ? list_rows(k, err) : 0;

    if (rc < 0)
        return rc;
    add_range(k, k->from, NULL, &rest);
    read_range_order(&rest, k->from);
    if (!k->entry->row.rows_only)
        buf_printf(&rest, " LIMIT %llu", (unsigned long long)limit);
    rc = refill_rows(k, slice_of(rest.data, rest.size), false, err);
    k->last = k->entry->row.rows_only ? k->n_listed < KEYS_AT_ONCE : k->n_rows < limit;
    *upto = k->last ? NULL : xstrdup(k->at.data ? k->at.data : "");
    if (rc == 0 && k->wanted)
        rc = read_others(k, *upto, err);
    return rc == 0 ? refill_moment_after(k, err) : rc;
}

/* --- the transaction --- */

static int take_back(struct refill_chunk *k, bool *aside, struct err *err)
{
    SCOPED(freep)
    char *name = xasprintf("%s.%s", k->to_name.to_schema, k->to_name.to_table);

    *aside = aside_has(k->run->aside, k->to_name.to_schema, k->to_name.to_table);
    return *aside ? sync_run_join(k->run, name, err) : 0;
}

static void next_state(const struct refill_chunk *k, const char *upto, struct refill_row *next)
{
    const struct sync_run *r = k->run;

    next->key = k->key_names;
    next->at = (char *)(upto ? upto : next->at);
    next->rows += k->n_rows;
    next->estimated = next->where[0] ? 0 : k->from->rows_estimate;
    next->whole = !k->key;
    next->state = k->key && upto ? REFILL_LOADING : REFILL_SETTLING;
    next->settled = k->moment;
    if (!k->key)
        next->skip = k->moment;
    if (!k->key || (next->create && !k->entry->row.key[0]))
        next->ddl = k->moment;
    snprintf(next->source_id, sizeof next->source_id, "%s", r->cp.source_id);
    next->reason = (char *)"";
}

static int write_rows(struct refill_chunk *k, const char *upto, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT, rest = BUF_INIT;
    struct sink *s = k->run->main.sink;
    int rc = sink_unchecked(s, true, err);

    sql_add(&sql, "DELETE FROM %i.%i", k->to->db, k->to->name);
    add_range(k, k->to, upto, &sql);
    if (rc == 0 && !keeps_extra(k))
        rc = sink_statement(s, slice_of(sql.data, sql.size), err);
    if (rc == 0 && !k->key) {
        add_range(k, k->from, NULL, &rest);
        rc = refill_rows(k, slice_of(rest.data, rest.size), true, err);
    }
    if (rc == 0)
        rc = group_write(&k->group, s, NULL, NULL, err);
    return rc == 0 ? sink_unchecked(s, false, err) : rc;
}

static int write_transaction(struct refill_chunk *k, const char *upto, struct refill_row *next,
                             bool *aside, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct sync_run *r = k->run;
    int rc;

    k->at_target = true;
    sink_begin(r->main.sink, &r->cp.pos, 0);
    rc = take_back(k, aside, err);
    if (rc == 0)
        rc = write_rows(k, upto, err);
    next_state(k, upto, next);
    refill_state_sql(&sql, r->job, next);
    if (rc == 0)
        rc = unlist_rows(k, err);
    if (rc == 0)
        rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc < 0)
        sink_rollback(r->main.sink);
    else
        k->at_target = false;
    return rc;
}

static void keep(struct refill_chunk *k, const struct refill_row *next)
{
    struct refill_row *row = &k->entry->row;
    char *key = xstrdup(next->key), *at = xstrdup(next->at);

    position_copy(&row->skip, &next->skip);
    position_copy(&row->ddl, &next->ddl);
    position_copy(&row->settled, &next->settled);
    free(row->key);
    free(row->at);
    free(row->reason);
    row->key = key;
    row->at = at;
    row->reason = xstrdup("");
    row->rows = next->rows;
    row->estimated = next->estimated;
    row->whole = next->whole;
    row->state = next->state;
    memcpy(row->source_id, next->source_id, sizeof row->source_id);
}

/* Another key than before, or another way: from the beginning. */
static void restart(struct refill_chunk *k)
{
    struct refill_row *row = &k->entry->row;

    if (!row->key[0] || strcmp(row->key, k->key_names) == 0)
        return;
    free(row->at);
    row->at = xstrdup("");
    row->rows = 0;
}

int refill_write(struct refill_chunk *k, struct err *err)
{
    SCOPED(freep) char *upto = NULL;
    struct refill_row next;
    bool aside = false;
    int rc = check(k, err);

    if (rc == 0)
        rc = fit(k, err);
    if (rc < 0)
        return rc;
    restart(k);
    next = k->entry->row;
    rc = refill_moment(k, err);
    if (rc == 0 && k->key)
        rc = read_chunk(k, &upto, err);
    if (rc == 0)
        rc = write_transaction(k, upto, &next, &aside, err);
    refill_moment_end(k);
    if (rc < 0)
        return rc;
    keep(k, &next);
    if (aside) {
        SCOPED(freep)
        char *name = xasprintf("%s.%s", k->to_name.to_schema, k->to_name.to_table);

        aside_drop(k->run->aside, name);
        sync_publish_aside(k->run);
    }
    return 0;
}

int refill_write_state(struct sync_run *r, struct refill_entry *e, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc;

    refill_state_sql(&sql, r->job, &e->row);
    sink_begin(r->main.sink, &r->cp.pos, 0);
    rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc < 0)
        sink_rollback(r->main.sink);
    return rc;
}
