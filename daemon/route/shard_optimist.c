/* Optimistic merging: the target takes the rows of all shards as they are (DM's algorithm of the
 * same name; its redirect is a second reading that asks again). */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/shard_group.h"
#include "route/shard_table.h"

/* The structures of a group, parsed. */
struct view {
    const struct shard_group *group;
    unsigned me;
    struct shard_table *now, *wanted; /* by member; wanted without columns: it stands nowhere */
    struct shard_table after;
};

static void view_fini(struct view *v)
{
    for (unsigned i = 0; v->now && i < v->group->n; i++) {
        shard_table_fini(&v->now[i]);
        shard_table_fini(&v->wanted[i]);
    }
    free(v->now);
    free(v->wanted);
    shard_table_fini(&v->after);
}

static int parse(const char *create, struct shard_table *ret, struct err *err)
{
    return create ? shard_table_parse(slice_str(create), ret, err) : 0;
}

static int view_init(struct view *v, const struct shard_group *g, const struct shard_member *me,
                     const char *after, struct err *err)
{
    int rc = 0;

    *v = (struct view){ .group = g, .me = me ? (unsigned)(me - g->members) : g->n };
    v->now = xcalloc(g->n + 1, sizeof *v->now);
    v->wanted = xcalloc(g->n + 1, sizeof *v->wanted);
    for (unsigned i = 0; i < g->n && rc == 0; i++) {
        const struct shard_member *m = &g->members[i];

        /* What is made already for one that is still to come to it is what the target has. */
        bool made = m != me && m->word == SHARD_ADOPT && m->wanted;

        rc = parse(made ? m->wanted : m->now, &v->now[i], err);
        if (rc == 0)
            rc = parse(made ? NULL : m->wanted, &v->wanted[i], err);
    }
    return rc == 0 ? parse(after, &v->after, err) : rc;
}

static const struct shard_table *final_of(const struct view *v, unsigned i)
{
    return v->wanted[i].n_cols ? &v->wanted[i] : &v->now[i];
}

/* What takes the rows of all; 'mine' instead of the asker's.  'store' has what the joins on the way
 * own. */
static int join_all(const struct view *v, const struct shard_table *mine,
                    struct shard_table store[static 2], const struct shard_table **ret,
                    struct err *err)
{
    const struct shard_table *all = NULL;
    unsigned next = 0;
    int rc = 0;

    store[0] = store[1] = (struct shard_table){ .n_cols = 0 };
    for (unsigned i = 0; i < v->group->n && rc == 0; i++) {
        const struct shard_table *t = i == v->me && mine ? mine : &v->now[i];

        if (!all) {
            all = t;
            continue;
        }
        shard_table_fini(&store[next]);
        rc = shard_table_join(all, t, &store[next], err);
        all = &store[next];
        next = !next;
    }
    *ret = all;
    return rc;
}

static void pair_fini(struct shard_table (*store)[2])
{
    shard_table_fini(&(*store)[0]);
    shard_table_fini(&(*store)[1]);
}

/* --- columns that come again, or come otherwise --- */

static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = list; at && *at; at += strcspn(at, ",") + 1)
        if (strcspn(at, ",") == n && strncasecmp(at, name, n) == 0)
            return true;
    return false;
}

/* A new column of one shard must be what it is in the others already: rows of those are there. */
static int check_added(const struct view *v, const struct shard_member *m, struct err *why)
{
    const struct shard_table *now = &v->now[v->me];

    for (unsigned c = 0; c < v->after.n_cols; c++) {
        const struct shard_column *col = &v->after.cols[c];

        if (shard_table_column(now, col->name))
            continue;
        if (listed(m->dropped, col->name)) {
            err_set(why, -EINVAL,
                    "add column %s wasn't fully dropped in downstream: source %s `%s`.`%s` adds it "
                    "again while others still have it",
                    col->name, m->source, m->schema, m->table);
            return err_because(why, REASON_SHARD_NOT_DROPPED);
        }
        for (unsigned i = 0; i < v->group->n; i++) {
            const struct shard_column *other = shard_table_column(&v->now[i], col->name);

            if (i != v->me && other && strcmp(other->type, col->type) != 0) {
                err_set(why, -EINVAL,
                        "because schema conflict detected: column %s is added as %s, and another "
                        "table has it as %s",
                        col->name, col->type, other->type);
                return err_because(why, REASON_SHARD_CONFLICT);
            }
        }
    }
    return 0;
}

/* --- the verdict --- */

/* A DDL that only adds, or only takes away. */
static enum shard_verdict plain(const struct view *v, const struct shard_member *m, struct err *why)
{
    SCOPED(pair_fini) struct shard_table before[2] = { { .n_cols = 0 } };
    SCOPED(pair_fini) struct shard_table after[2] = { { .n_cols = 0 } };
    const struct shard_table *old = NULL, *new = NULL;
    struct err none = ERR_INIT;
    int rc_old = join_all(v, NULL, before, &old, &none);

    if (join_all(v, &v->after, after, &new, why) < 0) {
        err_wrap(why, "because schema conflict detected");
        err_because(why, REASON_SHARD_CONFLICT);
        return SHARD_CONFLICT;
    }
    if (check_added(v, m, why) < 0)
        return SHARD_CONFLICT;
    return rc_old < 0 || shard_table_compare(old, new) != SHARD_EQUAL ? SHARD_RUN : SHARD_PASS;
}

/* Another one has a column that this would make of another column: there the target's has rows. */
static bool is_taken(const struct view *v, unsigned by)
{
    for (unsigned c = 0; c < v->after.n_cols; c++)
        if (!shard_table_column(&v->now[v->me], v->after.cols[c].name) &&
            shard_table_column(&v->now[by], v->after.cols[c].name))
            return true;
    return false;
}

static bool same_keys(const struct shard_table *a, const struct shard_table *b)
{
    for (unsigned i = 0; i < a->n_keys; i++) {
        bool found = false;

        for (unsigned k = 0; k < b->n_keys && !found; k++)
            found = strcasecmp(a->keys[i].name, b->keys[k].name) == 0 &&
                    strcmp(a->keys[i].text, b->keys[k].text) == 0;
        if (!found)
            return false;
    }
    return a->n_keys == b->n_keys;
}

/* Does the DDL do something to columns that this one has, or to keys?  Else the target's are mine
 * alone. */
static bool concerns(const struct view *v, const struct shard_table *other)
{
    const struct shard_table *now = &v->now[v->me], *after = &v->after;

    for (unsigned c = 0; c < now->n_cols; c++) {
        const struct shard_column *is = shard_table_column(after, now->cols[c].name);

        if ((!is || shard_column_compare(&now->cols[c], is, NULL) != SHARD_EQUAL) &&
            shard_table_column(other, now->cols[c].name))
            return true;
    }
    for (unsigned c = 0; c < after->n_cols; c++)
        if (!shard_table_column(now, after->cols[c].name) &&
            shard_table_column(other, after->cols[c].name))
            return true;
    return !same_keys(now, after);
}

static bool unconcerned(const struct view *v, unsigned i)
{
    SCOPED(shard_table_fini) struct shard_table both = { .n_cols = 0 };
    struct err none = ERR_INIT;

    return !concerns(v, &v->now[i]) && !(v->wanted[i].n_cols && concerns(v, &v->wanted[i])) &&
           shard_table_join(&v->now[i], &v->after, &both, &none) == 0;
}

/* A DDL that replaces: it can be run once all others that it concerns want the same, or take what
 * it makes. */
static enum shard_verdict replacing(const struct view *v, struct err *why)
{
    bool all = true;

    for (unsigned i = 0; i < v->group->n; i++) {
        const struct shard_member *other = &v->group->members[i];
        enum shard_order o;

        if (i == v->me || unconcerned(v, i))
            continue;
        o = shard_table_compare(final_of(v, i), &v->after);
        if (v->wanted[i].n_cols && o == SHARD_APART) {
            err_set(why, -EINVAL,
                    "because schema conflict detected: source %s `%s`.`%s` waits with another "
                    "change: %.200s",
                    other->source, other->schema, other->table, other->ddl);
            err_because(why, REASON_SHARD_CONFLICT);
            return SHARD_CONFLICT;
        }
        all = all && (o == SHARD_EQUAL || o == SHARD_SMALLER) && !is_taken(v, i);
    }
    return all ? SHARD_RUN : SHARD_WAIT;
}

static enum shard_verdict judge(const struct view *v, const struct shard_member *m, struct err *why)
{
    enum shard_order o = shard_table_compare(&v->now[v->me], &v->after);

    switch (o) {
    case SHARD_EQUAL: /* of things that are not looked at: partitions, comments, the engine */
        return SHARD_RUN;
    case SHARD_SMALLER:
    case SHARD_LARGER:
        return plain(v, m, why);
    case SHARD_APART:
        break;
    }
    return replacing(v, why);
}

enum shard_verdict optimist_ask(const struct shard_group *g, const struct shard_member *m,
                                const char *after, struct err *why)
{
    SCOPED(view_fini) struct view v = { .group = g };

    if (view_init(&v, g, m, after, why) < 0)
        return SHARD_CONFLICT;
    if (g->n == 1 && !g->incomplete)
        return SHARD_RUN;
    return g->incomplete ? SHARD_WAIT : judge(&v, m, why);
}

/* --- afterwards --- */

static bool any_has(const struct view *v, const char *column)
{
    for (unsigned i = 0; i < v->group->n; i++)
        if (shard_table_column(i == v->me ? &v->after : &v->now[i], column))
            return true;
    return false;
}

/* Columns that it has no more while others do; what nobody has is forgotten. */
static void note_dropped(const struct view *v, struct shard_member *m)
{
    const struct shard_table *now = &v->now[v->me];

    for (unsigned i = 0; i < v->group->n; i++) {
        struct shard_member *o = &v->group->members[i];
        SCOPED(buf_fini) struct buf kept = BUF_INIT;

        for (const char *at = o->dropped; at && *at; at += strcspn(at, ",") + 1) {
            SCOPED(freep) char *name = xstrndup(at, strcspn(at, ","));

            if (any_has(v, name))
                buf_printf(&kept, "%s,", name);
        }
        for (unsigned c = 0; o == m && c < now->n_cols; c++) {
            const char *name = now->cols[c].name;

            if (!shard_table_column(&v->after, name) && any_has(v, name) &&
                !listed(o->dropped, name))
                buf_printf(&kept, "%s,", name);
        }
        free(o->dropped);
        o->dropped = kept.size ? buf_steal(&kept) : NULL;
    }
}

/* Each column that comes or goes from 'a' to 'b' does so from 'c' to 'd'. */
static bool follows(const struct shard_table *a, const struct shard_table *b,
                    const struct shard_table *c, const struct shard_table *d)
{
    for (unsigned i = 0; i < a->n_cols; i++) {
        const char *name = a->cols[i].name;

        if (!shard_table_column(b, name) &&
            (!shard_table_column(c, name) || shard_table_column(d, name)))
            return false;
    }
    for (unsigned i = 0; i < b->n_cols; i++) {
        const char *name = b->cols[i].name;

        if (!shard_table_column(a, name) &&
            (shard_table_column(c, name) || !shard_table_column(d, name)))
            return false;
    }
    return true;
}

static bool same_change(const struct view *v, unsigned i)
{
    const struct shard_table *now = &v->now[v->me], *after = &v->after;

    return follows(now, after, &v->now[i], &v->wanted[i]) &&
           follows(&v->now[i], &v->wanted[i], now, after);
}

/* What was run replaced something in the rows of those who waited for it too: it is made for them,
 * and only for them.  One that comes later has rows that it was not made for. */
static void note_made(const struct view *v)
{
    if (shard_table_compare(&v->now[v->me], &v->after) != SHARD_APART)
        return;
    for (unsigned i = 0; i < v->group->n; i++) {
        struct shard_member *o = &v->group->members[i];
        enum shard_order order;

        if (i == v->me || !v->wanted[i].n_cols || !same_change(v, i) ||
            shard_table_compare(&v->now[i], &v->wanted[i]) != SHARD_APART)
            continue;
        order = shard_table_compare(&v->wanted[i], &v->after);
        if (order == SHARD_EQUAL || order == SHARD_SMALLER)
            o->word = SHARD_ADOPT;
    }
}

void optimist_done(struct shard_group *g, struct shard_member *m, const char *after, bool ran)
{
    SCOPED(view_fini) struct view v = { .group = g };
    struct err none = ERR_INIT;

    if (!after)
        return;
    if (view_init(&v, g, m, after, &none) == 0) {
        note_dropped(&v, m);
        if (ran)
            note_made(&v);
    }
    free(m->now);
    m->now = xstrdup(after);
}

bool optimist_same(const char *now, const char *after)
{
    SCOPED(shard_table_fini) struct shard_table a, b = { .n_cols = 0 };
    struct err none = ERR_INIT;

    return parse(now, &a, &none) == 0 && parse(after, &b, &none) == 0 &&
           shard_table_compare(&a, &b) == SHARD_EQUAL;
}

/* --- what the operator sees --- */

bool optimist_synced(const struct shard_group *g, const struct shard_member *m)
{
    SCOPED(view_fini) struct view v = { .group = g };
    SCOPED(pair_fini) struct shard_table store[2] = { { .n_cols = 0 } };
    const struct shard_table *all = NULL;
    struct err none = ERR_INIT;
    unsigned at = (unsigned)(m - g->members);

    if (m->ddl || m->conflict)
        return false;
    if (view_init(&v, g, NULL, NULL, &none) < 0 || join_all(&v, NULL, store, &all, &none) < 0)
        return false;
    return !v.now[at].n_cols || shard_table_compare(&v.now[at], all) == SHARD_EQUAL;
}

bool optimist_differ(const struct shard_group *g)
{
    for (unsigned i = 1; i < g->n; i++)
        if (g->members[i].now && g->members[0].now &&
            strcmp(g->members[i].now, g->members[0].now) != 0 &&
            (!optimist_synced(g, &g->members[i]) || !optimist_synced(g, &g->members[0])))
            return true;
    return false;
}
