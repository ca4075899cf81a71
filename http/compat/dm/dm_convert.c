/* dm_convert.c - between a task of the API and a task file. */
#include "base/scope.h"
#include "http/compat/dm/dm.h"
#include "http/compat/dm/dm_yaml.h"
#include "node/yaml.h"

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

    (void)err;
    if (!given == !*text)
        return dm_fail(c, DM_COMMON, "one of task and task_config_file is needed");
    if (api_ours(&dm_task_schema, given))
        return dm_fail(c, DM_COMMON, "%s: task files are not made with it here",
                       api_ours(&dm_task_schema, given));
    task = given ? json_incref(given) : task_of_text(c, text);
    if (!task)
        return 0;
    shown = dm_task_shown(task);
    file = dm_file_of_task(shown);
    yaml_print(file, &yaml);
    return dm_json(c, json_pack("{s:O,s:s}", "task", shown, "task_config_file", yaml.data));
}
