#include "http/compat/dm/dm_convert.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "dm/task_file.h"
#include "http/compat/dm/dm.h"
#include "node/yaml.h"

/* --- what DM checks --- */

static int lacks(enum dm_error *e, enum dm_error which, const char *what, struct err *err)
{
    *e = which;
    return err_set(err, -EINVAL, "%s", what);
}

/* A task can be made of parts here; a file of DM's has all of it. */
static int check_whole(const json_t *file, enum dm_error *e, struct err *err)
{
    if (!json_is_object(file))
        return lacks(e, DM_YAML, "the file is no mapping of keys", err);
    if (!*dm_text(file, "name"))
        return lacks(e, DM_TASK_NAME_EMPTY, "name", err);
    if (!*dm_text(file, "task-mode"))
        return lacks(e, DM_TASK_MODE, "task-mode is missing", err);
    if (!json_object_size(json_object_get(file, "target-database")))
        return lacks(e, DM_NEED_TARGET, "must specify target-database", err);
    if (!json_array_size(json_object_get(file, "mysql-instances")))
        return lacks(e, DM_NEED_INSTANCES, "must specify at least one mysql-instances", err);
    return 0;
}

/* What is wrong with a file; else its YAML is. */
static const struct {
    enum reason reason;
    enum dm_error as;
} reasons[] = {
    { REASON_FILE_ROUTE_UNKNOWN, DM_ROUTE_NOT_FOUND },
    { REASON_FILE_FILTER_UNKNOWN, DM_FILTER_NOT_FOUND },
    { REASON_FILE_LIST_UNKNOWN, DM_LIST_NOT_FOUND },
    { REASON_FILE_DUMPER_UNKNOWN, DM_DUMPER_NOT_FOUND },
    { REASON_FILE_LOADER_UNKNOWN, DM_LOADER_NOT_FOUND },
    { REASON_FILE_SYNCER_UNKNOWN, DM_SYNCER_NOT_FOUND },
    { REASON_FILE_VALIDATOR_UNKNOWN, DM_VALIDATOR_NOT_FOUND },
    { REASON_EXPRESSION_UNKNOWN, DM_EXPRESSION_NOT_FOUND },
    { REASON_FILE_RULE_TWICE, DM_DUPLICATE_ITEM },
    { REASON_FILE_RULE_UNUSED, DM_GLOBAL_UNUSED },
    { REASON_FILE_SOURCE, DM_EMPTY_SOURCE_ID },
    { REASON_SAME_SOURCE, DM_SAME_SOURCE },
    { REASON_FILE_MAPPING, DM_COLUMN_MAPPING },
    { REASON_FILE_COLLATION, DM_COLLATION },
    { REASON_FILE_CHUNK_SIZE, DM_CHUNK_SIZE },
    { REASON_FILE_VALIDATOR_MODE, DM_VALIDATION_MODE },
};

static enum dm_error error_of(const struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].reason == err->reason)
            return reasons[i].as;
    return DM_YAML;
}

/* Words that the file has and the task cannot have; else its YAML is wrong. */
static const struct {
    const char *at;
    enum dm_error as;
} words[] = {
    { "task_mode", DM_TASK_MODE },
    { "shard_mode", DM_SHARD_MODE },
    { "source_config.full_migrate_conf.import_mode", DM_LOAD_MODE },
    { "source_config.full_migrate_conf.on_duplicate_logical", DM_DUPLICATE },
    { "source_config.full_migrate_conf.on_duplicate_physical", DM_DUPLICATE_PHYSICAL },
    { "source_config.full_migrate_conf.checksum", DM_CHECKSUM_PHYSICAL },
    { "source_config.full_migrate_conf.analyze", DM_ANALYZE },
    { "target_config.session.foreign_key_checks", DM_FOREIGN_KEYS },
};

static const struct api_field *field_at(const struct api_schema *s, const char *path)
{
    const struct api_field *f = s->fields;
    size_t n = strcspn(path, ".");

    while (strlen(f->name) != n || strncmp(f->name, path, n) != 0)
        f++;
    return path[n] ? field_at(f->of, path + n + 1) : f;
}

static bool is_word(const char *const *choices, const json_t *v)
{
    for (; json_is_string(v) && *choices; choices++)
        if (strcmp(json_string_value(v), *choices) == 0)
            return true;
    return false;
}

static enum dm_error wrong_word(const json_t *task)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const json_t *v = dm_at(task, words[i].at);

        if (v && !is_word(field_at(&dm_task_schema, words[i].at)->choices, v))
            return words[i].as;
    }
    return DM_YAML;
}

/* DM's sources have names of that length; of ours a file may name any. */
static int check_lengths(const json_t *task, enum dm_error *e, struct err *err)
{
    const json_t *conf;
    size_t i;

    json_array_foreach (dm_at(task, "source_config.source_conf"), i, conf)
        if (dm_is_long_name(dm_text(conf, "source_name")))
            return lacks(e, DM_LONG_FILE_SOURCE_ID, dm_text(conf, "source_name"), err);
    return 0;
}

/* The API has it at the task, where the loader of a file says it. */
static void complete(json_t *task)
{
    json_t *conf = json_object_get(task, "source_config");
    const char *said = dm_text(json_object_get(conf, "full_migrate_conf"), "on_duplicate_logical");

    json_object_set_new(task, "on_duplicate", json_string(*said ? said : "replace"));
    if (!json_object_get(task, "enhance_online_schema_change"))
        json_object_set_new(task, "enhance_online_schema_change", json_true());
    if (!json_object_get(task, "table_migrate_rule"))
        json_object_set_new(task, "table_migrate_rule", json_array());
}

json_t *dm_task_of_file(const json_t *file, enum dm_error *e, struct err *err)
{
    SCOPED(json_decrefp) json_t *task = NULL, *checked = NULL;

    if (check_whole(file, e, err) < 0)
        return NULL;
    if (task_file_read(file, &task, err) < 0) {
        *e = error_of(err);
        return NULL;
    }
    if (check_lengths(task, e, err) < 0)
        return NULL;
    complete(task);
    *e = wrong_word(task);
    return api_check(&dm_task_schema, task, &checked, err) < 0 ? NULL : json_incref(checked);
}

/* --- the route --- */

static json_t *task_of_text(struct call *c, const char *text)
{
    struct err err = ERR_INIT;
    SCOPED(json_decrefp) json_t *file = yaml_parse(text, strlen(text), &err);
    enum dm_error e = DM_YAML;
    json_t *task = file ? dm_task_of_file(file, &e, &err) : NULL;

    if (!task)
        dm_fail(c, e, "%s", err.text);
    return task;
}

int dm_convert_task(struct call *c, struct err *err)
{
    const char *text = dm_text(c->body, "task_config_file");
    json_t *given = json_object_get(c->body, "task");
    SCOPED(json_decrefp) json_t *task = NULL, *file = NULL, *shown = NULL;
    SCOPED(buf_fini) struct buf yaml = BUF_INIT;

    if (!given == !*text)
        return dm_fail(c, DM_COMMON, "one of task and task_config_file is needed");
    task = given ? json_incref(given) : task_of_text(c, text);
    if (!task)
        return 0;
    shown = dm_task_shown(task);
    if (task_file_write(shown, &file, err) < 0)
        return dm_fail(c, DM_COMMON, "%s", err->text);
    yaml_print(file, &yaml);
    return dm_json(c, json_pack("{s:O,s:s}", "task", shown, "task_config_file", yaml.data));
}
