/* change.c - what a change says: which rows, which files are announced, what a stream carries. */
#include <stdlib.h>

#include "node/node.h"
#include "node/private.h"
#include "node/watch.h"

const char *const change_kind_names[] = { "change", "create", "remove", "reset" };

void change_fini(struct change *c)
{
    node_unref(c->node);
    free(c->path);
    *c = (struct change){ 0 };
}

bool change_has(const struct change *c, const struct attr *a)
{
    struct target t = { .node = c->node, .attr = a };

    return c->kind == CHANGE_VALUES && (c->rows >> ROW_ANY & 1 || c->rows >> target_row(&t) & 1);
}

void change_announced(const struct change *c,
                      void (*visit)(void *arg, const struct change *c, const struct attr *a),
                      void *arg)
{
    const struct attr *const tables[] = { builtin_rows, c->node->type->attrs };
    bool values = false;

    for (size_t i = 2; i-- > 0;)
        for (const struct attr *a = tables[i]; a && a->name; a++) {
            bool changed = change_has(c, a);

            values = values || (changed && attr_in_status(a));
            if ((changed && (a->flags & ATTR_WATCHED || a->lines)) || (values && a == STATUS_ROW))
                visit(arg, c, a);
        }
}

static json_t *changed_values(const struct change *c)
{
    struct target t = { .node = c->node };
    struct err err = ERR_INIT; /* a value that cannot be read now is left out */
    json_t *all = json_object();

    if (c->rows >> ROW_ANY & 1) {
        json_decref(all);
        return target_read(&t, &err);
    }
    for (unsigned row = 1; row < ROW_ANY; row++) {
        json_t *v;

        if (!(c->rows >> row & 1))
            continue;
        target_set_row(&t, row);
        if (!t.attr || !t.attr->get || t.attr->flags & (ATTR_ASKS | ATTR_LARGE))
            continue;
        v = target_read(&t, &err);
        if (v)
            json_object_set_new(all, t.attr->name, v);
    }
    return all;
}

json_t *change_json(const struct change *c)
{
    json_t *v = json_pack("{s:s,s:I}", "path", c->path, "seq", (json_int_t)c->seq);

    if (c->kind == CHANGE_VALUES) {
        json_t *changed = changed_values(c);

        json_object_set_new(v, "changed", changed ? changed : json_object());
    }
    return v;
}
