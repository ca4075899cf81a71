#include "unit/task/tasks.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/lines.h"
#include "store/catalog.h"
#include "unit/source/source.h"
#include "unit/task/forget.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"
#include "unit/verify/verify.h"

#define TICK_MS 1000
#define FORGET_MS 5000

struct tasks {
    struct node node;
    struct tasks_config config;
    struct mutex lock;
    struct cond cond;
    bool stopping GUARDED;
    pthread_t ticker;
    bool ticks;
};

static struct tasks *tasks_of(struct node *n)
{
    return node_owner(n, struct tasks, node);
}

/* --- the collection --- */

static int create(struct node *dir, const char *name, const json_t *spec, struct err *err)
{
    struct tasks *all = tasks_of(dir);
    struct task *t;
    int rc;

    if ((rc = task_new(&all->config, name, spec, &t, err)) < 0)
        return rc;
    if ((rc = node_add(dir, &t->node, err)) < 0)
        node_unref(&t->node);
    return rc;
}

static int run_create(struct node *n, const json_t *args, struct err *err)
{
    return node_create_document(n, args, err);
}

static int run_delete(struct node *n, const json_t *args, struct err *err)
{
    const char *name = json_string_value(json_object_get(args, "name"));
    SCOPED(freep) char *shown = node_name_shown(name);
    struct node *child = node_child(n, shown);
    int rc;

    if (!child)
        return err_set(err, -ENOENT, "there is no task %s", name);
    rc = task_delete_so(task_of(child), json_is_true(json_object_get(args, "force")),
                        json_is_true(json_object_get(args, "keep_meta")), err);
    if (rc ==
        0) /* what is gone is gone when it returns; a target that is not there is not waited for */
        forget_wait(name, FORGET_MS);
    node_unref(child);
    return rc;
}

static const struct attr delete_params[] = {
    { .name = "name",
      .type = ATTR_TEXT,
      .flags = ATTR_REQUIRED,
      .help = "Which task, by its name in the document" },
    { .name = "force", .type = ATTR_BOOL, .help = "Stop it first, if it runs" },
    { .name = "keep_meta",
      .type = ATTR_BOOL,
      .help = "Leave its checkpoints at the target, for a task of the same name to go on from" },
    { 0 },
};

static void count_state(void *arg, struct node *n)
{
    struct task *t = task_of(n);
    unsigned *counts = arg;

    mutex_lock(&t->lock);
    counts[task_state(t)]++;
    mutex_unlock(&t->lock);
}

static json_t *get_states(const struct node *n, const struct attr *a, struct err *err)
{
    unsigned counts[UNIT_N_STATES] = { 0 };
    json_t *all = json_object();

    (void)a, (void)err;
    node_each((struct node *)n, count_state, counts);
    for (unsigned i = 0; i < UNIT_N_STATES; i++)
        if (counts[i])
            json_object_set_new(all, unit_state_names[i], json_integer(counts[i]));
    return all;
}

static const struct attr attrs[] = {
    { .name = "states",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE,
      .get = get_states,
      .help = "How many tasks are in which state" },
    { 0 },
};

static const struct action actions[] = {
    { .name = "create",
      .document = true,
      .run = run_create,
      .help = "Make a task from a whole document, with its name in it" },
    { .name = "delete",
      .params = delete_params,
      .run = run_delete,
      .help = "Delete a task, as rmdir does, but also one that runs" },
    { 0 },
};

static const char *const examples[] = {
    "mkdir orders && cp orders.yaml orders/config && echo > orders/start",
    "cat orders.yaml > create",
    "cat */state",
    NULL,
};

static void release(struct node *n) NO_THREAD_CHECK
{
    struct tasks *all = tasks_of(n);

    cond_fini(&all->cond);
    mutex_fini(&all->lock);
    free(all);
}

static struct node_part parts[] = { { NULL, NULL }, { NULL, NULL } };

static const struct node_type type = {
    .name = "tasks",
    .help = "Migrations; mkdir makes a stopped draft, rmdir deletes one that does not run",
    .examples = examples,
    .attrs = attrs,
    .actions = actions,
    .parts = parts,
    .create = create,
    .release = release,
};

const struct node_type *tasks_type(void)
{
    parts[0].type = task_type();
    return &type;
}

/* --- loading --- */

static int load_one(void *arg, const char *name, const json_t *kept, const struct err *why)
{
    struct tasks *all = arg;
    SCOPED(freep) char *plain = node_name_plain(name);
    struct err err = ERR_INIT;
    struct task *t;

    if (!kept) {
        log_error("tasks", "%s is left out: %s", name, why->text);
    } else if (task_restore(&all->config, plain ? plain : name, kept, &t, &err) < 0) {
        log_error("tasks", "%s is left out: %s", name, err.text);
    } else if (node_add(&all->node, &t->node, &err) < 0) {
        log_error("tasks", "%s is left out: %s", name, err.text);
        node_unref(&t->node);
    }
    return 0;
}

struct node *tasks_new(const struct tasks_config *c, struct err *err)
{
    struct tasks *all = xcalloc(1, sizeof *all);

    node_init(&all->node, tasks_type(), "tasks");
    all->config = *c;
    mutex_init(&all->lock);
    cond_init(&all->cond);
    if (catalog_each(c->catalog, "tasks", load_one, all, err) < 0) {
        node_unref(&all->node);
        return NULL;
    }
    return &all->node;
}

/* --- running --- */

static void sample_one(void *arg, struct node *n)
{
    (void)arg;
    task_sample(task_of(n));
}

static void *tick(void *arg)
{
    struct tasks *all = arg;
    bool stopping = false;

    while (!stopping) {
        node_each(&all->node, sample_one, NULL);
        mutex_lock(&all->lock);
        if (!all->stopping)
            cond_wait(&all->cond, &all->lock, TICK_MS);
        stopping = all->stopping;
        mutex_unlock(&all->lock);
    }
    return NULL;
}

static void resume_one(void *arg, struct node *n)
{
    (void)arg;
    task_resume_at_start(task_of(n));
    verify_resume(task_of(n)->verify);
}

void tasks_start(struct node *tasks)
{
    struct tasks *all = tasks_of(tasks);

    node_each(tasks, resume_one, NULL);
    all->ticker = thread_start("tasks", tick, all);
    all->ticks = true;
}

static void halt_one(void *arg, struct node *n)
{
    (void)arg;
    task_halt(task_of(n));
    verify_halt(task_of(n)->verify);
}

static void grant_one(void *arg, struct node *n)
{
    int64_t left_us = *(const int64_t *)arg - clock_mono_us();

    if (task_wait(task_of(n), NULL, left_us > 0 ? left_us / 1000 : 0) < 0 ||
        verify_wait(task_of(n)->verify, left_us > 0 ? left_us / 1000 : 0) < 0)
        task_cut(task_of(n), NULL);
}

static void wait_one(void *arg, struct node *n)
{
    (void)arg;
    task_wait(task_of(n), NULL, -1);
    verify_wait(task_of(n)->verify, -1);
    task_drop(task_of(n));
}

void tasks_stop(struct node *tasks)
{
    struct tasks *all = tasks_of(tasks);
    int64_t until_us = clock_mono_us() + TASK_GRACE_MS * 1000LL;

    mutex_lock(&all->lock);
    all->stopping = true;
    cond_broadcast(&all->cond);
    mutex_unlock(&all->lock);
    if (all->ticks)
        thread_join(all->ticker);
    all->ticks = false;
    node_each(tasks, halt_one, NULL);
    node_each(tasks, grant_one, &until_us);
    node_each(tasks, wait_one, NULL);
    forget_stop();
}

/* --- who reads a source --- */

struct users {
    const char *source;
    json_t *found;
};

static void oldest_place(struct task *t, const char *source, struct unit_progress *ret)
{
    *ret = (struct unit_progress){ .offset = 0 };
    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs; i++) {
        if (strcmp(t->subs[i]->job->source, source) == 0)
            subtask_progress(t->subs[i], ret);
    }
    mutex_unlock(&t->lock);
}

static void add_user(void *arg, struct node *n)
{
    struct users *u = arg;
    struct task *t = task_of(n);
    json_t *names, *name;
    size_t i;

    mutex_lock(&t->lock);
    names = task_doc_sources(t->doc);
    mutex_unlock(&t->lock);
    json_array_foreach (names, i, name) {
        struct unit_progress p;

        if (strcmp(json_string_value(name), u->source) != 0)
            continue;
        oldest_place(t, u->source, &p);
        json_array_append_new(u->found, json_pack("{s:s, s:s, s:I}", "task", t->name, "file",
                                                  p.file, "offset", (json_int_t)p.offset));
    }
    json_decref(names);
}

json_t *tasks_users(void *tasks, const char *source)
{
    struct users u = { .source = source, .found = json_array() };

    node_each(tasks, add_user, &u);
    return u.found;
}

/* --- sources that are switched on or off --- */

struct switched {
    const char *source;
    bool on;
};

static void ask_one_to_end(void *arg, struct node *n)
{
    const struct switched *s = arg;
    json_t *one = json_pack("[s]", s->source);

    task_ask(task_of(n), one, UNIT_STOPPED);
    json_decref(one);
}

static void switch_one(void *arg, struct node *n)
{
    const struct switched *s = arg;

    task_source_switched(task_of(n), s->source, s->on);
}

void tasks_source_switched(void *tasks, const char *source, bool on)
{
    struct switched s = { source, on };

    if (!on) /* all end at the same time */
        node_each(tasks, ask_one_to_end, &s);
    node_each(tasks, switch_one, &s);
}
