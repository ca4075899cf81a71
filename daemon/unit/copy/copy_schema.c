/*
 * Databases and tables at the target, made as the source has them (by routed
 * names, in the target's dialect) and ready to take this round's rows.
 *
 * A table that is there already must have the same columns and be empty; one
 * that an earlier run filled in part is gone on with, or emptied.  Triggers and
 * events are never made.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/dialect.h"
#include "mysql/quote.h"
#include "route/ddl.h"
#include "unit/copy/copy_dialect.h"
#include "unit/copy/copy_engine.h"
#include "unit/read/read_range.h"
#include "unit/schema/schema_shape.h"
#include "unit/schema/schema_store.h"

#define ER_TABLE_EXISTS 1050

enum {
    RANGE_BYTES = 64 << 20, /* a table is cut into about this much */
    RANGES_PER_WORKER = 4,
};

/* --- names and dialect --- */

struct renamer {
    const struct router *router;
    const char *db;
};

static bool rename_routed(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    const struct renamer *r = arg;
    SCOPED(freep) char *db = xstrndup((const char *)n->schema.data, n->schema.size);
    SCOPED(freep) char *table = xstrndup((const char *)n->table.data, n->table.size);
    const char *from = n->schema.size ? db : r->db;
    struct route to;

    if (router_table(r->router, from, table, &to))
        sql_add(quoted, "%i.%i", to.to_schema, to.to_table);
    else /* out of scope, but named: by a foreign key, say */
        sql_add(quoted, "%i.%i", from, table);
    return true;
}

int copy_schema_text(const struct copy *c, const struct copy_table *t, struct buf *out,
                     struct err *err)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    SCOPED(buf_fini) struct buf translated = BUF_INIT;
    struct renamer r = { c->job->router, t->def->db };
    struct slice sql;
    struct ddl d;
    int rc;

    if (t->def->kind == TABLE_SEQUENCE && c->to.flavor == FLAVOR_MYSQL)
        return err_set(err, -ENOTSUP, "it is a sequence, which MySQL does not have");
    rc = copy_dialect_create(t->create, c->from, c->to, &translated, err);
    if (rc < 0)
        return rc;
    sql = slice_of(translated.data, translated.size);
    ddl_scan(sql, false, false, &arena, &d);
    ddl_rewrite(sql, &d, rename_routed, &r, out);
    return 0;
}

/* All that cannot be translated, named before anything is made. */
static int untranslatable(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    SCOPED(buf_fini) struct buf list = BUF_INIT;
    unsigned n = 0;

    for (unsigned i = 0; i < tables->n; i++) {
        SCOPED(buf_fini) struct buf sql = BUF_INIT;
        const struct copy_table *t = tables->all[i];
        struct err why = ERR_INIT;

        if (t->row.state == COPY_TABLE_NEW && copy_schema_text(c, t, &sql, &why) < 0) {
            n++;
            if (list.size < 800)
                buf_printf(&list, "%s%s: %s", list.size ? "; " : "", t->label, why.text);
        }
    }
    return n ? err_set(err, -ENOTSUP, "%u tables cannot be made at the target: %s", n, list.data)
             : 0;
}

/* --- databases --- */

static int source_collation(struct copy *c, const char *db, char **ret, struct err *err)
{
    int rc = sql_scalar(c->source, ret, err,
                        "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA "
                        "WHERE SCHEMA_NAME = %q",
                        db);

    if (rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    return 0;
}

static int database_make(struct copy *c, const char *from, const char *to, struct err *err)
{
    SCOPED(freep) char *name = NULL;
    struct collation_change collation = { .to = "" };
    int rc = c->way->collation(c, from, &name, err);

    if (rc < 0)
        return rc;
    if (name)
        collation = dialect_collation(c->from, c->to, name);
    rc = sql_exec(c->target, err, "CREATE DATABASE IF NOT EXISTS %i%r%r", to,
                  name ? " COLLATE " : "", collation.to);
    return rc < 0 ? err_wrap(err, "making the database %s", to) : 0;
}

static int databases_make(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    const char *last = "";

    for (unsigned i = 0; i < tables->n; i++) {
        const struct copy_table *t = tables->all[i];
        int rc;

        if (strcmp(last, t->to.to_schema) == 0)
            continue;
        last = t->to.to_schema;
        rc = database_make(c, t->def->db, last, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* --- a table that is there --- */

/* "int(11) unsigned" and "int unsigned" are one type; a MySQL 8 prints no width. */
static void type_plain(const char *type, char *out, size_t size)
{
    static const char *const widths[] = { "tinyint(", "smallint(", "mediumint(",
                                          "int(",     "bigint(",   "year(" };
    size_t n = 0;

    for (const char *p = type; *p && n + 1 < size; p++) {
        for (size_t i = 0; p == type && i < ARRAY_LEN(widths); i++)
            if (strncasecmp(type, widths[i], strlen(widths[i])) == 0) {
                n = strcspn(type, "(");
                memcpy(out, type, n);
                p += strcspn(type, ")") + 1;
            }
        if (!*p)
            break;
        out[n++] = (char)tolower((unsigned char)*p);
    }
    out[n] = '\0';
}

static bool type_same(struct server_kind from, struct server_kind to, const struct table_column *a,
                      const struct table_column *b)
{
    struct type_change change = dialect_type(from, to, a->data_type, a->column_type);
    char left[512], right[512];

    type_plain(change.to ? change.to : a->column_type, left, sizeof left);
    if (change.to)
        left[strcspn(left, " ")] = '\0';
    type_plain(b->column_type, right, sizeof right);
    return strcmp(left, right) == 0 || (change.to && strncmp(left, right, strlen(left)) == 0);
}

/* A table that was there before has the columns of the source's. */
static int shape_same(struct copy *c, const struct copy_table *t, const struct table_def *b,
                      struct err *err)
{
    const struct table_def *a = t->def;

    for (unsigned i = 0; i < a->n_cols; i++) {
        int at = table_column_find(b, a->cols[i].name);

        if (at < 0)
            return err_set(err, -EEXIST, "%s.%s exists without the column %s", b->db, b->name,
                           a->cols[i].name);
        if (!type_same(c->from, c->to, &a->cols[i], &b->cols[at]) ||
            a->cols[i].generated != b->cols[at].generated)
            return err_set(err, -EEXIST,
                           "%s.%s exists with another shape: the column %s is %s there, %s at the "
                           "source",
                           b->db, b->name, a->cols[i].name, b->cols[at].column_type,
                           a->cols[i].column_type);
    }
    for (unsigned i = 0; i < t->extra.n; i++)
        if (table_column_find(b, t->extra.at[i].column) < 0)
            return err_set(err, -EEXIST, "%s.%s has no column %s for the names of tables", b->db,
                           b->name, t->extra.at[i].column);
    if (a->n_cols + t->extra.n != b->n_cols && c->job->shard_mode != SHARD_OPTIMISTIC)
        return err_set(err, -EEXIST, "%s.%s exists with %u columns, the source has %u", b->db,
                       b->name, b->n_cols, a->n_cols + t->extra.n);
    return 0;
}

static int must_be_empty(struct copy *c, const struct copy_table *t, struct err *err)
{
    SCOPED(freep) char *row = NULL;
    int rc = sql_scalar(c->target, &row, err, "SELECT 1 FROM %i.%i LIMIT 1", t->to.to_schema,
                        t->to.to_table);

    if (rc == -ENOENT) {
        *err = ERR_INIT;
        return 0;
    }
    if (rc < 0)
        return rc;
    return err_set(err, -EEXIST,
                   "%s.%s has rows that this task did not write; TRUNCATE TABLE `%s`.`%s` if they "
                   "are to go",
                   t->to.to_schema, t->to.to_table, t->to.to_schema, t->to.to_table);
}

int copy_schema_empty(struct copy *c, struct mysql_conn *target, const struct copy_table *t,
                      struct err *err)
{
    (void)c;
    return sql_exec(target, err, "TRUNCATE TABLE %i.%i", t->to.to_schema, t->to.to_table);
}

/* --- making and preparing --- */

int copy_schema_make(const struct copy *c, struct mysql_conn *target, const struct copy_table *t,
                     struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    int rc = copy_schema_text(c, t, &sql, err);

    if (rc == 0)
        rc = mysql_conn_exec(target, slice_of(sql.data, sql.size), NULL, err);
    return rc;
}

/* A unique key may hold two of our values apart and the target's collation not. */
static bool key_collations_same(const struct table_def *a, const struct table_def *b)
{
    for (unsigned k = 0; k < a->n_keys; k++)
        for (unsigned p = 0; a->keys[k].unique && p < a->keys[k].n_parts; p++) {
            unsigned col = a->keys[k].cols[p];
            const char *left = col < a->n_cols ? a->cols[col].collation : NULL;
            int at = col < a->n_cols ? table_column_find(b, a->cols[col].name) : -1;

            if (left &&
                (at < 0 || !b->cols[at].collation || strcmp(left, b->cols[at].collation) != 0))
                return false;
        }
    return true;
}

static bool bulk_fits(const struct copy *c, const struct copy_table *t, const struct table_def *to)
{
    return c->can_load && !t->merged && t->def->transactional && to->transactional &&
           t->def->size_estimate <= c->bulk_max_bytes && key_collations_same(t->def, to);
}

/* The target's table has other columns, so it cannot tell how the source's was when we copied it:
 * rows of before the next DDL are as the source says now.  What cannot be read of it is asked again
 * when its first row comes. */
int copy_schema_keep(struct copy *c, const struct copy_table *t, struct err *err)
{
    int rc = schema_store_set(c->job, t->def->db, t->def->name, slice_str(t->create), err);

    if (rc != -EINVAL)
        return rc;
    *err = ERR_INIT;
    return 0;
}

bool copy_schema_columns(struct copy *c, struct copy_table *t, const struct table_def *there)
{
    t->resumable &= there->transactional;
    t->bulk = bulk_fits(c, t, there);
    read_columns_init(&t->columns, t->def, there, &t->extra);
    return !t->extra.n && shape_mirror(t->def, there);
}

static int columns_set(struct copy *c, struct copy_table *t, const struct table_def *there,
                       struct err *err)
{
    if (!copy_schema_columns(c, t, there))
        return copy_schema_keep(c, t, err);
    return schema_store_mirrored(c->job, t->def->db, t->def->name, true, err);
}

static int ranges_cut(struct copy *c, struct copy_table *t, struct err *err)
{
    uint64_t n = t->bulk || !t->resumable ? 1 : t->def->size_estimate / RANGE_BYTES + 1;
    uint64_t most = (uint64_t)c->snapshot.n * RANGES_PER_WORKER;

    return read_range_split(c->source, t->def, (unsigned)(n < most ? n : most), &t->ranges,
                            &t->n_ranges, err);
}

const struct copy_way copy_way_stream = { .source = true,
                                          .target = true,
                                          .collation = source_collation,
                                          .shape = shape_same,
                                          .columns = columns_set,
                                          .cut = ranges_cut,
                                          .range = copy_work_range,
                                          .end = copy_work_end,
                                          .run = copy_stream_run,
                                          .rows_open = copy_selected_open,
                                          .rows_next = copy_selected_next,
                                          .rows_at = copy_selected_at,
                                          .rows_close = copy_selected_close };

static void ranges_clear(struct copy_table *t)
{
    read_ranges_free(t->ranges, t->n_ranges);
    t->ranges = NULL;
    t->n_ranges = 0;
}

int copy_schema_cut(struct copy *c, struct copy_table *t, struct err *err)
{
    ranges_clear(t);
    atomic_store(&t->rows, 0);
    atomic_store(&t->bytes, 0);
    t->row.state = COPY_TABLE_LOADING;
    t->row.first_round = t->row.last_round = c->round;
    t->row.rows = 0;
    return c->way->cut(c, t, err);
}

/* From its first row: an empty table, its state and its ranges. */
static int table_begin(struct copy *c, struct copy_table *t, struct err *err)
{
    int rc = copy_schema_cut(c, t, err);

    if (rc == 0) /* ranges first: a state without its ranges would be an empty copy */
        rc = copy_state_put_ranges(c->target, c->job, t->def->db, t->def->name, t->ranges,
                                   t->n_ranges, err);
    if (rc == 0)
        rc = copy_state_put_table(c->target, c->job, &t->row, err);
    return rc;
}

/* Goes on where an earlier run stopped, with rows of this round. */
static int table_go_on(struct copy *c, struct copy_table *t, struct err *err)
{
    uint64_t rows = 0;

    for (unsigned i = 0; i < t->n_ranges; i++)
        rows += t->ranges[i].rows;
    atomic_store(&t->rows, rows);
    if (rows == 0)
        t->row.first_round = c->round;
    t->row.last_round = c->round;
    return copy_state_put_table(c->target, c->job, &t->row, err);
}

/* All rows were committed by a run that ended before it counted them. */
static int table_recount(struct copy *c, struct copy_table *t, struct err *err)
{
    SCOPED(freep) char *count = NULL;
    int rc = sql_scalar(c->target, &count, err, "SELECT COUNT(*) FROM %i.%i", t->to.to_schema,
                        t->to.to_table);

    if (rc < 0)
        return rc;
    if (t->merged || strtoull(count, NULL, 10) == t->row.rows) {
        t->row.state = COPY_TABLE_DONE;
        return copy_state_put_table(c->target, c->job, &t->row, err);
    }
    log_warn(c->job->path, "%s: %llu rows were copied, the target has %s; copying it again",
             t->label, (unsigned long long)t->row.rows, count);
    t->row.state = COPY_TABLE_LOADING;
    t->row.first_round = 0;
    return 0;
}

static bool may_go_on(const struct copy_table *t)
{
    bool begun = t->n_ranges > 0 && t->row.first_round > 0;

    return begun && t->row.state == COPY_TABLE_LOADING && (t->merged || (t->resumable && !t->bulk));
}

static int table_prepare_alone(struct copy *c, struct copy_table *t, struct err *err)
{
    struct table_def *there = NULL;
    bool ours = t->row.state != COPY_TABLE_NEW, by_another = false; /* a source beside us */
    int rc;

    if (ours && !t->merged && t->row.first_round == 0) { /* its definition changed */
        rc =
            sql_exec(c->target, err, "DROP TABLE IF EXISTS %i.%i", t->to.to_schema, t->to.to_table);
        if (rc < 0)
            return rc;
    }
    rc = table_read(c->target, t->to.to_schema, t->to.to_table, &there, err);
    if (rc == 0 && !ours)
        rc = c->way->shape(c, t, there, err);
    if (rc == 0 && !ours && !t->merged)
        rc = must_be_empty(c, t, err);
    if (rc == -ENOENT && t->extra.n) {
        return err_set(err, rc,
                       "the target has no %s.%s: make it first, with the source's columns and %s",
                       t->to.to_schema, t->to.to_table, t->extra.at[0].column);
    }
    if (rc == -ENOENT) {
        rc = copy_schema_make(c, c->target, t, err);
        by_another = rc < 0 && t->merged && err->sql == ER_TABLE_EXISTS;
        if (rc == 0 || by_another)
            rc = table_read(c->target, t->to.to_schema, t->to.to_table, &there, err);
        if (rc == 0 && by_another)
            rc = c->way->shape(c, t, there, err);
        ours = false;
    }
    if (rc == 0)
        rc = c->way->columns(c, t, there, err);
    table_free(there);
    if (rc < 0)
        return rc;
    if (may_go_on(t))
        return table_go_on(c, t, err);
    if (ours && !t->merged)
        rc = copy_schema_empty(c, c->target, t, err);
    return rc == 0 ? table_begin(c, t, err) : rc;
}

/* Sources that share a table of the target make it one after the other: one that is half made has
 * no columns for who looks. */
static int table_prepare(struct copy *c, struct copy_table *t, struct err *err)
{
    SCOPED(freep) char *name = NULL, *got = NULL;
    struct err ignored = ERR_INIT;
    int rc;

    if (!t->merged)
        return table_prepare_alone(c, t, err);
    name = xasprintf("sluice make %016llx",
                     (unsigned long long)XXH3_64bits(t->to.to_table, strlen(t->to.to_table)));
    rc = sql_scalar(c->target, &got, err, "SELECT GET_LOCK(%q, 60)", name);
    if (rc == 0)
        rc = table_prepare_alone(c, t, err);
    sql_exec(c->target, &ignored, "DO RELEASE_LOCK(%q)", name);
    return rc;
}

static int sequence_prepare(struct copy *c, struct copy_table *t, struct err *err)
{
    int rc = 0;

    if (t->row.state != COPY_TABLE_NEW)
        rc =
            sql_exec(c->target, err, "DROP TABLE IF EXISTS %i.%i", t->to.to_schema, t->to.to_table);
    if (rc == 0)
        rc = copy_schema_make(c, c->target, t, err);
    if (rc == 0)
        rc = table_begin(c, t, err);
    return rc;
}

int copy_schema(struct copy *c, struct copy_tables *tables, struct err *err)
{
    int rc = untranslatable(c, tables, err);

    if (rc == 0)
        rc = databases_make(c, tables, err);
    if (rc == 0)
        rc = copy_fresh(c, tables, err);
    for (unsigned i = 0; rc == 0 && i < tables->n; i++) {
        struct copy_table *t = tables->all[i];

        if (atomic_load(&t->again) || t->made)
            continue;
        if (t->row.state == COPY_TABLE_LOADED)
            rc = table_recount(c, t, err);
        if (rc == 0 && t->row.state != COPY_TABLE_DONE)
            rc = t->sequence ? sequence_prepare(c, t, err) : table_prepare(c, t, err);
        atomic_store(&t->state, (int)t->row.state);
        if (rc < 0)
            return err_wrap(err, "%s", t->label);
    }
    return rc;
}
