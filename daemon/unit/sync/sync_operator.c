#include "unit/sync/sync_operator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/ddl_lex.h"
#include "route/router.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/sync/sync_aside.h"

#define MAX_SHOWN 4096 /* bytes of a statement that failed */

/* --- places --- */

static bool parse_position(const char *text, struct position *ret)
{
    const char *colon = strrchr(text, ':');
    char *end;

    if (!colon || colon == text || (size_t)(colon - text) >= sizeof ret->file)
        return false;
    *ret = (struct position){ .offset = strtoull(colon + 1, &end, 10) };
    snprintf(ret->file, sizeof ret->file, "%.*s", (int)(colon - text), text);
    return end != colon + 1 && *end == '\0';
}

static struct position place_of(const json_t *op)
{
    struct position p = { .offset = 0 };

    parse_position(json_string_value(json_object_get(op, "position")), &p);
    return p;
}

/* --- the store --- */

static void key_of(const struct job *job, struct buf *key)
{
    key_position(key, job->task, job->source, "operators");
}

int operators_load(struct sync *s, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT, value = BUF_INIT;
    json_t *list;
    int rc;

    if (!s->job->store)
        return 0;
    key_of(s->job, &key);
    rc = store_get(s->job->store, STORE_CHECKPOINT, key_slice(&key), &value, err);
    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rc;
    list = json_loadb((const char *)value.data, value.size, 0, NULL);
    if (!json_is_array(list)) {
        json_decref(list);
        return err_set(err, -EBADMSG, "what operators wanted of DDL cannot be read");
    }
    mutex_lock(&s->unit.lock);
    s->operators = list;
    mutex_unlock(&s->unit.lock);
    return 0;
}

static int keep(const struct job *job, const json_t *list, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    SCOPED(freep) char *text = json_dumps(list, JSON_COMPACT);

    key_of(job, &key);
    return job->store ? store_put(job->store, STORE_CHECKPOINT, key_slice(&key), slice_str(text),
                                  true, err)
                      : err_set(err, -ENOTSUP, "there is no store to remember it in");
}

int operators_forget(const struct job *job, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    key_of(job, &key);
    return job->store ? store_delete(job->store, STORE_CHECKPOINT, key_slice(&key), true, err) : 0;
}

/* 'list' (stolen) is kept, then holds. */
static int put(struct sync *s, json_t *list, struct err *err)
{
    json_t *old;
    int rc = keep(s->job, list, err);

    if (rc < 0) {
        json_decref(list);
        return rc;
    }
    mutex_lock(&s->unit.lock);
    old = s->operators;
    s->operators = list;
    mutex_unlock(&s->unit.lock);
    json_decref(old);
    node_changed(&s->unit.node, "operators");
    return 0;
}

json_t *operators_list(const struct sync *s) NO_THREAD_CHECK
{
    return s->operators ? json_deep_copy(s->operators) : json_array();
}

static json_t *copy_of(struct sync *s)
{
    json_t *list;

    mutex_lock(&s->unit.lock);
    list = operators_list(s);
    mutex_unlock(&s->unit.lock);
    return list;
}

/* --- what is asked for --- */

/* A DDL whose tables the task migrates, all named with their schema. */
static int check_statement(struct sync *s, struct slice sql, struct err *err)
{
    SCOPED(arena_fini) struct arena arena = ARENA_INIT;
    struct route to;
    struct ddl d;

    ddl_scan(sql, false, false, &arena, &d);
    if (d.n_names == 0 || d.class == DDL_DML || d.class == DDL_TRANSACTION)
        return err_set(err, -EINVAL, "sql: only DDL of tables can be run here: %.*s",
                       SLICE_ARG(sql));
    for (unsigned i = 0; i < d.n_names; i++) {
        const struct ddl_name *n = &d.names[i];
        SCOPED(freep) char *schema = xstrndup((const char *)n->schema.data, n->schema.size);
        SCOPED(freep) char *table = xstrndup((const char *)n->table.data, n->table.size);

        if (!*schema)
            return err_set(err, -EINVAL, "sql: say which schema %s is of: %.*s", table,
                           SLICE_ARG(sql));
        if (*table ? !router_table(s->job->router, schema, table, &to)
                   : !router_schema(s->job->router, schema, &to))
            return err_set(err, -EINVAL,
                           "sql: %s.%s is not migrated by this task (names are those at "
                           "the source)",
                           schema, table);
    }
    return 0;
}

static int add_statement(struct sync *s, struct slice sql, json_t *list, struct err *err)
{
    while (sql.size && strchr(" \t\r\n", sql.data[0]))
        sql = slice_of(sql.data + 1, sql.size - 1);
    if (sql.size == 0)
        return 0;
    if (check_statement(s, sql, err) < 0)
        return err->code;
    json_array_append_new(list, json_stringn((const char *)sql.data, sql.size));
    return 0;
}

/* "a; b" */
static int split(struct sync *s, const char *text, json_t *list, struct err *err)
{
    struct ddl_lexer l = { .sql = slice_str(text) };
    size_t from = 0;
    int rc = 0;

    for (struct ddl_token t = ddl_lex(&l); t.kind != DDL_TOKEN_END && rc == 0; t = ddl_lex(&l)) {
        if (!ddl_token_is(&l, &t, ";"))
            continue;
        rc = add_statement(s, slice_of(text + from, t.at - from), list, err);
        from = t.at + t.size;
    }
    if (rc == 0)
        rc = add_statement(s, slice_of(text + from, strlen(text) - from), list, err);
    if (rc == 0 && json_array_size(list) == 0)
        return err_set(err, -EINVAL, "sql: the statements that are to run are missing");
    return rc;
}

/* The place that is meant; the caller frees. */
static int choose_position(struct sync *s, const char *position, char **ret, struct err *err)
{
    struct position p;

    if (position && *position) {
        if (!parse_position(position, &p))
            return err_set(err, -EINVAL, "position: '%s' is not FILE:OFFSET", position);
        *ret = xstrdup(position);
        return 0;
    }
    mutex_lock(&s->unit.lock);
    *ret = s->error_position ? xstrdup(s->error_position) : NULL;
    mutex_unlock(&s->unit.lock);
    return *ret ? 0
                : err_set(err, -ENOENT,
                          "only support to handle ddl error currently, and no DDL has failed here: "
                          "say position=FILE:OFFSET for one that is to come");
}

/* A statement has one operation: a later one takes the place of that before. */
static void remove_at(json_t *list, const char *position)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "position")),
                   position) == 0)
            json_array_remove(list, i);
}

int operators_add(struct sync *s, const char *op, const char *position, const char *sql,
                  struct err *err)
{
    SCOPED(json_decrefp) json_t *sqls = json_array();
    SCOPED(freep) char *at = NULL;
    json_t *list;
    int rc = choose_position(s, position, &at, err);

    if (rc == 0 && strcmp(op, "skip") != 0)
        rc = split(s, sql ? sql : "", sqls, err);
    if (rc < 0)
        return rc;
    list = copy_of(s);
    remove_at(list, at);
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:O}", "position", at, "op", op, "sqls", sqls));
    return put(s, list, err);
}

int operators_revert(struct sync *s, const char *position, struct err *err)
{
    SCOPED(freep) char *at = NULL;
    int rc = choose_position(s, position, &at, err);
    json_t *list;
    size_t n;

    if (rc < 0)
        return rc;
    list = copy_of(s);
    n = json_array_size(list);
    remove_at(list, at);
    if (json_array_size(list) < n)
        return put(s, list, err);
    json_decref(list);
    return err_set(err, -ENOENT, "nothing is to be done at %s: see operators", at);
}

/* --- the reader --- */

bool operators_any(struct sync_run *r)
{
    bool any;

    mutex_lock(&r->sync->unit.lock);
    any = json_array_size(r->sync->operators) > 0;
    mutex_unlock(&r->sync->unit.lock);
    return any;
}

int operators_purge(struct sync_run *r, struct err *err)
{
    struct position oldest = { .offset = 0 };
    json_t *list, *op;
    size_t i, n;

    /* What is set aside will come by these places again. */
    if (!operators_any(r) || r->only_aside || aside_oldest(r->aside, &oldest))
        return 0;
    list = copy_of(r->sync);
    n = json_array_size(list);
    for (i = n; i-- > 0;) {
        struct position p;

        op = json_array_get(list, i);
        p = place_of(op);
        if (position_compare(&p, &r->cp.pos) < 0)
            json_array_remove(list, i);
    }
    if (json_array_size(list) < n)
        return put(r->sync, list, err);
    json_decref(list);
    return 0;
}

json_t *operators_find(struct sync_run *r, const struct position *end)
{
    json_t *found = NULL, *op;
    size_t i;

    mutex_lock(&r->sync->unit.lock);
    json_array_foreach (r->sync->operators, i, op) {
        struct position p = place_of(op);

        if (position_compare(&p, &r->cp.pos) >= 0 && position_compare(&p, end) < 0)
            found = json_incref(op);
    }
    mutex_unlock(&r->sync->unit.lock);
    return found;
}

static bool is_passing(const struct err *err)
{
    return err->code == -ECANCELED || err->code == -ECONNRESET || err->code == -ETIMEDOUT;
}

void operators_failed(struct sync_run *r, const struct query *q, const struct err *err)
{
    struct sync *s = r->sync;
    char *position = NULL, *sql = NULL, *old_position, *old_sql;

    if (err && is_passing(err))
        return;
    if (err) {
        position = xasprintf("%s:%llu", r->grouper.file, (unsigned long long)sync_event_at(r));
        sql =
            xstrndup((const char *)q->sql.data, q->sql.size < MAX_SHOWN ? q->sql.size : MAX_SHOWN);
    }
    mutex_lock(&s->unit.lock);
    old_position = s->error_position;
    old_sql = s->error_sql;
    s->error_position = position;
    s->error_sql = sql;
    mutex_unlock(&s->unit.lock);
    if (old_position || position)
        node_changed(&s->unit.node, "error_position");
    free(old_position);
    free(old_sql);
}
