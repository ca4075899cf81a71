/*
 * fs.c - the kernel's questions, answered by node.h.
 *
 * Inode numbers are the node's and row's own (target_ino), so lookups need no
 * table here and forget nothing to do; what was removed is ENOENT.  Nothing
 * here waits: what may (an action, a document, a file that asks a server) is
 * answered by a thread of its own, since a handler that waits stalls `ls` of
 * the directory in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scope.h"
#include "fs/private.h"
#include "node/authority.h"

#define VALUE_SIZE_MAX 4096
#define BLOCK_SIZE                                                                                \
    65536                 /* what stdio buffers: a long value comes in one write, not cut at 4096 \
                           */
#define DIR_TIMEOUT_S 1.0 /* names and attributes of directories and links; files are 0 */
#define APART_MAX 64

struct fs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static struct file *file_of(const struct fuse_file_info *fi)
{
    return (struct file *)(uintptr_t)fi->fh;
}

struct caller fs_caller(fuse_req_t req)
{
    const struct fuse_ctx *c = fuse_req_ctx(req);

    return (struct caller){ .uid = c->uid, .gid = c->gid, .pid = c->pid, .front = "fs" };
}

int fs_target(struct fs *fs, fuse_ino_t ino, struct target *t)
{
    if (ino != FUSE_ROOT_ID)
        return target_of_ino(ino, t);
    *t = (struct target){ .node = node_ref(fs->root) };
    return 0;
}

fuse_ino_t fs_ino(struct fs *fs, const struct target *t)
{
    return t->node == fs->root && !t->attr && !t->action ? FUSE_ROOT_ID : target_ino(t);
}

bool fs_is_notifier(fuse_req_t req)
{
    pid_t pid = notify_pid(fs_of(req));

    return pid && fuse_req_ctx(req)->pid == pid;
}

/* --- attributes --- */

/* To the notifier every file may be written: the kernel asks for the mode before it lets its
 * truncate(2) through, and without root's privileges nothing but that makes an IN_MODIFY. */
static void stat_of(fuse_req_t req, const struct target *t, struct stat *st)
{
    const struct authority *a = authority_get();
    int64_t us = target_changed_us(t);

    *st = (struct stat){ .st_ino = target_ino(t),
                         .st_mode = target_mode(t),
                         .st_nlink = 1,
                         .st_uid = a->uid,
                         .st_gid = a->gid,
                         .st_blksize = BLOCK_SIZE,
                         .st_mtim = { us / 1000000, us % 1000000 * 1000 } };
    if (S_ISREG(st->st_mode) && fs_is_notifier(req))
        st->st_mode |= 0222;
    if (S_ISREG(st->st_mode))
        st->st_size = (off_t)target_size(t);
    else if (S_ISLNK(st->st_mode))
        st->st_size = (off_t)strlen(t->node->link);
    else
        st->st_nlink = 2;
    st->st_blocks = (st->st_size + 511) / 512;
    st->st_atim = st->st_ctim = st->st_mtim;
}

static double timeout_of(const struct stat *st)
{
    return S_ISREG(st->st_mode) ? 0 : DIR_TIMEOUT_S;
}

struct fuse_entry_param fs_entry(fuse_req_t req, const struct target *t)
{
    struct fuse_entry_param e = { .ino = fs_ino(fs_of(req), t) };

    stat_of(req, t, &e.attr);
    e.attr_timeout = e.entry_timeout = timeout_of(&e.attr);
    return e;
}

void fs_reply_entry(fuse_req_t req, const struct target *t)
{
    struct fuse_entry_param e = fs_entry(req, t);

    fuse_reply_entry(req, &e);
}

static void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    SCOPED(target_release) struct target dir = { 0 }, t = { 0 };

    if (fs_target(fs_of(req), parent, &dir) < 0 || node_lookup(dir.node, name, &t, NULL) < 0)
        fuse_reply_err(req, ENOENT);
    else
        fs_reply_entry(req, &t);
}

/* The size of an open file is that of what it reads.  The kernel says which open file it means for
 * SEEK_END; not for fstat(2) (Linux 6.18), which gets the size of what a new reader would see. */
static void size_of_open(struct file *f, struct stat *st)
{
    if (f->target.attr && f->target.attr->lines)
        return;
    mutex_lock(&f->lock);
    if (f->text.data)
        st->st_size = (off_t)f->text.size;
    mutex_unlock(&f->lock);
}

static void reply_attr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    SCOPED(target_release) struct target t = { 0 };
    struct stat st;

    if (fs_target(fs_of(req), ino, &t) < 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    stat_of(req, &t, &st);
    if (fi && fi->fh && S_ISREG(st.st_mode))
        size_of_open(file_of(fi), &st);
    fuse_reply_attr(req, &st, timeout_of(&st));
}

static void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    reply_attr(req, ino, fi);
}

/* touch, cp -p, chmod, the shell's ">" and the notifier's own calls: accepted, without effect. */
static void fs_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
                       struct fuse_file_info *fi)
{
    (void)st, (void)to_set;
    reply_attr(req, ino, fi);
}

static void fs_readlink(fuse_req_t req, fuse_ino_t ino)
{
    SCOPED(target_release) struct target t = { 0 };

    if (fs_target(fs_of(req), ino, &t) < 0)
        fuse_reply_err(req, ENOENT);
    else if (!t.node->symlink)
        fuse_reply_err(req, EINVAL);
    else
        fuse_reply_readlink(req, t.node->link);
}

/* --- threads for what may wait --- */

struct apart *fs_apart_new(fuse_req_t req, struct file *f, const struct fuse_file_info *fi,
                           void (*job)(struct apart *a))
{
    struct apart *a = xcalloc(1, sizeof *a);

    *a = (struct apart){ .req = req, .fs = fs_of(req), .file = f, .fi = *fi, .job = job };
    return a;
}

static void *apart_run(void *arg)
{
    struct apart *a = arg;
    struct fs *fs = a->fs;

    a->job(a);
    buf_fini(&a->bytes);
    free(a);
    atomic_fetch_sub(&fs->n_apart, 1);
    return NULL;
}

bool fs_apart_start(struct apart *a)
{
    if (atomic_fetch_add(&a->fs->n_apart, 1) < APART_MAX) {
        pthread_detach(thread_start("request", apart_run, a));
        return true;
    }
    atomic_fetch_sub(&a->fs->n_apart, 1);
    fuse_reply_err(a->req, EAGAIN);
    buf_fini(&a->bytes);
    free(a);
    return false;
}

/* --- files --- */

static void open_rendered(struct apart *a)
{
    struct err err = ERR_INIT;

    if (file_render(a->file, &err) == 0) {
        if (fuse_reply_open(a->req, &a->fi) < 0)
            file_free(a->fs, a->file); /* whoever opened it is gone */
        return;
    }
    fuse_reply_err(a->req, -err.code);
    file_free(a->fs, a->file);
}

/* Root passes the kernel's check of the mode, not ours; and so may others write what nobody can, in
 * the moment in which the kernel knows the mode that the notifier was told (stat_of()). */
static int check_mode(fuse_req_t req, const struct target *t, int want)
{
    struct caller who = fs_caller(req);
    struct err err = ERR_INIT;

    if (who.uid == 0 ? authority_check(&who, target_mode(t), want, &err) == 0
                     : !(want & 2) || (target_mode(t) & 0222))
        return 0;
    if (want & 2) {
        SCOPED(freep) char *path = target_path(t);

        err_set(&err, -EACCES, "%s can only be read", t->attr ? t->attr->name : "this");
        node_refused(t->node, path, &who, &err);
    }
    return err.code;
}

static void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    int access = fi->flags & O_ACCMODE;
    bool reads = access != O_WRONLY, writes = access != O_RDONLY;
    SCOPED(target_release) struct target t = { 0 };
    struct apart here;
    int rc = fs_target(fs_of(req), ino, &t);

    if (rc == 0)
        rc = check_mode(req, &t, (reads ? 4 : 0) | (writes ? 2 : 0));
    if (rc < 0) {
        fuse_reply_err(req, -rc);
        return;
    }
    here = (struct apart){ .req = req, .fs = fs_of(req), .file = file_new(fs_of(req), &t, writes) };
    fi->fh = (uint64_t)(uintptr_t)here.file;
    fi->direct_io = 1;
    fi->noflush = !here.file->is_document;
    here.fi = *fi;
    if (!reads) {
        if (fuse_reply_open(req, fi) < 0)
            file_free(here.fs, here.file);
    } else if (file_waits(here.file)) {
        if (!fs_apart_start(fs_apart_new(req, here.file, fi, open_rendered)))
            file_free(here.fs, here.file);
    } else {
        open_rendered(&here);
    }
}

static void read_again(struct apart *a)
{
    struct err err = ERR_INIT;

    if (file_render(a->file, &err) < 0)
        fuse_reply_err(a->req, -err.code);
    else
        file_read(a->file, a->req, a->size, 0);
}

static void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    struct file *f = file_of(fi);
    struct apart here = { .req = req, .fs = fs_of(req), .file = f, .size = size };

    (void)ino;
    if (off != 0 || !file_is_stale(f)) {
        file_read(f, req, size, off);
    } else if (file_waits(f)) {
        struct apart *a = fs_apart_new(req, f, fi, read_again);

        a->size = size;
        fs_apart_start(a);
    } else {
        read_again(&here);
    }
}

static int write_value(struct file *f, const char *bytes, size_t size, const struct caller *who)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *path = NULL;

    if (size <= VALUE_SIZE_MAX)
        return target_write_text(&f->target, bytes, size, who, &err);
    path = target_path(&f->target);
    err_set(&err, -EFBIG, "a value has at most %d bytes", VALUE_SIZE_MAX);
    node_refused(f->target.node, path, who, &err);
    return err.code;
}

static void run_action(struct apart *a)
{
    struct caller who = fs_caller(a->req);
    int rc = write_value(a->file, a->bytes.data, a->bytes.size, &who);

    if (rc < 0)
        fuse_reply_err(a->req, -rc);
    else
        fuse_reply_write(a->req, a->bytes.size);
}

static void fs_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t off,
                     struct fuse_file_info *fi)
{
    struct file *f = file_of(fi);
    struct caller who = fs_caller(req);
    int rc;

    (void)ino, (void)off;
    if (f->target.action && !f->is_document) {
        struct apart *a = fs_apart_new(req, f, fi, run_action);

        buf_add(&a->bytes, bytes, size);
        fs_apart_start(a);
        return;
    }
    rc = f->is_document ? file_append(f, bytes, size, &who) : write_value(f, bytes, size, &who);
    if (rc < 0)
        fuse_reply_err(req, -rc);
    else
        fuse_reply_write(req, size);
}

/* close(2) is where shells look least: bash's own echo takes no notice of its error.  So a refused
 * document is an event too. */
static void apply_document(struct apart *a)
{
    const struct target *t = &a->file->target;
    struct caller who = fs_caller(a->req);
    struct err err = ERR_INIT;
    int rc = target_write_text(t, a->bytes.data, a->bytes.size, &who, &err);

    if (rc < 0)
        node_event(t->node, "refused",
                   json_pack("{s:s,s:s}", "file", t->attr ? t->attr->name : t->action->name,
                             "error", err.text));
    fuse_reply_err(a->req, -rc);
}

/* close(2) waits for this and returns its error, so that is when a document is applied. */
static void fs_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct file *f = file_of(fi);
    struct apart *a;

    (void)ino;
    if (!f->is_document) {
        fuse_reply_err(req, 0);
        return;
    }
    a = fs_apart_new(req, f, fi, apply_document);
    if (file_take_document(f, &a->bytes)) {
        fs_apart_start(a);
        return;
    }
    fuse_reply_err(req, 0);
    free(a);
}

static void fs_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    file_free(fs_of(req), file_of(fi));
    fuse_reply_err(req, 0);
}

static void fs_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    (void)ino, (void)datasync, (void)fi;
    fuse_reply_err(req, 0);
}

static void fs_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
                    struct fuse_pollhandle *ph)
{
    struct file *f = file_of(fi);
    bool changed;

    (void)ino;
    if (ph)
        file_polled(fs_of(req), f, ph);
    changed = f->seen_changes != node_changes(f->target.node);
    fuse_reply_poll(req, changed ? POLLIN | POLLPRI : 0);
}

static void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };

    (void)ino;
    fuse_reply_statfs(req, &st);
}

static void fs_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want |= conn->capable & FUSE_CAP_ATOMIC_O_TRUNC; /* O_TRUNC comes with open: ignored */
}

const struct fuse_lowlevel_ops fs_operations = {
    .init = fs_init,
    .lookup = fs_lookup,
    .getattr = fs_getattr,
    .setattr = fs_setattr,
    .readlink = fs_readlink,
    .opendir = dir_opendir,
    .readdir = dir_readdir,
    .readdirplus = dir_readdirplus,
    .releasedir = dir_releasedir,
    .mkdir = dir_mkdir,
    .rmdir = dir_rmdir,
    .create = dir_create,
    .mknod = dir_mknod,
    .symlink = dir_symlink,
    .link = dir_link,
    .unlink = dir_unlink,
    .rename = dir_rename,
    .open = fs_open,
    .read = fs_read,
    .write = fs_write,
    .flush = fs_flush,
    .fsync = fs_fsync,
    .release = fs_release,
    .poll = fs_poll,
    .statfs = fs_statfs,
};
