/* Sharded tables that go, or get other names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_shard_priv.h"

#define TRIES 50

/* A statement, and what of it concerns which group. */
struct naming {
    struct sync_run *r;
    const struct query *q;
    const struct ddl *d;
    /* 1: the group has changed, 0: it has not; <0 */
    int (*change)(const struct naming *n, struct shard_group *g, struct err *err);
    bool excused; /* the operator has done at the target what else it takes */
};

struct name {
    char schema[200], table[200]; /* at the source */
};

static void name_at(const struct naming *n, unsigned i, struct name *ret)
{
    sync_ddl_names(n->q, &n->d->names[i], ret->schema, ret->table);
}

static bool same(const struct name *a, const struct name *b)
{
    return strcmp(a->schema, b->schema) == 0 && strcmp(a->table, b->table) == 0;
}

static bool is_mine(const struct naming *n, const struct shard_member *m)
{
    return strcmp(m->source, n->r->job->source) == 0;
}

/* --- in one transaction with the checkpoint that is past it --- */

static int change_groups(const struct naming *n, struct shard_rows *rows, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; i < rows->n && rc >= 0; i++) {
        SCOPED(buf_fini) struct buf sql = BUF_INIT;

        rc = n->change(n, &rows->at[i].group, err);
        if (rc <= 0)
            continue;
        shard_settle(&rows->at[i].group);
        shard_store_sql(n->r->job, &rows->at[i], &sql);
        rc = sink_statement(n->r->main.sink, slice_of(sql.data, sql.size), err);
    }
    return rc < 0 ? rc : sink_commit(n->r->main.sink, err);
}

static int change_once(const struct naming *n, const struct position *pos, struct err *err)
{
    SCOPED(shard_rows_fini) struct shard_rows rows = { .n = 0 };
    struct sync_run *r = n->r;
    int rc = shard_store_read(r->admin, r->job, &rows, err);

    if (rc < 0)
        return rc;
    sink_begin(r->main.sink, pos, 0);
    rc = change_groups(n, &rows, err);
    if (rc < 0) {
        sink_rollback(r->main.sink);
        return shard_store_stale(err) ? (err->code = -EAGAIN) : rc;
    }
    sync_publish(r);
    r->mode->passed(r, pos);
    return shard_tell(r, err);
}

static int change_all(const struct naming *n, const struct position *pos, struct err *err)
{
    int rc = -EAGAIN;

    for (unsigned i = 0; i < TRIES && rc == -EAGAIN; i++) {
        *err = ERR_INIT;
        rc = change_once(n, pos, err);
    }
    if (rc == 0)
        atomic_fetch_add(&n->r->sync->ddl_skipped, 1);
    return rc == -EAGAIN ? err_set(err, -EBUSY, "shards change too fast") : rc;
}

/* --- DROP --- */

static bool is_dropped(const struct naming *n, const struct shard_member *m)
{
    bool whole = n->d->class == DDL_DROP_DATABASE;

    if (!is_mine(n, m) || !shard_is_for(n->r, m->schema, m->table))
        return false;
    for (unsigned i = 0; i < n->d->n_names; i++) {
        struct name at;

        name_at(n, i, &at);
        if (strcmp(m->schema, at.schema) == 0 && (whole || strcmp(m->table, at.table) == 0))
            return true;
    }
    return false;
}

static int drop_from(const struct naming *n, struct shard_group *g, struct err *err)
{
    unsigned before = g->n;

    for (unsigned k = g->n; k-- > 0;) {
        struct shard_member *m = &g->members[k];
        int rc;

        if (!is_dropped(n, m))
            continue;
        rc = sync_tables_changed(n->r->tables, m->schema, m->table, SYNC_CHANGE_DROPPED,
                                 n->r->cp.seq, err);
        if (rc < 0)
            return rc;
        shard_leave(g, m);
    }
    return g->n != before;
}

int shard_drop_tables(struct sync_run *r, const struct query *q, const struct ddl *d,
                      const struct position *pos, struct err *err)
{
    struct naming n = { .r = r, .q = q, .d = d, .change = drop_from };

    return change_all(&n, pos, err);
}

/* --- RENAME --- */

/* What the statement makes of the name, which may be several steps. */
static void follow(const struct naming *n, struct name *at)
{
    for (unsigned i = 0; i + 1 < n->d->n_names; i += 2) {
        struct name from;

        name_at(n, i, &from);
        if (same(at, &from))
            name_at(n, i + 1, at);
    }
}

/* ... and of which name it makes that. */
static void follow_back(const struct naming *n, struct name *at)
{
    for (unsigned i = n->d->n_names / 2; i-- > 0;) {
        struct name to;

        name_at(n, 2 * i + 1, &to);
        if (same(at, &to))
            name_at(n, 2 * i, at);
    }
}

static int cannot(const struct naming *n, const char *why, struct err *err)
{
    struct slice sql = n->q->sql;

    err_set(err, -ENOTSUP,
            "`RENAME TABLE` statement not supported in %s mode for a table that is one of "
            "several shards, if %s: %.*s",
            n->r->job->shard_mode == SHARD_OPTIMISTIC ? "optimistic" : "pessimistic", why,
            SLICE_HEAD(sql, 200));
    return err_because(err, REASON_STATEMENT_UNSUPPORTED);
}

#define SAY_DONE "'echo as=done > resolve_ddl' (an action of sync) and resume"

/* Names that come into the sight of the task have to be shards of the same target already. */
static int check_comers(const struct naming *n, struct err *err)
{
    for (unsigned i = 1; i < n->d->n_names; i += 2) {
        struct name from, to;
        struct route was, is;

        name_at(n, i, &to);
        from = to;
        follow(n, &to);
        if (!same(&from, &to)) /* a step on the way */
            continue;
        follow_back(n, &from);
        if (!router_table(n->r->job->router, to.schema, to.table, &is))
            continue;
        if (!router_table(n->r->job->router, from.schema, from.table, &was))
            return cannot(n,
                          "it was none before, since its rows may not be at the target: see that "
                          "they are, then " SAY_DONE,
                          err);
        if (strcmp(was.to_schema, is.to_schema) != 0 || strcmp(was.to_table, is.to_table) != 0)
            return cannot(n,
                          "it becomes a shard of another table of the target: move its rows there, "
                          "then " SAY_DONE,
                          err);
    }
    return 0;
}

/* What becomes of a shard. */
struct change {
    bool changed; /* another name, which is 'to' */
    struct name to;
};

static struct name name_of(const struct shard_member *m)
{
    struct name ret;

    snprintf(ret.schema, sizeof ret.schema, "%s", m->schema);
    snprintf(ret.table, sizeof ret.table, "%s", m->table);
    return ret;
}

static void give_name(struct shard_member *m, const struct name *to)
{
    free(m->schema);
    free(m->table);
    m->schema = xstrdup(to->schema);
    m->table = xstrdup(to->table);
}

static bool find_changes(const struct naming *n, const struct shard_group *g, struct change *ret)
{
    bool any = false;

    for (unsigned i = 0; i < g->n; i++) {
        struct name was = name_of(&g->members[i]);

        ret[i] = (struct change){ .to = was };
        follow(n, &ret[i].to);
        ret[i].changed = is_mine(n, &g->members[i]) && !same(&was, &ret[i].to);
        any |= ret[i].changed;
    }
    return any;
}

/* One that waits is to be read again by the name that it had.  No word of the operator helps, but
 * one on the lock: it is not kept for another statement. */
static int check_waiting(const struct naming *n, struct err *err)
{
    const struct sync_shards *s = n->r->shards;

    for (unsigned i = 0; i < s->n_mine; i++) {
        struct name was = name_of(s->mine[i]), to = was;
        struct err ignored = ERR_INIT;
        bool done;

        follow(n, &to);
        if (same(&was, &to))
            continue;
        sync_ddl_word(n->r->job, &done, &ignored);
        return cannot(n,
                      "it waits before a DDL: resolve that in locks (exec, skip or adopt of this "
                      "table), and resume",
                      err);
    }
    return 0;
}

/* One that is known already, from a look at what the source has now, is the one that comes. */
static bool is_the_same(const struct naming *n, const struct shard_group *g,
                        const struct change *changes, unsigned i)
{
    struct name is = name_of(&g->members[i]);

    for (unsigned k = 0; k < g->n && !changes[i].changed && is_mine(n, &g->members[i]); k++)
        if (changes[k].changed && same(&changes[k].to, &is))
            return true;
    return false;
}

/* Out of sight, or to another group. */
static bool leaves(const struct naming *n, const struct shard_group *g, const struct name *to)
{
    struct route is;

    return !router_table(n->r->job->router, to->schema, to->table, &is) ||
           strcmp(is.to_schema, g->schema) != 0 || strcmp(is.to_table, g->table) != 0;
}

static int rename_in(const struct naming *n, struct shard_group *g, struct err *err)
{
    SCOPED(freep) struct change *changes = xcalloc(g->n + 1, sizeof *changes);
    SCOPED(freep) bool *goes = xcalloc(g->n + 1, sizeof *goes);
    bool any = find_changes(n, g, changes);

    (void)err;
    for (unsigned i = 0; i < g->n && any; i++)
        goes[i] = changes[i].changed ? leaves(n, g, &changes[i].to) : is_the_same(n, g, changes, i);
    for (unsigned i = g->n; i-- > 0 && any;) {
        struct shard_member *m = &g->members[i];

        if (goes[i]) {
            shard_leave(g, m);
        } else if (changes[i].changed) {
            give_name(m, &changes[i].to);
            if (n->excused) { /* whatever else the statement made of it: as the target is */
                free(m->now);
                m->now = NULL;
            }
        }
    }
    return any;
}

/* ALTER TABLE a ADD c INT, RENAME TO b: two things that are not of one kind. */
static bool does_more(const struct naming *n)
{
    struct slice *clauses;

    return n->d->class != DDL_RENAME_TABLE && sync_ddl_clauses(n->r, n->q, n->d, &clauses) > 1;
}

/* May it be done?  What else it takes can only be done by hand. */
static int check_rename(struct naming *n, struct err *err)
{
    struct err none = ERR_INIT;
    int rc = check_comers(n, err);

    if (rc == 0 && does_more(n))
        rc = cannot(n,
                    "the same statement changes it: run what is needed of it at the target, "
                    "then " SAY_DONE,
                    err);
    if (rc == 0)
        return sync_ddl_changed(n->r, n->q, n->d, err);
    rc = sync_ddl_excused(n->r, n->q, n->d, &none);
    if (rc <= 0)
        return rc < 0 ? (*err = none, rc) : err->code;
    *err = ERR_INIT;
    n->excused = true;
    return 0;
}

int shard_rename_tables(struct sync_run *r, const struct query *q, const struct ddl *d,
                        const struct position *pos, struct err *err)
{
    struct naming n = { .r = r, .q = q, .d = d, .change = rename_in };
    int rc = check_waiting(&n, err);

    if (rc == 0)
        rc = check_rename(&n, err);
    if (rc == 0)
        rc = change_all(&n, pos, err);
    if (rc == 0)
        log_info(r->sync->unit.path, "shards have other names: %.*s", SLICE_HEAD(q->sql, 200));
    return rc;
}
