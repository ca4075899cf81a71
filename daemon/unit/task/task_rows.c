/* tasks/<t>/: what it shows and what it may be told. */
#include <errno.h>
#include <pthread.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "node/lines.h"
#include "unit/task/task.h"
#include "unit/task/task_again.h"
#include "unit/task/task_doc.h"
#include "unit/task/task_order.h"

/* --- documents and lines --- */

static json_t *get_config(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return doc_masked(task_doc_fields, task_of(n)->full);
}

static int set_config(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return task_set_document(task_of(n), v, err);
}

static json_t *get_ignored(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return doc_ignored(task_doc_fields, task_of(n)->doc);
}

static json_t *get_report(const struct node *n, const struct attr *a,
                          struct err *err) NO_THREAD_CHECK
{
    const struct task *t = task_of(n);
    SCOPED(buf_fini) struct buf b = BUF_INIT;
    const char *source;
    json_t *report;

    (void)a, (void)err;
    json_object_foreach (t->reports, source, report) {
        if (json_object_size(t->reports) > 1)
            buf_printf(&b, "source %s:\n", source);
        buf_str(&b, json_string_value(report));
    }
    return json_string(b.data ? b.data : "");
}

static json_t *get_targets(const struct node *n, const struct attr *a, struct err *err)
{
    (void)a;
    return task_targets(task_of(n), NULL, err);
}

static struct lines *events_of(const struct node *n, const struct attr *a)
{
    (void)a;
    return task_of(n)->events;
}

/* --- actions --- */

static int tell(struct node *n, enum task_command c, const json_t *args, struct err *err)
{
    struct task_order o;
    int rc = task_order_of(c, args, &o, err);

    if (rc < 0)
        return rc;
    rc = task_run(task_of(n), &o, err);
    task_order_fini(&o);
    return rc;
}

static int run_start(struct node *n, const json_t *args, struct err *err)
{
    return tell(n, TASK_START, args, err);
}

static int run_stop(struct node *n, const json_t *args, struct err *err)
{
    return tell(n, TASK_STOP, args, err);
}

static int run_pause(struct node *n, const json_t *args, struct err *err)
{
    return tell(n, TASK_PAUSE, args, err);
}

static int run_resume(struct node *n, const json_t *args, struct err *err)
{
    return tell(n, TASK_RESUME, args, err);
}

static int run_check(struct node *n, const json_t *args, struct err *err)
{
    return task_check(task_of(n), json_object_get(args, "config"), err);
}

static const struct attr check_params[] = {
    { .name = "config",
      .type = ATTR_JSON,
      .flags = ATTR_SECRET,
      .help = "A document to check in place of the task's" },
    { 0 },
};

static const struct action actions[] = {
    { .name = "start",
      .run = run_start,
      .params = task_start_params,
      .help = "Check both servers, then run, from where it was if it ran before" },
    { .name = "stop",
      .run = run_stop,
      .params = task_stop_params,
      .help = "End at the next whole transaction; start goes on from there" },
    { .name = "pause",
      .run = run_pause,
      .params = task_pause_params,
      .help = "As stop, for a while; resume goes on" },
    { .name = "resume",
      .run = run_resume,
      .params = task_pause_params,
      .help = "Go on after a pause or an error" },
    { .name = "check",
      .run = run_check,
      .params = check_params,
      .help = "Ask both servers whether it can work; check_report says what was found" },
    { .name = "add_table",
      .run = task_run_add_table,
      .params = task_add_table_params,
      .help = "Take one more table of a source in, while the others go on" },
    { .name = "resnapshot",
      .run = task_run_resnapshot,
      .params = task_resnapshot_params,
      .help = "Copy a table again, or some of its rows, while all go on; tables shows how far it "
              "is" },
    { 0 },
};

/* --- rows --- */

#define NUMBER(which, row_name, row_type, row_unit, row_flags, text)                               \
    {                                                                                              \
        .name = row_name, .type = row_type, .unit = row_unit, .flags = row_flags, .offset = which, \
        .get = task_get_number, .help = text                                                       \
    }

static const struct attr own_rows[] = {
    { .name = "state",
      .type = ATTR_ENUM,
      .choices = unit_state_names,
      .flags = ATTR_WATCHED | ATTR_METRIC,
      .get = task_get_state,
      .help = "Whether it runs: that of its worst source" },
    { .name = "stage",
      .type = ATTR_TEXT,
      .get = task_get_stage,
      .help = "What its slowest source is at: check, dump, load or sync; empty when finished" },
    { .name = "error",
      .type = ATTR_TEXT,
      .get = task_get_error,
      .help = "Why it does not run, a line for each source; empty if nothing is wrong" },
    { .name = "error_reason", .type = ATTR_TEXT, .get = task_get_reason, .help = REASON_HELP },
    { .name = "next_retry_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_GAUGE,
      .get = task_get_next_retry,
      .help = "Time until it tries again by itself; 0 if it will not" },
    { .name = "progress",
      .type = ATTR_TEXT,
      .flags = ATTR_WATCHED,
      .get = task_get_progress,
      .help = "How far it is, as a line for people" },
    { .name = "lag_seconds",
      .type = ATTR_SECONDS,
      .flags = ATTR_WATCHED | ATTR_GAUGE,
      .get = task_get_lag,
      .help = "Age of the oldest change that the target lacks; 0 when it has all; null before "
              "sync" },
    NUMBER(TASK_ROWS, "rows", ATTR_COUNT, "rows", ATTR_GAUGE,
           "Rows copied, or since sync runs row changes applied"),
    NUMBER(TASK_ROWS_ESTIMATED, "rows_estimated", ATTR_COUNT, "rows", ATTR_GAUGE,
           "Rows that the copy has to move, as the source estimates them"),
    NUMBER(TASK_BYTES, "bytes", ATTR_BYTES, NULL, ATTR_GAUGE, "Bytes of those rows"),
    NUMBER(TASK_TABLES, "n_tables", ATTR_COUNT, "tables", ATTR_GAUGE, "Tables to copy"),
    NUMBER(TASK_TABLES_DONE, "n_tables_done", ATTR_COUNT, "tables", ATTR_GAUGE,
           "Tables copied and counted"),
    NUMBER(TASK_ROWS_S, "rows_per_second", ATTR_COUNT, "rows/s", ATTR_GAUGE,
           "Rows in each of the last seconds"),
    NUMBER(TASK_BYTES_S, "bytes_per_second", ATTR_BYTES, "bytes/s", ATTR_GAUGE,
           "Bytes in each of the last seconds"),
    NUMBER(TASK_ETA_S, "eta_seconds", ATTR_SECONDS, NULL, ATTR_GAUGE,
           "Time until the copy is done; 0 if it is, or nobody knows"),
    { .name = "tables",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_LARGE,
      .get = task_get_tables,
      .help = "Each table: state, rows, how it is copied" },
    { .name = "migrate_targets",
      .type = ATTR_JSON,
      .flags = ATTR_BULK | ATTR_ASKS,
      .get = get_targets,
      .help = "The tables at its sources that its rules and lists cover now, and what they are "
              "called at the target; asked when read" },
    { .name = "check_report",
      .type = ATTR_TEXT,
      .flags = ATTR_BULK,
      .get = get_report,
      .help = "What the last check found: a line each, OK or what to type" },
    { .name = "config",
      .type = ATTR_DOCUMENT,
      .flags = ATTR_BULK,
      .get = get_config,
      .set = set_config,
      .help = "The whole document, with the names of DM's OpenAPI; taken or refused when it "
              "is closed: cp tells, bash's echo does not (last_error and events do)" },
    { .name = "ignored_settings",
      .type = ATTR_JSON,
      .flags = ATTR_BULK,
      .get = get_ignored,
      .help = "Fields of the document that have no effect here, and why" },
    { .name = "events",
      .type = ATTR_LINES,
      .flags = ATTR_BULK | ATTR_WATCHED,
      .lines = events_of,
      .help = "What happened to it, one JSON object a line" },
    { 0 },
};

static const char *const examples[] = {
    "cp orders.yaml config && echo > start",
    "watch cat progress",
    "echo > pause; echo > resume",
    NULL,
};

static struct node_type type = {
    .name = "task",
    .help = "One or more sources migrated into a target: a full copy, then every change as it "
            "happens",
    .examples = examples,
    .actions = actions,
    .parts = task_parts,
    .lock = task_lock,
    .unlock = task_unlock,
    .remove = task_delete,
    .release = task_release,
};

static void make_type(void)
{
    task_settings_init();
    type.attrs = task_setting_rows(own_rows);
}

const struct node_type *task_type(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_type);
    return &type;
}
