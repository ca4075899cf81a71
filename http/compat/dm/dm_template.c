/* dm_template.c - templates: documents to make tasks from. */
#include <errno.h>

#include "base/scope.h"
#include "http/compat/dm/dm.h"

static int missing(struct call *c)
{
    return dm_fail(c, DM_TEMPLATE_NOT_EXIST, "the openapi task config for '%s' does not exist",
                   call_param(c, "template"));
}

static int reply_shown(struct call *c, const json_t *config)
{
    return dm_json(c, dm_task_shown(config));
}

int dm_create_template(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = dm_task_document(c->body);
    const char *name = dm_text(c->body, "name");

    if (dm_check_rules(c, c->body))
        return 0;
    call_set_param(c, "template", name);
    if (call_create(c, DM_TEMPLATE, doc, err) == 0)
        return reply_shown(c, doc);
    if (err->code == -EEXIST)
        return dm_fail(c, DM_TEMPLATE_EXIST, "the openapi task config for '%s' already exist",
                       name);
    return dm_fail_at(c, DM_STEP_TASK_KEEP, err);
}

int dm_get_templates(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = call_children(c, DM_TEMPLATES, err), *all = json_array();
    const json_t *name;
    size_t i;

    if (!names)
        return err->code;
    json_array_foreach (names, i, name) {
        call_set_param(c, "template", json_string_value(name));
        SCOPED(json_decrefp) json_t *config = call_read(c, DM_TEMPLATE_CONFIG, err);

        if (config)
            json_array_append_new(all, dm_task_shown(config));
        else if (err->code != -ENOENT)
            return err->code;
    }
    *err = ERR_INIT; /* one that was removed meanwhile */
    return dm_list(c, json_incref(all));
}

int dm_get_template(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *config = call_read(c, DM_TEMPLATE_CONFIG, err);

    if (config)
        return reply_shown(c, config);
    return err->code == -ENOENT ? missing(c) : err->code;
}

int dm_put_template(struct call *c, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = call_read(c, DM_TEMPLATE_CONFIG, err), *doc = NULL;

    if (!old)
        return err->code == -ENOENT ? missing(c) : err->code;
    json_object_set_new(c->body, "name", json_string(call_param(c, "template")));
    if (dm_check_rules(c, c->body))
        return 0;
    doc = dm_task_changed(old, c->body);
    return call_write(c, DM_TEMPLATE_CONFIG, doc, err) < 0 ? dm_fail_at(c, DM_STEP_TASK_KEEP, err)
                                                           : reply_shown(c, doc);
}

/* One that is not there is gone. */
int dm_delete_template(struct call *c, struct err *err)
{
    if (call_remove(c, DM_TEMPLATE, err) < 0 && err->code != -ENOENT)
        return dm_fail_at(c, DM_STEP_OTHER, err);
    return dm_done(c);
}

int dm_import_templates(struct call *c, struct err *err)
{
    SCOPED(json_decrefp)
    json_t *args = json_pack("{s:b}", "overwrite", (int)dm_flag(c->body, "overwrite"));
    json_t *result;

    if (call_write(c, DM_TEMPLATES_IMPORT, args, err) < 0)
        return dm_fail_at(c, DM_STEP_OTHER, err);
    result = call_read(c, DM_TEMPLATES_RESULT, err);
    return result ? dm_json(c, result) : err->code;
}
