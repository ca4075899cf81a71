#include "unit/sync/sync_online.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_shard_priv.h"

static const char create_table[] =
    "CREATE TABLE IF NOT EXISTS %i.%i (id VARCHAR(255) NOT NULL, ghost_schema VARCHAR(128) NOT "
    "NULL,"
    " ghost_table VARCHAR(128) NOT NULL, ddls LONGTEXT, update_time TIMESTAMP NOT NULL DEFAULT"
    " CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,"
    " UNIQUE KEY uk_id_schema_table (id, ghost_schema, ghost_table))"
    " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

/* A table of a statement, as these tools see it. */
struct online_name {
    enum router_online kind;
    char schema[200], table[200];
    char base[193]; /* whose ghost or trash it is */
};

static char *table_of(const struct job *job)
{
    return xasprintf("%s_onlineddl", job->task);
}

/* The second reading remembers for itself: the main stream is further on. */
static char *id_of(const struct job *job, bool second)
{
    return xasprintf("%s%s", job->source, second ? "/again" : "");
}

int sync_online_prepare(struct sync_run *r, struct err *err)
{
    SCOPED(freep) char *table = table_of(r->job);

    return sql_exec(r->admin, err, create_table, r->job->meta_schema, table);
}

int sync_online_forget(struct mysql_conn *c, const struct job *job, struct err *err)
{
    SCOPED(freep) char *table = table_of(job), *id = id_of(job, false), *again = id_of(job, true);
    int rc = sql_exec(c, err, "DELETE FROM %i.%i WHERE id IN (%q,%q)", job->meta_schema, table, id,
                      again);

    if (rc < 0 && (err->sql == 1146 || err->sql == 1049)) {
        *err = ERR_INIT;
        return 0;
    }
    return rc;
}

static void name_of(struct sync_run *r, const struct query *q, const struct ddl_name *n,
                    struct online_name *ret)
{
    sync_ddl_names(q, n, ret->schema, ret->table);
    ret->kind = router_online(r->job->router, ret->schema, ret->table, ret->base);
}

/* --- what is remembered of a ghost --- */

/* A new reference; NULL: nothing is. */
static int recall(struct sync_run *r, const struct online_name *ghost, json_t **ret,
                  struct err *err)
{
    SCOPED(freep) char *table = table_of(r->job), *id = id_of(r->job, r->second), *text = NULL;
    int rc = sql_scalar(r->admin, &text, err,
                        "SELECT ddls FROM %i.%i WHERE id=%q AND ghost_schema=%q AND"
                        " ghost_table=%q",
                        r->job->meta_schema, table, id, ghost->schema, ghost->table);

    *ret = NULL;
    if (rc == -ENOENT) {
        *err = ERR_INIT;
        return 0;
    }
    if (rc == 0)
        *ret = json_loads(text, 0, NULL);
    return rc;
}

static int commit(struct sync_run *r, const struct buf *sql, const struct position *pos,
                  struct err *err)
{
    int rc;

    sink_begin(r->main.sink, pos, 0);
    rc = sink_statement(r->main.sink, slice_of(sql->data, sql->size), err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc < 0) {
        sink_rollback(r->main.sink);
        return rc;
    }
    sync_publish(r);
    r->mode->passed(r, pos);
    return 0;
}

static int forget(struct sync_run *r, const struct online_name *ghost, const struct position *pos,
                  struct err *err)
{
    SCOPED(freep) char *table = table_of(r->job), *id = id_of(r->job, r->second);
    SCOPED(buf_fini) struct buf sql = BUF_INIT;

    sql_add(&sql, "DELETE FROM %i.%i WHERE id=%q AND ghost_schema=%q AND ghost_table=%q",
            r->job->meta_schema, table, id, ghost->schema, ghost->table);
    return commit(r, &sql, pos, err);
}

/* With its full name, so that it means the same in any session. */
static bool qualify(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    const struct query *q = arg;
    char schema[200], table[200];

    sync_ddl_names(q, n, schema, table);
    sql_table(quoted, schema, table);
    return true;
}

static int remember(struct sync_run *r, const struct query *q, const struct ddl *d,
                    const struct online_name *ghost, const struct position *pos, struct err *err)
{
    SCOPED(freep) char *table = table_of(r->job), *id = id_of(r->job, r->second), *text = NULL;
    SCOPED(buf_fini) struct buf one = BUF_INIT, sql = BUF_INIT;
    SCOPED(json_decrefp) json_t *ddls = NULL;
    int rc = recall(r, ghost, &ddls, err);

    if (rc < 0)
        return rc;
    if (!ddls)
        ddls = json_array();
    ddl_rewrite(q->sql, d, qualify, (void *)q, &one);
    if (json_array_append_new(ddls, json_stringn(one.data, one.size)) < 0)
        return err_set(err, -ENOTSUP, "a statement that is not UTF-8: %.200s", one.data);
    text = json_dumps(ddls, 0);
    sql_add(&sql, "REPLACE INTO %i.%i (id, ghost_schema, ghost_table, ddls) VALUES (%q,%q,%q,%q)",
            r->job->meta_schema, table, id, ghost->schema, ghost->table, text);
    log_info(r->sync->unit.path, "remembers for %s.%s: %.200s", ghost->schema, ghost->base,
             one.data);
    return commit(r, &sql, pos, err);
}

/* --- the swap --- */

/* "ALTER TABLE base a, b" of "ALTER TABLE ghost a" and "ALTER TABLE ghost b". */
static int join_statements(struct sync_run *r, const struct query *q, const json_t *ddls,
                           const struct online_name *ghost, struct buf *out, struct err *err)
{
    const json_t *v;
    size_t i;

    buf_str(out, "ALTER TABLE ");
    sql_table(out, ghost->schema, ghost->base);
    json_array_foreach (ddls, i, v) {
        struct query one = *q;
        struct ddl d;
        size_t at;

        one.sql = slice_str(json_string_value(v));
        sync_ddl_scan(r, &one, &d);
        if (d.class != DDL_ALTER_TABLE || d.n_names == 0)
            return err_set(err, -ENOTSUP,
                           "an online schema change of %s.%s made its new table by %.200s: run it "
                           "at the target, then 'echo as=done > resolve_ddl' (an action of sync) "
                           "and resume",
                           ghost->schema, ghost->base, json_string_value(v));
        at = d.names[0].at + d.names[0].size;
        buf_str(out, i ? "," : "");
        buf_add(out, one.sql.data + at, one.sql.size - at);
    }
    return 0;
}

/* For the second reading, should the table wait here: the main stream may see another change of the
 * table before that. */
static void copy_for_second(struct sync_run *r, const struct online_name *ghost, struct buf *sql)
{
    SCOPED(freep) char *table = table_of(r->job), *id = id_of(r->job, false);
    SCOPED(freep) char *again = id_of(r->job, true);

    if (!r->second)
        sql_add(sql,
                "REPLACE INTO %i.%i (id, ghost_schema, ghost_table, ddls) SELECT %q, ghost_schema,"
                " ghost_table, ddls FROM %i.%i AS it WHERE id=%q AND ghost_schema=%q AND"
                " ghost_table=%q",
                r->job->meta_schema, table, again, r->job->meta_schema, table, id, ghost->schema,
                ghost->table);
}

// NOLINTNEXTLINE(readability-function-size): all that a statement is
static int swap(struct sync_run *r, const struct query *q, const struct online_name *ghost,
                uint32_t timestamp, const struct position *pos, enum sync_shard_ddl *ret,
                struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT, also = BUF_INIT;
    SCOPED(json_decrefp) json_t *ddls = NULL;
    struct query made = *q;
    struct ddl d;
    int rc = recall(r, ghost, &ddls, err);

    if (rc < 0)
        return rc;
    if (json_array_size(ddls) == 0) /* a rebuild that changes nothing */
        return *ret = SHARD_DDL_PASS_BY, 0;
    rc = join_statements(r, q, ddls, ghost, &sql, err);
    if (rc < 0)
        return rc;
    made.sql = slice_of(sql.data, sql.size);
    sync_ddl_scan(r, &made, &d);
    copy_for_second(r, ghost, &also);
    r->shard_also = slice_of(also.data, also.size);
    rc = sync_shard_ddl(r, &made, &d, timestamp, pos, ret, err);
    r->shard_also = slice_of(NULL, 0);
    if (rc == 0 && *ret == SHARD_DDL_OTHER)
        *ret = SHARD_DDL_PASS_BY;
    return rc;
}

static bool same_table(const struct online_name *a, const char *schema, const char *table)
{
    return strcmp(a->schema, schema) == 0 && strcmp(a->table, table) == 0;
}

static int strange_swap(const struct query *q, const struct online_name *n, const char *rules,
                        struct err *err)
{
    err_set(err, -ENOTSUP,
            "online ddl sql '%.*s' invalid, table %s.%s fail to match '%s' online ddl regex: "
            "say in %s of the task how such tables are called; or, if this is no online "
            "schema change, run what is needed of it at the target, then 'echo as=done > "
            "resolve_ddl' (an action of sync) and resume",
            SLICE_HEAD(q->sql, 200), n->schema, n->table, rules, rules);
    return err_because(err, REASON_ONLINE_SWAP);
}

/* A pair of names.  The table to its trash is nothing, the ghost to the table is its change; where
 * one of them is seen the other must be as well. */
struct swap {
    struct online_name away, to_away; /* the table goes */
    struct online_name in, from_in;   /* ... and another comes in its place */
    bool any, goes, comes;
};

static void see_pair(struct swap *s, const struct online_name *from, const struct online_name *to)
{
    s->any = s->any || from->kind != ONLINE_NONE || to->kind != ONLINE_NONE;
    if (from->kind == ONLINE_NONE && !s->goes) {
        s->away = *from;
        s->to_away = *to;
        s->goes = true;
    } else if (to->kind == ONLINE_NONE) {
        s->from_in = *from;
        s->in = *to;
        s->comes = true;
    }
}

static int check_swap(const struct query *q, const struct swap *s, struct err *err)
{
    if (!s->goes || !s->comes || !same_table(&s->away, s->in.schema, s->in.table))
        return 0;
    if (s->from_in.kind != ONLINE_GHOST)
        return strange_swap(q, &s->from_in, "shadow_table_rules", err);
    return s->to_away.kind == ONLINE_TRASH ? 0
                                           : strange_swap(q, &s->to_away, "trash_table_rules", err);
}

static int rename_tables(struct sync_run *r, const struct query *q, const struct ddl *d,
                         uint32_t timestamp, const struct position *pos, enum sync_shard_ddl *ret,
                         struct err *err)
{
    struct swap s = { .any = false };
    int rc;

    for (unsigned i = 0; i + 1 < d->n_names; i += 2) {
        struct online_name from, to;

        name_of(r, q, &d->names[i], &from);
        name_of(r, q, &d->names[i + 1], &to);
        if (to.kind == ONLINE_GHOST) {
            err_set(err, -ENOTSUP,
                    "a RENAME of %s.%s to %s.%s, which is the name of an online schema change's "
                    "new table",
                    from.schema, from.table, to.schema, to.table);
            return err_because(err, from.kind == ONLINE_NONE ? REASON_ONLINE_RENAME
                                                             : REASON_ONLINE_RENAME_GHOST);
        }
        see_pair(&s, &from, &to);
    }
    if (!s.any)
        return 0;
    rc = check_swap(q, &s, err);
    if (rc < 0)
        return rc;
    *ret = SHARD_DDL_PASS_BY;
    if (!s.comes || s.from_in.kind != ONLINE_GHOST ||
        (r->second && !shard_is_for(r, s.from_in.schema, s.from_in.base)))
        return 0;
    return swap(r, q, &s.from_in, timestamp, pos, ret, err);
}

/* As the operator said, what it takes was done at the target. */
static int excused(struct sync_run *r, const struct query *q, const struct ddl *d,
                   enum sync_shard_ddl *ret, struct err *err)
{
    struct err why = *err;
    int rc;

    *err = ERR_INIT;
    rc = sync_ddl_excused(r, q, d, err);
    if (rc == 0) {
        *err = why;
        return why.code;
    }
    *ret = SHARD_DDL_PASS_BY;
    return rc < 0 ? rc : 0;
}

static bool all_online(struct sync_run *r, const struct query *q, const struct ddl *d)
{
    for (unsigned i = 0; i < d->n_names; i++) {
        struct online_name n;

        name_of(r, q, &d->names[i], &n);
        if (n.kind == ONLINE_NONE)
            return false;
    }
    return d->n_names > 0;
}

// NOLINTNEXTLINE(readability-function-size): all that a statement is
int sync_online_ddl(struct sync_run *r, const struct query *q, const struct ddl *d,
                    uint32_t timestamp, const struct position *pos, enum sync_shard_ddl *ret,
                    struct err *err)
{
    struct online_name first;
    int rc;

    *ret = SHARD_DDL_OTHER;
    if (d->n_names == 0 || d->temporary || d->names[0].table.size == 0)
        return 0;
    if (d->class == DDL_RENAME_TABLE) {
        rc = r->mode->drain(r, err);
        if (rc == 0)
            rc = rename_tables(r, q, d, timestamp, pos, ret, err);
        return rc == -ENOTSUP ? excused(r, q, d, ret, err) : rc;
    }
    name_of(r, q, &d->names[0], &first);
    if (first.kind == ONLINE_NONE || (d->class == DDL_DROP_TABLE && !all_online(r, q, d)))
        return 0;
    *ret = SHARD_DDL_PASS_BY;
    if (first.kind != ONLINE_GHOST || (r->second && !shard_is_for(r, first.schema, first.base)))
        return 0;
    rc = r->mode->drain(r, err);
    if (rc < 0)
        return rc;
    *ret = SHARD_DDL_DONE;
    switch (d->class) {
    case DDL_CREATE_TABLE:
    case DDL_CREATE_TABLE_LIKE:
    case DDL_DROP_TABLE:
        return forget(r, &first, pos, err);
    case DDL_ALTER_TABLE:
    case DDL_CREATE_INDEX:
    case DDL_DROP_INDEX:
        return remember(r, q, d, &first, pos, err);
    default:
        break;
    }
    *ret = SHARD_DDL_PASS_BY;
    return 0;
}
