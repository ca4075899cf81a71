#include "unit/task/subtask.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/copy/copy.h"
#include "unit/copy/copy_unit.h"
#include "unit/dump/dump.h"
#include "unit/load/load.h"
#include "unit/shard/shards.h"
#include "unit/source/source.h"
#include "unit/sync/sync.h"
#include "unit/task/schemas.h"
#include "unit/task/task.h"
#include "unit/task/task_check.h"

static struct subtask *subtask_of(const struct node *n)
{
    return node_owner((struct node *)n, struct subtask, node);
}

/* --- its units, seen together --- */

void subtask_states(const struct subtask *s, enum unit_state ret[static N_STAGES])
{
    for (unsigned i = 0; i < N_STAGES; i++)
        ret[i] = s->units[i] ? unit_state(s->units[i]) : UNIT_NEW;
}

enum stage subtask_stage(const struct subtask *s)
{
    enum unit_state states[N_STAGES];
    bool ran = false;

    subtask_states(s, states);
    for (unsigned i = 0; i < N_STAGES; i++)
        ran |= states[i] != UNIT_NEW;
    return !ran && s->followed && s->units[STAGE_SYNC] ? STAGE_SYNC : plan_stage(s->stages, states);
}

struct unit *subtask_current(const struct subtask *s)
{
    enum stage stage = subtask_stage(s);

    return stage == N_STAGES ? NULL : s->units[stage];
}

static void unit_progress_of(struct unit *u, struct unit_progress *ret)
{
    *ret = (struct unit_progress){ .lag_s = -1 };
    if (u && u->ops->progress)
        u->ops->progress(u, ret);
}

void subtask_progress(const struct subtask *s, struct unit_progress *ret)
{
    struct unit *sync = s->units[STAGE_SYNC];
    bool following = sync && unit_state(sync) != UNIT_NEW;

    unit_progress_of(following              ? sync
                     : s->units[STAGE_LOAD] ? s->units[STAGE_LOAD]
                                            : s->units[STAGE_DUMP],
                     ret);
}

/* --- rows --- */

enum wanted subtask_wanted(const struct subtask *s) NO_THREAD_CHECK
{
    if (s->task->halted || (s->job->origin && !source_enabled(s->job->origin)))
        return WANTED_STOPPED;
    return task_wanted(s->task, s->job->source);
}

static enum unit_state state_now(const struct subtask *s) NO_THREAD_CHECK
{
    enum unit_state states[N_STAGES];

    subtask_states(s, states);
    return plan_state(s->stages, states, subtask_wanted(s), task_started(s->task, s->job->source));
}

static json_t *get_state(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_string(unit_state_names[state_now(subtask_of(n))]);
}

static json_t *get_stage(const struct node *n, const struct attr *a, struct err *err)
{
    struct unit *u = subtask_current(subtask_of(n));

    (void)a, (void)err;
    return json_string(u ? u->ops->name : "");
}

static struct err error_of(const struct subtask *s)
{
    struct err found = ERR_INIT;

    for (unsigned i = 0; i < N_STAGES && !found.code; i++)
        if (s->units[i])
            unit_error(s->units[i], &found);
    return found;
}

static json_t *get_error(const struct node *n, const struct attr *a, struct err *err)
{
    struct err found = error_of(subtask_of(n));

    (void)a, (void)err;
    return json_string(found.code ? found.text : "");
}

static json_t *get_reason(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a, (void)err;
    return json_string(reason_word(error_of(subtask_of(n)).reason));
}

static json_t *get_lag(const struct node *n, const struct attr *a, struct err *err)
{
    struct unit_progress p;

    (void)a, (void)err;
    unit_progress_of(subtask_of(n)->units[STAGE_SYNC], &p);
    return p.lag_s < 0 ? json_null() : json_real(p.lag_s);
}

static json_t *get_tables(const struct node *n, const struct attr *a, struct err *err)
{
    const struct subtask *s = subtask_of(n);
    json_t *all = json_array();

    (void)a, (void)err;
    for (unsigned i = 0; i < N_STAGES; i++) {
        struct unit *u = s->units[i];
        json_t *rows = u && u->ops->tables ? u->ops->tables(u) : NULL;

        if (rows)
            json_array_extend(all, rows);
        json_decref(rows);
    }
    return all;
}

static json_t *get_report(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    const struct subtask *s = subtask_of(n);
    const json_t *report = json_object_get(s->task->reports, s->job->source);

    (void)a, (void)err;
    return report ? json_copy((json_t *)report) : json_string("");
}

static json_t *get_targets(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a;
    return task_targets(subtask_of(n)->task, subtask_of(n)->job->source, err);
}

static json_t *get_lock_ids(const struct node *n, const struct attr *a, struct err *err)
{
    const struct subtask *s = subtask_of(n);
    json_t *ids = shards_lock_ids(s->task->shards, s->job->source), *id;
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    size_t i;

    (void)a, (void)err;
    json_array_foreach (ids, i, id)
        buf_printf(&text, "%s%s", i ? "," : "", json_string_value(id));
    json_decref(ids);
    return json_string(text.size ? text.data : "");
}

static json_t *get_blocking(const struct node *n, const struct attr *a, struct err *err)
{
    const struct subtask *s = subtask_of(n);

    (void)a, (void)err;
    return shards_blocking(s->task->shards, s->job->source);
}

static json_t *get_conflicts(const struct node *n, const struct attr *a, struct err *err)
{
    const struct subtask *s = subtask_of(n);

    (void)a, (void)err;
    return shards_conflicts(s->task->shards, s->job->source);
}

static json_t *get_groups(const struct node *n, const struct attr *a, struct err *err)
{
    const struct subtask *s = subtask_of(n);

    (void)a, (void)err;
    return shards_unresolved(s->task->shards, s->job->source);
}

static const struct attr subtask_attrs[] = {
    { .name = "state",
      .type = ATTR_ENUM,
      .choices = unit_state_names,
      .flags = ATTR_WATCHED | ATTR_METRIC,
      .get = get_state,
      .help = "Whether this source of the task runs" },
    { .name = "stage",
      .type = ATTR_TEXT,
      .get = get_stage,
      .help = "What it is at: check, dump, load or sync; empty when it has finished" },
    { .name = "error",
      .type = ATTR_TEXT,
      .get = get_error,
      .help = "Why it does not run; empty if nothing is wrong" },
    { .name = "error_reason", .type = ATTR_TEXT, .get = get_reason, .help = REASON_HELP },
    { .name = "lag_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = get_lag,
      .help = "Age of the oldest change that the target lacks; 0 when it has all" },
    { .name = "unresolved_ddl_lock_id",
      .type = ATTR_TEXT,
      .get = get_lock_ids,
      .help = "Locks (locks/ of the task) in which tables of this source wait, joined by commas" },
    { .name = "blocking_ddls",
      .type = ATTR_JSON,
      .get = get_blocking,
      .help = "The statements before which they wait" },
    { .name = "ddl_conflicts",
      .type = ATTR_JSON,
      .get = get_conflicts,
      .help = "Why some of these can never pass by themselves: see locks/ of the task" },
    { .name = "unresolved_groups",
      .type = ATTR_JSON,
      .get = get_groups,
      .help = "For each lock that this source has tables in: which came to its statement" },
    { .name = "check_report",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK,
      .get = get_report,
      .help = "What the check before the start found, with what to type" },
    { .name = "tables",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE,
      .get = get_tables,
      .help = "Each table of it that was copied, or is copied again: state, rows, how" },
    { .name = "migrate_targets",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_targets,
      .help = "As the task's, of this source" },
    { 0 },
};

static void subtask_lock(struct node *n)
{
    task_lock(&subtask_of(n)->task->node);
}

static void subtask_unlock(struct node *n)
{
    task_unlock(&subtask_of(n)->task->node);
}

static void subtask_release(struct node *n)
{
    struct subtask *s = subtask_of(n);

    for (unsigned i = 0; i < N_STAGES; i++)
        if (s->units[i])
            node_unref(&s->units[i]->node);
    job_unref(s->job);
    node_unref(&s->task->node);
    free(s);
}

static const struct node_part subtask_parts[] = {
    { "check", &check_type }, { "dump", &dump_type },       { "load", &load_type },
    { "sync", &sync_type },   { "schemas", &schemas_type }, { 0 }
};

const struct node_type subtask_type = {
    .name = "subtask",
    .help = "One source of a task: a check, then dump and load side by side, then sync",
    .attrs = subtask_attrs,
    .parts = subtask_parts,
    .lock = subtask_lock,
    .unlock = subtask_unlock,
    .release = subtask_release,
};

static void subtasks_release(struct node *n)
{
    free(n);
}

static const struct node_part subtasks_parts[] = { { NULL, &subtask_type }, { 0 } };

const struct node_type subtasks_type = {
    .name = "subtasks",
    .help = "The sources that the task reads; there from its first start on",
    .parts = subtasks_parts,
    .release = subtasks_release,
};

/* --- making one --- */

static void subtask_unrefp(struct subtask **s)
{
    if (*s)
        node_unref(&(*s)->node);
}

static int make_job(struct task *t, const json_t *doc, const char *name, struct job **ret,
                    struct err *err)
{
    struct source *source = source_find(t->config.sources, name);
    struct job_source from = { .name = name };
    int rc;

    if (!source)
        return err_set(err, -ENOENT, "there is no source %s: mkdir sources/%s", name, name);
    from.by_gtid = source_by_gtid(source);
    from.fold_case = source_folds_case(source);
    from.origin = source;
    from.shards = t->shards;
    rc = source_login(source, &from.params, err);
    if (rc < 0)
        err_wrap(err, "source %s", name);
    else
        rc = job_new(doc, &from, t->config.store, ret, err);
    if (rc == 0)
        task_begin_of(t, *ret);
    source_unref(source);
    mysql_params_fini(&from.params);
    return rc;
}

/* As the task's document and its source's say now. */
static void patience(struct unit *u, void *arg, struct unit_patience *p)
{
    struct subtask *s = arg;
    struct task *t = s->task;
    bool resumes;

    mutex_lock(&t->lock);
    p->max_retries = (unsigned)json_integer_value(json_object_get(t->full, "max_retries"));
    resumes = json_is_true(json_object_get(t->full, "auto_resume"));
    mutex_unlock(&t->lock);
    if (u != s->units[STAGE_SYNC])
        return;
    source_patience(s->job->origin, p);
    p->resumes = p->resumes || resumes;
}

/* How a copy goes that has its rows in no folder, or writes one, or reads one. */
static const struct copy_way *const ways[] = {
    [FILES_NONE] = &copy_way_stream,
    [FILES_DUMP] = &dump_way,
    [FILES_LOAD] = &load_way,
};

/* Where it was when it last ended: until it runs again that is what is known of it. */
static void show_place(struct subtask *s, struct unit *sync)
{
    SCOPED(json_decrefp) json_t *place = NULL;

    mutex_lock(&s->task->lock);
    place = json_incref(json_object_get(s->task->followed, s->job->source));
    mutex_unlock(&s->task->lock);
    sync_show_place(sync, place);
}

static int make_unit(struct subtask *s, enum stage stage, struct err *err)
{
    struct unit *u = NULL;

    switch (stage) {
    case STAGE_CHECK:
        u = check_new(s);
        break;
    case STAGE_DUMP:
        u = copy_new_dump(s->job, ways[s->job->files]);
        break;
    case STAGE_LOAD:
        u = copy_new_load(s->job, ways[s->job->files], s->units[STAGE_DUMP]);
        break;
    case STAGE_SYNC:
        u = sync_new(s->job);
        show_place(s, u);
        break;
    case N_STAGES:
        break;
    }
    mutex_lock(&u->lock);
    u->max_retries = s->job->max_retries;
    mutex_unlock(&u->lock);
    u->ended = task_unit_ended;
    u->moved = task_unit_moved;
    u->patience = patience;
    u->arg = s;
    s->units[stage] = u;
    node_ref(&u->node);
    return node_add(&s->node, &u->node, err);
}

int subtask_new(struct task *t, const json_t *doc, const char *source, unsigned stages,
                struct subtask **ret, struct err *err)
{
    SCOPED(subtask_unrefp) struct subtask *s = xcalloc(1, sizeof *s);
    int rc;

    node_init(&s->node, &subtask_type, source);
    s->task = t;
    node_ref(&t->node);
    s->stages = stages;
    mutex_lock(&t->lock);
    s->followed = json_object_get(t->followed, source) != NULL;
    mutex_unlock(&t->lock);
    if ((rc = make_job(t, doc, source, &s->job, err)) < 0)
        return rc;
    for (unsigned i = 0; i < N_STAGES; i++)
        if ((stages & STAGE_BIT(i)) && (rc = make_unit(s, (enum stage)i, err)) < 0)
            return rc;
    if ((rc = schemas_add(s, err)) < 0)
        return rc;
    *ret = STEAL(s);
    return 0;
}
