/* dm_table.c - schemas and tables: those of a source, as a task knows them, and where it takes
 * them. */
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/state.h"

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

/* --- as a task knows them --- */

static bool verifies(struct call *c)
{
    struct err none = ERR_INIT;
    SCOPED(json_decrefp) json_t *verify = call_read(c, DM_VERIFY, &none);

    return dm_is_state(verify, "running");
}

/* 0; 1 when that is the reply already: {source} of {task} does not stand still in sync. */
static int check_paused(struct call *c, struct err *err)
{
    int rc = dm_no_subtask(c, err);
    SCOPED(json_decrefp) json_t *subtask = rc == 0 ? call_read(c, DM_SUBTASK, err) : NULL;
    const char *stage = dm_text(subtask, "stage"), *state = dm_text(subtask, "state");

    if (rc != 0 || (err->code < 0 && err->code != -ENOENT))
        return rc != 0 ? rc : err->code;
    *err = ERR_INIT;
    state = state_name(*state ? state : "new", STATE_DM_SUBTASK);
    if (strcmp(state, "Paused") != 0)
        dm_fail(c, DM_NOT_PAUSED, "current stage is %s but not paused, invalid", state);
    else if (strcmp(stage, "sync") != 0)
        dm_fail(c, DM_SYNC_ONLY,
                "such operation is only available for syncer, but now syncer is not running. "
                "current unit is %s",
                stage);
    else if (verifies(c))
        dm_fail(c, DM_VALIDATOR_NOT_PAUSED, "validator is running, not paused");
    else
        return 0;
    return 1;
}

int dm_get_schemas(struct call *c, struct err *err)
{
    int rc = check_paused(c, err);
    json_t *names = rc == 0 ? call_listed(c, DM_SCHEMAS, NULL, err) : NULL;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return names ? dm_json(c, names) : dm_fail_at(c, DM_STEP_TABLE, err);
}

int dm_get_tables(struct call *c, struct err *err)
{
    int rc = check_paused(c, err);
    json_t *names = rc == 0 ? call_listed(c, DM_SCHEMA, ".sql", err) : NULL;

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return names ? dm_json(c, names) : dm_fail_at(c, DM_STEP_TABLE, err);
}

static char *file_of(struct call *c)
{
    SCOPED(freep) char *plain = xasprintf("%s.sql", call_param(c, "table"));

    return node_name_shown(plain);
}

/* As DM prints it, in one line. */
static json_t *one_line(const struct buf *text)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;

    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] != '\n') {
            buf_byte(&b, text->data[i]);
            continue;
        }
        while (i + 1 < text->size && text->data[i + 1] == ' ')
            i++;
        if (i + 1 < text->size)
            buf_byte(&b, ' ');
    }
    return json_stringn(b.data ? b.data : "", b.size);
}

int dm_get_table(struct call *c, struct err *err)
{
    SCOPED(freep) char *file = file_of(c);
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    int rc = check_paused(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (call_text_below(c, DM_SCHEMA, file, &text, err) < 0)
        return dm_fail_at(c, DM_STEP_TABLE, err);
    return dm_json(c,
                   json_pack("{s:s,s:s,s:o}", "schema_name", call_param(c, "schema"), "table_name",
                             call_param(c, "table"), "schema_create_sql", one_line(&text)));
}

int dm_put_table(struct call *c, struct err *err)
{
    SCOPED(json_decrefp)
    json_t *args =
        json_pack("{s:s,s:s}", "schema", call_param(c, "schema"), "table", call_param(c, "table"));
    int rc = check_paused(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (*dm_text(c->body, "schema_source"))
        json_object_set(args, "schema_source", json_object_get(c->body, "schema_source"));
    if (*dm_text(c->body, "sql_content"))
        json_object_set(args, "sql", json_object_get(c->body, "sql_content"));
    return call_write(c, DM_SCHEMAS_SET, args, err) < 0 ? dm_fail_at(c, DM_STEP_TABLE, err)
                                                        : dm_done(c);
}

int dm_delete_table(struct call *c, struct err *err)
{
    SCOPED(freep) char *file = file_of(c);
    int rc = check_paused(c, err);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    return call_remove_below(c, DM_SCHEMA, file, err) < 0 ? dm_fail_at(c, DM_STEP_TABLE, err)
                                                          : dm_done(c);
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
