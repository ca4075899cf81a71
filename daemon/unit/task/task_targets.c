/* migrate_targets: what a task would move now, by its rules and lists, of the tables that its
 * sources have at this moment. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/table.h"
#include "route/router.h"
#include "unit/source/source.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"

enum { CONNECT_S = 5, IO_S = 20 };

static int connect_to(struct task *t, const char *name, bool *fold, struct mysql_conn **ret,
                      struct err *err)
{
    struct source *s = source_find(t->config.sources, name);
    struct mysql_params p;
    int rc;

    if (!s)
        return err_set(err, -ENOENT, "there is no source %s: mkdir sources/%s", name, name);
    *fold = source_folds_case(s);
    rc = source_login(s, &p, err);
    source_unref(s);
    if (rc < 0)
        return rc;
    p.connect_timeout_s = CONNECT_S;
    p.io_timeout_s = IO_S;
    rc = mysql_conn_open(ret, &p, err);
    mysql_params_fini(&p);
    return rc < 0 ? err_wrap(err, "source %s", name) : 0;
}

static int add_table(json_t *list, const char *source, const struct router *r,
                     const struct table_name *t, struct err *err)
{
    struct route to;

    if (t->kind == TABLE_VIEW || !router_table(r, t->db, t->name, &to))
        return 0;
    if (router_check(r, t->db, t->name, err) < 0)
        return err_wrap(err, "source %s: table %s.%s", source, t->db, t->name);
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "source_name", source,
                                    "source_schema", t->db, "source_table", t->name,
                                    "target_schema", to.to_schema, "target_table", to.to_table));
    return 0;
}

static int add_source(struct task *t, const json_t *doc, const char *name, json_t *list,
                      struct err *err)
{
    SCOPED(mysql_conn_closep) struct mysql_conn *c = NULL;
    SCOPED(router_freep) struct router *r = NULL;
    SCOPED(table_names_fini) struct table_names names = { 0 };
    bool fold = false;
    int rc = connect_to(t, name, &fold, &c, err);

    if (rc == 0)
        rc = task_doc_router(doc, name, fold, &r, err);
    if (rc == 0)
        rc = table_list(c, NULL, &names, err);
    for (unsigned i = 0; i < names.n && rc == 0; i++)
        rc = add_table(list, name, r, &names.names[i], err);
    return rc;
}

json_t *task_targets(struct task *t, const char *only, struct err *err)
{
    SCOPED(json_decrefp) json_t *list = json_array();
    SCOPED(json_decrefp) json_t *doc = NULL;
    SCOPED(json_decrefp) json_t *sources = NULL;
    const json_t *name;
    size_t i;
    int rc = 0;

    mutex_lock(&t->lock);
    doc = json_incref(t->full);
    mutex_unlock(&t->lock);
    sources = task_doc_sources(doc);
    json_array_foreach (sources, i, name)
        if (rc == 0 && (!only || strcmp(only, json_string_value(name)) == 0))
            rc = add_source(t, doc, json_string_value(name), list, err);
    return rc < 0 ? NULL : STEAL(list);
}
