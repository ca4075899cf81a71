/* Pessimistic merging: all shards have the same DDLs in the same order (DM's algorithm of the same
 * name, with a cursor a shard instead of one a source). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "route/ddl_lex.h"
#include "route/shard_group.h"

static int shown(const char *s)
{
    size_t n = strlen(s);

    return (int)(n < 200 ? n : 200);
}

/* The DDL at which the group was in its step number 'step', if anybody still has to come to it. */
static const char *at_step(const struct shard_group *g, uint64_t step)
{
    uint64_t back = g->step - step;

    return back && back <= g->n_history ? g->history[g->n_history - back] : NULL;
}

/* Of one that is behind: the others passed this DDL already. */
static enum shard_verdict follow(const struct shard_group *g, const struct shard_member *m,
                                 const char *ddl, struct err *why)
{
    const char *expected = at_step(g, m->step);

    if (!expected || ddl_same(slice_str(expected), slice_str(ddl)))
        return SHARD_PASS;
    err_set(why, -EINVAL,
            "detect inconsistent DDL sequence from source %s: `%s`.`%s` comes to %.*s where the "
            "others had %.*s",
            m->source, m->schema, m->table, shown(ddl), ddl, shown(expected), expected);
    err_because(why, REASON_SHARD_SEQUENCE);
    return SHARD_CONFLICT;
}

enum shard_verdict pessimist_ask(const struct shard_group *g, const struct shard_member *m,
                                 const char *ddl, struct err *why)
{
    const struct shard_member *owner = shard_owner(g);
    bool all = !g->incomplete;

    if (m->step < g->step)
        return follow(g, m, ddl, why);
    if (m->step > g->step) /* it was told to leave out what the others have not come to yet */
        return SHARD_WAIT;
    if (owner && owner != m && owner->step == g->step && !shard_left_out(owner) &&
        !ddl_same(slice_str(owner->ddl), slice_str(ddl))) {
        err_set(why, -EINVAL,
                "the DDL of source %s `%s`.`%s` is different with that of source %s `%s`.`%s`: "
                "%.*s, and %.*s",
                m->source, m->schema, m->table, owner->source, owner->schema, owner->table,
                shown(ddl), ddl, shown(owner->ddl), owner->ddl);
        err_because(why, REASON_SHARD_DIFFERS);
        return SHARD_CONFLICT;
    }
    for (unsigned i = 0; i < g->n; i++) {
        const struct shard_member *o = &g->members[i];
        bool here = o->step == g->step && o->ddl &&
                    (shard_left_out(o) || ddl_same(slice_str(o->ddl), slice_str(ddl)));

        all = all && (o == m || here || o->step > g->step);
    }
    return all ? SHARD_RUN : SHARD_WAIT;
}

enum shard_verdict pessimist_ask_left_out(const struct shard_group *g, const struct shard_member *m)
{
    for (unsigned i = 0; i < g->n && m->step == g->step; i++) {
        const struct shard_member *o = &g->members[i];

        if (o != m && o->ddl && o->step == g->step && !shard_left_out(o))
            return SHARD_WAIT;
    }
    return SHARD_PASS;
}

/* What nobody has to come to any more. */
static void forget_history(struct shard_group *g)
{
    uint64_t least = g->step;
    unsigned keep;

    for (unsigned i = 0; i < g->n; i++)
        least = g->members[i].step < least ? g->members[i].step : least;
    keep = (unsigned)(g->step - least);
    while (g->n_history > keep) {
        free(g->history[0]);
        memmove(g->history, g->history + 1, --g->n_history * sizeof *g->history);
    }
}

void pessimist_step(struct shard_group *g, const char *ddl)
{
    g->history = xrealloc(g->history, (g->n_history + 1) * sizeof *g->history);
    g->history[g->n_history++] = xstrdup(ddl);
    g->step++;
}

void pessimist_done(struct shard_group *g, struct shard_member *m, const char *ddl, bool ran)
{
    uint64_t least = UINT64_MAX;

    if (ran && m->step == g->step)
        pessimist_step(g, ddl);
    m->step++;
    for (unsigned i = 0; i < g->n; i++)
        least = g->members[i].step < least ? g->members[i].step : least;
    while (g->step < least) /* each was told to leave it out */
        pessimist_step(g, ddl);
    forget_history(g);
}
