#include "unit/task/task_order.h"

#include <errno.h>
#include <string.h>

#include "base/duration.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"

bool names_have(const json_t *names, const char *name)
{
    const json_t *v;
    size_t i;

    json_array_foreach (names, i, v)
        if (strcmp(json_string_value(v), name) == 0)
            return true;
    return false;
}

/* --- what is written --- */

#define SOURCES_ROW                                                                            \
    {                                                                                          \
        .name = "sources", .type = ATTR_JSON,                                                  \
        .help = "Names of the sources of the task that it is for: [s1, s2] or s1,s2; without " \
                "it all"                                                                       \
    }

const struct attr task_start_params[] = {
    SOURCES_ROW,
    { .name = "remove_meta",
      .type = ATTR_BOOL,
      .help = "Forget first what the target keeps of it, and begin anew" },
    { .name = "start_time",
      .type = ATTR_TEXT,
      .help = "Follow the binlog from the first transaction of this time on, whatever was applied "
              "before: 2026-01-31T12:00:00Z; without a zone it is the source's time" },
    { .name = "safe_mode_time_duration",
      .type = ATTR_TEXT,
      .help = "Apply the changes of so much time of the source in safe mode: 600s, 1h30m" },
    { 0 },
};

const struct attr task_stop_params[] = {
    SOURCES_ROW,
    { .name = "timeout_duration",
      .type = ATTR_TEXT,
      .help = "How long what is under way at the servers may take to end by itself before its "
              "connections are cut off (what was not committed is applied again later): 5s" },
    { 0 },
};

const struct attr task_pause_params[] = { SOURCES_ROW, { 0 } };

/* "s1, s2" */
static json_t *split(const char *text)
{
    json_t *names = json_array();

    while (*text) {
        size_t size = strcspn(text, ",");
        SCOPED(freep) char *name = NULL;

        while (size && *text == ' ') {
            text++;
            size--;
        }
        name = xstrndup(text, size);
        while (size && name[size - 1] == ' ')
            name[--size] = 0;
        if (size)
            json_array_append_new(names, json_string(name));
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return names;
}

/* An empty list is none, as others write it. */
static int sources_of(const json_t *v, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = NULL;
    const json_t *name;
    size_t i;

    *ret = NULL;
    if (!v || json_is_null(v))
        return 0;
    names = json_is_string(v) ? split(json_string_value(v)) : json_incref((json_t *)v);
    if (!json_is_array(names))
        return err_set(err, -EINVAL, "sources: a list of names is expected: [s1, s2]");
    json_array_foreach (names, i, name)
        if (!json_is_string(name))
            return err_set(err, -EINVAL, "sources: a list of names is expected: [s1, s2]");
    if (json_array_size(names))
        *ret = STEAL(names);
    return 0;
}

static int duration_of(const json_t *args, const char *name, enum reason why, int64_t *ret,
                       struct err *err)
{
    const char *text = json_string_value(json_object_get(args, name));

    if (text && *text && duration_parse(text, ret, err) < 0) {
        err_wrap(err, "%s", name);
        return err_because(err, why);
    }
    return 0;
}

int task_order_of(enum task_command c, const json_t *args, struct task_order *ret, struct err *err)
{
    const char *time = json_string_value(json_object_get(args, "start_time"));
    struct task_order o = { .command = c, .safe_us = -1, .grace_ms = TASK_GRACE_MS };
    int64_t grace_us = TASK_GRACE_MS * 1000LL;
    int rc = sources_of(json_object_get(args, "sources"), &o.sources, err);

    if (rc == 0)
        rc = duration_of(args, "safe_mode_time_duration", REASON_SAFE_MODE_TIME, &o.safe_us, err);
    if (rc == 0)
        rc = duration_of(args, "timeout_duration", REASON_NONE, &grace_us, err);
    if (rc < 0) {
        json_decref(o.sources);
        return rc;
    }
    o.forget = json_is_true(json_object_get(args, "remove_meta"));
    o.start_time = time && *time ? xstrdup(time) : NULL;
    o.grace_ms = grace_us / 1000;
    *ret = o;
    return 0;
}

void task_order_fini(struct task_order *o)
{
    json_decref(o->sources);
    free(o->start_time);
}

/* --- whom it concerns --- */

static int check_names(const json_t *doc, const json_t *names, struct err *err)
{
    SCOPED(json_decrefp) json_t *all = task_doc_sources(doc);
    const json_t *name;
    size_t i;

    json_array_foreach (names, i, name)
        if (!names_have(all, json_string_value(name)))
            return err_set(err, -ENOENT, "source %s is not of this task", json_string_value(name));
    return 0;
}

/* Of 'names' those in a state for it; *worst is the state of the lot. */
static json_t *fitting(struct task *t, enum task_command c, const json_t *names,
                       enum unit_state *worst) REQUIRES(t->lock)
{
    SCOPED(freep) enum unit_state *states = xcalloc(json_array_size(names) + 1, sizeof *states);
    json_t *fit = json_array(), *name;
    size_t i;

    json_array_foreach (names, i, name) {
        struct err ignored = ERR_INIT;

        states[i] = task_source_state(t, json_string_value(name));
        if (plan_allows(c, states[i], &ignored) == 0)
            json_array_append(fit, name);
    }
    *worst = plan_roll_up(states, (unsigned)json_array_size(names));
    return fit;
}

int task_choose(struct task *t, const struct task_order *o, json_t **ret, struct err *err)
{
    SCOPED(json_decrefp) json_t *names = NULL;
    SCOPED(json_decrefp) json_t *fit = NULL;
    enum unit_state worst;
    int rc = 0;

    mutex_lock(&t->lock);
    if (o->sources)
        rc = check_names(t->doc, o->sources, err);
    if (rc == 0) {
        names = o->sources ? json_incref(o->sources) : task_doc_sources(t->doc);
        fit = fitting(t, o->command, names, &worst);
        if (!o->sources && json_array_size(fit) == 0)
            worst = task_state(t);
    }
    mutex_unlock(&t->lock);
    if (rc == 0 && json_array_size(fit) == 0)
        rc = plan_allows(o->command, worst, err);
    if (rc < 0)
        return rc;
    *ret = STEAL(fit);
    return 0;
}
