/* link.c - finding a path whose words may be links. */
#include "http/link.h"

#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"

enum { LINKS_MAX = 8 };

/* Takes the last word off a path. */
static void drop_word(struct buf *path)
{
    const char *slash = path->size ? strrchr(path->data, '/') : NULL;

    path->size = slash ? (size_t)(slash - path->data) : 0;
    if (path->data)
        path->data[path->size] = '\0';
}

static void add_word(struct buf *path, const char *word, size_t len)
{
    if (path->size)
        buf_byte(path, '/');
    buf_add(path, word, len);
}

/* Adds what a link says to the path of its directory: "../tasks/t1". */
static void add_link(struct buf *path, const char *link)
{
    while (*link) {
        size_t len = strcspn(link, "/");

        if (len == 2 && memcmp(link, "..", 2) == 0)
            drop_word(path);
        else if (len && !(len == 1 && *link == '.'))
            add_word(path, link, len);
        link += len + (link[len] == '/');
    }
}

/* The same path with the first link in it replaced; NULL if there is none.  The caller frees. */
static char *without_first_link(struct node *root, const char *path, bool last)
{
    SCOPED(buf_fini) struct buf done = BUF_INIT;

    while (*path) {
        size_t len = strcspn(path, "/");
        const char *rest = path + len + (path[len] == '/');
        SCOPED(target_release) struct target t = { 0 };
        struct err none = ERR_INIT;

        add_word(&done, path, len);
        if (node_find(root, done.data, &t, &none) < 0)
            return NULL;
        if (t.node->symlink && !t.attr && (*rest || last)) {
            drop_word(&done);
            add_link(&done, t.node->link);
            if (*rest)
                add_word(&done, rest, strlen(rest));
            return buf_steal(&done);
        }
        path = rest;
    }
    return NULL;
}

int link_find(struct node *root, const char *path, bool last, struct target *t, struct err *err)
{
    SCOPED(freep) char *now = xstrdup(path);

    for (int n = 0; n < LINKS_MAX; n++) {
        int rc = node_find(root, now, t, err);
        char *next;

        if (rc == 0 && !(t->node->symlink && last))
            return 0;
        next = without_first_link(root, now, last);
        if (!next)
            return rc;
        if (rc == 0)
            target_release(t);
        free(now);
        now = next;
    }
    return err_set(err, -ELOOP, "%s: too many links", path);
}
