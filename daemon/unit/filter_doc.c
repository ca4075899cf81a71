#include "unit/filter_doc.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "route/filter.h"
#include "unit/doc.h"

static const struct doc_field text_element[] = { { .name = "text", .type = DOC_TEXT, .min = 1 },
                                                 { 0 } };
static const struct doc_field rule_fields[] = {
    { .name = "ignore_event", .type = DOC_LIST, .fields = text_element },
    { .name = "ignore_sql", .type = DOC_LIST, .fields = text_element },
    { 0 },
};
const struct doc_field filter_doc_element[] = {
    { .name = "rule", .type = DOC_OBJECT, .fields = rule_fields },
    { 0 },
};

/* Borrowed texts of the document. */
struct rules {
    struct filter_rule *at;
    size_t n;
};

static const char **texts_of(const json_t *list, size_t *n)
{
    const char **texts = xcalloc(json_array_size(list) + 1, sizeof *texts);
    const json_t *v;
    size_t i;

    *n = json_array_size(list);
    json_array_foreach (list, i, v)
        texts[i] = json_string_value(v);
    return texts;
}

static void fill(struct filter_rule *r, const char *name, const json_t *rule)
{
    r->name = name;
    r->events = texts_of(json_object_get(rule, "ignore_event"), &r->n_events);
    r->patterns = texts_of(json_object_get(rule, "ignore_sql"), &r->n_patterns);
}

static void rule_fini(struct filter_rule *r)
{
    free((void *)r->events);
    free((void *)r->patterns);
}

static void rules_fini(struct rules *rs)
{
    for (size_t i = 0; i < rs->n; i++)
        rule_fini(&rs->at[i]);
    free(rs->at);
}

static const char *text(const json_t *object, const char *path)
{
    const char *s = json_string_value(doc_at(object, path));

    return s ? s : "";
}

/* The rules that one entry of table_migrate_rule names. */
static void add_named(struct rules *rs, const json_t *entry, const json_t *rules)
{
    const json_t *name;
    size_t i;

    json_array_foreach (json_object_get(entry, "binlog_filter_rule"), i, name) {
        const char *its = json_string_value(name);
        const json_t *rule = json_object_get(rules, its);

        if (!rule)
            continue;
        rs->at = xrealloc(rs->at, (rs->n + 1) * sizeof *rs->at);
        rs->at[rs->n] = (struct filter_rule){ .schema = text(entry, "source.schema"),
                                              .table = text(entry, "source.table") };
        fill(&rs->at[rs->n++], its, rule);
    }
}

int filter_doc(const json_t *migrate, const json_t *rules, const char *source, bool fold_case,
               struct filter **ret, struct err *err)
{
    SCOPED(rules_fini) struct rules rs = { .n = 0 };
    const json_t *entry;
    size_t i;

    *ret = NULL;
    json_array_foreach (migrate, i, entry)
        if (!source || strcmp(text(entry, "source.source_name"), source) == 0)
            add_named(&rs, entry, rules);
    return rs.n ? filter_new(rs.at, rs.n, fold_case, ret, err) : 0;
}

int filter_doc_check(const json_t *rules, struct err *err)
{
    const json_t *rule;
    const char *name;
    int rc = 0;

    json_object_foreach ((json_t *)rules, name, rule) {
        SCOPED(rule_fini) struct filter_rule r = { .schema = "*" };

        fill(&r, name, rule);
        if (rc == 0)
            rc = filter_check(&r, err);
    }
    return rc;
}

int filter_doc_named(const json_t *migrate, const json_t *rules, struct err *err)
{
    const json_t *entry, *name;
    size_t i, k;

    json_array_foreach (migrate, i, entry)
        json_array_foreach (json_object_get(entry, "binlog_filter_rule"), k, name)
            if (!json_object_get(rules, json_string_value(name)))
                return err_set(err, -EINVAL,
                               "table_migrate_rule[%zu]: binlog_filter_rule: there is no rule %s",
                               i, json_string_value(name));
    return 0;
}
