/* make.c - making and removing nodes: mkdir and rmdir, PUT and DELETE, "create". */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "node/node.h"
#include "node/private.h"

static const struct node_maker *_Atomic maker;

void node_set_maker(const struct node_maker *m)
{
    maker = m;
}

static const struct node_maker *maker_for(const struct caller *who)
{
    return who && strcmp(who->front, "fs") == 0 ? NULL : maker;
}

int node_create(struct node *dir, const char *name, const json_t *spec, const struct caller *who,
                struct err *err)
{
    const struct node_maker *m = maker_for(who);

    return m ? m->create(dir, name, spec, who, err) : node_create_direct(dir, name, spec, who, err);
}

int node_destroy(struct node *n, const struct caller *who, struct err *err)
{
    const struct node_maker *m = n->file ? NULL : maker_for(who); /* a file is no directory */

    return m ? m->destroy(n, who, err) : node_destroy_direct(n, who, err);
}

static int create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    SCOPED(freep) char *plain = node_name_plain(name);
    struct node *there;

    if (dir->removed)
        return err_set(err, -ENOENT, "%s was removed", dir->name);
    if (!dir->type->create)
        return err_set(err, -EPERM, "nothing can be made in %s", *dir->name ? dir->name : "/");
    if (!plain)
        return err_set(err, -EINVAL,
                       "%s cannot be a name: write a leading dot, '/', '%%' and control characters "
                       "as %%2E, %%2F, %%25, %%0A, with at most 255 bytes of UTF-8",
                       name);
    if (node_has_row(dir, name))
        return err_set(err, -EINVAL, "%s cannot be a name: it is a file of this directory", name);
    there = node_child(dir, name);
    node_unref(there);
    if (there)
        return err_set(err, -EEXIST, "%s exists already", name);
    if (spec && !json_is_object(spec))
        return err_set(err, -EINVAL, "a document with named fields is expected");
    return dir->type->create(dir, plain, spec, err);
}

int node_create_direct(struct node *dir, const char *name, const json_t *spec,
                       const struct caller *who, struct err *err)
{
    SCOPED(freep) char *dir_path = node_path(dir);
    SCOPED(freep) char *path = xasprintf("%s%s%s", dir_path, *dir_path ? "/" : "", name);
    struct err none = ERR_INIT;
    int rc = create(dir, name, spec, err);

    node_conclude(dir, path, "create", who, rc < 0 ? err : &none);
    return rc;
}

static int destroy(struct node *n, struct err *err)
{
    if (n->removed)
        return err_set(err, -ENOENT, "%s was removed", n->name);
    if (!n->type->remove)
        return err_set(err, -EPERM, "%s cannot be removed", *n->name ? n->name : "/");
    return n->type->remove(n, err);
}

int node_destroy_direct(struct node *n, const struct caller *who, struct err *err)
{
    SCOPED(freep) char *path = node_path(n);
    struct node *parent;
    struct err none = ERR_INIT;
    int rc;

    pthread_rwlock_rdlock(&tree_lock);
    parent = node_ref(n->parent ? n->parent : n);
    pthread_rwlock_unlock(&tree_lock);
    rc = destroy(n, err);
    /* at the parent: the node's own directory may be gone, and so may its audit */
    if (who)
        audit_write(parent, who, path, "remove", rc < 0 ? err : &none);
    if (rc < 0 && who)
        node_refused(n, path, who, err);
    node_unref(parent);
    return rc;
}

int node_create_document(struct node *dir, const json_t *doc, struct err *err)
{
    json_t *name = json_object_get(doc, "name");
    SCOPED(freep) char *shown = NULL;

    if (!name) /* DM's documents of sources, and its files */
        name = json_object_get(doc, "source_name");
    if (!name)
        name = json_object_get(doc, "source-id");
    if (!json_is_string(name) || !json_string_length(name))
        return err_set(err, -EINVAL, "the document has no name");
    shown = node_name_shown(json_string_value(name));
    return node_create(dir, shown, doc, NULL, err);
}
