/* What callers of DM's API send: a body, or (after a first byte 'f') a task file.  What is taken
 * has the form that the table says, also when it is taken again; a task's file is a task again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/scope.h"
#include "dm/task_file.h"
#include "http/compat/dm/dm.h"
#include "http/compat/dm/dm_convert.h"
#include "node/yaml.h"

static const struct api_operation *operation(const char *path)
{
    for (const struct route *r = dm_routes; r->method; r++)
        if (strcmp(r->method, "POST") == 0 && strcmp(r->path, path) == 0)
            return r->op;
    return NULL;
}

static void body(const struct api_operation *op, struct slice text)
{
    SCOPED(json_decrefp) json_t *v = NULL, *again = NULL;
    struct err err = ERR_INIT;
    unsigned form;

    if (api_body(op, text, &v, &form, &err) < 0) {
        assert(err.text[0]);
        return;
    }
    if (json_is_null(v))
        return;
    assert(api_check(op->bodies[form].schema, v, &again, &err) == 0);
    assert(json_equal(v, again));
}

static void task_file(struct slice text)
{
    struct err err = ERR_INIT;
    enum dm_error e = DM_YAML;
    SCOPED(json_decrefp) json_t *file = yaml_parse((const char *)text.data, text.size, &err);
    SCOPED(json_decrefp) json_t *task = file ? dm_task_of_file(file, &e, &err) : NULL;
    SCOPED(json_decrefp) json_t *back = NULL, *file_again = NULL;

    assert(task || err.text[0]);
    if (!task || task_file_write(task, &file_again, &err) < 0)
        return;
    back = dm_task_of_file(file_again, &e, &err);
    assert(back || err.text[0]); /* names that are the same in two ways do not come back */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1 && data[0] == 'f') {
        task_file(slice_of(data + 1, size - 1));
        return 0;
    }
    body(operation("/api/v1/tasks"), slice_of(data, size));
    body(operation("/api/v1/sources"), slice_of(data, size));
    body(operation("/api/v1/tasks/{task}/pause"), slice_of(data, size));
    return 0;
}
