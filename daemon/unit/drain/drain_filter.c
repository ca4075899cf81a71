#include "unit/drain/drain_filter.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/filter.h"
#include "unit/doc.h"
#include "unit/filter_doc.h"

struct drain_filter {
    struct router *router;
    struct filter *filter; /* NULL: no change is left out */
    uint32_t *servers;
    size_t n_servers;
};

static const char *text(const json_t *object, const char *path)
{
    const char *s = json_string_value(doc_at(object, path));

    return s ? s : "";
}

/* --- lists and routes, as a router --- */

struct rule_list {
    struct router_rule *at;
    unsigned n;
};

static void list_add(struct rule_list *l, const char *schema, const char *table)
{
    l->at = xrealloc(l->at, (l->n + 1) * sizeof *l->at);
    l->at[l->n++] = (struct router_rule){ .schema = schema, .table = table };
}

static void add_tables(struct rule_list *l, const json_t *tables)
{
    const json_t *t;
    size_t i;

    json_array_foreach (tables, i, t)
        list_add(l, text(t, "db_name"), text(t, "tbl_name"));
}

static void add_schemas(struct rule_list *l, const json_t *names)
{
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name)
        list_add(l, json_string_value(name), NULL);
}

/* 'list' is cut into its names, in place. */
static void add_named(struct rule_list *l, char *list)
{
    char *name;

    while ((name = strsep(&list, ",")))
        if (*name)
            list_add(l, name, NULL);
}

static void add_routes(struct rule_list *l, const json_t *rules)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (rules, i, rule) {
        if (!*text(rule, "target.schema"))
            continue;
        list_add(l, text(rule, "source.schema"), text(rule, "source.table"));
        l->at[l->n - 1].to_schema = text(rule, "target.schema");
        l->at[l->n - 1].to_table = text(rule, "target.table");
    }
}

static int make_router(struct drain_filter *f, const json_t *doc, struct err *err)
{
    struct rule_list take = { NULL, 0 }, leave = { NULL, 0 }, routes = { NULL, 0 };
    SCOPED(freep) char *ignored = xstrdup(text(doc, "syncer.ignore_schemas"));
    struct router_config c = { .meta_schema = text(doc, "to.meta_schema"), .fold_case = true };
    int rc;

    add_schemas(&take, doc_at(doc, "syncer.replicate_do_db"));
    add_tables(&take, doc_at(doc, "syncer.replicate_do_table"));
    add_named(&leave, ignored);
    list_add(&leave,
             *text(doc, "to.checkpoint.schema") ? text(doc, "to.checkpoint.schema") : "tidb_binlog",
             NULL);
    add_tables(&leave, doc_at(doc, "syncer.ignore_table"));
    add_routes(&routes, doc_at(doc, "syncer.table_migrate_rule"));
    c.migrate_rules = take.at, c.n_migrate = take.n;
    c.ignore_rules = leave.at, c.n_ignore = leave.n;
    c.routes = routes.at, c.n_routes = routes.n;
    rc = router_new(&c, &f->router, err);
    free(take.at);
    free(leave.at);
    free(routes.at);
    return rc;
}

/* --- filters --- */

static int make_rules(struct drain_filter *f, const json_t *doc, struct err *err)
{
    const json_t *migrate = doc_at(doc, "syncer.table_migrate_rule");
    const json_t *rules = doc_at(doc, "syncer.binlog_filter_rule");
    int rc = filter_doc_named(migrate, rules, err);

    if (rc == 0)
        rc = filter_doc(migrate, rules, NULL, true, &f->filter, err);
    return rc < 0 ? err_wrap(err, "syncer") : 0;
}

static int make_servers(struct drain_filter *f, const json_t *ids, struct err *err)
{
    const json_t *id;
    size_t i;

    f->servers = xcalloc(json_array_size(ids) + 1, sizeof *f->servers);
    json_array_foreach (ids, i, id) {
        char *end;
        unsigned long n = strtoul(json_string_value(id), &end, 10);

        if (*end || n == 0 || n > UINT32_MAX)
            return err_set(err, -EINVAL, "syncer.ignore_server_ids: %s is no server_id",
                           json_string_value(id));
        f->servers[f->n_servers++] = (uint32_t)n;
    }
    return 0;
}

int drain_filter_new(const json_t *doc, struct drain_filter **ret, struct err *err)
{
    struct drain_filter *f = xcalloc(1, sizeof *f);
    int rc = make_router(f, doc, err);

    if (rc == 0)
        rc = make_rules(f, doc, err);
    if (rc == 0)
        rc = make_servers(f, doc_at(doc, "syncer.ignore_server_ids"), err);
    if (rc < 0) {
        drain_filter_free(f);
        return rc;
    }
    *ret = f;
    return 0;
}

void drain_filter_free(struct drain_filter *f)
{
    if (!f)
        return;
    filter_free(f->filter);
    free(f->servers);
    router_free(f->router);
    free(f);
}

/* --- asking --- */

const struct router *drain_filter_router(const struct drain_filter *f)
{
    return f->router;
}

const struct filter *drain_filter_changes(const struct drain_filter *f)
{
    return f->filter;
}

unsigned drain_filter_rows(const struct drain_filter *f, const char *schema, const char *table)
{
    static_assert(FILTER_ROWS_INSERT == 1u << ROWS_INSERT &&
                      FILTER_ROWS_UPDATE == 1u << ROWS_UPDATE &&
                      FILTER_ROWS_DELETE == 1u << ROWS_DELETE,
                  "one bit a kind of change");
    return filter_rows(f->filter, schema, table);
}

bool drain_filter_server(const struct drain_filter *f, uint32_t server_id)
{
    for (size_t i = 0; i < f->n_servers; i++)
        if (f->servers[i] == server_id)
            return true;
    return false;
}
