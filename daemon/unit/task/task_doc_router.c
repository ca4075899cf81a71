/* The rules of a task's document, as a router. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/router.h"
#include "unit/task/task_doc.h"

static const char *text(const json_t *object, const char *path)
{
    return json_string_value(doc_at(object, path));
}

struct rules {
    struct router_rule *at;
    unsigned n;
};

static void rules_add(struct rules *r, struct router_rule rule)
{
    r->at = xrealloc(r->at, (r->n + 1) * sizeof *r->at);
    r->at[r->n++] = rule;
}

static void rules_freep(struct rules *r)
{
    for (unsigned i = 0; i < r->n; i++)
        free((void *)r->at[i].extracts);
    free(r->at);
}

static const struct {
    const char *field, *expression;
    enum router_part part;
} extract_fields[] = {
    { "extract_table", "table_regexp", ROUTER_TABLE },
    { "extract_schema", "schema_regexp", ROUTER_SCHEMA },
    { "extract_source", "source_regexp", ROUTER_SOURCE },
};

/* Owned by the rule, its texts by the document. */
static void add_extracts(const json_t *entry, struct router_rule *r)
{
    struct router_extract *extracts = xcalloc(ROUTER_EXTRACTS, sizeof *extracts);

    for (size_t i = 0; i < ARRAY_LEN(extract_fields); i++) {
        const json_t *field = json_object_get(entry, extract_fields[i].field);

        if (field)
            extracts[r->n_extracts++] =
                (struct router_extract){ extract_fields[i].part,
                                         text(field, extract_fields[i].expression),
                                         text(field, "target_column") };
    }
    r->extracts = extracts;
}

/* The table_migrate_rule entries of 'source': what they cover, and the routes among them. */
static void migrate_rules(const json_t *doc, const char *source, struct rules *covered,
                          struct rules *routes)
{
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, rule) {
        const char *to_schema = text(rule, "target.schema"), *to_table = text(rule, "target.table");
        struct router_rule r = { .schema = text(rule, "source.schema"),
                                 .table = text(rule, "source.table"),
                                 .to_schema = to_schema,
                                 .to_table = to_table };

        if (strcmp(text(rule, "source.source_name"), source) != 0)
            continue;
        rules_add(covered, r);
        add_extracts(rule, &r);
        if ((to_schema && *to_schema) || (to_table && *to_table) || r.n_extracts)
            rules_add(routes, r);
        else
            free((void *)r.extracts);
    }
}

static void list_rules(const json_t *list, const char *schemas, const char *tables,
                       struct rules *ret)
{
    const json_t *e;
    size_t i;

    json_array_foreach (json_object_get(list, schemas), i, e)
        rules_add(ret, (struct router_rule){ .schema = json_string_value(e) });
    json_array_foreach (json_object_get(list, tables), i, e)
        rules_add(ret, (struct router_rule){ .schema = text(e, "db_name"),
                                             .table = text(e, "tbl_name") });
}

static struct online_rules online_rules(const json_t *doc, const char *field)
{
    const json_t *list = json_object_get(doc, field), *v;
    const char **at = xcalloc(json_array_size(list) + 1, sizeof *at);
    struct online_rules rules = { .at = at };
    size_t i;

    json_array_foreach (list, i, v)
        at[rules.n++] = json_string_value(v);
    return rules;
}

int task_doc_check_online(const json_t *doc, struct err *err)
{
    struct online_rules ghosts = online_rules(doc, "shadow_table_rules");
    struct online_rules trash = online_rules(doc, "trash_table_rules");
    struct online_names *names = NULL;
    int rc = online_names_new(ghosts, trash, false, &names, err);

    online_names_free(names);
    free((void *)ghosts.at);
    free((void *)trash.at);
    return rc;
}

int task_doc_router(const json_t *doc, const char *source, bool fold_case, struct router **ret,
                    struct err *err)
{
    SCOPED(rules_freep) struct rules covered = { 0 };
    SCOPED(rules_freep) struct rules routes = { 0 };
    SCOPED(rules_freep) struct rules allow = { 0 };
    SCOPED(rules_freep) struct rules block = { 0 };
    struct online_rules ghosts = online_rules(doc, "shadow_table_rules");
    struct online_rules trash = online_rules(doc, "trash_table_rules");
    int rc;
    const json_t *list = json_object_get(doc, "block_allow_list");
    const json_t *online = json_object_get(doc, "enhance_online_schema_change");
    struct router_config c = { .meta_schema = text(doc, "meta_schema"),
                               .fold_case = fold_case,
                               .online_ghosts = ghosts,
                               .online_trash = trash,
                               .online_tables = !online || json_is_true(online) };
    const char *shards = text(doc, "shard_mode");

    if (shards && *shards) { /* many would become one */
        c.hide_online = c.online_tables;
        c.online_tables = false;
    }
    migrate_rules(doc, source, &covered, &routes);
    list_rules(list, "do_dbs", "do_tables", &allow);
    list_rules(list, "ignore_dbs", "ignore_tables", &block);
    c.migrate_rules = covered.at, c.n_migrate = covered.n;
    c.routes = routes.at, c.n_routes = routes.n;
    c.do_rules = allow.at, c.n_do = allow.n;
    c.ignore_rules = block.at, c.n_ignore = block.n;
    rc = router_new(&c, ret, err);
    free((void *)ghosts.at);
    free((void *)trash.at);
    return rc;
}

/* --- which rules contradict each other, whatever tables there are --- */

/* A name, not a pattern? */
static bool is_plain(const char *name)
{
    return name && *name && *name != '~' && !strpbrk(name, "*?[");
}

int task_doc_check_routes(const json_t *doc, struct err *err)
{
    SCOPED(router_freep) struct router *r = NULL; /* of 'source' */
    const char *source = "";
    const json_t *rule;
    size_t i;

    json_array_foreach (json_object_get(doc, "table_migrate_rule"), i, rule) {
        const char *schema = text(rule, "source.schema"), *table = text(rule, "source.table");
        const char *its = text(rule, "source.source_name");
        struct err why = ERR_INIT;

        if (!is_plain(schema) || !is_plain(table))
            continue;
        if (!r || strcmp(source, its) != 0) {
            router_freep(&r);
            r = NULL;
            source = its;
            if (task_doc_router(doc, source, false, &r, err) < 0)
                return err->code;
        }
        if (router_check(r, schema, table, &why) == -EEXIST)
            return err_set(err, -EINVAL, "table_migrate_rule[%zu]: %s", i, why.text);
    }
    return 0;
}
