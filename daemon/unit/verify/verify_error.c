/* Rows that stay different, in the target: new, ignored or resolved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "sink/checkpoint.h"
#include "store/catalog.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_follow_priv.h"

#define SHOWN 10000

static const char create_sql[] =
    "CREATE TABLE IF NOT EXISTS %i.sluice_verify_error (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,"
    " task VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, db VARBINARY(192) NOT NULL,"
    " tab VARBINARY(192) NOT NULL, key_hash BIGINT UNSIGNED NOT NULL, row_key LONGBLOB NOT NULL,"
    " kind VARBINARY(16) NOT NULL, to_name VARBINARY(400) NOT NULL, shown LONGBLOB NOT NULL,"
    " state VARBINARY(16) NOT NULL, found_us BIGINT NOT NULL, PRIMARY KEY (id),"
    " UNIQUE KEY (task, source, db, tab, key_hash)) ENGINE=InnoDB ROW_FORMAT=DYNAMIC";

/* DM's words. */
static const char *const error_types[] = { [VERIFY_MISSING] = "Expected rows not exist",
                                           [VERIFY_EXTRA] = "Deleted rows exist",
                                           [VERIFY_DIFFERENT] = "Column data not matched" };

int verify_error_create(struct mysql_conn *target, const struct job *job, struct err *err)
{
    int rc = checkpoint_prepare(target, job->meta_schema, err);

    return rc < 0 ? rc : sql_exec(target, err, create_sql, job->meta_schema);
}

int verify_error_put(struct verify_run *r, const struct verify_table *t,
                     const struct verify_suspect *s, struct err *err)
{
    const struct verify_part *p = &t->parts[s->part];
    const struct job *job = r->sources[p->source].job;
    const char *kind = verify_kind_names[verify_kind_of(t, s)];
    SCOPED(freep) char *name = xasprintf("%s.%s", t->db, t->name);
    SCOPED(freep) char *key = verify_key_text(t, s);

    return sql_exec(r->target, err,
                    "INSERT INTO %i.sluice_verify_error (task,source,db,tab,key_hash,row_key,"
                    "kind,to_name,shown,state,found_us) VALUES "
                    "(%q,%q,%q,%q,%u,%q,%q,%q,%q,'new',%u) ON DUPLICATE KEY UPDATE kind=%q, "
                    "state=IF(state='ignored',state,'new'), found_us=%u",
                    job->meta_schema, job->task, job->source, p->db, p->name,
                    (uint64_t)XXH3_64bits(s->key, strlen(s->key)), s->key, kind, name, key,
                    (uint64_t)clock_wall_us(), kind, (uint64_t)clock_wall_us());
}

static json_t *error_of(const struct mysql_row *row)
{
    SCOPED(freep) char *source = mysql_row_text(row, 1), *table = mysql_row_text(row, 2);
    SCOPED(freep) char *key = mysql_row_text(row, 3), *kind = mysql_row_text(row, 4);
    SCOPED(freep) char *state = mysql_row_text(row, 5);
    const char *type = kind;

    for (size_t i = 0; i < ARRAY_LEN(error_types); i++)
        if (strcmp(verify_kind_names[i], kind) == 0)
            type = error_types[i];
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "id", (json_int_t)mysql_row_u64(row, 0),
                     "source", source, "table", table, "key", key, "kind", kind, "error_type", type,
                     "state", state);
}

static void count(struct verify_follow *f, const char *state, int64_t by)
{
    _Atomic uint64_t *which = strcmp(state, "new") == 0       ? &f->errors_new
                              : strcmp(state, "ignored") == 0 ? &f->errors_ignored
                                                              : &f->errors_resolved;

    atomic_fetch_add(which, (uint64_t)by);
}

static int show_counts(struct verify_follow *f, struct mysql_conn *c, const struct job *job,
                       struct err *err)
{
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(c, &res, err,
                       "SELECT state, COUNT(*) FROM %i.sluice_verify_error WHERE task=%q "
                       "GROUP BY state",
                       job->meta_schema, job->task);

    if (rc < 0)
        return rc;
    atomic_store(&f->errors_new, 0);
    atomic_store(&f->errors_ignored, 0);
    atomic_store(&f->errors_resolved, 0);
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        SCOPED(freep) char *state = mysql_row_text(&row, 0);

        count(f, state, (int64_t)mysql_row_u64(&row, 1));
    }
    mysql_result_free(res);
    return rc;
}

int verify_error_show(struct verify_follow *f, struct mysql_conn *target, const struct job *job,
                      struct err *err)
{
    json_t *all = json_array(), *old;
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(target, &res, err,
                       "SELECT id,source,to_name,shown,kind,state FROM "
                       "%i.sluice_verify_error WHERE task=%q ORDER BY id LIMIT %u",
                       job->meta_schema, job->task, (uint64_t)SHOWN);

    if (rc == 0) {
        while ((rc = mysql_result_next(res, &row, err)) > 0)
            json_array_append_new(all, error_of(&row));
        mysql_result_free(res);
    }
    if (rc < 0) {
        json_decref(all);
        return rc;
    }
    mutex_lock(&f->unit.lock);
    old = f->errors;
    f->errors = all;
    mutex_unlock(&f->unit.lock);
    json_decref(old);
    node_changed(&f->unit.node, "errors");
    return show_counts(f, target, job, err);
}

/* --- kept here, to be shown while it does not run --- */

static char *kept_path(const struct verify_follow *f)
{
    return xasprintf("validator_errors/%s", f->task->node.name);
}

void verify_error_keep(struct verify_follow *f)
{
    SCOPED(freep) char *path = kept_path(f);
    struct err err = ERR_INIT;
    json_t *doc = json_pack("{s:I, s:I, s:I}", "new", (json_int_t)atomic_load(&f->errors_new),
                            "ignored", (json_int_t)atomic_load(&f->errors_ignored), "resolved",
                            (json_int_t)atomic_load(&f->errors_resolved));

    mutex_lock(&f->unit.lock);
    json_object_set_new(doc, "errors", json_deep_copy(f->errors));
    mutex_unlock(&f->unit.lock);
    if (catalog_put(f->task->config.catalog, path, doc, &err) < 0)
        log_warn(f->unit.path, "error rows are not shown after a restart: %s", err.text);
    json_decref(doc);
}

static uint64_t number(const json_t *doc, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(doc, name));
}

void verify_error_take(struct verify_follow *f)
{
    SCOPED(freep) char *path = kept_path(f);
    struct err ignored = ERR_INIT; /* it never ended */
    json_t *doc = NULL;

    if (catalog_get(f->task->config.catalog, path, &doc, &ignored) < 0)
        return;
    atomic_store(&f->errors_new, number(doc, "new"));
    atomic_store(&f->errors_ignored, number(doc, "ignored"));
    atomic_store(&f->errors_resolved, number(doc, "resolved"));
    mutex_lock(&f->unit.lock);
    json_decref(f->errors);
    f->errors = json_deep_copy(json_object_get(doc, "errors"));
    mutex_unlock(&f->unit.lock);
    json_decref(doc);
}

void verify_error_drop(struct verify_follow *f)
{
    SCOPED(freep) char *path = kept_path(f);
    struct err ignored = ERR_INIT; /* none was kept */

    (void)catalog_delete(f->task->config.catalog, path, &ignored);
}

/* --- what somebody says about them --- */

static int change(struct mysql_conn *c, const struct job *job, uint64_t id, const char *to,
                  struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    uint64_t n = 0;
    int rc;

    if (to)
        sql_add(&sql, "UPDATE %i.sluice_verify_error SET state=%q WHERE task=%q", job->meta_schema,
                to, job->task);
    else
        sql_add(&sql, "DELETE FROM %i.sluice_verify_error WHERE task=%q", job->meta_schema,
                job->task);
    if (id)
        sql_add(&sql, " AND id=%u", id);
    rc = mysql_conn_exec(c, slice_of(sql.data, sql.size), &n, err);
    if (rc == 0 && id && n == 0)
        rc = err_set(err, -ENOENT, "there is no error row %llu", (unsigned long long)id);
    return rc;
}

int verify_error_set(struct verify_follow *f, uint64_t id, const char *to, struct err *err)
{
    const struct job *job = NULL;
    struct mysql_conn *c;
    int rc;

    mutex_lock(&f->task->lock);
    if (f->task->n_subs)
        job = job_ref(f->task->subs[0]->job);
    mutex_unlock(&f->task->lock);
    if (!job)
        return err_set(err, -EBUSY, "the task was never started");
    rc = mysql_conn_open(&c, &job->to, err);
    if (rc == 0) {
        rc = verify_error_create(c, job, err);
        if (rc == 0)
            rc = change(c, job, id, to, err);
        if (rc == 0)
            rc = verify_error_show(f, c, job, err);
        if (rc == 0)
            verify_error_keep(f);
        mysql_conn_close(c);
    }
    job_unref(job);
    return rc;
}
