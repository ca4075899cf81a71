/* file.c - an open file: what it reads, what was written to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "fs/private.h"
#include "node/lines.h"

#define DOCUMENT_SIZE_MAX (64 << 20)
#define FRESH_US 20000 /* what open rendered this recently serves the first read too */

struct file *file_new(struct fs *fs, const struct target *t, bool for_writing)
{
    struct file *f = xcalloc(1, sizeof *f);

    mutex_init(&f->lock);
    f->target = *t;
    node_ref(t->node);
    f->is_document = for_writing && ((t->attr && t->attr->type == ATTR_DOCUMENT) ||
                                     (t->action && t->action->document));
    f->seen_changes = node_changes(t->node);
    mutex_lock(&fs->files_lock);
    f->next = fs->files;
    f->link = &fs->files;
    if (f->next)
        f->next->link = &f->next;
    fs->files = f;
    mutex_unlock(&fs->files_lock);
    return f;
}

static void unpoll(struct file *f)
{
    if (f->poll)
        fuse_pollhandle_destroy(f->poll);
    f->poll = NULL;
}

void file_free(struct fs *fs, struct file *f)
{
    mutex_lock(&fs->files_lock);
    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    unpoll(f);
    mutex_unlock(&fs->files_lock);
    target_release(&f->target);
    mutex_lock(&f->lock);
    buf_fini(&f->text);
    buf_fini(&f->written);
    mutex_unlock(&f->lock);
    mutex_fini(&f->lock);
    free(f);
}

void files_free(struct fs *fs) NO_THREAD_CHECK /* nobody else is left */
{
    while (fs->files)
        file_free(fs, fs->files);
}

void file_polled(struct fs *fs, struct file *f, struct fuse_pollhandle *ph)
{
    mutex_lock(&fs->files_lock);
    unpoll(f);
    f->poll = ph;
    mutex_unlock(&fs->files_lock);
}

void files_wake(struct fs *fs, const struct node *n)
{
    mutex_lock(&fs->files_lock);
    for (struct file *f = fs->files; f; f = f->next)
        if (f->poll && f->target.node == n) {
            fuse_lowlevel_notify_poll(f->poll);
            unpoll(f);
        }
    mutex_unlock(&fs->files_lock);
}

bool file_waits(const struct file *f)
{
    return f->target.attr && f->target.attr->flags & ATTR_ASKS;
}

static struct lines *lines_of(const struct file *f)
{
    const struct attr *a = f->target.attr;

    return a && a->lines ? a->lines(f->target.node, a) : NULL;
}

int file_render(struct file *f, struct err *err)
{
    struct buf text = BUF_INIT;

    if (lines_of(f))
        return 0; /* read live */
    f->seen_changes = node_changes(f->target.node);
    if (target_text(&f->target, &text, err) < 0) {
        buf_fini(&text);
        return err->code;
    }
    mutex_lock(&f->lock);
    buf_fini(&f->text);
    f->text = text;
    f->rendered_us = clock_mono_us();
    mutex_unlock(&f->lock);
    return 0;
}

bool file_is_stale(struct file *f)
{
    bool stale;

    mutex_lock(&f->lock);
    stale = clock_mono_us() - f->rendered_us > FRESH_US;
    f->rendered_us = 0; /* it serves one read at 0 */
    mutex_unlock(&f->lock);
    return stale;
}

/* Where in the lines a read at 'off' is.  Who starts below the oldest line that is kept starts at
 * that line, and as long as it reads on, its offsets are shifted by what it was spared. */
static uint64_t lines_offset(struct file *f, struct lines *l, uint64_t off) REQUIRES(f->lock)
{
    uint64_t start = lines_start(l);

    if (off != f->expected)
        f->shift = 0;
    if (off + f->shift < start)
        f->shift = start - off;
    return off + f->shift;
}

static void read_lines(struct file *f, struct lines *l, fuse_req_t req, size_t size, uint64_t off)
{
    SCOPED(freep) char *bytes = xmalloc(size + 1);
    size_t n;

    f->seen_changes = node_changes(f->target.node);
    mutex_lock(&f->lock);
    n = lines_read(l, lines_offset(f, l, off), bytes, size);
    f->expected = off + n;
    mutex_unlock(&f->lock);
    fuse_reply_buf(req, bytes, n);
}

void file_read(struct file *f, fuse_req_t req, size_t size, off_t off)
{
    struct lines *l = lines_of(f);
    size_t at = (size_t)off, left;

    if (l) {
        read_lines(f, l, req, size, (uint64_t)off);
        return;
    }
    mutex_lock(&f->lock);
    left = at < f->text.size ? f->text.size - at : 0;
    fuse_reply_buf(req, left ? f->text.data + at : NULL, size < left ? size : left);
    mutex_unlock(&f->lock);
}

int file_append(struct file *f, const char *bytes, size_t size, const struct caller *who)
{
    struct err err = ERR_INIT;
    SCOPED(freep) char *path = NULL;
    bool fits;

    mutex_lock(&f->lock);
    fits = f->written.size + size <= DOCUMENT_SIZE_MAX;
    if (fits)
        buf_add(&f->written, bytes, size);
    f->has_new = fits;
    mutex_unlock(&f->lock);
    if (fits)
        return 0;
    path = target_path(&f->target);
    err_set(&err, -EFBIG, "a document has at most %d MiB", DOCUMENT_SIZE_MAX >> 20);
    node_refused(f->target.node, path, who, &err);
    return err.code;
}

bool file_take_document(struct file *f, struct buf *ret)
{
    bool has_new;

    mutex_lock(&f->lock);
    has_new = f->has_new;
    f->has_new = false;
    if (has_new)
        buf_add(ret, f->written.data, f->written.size);
    mutex_unlock(&f->lock);
    return has_new;
}
