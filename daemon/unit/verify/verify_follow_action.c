/* tasks/<t>/verify/continuous/: its actions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"
#include "unit/verify/verify_follow_priv.h"

static struct verify_follow *follow_of(const struct node *n)
{
    return node_owner((struct node *)n, struct verify_follow, unit.node);
}

int verify_follow_go(struct verify_follow *f, struct err *err)
{
    bool started;
    int rc;

    mutex_lock(&f->task->lock);
    started = f->task->n_subs > 0;
    mutex_unlock(&f->task->lock);
    if (!started)
        return err_set(err, -EBUSY, "the task was never started: there is nothing to look at");
    if (unit_state(&f->unit) == UNIT_RUNNING)
        return err_set(err, -EBUSY, "it runs already");
    rc = verify_follow_keep(f, true, err);
    if (rc < 0)
        return rc;
    atomic_store(&f->catching_up, true);
    return unit_start(&f->unit, err);
}

static void forget(struct verify_follow *f)
{
    verify_pending_clear(f->pending);
    verify_follow_forget(f);
    verify_again_clear(f);
    verify_marks_clear(f->marks);
    verify_places_clear(&f->places);
    f->loaded = true; /* there is nothing */
}

/* The place of a time is looked for in the binlog: what that says is of interest. */
static int found_time(struct verify_follow *f, struct err *err)
{
    for (unsigned i = 0; i < 900; i++) {
        enum unit_state state = unit_state(&f->unit);

        if (atomic_load(&f->began))
            return 0;
        if (state == UNIT_ERROR) {
            unit_error(&f->unit, err);
            return err->code ? err->code : -EIO;
        }
        if (!unit_sleep(&f->unit, 10))
            return err_set(err, -ECANCELED, "somebody has stopped it meanwhile");
    }
    return err_set(err, -ETIMEDOUT, "it still looks for start_time in the binlog, and goes on");
}

static int run_start(struct node *n, const json_t *args, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    const char *mode = json_string_value(json_object_get(args, "mode"));
    const char *time = json_string_value(json_object_get(args, "start_time"));
    int64_t us;
    bool zoned;
    int rc = time && *time ? task_time_parse(time, &us, &zoned, err) : 0;

    if (rc < 0)
        return rc;
    if (unit_state(&f->unit) == UNIT_RUNNING)
        return err_set(err, -EBUSY, "it runs already");
    if (unit_state(&f->unit) == UNIT_ERROR)
        unit_stop(&f->unit, UNIT_STOPPED);
    mutex_lock(&f->settings);
    if (mode)
        f->fast = strcmp(mode, "fast") == 0;
    free(f->start_time);
    f->start_time = xstrdup(time ? time : "");
    mutex_unlock(&f->settings);
    forget(f);
    atomic_store(&f->began, false);
    rc = verify_follow_go(f, err);
    return rc == 0 && time && *time ? found_time(f, err) : rc;
}

static int run_resume(struct node *n, const json_t *args, struct err *err)
{
    struct verify_follow *f = follow_of(n);
    struct verify_pending_counts c;

    (void)args;
    if (unit_state(&f->unit) == UNIT_RUNNING)
        return err_set(err, -EBUSY, "it runs already");
    verify_pending_counts(f->pending, &c);
    if (c.over) /* they are read again */
        verify_pending_clear(f->pending);
    return verify_follow_go(f, err);
}

static int end(struct verify_follow *f, enum unit_state to, struct err *err)
{
    int rc;

    mutex_lock(&f->settings);
    f->paused = to == UNIT_PAUSED;
    mutex_unlock(&f->settings);
    rc = verify_follow_keep(f, false, err);
    if (rc < 0)
        return rc;
    unit_ask_stop(&f->unit, to);
    rc = unit_wait(&f->unit, 9000);
    return rc < 0 ? err_set(err, rc, "it will end when the servers let go of it") : 0;
}

static int run_pause(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return end(follow_of(n), UNIT_PAUSED, err);
}

static int run_stop(struct node *n, const json_t *args, struct err *err)
{
    (void)args;
    return end(follow_of(n), UNIT_STOPPED, err);
}

static int set_errors(struct node *n, const json_t *args, const char *to, struct err *err)
{
    return verify_error_set(follow_of(n), (uint64_t)json_integer_value(json_object_get(args, "id")),
                            to, err);
}

static int run_ignore(struct node *n, const json_t *args, struct err *err)
{
    return set_errors(n, args, "ignored", err);
}

static int run_resolve(struct node *n, const json_t *args, struct err *err)
{
    return set_errors(n, args, "resolved", err);
}

static int run_clear(struct node *n, const json_t *args, struct err *err)
{
    return set_errors(n, args, NULL, err);
}

static const struct attr start_params[] = {
    { .name = "mode", .type = ATTR_ENUM, .choices = verify_modes, .help = "full or fast" },
    { .name = "start_time",
      .type = ATTR_TEXT,
      .max = 64,
      .help = "Look at what changed since then, too: 2026-01-31T12:00:00Z" },
    { 0 },
};
static const struct attr error_params[] = {
    { .name = "id", .type = ATTR_COUNT, .help = "Of one error row; without it all of them" },
    { 0 },
};
const struct action verify_follow_actions[] = {
    { .name = "start",
      .run = run_start,
      .params = start_params,
      .help = "Look at each row that changes from now on, or changed since start_time" },
    { .name = "pause", .run = run_pause, .help = "Stop for a while; resume goes on" },
    { .name = "resume", .run = run_resume, .help = "Go on with what has changed meanwhile" },
    { .name = "stop", .run = run_stop, .help = "End; error rows stay" },
    { .name = "ignore_error",
      .run = run_ignore,
      .params = error_params,
      .help = "The row may differ: do not count it as new again" },
    { .name = "resolve_error",
      .run = run_resolve,
      .params = error_params,
      .help = "The row was mended" },
    { .name = "clear_error",
      .run = run_clear,
      .params = error_params,
      .help = "Forget the error row" },
    { .name = "cutover",
      .run = verify_cutover_run,
      .params = verify_cutover_params,
      .help =
          "Say when all changes up to a place were looked at: by default up to the source's end" },
    { .name = "clear_cutover", .run = verify_cutover_clear, .help = "Forget such places" },
    { 0 },
};
