/*
 * A dump into a folder (dump_folder.h): all tables in scope, of one moment.
 *
 * Tables without transactions are locked against writes at that moment, and
 * read first, so that they are of the same position as all others.  A dump
 * cannot be continued, since its moment is gone with its connections: after any
 * interruption it begins again.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/dump/dump.h"
#include "unit/dump/dump_file.h"
#include "unit/dump/dump_folder.h"
#include "unit/read/read_range.h"

enum {
    RANGE_BYTES = 64 << 20,
    MAX_PASSES = 10,
};

/* --- definitions --- */

static const char schema_head[] = "/*!40101 SET NAMES utf8mb4*/;\n"
                                  "/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n"
                                  "/*!40103 SET TIME_ZONE='+00:00' */;\n";

static int put(struct copy *c, const char *db, const char *table, const char *kind,
               const struct buf *text, struct err *err)
{
    SCOPED(buf_fini) struct buf name = BUF_INIT;

    dump_folder_name(&name, db, table);
    buf_printf(&name, "-schema%s.sql", kind);
    return dump_file_whole(c->folder, name.data, text, err);
}

static int database_put(struct copy *c, const char *db, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct mysql_result *r;
    struct mysql_row row;
    int rc = sql_query(c->source, &r, err, "SHOW CREATE DATABASE %i", db);

    if (rc < 0)
        return rc;
    rc = mysql_result_next(r, &row, err);
    if (rc > 0)
        buf_printf(&text, "%.*s;\n", (int)row.sizes[1], row.values[1]);
    mysql_result_free(r);
    return rc < 0 ? rc : put(c, db, NULL, "-create", &text, err);
}

/* A table of the view's columns, for views over it that are made first; and the view itself. */
static int view_put(struct copy *c, const struct copy_view *v, struct err *err)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct mysql_result *r;
    struct mysql_row row;
    unsigned n = 0;
    int rc = sql_query(c->source, &r, err, "SHOW COLUMNS FROM %i.%i", v->schema, v->name);

    if (rc < 0)
        return rc;
    buf_str(&text, schema_head);
    sql_add(&text, "CREATE TABLE %i (", v->name);
    while ((rc = mysql_result_next(r, &row, err)) > 0) {
        SCOPED(freep) char *name = mysql_row_text(&row, 0);

        sql_add(&text, "%r\n%i int", n++ ? "," : "", name);
    }
    mysql_result_free(r);
    buf_str(&text, "\n) ENGINE=MyISAM;\n");
    if (rc == 0)
        rc = put(c, v->schema, v->name, "", &text, err);
    buf_clear(&text);
    buf_str(&text, schema_head);
    sql_add(&text, "DROP TABLE IF EXISTS %i;\nDROP VIEW IF EXISTS %i;\n%r;\n", v->name, v->name,
            v->create);
    return rc < 0 ? rc : put(c, v->schema, v->name, "-view", &text, err);
}

static int definitions_put(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    const char *last = "";
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < tables->n; i++) {
        const struct copy_table *t = tables->all[i];
        SCOPED(buf_fini) struct buf text = BUF_INIT;

        if (strcmp(last, t->def->db) != 0)
            rc = database_put(c, t->def->db, err);
        last = t->def->db;
        buf_str(&text, schema_head);
        sql_add(&text, "%r;\n", t->create);
        if (rc == 0)
            rc = put(c, t->def->db, t->def->name, "", &text, err);
    }
    for (unsigned i = 0; rc == 0 && i < tables->n_views; i++) {
        rc = view_put(c, &tables->views[i], err);
        if (rc < 0 && rc != -ECONNRESET && err->sql) {
            log_warn(c->job->path, "view %s.%s is left out: %s", tables->views[i].schema,
                     tables->views[i].name, err->text);
            *err = ERR_INIT;
            rc = 0;
        }
    }
    return rc;
}

/* --- the moment --- */

struct moment {
    struct copy *copy;
    char *lock; /* LOCK TABLES of those without transactions; NULL: there is none */
};

static char *lock_plain(const struct copy_tables *tables)
{
    struct buf sql = BUF_INIT;

    for (unsigned i = 0; i < tables->n; i++) {
        const struct copy_table *t = tables->all[i];

        if (!t->sequence && !t->def->transactional)
            sql_add(&sql, "%r%i.%i READ", sql.size ? ", " : "LOCK TABLES ", t->def->db,
                    t->def->name);
    }
    return sql.size ? buf_steal(&sql) : NULL;
}

static int moment_held(void *arg, struct err *err)
{
    struct moment *m = arg;
    struct copy *c = m->copy;
    int rc = c->locked ? 0 : job_link_source(&c->link, &c->locked, err);

    if (rc == 0)
        rc = sql_exec(c->locked, err, "SET lock_wait_timeout = 5");
    return rc < 0 ? rc : mysql_conn_exec(c->locked, slice_str(m->lock), NULL, err);
}

static bool changed_meanwhile(const struct copy_tables *tables)
{
    for (unsigned i = 0; i < tables->n; i++)
        if (atomic_load(&tables->all[i]->again))
            return true;
    return false;
}

/* -EAGAIN: tables changed since they were listed. */
static int moment_take(struct copy *c, struct copy_tables *tables, struct err *err)
{
    SCOPED(freep) char *lock_tables = copy_lock_text(c, tables);
    SCOPED(freep) char *lock = lock_plain(tables);
    struct moment m = { c, lock };
    struct read_way way = { .how = c->job->consistency,
                            .lock_tables = lock_tables,
                            .held = lock ? moment_held : NULL,
                            .arg = &m };
    int rc;

    copy_phase_set(c, COPY_SNAPSHOT);
    rc = read_snapshot_take(&c->link, copy_threads(c->job), &way, &c->snapshot, err);
    if (rc == 0 && !c->snapshot.exact)
        return err_set(err, -EACCES,
                       "the position of a dump without the RELOAD right is not exact: "
                       "GRANT RELOAD ON *.* TO CURRENT_USER");
    if (rc == 0)
        rc = copy_plan_recheck(c, tables, err);
    if (rc == 0 && changed_meanwhile(tables))
        rc = err_set(err, -EAGAIN, "tables changed meanwhile");
    return rc;
}

static void moment_end(struct copy *c)
{
    read_snapshot_close(&c->link, &c->snapshot);
    job_link_close(&c->link, c->locked);
    c->locked = NULL;
}

static int moment_find(struct copy *c, struct err *err)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; rc == -EAGAIN && i < MAX_PASSES; i++) {
        struct copy_tables tables;

        moment_end(c);
        copy_phase_set(c, COPY_PLANNING);
        rc = copy_plan(c, &tables, err);
        if (rc < 0)
            return rc;
        copy_tables_publish(c, &tables);
        rc = moment_take(c, &c->tables, err);
    }
    return rc;
}

/* --- rows --- */

static int table_begin(struct copy *c, struct copy_table *t, struct err *err)
{
    uint64_t n = t->def->transactional ? t->def->size_estimate / RANGE_BYTES + 1 : 1;

    t->row.state = COPY_TABLE_LOADING;
    atomic_store(&t->state, COPY_TABLE_LOADING);
    read_columns_init(&t->columns, t->def, NULL, NULL);
    return t->sequence ? 0
                       : read_range_split(c->source, t->def, (unsigned)(n < 9999 ? n : 9999),
                                          &t->ranges, &t->n_ranges, err);
}

/* As mydumper has them: the one row that a sequence reads as. */
static int sequence_put(struct copy *c, struct copy_table *t, struct err *err)
{
    struct mysql_result *r;
    int rc = sql_query(c->source, &r, err, "SELECT * FROM %i.%i", t->def->db, t->def->name);

    if (rc < 0)
        return rc;
    rc = dump_result(c, t, r, err);
    mysql_result_free(r);
    atomic_store(&t->state, COPY_TABLE_DONE);
    return rc;
}

static int plain_tables(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    struct copy_worker w = { .copy = c, .source = c->locked };
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < tables->n; i++)
        if (!tables->all[i]->sequence && !tables->all[i]->def->transactional)
            rc = copy_work_table(&w, tables->all[i], err);
    job_link_close(&c->link, c->locked);
    c->locked = NULL;
    return rc;
}

static int rows_put(struct copy *c, struct copy_tables *tables, struct err *err)
{
    int rc = 0;

    copy_phase_set(c, COPY_ROWS);
    for (unsigned i = 0; rc == 0 && i < tables->n; i++)
        rc = table_begin(c, tables->all[i], err);
    if (rc == 0)
        rc = plain_tables(c, tables, err);
    if (rc == 0)
        rc = copy_work(c, tables, err);
    for (unsigned i = 0; rc == 0 && i < tables->n; i++)
        if (tables->all[i]->sequence)
            rc = sequence_put(c, tables->all[i], err);
    return rc;
}

/* --- all of it --- */

static int dump_all(struct copy *c, struct err *err)
{
    int rc = moment_find(c, err);

    if (rc < 0)
        return rc;
    copy_position_publish(c, &c->snapshot.low);
    log_info(c->job->path, "dump into %s: snapshot at %s:%llu over %u connections", c->job->folder,
             c->snapshot.low.file, (unsigned long long)c->snapshot.low.offset, c->snapshot.n);
    copy_phase_set(c, COPY_SCHEMA);
    rc = definitions_put(c, &c->tables, err);
    if (rc == 0)
        rc = rows_put(c, &c->tables, err);
    return rc == 0 ? dump_folder_finish(c->folder, &c->snapshot.low, err) : rc;
}

static int dump_run(struct copy *c, struct err *err)
{
    int rc = job_link_source(&c->link, &c->source, err);

    if (rc == 0) {
        c->from =
            (struct server_kind){ mysql_conn_flavor(c->source), mysql_conn_version(c->source) };
        rc = dump_folder_open(c->job, c->from, &c->folder, err);
    }
    if (rc == 0)
        rc = dump_all(c, err);
    moment_end(c);
    job_link_close(&c->link, c->source);
    c->source = NULL;
    dump_folder_free(c->folder);
    c->folder = NULL;
    return rc;
}

const struct copy_way dump_way = {
    .source = true, .run = dump_run, .range = dump_rows, .end = dump_end
};
