/* schema.c - /schema: the tables as JSON. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/authority.h"
#include "node/export.h"
#include "node/node.h"
#include "node/private.h"

static json_t *row_json(const struct attr *a)
{
    json_t *v = json_pack("{s:s,s:s,s:s}", "name", a->name, "type", attr_type_names[a->type],
                          "help", a->help);

    if (a->unit)
        json_object_set_new(v, "unit", json_string(a->unit));
    if (a->min || a->max) {
        json_object_set_new(v, "min", json_integer(a->min));
        json_object_set_new(v, "max", json_integer(a->max));
    }
    if (a->choices) {
        json_t *all = json_array();

        for (const char *const *c = a->choices; *c; c++)
            json_array_append_new(all, json_string(*c));
        json_object_set_new(v, "choices", all);
    }
    return v;
}

static void set_flag(json_t *v, const char *name, bool on)
{
    if (on)
        json_object_set_new(v, name, json_true());
}

static mode_t row_mode(const struct attr *a)
{
    mode_t bits = a->get || a->lines ? 0444 : 0;

    return authority_bits(a->set ? bits | 0222 : bits);
}

static json_t *mode_json(mode_t mode)
{
    char text[8];

    snprintf(text, sizeof text, "%04o", (unsigned)mode);
    return json_string(text);
}

static json_t *attr_json(const struct attr *a)
{
    json_t *v = row_json(a);

    json_object_set_new(v, "mode", mode_json(row_mode(a)));
    set_flag(v, "read", a->get || a->lines);
    set_flag(v, "write", a->set != NULL);
    set_flag(v, "secret", attr_is_secret(a));
    set_flag(v, "bulk", a->flags & ATTR_BULK || a->type == ATTR_LINES);
    set_flag(v, "watched", a->flags & ATTR_WATCHED);
    set_flag(v, "stored", a->flags & ATTR_STORED);
    set_flag(v, "asks", a->flags & ATTR_ASKS);
    set_flag(v, "gauge", a->flags & ATTR_GAUGE);
    return v;
}

static json_t *action_json(const struct action *a)
{
    json_t *params = json_array();

    for (const struct attr *p = a->params; p && p->name; p++) {
        json_t *v = row_json(p);

        set_flag(v, "required", p->flags & ATTR_REQUIRED);
        set_flag(v, "secret", p->flags & ATTR_SECRET);
        json_array_append_new(params, v);
    }
    return json_pack("{s:s,s:s,s:o,s:b,s:o}", "name", a->name, "help", a->help, "mode",
                     mode_json(authority_bits(0222)), "document", a->document, "params", params);
}

static json_t *type_json(const struct node_type *t)
{
    json_t *attrs = json_array(), *actions = json_array(), *examples = json_array();

    for (const struct attr *a = t->attrs; a && a->name; a++)
        json_array_append_new(attrs, attr_json(a));
    for (const struct attr *a = builtin_rows; a->name; a++)
        json_array_append_new(attrs, attr_json(a));
    for (const struct action *a = t->actions; a && a->name; a++)
        json_array_append_new(actions, action_json(a));
    for (const char *const *e = t->examples; e && *e; e++)
        json_array_append_new(examples, json_string(*e));
    return json_pack("{s:s,s:b,s:b,s:o,s:o,s:o}", "help", t->help, "create", t->create != NULL,
                     "remove", t->remove != NULL, "attributes", attrs, "actions", actions,
                     "examples", examples);
}

static void add_type(const struct node_type *t, const char *path, json_t *types, json_t *paths)
{
    json_object_set_new(paths, path, json_string(t->name));
    if (!json_object_get(types, t->name))
        json_object_set_new(types, t->name, type_json(t));
    for (const struct node_part *p = t->parts; p && p->type; p++) {
        SCOPED(freep)
        char *below = xasprintf("%s%s%s", path, *path ? "/" : "", p->name ? p->name : "NAME");

        if (p->type != t)
            add_type(p->type, below, types, paths);
    }
}

json_t *schema_json(const struct node_type *root)
{
    json_t *types = json_object(), *paths = json_object();

    add_type(root, "", types, paths);
    return json_pack("{s:s,s:o,s:o}", "version", SLUICE_VERSION, "paths", paths, "types", types);
}

json_t *schema_get(const struct node *root, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return schema_json(root->type);
}
