#include "unit/row_filter_doc.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "route/expr.h"
#include "route/pattern.h"

static const char *text(const json_t *rule, const char *field)
{
    const char *s = json_string_value(json_object_get(rule, field));

    return s && *s ? s : NULL;
}

static struct row_rule rule_of(const char *name, const json_t *rule)
{
    return (struct row_rule){ .name = name,
                              .schema = text(rule, "schema"),
                              .table = text(rule, "table"),
                              .insert = text(rule, "insert_value_expr"),
                              .delete = text(rule, "delete_value_expr"),
                              .update_old = text(rule, "update_old_value_expr"),
                              .update_new = text(rule, "update_new_value_expr") };
}

static bool names(const char *pattern, const char *name)
{
    struct err ignored = ERR_INIT;
    struct pattern *p;
    bool is;

    if (pattern_new(pattern, true, &p, &ignored) < 0)
        return false;
    is = pattern_match(p, name) > 0;
    pattern_free(p);
    return is;
}

bool row_rule_is_for(const struct row_rule *r, const char *schema, const char *table)
{
    return names(r->schema, schema) && names(r->table, table);
}

static int check_rule(const struct row_rule *r, struct err *err)
{
    const char *const all[] = { r->insert, r->delete, r->update_old, r->update_new };
    unsigned kinds = (r->insert != NULL) + (r->delete != NULL) + (r->update_old || r->update_new);

    if (!r->schema || !r->table) {
        err_set(err, -EINVAL, "schema and table are needed");
        return err_because(err, REASON_EXPRESSION_NAME);
    }
    if (kinds != 1) {
        err_set(err, -EINVAL,
                "one of insert_value_expr, delete_value_expr, and update_old_value_expr with "
                "or without update_new_value_expr, is needed: a rule for each kind of change");
        return err_because(err, REASON_EXPRESSION_MANY);
    }
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct expr *e = NULL;

        if (all[i] && expr_new(all[i], NULL, 0, &e, err) < 0)
            return err->code;
        expr_free(e);
    }
    return 0;
}

int row_filter_doc_check(const json_t *rules, struct err *err)
{
    const json_t *rule;
    const char *name;

    json_object_foreach ((json_t *)rules, name, rule) {
        struct row_rule r = rule_of(name, rule);

        if (check_rule(&r, err) < 0)
            return err_wrap(err, "expression_filter %s", name);
    }
    return 0;
}

int row_filter_doc_named(const json_t *rules, const json_t *source_confs, struct err *err)
{
    const json_t *conf, *name;
    size_t i, k;

    json_array_foreach (source_confs, i, conf)
        json_array_foreach (json_object_get(conf, "expression_filters"), k, name)
            if (!json_object_get(rules, json_string_value(name))) {
                err_set(err, -EINVAL, "source_conf[%zu]: expression_filters: there is no rule %s",
                        i, json_string_value(name));
                return err_because(err, REASON_EXPRESSION_UNKNOWN);
            }
    return 0;
}

struct row_rule *row_filter_doc_rules(const json_t *rules, const json_t *conf, size_t *n)
{
    const json_t *names = json_object_get(conf, "expression_filters"), *name;
    struct row_rule *found = xcalloc(json_array_size(names) + 1, sizeof *found);
    size_t i;

    *n = 0;
    json_array_foreach (names, i, name) {
        const json_t *rule = json_object_get(rules, json_string_value(name));

        if (rule)
            found[(*n)++] = rule_of(json_string_value(name), rule);
    }
    return found;
}
