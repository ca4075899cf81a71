#include "route/router.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/pattern.h"

struct extract {
    enum router_part part;
    struct pattern *expression;
    char *column;
};

struct rule {
    struct pattern *schema, *table; /* table NULL: the whole schema */
    char *to_schema, *to_table;     /* NULL: keep the name */
    struct extract extracts[ROUTER_EXTRACTS];
    unsigned n_extracts;
};

struct rules {
    struct rule *at;
    unsigned n;
};

struct router {
    struct rules migrate, allow, block, routes;
    struct online_names *online;
    char *meta_schema;
    bool has_do_schemas, has_do_tables, online_tables, hide_online;
};

/* TiDB's last two cannot be on a MySQL or MariaDB server for anything else. */
static const char *const system_schemas[] = {
    "mysql",          "information_schema", "sys", "performance_schema",
    "metrics_schema", "inspection_schema"
};

/* mysql, information_schema, ... */
static bool router_is_system(const char *schema)
{
    for (size_t i = 0; i < ARRAY_LEN(system_schemas); i++)
        if (strcasecmp(schema, system_schemas[i]) == 0)
            return true;
    return false;
}

/* --- building --- */

static char *dup_or_null(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

static int extracts_init(struct rule *r, const struct router_rule *from, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < from->n_extracts && i < ROUTER_EXTRACTS && rc == 0; i++) {
        const struct router_extract *x = &from->extracts[i];
        SCOPED(freep) char *text = xasprintf("~%s", x->expression);
        struct extract *to = &r->extracts[r->n_extracts++];

        *to = (struct extract){ .part = x->part, .column = xstrdup(x->column) };
        rc = pattern_new(text, false, &to->expression, err);
    }
    return rc;
}

static int rules_init(struct rules *rs, const struct router_rule *from, unsigned n, bool fold,
                      struct err *err)
{
    int rc = 0;

    rs->at = xcalloc(n ? n : 1, sizeof *rs->at);
    for (unsigned i = 0; i < n && rc == 0; i++) {
        struct rule *r = &rs->at[rs->n++];

        rc = pattern_new(from[i].schema, fold, &r->schema, err);
        if (rc == 0 && from[i].table && *from[i].table)
            rc = pattern_new(from[i].table, fold, &r->table, err);
        r->to_schema = dup_or_null(from[i].to_schema);
        r->to_table = dup_or_null(from[i].to_table);
        if (rc == 0)
            rc = extracts_init(r, &from[i], err);
    }
    return rc;
}

static void rules_fini(struct rules *rs)
{
    for (unsigned i = 0; i < rs->n; i++) {
        pattern_free(rs->at[i].schema);
        pattern_free(rs->at[i].table);
        free(rs->at[i].to_schema);
        free(rs->at[i].to_table);
        for (unsigned k = 0; k < rs->at[i].n_extracts; k++) {
            pattern_free(rs->at[i].extracts[k].expression);
            free(rs->at[i].extracts[k].column);
        }
    }
    free(rs->at);
}

static bool any_rule(const struct rules *rs, bool for_tables)
{
    for (unsigned i = 0; i < rs->n; i++)
        if ((rs->at[i].table != NULL) == for_tables)
            return true;
    return false;
}

void router_free(struct router *r)
{
    if (!r)
        return;
    rules_fini(&r->migrate);
    rules_fini(&r->allow);
    rules_fini(&r->block);
    rules_fini(&r->routes);
    online_names_free(r->online);
    free(r->meta_schema);
    free(r);
}

int router_new(const struct router_config *c, struct router **ret, struct err *err)
{
    SCOPED(router_freep) struct router *r = xcalloc(1, sizeof *r);
    int rc;

    if ((rc = rules_init(&r->migrate, c->migrate_rules, c->n_migrate, c->fold_case, err)) < 0 ||
        (rc = rules_init(&r->allow, c->do_rules, c->n_do, c->fold_case, err)) < 0 ||
        (rc = rules_init(&r->block, c->ignore_rules, c->n_ignore, c->fold_case, err)) < 0 ||
        (rc = rules_init(&r->routes, c->routes, c->n_routes, c->fold_case, err)) < 0 ||
        (rc = online_names_new(c->online_ghosts, c->online_trash, c->fold_case, &r->online, err)) <
            0)
        return rc;
    r->has_do_schemas = any_rule(&r->allow, false);
    r->has_do_tables = any_rule(&r->allow, true);
    r->meta_schema = dup_or_null(c->meta_schema);
    r->online_tables = c->online_tables;
    r->hide_online = c->hide_online;
    *ret = STEAL(r);
    return 0;
}

/* --- asking --- */

static bool is_match(const struct pattern *p, const char *name)
{
    return pattern_match(p, name) > 0;
}

/* A rule for tables that matches schema and table; with 'table' NULL the schema alone decides. */
static bool matches_table_rule(const struct rules *rs, const char *schema, const char *table)
{
    for (unsigned i = 0; i < rs->n; i++)
        if (rs->at[i].table && is_match(rs->at[i].schema, schema) &&
            (!table || is_match(rs->at[i].table, table)))
            return true;
    return false;
}

static bool matches_schema_rule(const struct rules *rs, const char *schema)
{
    for (unsigned i = 0; i < rs->n; i++)
        if (!rs->at[i].table && is_match(rs->at[i].schema, schema))
            return true;
    return false;
}

static bool is_ours(const struct router *r, const char *schema)
{
    return router_is_system(schema) || (r->meta_schema && strcasecmp(schema, r->meta_schema) == 0);
}

static bool migrates(const struct router *r, const char *schema, const char *table)
{
    return r->migrate.n == 0 || matches_schema_rule(&r->migrate, schema) ||
           matches_table_rule(&r->migrate, schema, table);
}

static bool schema_passes(const struct router *r, const char *schema)
{
    if (r->has_do_schemas)
        return matches_schema_rule(&r->allow, schema);
    return !matches_schema_rule(&r->block, schema);
}

static bool table_passes(const struct router *r, const char *schema, const char *table)
{
    if (matches_table_rule(&r->allow, schema, table))
        return true;
    return !matches_table_rule(&r->block, schema, table) && !r->has_do_tables;
}

/* The next route from number '*i' on that is for tables (or schemas) and matches. */
static const struct rule *next_route(const struct router *r, unsigned *i, const char *schema,
                                     const char *table)
{
    while (*i < r->routes.n) {
        const struct rule *rule = &r->routes.at[(*i)++];

        if ((rule->table != NULL) == (table != NULL) && is_match(rule->schema, schema) &&
            (!table || is_match(rule->table, table)))
            return rule;
    }
    return NULL;
}

/* The route for a table, and (if 'other' is not NULL) a second one of the same rank. */
static const struct rule *find_route(const struct router *r, const char *schema, const char *table,
                                     const struct rule **other)
{
    unsigned i = 0;
    const struct rule *found = next_route(r, &i, schema, table);

    if (!found) {
        table = NULL;
        i = 0;
        found = next_route(r, &i, schema, NULL);
    }
    if (other)
        *other = found ? next_route(r, &i, schema, table) : NULL;
    return found;
}

static void set_route(struct route *ret, const char *schema, const char *table)
{
    *ret = (struct route){ .whole = false };
    snprintf(ret->to_schema, sizeof ret->to_schema, "%s", schema);
    snprintf(ret->to_table, sizeof ret->to_table, "%s", table);
}

static bool in_scope(const struct router *r, const char *schema, const char *table)
{
    return !is_ours(r, schema) && migrates(r, schema, table) && schema_passes(r, schema) &&
           table_passes(r, schema, table);
}

/* "_orders_gho" -> "orders" in 'base', which is at *at; ONLINE_NONE if it is no such name. */
static enum router_online online_base(const struct router *r, const char *table,
                                      char base[static 193], size_t *at)
{
    size_t size;
    enum router_online kind = online_name(r->online, table, at, &size);

    if (kind != ONLINE_NONE)
        snprintf(base, 193, "%.*s", (int)size, table + *at);
    return kind;
}

/* With the name that its table has at the target. */
static bool online_table(const struct router *r, const char *schema, const char *table,
                         struct route *ret)
{
    SCOPED(freep) char *to = NULL;
    char base[193];
    size_t at;

    if (!r->online_tables || online_base(r, table, base, &at) == ONLINE_NONE ||
        matches_table_rule(&r->block, schema, table) || !in_scope(r, schema, base) ||
        !router_table(r, schema, base, ret))
        return false;
    to = xasprintf("%.*s%s%s", (int)at, table, ret->to_table, table + at + strlen(base));
    snprintf(ret->to_table, sizeof ret->to_table, "%s", to);
    return true;
}

bool router_table(const struct router *r, const char *schema, const char *table, struct route *ret)
{
    char base[193];
    const struct rule *rule;
    size_t at;

    if (r->hide_online && online_base(r, table, base, &at) != ONLINE_NONE)
        return false;
    if (!in_scope(r, schema, table))
        return online_table(r, schema, table, ret);
    rule = find_route(r, schema, table, NULL);
    set_route(ret, rule && rule->to_schema ? rule->to_schema : schema,
              rule && rule->table && rule->to_table ? rule->to_table : table);
    return true;
}

void router_extracted(const struct router *r, const char *source, const char *schema,
                      const char *table, struct router_extracted *ret)
{
    const struct rule *rule = find_route(r, schema, table, NULL);
    const char *const names[] = {
        [ROUTER_TABLE] = table, [ROUTER_SCHEMA] = schema, [ROUTER_SOURCE] = source
    };

    *ret = (struct router_extracted){ .n = rule ? rule->n_extracts : 0 };
    for (unsigned i = 0; i < ret->n; i++) {
        const struct extract *x;
        SCOPED(buf_fini) struct buf value = BUF_INIT;

        assert(rule);
        x = &rule->extracts[i];
        snprintf(ret->at[i].column, sizeof ret->at[i].column, "%s", x->column);
        pattern_groups(x->expression, names[x->part], &value);
        snprintf(ret->at[i].value, sizeof ret->at[i].value, "%.*s", (int)value.size,
                 value.size ? value.data : "");
    }
}

enum router_online router_online(const struct router *r, const char *schema, const char *table,
                                 char base[static 193])
{
    enum router_online kind = ONLINE_NONE;
    size_t at;

    if (r->online_tables || r->hide_online)
        kind = online_base(r, table, base, &at);
    return kind != ONLINE_NONE && in_scope(r, schema, base) ? kind : ONLINE_NONE;
}

/* "db.*" is the whole schema too. */
static bool is_whole(const struct rule *rule)
{
    return !rule->table || strcmp(pattern_text(rule->table), "*") == 0;
}

/* Where the table routes of a schema lead. */
struct destinations {
    const char *schema; /* of all of them; NULL: there is none, or they differ */
    bool any;
    bool some_tables; /* some route is for a part of the tables, or renames them */
};

static struct destinations find_destinations(const struct router *r, const char *schema)
{
    struct destinations d = { .schema = NULL };

    for (unsigned i = 0; i < r->routes.n; i++) {
        const struct rule *rule = &r->routes.at[i];
        const char *to = rule->to_schema ? rule->to_schema : schema;

        if (!rule->table || !is_match(rule->schema, schema))
            continue;
        d.schema = !d.any || (d.schema && strcmp(d.schema, to) == 0) ? to : NULL;
        d.some_tables = d.some_tables || !is_whole(rule) || rule->to_table;
        d.any = true;
    }
    return d;
}

static bool covers_whole(const struct router *r, const char *schema)
{
    bool covered = r->migrate.n == 0;

    for (unsigned i = 0; i < r->migrate.n && !covered; i++)
        covered = is_whole(&r->migrate.at[i]) && is_match(r->migrate.at[i].schema, schema);
    return covered && !r->has_do_tables && !matches_table_rule(&r->block, schema, NULL);
}

bool router_schema(const struct router *r, const char *schema, struct route *ret)
{
    const struct rule *rule;
    struct destinations d;
    unsigned i = 0;

    if (is_ours(r, schema) || !migrates(r, schema, NULL) || !schema_passes(r, schema))
        return false;
    if (r->has_do_tables && !r->has_do_schemas && !matches_table_rule(&r->allow, schema, NULL))
        return false;
    rule = next_route(r, &i, schema, NULL);
    d = find_destinations(r, schema);
    if (d.any && !d.schema && !rule)
        return false; /* its tables go to several schemas: no single one stands for it */
    set_route(ret, rule && rule->to_schema ? rule->to_schema : d.schema ? d.schema : schema, "");
    ret->whole = covers_whole(r, schema) && !d.some_tables &&
                 (!d.any || (d.schema && strcmp(d.schema, ret->to_schema) == 0));
    return true;
}

/* --- checking --- */

static int runaway(const struct rules *rs, const char *schema, const char *table, struct err *err)
{
    for (unsigned i = 0; i < rs->n; i++) {
        const struct rule *rule = &rs->at[i];
        const struct pattern *bad = pattern_match(rule->schema, schema) < 0 ? rule->schema : NULL;

        if (!bad && rule->table && pattern_match(rule->table, table) < 0)
            bad = rule->table;
        if (bad)
            return err_set(err, -E2BIG, "table %s.%s: the expression '%s' takes too many steps",
                           schema, table, pattern_text(bad));
    }
    return 0;
}

static void rule_text(const struct rule *r, char *to, size_t size)
{
    snprintf(to, size, "%s%s%s -> %s%s%s", pattern_text(r->schema), r->table ? "." : "",
             r->table ? pattern_text(r->table) : "", r->to_schema ? r->to_schema : "(same)",
             r->to_table ? "." : "", r->to_table ? r->to_table : "");
}

static bool same_target(const struct rule *a, const struct rule *b)
{
    const char *as = a->to_schema ? a->to_schema : "", *bs = b->to_schema ? b->to_schema : "";
    const char *at = a->to_table ? a->to_table : "", *bt = b->to_table ? b->to_table : "";

    return strcmp(as, bs) == 0 && strcmp(at, bt) == 0;
}

int router_check(const struct router *r, const char *schema, const char *table, struct err *err)
{
    const struct rules *all[] = { &r->migrate, &r->allow, &r->block, &r->routes };
    const struct rule *first, *other;
    char a[256], b[256];
    int rc;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if ((rc = runaway(all[i], schema, table, err)) < 0)
            return rc;
    first = find_route(r, schema, table, &other);
    if (!other || same_target(first, other))
        return 0;
    rule_text(first, a, sizeof a);
    rule_text(other, b, sizeof b);
    return err_set(err, -EEXIST, "table %s.%s matches two routes: %s, and %s", schema, table, a, b);
}
