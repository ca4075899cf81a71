/* target.c - what a path names, and reading and writing it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/authority.h"
#include "node/lines.h"
#include "node/node.h"
#include "node/private.h"
#include "node/suggest.h"

#define GUESS_CHILDREN_MAX 1000 /* names compared for a guess */

/* --- rows by name and by number --- */

static const struct attr *attr_in(const struct attr *a, const char *name)
{
    for (; a && a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

const struct attr *type_attr(const struct node_type *type, const char *name)
{
    const struct attr *a = attr_in(builtin_rows, name);

    return a ? a : attr_in(type->attrs, name);
}

const struct action *type_action(const struct node_type *type, const char *name)
{
    for (const struct action *a = type->actions; a && a->name; a++)
        if (strcmp(a->name, name) == 0)
            return a;
    return NULL;
}

bool node_has_row(const struct node *n, const char *name)
{
    return type_attr(n->type, name) || type_action(n->type, name);
}

static unsigned n_attrs(const struct node_type *type)
{
    unsigned n = 0;

    while (type->attrs && type->attrs[n].name)
        n++;
    return n;
}

unsigned target_row(const struct target *t)
{
    const struct attr *a = t->attr;

    if (t->action)
        return 1 + N_BUILTIN + n_attrs(t->node->type) +
               (unsigned)(t->action - t->node->type->actions);
    if (!a)
        return 0;
    if (a >= builtin_rows && a < builtin_rows + N_BUILTIN)
        return 1 + (unsigned)(a - builtin_rows);
    return 1 + N_BUILTIN + (unsigned)(a - t->node->type->attrs);
}

void target_set_row(struct target *t, unsigned row)
{
    const struct node_type *type = t->node->type;
    unsigned n = n_attrs(type);

    t->attr = NULL, t->action = NULL;
    if (row == 0)
        return;
    row--;
    if (row < N_BUILTIN)
        t->attr = &builtin_rows[row];
    else if ((row -= N_BUILTIN) < n)
        t->attr = &type->attrs[row];
    else if (type->actions)
        t->action = &type->actions[row - n];
}

/* --- finding --- */

static void offer_child(void *arg, const struct entry *e)
{
    struct suggestion *const *s = arg;

    suggest_offer(*s, e->name);
}

static int not_found(struct node *dir, const char *name, struct err *err)
{
    struct suggestion s = suggest_for(name);
    struct suggestion *p = &s;
    SCOPED(freep) char *path = node_path(dir);

    if (node_n_children(dir) <= GUESS_CHILDREN_MAX)
        node_list(dir, offer_child, &p);
    return err_set(err, -ENOENT, "nothing called %s in %s%s", name, *path ? path : "/",
                   SUGGESTED(&s));
}

/* 0 and a referenced child or a row of 'dir', or -ENOENT. */
static int look_up(struct node *dir, const char *name, struct target *t)
{
    struct node *child;

    *t = (struct target){ .attr = type_attr(dir->type, name) };
    if (!t->attr)
        t->action = type_action(dir->type, name);
    if (t->attr || t->action) {
        t->node = node_ref(dir);
        return 0;
    }
    child = node_child(dir, name);
    if (!child)
        return dir->type->find ? dir->type->find(dir, name, t) : -ENOENT;
    t->node = child;
    return 0;
}

int node_lookup(struct node *dir, const char *name, struct target *t, struct err *err)
{
    int rc = look_up(dir, name, t);

    return rc < 0 && err ? not_found(dir, name, err) : rc;
}

int node_find(struct node *root, const char *path, struct target *t, struct err *err)
{
    SCOPED(freep) char *copy = xstrdup(path);
    char *rest = copy, *word;

    *t = (struct target){ .node = node_ref(root) };
    while ((word = strsep(&rest, "/"))) {
        struct node *dir = t->node;
        int rc;

        if (*word == '\0')
            continue;
        if (t->attr || t->action) {
            rc = err_set(err, -ENOENT, "%s: %s is a file, not a directory", path,
                         t->attr ? t->attr->name : t->action->name);
            target_release(t);
            return rc;
        }
        rc = node_lookup(dir, word, t, err);
        node_unref(dir);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void target_release(struct target *t)
{
    node_unref(t->node);
    *t = (struct target){ 0 };
}

static const char *row_name(const struct target *t)
{
    return t->attr ? t->attr->name : t->action ? t->action->name : NULL;
}

char *target_path(const struct target *t)
{
    SCOPED(freep) char *path = node_path(t->node);
    const char *row = row_name(t);

    if (!row || t->node->file)
        return STEAL(path);
    return xasprintf("%s%s%s", path, *path ? "/" : "", row);
}

mode_t target_mode(const struct target *t)
{
    mode_t bits;

    if (t->node->symlink && !t->attr && !t->action)
        return S_IFLNK | 0777;
    if (t->action)
        return S_IFREG | authority_bits(0222);
    if (!t->attr)
        return S_IFDIR | authority_bits(t->node->type->create ? 0777 : 0555);
    bits = t->attr->get || t->attr->lines ? 0444 : 0;
    return S_IFREG | authority_bits(t->attr->set ? bits | 0222 : bits);
}

/* --- reading --- */

json_t *target_read(const struct target *t, struct err *err)
{
    const struct attr *a = t->attr ? t->attr : builtin_rows;
    json_t *v;

    if (!t->action && a->lines)
        return lines_json(a->lines(t->node, a));
    if (t->action || !a->get) {
        err_set(err, -EACCES, "%s can only be written", t->action ? t->action->name : a->name);
        return NULL;
    }
    if (a->flags & ATTR_ASKS)
        return a->get(t->node, a, err);
    node_lock(t->node);
    v = a->get(t->node, a, err);
    node_unlock(t->node);
    return v;
}

struct size_seen {
    struct size_seen *next;
    unsigned row;
    uint64_t size;
};

static pthread_mutex_t size_lock = PTHREAD_MUTEX_INITIALIZER;

static void size_remember(const struct target *t, uint64_t size)
{
    struct node_private *p = t->node->priv;
    unsigned row = target_row(t);
    struct size_seen *s;

    pthread_mutex_lock(&size_lock);
    for (s = p->sizes; s && s->row != row; s = s->next)
        ;
    if (!s) {
        s = xcalloc(1, sizeof *s);
        *s = (struct size_seen){ .next = p->sizes, .row = row };
        p->sizes = s;
    }
    s->size = size;
    pthread_mutex_unlock(&size_lock);
}

static uint64_t size_remembered(const struct target *t)
{
    unsigned row = target_row(t);
    uint64_t size = 0;

    pthread_mutex_lock(&size_lock);
    for (const struct size_seen *s = t->node->priv->sizes; s; s = s->next)
        if (s->row == row)
            size = s->size;
    pthread_mutex_unlock(&size_lock);
    return size;
}

void sizes_free(struct size_seen *s)
{
    while (s) {
        struct size_seen *next = s->next;

        free(s);
        s = next;
    }
}

static bool is_costly(const struct target *t)
{
    return t->attr && t->attr->flags & (ATTR_ASKS | ATTR_LARGE);
}

int target_text(const struct target *t, struct buf *out, struct err *err)
{
    SCOPED(json_decrefp) json_t *v = NULL;
    size_t before = out->size;

    if (t->attr && t->attr->lines) {
        lines_copy(t->attr->lines(t->node, t->attr), out);
        return 0;
    }
    v = target_read(t, err);
    if (!v)
        return err->code;
    text_of_target(t, v, out);
    if (is_costly(t))
        size_remember(t, out->size - before);
    return 0;
}

uint64_t target_size(const struct target *t)
{
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    struct err err = ERR_INIT;

    if (t->attr && t->attr->lines)
        return lines_end(t->attr->lines(t->node, t->attr));
    if (is_costly(t))
        return size_remembered(t);
    if (!t->attr || !t->attr->get || target_text(t, &b, &err) < 0)
        return 0;
    return b.size;
}

/* --- when it changed --- */

static bool has_document(const struct node_type *type)
{
    const struct attr *a = type->attrs;

    while (a && a->name && a->type != ATTR_DOCUMENT)
        a++;
    return a && a->name;
}

/* When the settings of 'n' changed, kept where their document is: tasks/t/target/host is in
 * tasks/t/config.  'now' is kept first, if it is not 0. */
static int64_t set_time(const struct node *n, int64_t now)
{
    const struct node *at = n;
    int64_t us;

    pthread_rwlock_rdlock(&tree_lock);
    while (at && !has_document(at->type))
        at = at->parent;
    at = at ? at : n;
    if (now)
        at->priv->set_us = now;
    us = at->priv->set_us;
    pthread_rwlock_unlock(&tree_lock);
    return us;
}

int64_t target_changed_us(const struct target *t)
{
    if (t->attr && t->attr->set)
        return set_time(t->node, 0);
    return atomic_load_explicit(&t->node->priv->changed_us, memory_order_relaxed);
}

/* --- writing --- */

static void add_compact(struct buf *out, const json_t *v)
{
    SCOPED(freep)
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));

    buf_printf(out, " %s", text ? text : "");
}

/* What the audit shows: "set host 10.0.0.1", "run pause {…}"; never a secret. */
static void describe(const struct target *t, const json_t *v, struct buf *out)
{
    SCOPED(json_decrefp) json_t *shown = NULL;
    const char *key;
    json_t *arg;

    if (t->attr) {
        buf_printf(out, "set");
        if (attr_is_secret(t->attr))
            buf_str(out, " ******");
        else if (t->attr->type != ATTR_DOCUMENT && t->attr->type != ATTR_JSON) {
            add_compact(out, v);
        }
        return;
    }
    buf_str(out, "run");
    if (t->action->document || !json_object_size(v))
        return;
    shown = json_deep_copy(v);
    json_object_foreach (shown, key, arg) {
        const struct attr *p = attr_in(t->action->params, key);

        if (!p || attr_is_secret(p) || p->type == ATTR_JSON || p->type == ATTR_DOCUMENT)
            json_object_set_new(shown, key, json_string("******"));
    }
    add_compact(out, shown);
}

static bool keeps_secret(const struct target *t, const json_t *v)
{
    return t->attr && attr_is_secret(t->attr) && json_is_string(v) &&
           strcmp(json_string_value(v), "******") == 0;
}

static int apply(const struct target *t, const json_t *v, struct err *err)
{
    struct node *n = t->node;
    int rc;

    if (n->removed)
        return err_set(err, -ENOENT, "%s was removed", n->name);
    if (t->action) {
        rc = args_check(t->action, v, err);
        rc = rc < 0 ? rc : t->action->run(n, v, err);
        if (rc == 0)
            set_time(n, clock_wall_us()); /* enable, disable: settings, too */
        return rc;
    }
    if (!t->attr || !t->attr->set)
        return err_set(err, -EACCES, "%s cannot be written", t->attr ? t->attr->name : n->name);
    rc = value_check(t->attr, v, err);
    if (rc < 0 || keeps_secret(t, v))
        return rc;
    rc = t->attr->set(n, t->attr, v, err);
    if (rc == 0) {
        set_time(n, clock_wall_us());
        node_changed(n, t->attr->name);
    }
    return rc;
}

void node_conclude(struct node *n, const char *path, const char *what, const struct caller *who,
                   const struct err *err)
{
    if (who)
        audit_write(n, who, path, what, err);
    if (err->code < 0 && who)
        node_refused(n, path, who, err);
}

int target_write(const struct target *t, const json_t *v, const struct caller *who, struct err *err)
{
    SCOPED(freep) char *path = target_path(t);
    SCOPED(buf_fini) struct buf what = BUF_INIT;
    struct err none = ERR_INIT;
    int rc;

    if (t->attr || t->action)
        describe(t, v, &what);
    rc = apply(t, v, err);
    node_conclude(t->node, path, what.size ? what.data : "write", who, rc < 0 ? err : &none);
    return rc;
}

int target_write_text(const struct target *t, const char *text, size_t size,
                      const struct caller *who, struct err *err)
{
    SCOPED(json_decrefp) json_t *v = json_of_text(t, text, size, err);
    SCOPED(freep) char *path = NULL;

    if (v)
        return target_write(t, v, who, err);
    path = target_path(t);
    if (who)
        node_refused(t->node, path, who, err);
    return err->code;
}
