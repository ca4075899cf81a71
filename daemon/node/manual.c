/* manual.c - sluice-tree(5), from the rows. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/export.h"
#include "node/node.h"
#include "node/private.h"

/* Text with what roff would read as its own made plain. */
static void add_text(struct buf *b, const char *text)
{
    if (*text == '.' || *text == '\'')
        buf_str(b, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            buf_str(b, "\\e");
        else if (*text == '-')
            buf_str(b, "\\-");
        else
            buf_byte(b, (char)(*text == '\n' ? ' ' : *text));
    }
}

static void add_term(struct buf *b, const char *name)
{
    buf_str(b, ".TP\n.B ");
    add_text(b, name);
    buf_byte(b, '\n');
}

static void add_row(struct buf *b, const struct attr *a, const char *access)
{
    add_term(b, a->name);
    add_text(b, a->help);
    buf_printf(b, ".\nType: %s", attr_type_names[a->type]);
    if (a->unit)
        buf_printf(b, " (%s)", a->unit);
    if (a->choices) {
        buf_str(b, " (");
        for (const char *const *c = a->choices; *c; c++)
            buf_printf(b, "%s%s", c == a->choices ? "" : ", ", **c ? *c : "nothing");
        buf_byte(b, ')');
    }
    if (a->min || a->max)
        buf_printf(b, ", from %lld to %lld", (long long)a->min, (long long)a->max);
    buf_printf(b, "%s%s.\n", *access ? "; " : "", access);
}

static void add_attrs(struct buf *b, const struct attr *a)
{
    for (; a && a->name; a++)
        add_row(b, a, attr_is_secret(a) ? "secret, write only" : a->set ? "read, write" : "read");
}

static void add_actions(struct buf *b, const struct action *a)
{
    if (a && a->name)
        buf_str(b, ".PP\nActions:\n");
    for (; a && a->name; a++) {
        add_term(b, a->name);
        add_text(b, a->help);
        buf_str(b, ".\n");
        if (!a->params || !a->params->name)
            continue;
        buf_str(b, ".RS\n");
        for (const struct attr *p = a->params; p->name; p++)
            add_row(b, p, p->flags & ATTR_REQUIRED ? "required" : "");
        buf_str(b, ".RE\n");
    }
}

static void add_type(struct buf *b, const struct node_type *t, const char *path)
{
    buf_printf(b, ".SS /%s\n", path);
    add_text(b, t->help);
    buf_str(b, t->help[strlen(t->help) - 1] == '.' ? "\n" : ".\n");
    add_attrs(b, t->attrs);
    add_actions(b, t->actions);
    if (t->examples && t->examples[0]) {
        buf_str(b, ".PP\n.nf\n");
        for (const char *const *e = t->examples; *e; e++) {
            add_text(b, *e);
            buf_byte(b, '\n');
        }
        buf_str(b, ".fi\n");
    }
    for (const struct node_part *p = t->parts; p && p->type; p++) {
        SCOPED(freep)
        char *below = xasprintf("%s%s%s", path, *path ? "/" : "", p->name ? p->name : "NAME");

        if (p->type != t)
            add_type(b, p->type, below);
    }
}

void manual_print(const struct node_type *root, struct buf *out)
{
    buf_str(out, ".TH SLUICE\\-TREE 5 \"\" \"sluice " SLUICE_VERSION "\" \"File formats\"\n"
                 ".SH NAME\nsluice\\-tree \\- the files that sluiced shows\n"
                 ".SH DESCRIPTION\n"
                 "Everything that\n.BR sluiced (8)\nruns is a directory; its state and settings "
                 "are files with one value each,\nand what it can be told to do are files to "
                 "write to. The same paths are served over HTTP below /v1.\n"
                 "A write that is refused fails with an errno; the sentence is in last_error of "
                 "that directory.\n"
                 ".SH EVERY DIRECTORY\n");
    add_attrs(out, builtin_rows);
    buf_str(out, ".SH DIRECTORIES\n");
    add_type(out, root, "");
    buf_str(out, ".SH SEE ALSO\n.BR sluiced (8),\n.BR sluicectl (1)\n");
}
