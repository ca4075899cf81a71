/* node.c - the tree: nodes, their children, references. */
#include "node/node.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/authority.h"
#include "node/private.h"
#include "node/watch.h"

pthread_rwlock_t tree_lock = PTHREAD_RWLOCK_INITIALIZER;

static struct node_private *by_id; /* under tree_lock */

void node_init(struct node *n, const struct node_type *type, const char *name)
{
    static _Atomic uint64_t last_id;

    *n = (struct node){ .type = type, .name = node_name_shown(name) };
    n->priv = xcalloc(1, sizeof *n->priv);
    n->priv->node = n;
    n->priv->id = atomic_fetch_add(&last_id, 1) + 1;
    n->priv->changed_us = n->priv->set_us = clock_wall_us();
    atomic_init(&n->refs, 1);
    pthread_rwlock_wrlock(&tree_lock);
    HASH_ADD(hh_id, by_id, id, sizeof n->priv->id, n->priv);
    pthread_rwlock_unlock(&tree_lock);
}

void node_init_file(struct node *n, const struct node_type *type, const char *name,
                    struct node *dir)
{
    node_init(n, type, name);
    pthread_rwlock_wrlock(&tree_lock);
    n->file = true;
    n->parent = dir;
    pthread_rwlock_unlock(&tree_lock);
}

static void symlink_release(struct node *n)
{
    free(n);
}

static const struct node_type symlink_type = {
    .name = "link",
    .help = "A link to a directory elsewhere in this tree",
    .release = symlink_release,
};

struct node *node_symlink_new(const char *name, const char *to)
{
    struct node *n = xcalloc(1, sizeof *n);

    node_init(n, &symlink_type, name);
    n->symlink = true;
    n->link = xstrdup(to);
    return n;
}

struct node *node_ref(struct node *n)
{
    atomic_fetch_add(&n->refs, 1);
    return n;
}

/* Takes 'n' out of its parent and everything below out of the tree; each child taken out is
 * chained to 'dropped', so that references are dropped without the lock. */
static void detach(struct node *n, struct node **dropped)
{
    struct node_private *p, *next;

    if (n->parent && !n->file)
        HASH_DELETE(hh, n->parent->children, n->priv);
    if (!n->removed) // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in the table
        HASH_DELETE(hh_id, by_id, n->priv);
    n->parent = NULL;
    atomic_store(&n->removed, true);
    HASH_ITER(hh, n->children, p, next)
    {
        struct node *child = p->node;

        detach(child, dropped);
        p->dropped = *dropped;
        *dropped = child;
    }
}

static void drop(struct node *dropped)
{
    while (dropped) {
        struct node *next = dropped->priv->dropped;

        node_unref(dropped);
        dropped = next;
    }
}

static void node_free(struct node *n)
{
    struct node_private *p = n->priv;
    char *name = n->name, *link = n->link;
    struct node *dropped = NULL;

    pthread_rwlock_wrlock(&tree_lock);
    detach(n, &dropped);
    pthread_rwlock_unlock(&tree_lock);
    drop(dropped);
    if (n->type->release)
        n->type->release(n);
    builtin_fini(p);
    free(p);
    free(name);
    free(link);
}

void node_unref(struct node *n)
{
    if (n && atomic_fetch_sub(&n->refs, 1) == 1)
        node_free(n);
}

static struct node *find_child(const struct node *n, const char *name)
{
    struct node_private *p;

    HASH_FIND(hh, n->children, name, strlen(name), p);
    return p ? p->node : NULL;
}

int node_add(struct node *parent, struct node *n, struct err *err)
{
    bool taken;

    if (node_has_row(parent, n->name))
        return err_set(err, -EEXIST, "%s is the name of a file here", n->name);
    pthread_rwlock_wrlock(&tree_lock);
    taken = find_child(parent, n->name) != NULL;
    if (!taken) {
        n->parent = parent;
        HASH_ADD_KEYPTR(hh, parent->children, n->name, strlen(n->name), n->priv);
    }
    pthread_rwlock_unlock(&tree_lock);
    if (taken)
        return err_set(err, -EEXIST, "%s exists already", n->name);
    watch_node_added(n);
    return 0;
}

void node_remove(struct node *n)
{
    struct node *dropped = NULL, *parent;

    pthread_rwlock_wrlock(&tree_lock);
    parent = n->parent ? node_ref(n->parent) : NULL;
    if (parent)
        detach(n, &dropped);
    pthread_rwlock_unlock(&tree_lock);
    if (!parent)
        return; /* it was never in, or somebody else took it out */
    watch_node_removed(parent, n->name);
    node_unref(parent);
    drop(dropped);
    node_unref(n);
}

struct node *node_child(struct node *n, const char *name)
{
    struct node *child;

    pthread_rwlock_rdlock(&tree_lock);
    child = find_child(n, name);
    if (child)
        node_ref(child);
    pthread_rwlock_unlock(&tree_lock);
    return child;
}

size_t node_n_children(struct node *n)
{
    size_t count;

    pthread_rwlock_rdlock(&tree_lock);
    count = HASH_CNT(hh, n->children);
    pthread_rwlock_unlock(&tree_lock);
    return count;
}

static void path_add(const struct node *n, struct buf *b)
{
    if (!n->parent)
        return;
    path_add(n->parent, b);
    if (b->size)
        buf_byte(b, '/');
    buf_str(b, n->name);
}

char *node_path(const struct node *n)
{
    struct buf b = BUF_INIT;

    pthread_rwlock_rdlock(&tree_lock);
    if (n->parent || !n->removed)
        path_add(n, &b);
    else
        buf_str(&b, n->name); /* where it was is gone */
    pthread_rwlock_unlock(&tree_lock);
    return buf_steal(&b);
}

void node_each(struct node *n, void (*visit)(void *arg, struct node *child), void *arg)
{
    struct node **all;
    size_t count = 0;

    pthread_rwlock_rdlock(&tree_lock);
    all = xcalloc(HASH_CNT(hh, n->children) + 1, sizeof(struct node *));
    for (struct node_private *p = n->children; p; p = p->hh.next)
        all[count++] = node_ref(p->node);
    pthread_rwlock_unlock(&tree_lock);
    for (size_t i = 0; i < count; i++) {
        visit(arg, all[i]);
        node_unref(all[i]);
    }
    free(all);
}

uint64_t target_ino(const struct target *t)
{
    return t->node->priv->id << 8 | target_row(t);
}

int target_of_ino(uint64_t ino, struct target *t)
{
    struct node_private *p;
    uint64_t id = ino >> 8;

    *t = (struct target){ 0 };
    pthread_rwlock_rdlock(&tree_lock);
    HASH_FIND(hh_id, by_id, &id, sizeof id, p);
    if (p)
        t->node = node_ref(p->node);
    pthread_rwlock_unlock(&tree_lock);
    if (!t->node)
        return -ENOENT;
    target_set_row(t, (unsigned)(ino & 0xff));
    return 0;
}

/* What is made when asked for has no number yet: one that no node has, the same each time. */
static uint64_t ino_of_name(const struct node *dir, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u ^ dir->priv->id;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash | (uint64_t)1 << 63;
}

struct found_list {
    struct node *dir;
    void (*emit)(void *arg, const struct entry *e);
    void *arg;
};

static void emit_found(void *arg, const char *name, mode_t mode)
{
    const struct found_list *l = arg;

    mode = (mode & S_IFMT) | authority_bits(mode & 0777);
    l->emit(l->arg, &(struct entry){ name, mode, ino_of_name(l->dir, name) });
}

void node_list(struct node *n, void (*emit)(void *arg, const struct entry *e), void *arg)
{
    struct target t = { .node = n };
    const struct attr *const tables[] = { builtin_rows, n->type->attrs };

    for (size_t i = 0; i < 2; i++)
        for (t.attr = tables[i]; t.attr && t.attr->name; t.attr++)
            emit(arg, &(struct entry){ t.attr->name, target_mode(&t), target_ino(&t) });
    t.attr = NULL;
    for (t.action = n->type->actions; t.action && t.action->name; t.action++)
        emit(arg, &(struct entry){ t.action->name, target_mode(&t), target_ino(&t) });
    t.action = NULL;
    if (n->type->list) {
        n->type->list(n, emit_found, &(struct found_list){ n, emit, arg });
        return;
    }
    pthread_rwlock_rdlock(&tree_lock);
    for (struct node_private *p = n->children; p; p = p->hh.next) {
        t.node = p->node;
        emit(arg, &(struct entry){ p->node->name, target_mode(&t), target_ino(&t) });
    }
    pthread_rwlock_unlock(&tree_lock);
}
