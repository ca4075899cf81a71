#include "unit/task/task_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/precheck/precheck.h"
#include "unit/precheck/precheck_item.h"
#include "unit/precheck/precheck_shard.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"

struct check {
    struct unit unit;
    struct subtask *sub;
};

static void keep_report(struct subtask *s, const char *text)
{
    mutex_lock(&s->task->lock);
    json_object_set_new(s->task->reports, s->job->source, json_string(text));
    mutex_unlock(&s->task->lock);
    node_changed(&s->node, "check_report");
    node_changed(&s->task->node, "check_report");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool has_name(const struct precheck_report *r, const json_t *name)
{
    const char *text = json_string_value(name);

    return r->n_targets > 0 &&
           bsearch(&text, r->targets, r->n_targets, sizeof *r->targets, by_text) != NULL;
}

static void add_shared(struct precheck_report *r, const char *other, const json_t *names,
                       bool sharded)
{
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name) {
        SCOPED(freep) char *text = NULL;

        if (!has_name(r, name))
            continue;
        if (sharded) {
            text = xasprintf("%s: a table of source %s becomes it too: their keys must not collide",
                             json_string_value(name), other);
            precheck_report_add(r, PRECHECK_WARN, "merge", NULL, text);
            continue;
        }
        text = xasprintf("%s: a table of source %s becomes it too: equal keys would collide, and a "
                         "DROP, TRUNCATE or ALTER at one source would be done to the rows of both",
                         json_string_value(name), other);
        precheck_report_add(r, PRECHECK_FAIL, "merge", PRECHECK_MERGE_FIX, text);
    }
}

/* Against those of the sources that were looked at before. */
static void check_other_shards(struct subtask *s, struct precheck_report *r) REQUIRES(s->task->lock)
{
    const char *other, *target;
    json_t *theirs, *mine;

    json_object_foreach (s->task->shapes, other, theirs)
        if (strcmp(other, s->job->source) != 0)
            json_object_foreach (r->shards, target, mine)
                if (json_object_get(theirs, target))
                    precheck_shard_compare(r, s->job->shard_mode, json_object_get(theirs, target),
                                           mine);
    if (r->shards)
        json_object_set(s->task->shapes, s->job->source, r->shards);
}

/* Sources are checked one by one, beside each other: who comes later sees what the earlier found.
 */
static void check_other_sources(struct subtask *s, struct precheck_report *r)
{
    json_t *mine = json_array();
    const char *other;
    json_t *names;

    for (size_t i = 0; i < r->n_targets; i++)
        json_array_append_new(mine, json_string(r->targets[i]));
    mutex_lock(&s->task->lock);
    json_object_set_new(s->task->targets, s->job->source, mine);
    json_object_foreach (s->task->targets, other, names)
        if (strcmp(other, s->job->source) != 0)
            add_shared(r, other, names, s->job->shard_mode != SHARD_OFF);
    check_other_shards(s, r);
    mutex_unlock(&s->task->lock);
}

int check_run(struct subtask *s, struct err *err)
{
    struct precheck_scope scope = { .dump = s->stages & STAGE_BIT(STAGE_DUMP),
                                    .load = s->stages & STAGE_BIT(STAGE_LOAD),
                                    .sync = s->stages & STAGE_BIT(STAGE_SYNC) };
    const json_t *ignored = json_object_get(s->job->doc, "ignore_checking_items");
    struct precheck_report report = { .n = 0 };
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    int rc;

    if (precheck_items_cover(ignored, "all")) {
        keep_report(s, "IGNORED  all: nothing was looked at, as ignore_checking_items wants it\n");
        return 0;
    }
    mutex_lock(&s->task->lock);
    scope.again = s->task->passed;
    mutex_unlock(&s->task->lock);
    if ((rc = precheck_run(s->job, &scope, &report, err)) < 0)
        return rc;
    check_other_sources(s, &report);
    precheck_report_ignore(&report, ignored);
    precheck_report_print(&report, &text);
    keep_report(s, text.data ? text.data : "");
    rc = precheck_report_verdict(&report, err);
    precheck_report_fini(&report);
    return rc;
}

static int run(struct unit *u, struct err *err)
{
    return check_run(node_owner(&u->node, struct check, unit.node)->sub, err);
}

static const struct unit_ops ops = { .name = "check", .run = run };

static const struct attr attrs[] = { UNIT_ATTRS, { 0 } };

static void release(struct node *n)
{
    struct check *c = node_owner(n, struct check, unit.node);

    unit_fini(&c->unit);
    free(c);
}

const struct node_type check_type = {
    .name = "check",
    .help = "Asks both servers, before the start, whether the task can work; the task's "
            "check_report has what it found",
    .attrs = attrs,
    .lock = unit_lock,
    .unlock = unit_unlock,
    .release = release,
};

struct unit *check_new(struct subtask *s)
{
    struct check *c = xcalloc(1, sizeof *c);

    unit_init(&c->unit, &ops, &check_type, "check");
    c->sub = s;
    return &c->unit;
}
