/* tree.h - a small tree of nodes for the tests of http: /  tasks/<name>/ with one row of a kind. */
#ifndef SLUICE_TESTS_HTTP_TREE_H
#define SLUICE_TESTS_HTTP_TREE_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "node/node.h"

struct toy {
    struct node node;
    _Atomic uint64_t events;
    char *state;
    char *host;
    char *document;
    int n_paused;
};

static inline json_t *toy_get_document(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a;
    (void)err;
    return json_pack("{s:s?}", "text", node_owner(n, struct toy, node)->document);
}

static inline int toy_set_document(struct node *n, const struct attr *a, const json_t *v,
                                   struct err *err)
{
    struct toy *t = node_owner(n, struct toy, node);
    const char *text = json_string_value(json_object_get(v, "text"));

    (void)a;
    if (!text)
        return err_set(err, -EINVAL, "the document has no text");
    free(t->document);
    t->document = xstrdup(text);
    return 0;
}

static inline int toy_set_host(struct node *n, const struct attr *a, const json_t *v,
                               struct err *err)
{
    struct toy *t = node_owner(n, struct toy, node);

    (void)a;
    if (strcmp(json_string_value(v), "busy") == 0)
        return err_set(err, -EBUSY, "the task runs");
    free(t->host);
    t->host = xstrdup(json_string_value(v));
    node_changed(n, "host");
    return 0;
}

static inline int toy_set_secret(struct node *n, const struct attr *a, const json_t *v,
                                 struct err *err)
{
    (void)n;
    (void)a;
    (void)v;
    (void)err;
    return 0;
}

static inline int toy_pause(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    (void)err;
    node_owner(n, struct toy, node)->n_paused++;
    return 0;
}

static inline json_t *toy_get_slow(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n;
    (void)a;
    (void)err;
    return json_string("asked");
}

static const struct attr toy_attrs[] = {
    ATTR_U64(struct toy, events, ATTR_COUNT, "Events applied"),
    ATTR_STR(struct toy, state, "What it does"),
    { .name = "host",
      .type = ATTR_TEXT,
      .get = attr_get_str,
      .set = toy_set_host,
      .offset = offsetof(struct toy, host),
      .help = "Where the server is" },
    { .name = "password", .type = ATTR_TEXT, .set = toy_set_secret, .help = "Its password" },
    { .name = "config",
      .type = ATTR_DOCUMENT,
      .flags = ATTR_BULK,
      .get = toy_get_document,
      .set = toy_set_document,
      .help = "All of it" },
    { .name = "schemas",
      .type = ATTR_TEXT,
      .flags = ATTR_ASKS | ATTR_BULK,
      .get = toy_get_slow,
      .help = "What the server has" },
    { 0 },
};

static const struct attr toy_params[] = {
    { .name = "source", .type = ATTR_TEXT, .help = "Only this source" },
    { 0 },
};

static const struct action toy_actions[] = {
    { .name = "pause", .run = toy_pause, .params = toy_params, .help = "Stop for a while" },
    { 0 },
};

static inline int toy_remove(struct node *n, struct err *err)
{
    (void)err;
    node_remove(n);
    return 0;
}

static inline void toy_release(struct node *n)
{
    struct toy *t = node_owner(n, struct toy, node);

    free(t->state);
    free(t->host);
    free(t->document);
    free(t);
}

static const struct node_type toy_type = {
    .name = "toy",
    .help = "A task of the tests",
    .attrs = toy_attrs,
    .actions = toy_actions,
    .remove = toy_remove,
    .release = toy_release,
};

static inline int toys_create(struct node *dir, const char *name, const json_t *spec,
                              struct err *err)
{
    struct toy *t = xcalloc(1, sizeof *t);
    int rc;

    t->state = xstrdup("new");
    t->host = xstrdup("127.0.0.1");
    node_init(&t->node, &toy_type, name);
    rc = spec ? toy_set_document(&t->node, NULL, spec, err) : 0;
    if (rc == 0)
        rc = node_add(dir, &t->node, err);
    if (rc < 0)
        node_unref(&t->node);
    return rc;
}

static inline void dir_release(struct node *n)
{
    free(n);
}

static const struct node_type toys_type = {
    .name = "toys",
    .help = "All tasks",
    .create = toys_create,
    .release = dir_release,
};

static const struct node_type root_type = {
    .name = "root",
    .help = "The tree of the tests",
    .release = dir_release,
};

static inline struct node *tree_new(void)
{
    struct node *root = xcalloc(1, sizeof *root), *tasks = xcalloc(1, sizeof *tasks);
    struct err err = ERR_INIT;

    node_init(root, &root_type, "");
    node_init(tasks, &toys_type, "tasks");
    node_add(root, tasks, &err);
    toys_create(tasks, "t1", NULL, &err);
    toys_create(tasks, "a/b", NULL, &err);
    return root;
}

static inline struct toy *tree_toy(struct node *root, const char *path)
{
    struct target t = { 0 };
    struct err err = ERR_INIT;

    if (node_find(root, path, &t, &err) < 0)
        return NULL;
    node_unref(t.node); /* the tree keeps it */
    return node_owner(t.node, struct toy, node);
}

static inline void tree_free(struct node *root)
{
    struct node *tasks = node_child(root, "tasks");

    if (tasks)
        node_remove(tasks);
    node_unref(tasks);
    node_unref(root);
}

#endif
