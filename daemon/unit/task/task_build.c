/* The subtasks for a task's document as it is. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/shard/shards.h"
#include "unit/sync/sync.h"
#include "unit/task/schemas.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"
#include "unit/task/task_order.h"
#include "unit/verify/verify.h"

static void take_out(struct subtask *s)
{
    schemas_clear(s);
    node_remove(&s->node);
}

static void drop(struct subtask **subs, bool from_tree)
{
    for (size_t i = 0; subs && subs[i]; i++) {
        if (from_tree)
            take_out(subs[i]);
        node_unref(&subs[i]->node);
    }
    free(subs);
}

/* Takes 'subs', ended by NULL; returns what was there, likewise. */
static struct subtask **exchange(struct task *t, struct subtask **subs) REQUIRES(t->steer)
{
    struct subtask **old;
    unsigned n = 0;

    while (subs && subs[n])
        n++;
    mutex_lock(&t->lock);
    old = t->subs;
    t->subs = subs;
    t->n_subs = n;
    mutex_unlock(&t->lock);
    return old;
}

void task_drop(struct task *t)
{
    struct verify *v;

    mutex_lock(&t->steer);
    drop(exchange(t, NULL), true);
    shards_clear(t->shards);
    v = t->verify;
    t->verify = NULL;
    mutex_unlock(&t->steer);
    if (v)
        node_unref(verify_node(v));
}

struct subtask *task_subtask(struct task *t, const char *source)
{
    for (unsigned i = 0; i < t->n_subs; i++)
        if (strcmp(t->subs[i]->job->source, source) == 0)
            return t->subs[i];
    return NULL;
}

int task_make_subtasks(struct task *t, const json_t *doc, unsigned stages, struct subtask ***ret,
                       struct err *err)
{
    SCOPED(json_decrefp) json_t *names = task_doc_sources(doc);
    struct subtask **subs = xcalloc(json_array_size(names) + 1, sizeof(struct subtask *));
    const json_t *name;
    size_t i;
    int rc = 0;

    json_array_foreach (names, i, name)
        if (rc == 0)
            rc = subtask_new(t, doc, json_string_value(name), stages, &subs[i], err);
    if (rc < 0) {
        drop(subs, false);
        return rc;
    }
    *ret = subs;
    return (int)json_array_size(names);
}

/* New ones for those in 'only' (NULL: all) and for those that have none; the others stay.  One
 * that nobody asked for may be impossible. */
static int make(struct task *t, const json_t *doc, unsigned stages, const json_t *only,
                struct subtask **ret, struct err *err) REQUIRES(t->steer)
{
    SCOPED(json_decrefp) json_t *names = task_doc_sources(doc);
    const json_t *v;
    size_t i, n = 0;

    json_array_foreach (names, i, v) {
        const char *name = json_string_value(v);
        bool asked = !only || names_have(only, name);
        struct subtask *old;
        struct err why = ERR_INIT;

        mutex_lock(&t->lock);
        old = asked ? NULL : task_subtask(t, name);
        if (old)
            node_ref(&old->node);
        mutex_unlock(&t->lock);
        if (old) {
            ret[n++] = old;
        } else if (subtask_new(t, doc, name, stages, &ret[n], &why) == 0) {
            n++;
        } else if (asked) {
            *err = why;
            return why.code;
        }
    }
    return 0;
}

static bool is_among(struct subtask *const *subs, const struct subtask *s)
{
    for (size_t i = 0; subs && subs[i]; i++)
        if (subs[i] == s)
            return true;
    return false;
}

/* The directories: those of 'old' that are no more go first, since names are taken again. */
static void show(struct task *t, struct subtask *const *old, struct subtask *const *now)
{
    struct node *dir = node_child(&t->node, "sources");
    struct err impossible = ERR_INIT;

    for (size_t i = 0; old && old[i]; i++)
        if (!is_among(now, old[i]))
            take_out(old[i]);
    for (size_t i = 0; now[i]; i++)
        if (!is_among(old, now[i]))
            node_add(dir, node_ref(&now[i]->node), &impossible);
    node_unref(dir);
}

static void follow(struct subtask *const *now, struct subtask *const *old)
{
    for (size_t i = 0; now[i]; i++)
        for (size_t k = 0; old && old[k]; k++)
            if (now[i] != old[k] && strcmp(now[i]->job->source, old[k]->job->source) == 0 &&
                now[i]->units[STAGE_SYNC] && old[k]->units[STAGE_SYNC])
                sync_succeeds(now[i]->units[STAGE_SYNC], old[k]->units[STAGE_SYNC]);
}

int task_build(struct task *t, const json_t *only, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = NULL;
    struct subtask **subs, **old;
    unsigned stages;
    int rc;

    mutex_lock(&t->lock);
    doc = json_incref(t->full);
    stages = plan_stages(json_string_value(json_object_get(doc, "task_mode")), t->checked);
    json_object_clear(t->shapes); /* the check looks again */
    mutex_unlock(&t->lock);
    subs = xcalloc(json_array_size(doc_at(doc, "source_config.source_conf")) + 1,
                   sizeof(struct subtask *));
    rc = make(t, doc, stages, only, subs, err);
    if (rc < 0) {
        drop(subs, false);
        return rc;
    }
    old = exchange(t, subs);
    follow(subs, old);
    show(t, old, subs);
    drop(old, false);
    task_sample(t); /* where the rate starts */
    return 0;
}
