/* client_fs.c - the daemon through its mounted tree, by ordinary files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/scope.h"
#include "ctl/client.h"

enum { WATCH_MS = 500 };

struct fs_client {
    struct client base;
    char *mount;
};

static char *file_of(struct client *c, const char *path)
{
    return xasprintf("%s/%s", ((struct fs_client *)c)->mount, path);
}

static int read_file(const char *file, struct buf *out)
{
    SCOPED(closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
    char block[65536];
    ssize_t n;

    if (fd < 0)
        return -errno;
    while ((n = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)n);
    return n < 0 ? -errno : 0;
}

/* The sentence of a refusal: the last_error of the directory that 'path' is in, if it is new. */
static int refused(struct client *c, const char *path, int code, struct err *err)
{
    const char *slash = strrchr(path, '/');
    SCOPED(freep) char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);
    SCOPED(freep) char *file = xasprintf("%s/%s/last_error", ((struct fs_client *)c)->mount, dir);
    SCOPED(buf_fini) struct buf text = BUF_INIT;

    if (code == -ENOTCONN || code == -ECONNABORTED)
        return err_set(err, -ENOTCONN, "nobody serves the tree at %s any more",
                       ((struct fs_client *)c)->mount);
    if (read_file(file, &text) == 0 && text.size > 1)
        return err_set(err, -EREMOTEIO, "%s: %s: %.*s", path, strerror(-code),
                       (int)strcspn(text.data, "\n"), text.data);
    return err_set(err, -EREMOTEIO, "%s: %s", path, strerror(-code));
}

static int fs_text(struct client *c, const char *path, struct buf *out, struct err *err)
{
    SCOPED(freep) char *file = file_of(c, path);
    int rc = read_file(file, out);

    return rc < 0 ? refused(c, path, rc, err) : 0;
}

/* --- reading --- */

static json_t *read_directory(struct client *c, const char *path, unsigned depth, struct err *err);

static bool is_child(const struct dirent *e)
{
    return (e->d_type == DT_DIR || e->d_type == DT_LNK) && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_child(struct client *c, json_t *children, const char *path, const char *name,
                     unsigned depth, struct err *err)
{
    SCOPED(freep) char *child = xasprintf("%s%s%s", path, *path ? "/" : "", name);
    json_t *v;

    if (json_is_array(children))
        return json_array_append_new(children, json_string(name));
    v = read_directory(c, child, depth - 1, err);
    return v ? json_object_set_new(children, name, v) : err->code;
}

static int add_children(struct client *c, json_t *all, const char *path, unsigned depth,
                        struct err *err)
{
    SCOPED(freep) char *dir = file_of(c, path);
    json_t *children = depth ? json_object() : json_array();
    struct dirent **found;
    int n = scandir(dir, &found, NULL, by_name), rc = 0;

    json_object_set_new(all, "children", children);
    if (n < 0)
        return refused(c, path, -errno, err);
    for (int i = 0; i < n; i++) {
        if (rc == 0 && is_child(found[i]))
            rc = add_child(c, children, path, found[i]->d_name, depth, err);
        free(found[i]);
    }
    free(found);
    return rc;
}

static json_t *read_directory(struct client *c, const char *path, unsigned depth, struct err *err)
{
    SCOPED(freep) char *status = xasprintf("%s%sstatus", path, *path ? "/" : "");
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    json_t *all;

    if (fs_text(c, status, &text, err) < 0)
        return NULL;
    all = client_value_of_text(text.size ? text.data : "", text.size);
    if (!json_is_object(all))
        err_set(err, -EREMOTEIO, "%s is not a JSON object", status);
    else if (add_children(c, all, path, depth, err) == 0)
        return all;
    json_decref(all);
    return NULL;
}

static json_t *fs_read(struct client *c, const char *path, unsigned depth, struct err *err)
{
    SCOPED(freep) char *file = file_of(c, path);
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct stat st;

    if (stat(file, &st) < 0) {
        refused(c, path, -errno, err);
        return NULL;
    }
    if (S_ISDIR(st.st_mode))
        return read_directory(c, path, depth, err);
    if (fs_text(c, path, &text, err) < 0)
        return NULL;
    return client_value_of_text(text.size ? text.data : "", text.size);
}

/* --- writing --- */

/* All in one write(2): a value is one command. */
static int fs_write(struct client *c, const char *path, const char *text, size_t size,
                    struct err *err)
{
    SCOPED(freep) char *file = file_of(c, path);
    int fd = open(file, O_WRONLY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        return refused(c, path, -errno, err);
    for (size_t at = 0; at < size || at == 0;) {
        ssize_t n = write(fd, size ? text + at : "\n", size ? size - at : 1);

        if (n <= 0) {
            rc = n < 0 ? -errno : -EIO;
            break;
        }
        at += (size_t)n;
    }
    if (close(fd) < 0 && rc == 0) /* documents are applied here */
        rc = -errno;
    return rc < 0 ? refused(c, path, rc, err) : 0;
}

/* mkdir, then the document; what the document fails to make is taken away again. */
static int fs_create(struct client *c, const char *path, const char *row, const char *text,
                     size_t size, struct err *err)
{
    SCOPED(freep) char *dir = file_of(c, path);
    SCOPED(freep) char *document = xasprintf("%s/%s", path, row);
    bool made = mkdir(dir, 0777) == 0;

    if (!made && !(errno == EEXIST && size))
        return refused(c, path, -errno, err);
    if (size && fs_write(c, document, text, size, err) < 0) {
        if (made)
            rmdir(dir);
        return err->code;
    }
    return 0;
}

static int fs_remove(struct client *c, const char *path, struct err *err)
{
    SCOPED(freep) char *dir = file_of(c, path);

    return rmdir(dir) < 0 ? refused(c, path, -errno, err) : 0;
}

/* --- watching: what differs from half a second ago --- */

static bool tell(client_event_fn *fn, void *arg, const char *event, const char *path,
                 json_t *changed)
{
    json_t *data = json_pack("{s:s,s:o*}", "path", path, "changed", changed);
    bool go_on = fn(arg, event, data);

    json_decref(data);
    return go_on;
}

static bool compare(const char *path, const json_t *was, json_t *now, client_event_fn *fn,
                    void *arg);

static bool compare_children(const char *path, const json_t *was, json_t *now, client_event_fn *fn,
                             void *arg)
{
    const char *name;
    json_t *child;

    json_object_foreach (now, name, child) {
        SCOPED(freep) char *below = xasprintf("%s%s%s", path, *path ? "/" : "", name);
        const json_t *old = json_object_get(was, name);

        if (was && !old && !tell(fn, arg, "create", below, NULL))
            return false;
        if (!compare(below, old, child, fn, arg))
            return false;
    }
    json_object_foreach ((json_t *)was, name, child) {
        SCOPED(freep) char *below = xasprintf("%s%s%s", path, *path ? "/" : "", name);

        if (!json_object_get(now, name) && !tell(fn, arg, "remove", below, NULL))
            return false;
    }
    return true;
}

static bool compare(const char *path, const json_t *was, json_t *now, client_event_fn *fn,
                    void *arg)
{
    json_t *changed = json_object(), *v;
    const char *key;

    json_object_foreach (now, key, v)
        if (strcmp(key, "children") != 0 && !json_equal(v, json_object_get(was, key)))
            json_object_set(changed, key, v);
    if (json_object_size(changed) == 0)
        json_decref(changed);
    else if (!tell(fn, arg, "change", path, changed))
        return false;
    return compare_children(path, json_object_get(was, "children"),
                            json_object_get(now, "children"), fn, arg);
}

static int fs_watch(struct client *c, const char *path, client_event_fn *fn, void *arg,
                    struct err *err)
{
    json_t *was = NULL, *now;

    while ((now = fs_read(c, path, 8, err))) {
        bool go_on;

        if (!json_is_object(now)) /* one attribute */
            now = json_pack("{s:o}", "value", now);
        go_on = compare(path, was, now, fn, arg);
        json_decref(was);
        was = now;
        if (!go_on)
            break;
        usleep(WATCH_MS * 1000);
    }
    json_decref(was);
    return now ? 0 : err->code;
}

/* --- life --- */

static void fs_free(struct client *c)
{
    free(((struct fs_client *)c)->mount);
    free(c);
}

static const struct client_ops fs_ops = {
    .read = fs_read,
    .text = fs_text,
    .set = fs_write,
    .run = fs_write,
    .create = fs_create,
    .remove = fs_remove,
    .watch = fs_watch,
    .free = fs_free,
};

struct client *client_fs_new(const char *mount, struct err *err)
{
    SCOPED(freep) char *readme = xasprintf("%s/README", mount);
    struct fs_client *c;

    if (access(readme, R_OK) < 0) {
        err_set(err, -ENOTCONN, "no sluice tree is mounted at %s", mount);
        return NULL;
    }
    c = xcalloc(1, sizeof *c);
    c->base.ops = &fs_ops;
    c->mount = xstrdup(mount);
    return &c->base;
}
