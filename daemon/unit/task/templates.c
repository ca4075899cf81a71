#include "unit/task/templates.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"
#include "store/catalog.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"

struct templates {
    struct node node;
    struct catalog *catalog;
    struct node *tasks;
    struct mutex lock;
    json_t *imported GUARDED; /* what the last import did */
};

/* One template. */
struct tmpl {
    struct node node;
    struct templates *all;    /* referenced */
    char *name;               /* plain */
    struct mutex change_lock; /* one change at a time; held while it is stored */
    struct mutex lock;
    json_t *doc GUARDED; /* checked, with its secrets */
};

static struct templates *templates_of(const struct node *n)
{
    return node_owner((struct node *)n, struct templates, node);
}

static struct tmpl *tmpl_of(const struct node *n)
{
    return node_owner((struct node *)n, struct tmpl, node);
}

static void tmpl_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&tmpl_of(n)->lock);
}

static void tmpl_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&tmpl_of(n)->lock);
}

/* --- its document --- */

static json_t *doc_of(struct tmpl *t)
{
    json_t *doc;

    mutex_lock(&t->lock);
    doc = json_incref(t->doc);
    mutex_unlock(&t->lock);
    return doc;
}

/* Takes 'doc'. */
static void take_doc(struct tmpl *t, json_t *doc)
{
    json_t *old;

    mutex_lock(&t->lock);
    old = t->doc;
    t->doc = doc;
    mutex_unlock(&t->lock);
    json_decref(old);
}

static int set_doc(struct tmpl *t, const json_t *doc, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("templates/%s", t->node.name);
    SCOPED(json_decrefp) json_t *checked = NULL;
    SCOPED(json_decrefp) json_t *old = NULL;
    int rc = task_doc_check(doc, t->name, &checked, err);

    if (rc < 0)
        return rc;
    mutex_lock(&t->change_lock);
    old = doc_of(t);
    doc_keep_secrets(task_doc_fields, checked, old);
    rc = catalog_put(t->all->catalog, path, checked, err);
    if (rc == 0)
        take_doc(t, STEAL(checked));
    mutex_unlock(&t->change_lock);
    if (rc == 0)
        node_changed(&t->node, "config");
    return rc;
}

static json_t *get_config(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    SCOPED(json_decrefp) json_t *full = doc_full(task_doc_fields, tmpl_of(n)->doc);

    (void)a, (void)err;
    return doc_masked(task_doc_fields, full);
}

static int set_config(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return set_doc(tmpl_of(n), v, err);
}

/* --- a task of it --- */

static int run_make(struct node *n, const json_t *args, struct err *err)
{
    struct tmpl *t = tmpl_of(n);
    const json_t *name = json_object_get(args, "name");
    SCOPED(freep) char *shown = node_name_shown(json_string_value(name));
    SCOPED(json_decrefp) json_t *doc = doc_of(t);
    SCOPED(json_decrefp) json_t *mine = json_deep_copy(doc);

    json_object_set(mine, "name", (json_t *)name);
    return node_create(t->all->tasks, shown, mine, NULL, err);
}

static const struct attr tmpl_attrs[] = {
    { .name = "config",
      .type = ATTR_DOCUMENT,
      .flags = ATTR_STORED | ATTR_BULK,
      .get = get_config,
      .set = set_config,
      .help = "The document, with the names of DM's OpenAPI; taken or refused when it is closed" },
    { 0 },
};

static const struct attr make_params[] = {
    { .name = "name", .type = ATTR_TEXT, .flags = ATTR_REQUIRED, .help = "Name of the new task" },
    { 0 },
};

static const struct action tmpl_actions[] = {
    { .name = "make",
      .params = make_params,
      .run = run_make,
      .help = "Make a task of it, with its password" },
    { 0 },
};

static const char *const tmpl_examples[] = {
    "cp orders.yaml config",
    "echo name=orders2 > make",
    "cat config",
    NULL,
};

static int tmpl_remove(struct node *n, struct err *err)
{
    struct tmpl *t = tmpl_of(n);
    SCOPED(freep) char *path = xasprintf("templates/%s", n->name);
    int rc = catalog_delete(t->all->catalog, path, err);

    if (rc == 0)
        node_remove(n);
    return rc;
}

static void tmpl_release(struct node *n) NO_THREAD_CHECK
{
    struct tmpl *t = tmpl_of(n);

    json_decref(t->doc);
    mutex_fini(&t->lock);
    mutex_fini(&t->change_lock);
    node_unref(&t->all->node);
    free(t->name);
    free(t);
}

static const struct node_type tmpl_type = {
    .name = "template",
    .help = "A document to make tasks from.",
    .examples = tmpl_examples,
    .attrs = tmpl_attrs,
    .actions = tmpl_actions,
    .lock = tmpl_lock,
    .unlock = tmpl_unlock,
    .remove = tmpl_remove,
    .release = tmpl_release,
};

static struct tmpl *tmpl_new(struct templates *all, const char *name) NO_THREAD_CHECK
{
    struct tmpl *t = xcalloc(1, sizeof *t);

    node_init(&t->node, &tmpl_type, name);
    t->all = all;
    node_ref(&all->node);
    t->name = xstrdup(name);
    t->doc = json_object();
    mutex_init(&t->change_lock);
    mutex_init(&t->lock);
    return t;
}

/* --- the collection --- */

/* The name first: nothing may be stored under one that is taken. */
static int create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct tmpl *t = tmpl_new(templates_of(dir), name);
    SCOPED(json_decrefp) json_t *empty = json_object();
    int rc = node_add(dir, node_ref(&t->node), err);

    if (rc < 0) {
        node_unref(&t->node);
    } else {
        rc = set_doc(t, spec ? spec : empty, err);
        if (rc < 0)
            node_remove(&t->node);
    }
    node_unref(&t->node);
    return rc;
}

static int run_create(struct node *n, const json_t *args, struct err *err)
{
    return node_create_document(n, args, err);
}

/* --- from tasks --- */

struct import {
    struct templates *all;
    bool overwrite;
    json_t *done, *failed;
};

static int import_task(struct import *i, struct task *t, struct err *err)
{
    struct node *there = node_child(&i->all->node, t->node.name);
    SCOPED(json_decrefp) json_t *doc = NULL;
    int rc;

    mutex_lock(&t->lock);
    doc = json_incref(t->doc);
    mutex_unlock(&t->lock);
    if (!there)
        return node_create(&i->all->node, t->node.name, doc, NULL, err);
    rc = i->overwrite ? set_doc(tmpl_of(there), doc, err)
                      : err_set(err, -EEXIST, "template %s exists already", t->name);
    node_unref(there);
    return rc;
}

static void import_one(void *arg, struct node *n)
{
    struct import *i = arg;
    struct task *t = task_of(n);
    struct err err = ERR_INIT;

    if (import_task(i, t, &err) == 0)
        json_array_append_new(i->done, json_string(t->name));
    else
        json_array_append_new(i->failed,
                              json_pack("{s:s, s:s}", "task_name", t->name, "error_msg", err.text));
}

static int run_import(struct node *n, const json_t *args, struct err *err)
{
    struct templates *all = templates_of(n);
    struct import i = { all, json_is_true(json_object_get(args, "overwrite")), json_array(),
                        json_array() };
    json_t *result =
               json_pack("{s:o, s:o}", "success_task_list", i.done, "failed_task_list", i.failed),
           *old;

    (void)err;
    node_each(all->tasks, import_one, &i);
    mutex_lock(&all->lock);
    old = all->imported;
    all->imported = result;
    mutex_unlock(&all->lock);
    json_decref(old);
    node_changed(n, "last_import");
    return 0;
}

static json_t *get_imported(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    const json_t *v = templates_of(n)->imported;

    (void)a, (void)err;
    return v ? json_deep_copy(v) : json_null();
}

static const struct attr attrs[] = {
    { .name = "last_import",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_imported,
      .help = "What the last import made, and of which tasks it could not; null: none was" },
    { 0 },
};

static const struct attr import_params[] = {
    { .name = "overwrite", .type = ATTR_BOOL, .help = "Also where there is one of the name" },
    { 0 },
};

static const struct action actions[] = {
    { .name = "create",
      .document = true,
      .run = run_create,
      .help = "Make a template from a whole document, with its name in it" },
    { .name = "import",
      .params = import_params,
      .run = run_import,
      .help = "Make a template of each task, with its password; last_import says what came of it" },
    { 0 },
};

static const char *const examples[] = {
    "cat orders.yaml > create",
    "echo overwrite=true > import; cat last_import",
    "echo name=orders2 > orders/make",
    NULL,
};

static const struct node_part parts[] = { { NULL, &tmpl_type }, { 0 } };

static void templates_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&templates_of(n)->lock);
}

static void templates_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&templates_of(n)->lock);
}

static void templates_release(struct node *n) NO_THREAD_CHECK
{
    struct templates *all = templates_of(n);

    json_decref(all->imported);
    mutex_fini(&all->lock);
    free(all);
}

const struct node_type templates_type = {
    .name = "templates",
    .help = "Documents of tasks that are none, to make tasks from.",
    .examples = examples,
    .attrs = attrs,
    .actions = actions,
    .parts = parts,
    .lock = templates_lock,
    .unlock = templates_unlock,
    .create = create,
    .release = templates_release,
};

static int load_one(void *arg, const char *shown, const json_t *doc, const struct err *why)
{
    struct templates *all = arg;
    SCOPED(freep) char *name = node_name_plain(shown);
    SCOPED(freep) char *path = xasprintf("templates/%s", shown);
    struct err err = ERR_INIT;
    json_t *checked;
    struct tmpl *t;

    if (!doc || !name || task_doc_check(doc, name, &checked, &err) < 0) {
        log_error(path, "left out: %s", err.code ? err.text : why ? why->text : "not a name");
        return 0;
    }
    t = tmpl_new(all, name);
    take_doc(t, checked);
    if (node_add(&all->node, &t->node, &err) < 0) {
        log_error(path, "left out: %s", err.text);
        node_unref(&t->node);
    }
    return 0;
}

struct node *templates_new(struct catalog *catalog, struct node *tasks, struct err *err)
{
    struct templates *all = xcalloc(1, sizeof *all);

    node_init(&all->node, &templates_type, "templates");
    all->catalog = catalog;
    all->tasks = tasks;
    mutex_init(&all->lock);
    if (catalog_each(catalog, "templates", load_one, all, err) < 0) {
        node_unref(&all->node);
        return NULL;
    }
    return &all->node;
}
