#include "unit/task/task_again.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "mysql/table.h"
#include "route/router.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync.h"
#include "unit/task/subtask.h"
#include "unit/task/task.h"
#include "unit/task/task_doc.h"

static void sub_unrefp(struct subtask **s)
{
    if (*s)
        node_unref(&(*s)->node);
}

static const char *arg(const json_t *args, const char *name)
{
    const char *text = json_string_value(json_object_get(args, name));

    return text ? text : "";
}

/* --- whose table --- */

struct subtask *task_find_sub(struct task *t, const char *source)
{
    struct subtask *found = NULL;

    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs && !found; i++)
        if (strcmp(t->subs[i]->job->source, source) == 0)
            found = t->subs[i];
    if (found)
        node_ref(&found->node);
    mutex_unlock(&t->lock);
    return found;
}

/* The subtask of the source that is named, or the only one; a reference. */
static int find_sub(struct task *t, const char *source, struct subtask **ret, struct err *err)
{
    int rc = -ENOENT;

    mutex_lock(&t->lock);
    for (unsigned i = 0; i < t->n_subs && rc < 0; i++)
        if (source[0] ? strcmp(t->subs[i]->job->source, source) == 0 : t->n_subs == 1) {
            *ret = t->subs[i];
            node_ref(&(*ret)->node);
            rc = 0;
        }
    if (rc < 0 && t->n_subs == 0)
        err_set(err, -EBUSY, "the task was never started: all of its tables are copied when it is");
    else if (rc < 0 && source[0])
        err_set(err, -ENOENT, "source %s is not of this task", source);
    else if (rc < 0)
        err_set(err, -EINVAL, "the task has several sources: say source=NAME");
    mutex_unlock(&t->lock);
    return rc < 0 ? err->code : 0;
}

/* Before sync runs there is no stream to bring what a copy misses. */
static int follows(const struct subtask *s, struct err *err)
{
    struct unit *u = s->units[STAGE_SYNC];

    if (!u)
        return err_set(err, -EBUSY, "the task does not follow its source (task_mode)");
    if (subtask_current(s) != u)
        return err_set(err, -EBUSY, "the first copy is not finished: wait until it is");
    return 0;
}

/* The subtask of the table that the arguments name, at a moment when it can be copied. */
static int find_following(struct task *t, const json_t *args, struct subtask **ret, struct err *err)
{
    int rc;

    if (!arg(args, "schema")[0] || !arg(args, "table")[0])
        return err_set(err, -EINVAL, "say schema=NAME and table=NAME, as the source calls them");
    rc = find_sub(t, arg(args, "source"), ret, err);
    return rc < 0 ? rc : follows(*ret, err);
}

/* Does another table of the source go there too? */
static int shares(const struct job *job, const char *schema, const char *table,
                  const struct route *to, bool *ret, struct err *err)
{
    struct table_names names = { .n = 0 };
    struct mysql_conn *c;
    struct route other;
    int rc = mysql_conn_open(&c, &job->from, err);

    if (rc < 0)
        return err_of_source(err);
    rc = table_list(c, NULL, &names, err);
    for (unsigned i = 0; rc == 0 && i < names.n && !*ret; i++) {
        const struct table_name *n = &names.names[i];

        if (strcmp(n->db, schema) == 0 && strcmp(n->name, table) == 0)
            continue;
        *ret = router_table(job->router, n->db, n->name, &other) &&
               strcmp(other.to_schema, to->to_schema) == 0 &&
               strcmp(other.to_table, to->to_table) == 0;
    }
    table_names_fini(&names);
    mysql_conn_close(c);
    return rc;
}

static int ask(const struct job *job, const json_t *args, bool create, bool keep, struct err *err)
{
    struct refill_row want = { .schema = (char *)arg(args, "schema"),
                               .table = (char *)arg(args, "table"),
                               .where = (char *)arg(args, "where"),
                               .create = create,
                               .replace = !create || json_is_true(json_object_get(args, "replace")),
                               .keep_extra = keep };

    return refill_ask(job, &want, err);
}

/* --- resnapshot --- */

int task_run_resnapshot(struct node *n, const json_t *args, struct err *err)
{
    struct task *t = task_of(n);
    SCOPED(sub_unrefp) struct subtask *s = NULL;
    const char *schema = arg(args, "schema"), *table = arg(args, "table");
    bool shared;
    struct route to;
    int rc = find_following(t, args, &s, err);

    if (rc < 0)
        return rc;
    assert(s);
    if (!router_table(s->job->router, schema, table, &to))
        return err_set(err, -ENOENT, "table %s.%s is not of this task: add_table adds it", schema,
                       table);
    shared = s->job->merges;
    rc = shared ? 0 : shares(s->job, schema, table, &to, &shared, err);
    if (rc == 0)
        rc = ask(s->job, args, false,
                 shared && !json_is_true(json_object_get(args, "delete_extra")), err);
    if (rc == 0)
        sync_reload(s->units[STAGE_SYNC]);
    return rc;
}

/* --- add_table --- */

static json_t *pair(const char *a, const char *x, const char *b, const char *y)
{
    return json_pack("{s:s, s:s}", a, x, b, y);
}

/* Into a list of the allow list, made where there is none. */
static void allow(json_t *doc, const char *name, json_t *entry)
{
    json_t *list = json_object_get(doc, "block_allow_list");
    json_t *names;

    if (!json_is_object(list)) {
        list = json_object();
        json_object_set_new(doc, "block_allow_list", list);
    }
    names = json_object_get(list, name);
    if (json_array_size(names) == 0) { /* an empty list allows all */
        json_decref(entry);
        return;
    }
    json_array_append_new(names, entry);
}

static void add_rule(json_t *doc, const char *source, const json_t *args)
{
    json_t *rules = json_object_get(doc, "table_migrate_rule");
    json_t *rule = json_object(),
           *from = pair("schema", arg(args, "schema"), "table", arg(args, "table"));

    json_object_set_new(from, "source_name", json_string(source));
    json_object_set_new(rule, "source", from);
    if (arg(args, "to_schema")[0] || arg(args, "to_table")[0])
        json_object_set_new(
            rule, "target",
            pair("schema", arg(args, arg(args, "to_schema")[0] ? "to_schema" : "schema"), "table",
                 arg(args, arg(args, "to_table")[0] ? "to_table" : "table")));
    if (!json_is_array(rules)) {
        rules = json_array();
        json_object_set_new(doc, "table_migrate_rule", rules);
    }
    json_array_append_new(rules, rule);
}

static int covers(const json_t *doc, const struct subtask *s, const json_t *args, bool *ret,
                  struct err *err)
{
    SCOPED(router_freep) struct router *r = NULL;
    SCOPED(json_decrefp) json_t *full = doc_full(task_doc_fields, doc);
    struct route to;
    int rc = task_doc_router(full, s->job->source, s->job->fold_case, &r, err);

    *ret = rc == 0 && router_table(r, arg(args, "schema"), arg(args, "table"), &to);
    return rc;
}

/* The document with the table in it; the caller's. */
static int document_with(struct task *t, const struct subtask *s, const json_t *args, json_t **ret,
                         struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = NULL;
    bool covered = false;
    int rc;

    mutex_lock(&t->lock);
    doc = json_deep_copy(t->doc);
    mutex_unlock(&t->lock);
    add_rule(doc, s->job->source, args);
    rc = covers(doc, s, args, &covered, err);
    if (rc == 0 && !covered) {
        allow(doc, "do_dbs", json_string(arg(args, "schema")));
        allow(doc, "do_tables",
              pair("db_name", arg(args, "schema"), "tbl_name", arg(args, "table")));
        rc = covers(doc, s, args, &covered, err);
    }
    if (rc == 0 && !covered)
        rc = err_set(err, -EINVAL,
                     "table %s.%s is kept out by the block_allow_list, or is no table to copy",
                     arg(args, "schema"), arg(args, "table"));
    if (rc < 0)
        return rc;
    *ret = STEAL(doc);
    return 0;
}

static int source_has(const struct job *job, const json_t *args, struct err *err)
{
    struct table_def *def;
    struct mysql_conn *c;
    int rc = mysql_conn_open(&c, &job->from, err);

    if (rc < 0)
        return err_of_source(err);
    rc = table_read(c, arg(args, "schema"), arg(args, "table"), &def, err);
    mysql_conn_close(c);
    if (rc == -ENOENT || (rc == 0 && def->kind != TABLE_BASE))
        rc = err_set(err, -ENOENT, "source %s has no table %s.%s", job->source, arg(args, "schema"),
                     arg(args, "table"));
    else if (rc == 0)
        table_free(def);
    return rc;
}

/* The target hears of it first: a table that is in the document, and not in its list, would be
 * taken for one that was copied. */
static int add_table(struct task *t, struct subtask *s, const json_t *args, struct err *err)
{
    SCOPED(json_decrefp) json_t *doc = NULL;
    bool shared = s->job->merges;
    struct route to;
    int rc = document_with(t, s, args, &doc, err);

    if (rc == 0)
        rc = source_has(s->job, args, err);
    if (rc == 0) {
        snprintf(to.to_schema, sizeof to.to_schema, "%s",
                 arg(args, arg(args, "to_schema")[0] ? "to_schema" : "schema"));
        snprintf(to.to_table, sizeof to.to_table, "%s",
                 arg(args, arg(args, "to_table")[0] ? "to_table" : "table"));
        rc =
            shared ? 0 : shares(s->job, arg(args, "schema"), arg(args, "table"), &to, &shared, err);
    }
    if (rc == 0)
        rc = ask(s->job, args, true, shared, err);
    return rc == 0 ? task_take_document(t, doc, err) : rc;
}

int task_run_add_table(struct node *n, const json_t *args, struct err *err)
{
    struct task *t = task_of(n);
    SCOPED(sub_unrefp) struct subtask *s = NULL;
    struct route to;
    int rc = find_following(t, args, &s, err);

    if (rc < 0)
        return rc;
    assert(s);
    if (router_table(s->job->router, arg(args, "schema"), arg(args, "table"), &to))
        return err_set(err, -EEXIST, "table %s.%s is of this task: resnapshot copies it again",
                       arg(args, "schema"), arg(args, "table"));
    return add_table(t, s, args, err);
}

/* --- what they take --- */

#define WHICH                                                                                 \
    { .name = "source", .type = ATTR_TEXT, .help = "Of the task; not needed if it has one" }, \
        { .name = "schema", .type = ATTR_TEXT, .help = "As the source calls it" },            \
    {                                                                                         \
        .name = "table", .type = ATTR_TEXT, .help = "As the source calls it"                  \
    }

const struct attr task_add_table_params[] = {
    WHICH,
    { .name = "to_schema", .type = ATTR_TEXT, .help = "At the target, if it is another" },
    { .name = "to_table", .type = ATTR_TEXT, .help = "At the target, if it is another" },
    { .name = "replace",
      .type = ATTR_BOOL,
      .help = "Rows that the target's table has are to go, if there are any" },
    { 0 },
};

const struct attr task_resnapshot_params[] = {
    WHICH,
    { .name = "where",
      .type = ATTR_TEXT,
      .help = "A condition over its columns, for a part of its rows" },
    { .name = "delete_extra",
      .type = ATTR_BOOL,
      .help = "Rows that the source lacks go also where other tables are merged with it" },
    { 0 },
};
