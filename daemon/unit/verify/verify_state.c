/* What the target remembers of a comparison: how far each table is, and the rows that differ. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "sink/checkpoint.h"
#include "unit/verify/verify_priv.h"

enum { ER_BAD_FIELD = 1054 };

#define SHOWN 10000 /* rows that the file 'differing' has */

static const char *const create_sql[] = {
    "CREATE TABLE IF NOT EXISTS %i.sluice_verify_table (task VARBINARY(255) NOT NULL,"
    " db VARBINARY(192) NOT NULL, tab VARBINARY(192) NOT NULL, state VARBINARY(16) NOT NULL,"
    " last_key LONGBLOB NOT NULL, n_rows BIGINT UNSIGNED NOT NULL,"
    " differing BIGINT UNSIGNED NOT NULL, unsettled BIGINT UNSIGNED NOT NULL,"
    " reason LONGBLOB NOT NULL, left_out BIGINT UNSIGNED NOT NULL DEFAULT 0,"
    " not_judged BIGINT UNSIGNED NOT NULL DEFAULT 0, way VARBINARY(16) NOT NULL DEFAULT '',"
    " PRIMARY KEY (task, db, tab)) ENGINE=InnoDB "
    "ROW_FORMAT=DYNAMIC",

    "CREATE TABLE IF NOT EXISTS %i.sluice_verify_row (task VARBINARY(255) NOT NULL,"
    " source VARBINARY(255) NOT NULL, db VARBINARY(192) NOT NULL, tab VARBINARY(192) NOT NULL,"
    " key_hash BIGINT UNSIGNED NOT NULL, row_key LONGBLOB NOT NULL, kind VARBINARY(16) NOT NULL,"
    " to_db VARBINARY(192) NOT NULL, to_tab VARBINARY(192) NOT NULL, by_key TINYINT NOT NULL,"
    " shown LONGBLOB NOT NULL, PRIMARY KEY (task, source, db, tab, key_hash)) ENGINE=InnoDB"
    " ROW_FORMAT=DYNAMIC",
};

static const struct job *job_of(const struct verify_run *r)
{
    return r->sources[0].job;
}

/* Of one that an older version made. */
static int add_column(struct verify_run *r, const char *meta, const char *name, const char *type,
                      struct err *err)
{
    SCOPED(freep) char *none = NULL;
    int rc = sql_scalar(r->target, &none, err, "SELECT %i FROM %i.sluice_verify_table LIMIT 0",
                        name, meta);

    if (rc < 0 && rc != -ENOENT && err->sql != ER_BAD_FIELD)
        return rc;
    rc = err->sql == ER_BAD_FIELD;
    *err = ERR_INIT;
    return rc ? sql_exec(r->target, err, "ALTER TABLE %i.sluice_verify_table ADD %i %r", meta, name,
                         type)
              : 0;
}

static int add_columns(struct verify_run *r, const char *meta, struct err *err)
{
    static const char *const columns[][2] = {
        { "left_out", "BIGINT UNSIGNED NOT NULL DEFAULT 0" },
        { "not_judged", "BIGINT UNSIGNED NOT NULL DEFAULT 0" },
        { "way", "VARBINARY(16) NOT NULL DEFAULT ''" },
    };
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(columns) && rc == 0; i++)
        rc = add_column(r, meta, columns[i][0], columns[i][1], err);
    return rc;
}

int verify_state_create(struct verify_run *r, struct err *err)
{
    const char *meta = job_of(r)->meta_schema;
    int rc = checkpoint_prepare(r->target, meta, err);

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(create_sql); i++)
        rc = sql_exec(r->target, err, create_sql[i], meta);
    return rc == 0 ? add_columns(r, meta, err) : rc;
}

int verify_state_clear(struct verify_run *r, struct err *err)
{
    static const char *const tables[] = { "sluice_verify_table", "sluice_verify_row" };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(tables); i++)
        rc = sql_exec(r->target, err, "DELETE FROM %i.%i WHERE task=%q", job_of(r)->meta_schema,
                      tables[i], job_of(r)->task);
    return rc;
}

/* --- tables --- */

static struct verify_table *find(struct verify_run *r, const struct mysql_row *row)
{
    SCOPED(freep) char *db = mysql_row_text(row, 0), *name = mysql_row_text(row, 1);

    for (unsigned i = 0; i < r->n_tables; i++)
        if (strcmp(r->tables[i].db, db) == 0 && strcmp(r->tables[i].name, name) == 0)
            return &r->tables[i];
    return NULL;
}

static void take(struct verify_table *t, const struct mysql_row *row)
{
    SCOPED(freep) char *state = mysql_row_text(row, 2);

    for (unsigned i = 0; verify_state_names[i]; i++)
        if (strcmp(verify_state_names[i], state) == 0)
            t->state = (enum verify_state)i;
    free(t->at);
    free(t->reason);
    t->at = mysql_row_text(row, 3);
    t->rows = mysql_row_u64(row, 4);
    t->differing = mysql_row_u64(row, 5);
    t->unsettled = mysql_row_u64(row, 6);
    t->reason = mysql_row_text(row, 7);
    t->left_out = mysql_row_u64(row, 8);
    t->not_judged = mysql_row_u64(row, 9);
    snprintf(t->way, sizeof t->way, "%.*s", (int)row->sizes[10], row->values[10]);
}

int verify_state_read(struct verify_run *r, struct err *err)
{
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(r->target, &res, err,
                       "SELECT db,tab,state,last_key,n_rows,differing,unsettled,reason,left_out,"
                       "not_judged,way FROM "
                       "%i.sluice_verify_table WHERE task=%q",
                       job_of(r)->meta_schema, job_of(r)->task);

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        struct verify_table *t = find(r, &row);

        if (t)
            take(t, &row);
    }
    mysql_result_free(res);
    return rc;
}

int verify_state_put(struct verify_run *r, const struct verify_table *t, struct err *err)
{
    return sql_exec(r->target, err,
                    "REPLACE INTO %i.sluice_verify_table VALUES "
                    "(%q,%q,%q,%q,%q,%u,%u,%u,%q,%u,%u,%q)",
                    job_of(r)->meta_schema, job_of(r)->task, t->db, t->name,
                    verify_state_names[t->state], t->at, t->rows, t->differing, t->unsettled,
                    t->reason, t->left_out, t->not_judged, t->way);
}

/* --- rows --- */

static json_t *row_of(const char *source, const char *table, const char *key, const char *kind)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "source", source, "table", table, "key", key, "kind",
                     kind);
}

static void show(struct verify *v, json_t *row)
{
    mutex_lock(&v->unit.lock);
    if (json_array_size(v->found) < SHOWN)
        json_array_append_new(v->found, row);
    else
        json_decref(row);
    mutex_unlock(&v->unit.lock);
    node_changed(&v->unit.node, "rows_differing");
}

int verify_state_found(struct verify_run *r, struct verify_table *t, const struct verify_found *f,
                       struct err *err)
{
    const struct verify_part *p = &t->parts[f->part];
    const struct job *job = r->sources[p->source].job;
    SCOPED(freep) char *name = xasprintf("%s.%s", t->db, t->name);
    int rc = sql_exec(r->target, err,
                      "REPLACE INTO %i.sluice_verify_row VALUES "
                      "(%q,%q,%q,%q,%u,%q,%q,%q,%q,%u,%q)",
                      job->meta_schema, job->task, job->source, p->db, p->name,
                      (uint64_t)XXH3_64bits(f->key, strlen(f->key)), f->key,
                      verify_kind_names[f->kind], t->db, t->name, (uint64_t)t->ranges, f->there);

    if (rc == 0)
        show(r->verify, row_of(job->source, name, f->there, verify_kind_names[f->kind]));
    return rc;
}

/* All at once: who reads meanwhile sees what was, or what is. */
static void show_all(struct verify *v, json_t *all)
{
    json_t *old;

    mutex_lock(&v->unit.lock);
    old = v->found;
    v->found = all;
    mutex_unlock(&v->unit.lock);
    json_decref(old);
    node_changed(&v->unit.node, "rows_differing");
}

int verify_state_show(struct verify_run *r, struct err *err)
{
    json_t *all;
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(r->target, &res, err,
                       "SELECT source, CONCAT(to_db,'.',to_tab), shown, kind FROM "
                       "%i.sluice_verify_row WHERE task=%q LIMIT %u",
                       job_of(r)->meta_schema, job_of(r)->task, (uint64_t)SHOWN);

    if (rc < 0)
        return rc;
    all = json_array();
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        SCOPED(freep) char *source = mysql_row_text(&row, 0), *table = mysql_row_text(&row, 1);
        SCOPED(freep) char *key = mysql_row_text(&row, 2), *kind = mysql_row_text(&row, 3);

        json_array_append_new(all, row_of(source, table, key, kind));
    }
    mysql_result_free(res);
    show_all(r->verify, all);
    return rc;
}

/* --- the task is removed --- */

int verify_forget(const struct job *job, struct err *err)
{
    static const char *const tables[] = { "sluice_verify_table", "sluice_verify_row",
                                          "sluice_verify_error" };
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->to, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(tables) && rc == 0; i++) {
        rc = sql_exec(c, err, "DELETE FROM %i.%i WHERE task=%q", job->meta_schema, tables[i],
                      job->task);
        if (rc < 0 && (err->sql == 1146 || err->sql == 1049))
            rc = 0;
    }
    mysql_conn_close(c);
    return rc;
}
