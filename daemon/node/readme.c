/* readme.c - README of a directory, from the rows of its type. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"
#include "node/private.h"

#define NAME_WIDTH 20
#define CHILDREN_SHOWN 12

static const char *access_word(const struct attr *a)
{
    if (attr_is_secret(a))
        return "secret, write only";
    return a->set ? "read, write" : "read";
}

static void add_attrs(struct buf *b, const struct attr *a)
{
    for (; a && a->name; a++) {
        buf_printf(b, "  %-*s %s", NAME_WIDTH, a->name, a->help);
        if (a->choices) {
            buf_str(b, ": ");
            for (const char *const *c = a->choices; *c; c++)
                buf_printf(b, "%s%s", c == a->choices ? "" : ", ", **c ? *c : "nothing");
        }
        buf_printf(b, " (%s%s%s, %s)\n", attr_type_names[a->type], a->unit ? ", " : "",
                   a->unit ? a->unit : "", access_word(a));
    }
}

static void add_actions(struct buf *b, const struct action *a)
{
    if (a && a->name)
        buf_str(b, "\nActions: write to the file; the write returns when it is done, or fails.\n");
    for (; a && a->name; a++) {
        buf_printf(b, "  %-*s %s\n", NAME_WIDTH, a->name, a->help);
        for (const struct attr *p = a->params; p && p->name; p++)
            buf_printf(b, "  %-*s   %s=… %s (%s%s)\n", NAME_WIDTH, "", p->name, p->help,
                       attr_type_names[p->type], p->flags & ATTR_REQUIRED ? ", required" : "");
    }
}

struct children {
    struct buf *b;
    size_t n;
};

static void add_child(void *arg, const struct entry *e)
{
    struct children *c = arg;

    if (!S_ISDIR(e->mode) && !S_ISLNK(e->mode))
        return;
    if (++c->n <= CHILDREN_SHOWN)
        buf_printf(c->b, "  %s/\n", e->name);
}

static void add_children(struct buf *b, struct node *n)
{
    struct children c = { .b = b };

    if (n->type->create)
        buf_str(b, "\nmkdir NAME makes one; rmdir NAME removes it.\n");
    if (node_n_children(n) == 0)
        return;
    buf_str(b, "\nDirectories:\n");
    node_list(n, add_child, &c);
    if (c.n > CHILDREN_SHOWN)
        buf_printf(b, "  and %zu more\n", c.n - CHILDREN_SHOWN);
}

json_t *readme_get(const struct node *n, const struct attr *self, struct err *err)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    SCOPED(freep) char *path = node_path(n);

    (void)self, (void)err;
    buf_printf(&b, "%s: %s\n\nFiles:\n", *path ? path : "/", n->type->help);
    add_attrs(&b, n->type->attrs);
    add_attrs(&b, builtin_rows);
    add_actions(&b, n->type->actions);
    add_children(&b, (struct node *)n);
    if (n->type->examples && n->type->examples[0])
        buf_str(&b, "\nTry:\n");
    for (const char *const *e = n->type->examples; e && *e; e++)
        buf_printf(&b, "  %s\n", *e);
    return json_stringn(b.data, b.size);
}
