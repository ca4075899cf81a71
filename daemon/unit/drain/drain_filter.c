#include "unit/drain/drain_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/pattern.h"
#include "unit/doc.h"

struct rule {
    struct pattern *schema, *table;
    unsigned rows; /* by enum rows_kind */
    bool all_ddl;
    bool ddl[DDL_N_CLASSES];
    struct pattern **sql;
    size_t n_sql;
};

struct drain_filter {
    struct router *router;
    struct rule *rules;
    size_t n_rules;
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

static bool all_of(struct rule *r, const char *event)
{
    if (strcasecmp(event, "all dml") == 0 || strcasecmp(event, "all") == 0)
        r->rows = ~0u;
    if (strcasecmp(event, "all ddl") == 0 || strcasecmp(event, "all") == 0)
        r->all_ddl = true;
    return strncasecmp(event, "all", 3) == 0 && (r->rows || r->all_ddl);
}

static int add_event(struct rule *r, const char *event, struct err *err)
{
    static const char *const rows[] = {
        [ROWS_INSERT] = "insert", [ROWS_UPDATE] = "update", [ROWS_DELETE] = "delete"
    };
    bool known = all_of(r, event);

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (strcasecmp(rows[i], event) == 0)
            r->rows |= 1u << i, known = true;
    for (int c = DDL_CREATE_DATABASE; c < DDL_N_CLASSES; c++)
        if (strcasecmp(ddl_class_name((enum ddl_class)c), event) == 0)
            r->ddl[c] = known = true;
    return known ? 0 : err_set(err, -EINVAL, "ignore_event: there is no event %s", event);
}

static int add_sql(struct rule *r, const char *expression, struct err *err)
{
    SCOPED(freep) char *pattern = xasprintf("~%s", expression);
    struct pattern *p;
    int rc = pattern_new(pattern, true, &p, err);

    if (rc < 0)
        return err_wrap(err, "ignore_sql");
    r->sql = xrealloc(r->sql, (r->n_sql + 1) * sizeof(struct pattern *));
    r->sql[r->n_sql++] = p;
    return 0;
}

static int fill_rule(struct rule *r, const json_t *filter, struct err *err)
{
    const json_t *v;
    size_t i;
    int rc = 0;

    json_array_foreach (doc_at(filter, "ignore_event"), i, v)
        if (rc == 0)
            rc = add_event(r, json_string_value(v), err);
    json_array_foreach (doc_at(filter, "ignore_sql"), i, v)
        if (rc == 0)
            rc = add_sql(r, json_string_value(v), err);
    return rc;
}

static int add_rule(struct drain_filter *f, const json_t *rule, const json_t *filter,
                    struct err *err)
{
    const char *table = text(rule, "source.table");
    struct rule *r;
    int rc;

    f->rules = xrealloc(f->rules, (f->n_rules + 1) * sizeof *f->rules);
    r = &f->rules[f->n_rules++];
    *r = (struct rule){ .rows = 0 };
    rc = pattern_new(text(rule, "source.schema"), true, &r->schema, err);
    if (rc == 0 && *table)
        rc = pattern_new(table, true, &r->table, err);
    return rc < 0 ? rc : fill_rule(r, filter, err);
}

static int make_rules(struct drain_filter *f, const json_t *doc, struct err *err)
{
    const json_t *rule, *name;
    size_t i, j;

    json_array_foreach (doc_at(doc, "syncer.table_migrate_rule"), i, rule)
        json_array_foreach (doc_at(rule, "binlog_filter_rule"), j, name) {
            const json_t *filter =
                json_object_get(doc_at(doc, "syncer.binlog_filter_rule"), json_string_value(name));

            if (!filter)
                return err_set(err, -EINVAL, "syncer.binlog_filter_rule: there is no rule %s",
                               json_string_value(name));
            if (add_rule(f, rule, filter, err) < 0)
                return err_wrap(err, "binlog_filter_rule %s", json_string_value(name));
        }
    return 0;
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
    for (size_t i = 0; i < f->n_rules; i++) {
        pattern_free(f->rules[i].schema);
        pattern_free(f->rules[i].table);
        for (size_t j = 0; j < f->rules[i].n_sql; j++)
            pattern_free(f->rules[i].sql[j]);
        free(f->rules[i].sql);
    }
    free(f->rules);
    free(f->servers);
    router_free(f->router);
    free(f);
}

/* --- asking --- */

const struct router *drain_filter_router(const struct drain_filter *f)
{
    return f->router;
}

static bool covers(const struct rule *r, const char *schema, const char *table)
{
    return pattern_match(r->schema, schema) > 0 &&
           (!r->table || pattern_match(r->table, table) > 0);
}

unsigned drain_filter_rows(const struct drain_filter *f, const char *schema, const char *table)
{
    unsigned bits = 0;

    for (size_t i = 0; i < f->n_rules; i++)
        if (covers(&f->rules[i], schema, table))
            bits |= f->rules[i].rows;
    return bits;
}

static bool matches_sql(const struct rule *r, const char *sql)
{
    for (size_t i = 0; i < r->n_sql; i++)
        if (pattern_match(r->sql[i], sql) > 0)
            return true;
    return false;
}

bool drain_filter_ddl(const struct drain_filter *f, const char *schema, const char *table,
                      enum ddl_class class, const char *sql)
{
    for (size_t i = 0; i < f->n_rules; i++) {
        const struct rule *r = &f->rules[i];

        if (covers(r, schema, table) && (r->all_ddl || r->ddl[class] || matches_sql(r, sql)))
            return true;
    }
    return false;
}

bool drain_filter_server(const struct drain_filter *f, uint32_t server_id)
{
    for (size_t i = 0; i < f->n_servers; i++)
        if (f->servers[i] == server_id)
            return true;
    return false;
}
