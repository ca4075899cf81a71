/*
 * Rows that differ, copied again: the sync unit of their source does it between two transactions
 * (unit/refill), so that what they are afterwards is what the stream goes on from.  Of tables that
 * are compared as a whole all rows go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/verify/verify_priv.h"

#define LOOK_MS 100

/* Rows of others that are merged into the same table would go with its own. */
static int may_go_whole(const struct verify_run *r, const struct job *job, const char *db,
                        const char *table, struct err *err)
{
    if (row_left_any(job, db, table))
        return err_set(err, -ENOTSUP,
                       "filters leave rows of %s.%s out, and it has no key to tell them apart: "
                       "mend them by hand",
                       db, table);
    for (unsigned i = 0; i < r->n_tables; i++)
        for (unsigned k = 0; k < r->tables[i].n_parts && r->tables[i].n_parts > 1; k++)
            if (strcmp(r->tables[i].parts[k].name, table) == 0 &&
                strcmp(r->tables[i].parts[k].db, db) == 0)
                return err_set(err, -ENOTSUP,
                               "%s.%s is merged from several tables, and its rows have no key to "
                               "tell them apart: mend them by hand, or copy the task anew",
                               r->tables[i].db, r->tables[i].name);
    return 0;
}

static int ask_one(struct verify_run *r, const struct mysql_row *row, struct err *err)
{
    SCOPED(freep) char *source = mysql_row_text(row, 0);
    SCOPED(freep) char *db = mysql_row_text(row, 1), *table = mysql_row_text(row, 2);
    struct refill_row want = { .schema = db,
                               .table = table,
                               .where = (char *)"",
                               .replace = true,
                               .rows_only = mysql_row_u64(row, 3) != 0 };
    struct subtask *s = task_find_sub(r->task, source);
    int rc;

    if (!s)
        return err_set(err, -ENOENT, "source %s is not of the task any more", source);
    rc = want.rows_only ? 0 : may_go_whole(r, s->job, db, table, err);
    if (rc == 0)
        rc = refill_ask(s->job, &want, err);
    if (rc == -EBUSY) { /* as before a restart */
        *err = ERR_INIT;
        rc = 0;
    }
    if (rc == 0 && s->units[STAGE_SYNC])
        sync_reload(s->units[STAGE_SYNC]);
    node_unref(&s->node);
    return rc;
}

/* Tables of the target that cannot be repaired, and why. */
struct refusals {
    struct refusal {
        char *db, *name;
        struct err why;
    } * all;
    size_t n, cap;
};

static void refusals_fini(struct refusals *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->all[i].db);
        free(s->all[i].name);
    }
    free(s->all);
}

static void refuse(struct refusals *s, const struct mysql_row *row, const struct err *why)
{
    SCOPED(freep) char *db = mysql_row_text(row, 4), *name = mysql_row_text(row, 5);

    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->all[i].name, name) == 0 && strcmp(s->all[i].db, db) == 0)
            return;
    GROW(s->all, s->n, s->cap);
    s->all[s->n++] = (struct refusal){ .db = STEAL(db), .name = STEAL(name), .why = *why };
}

/* Their rows go on to differ: the report says why. */
static int say_refused(struct verify_run *r, const struct refusals *s, struct err *err)
{
    const struct job *job = r->sources[0].job;
    int rc = 0;

    for (size_t i = 0; i < s->n && rc == 0; i++)
        rc =
            sql_exec(r->target, err,
                     "UPDATE %i.sluice_verify_table SET reason=%q WHERE task=%q AND db=%q AND "
                     "tab=%q",
                     job->meta_schema, s->all[i].why.text, job->task, s->all[i].db, s->all[i].name);
    return rc;
}

/* Tables with such rows that are not being copied again. */
static int ask_all(struct verify_run *r, struct refusals *refused, struct err *err)
{
    const struct job *job = r->sources[0].job;
    struct mysql_result *res;
    struct mysql_row row;
    int rc = sql_query(r->target, &res, err,
                       "SELECT DISTINCT v.source, v.db, v.tab, v.by_key, v.to_db, v.to_tab FROM "
                       "%i.sluice_verify_row v LEFT JOIN %i.sluice_refill f ON "
                       "f.task=v.task AND f.source=v.source AND f.db=v.db AND f.tab=v.tab AND "
                       "f.state IN ('new','loading','settling') "
                       "WHERE v.task=%q AND f.task IS NULL",
                       job->meta_schema, job->meta_schema, job->task);

    if (rc < 0)
        return rc;
    while ((rc = mysql_result_next(res, &row, err)) > 0) {
        rc = ask_one(r, &row, err);
        if (rc == -ENOTSUP) { /* the others are mended all the same */
            refuse(refused, &row, err);
            *err = ERR_INIT;
            rc = 0;
        }
        if (rc < 0)
            break;
    }
    mysql_result_free(res);
    return rc;
}

/* Those that could not be: why the first of them failed. */
static int check_failed(struct verify_run *r, struct err *err)
{
    const struct job *job = r->sources[0].job;
    SCOPED(freep) char *why = NULL;
    int rc = sql_scalar(r->target, &why, err,
                        "SELECT CONCAT(f.db,'.',f.tab,': ',f.reason) FROM %i.sluice_refill f "
                        "JOIN %i.sluice_verify_row v ON v.task=f.task AND v.source=f.source "
                        "AND v.db=f.db AND v.tab=f.tab WHERE f.task=%q AND f.state='failed' "
                        "LIMIT 1",
                        job->meta_schema, job->meta_schema, job->task);

    if (rc == -ENOENT) {
        *err = ERR_INIT;
        return 0;
    }
    return rc < 0 ? rc : err_set(err, -EINVAL, "%s", why);
}

static int left(struct verify_run *r, uint64_t *ret, struct err *err)
{
    const struct job *job = r->sources[0].job;
    SCOPED(freep) char *n = NULL;
    int rc = sql_scalar(r->target, &n, err,
                        "SELECT COUNT(*) FROM %i.sluice_verify_row v WHERE task=%q AND "
                        "(by_key=1 OR EXISTS (SELECT 1 FROM %i.sluice_refill f WHERE "
                        "f.task=v.task AND f.source=v.source AND f.db=v.db AND f.tab=v.tab "
                        "AND f.state<>'done'))",
                        job->meta_schema, job->task, job->meta_schema);

    if (rc == 0)
        *ret = strtoull(n, NULL, 10);
    return rc;
}

static int count_again(struct verify_run *r, struct err *err)
{
    const struct job *job = r->sources[0].job;

    return sql_exec(r->target, err,
                    "UPDATE %i.sluice_verify_table t SET differing=(SELECT COUNT(*) FROM "
                    "%i.sluice_verify_row v WHERE v.task=t.task AND v.to_db=t.db AND "
                    "v.to_tab=t.tab) WHERE t.task=%q",
                    job->meta_schema, job->meta_schema, job->task);
}

/* Of whom the rows are waited for, and who does not run. */
static char *who_sleeps(struct verify_run *r)
{
    for (unsigned i = 0; i < r->n_sources; i++) {
        struct subtask *s = task_find_sub(r->task, r->sources[i].job->source);
        struct unit *sync = s ? s->units[STAGE_SYNC] : NULL;
        enum unit_state state = sync ? unit_state(sync) : UNIT_STOPPED;

        node_unref(s ? &s->node : NULL);
        if (state != UNIT_RUNNING && state != UNIT_QUARANTINED)
            return xasprintf(", once sync of source %s runs, which is %s",
                             r->sources[i].job->source, unit_state_names[state]);
    }
    return xstrdup("");
}

static int show_left(struct verify_run *r, uint64_t rows, struct err *err)
{
    SCOPED(freep) char *sleeps = who_sleeps(r);
    struct verify *v = r->verify;
    uint64_t before = atomic_load(&v->rows_differing);
    int rc = 0;

    verify_say(v, "repairs: %llu rows are still to be copied again%s", (unsigned long long)rows,
               sleeps);
    if (rows == before)
        return 0;
    rc = count_again(r, err);
    return rc == 0 ? verify_show(r, err) : rc;
}

/* One that was settling when it was asked for takes no more rows: so it is asked for again. */
static int wait_for_rows(struct verify_run *r, struct refusals *refused, struct err *err)
{
    uint64_t rows;
    int rc;

    while ((rc = left(r, &rows, err)) == 0 && rows) {
        rc = check_failed(r, err);
        if (rc == 0)
            rc = show_left(r, rows, err);
        if (rc == 0)
            rc = ask_all(r, refused, err);
        if (rc < 0)
            return rc;
        if (!unit_sleep(&r->verify->unit, LOOK_MS))
            return err_set(err, -ECANCELED, "asked to stop");
    }
    return rc;
}

int verify_repair(struct verify_run *r, struct err *err)
{
    SCOPED(refusals_fini) struct refusals refused = { .n = 0 };
    int rc;

    verify_say(r->verify, "repairs: asking for the tables");
    rc = verify_state_create(r, err);
    if (rc == 0)
        rc = refill_state_create(r->target, r->sources[0].job, err);
    if (rc == 0)
        rc = verify_plan(r, err);
    if (rc == 0)
        rc = ask_all(r, &refused, err);
    if (rc == 0)
        rc = wait_for_rows(r, &refused, err);
    if (rc == 0)
        rc = count_again(r, err);
    if (rc == 0)
        rc = say_refused(r, &refused, err);
    if (rc == 0)
        rc = verify_show(r, err);
    if (rc < 0)
        return rc;
    verify_say(r->verify, refused.n ? "repaired, but for tables that report names" : "repaired");
    if (refused.n)
        *err = refused.all[0].why;
    return refused.n ? err->code : 0;
}
