/* dm_table.c - schemas and tables: those of a source, and where a task takes them. */
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"

/* --- of a source --- */

int dm_get_source_schemas(struct call *c, struct err *err)
{
    int rc = dm_no_source(c, err);
    json_t *names = rc == 0 ? call_read(c, DM_SOURCE_SCHEMAS, err) : NULL;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return names ? dm_json(c, names) : dm_fail_at(c, DM_STEP_SOURCE_ASK, err);
}

int dm_get_source_tables(struct call *c, struct err *err)
{
    SCOPED(freep) char *file = node_name_shown(call_param(c, "schema"));
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    int rc = dm_no_source(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (call_text_below(c, DM_SOURCE_TABLES, file, &text, err) < 0)
        return dm_fail_at(c, DM_STEP_SOURCE_ASK, err);
    return dm_json(c, json_loadb(text.data, text.size, JSON_DECODE_ANY, NULL));
}

/* --- where a task takes them --- */

/* DM's patterns are of Go: \d, which POSIX lacks, is spelled out. */
static char *posix_of(const char *pattern)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    for (; *pattern; pattern++) {
        if (pattern[0] != '\\' || !pattern[1]) {
            buf_byte(&b, *pattern);
        } else if (*++pattern == 'd') {
            buf_str(&b, "[0-9]");
        } else {
            buf_byte(&b, '\\');
            buf_byte(&b, *pattern);
        }
    }
    return buf_steal(&b);
}

struct filter {
    regex_t schema, table;
    bool has_schema, has_table;
};

static void filter_fini(struct filter *f)
{
    if (f->has_schema)
        regfree(&f->schema);
    if (f->has_table)
        regfree(&f->table);
}

static int compile(const char *name, const char *pattern, regex_t *re, bool *has, struct err *err)
{
    SCOPED(freep) char *posix = posix_of(pattern);
    char why[128];
    int rc;

    if (!*pattern)
        return 0;
    rc = regcomp(re, posix, REG_EXTENDED | REG_NOSUB);
    *has = rc == 0;
    if (rc == 0)
        return 0;
    regerror(rc, re, why, sizeof why);
    return err_set(err, -EINVAL, "parameter \"%s\" in query has an error: value %.100s: %s", name,
                   pattern, why);
}

static bool fits(const regex_t *re, bool has, const char *text)
{
    return !has || regexec(re, text, 0, NULL, 0) == 0;
}

static json_t *chosen(const json_t *targets, const struct filter *f, const char *source)
{
    json_t *all = json_array(), *t, *v;
    size_t i;

    json_array_foreach ((json_t *)targets, i, t) {
        if (strcmp(dm_text(t, "source_name"), source) != 0 ||
            !fits(&f->schema, f->has_schema, dm_text(t, "source_schema")) ||
            !fits(&f->table, f->has_table, dm_text(t, "source_table")))
            continue;
        v = json_copy(t);
        json_object_del(v, "source_name");
        json_array_append_new(all, v);
    }
    return all;
}

int dm_get_targets(struct call *c, struct err *err)
{
    SCOPED(filter_fini) struct filter f = { .has_schema = false };
    SCOPED(json_decrefp) json_t *targets = NULL;
    int rc = dm_no_subtask(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (compile("schema_pattern", dm_text(c->query, "schema_pattern"), &f.schema, &f.has_schema,
                err) < 0 ||
        compile("table_pattern", dm_text(c->query, "table_pattern"), &f.table, &f.has_table, err) <
            0)
        return err->code;
    targets = call_read(c, DM_TASK_TARGETS, err);
    if (!targets)
        return dm_fail_at(c, DM_STEP_TARGETS, err);
    return dm_list(c, chosen(targets, &f, call_param(c, "source")));
}
