/* fixture.h - a small tree for the tests of daemon/node: a root with a collection of things. */
#ifndef TESTS_UNIT_NODE_FIXTURE_H
#define TESTS_UNIT_NODE_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/export.h"
#include "node/lines.h"
#include "node/node.h"
#include "node/private.h"
#include "node/watch.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* no test needs all of it */

struct thing {
    struct node node;
    _Atomic uint64_t rows;
    char *host, *password;
    unsigned port;
    int n_locks; /* how deep it is locked now */
    struct lines *events, *audit;
};

static const char *const levels[] = { "low", "high", NULL };
static int n_released;

static struct thing *thing_of(const struct node *n)
{
    return node_owner(n, struct thing, node);
}

static void thing_lock(struct node *n)
{
    thing_of(n)->n_locks++;
}

static void thing_unlock(struct node *n)
{
    thing_of(n)->n_locks--;
}

static json_t *get_port(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    cr_assert_eq(thing_of(n)->n_locks, 1, "getters run under the lock");
    return json_integer(thing_of(n)->port);
}

static int set_port(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    cr_assert_eq(thing_of(n)->n_locks, 0, "setters run unlocked");
    if (json_integer_value(v) == 13)
        return err_set(err, -EBUSY, "port 13 is taken");
    thing_of(n)->port = (unsigned)json_integer_value(v);
    return 0;
}

static int set_text(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    char **field = strcmp(a->name, "host") == 0 ? &thing_of(n)->host : &thing_of(n)->password;

    (void)err;
    free(*field);
    *field = xstrdup(json_string_value(v));
    return 0;
}

static json_t *get_level(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a, (void)err;
    return json_string("low");
}

static json_t *get_broken(const struct node *n, const struct attr *a, struct err *err)
{
    (void)n, (void)a;
    err_set(err, -EIO, "the disk is gone");
    return NULL;
}

static struct lines *get_lines(const struct node *n, const struct attr *a)
{
    return strcmp(a->name, "events") == 0 ? thing_of(n)->events : thing_of(n)->audit;
}

static int run_poke(struct node *n, const json_t *args, struct err *err)
{
    (void)err;
    thing_of(n)->rows += (uint64_t)json_integer_value(json_object_get(args, "by"));
    return 0;
}

static const struct attr poke_params[] = {
    { .name = "by", .type = ATTR_COUNT, .flags = ATTR_REQUIRED, .help = "How much" },
    { .name = "key", .type = ATTR_TEXT, .flags = ATTR_SECRET, .help = "A key" },
    { 0 },
};
static const struct attr thing_attrs[] = {
    ATTR_U64(struct thing, rows, ATTR_COUNT, "Rows that passed"),
    { .name = "port",
      .type = ATTR_COUNT,
      .flags = ATTR_STORED,
      .min = 1,
      .max = 65535,
      .get = get_port,
      .set = set_port,
      .help = "Where it listens" },
    { .name = "host",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .get = attr_get_str,
      .offset = offsetof(struct thing, host),
      .set = set_text,
      .help = "Who listens" },
    { .name = "password",
      .type = ATTR_TEXT,
      .flags = ATTR_STORED,
      .set = set_text,
      .help = "What it asks for" },
    { .name = "level",
      .type = ATTR_ENUM,
      .choices = levels,
      .flags = ATTR_WATCHED | ATTR_METRIC,
      .get = get_level,
      .help = "How high" },
    { .name = "broken", .type = ATTR_TEXT, .get = get_broken, .help = "Never there" },
    { .name = "events", .type = ATTR_LINES, .lines = get_lines, .help = "What happened" },
    { .name = "audit", .type = ATTR_LINES, .lines = get_lines, .help = "Who did it" },
    { 0 },
};
static const struct action thing_actions[] = {
    { .name = "poke", .params = poke_params, .run = run_poke, .help = "Add rows" },
    { 0 },
};

static void thing_release(struct node *n)
{
    struct thing *t = thing_of(n);

    n_released++;
    lines_free(t->events);
    lines_free(t->audit);
    free(t->host);
    free(t->password);
    free(t);
}

static int thing_create(struct node *dir, const char *name, const json_t *spec, struct err *err);
static int thing_remove(struct node *n, struct err *err)
{
    (void)err;
    node_remove(n);
    return 0;
}

static const char *const thing_examples[] = { "cat port", NULL };
static const struct node_type thing_type;
static const struct node_part thing_parts[] = { { NULL, &thing_type }, { 0 } };
static const struct node_type thing_type = {
    .name = "thing",
    .help = "A thing with things below",
    .examples = thing_examples,
    .attrs = thing_attrs,
    .actions = thing_actions,
    .parts = thing_parts,
    .lock = thing_lock,
    .unlock = thing_unlock,
    .create = thing_create,
    .remove = thing_remove,
    .release = thing_release,
};

static struct node *thing_new(const char *name)
{
    struct thing *t = xcalloc(1, sizeof *t);

    node_init(&t->node, &thing_type, name);
    t->events = lines_new(10, 1000);
    t->audit = lines_new(10, 1000);
    t->port = 80;
    return &t->node;
}

/* The fields of a document. */
static int thing_set(struct node *n, const json_t *doc, struct err *err)
{
    const char *key;
    json_t *v;
    int rc = 0;

    json_object_foreach ((json_t *)doc, key, v) {
        const struct attr *a = type_attr(n->type, key);

        if (strcmp(key, "name") == 0)
            continue;
        rc = a ? value_check(a, v, err) : err_set(err, -EINVAL, "there is no setting %s", key);
        if (rc == 0)
            rc = a->set(n, a, v, err);
        if (rc < 0)
            break;
    }
    return rc;
}

static int thing_create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct node *n = thing_new(name);
    int rc = spec ? thing_set(n, spec, err) : 0;

    if (rc == 0)
        rc = node_add(dir, n, err);
    if (rc < 0)
        node_unref(n);
    return rc;
}

/* A root with children a and b, and a/c. */
static struct node *tree_new(void)
{
    struct node *root = thing_new(""), *a = thing_new("a");
    struct err err = ERR_INIT;

    cr_assert_eq(node_add(root, a, &err), 0);
    cr_assert_eq(node_add(root, thing_new("b"), &err), 0);
    cr_assert_eq(node_add(a, thing_new("c"), &err), 0);
    return root;
}

static const struct caller tester = { .uid = 7, .gid = 7, .pid = 1, .front = "fs" };

/* Writes 'text' to 'path'; returns the code, the sentence in 'err'. */
static int write_text(struct node *root, const char *path, const char *text, struct err *err)
{
    SCOPED(target_release) struct target t = { 0 };

    *err = ERR_INIT;
    if (node_find(root, path, &t, err) < 0)
        return err->code;
    return target_write_text(&t, text, strlen(text), &tester, err);
}

/* The bytes of a file; the caller frees. */
static char *read_text(struct node *root, const char *path)
{
    SCOPED(target_release) struct target t = { 0 };
    struct err err = ERR_INIT;
    struct buf b = BUF_INIT;

    cr_assert_eq(node_find(root, path, &t, &err), 0, "%s", err.text);
    cr_assert_eq(target_text(&t, &b, &err), 0, "%s", err.text);
    return buf_steal(&b);
}

static void assert_text(struct node *root, const char *path, const char *want)
{
    SCOPED(freep) char *text = read_text(root, path);

    cr_assert_str_eq(text, want);
}

static void assert_says(const struct err *err, int code, const char *part)
{
    cr_assert_eq(err->code, code, "%d: %s", err->code, err->text);
    cr_assert(strstr(err->text, part), "'%s' does not say '%s'", err->text, part);
}

#endif
