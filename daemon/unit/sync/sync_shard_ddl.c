/* What becomes of a statement on sharded tables. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "mysql/quote.h"
#include "unit/schema/schema_store.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_ddl_look.h"
#include "unit/sync/sync_shard_priv.h"

#define TRIES 50

/* A statement of the source, at one table. */
struct coming {
    struct sync_run *r;
    const struct query *q;
    const struct ddl *d;
    uint32_t timestamp;
    const struct position *pos; /* its end */
    struct route to;
    char schema[200], table[200]; /* at the source */
    struct buf text;              /* with the target's names */
    struct buf after;             /* optimistic: CREATE TABLE that it makes of the shard */
    struct slice *clauses;        /* ... of the statement, in r->scratch */
    char **steps;                 /* ... what they make of the shard, one after the other */
    unsigned n_steps;             /* 0: not all make sense by themselves */
    bool in_clauses;              /* ... each passes by itself, and none replaces anything */
};

static void forget_clauses(struct coming *c)
{
    for (unsigned i = 0; i < c->n_steps; i++)
        free(c->steps[i]);
    free(c->steps);
    c->steps = NULL;
    c->n_steps = 0;
}

static void coming_fini(struct coming *c)
{
    forget_clauses(c);
    buf_fini(&c->text);
    buf_fini(&c->after);
}

static const char *after_of(const struct coming *c)
{
    return c->after.size ? c->after.data : NULL;
}

static struct shard_member *find_me(const struct coming *c, const struct shard_group *g)
{
    return shard_find(g, c->r->job->source, c->schema, c->table);
}

static int too_often(const struct coming *c, struct err *err)
{
    return err_set(err, -EBUSY, "the shards of %s.%s change too fast", c->to.to_schema,
                   c->to.to_table);
}

/* --- the group --- */

static int make_group(struct coming *c, struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows one = { .n = 1, .at = xcalloc(1, sizeof *one.at) };
    struct shard_group *g = &one.at[0].group;

    g->mode = c->r->job->shard_mode;
    g->schema = xstrdup(c->to.to_schema);
    g->table = xstrdup(c->to.to_table);
    return shard_store_insert(c->r->admin, c->r->job, &one, err);
}

/* With this table in it. */
static int read_group(struct coming *c, struct shard_row *ret, struct err *err)
{
    const struct job *job = c->r->job;
    int rc = shard_store_read_one(c->r->admin, job, c->to.to_schema, c->to.to_table, ret, err);

    if (rc == -ENOENT) {
        rc = make_group(c, err);
        if (rc == 0)
            rc = shard_store_read_one(c->r->admin, job, c->to.to_schema, c->to.to_table, ret, err);
    }
    if (rc == 0 && !find_me(c, &ret->group))
        shard_join(&ret->group, job->source, c->schema, c->table, NULL);
    return rc;
}

/* The group as it is to be, with the checkpoint past the statement.  -EAGAIN: somebody else was
 * first. */
static int commit(struct coming *c, const struct shard_row *row, bool ran, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT, intent = BUF_INIT;
    struct sync_run *r = c->r;
    int rc;

    shard_store_sql(r->job, row, &sql);
    sync_ddl_delete_intent(r, &intent);
    sink_begin(r->main.sink, c->pos, 0);
    rc = sink_statement(r->main.sink, slice_of(sql.data, sql.size), err);
    if (rc == 0 && ran)
        rc = sink_statement(r->main.sink, slice_of(intent.data, intent.size), err);
    if (rc == 0 && r->shard_also.size)
        rc = sink_statement(r->main.sink, r->shard_also, err);
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    if (rc < 0) {
        sink_rollback(r->main.sink);
        return shard_store_stale(err) ? (err->code = -EAGAIN) : rc;
    }
    if (ran)
        sync_ddl_consumed(r);
    r->ddl_done = r->ddl_again = false; /* a crash's was this one, whatever becomes of it now */
    sync_publish(r);
    r->mode->passed(r, c->pos);
    return shard_tell(r, err);
}

/* --- structures --- */

/* What a server says of something that is there already, or is gone already. */
static bool is_there_already(const struct err *err)
{
    switch (err->sql) {
    case 1060: /* column */
    case 1061: /* key */
    case 1068: /* primary key */
    case 1091: /* to be dropped */
    case 1507: /* partition to be dropped */
    case 1508:
    case 1517: /* partition of this name */
        return true;
    }
    return false;
}

/* All that the answer depends on. */
static void tried_key(struct coming *c, const struct query *q, const struct ddl *d, const char *now,
                      struct buf *key)
{
    sync_ddl_text(c->r, q, d, key);
    buf_byte(key, '\0');
    buf_add(key, q->status_vars.data, q->status_vars.size);
    buf_byte(key, '\0');
    buf_str(key, now);
}

/* What a statement makes of a shard that is 'now': 'ret' ends in a NUL that does not count. */
static int try_on(struct coming *c, const struct query *q, const struct ddl *d, const char *now,
                  struct buf *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf before = BUF_INIT, after = BUF_INIT, key = BUF_INIT;
    struct shard_tried *tried = shards_tried(c->r->shards->view);
    SCOPED(freep) char *known = NULL;
    struct slice made;
    int rc = 0;

    tried_key(c, q, d, now, &key);
    known = shard_tried_find(tried, slice_of(key.data, key.size));
    buf_str(&before, now);
    buf_byte(&before, '\0');
    if (!known)
        rc = sync_ddl_try(c->r, q, d, slice_of(before.data, before.size), &after, err);
    if (rc < 0 && !is_there_already(err))
        return err_wrap(err, "what a DDL makes of %s.%s", c->schema, c->table);
    if (known)
        made = slice_str(known);
    else
        made = rc < 0 ? slice_str(before.data) : ddl_look_of(slice_of(after.data, after.size), 0);
    if (!known)
        shard_tried_add(tried, slice_of(key.data, key.size), made);
    *err = ERR_INIT;
    buf_clear(ret);
    buf_add(ret, made.data, made.size);
    return 0;
}

/* One whose columns were others than the target's from the beginning: the copy kept them. */
static int know_copied(struct coming *c, struct shard_member *m, struct err *err)
{
    SCOPED(buf_fini) struct buf create = BUF_INIT, named = BUF_INIT;
    struct job job = *c->r->job;
    enum schema_kept kept;
    int rc;

    job.source = m->source;
    rc = schema_store_get(&job, m->schema, m->table, &kept, &create, err);
    if (rc == -ENOENT || (rc == 0 && kept != SCHEMA_SET))
        return 0;
    if (rc < 0)
        return rc;
    schema_named(slice_of(create.data, create.size), c->to.to_table, &named);
    m->now = buf_steal(&named);
    return 0;
}

/* Whose structure is not known yet has the target's, as it is before anything of it changes. */
static int know(struct coming *c, struct shard_group *g, struct err *err)
{
    SCOPED(buf_fini) struct buf now = BUF_INIT;
    int rc = ddl_look(c->r->admin, &c->to, 1, &now, err);

    for (unsigned i = 0; i < g->n && rc == 0; i++)
        if (!g->members[i].now)
            rc = know_copied(c, &g->members[i], err);
    if (rc < 0)
        return rc;
    if (now.size <= 1) {
        err_set(err, -ENOENT, "the target has no table %s.%s", c->to.to_schema, c->to.to_table);
        return err_because(err, REASON_NO_TABLE);
    }
    shard_know(g, now.data);
    return 0;
}

/* --- the verdicts --- */

/* What is known of the other shards of the source went with the target's structure. */
static int forget_siblings(struct coming *c, const struct shard_group *g, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < g->n && rc == 0; i++)
        if (strcmp(g->members[i].source, c->r->job->source) == 0)
            rc = sync_tables_changed(c->r->tables, g->members[i].schema, g->members[i].table,
                                     SYNC_CHANGE_BOTH, c->r->cp.seq, err);
    return rc;
}

static int give_back(struct coming *c, struct shard_row *row, const struct err *why)
{
    struct err none = ERR_INIT;

    if (!why->sql || mysql_err_transient(why))
        return why->code;
    free(row->group.runner);
    row->group.runner = NULL;
    shard_claim(c->r, row, &none);
    return why->code;
}

/* Nobody else decides about the group until it is done. */
static int claim(struct coming *c, struct shard_row *row, struct err *err)
{
    if (row->group.runner)
        return 0; /* before a crash, for this statement */
    row->group.runner = xasprintf("%s/%s/%s", c->r->job->source, c->schema, c->table);
    return shard_claim(c->r, row, err);
}

static int done(struct coming *c, bool ran, struct err *err)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < TRIES && rc == -EAGAIN; i++) {
        SCOPED(shard_row_fini) struct shard_row row = { .version = 0 };

        *err = ERR_INIT;
        rc = read_group(c, &row, err);
        if (rc < 0)
            return rc;
        shard_done(&row.group, find_me(c, &row.group), c->text.data, after_of(c),
                   ran && !c->in_clauses);
        shard_settle(&row.group);
        rc = forget_siblings(c, &row.group, err);
        if (rc == 0)
            rc = commit(c, &row, ran, err);
    }
    return rc == -EAGAIN ? too_often(c, err) : rc;
}

/* 'q' is the statement, or what is to be run of it. */
static int run(struct coming *c, struct shard_row *row, const struct query *q, const struct ddl *d,
               struct err *err)
{
    const char *now = find_me(c, &row->group)->now;
    bool same = now && after_of(c) && optimist_same(now, after_of(c));
    int rc = claim(c, row, err);

    if (rc < 0)
        return rc;
    log_info(c->r->sync->unit.path, "runs for table %s.%s: %.200s", c->schema, c->table,
             c->text.data);
    rc = sync_ddl_execute(c->r, q, d, c->timestamp, same ? is_there_already : NULL, err);
    return rc < 0 ? give_back(c, row, err) : done(c, true, err);
}

static int pass(struct coming *c, struct shard_row *row, struct err *err)
{
    int rc = sync_ddl_changed(c->r, c->q, c->d, err);

    if (rc < 0)
        return rc;
    atomic_fetch_add(&c->r->sync->ddl_skipped, 1);
    log_info(c->r->sync->unit.path, "passes by for table %s.%s: %.200s", c->schema, c->table,
             c->text.data);
    shard_done(&row->group, find_me(c, &row->group), c->text.data, after_of(c), false);
    shard_settle(&row->group);
    return commit(c, row, false, err);
}

static void set_from(struct coming *c, struct shard_member *m)
{
    SCOPED(buf_fini) struct buf gtids = BUF_INIT;
    const struct position *pos = &c->r->cp.pos;

    free(m->from_file);
    free(m->from_gtids);
    m->from_gtids = NULL;
    m->from_file = xstrdup(pos->file);
    m->from_at = pos->offset;
    if (!pos->gtids)
        return;
    gtid_set_print(pos->gtids, &gtids);
    m->from_gtids = buf_steal(&gtids);
}

/* ... and where the statement itself is, for the operator. */
static void set_place(struct coming *c, struct shard_member *m)
{
    free(m->ddl_file);
    m->ddl_file = xstrdup(c->r->grouper.file);
    m->ddl_at = sync_event_at(c->r);
}

static int wait(struct coming *c, struct shard_row *row, const struct err *why, struct err *err)
{
    struct shard_member *m = find_me(c, &row->group);
    bool conflict = why->code < 0;

    if (c->r->job->shard_strict && row->group.mode == SHARD_OPTIMISTIC) {
        err_set(err, -EINVAL,
                "fail to handle shard ddl %.200s in optimistic mode, because schema conflict "
                "detected, and strict_optimistic_shard_mode is set: %s",
                c->text.data, conflict ? why->text : "it must wait for other tables");
        return err_because(err, why->reason ? why->reason : REASON_SHARD_CONFLICT);
    }
    shard_wait(m, c->text.data, after_of(c), conflict ? why->text : NULL, clock_wall_us());
    shard_wait_clauses(m, c->steps, c->n_steps);
    set_from(c, m);
    set_place(c, m);
    log_info(c->r->sync->unit.path, "table %s.%s waits before %.200s%s%s", c->schema, c->table,
             c->text.data, conflict ? ": " : "", conflict ? why->text : "");
    return commit(c, row, false, err);
}

/* --- clause by clause --- */

/* Clause number 'i' as a statement, or as one more of that in 'sql'. */
static void scan_clause(struct coming *c, unsigned i, struct buf *sql, struct query *q,
                        struct ddl *d)
{
    if (sql->size) {
        buf_byte(sql, ',');
    } else {
        buf_str(sql, "ALTER TABLE ");
        sql_table(sql, c->schema, c->table);
        buf_byte(sql, ' ');
    }
    buf_add(sql, c->clauses[i].data, c->clauses[i].size);
    *q = *c->q;
    q->sql = slice_of(sql->data, sql->size);
    sync_ddl_scan(c->r, q, d);
}

/* What each clause makes of the shard after those before it. */
static int try_clauses(struct coming *c, const char *now, struct err *err)
{
    unsigned n = sync_ddl_clauses(c->r, c->q, c->d, &c->clauses);

    c->steps = xcalloc(n + 1, sizeof *c->steps);
    for (unsigned i = 0; i < n && n > 1; i++) {
        SCOPED(buf_fini) struct buf sql = BUF_INIT, after = BUF_INIT;
        struct err why = ERR_INIT;
        struct query q;
        struct ddl d;

        scan_clause(c, i, &sql, &q, &d);
        if (try_on(c, &q, &d, i ? c->steps[i - 1] : now, &after, &why) < 0) {
            forget_clauses(c); /* it makes sense with others alone */
            return mysql_err_transient(&why) ? (*err = why, why.code) : 0;
        }
        c->steps[c->n_steps++] = buf_steal(&after);
    }
    return 0;
}

/* Those of them that are to be run. */
static int do_clauses(struct coming *c, struct shard_row *row, const bool *which, struct err *err)
{
    SCOPED(buf_fini) struct buf sql = BUF_INIT;
    struct query q = *c->q;
    struct ddl d;

    for (unsigned i = 0; i < c->n_steps; i++)
        if (which[i])
            scan_clause(c, i, &sql, &q, &d);
    buf_clear(&c->after);
    buf_str(&c->after, c->steps[c->n_steps - 1]);
    c->in_clauses = true;
    return sql.size ? run(c, row, &q, &d, err) : pass(c, row, err);
}

/* 1: each clause passes by itself, *which are to be run.  0: it is to be judged as a whole. */
static int ask_clauses(struct coming *c, const struct shard_group *g, bool **which, struct err *err)
{
    const struct shard_member *me = find_me(c, g);
    int rc = try_clauses(c, me->now, err);

    if (rc < 0)
        return rc;
    *which = xcalloc(c->n_steps + 1, sizeof **which);
    return shard_ask_clauses(g, me, c->steps, c->n_steps, *which);
}

static int decide_whole(struct coming *c, struct shard_row *row, bool begun, struct err *err)
{
    const struct shard_member *me = find_me(c, &row->group);
    struct err why = ERR_INIT;
    int rc = 0;

    if (row->group.mode == SHARD_OPTIMISTIC)
        rc = try_on(c, c->q, c->d, me->now, &c->after, err);
    if (rc < 0)
        return rc;
    if (begun)
        return run(c, row, c->q, c->d, err);
    switch (shard_ask(&row->group, me, c->text.data, after_of(c), &why)) {
    case SHARD_RUN:
        return run(c, row, c->q, c->d, err);
    case SHARD_PASS:
        return pass(c, row, err);
    case SHARD_WAIT:
    case SHARD_CONFLICT:
    case SHARD_N_VERDICTS:
        break;
    }
    return wait(c, row, &why, err);
}

static int decide(struct coming *c, struct err *err)
{
    SCOPED(shard_row_fini) struct shard_row row = { .version = 0 };
    SCOPED(freep) bool *which = NULL;
    bool begun = sync_ddl_begun(c->r, c->q);
    int rc = read_group(c, &row, err);

    forget_clauses(c);
    c->in_clauses = false;
    if (rc == 0 && row.group.mode == SHARD_OPTIMISTIC) {
        rc = know(c, &row.group, err);
        if (rc == 0 && !begun)
            rc = ask_clauses(c, &row.group, &which, err);
    }
    if (rc != 0)
        return rc < 0 ? rc : do_clauses(c, &row, which, err);
    return decide_whole(c, &row, begun, err);
}

static int change(struct coming *c, struct err *err)
{
    int rc = -EAGAIN;

    sync_ddl_text(c->r, c->q, c->d, &c->text);
    buf_byte(&c->text, '\0');
    for (unsigned i = 0; i < TRIES && rc == -EAGAIN; i++) {
        *err = ERR_INIT;
        rc = decide(c, err);
    }
    return rc == -EAGAIN ? too_often(c, err) : rc;
}

/* --- tables that come and go --- */

static int is_there(struct coming *c, bool *ret, struct err *err)
{
    SCOPED(buf_fini) struct buf now = BUF_INIT;
    int rc = ddl_look(c->r->admin, &c->to, 1, &now, err);

    *ret = now.size > 1;
    return rc;
}

/* A shard more: the target's table is made for the first one alone. */
static int create(struct coming *c, struct err *err)
{
    bool there = false, begun = sync_ddl_begun(c->r, c->q);
    int rc = is_there(c, &there, err);

    if (rc == 0 && (!there || begun)) {
        there = false;
        rc = sync_ddl_execute(c->r, c->q, c->d, c->timestamp, NULL, err);
    } else if (rc == 0) {
        rc = sync_ddl_changed(c->r, c->q, c->d, err);
    }
    for (unsigned i = 0; i < TRIES && rc == 0; i++) {
        SCOPED(shard_row_fini) struct shard_row row = { .version = 0 };
        struct shard_member *m;

        *err = ERR_INIT;
        rc = read_group(c, &row, err);
        if (rc < 0)
            return rc;
        m = find_me(c, &row.group); /* it may be known from a look at what the source has now */
        if (m->state == SHARD_FOLLOWS)
            m->step = row.group.step;
        rc = commit(c, &row, !there, err);
        if (rc != -EAGAIN)
            return rc;
        rc = 0;
    }
    return rc == 0 ? too_often(c, err) : rc;
}

/* --- which of them it is --- */

static bool is_alone(const struct sync_run *r, const struct route *to)
{
    const struct shard_row *row = shard_rows_find(&r->shards->rows, to->to_schema, to->to_table);

    return !row || (row->group.n <= 1 && !row->group.incomplete);
}

static bool renames(const struct ddl *d)
{
    for (unsigned i = 0; i < d->n_names; i++)
        if (d->names[i].to)
            return true;
    return false;
}

/* Of no table that is one of several, and to no other name of one that becomes the same: as
 * everywhere. */
static bool is_plain_rename(const struct coming *c)
{
    struct route was, is;

    for (unsigned i = 0; i < c->d->n_names; i++)
        if (sync_ddl_in_scope(c->r, c->q, &c->d->names[i], &is) && !is_alone(c->r, &is))
            return false;
    return !sync_ddl_in_scope(c->r, c->q, &c->d->names[0], &was) ||
           !sync_ddl_in_scope(c->r, c->q, &c->d->names[1], &is) ||
           strcmp(was.to_schema, is.to_schema) != 0 || strcmp(was.to_table, is.to_table) != 0;
}

/* Any name that this run is to look at? */
static bool any_for(const struct coming *c)
{
    for (unsigned i = 0; i < c->d->n_names; i++) {
        char schema[200], table[200];

        sync_ddl_names(c->q, &c->d->names[i], schema, table);
        if (c->d->class == DDL_DROP_DATABASE || (renames(c->d) && !c->r->second) ||
            shard_is_for(c->r, schema, table))
            return true;
    }
    return false;
}

static int handle(struct coming *c, enum sync_shard_ddl *ret, struct err *err)
{
    int rc;

    *ret = SHARD_DDL_DONE;
    switch (c->d->class) {
    case DDL_ALTER_TABLE:
    case DDL_CREATE_INDEX:
    case DDL_DROP_INDEX:
        if (renames(c->d))
            break;
        rc = c->r->mode->drain(c->r, err);
        return rc == 0 ? change(c, err) : rc;
    case DDL_CREATE_TABLE:
    case DDL_CREATE_TABLE_LIKE:
        rc = c->r->mode->drain(c->r, err);
        return rc == 0 ? create(c, err) : rc;
    case DDL_DROP_TABLE:
    case DDL_DROP_DATABASE:
        rc = c->r->mode->drain(c->r, err);
        return rc == 0 ? shard_drop_tables(c->r, c->q, c->d, c->pos, err) : rc;
    case DDL_TRUNCATE_TABLE:
        atomic_fetch_add(&c->r->sync->ddl_skipped, 1);
        *ret = SHARD_DDL_PASS_BY;
        return 0;
    default:
        break;
    }
    if (!renames(c->d) || is_plain_rename(c)) {
        *ret = SHARD_DDL_OTHER;
        return 0;
    }
    rc = c->r->mode->drain(c->r, err);
    return rc == 0 ? shard_rename_tables(c->r, c->q, c->d, c->pos, err) : rc;
}

static bool is_of_shards(const struct coming *c)
{
    const struct ddl *d = c->d;
    bool tables = d->class == DDL_ALTER_TABLE || d->class == DDL_CREATE_INDEX ||
                  d->class == DDL_DROP_INDEX || d->class == DDL_CREATE_TABLE ||
                  d->class == DDL_CREATE_TABLE_LIKE || d->class == DDL_DROP_TABLE ||
                  d->class == DDL_TRUNCATE_TABLE || d->class == DDL_RENAME_TABLE;

    return d->n_names > 0 && !d->temporary && (tables || d->class == DDL_DROP_DATABASE);
}

// NOLINTNEXTLINE(readability-function-size): all that a statement is
int sync_shard_ddl(struct sync_run *r, const struct query *q, const struct ddl *d,
                   uint32_t timestamp, const struct position *pos, enum sync_shard_ddl *ret,
                   struct err *err)
{
    SCOPED(coming_fini)
    struct coming c = { .r = r, .q = q, .d = d, .timestamp = timestamp, .pos = pos };

    *ret = SHARD_DDL_OTHER;
    if (!r->shards || !is_of_shards(&c)) {
        if (r->second) /* the main stream has it */
            *ret = SHARD_DDL_PASS_BY;
        return 0;
    }
    if (!sync_ddl_in_scope(r, q, &d->names[0], &c.to) && d->class != DDL_DROP_TABLE &&
        d->class != DDL_RENAME_TABLE)
        return 0;
    sync_ddl_names(q, &d->names[0], c.schema, c.table);
    if (!any_for(&c)) {
        *ret = SHARD_DDL_PASS_BY;
        return 0;
    }
    return handle(&c, ret, err);
}
