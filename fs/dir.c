/* dir.c - directories: listing, making and removing, and what cannot be made in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/mem.h"
#include "base/scope.h"
#include "fs/private.h"
#include "node/suggest.h"

/* --- listing --- */

/* The names of a directory as they were when it was opened. */
struct listing {
    struct listed {
        size_t name; /* offset into 'names' */
        mode_t mode;
        fuse_ino_t ino;
    } * entries;
    size_t n, cap;
    struct buf names;
    struct listing *prev, *next; /* among fs->listings */
};

static void listing_add(struct listing *l, const char *name, mode_t mode, fuse_ino_t ino)
{
    GROW(l->entries, l->n, l->cap);
    l->entries[l->n++] = (struct listed){ l->names.size, mode, ino };
    buf_add(&l->names, name, strlen(name) + 1);
}

static void listing_emit(void *arg, const struct entry *e)
{
    listing_add(arg, e->name, e->mode, e->ino);
}

static void listing_free(struct fs *fs, struct listing *l)
{
    mutex_lock(&fs->files_lock);
    DL_DELETE(fs->listings, l);
    mutex_unlock(&fs->files_lock);
    free(l->entries);
    buf_fini(&l->names);
    free(l);
}

void dir_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    SCOPED(target_release) struct target t = { 0 };
    struct fs *fs = fs_of(req);
    struct listing *l;

    if (fs_target(fs, ino, &t) < 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    l = xcalloc(1, sizeof *l);
    listing_add(l, ".", S_IFDIR, target_ino(&t));
    listing_add(l, "..", S_IFDIR, target_ino(&t)); /* the kernel knows the parent's better */
    node_list(t.node, listing_emit, l);
    mutex_lock(&fs->files_lock);
    DL_PREPEND(fs->listings, l);
    mutex_unlock(&fs->files_lock);
    fi->fh = (uint64_t)(uintptr_t)l;
    fuse_reply_open(req, fi);
}

void dir_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    listing_free(fs_of(req), (struct listing *)(uintptr_t)fi->fh);
    fuse_reply_err(req, 0);
}

void dirs_free(struct fs *fs) NO_THREAD_CHECK /* nobody else is left */
{
    while (fs->listings)
        listing_free(fs, fs->listings);
}

static size_t add_plain(fuse_req_t req, char *p, size_t left, const struct listing *l, size_t i)
{
    const struct listed *e = &l->entries[i];
    struct stat st = { .st_ino = e->ino, .st_mode = e->mode };

    return fuse_add_direntry(req, p, left, l->names.data + e->name, &st, (off_t)i + 1);
}

/* With attributes, so that `ls -l` asks no more.  What was removed since is not counted as looked
 * up (ino 0), likewise . and .. */
static size_t add_plus(fuse_req_t req, char *p, size_t left, const struct listing *l, size_t i)
{
    const struct listed *e = &l->entries[i];
    struct fuse_entry_param entry = { .attr = { .st_ino = e->ino, .st_mode = e->mode } };
    SCOPED(target_release) struct target t = { 0 };

    if (i >= 2 && fs_target(fs_of(req), e->ino, &t) == 0)
        entry = fs_entry(req, &t);
    return fuse_add_direntry_plus(req, p, left, l->names.data + e->name, &entry, (off_t)i + 1);
}

static void reply_entries(fuse_req_t req, const struct listing *l, size_t size, off_t off,
                          size_t (*add)(fuse_req_t, char *, size_t, const struct listing *, size_t))
{
    SCOPED(freep) char *p = xmalloc(size);
    size_t used = 0;

    for (size_t i = (size_t)off; i < l->n; i++) {
        size_t need = add(req, p + used, size - used, l, i);

        if (need > size - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, p, used);
}

void dir_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
    (void)ino;
    reply_entries(req, (struct listing *)(uintptr_t)fi->fh, size, off, add_plain);
}

void dir_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                     struct fuse_file_info *fi)
{
    (void)ino;
    reply_entries(req, (struct listing *)(uintptr_t)fi->fh, size, off, add_plus);
}

/* --- making and removing --- */

void dir_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    SCOPED(target_release) struct target dir = { 0 }, t = { 0 };
    struct caller who = fs_caller(req);
    struct err err = ERR_INIT;
    int rc = fs_target(fs_of(req), parent, &dir);

    (void)mode;
    if (rc == 0)
        rc = fs_is_notifier(req) /* it stands for somebody else's request, which waits for it */
                 ? making_create(fs_of(req), dir.node, name)
                 : node_create(dir.node, name, NULL, &who, &err);
    if (rc == 0)
        rc = node_lookup(dir.node, name, &t, NULL);
    if (rc < 0)
        fuse_reply_err(req, -rc);
    else
        fs_reply_entry(req, &t);
}

void dir_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    SCOPED(target_release) struct target dir = { 0 }, t = { 0 };
    struct caller who = fs_caller(req);
    struct err err = ERR_INIT;
    int rc = fs_target(fs_of(req), parent, &dir);

    if (rc == 0)
        rc = node_lookup(dir.node, name, &t, NULL);
    if (rc == 0 && (t.attr || t.action))
        rc = -ENOTDIR;
    if (rc == 0)
        rc = fs_is_notifier(req) ? making_destroy(fs_of(req), t.node)
                                 : node_destroy(t.node, &who, &err);
    fuse_reply_err(req, -rc);
}

/* --- what a tree of attributes does not do --- */

static void offer(void *arg, const struct entry *e)
{
    if (S_ISREG(e->mode))
        suggest_offer(arg, e->name);
}

static void refuse(fuse_req_t req, fuse_ino_t parent, const char *name, const char *why)
{
    SCOPED(target_release) struct target dir = { 0 };
    SCOPED(freep) char *path = NULL, *full = NULL;
    struct suggestion s = suggest_for(name);
    struct caller who = fs_caller(req);
    struct err err = ERR_INIT;

    if (fs_target(fs_of(req), parent, &dir) == 0) {
        path = node_path(dir.node);
        full = xasprintf("%s%s%s", path, *path ? "/" : "", name);
        node_list(dir.node, offer, &s);
        err_set(&err, -EPERM, "%s%s", why, SUGGESTED(&s));
        node_refused(dir.node, full, &who, &err);
    }
    fuse_reply_err(req, EPERM);
}

static const char no_such_file[] = "there is no such file, and none can be made";

void dir_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                struct fuse_file_info *fi)
{
    (void)mode, (void)fi;
    refuse(req, parent, name, no_such_file);
}

void dir_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
    (void)mode, (void)dev;
    refuse(req, parent, name, no_such_file);
}

void dir_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
    (void)link;
    refuse(req, parent, name, "links cannot be made here");
}

void dir_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
    (void)ino;
    refuse(req, parent, name, "links cannot be made here");
}

/* What was made when asked for may go as it came; rows are always there. */
static bool can_go(const struct target *t)
{
    return t->node->file && t->attr && t->node->type->remove;
}

void dir_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    SCOPED(target_release) struct target dir = { 0 }, t = { 0 };
    struct caller who = fs_caller(req);
    struct err err = ERR_INIT;

    if (fs_target(fs_of(req), parent, &dir) == 0 && node_lookup(dir.node, name, &t, NULL) == 0 &&
        can_go(&t)) {
        fuse_reply_err(req, -node_destroy(t.node, &who, &err));
        return;
    }
    refuse(req, parent, name, "a file cannot be removed; rmdir removes its directory");
}

void dir_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t to_parent,
                const char *to_name, unsigned flags)
{
    (void)to_parent, (void)to_name, (void)flags;
    refuse(req, parent, name, "nothing here can be renamed");
}
