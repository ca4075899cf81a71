/* The source's side: how a table is to be read, the moment of its rows, and the rows. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/read/read_range.h"
#include "unit/read/read_snapshot.h"
#include "unit/refill/refill_priv.h"

enum {
    CHUNK_ROWS = 5000,
    CHUNK_BYTES = 4 << 20,
    FLUSH_BYTES = 8 << 20, /* of a table that goes whole */
    ER_LOCK_WAIT_TIMEOUT = 1205,
    ER_TABLE_DEF_CHANGED = 1412,
};

void refill_chunk_fini(struct refill_chunk *k)
{
    group_fini(&k->group);
    target_table_free(k->target);
    refill_columns_fini(&k->columns);
    table_free(k->from);
    table_free(k->to);
    free(k->create);
    free(k->key_names);
    free(k->wanted);
    row_left_fini(&k->left);
    position_fini(&k->moment);
    buf_fini(&k->at);
    buf_fini(&k->source_rows);
    buf_fini(&k->target_rows);
    buf_fini(&k->hashes);
}

static int source(struct sync_run *r, struct mysql_conn **ret, struct err *err)
{
    int rc = r->refill->source ? 0 : job_link_source(&r->refill->link, &r->refill->source, err);

    *ret = r->refill->source;
    return rc;
}

/* --- how it is to be read --- */

static int show_create(struct mysql_conn *c, const struct refill_row *row, char **ret,
                       struct err *err)
{
    struct mysql_result *res;
    struct mysql_row found;
    int rc = sql_query(c, &res, err, "SHOW CREATE TABLE %i.%i", row->schema, row->table);

    if (rc < 0)
        return rc;
    rc = mysql_result_next(res, &found, err);
    if (rc > 0)
        *ret = mysql_row_text(&found, 1);
    mysql_result_free(res);
    return rc > 0 ? 0 : rc < 0 ? rc : -ENOENT;
}

static bool has_json(const struct table_def *t)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (t->cols[i].json)
            return true;
    return false;
}

/* A change that is applied to a row of a later moment must say all of the row. */
static int full_images(struct mysql_conn *c, const struct table_def *t, struct err *err)
{
    SCOPED(freep) char *image = NULL, *options = NULL;
    int rc = sql_scalar(c, &image, err, "SELECT @@GLOBAL.binlog_row_image");

    if (rc < 0 || strcasecmp(image, "FULL") != 0)
        return rc;
    if (mysql_conn_flavor(c) != FLAVOR_MYSQL || mysql_conn_version(c) < 80000 || !has_json(t))
        return 1;
    rc = sql_scalar(c, &options, err, "SELECT @@GLOBAL.binlog_row_value_options");
    return rc < 0 ? rc : options[0] == '\0';
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Is a range of it the same rows at both ends? */
static bool same_key(const struct table_def *a, const struct table_key *key,
                     const struct table_def *b)
{
    const struct table_key *other = read_range_key(b);

    if (!other || other->n_parts != key->n_parts)
        return false;
    for (unsigned i = 0; i < key->n_parts; i++) {
        const struct table_column *x = &a->cols[key->cols[i]], *y = &b->cols[other->cols[i]];

        if (strcasecmp(x->name, y->name) != 0 || !same_text(x->data_type, y->data_type) ||
            !same_text(x->collation, y->collation) || x->is_unsigned != y->is_unsigned)
            return false;
    }
    return true;
}

static char *names_of(const struct table_def *t, const struct table_key *key)
{
    struct buf b = BUF_INIT;

    for (unsigned i = 0; key && i < key->n_parts; i++)
        buf_printf(&b, "%s%s", i ? "," : "", t->cols[key->cols[i]].name);
    buf_str(&b, key ? "" : "-"); /* no name: it goes whole */
    return buf_steal(&b);
}

static int choose_key(struct refill_chunk *k, struct err *err)
{
    const struct table_key *key = read_range_key(k->from);
    bool joined = k->from->has_foreign_keys || (k->to && k->to->has_foreign_keys);
    int rc = 0;

    if (key && !joined && k->from->transactional && (!k->to || same_key(k->from, key, k->to)))
        rc = full_images(k->run->refill->source, k->from, err);
    k->key = rc > 0 ? key : NULL;
    free(k->key_names);
    k->key_names = names_of(k->from, k->key);
    return rc < 0 ? rc : 0;
}

/* Of all rows those that 'where' asks for and no filter leaves out; of single rows those listed,
 * which a comparison has judged. */
static int choose_rows(struct refill_chunk *k, struct err *err)
{
    const struct refill_row *row = &k->entry->row;
    struct buf wanted = BUF_INIT;
    int rc =
        row_left_init(&k->left, k->run->job, k->run->refill->source, row->schema, row->table, err);

    if (rc < 0 || row->rows_only)
        return rc;
    if (row->where[0])
        buf_printf(&wanted, "(%s)", row->where);
    if (k->left.inserts)
        buf_printf(&wanted, "%sNOT (%s)", wanted.size ? " AND " : "", k->left.inserts);
    k->wanted = wanted.size ? buf_steal(&wanted) : NULL;
    return 0;
}

int refill_look(struct refill_chunk *k, struct err *err)
{
    struct refill_row *row = &k->entry->row;
    struct mysql_conn *c;
    int rc = source(k->run, &c, err);

    table_free(k->from);
    table_free(k->to);
    free(k->create);
    free(k->wanted);
    row_left_fini(&k->left);
    k->from = k->to = NULL;
    k->create = k->wanted = NULL;
    if (rc == 0)
        rc = table_read(c, row->schema, row->table, &k->from, err);
    if (rc == -ENOENT || (rc == 0 && k->from->kind != TABLE_BASE))
        return err_set(err, -ENOENT, "the source has no table %s.%s", row->schema, row->table);
    if (rc == 0)
        rc = show_create(c, row, &k->create, err);
    if (rc == 0)
        rc = choose_rows(k, err);
    if (rc < 0)
        return err_of_source(err);
    rc = table_read(k->run->admin, k->to_name.to_schema, k->to_name.to_table, &k->to, err);
    if (rc == -ENOENT)
        *err = ERR_INIT;
    else if (rc < 0)
        return rc;
    assert(k->from); /* table_read() gave it */
    return choose_key(k, err);
}

/* --- its moment --- */

/* Without GTIDs a MySQL cannot say how far its engine is: then rows are read that wait for what is
 * being committed. */
static void add_last_gtids(const struct refill_chunk *k, struct buf *out)
{
    const struct grouper *g = &k->run->grouper;

    if (g->gtid.number)
        gtid_print(&g->gtid, out);
    else if (g->pos.gtids)
        gtid_set_print(g->pos.gtids, out);
}

static bool reads_locked(const struct refill_chunk *k)
{
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;

    add_last_gtids(k, &gtids);
    return k->key && k->run->flavor == FLAVOR_MYSQL && !gtids.size;
}

/* The stream can be ahead of the source's engine, which commits after the binlog has it. */
static int engine_is_there(struct refill_chunk *k, struct err *err)
{
    const struct grouper *g = &k->run->grouper;
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;
    SCOPED(freep) char *late = NULL;
    int rc;

    if (k->run->flavor == FLAVOR_MARIADB) {
        if (k->moment.file[0] && position_compare(&k->moment, &g->pos) < 0)
            return err_set(err, -EAGAIN, "the source has not yet committed what its binlog has");
        return 0;
    }
    add_last_gtids(k, &gtids);
    if (!gtids.size)
        return 0;
    rc = sql_scalar(k->run->refill->source, &late, err, "SELECT WAIT_FOR_EXECUTED_GTID_SET(%q, 5)",
                    gtids.data);
    if (rc == 0 && strcmp(late, "0") != 0)
        rc = err_set(err, -EAGAIN, "the source has not yet committed what its binlog has");
    return rc;
}

/* Nothing writes to the table; what is committed then is all that the binlog has of it. */
static int lock_table(struct refill_chunk *k, struct mysql_conn **ret, struct err *err)
{
    int rc = job_link_source(&k->run->refill->link, ret, err);

    if (rc == 0)
        rc = mysql_conn_execf(*ret, err, "SET lock_wait_timeout = 5");
    if (rc == 0)
        rc = sql_exec(*ret, err, "LOCK TABLES %i.%i READ", k->from->db, k->from->name);
    if (rc == 0)
        return read_position_now(*ret, &k->moment, err);
    if (err->sql == ER_LOCK_WAIT_TIMEOUT)
        err_set(err, -EAGAIN, "the table cannot be locked: a statement is at work on it");
    return err->code;
}

static int begin(struct refill_chunk *k, struct err *err)
{
    struct mysql_conn *c = k->run->refill->source;
    int rc = mysql_conn_execf(c, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT");

    if (rc == 0 && k->run->flavor == FLAVOR_MARIADB && !k->locked)
        rc = read_snapshot_position(c, &k->moment, err);
    return rc == 0 ? sql_exec(c, err, "SELECT 1 FROM %i.%i LIMIT 1", k->from->db, k->from->name)
                   : rc;
}

static int mariadb_gtids(struct refill_chunk *k, struct err *err)
{
    SCOPED(freep) char *text = NULL;
    int rc;

    if (k->run->flavor != FLAVOR_MARIADB || k->moment.gtids || !k->moment.file[0])
        return 0;
    rc = sql_scalar(k->run->refill->source, &text, err, "SELECT BINLOG_GTID_POS(%q, %u)",
                    k->moment.file, k->moment.offset);
    return rc < 0 ? rc : gtid_set_parse(&k->moment.gtids, FLAVOR_MARIADB, text, err);
}

/* From here on the table keeps its shape until the transaction ends. */
static int same_shape(struct refill_chunk *k, struct err *err)
{
    SCOPED(freep) char *create = NULL;
    int rc = show_create(k->run->refill->source, &k->entry->row, &create, err);

    if (rc == 0 && strcmp(create, k->create) != 0)
        rc = err_set(err, -EAGAIN, "its definition is changing");
    return rc;
}

int refill_moment(struct refill_chunk *k, struct err *err)
{
    struct job_link *l = &k->run->refill->link;
    struct mysql_conn *lock = NULL;
    bool mysql = k->run->flavor == FLAVOR_MYSQL;
    int rc = mysql ? engine_is_there(k, err) : 0;

    position_fini(&k->moment);
    k->moment = (struct position){ .offset = 0 };
    k->locked = !k->key && (mysql || !k->from->transactional);
    if (rc == 0 && k->locked)
        rc = lock_table(k, &lock, err);
    if (rc == 0)
        rc = begin(k, err);
    if (rc == 0)
        rc = mariadb_gtids(k, err);
    if (rc == 0 && !mysql)
        rc = engine_is_there(k, err);
    if (rc == 0)
        rc = same_shape(k, err);
    if (lock && rc == 0 && !k->from->transactional)
        k->lock = STEAL(lock); /* its rows are of no snapshot */
    if (lock)
        job_link_close(l, lock);
    if (err->sql == ER_TABLE_DEF_CHANGED)
        err->code = rc = -EAGAIN;
    return rc;
}

int refill_moment_after(struct refill_chunk *k, struct err *err)
{
    if (k->moment.file[0])
        return 0;
    return read_position_now(k->run->refill->source, &k->moment, err);
}

void refill_moment_end(struct refill_chunk *k)
{
    struct refill *f = k->run->refill;
    struct err ignored = ERR_INIT;

    if (k->lock)
        job_link_close(&f->link, k->lock);
    k->lock = NULL;
    if (!f->source || mysql_conn_execf(f->source, &ignored, "ROLLBACK") == 0)
        return;
    job_link_close(&f->link, f->source);
    f->source = NULL;
}

/* --- its rows --- */

uint64_t refill_limit(const struct refill_chunk *k)
{
    uint64_t rows = k->from->rows_estimate ? k->from->rows_estimate : 1;
    uint64_t size = k->from->size_estimate / rows + 1;

    if (size * CHUNK_ROWS <= CHUNK_BYTES)
        return CHUNK_ROWS;
    return CHUNK_BYTES / size > 8 ? CHUNK_BYTES / size : 8;
}

static int take_row(struct refill_chunk *k, const struct mysql_row *row, bool flush,
                    struct err *err)
{
    struct value *v = arena_alloc(&k->group.values, (k->target->n_cols + 1) * sizeof *v);
    int rc;

    refill_values(&k->columns, row, &k->group.values, v);
    extra_fill(&k->extra, ROWS_INSERT, v, k->target->n_cols);
    group_add(&k->group, k->target, ROWS_INSERT, true, true, v);
    k->n_rows++;
    if (!flush || k->group.values.size < FLUSH_BYTES)
        return 0;
    rc = group_write(&k->group, k->run->main.sink, NULL, NULL, err);
    group_clear(&k->group);
    return rc;
}

int refill_rows(struct refill_chunk *k, struct slice rest, bool flush, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct mysql_result *res;
    struct mysql_row row;
    int rc, took = 0;

    sql_add(&sql, "SELECT %r FROM %i.%i", k->columns.select, k->from->db, k->from->name);
    buf_add(&sql, rest.data, rest.size);
    if (reads_locked(k))
        buf_str(&sql, " LOCK IN SHARE MODE");
    rc = mysql_conn_query(k->run->refill->source, slice_of(sql.data, sql.size), false, &res, err);
    if (rc < 0)
        return err_of_source(err);
    while (took == 0 && (rc = mysql_result_next(res, &row, err)) > 0) {
        took = take_row(k, &row, flush, err);
        if (k->key) {
            buf_clear(&k->at);
            read_range_at(&k->at, k->from, k->key, &row);
        }
    }
    if (took < 0)
        mysql_conn_shutdown(k->run->refill->source);
    mysql_result_free(res);
    if (rc < 0 && err->sql == ER_TABLE_DEF_CHANGED)
        err->code = rc = -EAGAIN;
    return took < 0 ? took : rc;
}
