/*
 * Views, after the tables.  The definer's account may not exist at the target,
 * and naming another one needs rights that a copy has no use for: the clause is
 * left out.  A view may need another, so those that fail are tried again as
 * long as one of them succeeds; the rest are logged and left out, since a view
 * over what is gone is a common sight.
 */
#include <errno.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/copy/copy_engine.h"

static const char *quoted_end(const char *p)
{
    char quote = *p++;

    while (*p && (*p != quote || p[1] == quote))
        p += (*p == quote || (*p == '\\' && quote == '\'')) && p[1] ? 2 : 1;
    return *p ? p + 1 : p;
}

static char *unquoted(const char *p, const char *end)
{
    struct buf b = BUF_INIT;

    for (p++; p < end - 1; p++) {
        buf_byte(&b, *p);
        p += *p == '`';
    }
    return buf_steal(&b);
}

static bool known(const struct copy_tables *tables, const char *db, const char *name)
{
    for (unsigned i = 0; i < tables->n; i++)
        if (strcmp(tables->all[i]->def->db, db) == 0 &&
            strcmp(tables->all[i]->def->name, name) == 0)
            return true;
    for (unsigned i = 0; i < tables->n_views; i++)
        if (strcmp(tables->views[i].schema, db) == 0 && strcmp(tables->views[i].name, name) == 0)
            return true;
    return false;
}

/* `db`.`table` at 'p', or what else is quoted there. Returns what follows. */
static const char *name_put(const struct copy *c, const struct copy_tables *tables, const char *p,
                            struct buf *out)
{
    const char *end = quoted_end(p), *end2;
    SCOPED(freep) char *db = NULL;
    SCOPED(freep) char *table = NULL;
    struct route to;

    if (*p == '`' && end[0] == '.' && end[1] == '`') {
        end2 = quoted_end(end + 1);
        db = unquoted(p, end);
        table = unquoted(end + 1, end2);
        if (known(tables, db, table) && router_table(c->job->router, db, table, &to)) {
            sql_add(out, "%i.%i", to.to_schema, to.to_table);
            return end2;
        }
    }
    buf_add(out, p, (size_t)(end - p));
    return end;
}

/* SHOW CREATE VIEW prints every name with its schema, as there is no default one. */
static void view_text(const struct copy *c, const struct copy_tables *tables, const char *create,
                      struct buf *out)
{
    static const char definer[] = " DEFINER=";
    const char *p = create;

    if (strncmp(p, "CREATE ", 7) == 0) {
        buf_str(out, "CREATE OR REPLACE ");
        p += 7;
    }
    for (bool head = true; *p;) {
        if (head && strncmp(p, definer, sizeof definer - 1) == 0) {
            p = quoted_end(p + sizeof definer - 1);
            p += *p == '@';
            p = *p == '`' ? quoted_end(p) : p;
            head = false;
        } else if (*p == '`' || *p == '\'') {
            p = name_put(c, tables, p, out);
        } else {
            buf_byte(out, *p++);
        }
    }
}

static int view_make(struct copy *c, const struct copy_tables *tables, const struct copy_view *v,
                     struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct route to;

    if (v->unqualified && router_table(c->job->router, v->schema, v->name, &to)) {
        int rc = sql_exec(c->target, err, "USE %i", to.to_schema);

        if (rc < 0)
            return rc;
    }
    view_text(c, tables, v->create, &sql);
    return mysql_conn_exec(c->target, slice_of(sql.data, sql.size), NULL, err);
}

int copy_views(struct copy *c, const struct copy_tables *tables, struct err *err)
{
    SCOPED(freep) bool *done = xcalloc(tables->n_views + 1, sizeof *done);
    bool progress = true;
    int rc;

    while (progress) {
        progress = false;
        for (unsigned i = 0; i < tables->n_views; i++) {
            if (done[i])
                continue;
            rc = view_make(c, tables, &tables->views[i], err);
            if (rc == -ECONNRESET || rc == -ETIMEDOUT)
                return rc;
            done[i] = rc == 0;
            progress |= done[i];
        }
    }
    for (unsigned i = 0; i < tables->n_views; i++)
        if (!done[i] && view_make(c, tables, &tables->views[i], err) < 0)
            log_warn(c->job->path, "view %s.%s is left out: %s", tables->views[i].schema,
                     tables->views[i].name, err->text);
    *err = ERR_INIT;
    return 0;
}
