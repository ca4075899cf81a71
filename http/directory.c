/* directory.c - what a GET of a directory shows. */
#include "http/directory.h"

#include <errno.h>

#include "base/mem.h"
#include "base/scope.h"

/* Nodes that one reply with 'depth' may hold: it is built in memory. */
enum { NODES_MAX = 20000 };

struct names {
    char **names;
    size_t n, cap;
};

static void add_name(void *arg, struct node *child)
{
    struct names *l = arg;

    GROW(l->names, l->n, l->cap);
    l->names[l->n++] = xstrdup(child->name);
}

static void names_fini(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l->names);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Index of the first name that comes after 'after'. */
static size_t first_after(const struct names *l, const char *after)
{
    size_t low = 0, high = after ? l->n : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(l->names[middle], after) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static json_t *read_node(struct node *n, const struct http_query *q, size_t *n_left,
                         struct err *err);

/* Adds one child to 'children'; one that went away meanwhile is left out. */
static int add_child(json_t *children, struct node *n, const char *name, const struct http_query *q,
                     size_t *n_left, struct err *err)
{
    struct http_query below = { .limit = q->limit, .depth = q->depth - 1 };
    struct node *child = node_child(n, name);
    json_t *v;

    if (!child)
        return 0;
    v = child->symlink ? json_pack("{s:s}", "link", child->link)
                       : read_node(child, &below, n_left, err);
    node_unref(child);
    return v ? json_object_set_new(children, name, v) : err->code;
}

static int add_children(json_t *all, struct node *n, const struct http_query *q, size_t *n_left,
                        struct err *err)
{
    SCOPED(names_fini) struct names l = { 0 };
    json_t *children = q->depth ? json_object() : json_array();
    size_t at, end;
    int rc = 0;

    json_object_set_new(all, "children", children);
    node_each(n, add_name, &l);
    if (l.n)
        qsort(l.names, l.n, sizeof *l.names, by_name);
    at = first_after(&l, q->after);
    end = l.n - at > q->limit ? at + q->limit : l.n;
    for (size_t i = at; i < end && rc == 0; i++)
        rc = q->depth ? add_child(children, n, l.names[i], q, n_left, err)
                      : json_array_append_new(children, json_string(l.names[i]));
    if (end < l.n && end > at)
        json_object_set_new(all, "children_next", json_string(l.names[end - 1]));
    return rc;
}

static json_t *read_node(struct node *n, const struct http_query *q, size_t *n_left,
                         struct err *err)
{
    struct target t = { .node = n };
    json_t *all;

    if (*n_left == 0) {
        err_set(err, -E2BIG, "more than %d directories: ask for less depth or a smaller limit",
                NODES_MAX);
        return NULL;
    }
    --*n_left;
    all = target_read(&t, err);
    if (all && add_children(all, n, q, n_left, err) < 0) {
        json_decref(all);
        return NULL;
    }
    return all;
}

json_t *directory_read(struct node *n, const struct http_query *q, struct err *err)
{
    size_t n_left = NODES_MAX;

    return read_node(n, q, &n_left, err);
}

static void add_line(void *arg, const struct entry *e)
{
    buf_str(arg, e->name);
    buf_str(arg, S_ISDIR(e->mode) ? "/\n" : "\n");
}

void directory_text(struct node *n, struct buf *out)
{
    node_list(n, add_line, out);
}
