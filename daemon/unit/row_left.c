#include "unit/row_left.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "route/filter.h"
#include "unit/row_filter_doc.h"

enum { ER_BAD_FIELD = 1054 };

/* A TRUNCATE that is left out leaves rows at the target, as deletes do. */
static bool truncates(const struct job *job, const char *db, const char *table)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT, rest = BUF_INIT;
    struct arena arena = ARENA_INIT;
    struct ddl d;
    struct filter_statement st;
    bool left;

    sql_add(&sql, "TRUNCATE TABLE %i.%i", db, table);
    ddl_scan(slice_of(sql.data, sql.size), false, false, &arena, &d);
    st = (struct filter_statement){
        .sql = slice_of(sql.data, sql.size), .ddl = &d, .schema = db, .table = table
    };
    left = filter_ddl(job->filter, &st, &arena, &rest) == FILTER_IGNORE;
    arena_fini(&arena);
    return left;
}

static unsigned kinds_of(const struct job *job, const char *db, const char *table)
{
    unsigned kinds = filter_rows(job->filter, db, table);

    if (job->filter && truncates(job, db, table))
        kinds |= FILTER_ROWS_DELETE;
    for (size_t i = 0; i < job->n_row_rules; i++) {
        const struct row_rule *r = &job->row_rules[i];

        if (!row_rule_is_for(r, db, table))
            continue;
        kinds |= r->delete ? FILTER_ROWS_DELETE : 0;
        kinds |= r->update_old || r->update_new ? FILTER_ROWS_UPDATE : 0;
    }
    return kinds;
}

/* 1: the table has the columns that it names. */
static int applies(struct mysql_conn *source, const char *db, const char *table, const char *expr,
                   struct err *err)
{
    SCOPED(freep) char *none = NULL;
    int rc =
        sql_scalar(source, &none, err, "SELECT 1 FROM %i.%i WHERE (%r) LIMIT 0", db, table, expr);

    if (rc < 0 && rc != -ENOENT && err->sql != ER_BAD_FIELD)
        return rc;
    rc = err->sql != ER_BAD_FIELD;
    *err = ERR_INIT;
    return rc;
}

int row_left_init(struct row_left *l, const struct job *job, struct mysql_conn *source,
                  const char *db, const char *table, struct err *err)
{
    SCOPED(buf_fini) struct buf all = BUF_INIT;

    *l = (struct row_left){ .kinds = kinds_of(job, db, table) };
    for (size_t i = 0; i < job->n_row_rules; i++) {
        const struct row_rule *r = &job->row_rules[i];
        int rc;

        if (!r->insert || !row_rule_is_for(r, db, table))
            continue;
        rc = applies(source, db, table, r->insert, err);
        if (rc < 0)
            return err_wrap(err, "expression_filter %s", r->name);
        if (rc > 0)
            buf_printf(&all, "%s((%s) IS TRUE)", all.size ? " OR " : "", r->insert);
    }
    if (all.size)
        l->inserts = buf_steal(&all);
    return 0;
}

void row_left_fini(struct row_left *l)
{
    free(l->inserts);
    *l = (struct row_left){ .kinds = 0 };
}

bool row_left_any(const struct job *job, const char *db, const char *table)
{
    if (kinds_of(job, db, table))
        return true;
    for (size_t i = 0; i < job->n_row_rules; i++)
        if (row_rule_is_for(&job->row_rules[i], db, table))
            return true;
    return false;
}
