/* The fields of a task's document as attributes: of the task itself, and of directories for the
 * objects in it (target/, full_migrate_conf/, ...).  Rows are made from the fields, once. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/security_doc.h"
#include "unit/setting_row.h"
#include "unit/shard/shards.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"
#include "unit/verify/verify.h"

/* A directory for one object of the document. */
struct setting_dir {
    struct node node;
    struct task *task;  /* referenced */
    const char *prefix; /* "target_config." */
};

/* --- values --- */

static json_t *value_at(const struct task *t, const char *path,
                        const struct attr *a) NO_THREAD_CHECK
{
    const json_t *v = doc_at(t->full, path);

    return v ? json_deep_copy(v) : setting_empty(a);
}

static json_t *get_top(const struct node *n, const struct attr *a, struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return value_at(task_of(n), a->name, a);
}

static int set_top(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    return task_set_field(task_of(n), a->name, v, err);
}

static struct setting_dir *dir_of(const struct node *n)
{
    return node_owner((struct node *)n, struct setting_dir, node);
}

static json_t *get_inner(const struct node *n, const struct attr *a,
                         struct err *err) NO_THREAD_CHECK
{
    SCOPED(freep) char *path = xasprintf("%s%s", dir_of(n)->prefix, a->name);

    (void)err;
    return value_at(dir_of(n)->task, path, a);
}

static int set_inner(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    SCOPED(freep) char *path = xasprintf("%s%s", dir_of(n)->prefix, a->name);

    return task_set_field(dir_of(n)->task, path, v, err);
}

/* source_conf stands in source_config, which has nothing else of its own. */
static json_t *get_sources(const struct node *n, const struct attr *a,
                           struct err *err) NO_THREAD_CHECK
{
    (void)err;
    return value_at(task_of(n), "source_config.source_conf", a);
}

static int set_sources(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    (void)a;
    return task_set_field(task_of(n), "source_config.source_conf", v, err);
}

static const struct attr source_conf_row = {
    .name = "source_conf",
    .type = ATTR_JSON,
    .flags = ATTR_STORED | ATTR_BULK,
    .get = get_sources,
    .set = set_sources,
    .help = "Sources: source_name and, for mode incremental, where to start: binlog_name and "
            "binlog_pos, or binlog_gtid, or start_time (2026-01-31T12:00:00Z)",
};

/* --- rows --- */

static const struct setting_access top = { .get = get_top, .set = set_top };
static const struct setting_access inner = { .get = get_inner, .set = set_inner };

static size_t n_attrs(const struct attr *rows)
{
    size_t n = 0;

    while (rows[n].name)
        n++;
    return n;
}

const struct attr *task_setting_rows(const struct attr *before)
{
    size_t n = n_attrs(before);
    struct attr *rows = xcalloc(n + setting_count(task_doc_fields) + 2, sizeof *rows), *end;

    memcpy(rows, before, n * sizeof *rows);
    rows[n] = source_conf_row;
    end = setting_rows(rows + n + 1, task_doc_fields, &top);
    *end = (struct attr){ .name = NULL };
    return rows;
}

/* --- TLS without any certificate is an empty object, none at all is no object --- */

static json_t *get_required(const struct node *n, const struct attr *a,
                            struct err *err) NO_THREAD_CHECK
{
    (void)a, (void)err;
    return json_boolean(doc_at(dir_of(n)->task->doc, "target_config.security") != NULL);
}

static int set_required(struct node *n, const struct attr *a, const json_t *v, struct err *err)
{
    struct task *t = dir_of(n)->task;
    json_t *doc = task_document(t);
    bool is = doc_at(doc, "target_config.security") != NULL;
    json_t *empty = json_object();
    int rc = 0;

    (void)a;
    if (is != json_is_true(v))
        rc = task_set_field(t, "target_config.security", is ? NULL : empty, err);
    json_decref(empty);
    json_decref(doc);
    return rc;
}

static const struct attr required_row = {
    .name = "required",
    .type = ATTR_BOOL,
    .get = get_required,
    .set = set_required,
    .help = "Whether the connection must be encrypted; false forgets the rest",
};

/* --- directories --- */

static void dir_lock(struct node *n)
{
    task_lock(&dir_of(n)->task->node);
}

static void dir_unlock(struct node *n)
{
    task_unlock(&dir_of(n)->task->node);
}

static void dir_release(struct node *n)
{
    node_unref(&dir_of(n)->task->node);
    free(dir_of(n));
}

enum { TARGET, SECURITY, SESSION, FULL, INCR, LIST, N_DIRS, MAX_ROWS = 24 };

/* A directory's parent comes before it. */
static const struct dir_kind {
    const char *name, *type_name, *prefix, *help;
    const struct doc_field *fields;
    int parent; /* -1: the task */
} kinds[N_DIRS] = {
    [TARGET] = { "target", "task_target", "target_config.",
                 "The server that takes the rows, and how to log in", task_doc_target_fields, -1 },
    [SECURITY] = { "security", "task_security", "target_config.security.",
                   "TLS to the target: certificates and keys as PEM", security_doc_fields, TARGET },
    [SESSION] = { "session", "task_session", "target_config.session.",
                  "Variables of the sessions at the target", task_doc_session_fields, TARGET },
    [FULL] = { "full_migrate_conf", "task_full", "source_config.full_migrate_conf.",
               "How the full copy is made", task_doc_full_fields, -1 },
    [INCR] = { "incr_migrate_conf", "task_incr", "source_config.incr_migrate_conf.",
               "How changes are followed", task_doc_incr_fields, -1 },
    [LIST] = { "block_allow_list", "task_list", "block_allow_list.",
               "Schemas and tables to leave out, in the words of DM's task files",
               task_doc_list_fields, -1 },
};

static struct node_type types[N_DIRS];
static struct attr rows_of[N_DIRS][MAX_ROWS];
static const struct node_part target_parts[] = { { "security", &types[SECURITY] },
                                                 { "session", &types[SESSION] },
                                                 { 0 } };

const struct node_part task_parts[] = {
    { "sources", &subtasks_type },
    { "locks", &shards_type },
    { "target", &types[TARGET] },
    { "full_migrate_conf", &types[FULL] },
    { "incr_migrate_conf", &types[INCR] },
    { "block_allow_list", &types[LIST] },
    { "verify", &verify_type },
    { 0 },
};

void task_settings_init(void)
{
    for (int i = 0; i < N_DIRS; i++) {
        assert(setting_count(kinds[i].fields) < MAX_ROWS);
        if (i == SECURITY)
            rows_of[i][0] = required_row;
        setting_rows(rows_of[i] + (i == SECURITY), kinds[i].fields, &inner);
        types[i] = (struct node_type){
            .name = kinds[i].type_name,
            .help = kinds[i].help,
            .attrs = rows_of[i],
            .parts = i == TARGET ? target_parts : NULL,
            .lock = dir_lock,
            .unlock = dir_unlock,
            .release = dir_release,
        };
    }
}

int task_settings_add(struct task *t, struct err *err)
{
    struct node *made[N_DIRS];

    for (int i = 0; i < N_DIRS; i++) {
        struct setting_dir *d = xcalloc(1, sizeof *d);
        struct node *parent = kinds[i].parent < 0 ? &t->node : made[kinds[i].parent];

        node_init(&d->node, &types[i], kinds[i].name);
        d->task = t;
        d->prefix = kinds[i].prefix;
        node_ref(&t->node);
        made[i] = &d->node;
        if (node_add(parent, &d->node, err) < 0) {
            node_unref(&d->node);
            return err->code;
        }
    }
    return 0;
}
