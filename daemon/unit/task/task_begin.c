/* Where and how a task begins that is started with start_time or safe_mode_time_duration.  Both
 * are kept, since the daemon may end before sync has its first position; once there is one, that
 * is where it goes on. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/server_find.h"
#include "unit/sync/sync.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"
#include "unit/task/task_order.h"

/* 'text' was parsed: digits. */
static int at_source(const struct job *job, const char *text, int64_t *ret, struct err *err)
{
    SCOPED(freep) char *seconds = NULL;
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->from, err);

    if (rc < 0)
        return err_wrap(err, "source %s", job->source);
    rc = mysql_scalar(c, &seconds, err, "SELECT CAST(UNIX_TIMESTAMP('%s') AS SIGNED)", text);
    mysql_conn_close(c);
    if (rc < 0)
        return err_wrap(err, "source %s", job->source);
    *ret = strtoll(seconds ? seconds : "0", NULL, 10) * 1000000;
    return 0;
}

int task_find_time(const struct job *job, const char *text, int64_t *us, struct position *ret,
                   struct err *err)
{
    bool zoned, late = false;
    int rc = task_time_parse(text, us, &zoned, err);

    if (rc == 0 && !zoned)
        rc = at_source(job, text, us, err);
    if (rc < 0)
        return rc;
    rc = server_find_time(&job->from, *us, ret, &late, err);
    if (rc < 0)
        return err_wrap(err, "start_time %s: source %s", text, job->source);
    if (!late)
        return 0;
    err_set(err, -ERANGE,
            "start_time %s is too late: the last event in the binlog of source %s is older", text,
            job->source);
    return err_because(err, REASON_START_LATE);
}

/* Is there anything at that time? */
static int find_time(const struct job *job, const char *text, int64_t *ret, struct err *err)
{
    SCOPED(position_fini) struct position found = { .offset = 0 };

    return task_find_time(job, text, ret, &found, err);
}

static void keep(struct task *t, const char *source, const char *what, int64_t us)
{
    json_t *begin;

    mutex_lock(&t->lock);
    begin = json_object_get(t->begins, source);
    if (!begin) {
        begin = json_object();
        json_object_set_new(t->begins, source, begin);
    }
    if (us < 0)
        json_object_del(begin, what);
    else
        json_object_set_new(begin, what, json_integer(us));
    mutex_unlock(&t->lock);
}

void task_begin_of(struct task *t, struct job *job)
{
    const json_t *begin, *v;

    mutex_lock(&t->lock);
    begin = json_object_get(t->begins, job->source);
    v = json_object_get(begin, "start_us");
    if (v) {
        job->start_us = json_integer_value(v);
        job->has_start = true;
    }
    v = json_object_get(begin, "safe_us");
    job->safe_us = v ? json_integer_value(v) : -1;
    mutex_unlock(&t->lock);
}

static int begin_source(struct task *t, struct subtask *s, const struct task_order *o,
                        struct err *err)
{
    int64_t us = -1;
    int rc;

    if (o->start_time && !(s->stages & STAGE_BIT(STAGE_SYNC)))
        return err_set(err, -EINVAL, "start_time: a task of mode %s does not follow the binlog",
                       json_string_value(json_object_get(s->job->doc, "task_mode")));
    if (o->start_time && (rc = find_time(s->job, o->start_time, &us, err)) < 0)
        return rc;
    keep(t, s->job->source, "safe_us", o->safe_us);
    if (o->start_time || o->forget)
        keep(t, s->job->source, "start_us", us);
    if (o->start_time && (task_save(t, err) < 0 || sync_forget(s->job, err) < 0))
        return err_wrap(err, "start_time");
    task_begin_of(t, s->job);
    return 0;
}

int task_begin(struct task *t, const struct task_order *o, const json_t *chosen, struct err *err)
{
    const json_t *name;
    size_t i;
    int rc = 0;

    json_array_foreach (chosen, i, name) {
        struct subtask *s;

        mutex_lock(&t->lock);
        s = task_subtask(t, json_string_value(name));
        mutex_unlock(&t->lock);
        if (s && rc == 0)
            rc = begin_source(t, s, o, err);
    }
    return rc;
}
