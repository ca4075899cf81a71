#include "unit/task/task.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/lines.h"
#include "store/catalog.h"
#include "unit/shard/shards.h"
#include "unit/source/source.h"
#include "unit/task/forget.h"
#include "unit/task/subtask.h"
#include "unit/task/task_doc.h"
#include "unit/task/task_order.h"
#include "unit/verify/verify.h"

enum { EVENTS_SIZE = 512 * 1024 };

void task_lock(struct node *n) NO_THREAD_CHECK
{
    mutex_lock(&task_of(n)->lock);
}

void task_unlock(struct node *n) NO_THREAD_CHECK
{
    mutex_unlock(&task_of(n)->lock);
}

/* --- made and freed --- */

static struct task *task_alloc(const struct tasks_config *c, const char *name) NO_THREAD_CHECK
{
    struct task *t = xcalloc(1, sizeof *t);

    node_init(&t->node, task_type(), name);
    t->config = *c;
    t->name = xstrdup(name);
    t->events = lines_new(LINES_KEPT, EVENTS_SIZE);
    t->shards = shards_new();
    t->reports = json_object();
    t->targets = json_object();
    t->shapes = json_object();
    t->apart = json_object();
    t->begins = json_object();
    t->followed = json_object();
    t->started = json_object();
    mutex_init(&t->steer);
    mutex_init(&t->lock);
    cond_init(&t->cond);
    return t;
}

void task_release(struct node *n) NO_THREAD_CHECK
{
    struct task *t = task_of(n);

    for (unsigned i = 0; i < t->n_subs; i++)
        node_unref(&t->subs[i]->node);
    free(t->subs);
    json_decref(t->doc);
    json_decref(t->full);
    json_decref(t->reports);
    json_decref(t->targets);
    json_decref(t->shapes);
    json_decref(t->apart);
    json_decref(t->begins);
    json_decref(t->followed);
    json_decref(t->started);
    lines_free(t->events);
    shards_unref(t->shards);
    cond_fini(&t->cond);
    mutex_fini(&t->lock);
    mutex_fini(&t->steer);
    free(t->name);
    free(t);
}

static void task_unrefp(struct task **t)
{
    if (*t)
        node_unref(&(*t)->node);
}

/* What was said of sources by name, and does not hold any more. */
static void forget_said(struct task *t, const json_t *doc) REQUIRES(t->lock)
{
    SCOPED(json_decrefp) json_t *names = task_doc_sources(doc);
    const json_t *sources = doc_at(doc, "source_config.source_conf");
    const char *name;
    json_t *v;
    void *next;

    if (t->doc && !json_equal(sources, doc_at(t->doc, "source_config.source_conf")))
        json_object_clear(t->begins);
    json_object_foreach_safe(t->apart, next, name, v) if (!names_have(names, name))
        json_object_del(t->apart, name);
}

/* Takes 'doc'.  'live': it differs in nothing that was looked at, or that a unit keeps. */
static void install(struct task *t, json_t *doc, bool live)
{
    json_t *full = doc_full(task_doc_fields, doc), *old, *old_full;

    mutex_lock(&t->lock);
    forget_said(t, doc);
    old = t->doc;
    old_full = t->full;
    t->doc = doc;
    t->full = full;
    if (!live) {
        t->checked = false;
        json_object_clear(t->targets);
        json_object_clear(t->shapes);
    }
    mutex_unlock(&t->lock);
    json_decref(old);
    json_decref(old_full);
}

/* Sources that 'old' (NULL: nothing) did not name must be there. */
static int check_sources(struct task *t, const json_t *doc, const json_t *old, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = task_doc_sources(doc);
    SCOPED(json_decrefp) json_t *known = task_doc_sources(old);
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        const char *text = json_string_value(name);
        struct source *s = names_have(known, text) ? NULL : source_find(t->config.sources, text);

        if (!s && !names_have(known, text))
            return err_set(err, -EINVAL, "there is no source %s: mkdir sources/%s first", text,
                           text);
        source_unref(s);
    }
    return 0;
}

/* The directories below it: sources/, and those of its settings. */
static int add_parts(struct task *t, struct err *err)
{
    struct node *sources = xcalloc(1, sizeof *sources);

    node_init(sources, &subtasks_type, "sources");
    if (node_add(&t->node, sources, err) < 0) {
        node_unref(sources);
        return err->code;
    }
    t->verify = verify_new(t);
    if (node_add(&t->node, node_ref(verify_node(t->verify)), err) < 0) {
        node_unref(verify_node(t->verify));
        return err->code;
    }
    if (node_add(&t->node, node_ref(shards_node(t->shards)), err) < 0) {
        shards_unref(t->shards);
        return err->code;
    }
    return task_settings_add(t, err);
}

int task_new(const struct tasks_config *c, const char *name, const json_t *doc, struct task **ret,
             struct err *err)
{
    SCOPED(json_decrefp) json_t *empty = json_object();
    SCOPED(task_unrefp) struct task *t = task_alloc(c, name);
    json_t *checked;
    int rc;

    if ((rc = task_doc_check(doc ? doc : empty, name, &checked, err)) < 0)
        return rc;
    doc_keep_secrets(task_doc_fields, checked, NULL);
    install(t, checked, false);
    if ((rc = check_sources(t, checked, NULL, err)) < 0 || (rc = add_parts(t, err)) < 0 ||
        (rc = task_save(t, err)) < 0)
        return rc;
    *ret = STEAL(t);
    return 0;
}

/* --- what is kept --- */

int task_save(struct task *t, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("tasks/%s", t->node.name);
    SCOPED(json_decrefp) json_t *kept = NULL;

    mutex_lock(&t->lock);
    kept =
        json_pack("{s:O, s:s, s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "config", t->doc, "wanted",
                  wanted_names[t->wanted], "checked", t->checked, "passed", t->passed, "finished",
                  t->finished, "apart", json_copy(t->apart), "begins", json_deep_copy(t->begins),
                  "followed", json_copy(t->followed), "started", json_copy(t->started));
    mutex_unlock(&t->lock);
    return catalog_put(t->config.catalog, path, kept, err);
}

static enum wanted wanted_of(const json_t *v)
{
    for (unsigned i = 0; wanted_names[i] && json_is_string(v); i++)
        if (strcmp(wanted_names[i], json_string_value(v)) == 0)
            return (enum wanted)i;
    return WANTED_STOPPED;
}

int task_restore(const struct tasks_config *c, const char *name, const json_t *kept,
                 struct task **ret, struct err *err)
{
    SCOPED(task_unrefp) struct task *t = task_alloc(c, name);
    json_t *checked;
    int rc = task_doc_check(json_object_get(kept, "config"), name, &checked, err);

    if (rc < 0)
        return rc;
    install(t, checked, false);
    mutex_lock(&t->lock);
    t->wanted = wanted_of(json_object_get(kept, "wanted"));
    json_object_update(t->apart, json_object_get(kept, "apart"));
    json_object_update(t->begins, json_object_get(kept, "begins"));
    json_object_update(t->followed, json_object_get(kept, "followed"));
    json_object_update(t->started, json_object_get(kept, "started"));
    if (json_is_true(json_object_get(kept, "ever"))) /* as it was kept once, of all of them */
        task_note_started(t, NULL);
    t->checked = json_is_true(json_object_get(kept, "checked"));
    t->passed = json_is_true(json_object_get(kept, "passed"));
    t->finished = json_is_true(json_object_get(kept, "finished"));
    t->shown = task_state(t);
    mutex_unlock(&t->lock);
    if ((rc = add_parts(t, err)) < 0)
        return rc;
    *ret = STEAL(t);
    return 0;
}

/* --- changed --- */

static json_t *copy_document(struct task *t)
{
    json_t *doc;

    mutex_lock(&t->lock);
    doc = json_deep_copy(t->doc);
    mutex_unlock(&t->lock);
    return doc;
}

/* All of it: one that runs does what the document said when it started. */
static int change_allowed(struct task *t, struct err *err)
{
    int rc;

    mutex_lock(&t->lock);
    rc = plan_allows(TASK_CHANGE, task_state(t), err);
    for (unsigned i = 0; i < t->n_subs && rc == 0; i++)
        rc = plan_allows(TASK_CHANGE, task_source_state(t, t->subs[i]->job->source), err);
    mutex_unlock(&t->lock);
    return rc;
}

/* Fields that what the target keeps of the task was made by: with another value nothing of it
 * would be found, and rows be lost or doubled. */
static const char *const fixed[] = { "task_mode", "meta_schema", "shard_mode",
                                     "strict_optimistic_shard_mode" };

static int check_fixed(struct task *t, const json_t *doc, struct err *err)
{
    SCOPED(json_decrefp) json_t *full = doc_full(task_doc_fields, doc);
    int rc = 0;

    mutex_lock(&t->lock);
    for (size_t i = 0; t->passed && i < ARRAY_LEN(fixed) && rc == 0; i++)
        if (!json_equal(json_object_get(full, fixed[i]), json_object_get(t->full, fixed[i])) &&
            json_object_get(full, fixed[i]) != json_object_get(t->full, fixed[i]))
            rc = err_set(err, -EBUSY,
                         "can not update because %s is another, and the target has tables and "
                         "checkpoints of the task as it was: delete it and make it anew",
                         fixed[i]);
    mutex_unlock(&t->lock);
    return rc;
}

static void say_changed(void *arg, struct node *n)
{
    (void)arg;
    node_changed(n, NULL);
    node_each(n, say_changed, NULL);
}

/* Takes 'checked', which differs from 'old' as install() has it; under steer. */
static int take(struct task *t, json_t *checked, const json_t *old, bool live, struct err *err)
{
    int rc;

    doc_keep_secrets(task_doc_fields, checked, old);
    install(t, checked, live);
    if ((rc = task_save(t, err)) < 0) {
        install(t, json_deep_copy(old), live);
        return rc;
    }
    say_changed(NULL, &t->node);
    return 0;
}

/* Under steer.  A document that cannot be kept is not taken. */
int task_replace_document(struct task *t, const json_t *doc, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = copy_document(t);
    json_t *checked;
    int rc;

    if ((rc = task_doc_check(doc, t->name, &checked, err)) < 0)
        return rc;
    if ((rc = check_fixed(t, checked, err)) < 0 || (rc = check_sources(t, checked, old, err)) < 0) {
        json_decref(checked);
        return rc;
    }
    return take(t, checked, old, false, err);
}

/* With the defaults, and without what is in effect at once. */
static json_t *without_live(const json_t *doc)
{
    json_t *full = doc_full(task_doc_fields, doc);

    for (const struct doc_field *f = task_doc_fields; f->name; f++)
        if (f->flags & DOC_LIVE)
            json_object_del(full, f->name);
    return full;
}

static bool is_live_change(const json_t *old, const json_t *checked)
{
    SCOPED(json_decrefp) json_t *before = without_live(old), *after = without_live(checked);

    return json_equal(before, after);
}

/* 1: done, since it changes nothing but what is in effect at once. */
static int replace_live(struct task *t, const json_t *doc, struct err *err)
{
    SCOPED(json_decrefp) json_t *old = copy_document(t);
    json_t *checked;
    int rc = task_doc_check(doc, t->name, &checked, err);

    if (rc < 0)
        return rc;
    doc_keep_secrets(task_doc_fields, checked, old);
    if (!is_live_change(old, checked)) {
        json_decref(checked);
        return 0;
    }
    rc = take(t, checked, old, true, err);
    task_reconsider(t);
    return rc < 0 ? rc : 1;
}

static int replace(struct task *t, const json_t *doc, struct err *err)
{
    int rc = replace_live(t, doc, err);

    if (rc == 0 && (rc = change_allowed(t, err)) == 0)
        rc = task_replace_document(t, doc, err);
    return rc < 0 ? rc : 0;
}

int task_set_document(struct task *t, const json_t *doc, struct err *err)
{
    int rc;

    mutex_lock(&t->steer);
    rc = replace(t, doc, err);
    mutex_unlock(&t->steer);
    return rc;
}

int task_set_field(struct task *t, const char *path, const json_t *v, struct err *err)
{
    json_t *old, *doc;
    int rc;

    mutex_lock(&t->steer);
    old = copy_document(t);
    doc = doc_with(old, path, v);
    rc = replace(t, doc, err);
    mutex_unlock(&t->steer);
    json_decref(doc);
    json_decref(old);
    return rc;
}

json_t *task_document(struct task *t)
{
    json_t *masked;

    mutex_lock(&t->lock);
    masked = doc_masked(task_doc_fields, t->full);
    mutex_unlock(&t->lock);
    return masked;
}

/* --- deleted --- */

int task_delete(struct node *n, struct err *err)
{
    struct task *t = task_of(n);
    SCOPED(freep) char *path = xasprintf("tasks/%s", n->name);
    enum unit_state state;
    json_t *doc = NULL;
    bool forget;
    int rc;

    verify_halt(t->verify);
    if (verify_wait(t->verify, TASK_GRACE_MS) < 0)
        return err_set(err, -EBUSY, "cannot delete: its verification has not ended yet");
    mutex_lock(&t->steer);
    mutex_lock(&t->lock);
    state = task_state(t);
    forget = json_object_size(t->started) > 0 && !t->keep_meta;
    mutex_unlock(&t->lock);
    rc = plan_allows(TASK_DELETE, state, err);
    if (rc == 0 && task_wait(t, NULL, 0) < 0)
        rc = err_set(err, -EBUSY, "cannot delete: a unit has not ended yet; stop the task");
    if (rc == 0 && (rc = catalog_delete(t->config.catalog, path, err)) == 0) {
        doc = copy_document(t);
        node_remove(n);
    }
    mutex_unlock(&t->steer);
    if (doc) {
        verify_drop(t->verify);
        task_drop(t);
    }
    if (doc && forget)
        forget_later(doc, t->config.store);
    json_decref(doc);
    return rc;
}

int task_delete_so(struct task *t, bool force, bool keep_meta, struct err *err)
{
    struct task_order stop = { .command = TASK_STOP, .safe_us = -1, .grace_ms = TASK_GRACE_MS };
    int rc = force ? task_run(t, &stop, err) : 0;

    if (rc == -EBUSY) { /* it does not run */
        *err = ERR_INIT;
        rc = 0;
    }
    mutex_lock(&t->lock);
    t->keep_meta = keep_meta;
    mutex_unlock(&t->lock);
    if (rc == 0)
        rc = node_destroy(&t->node, NULL, err);
    if (rc < 0) {
        mutex_lock(&t->lock);
        t->keep_meta = false;
        mutex_unlock(&t->lock);
    }
    return rc;
}
