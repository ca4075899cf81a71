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

/* What holds of every file, whatever its row says; an empty line begins a paragraph. */
static const struct {
    const char *title, *text;
} chapters[] = {
    { "READING", "A file has its true size, and is of the moment at which it was opened; a read "
                 "from its start "
                 "takes a new one. status is all values of a directory, of one moment. events and "
                 "audit grow at "
                 "the end, so that tail -f follows them. What a server is asked for (schemas, "
                 "tables) waits for "
                 "its answer; nothing else does." },
    { "WRITING",
      "To a value, each write is one new value, of at most 4096 bytes. To an action, each write "
      "runs "
      "it: with nothing, with words (echo \"name=value other='two words'\" > action), or with one "
      "JSON object; it returns when the effect is there, after ten seconds with ETIMEDOUT. To "
      "empty "
      "a file (: > pause) does nothing.\n\n"
      "A document (config, create) is YAML or JSON, at most 64 MiB, and is taken as a whole when "
      "it "
      "is closed: cp, cat, tee and editors tell when it is refused, the shell's own echo does not. "
      "Secrets are shown as ******, and ****** keeps the one that is there; file:PATH reads it "
      "from "
      "there.\n\n"
      "mkdir makes a draft, rmdir removes what does not run. Names that cannot be those of files "
      "have %XX in them: %2F is a slash." },
    { "REFUSALS",
      "EINVAL: what was written is wrong. EBUSY: not in this state. ENOENT: it is gone. EEXIST: it "
      "is "
      "there. EACCES: not for this user, or not for this file. EPERM: no such file can be made. "
      "EFBIG: too long. ETIMEDOUT: it goes on. Over HTTP they are 400, 409, 404, 409, 403, 403, "
      "413 "
      "and 504, and the body has the sentence." },
    { "WATCHING",
      "inotify tells of every change of state, error and progress as MODIFY, and of directories "
      "that "
      "come and go; poll(2) wakes on a file that is open; GET with ?watch=1 streams server-sent "
      "events. Each file at most ten times a second." },
    { "WHO MAY",
      "Owner, group and mode, for files and for HTTP from this machine alike: there the caller is "
      "the user that owns the other end of the connection. From other machines, over TLS, the "
      "right "
      "of a bearer token. Every change is a line in audit." },
};

static void add_chapter(struct buf *b, const char *title, const char *text)
{
    buf_printf(b, ".SH %s\n", title);
    for (const char *end; *text; text = end + strspn(end, "\n")) {
        SCOPED(freep) char *paragraph = NULL;

        end = text + strcspn(text, "\n");
        paragraph = xstrndup(text, (size_t)(end - text));
        buf_str(b, ".PP\n");
        add_text(b, paragraph);
        buf_byte(b, '\n');
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
                 "that directory.\n");
    for (size_t i = 0; i < ARRAY_LEN(chapters); i++)
        add_chapter(out, chapters[i].title, chapters[i].text);
    buf_str(out, ".SH EVERY DIRECTORY\n");
    add_attrs(out, builtin_rows);
    buf_str(out, ".SH DIRECTORIES\n");
    add_type(out, root, "");
    buf_str(out, ".SH SEE ALSO\n.BR sluiced (8),\n.BR sluicectl (1)\n");
}
