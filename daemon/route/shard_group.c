#include "route/shard_group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"

const char *const shard_state_names[] = {
    "follows", "waits", "released", "picked", "passing", NULL
};
const char *const shard_word_names[] = { "ask", "exec", "skip", "adopt", NULL };

/* --- members --- */

static void replace(char **field, const char *text)
{
    char *copy = text ? xstrdup(text) : NULL;

    free(*field);
    *field = copy;
}

static void forget_clauses(struct shard_member *m)
{
    for (unsigned i = 0; i < m->n_steps; i++)
        free(m->steps[i]);
    free(m->steps);
    m->steps = NULL;
    m->n_steps = 0;
}

static void member_fini(struct shard_member *m)
{
    forget_clauses(m);
    free(m->source);
    free(m->schema);
    free(m->table);
    free(m->now);
    free(m->dropped);
    free(m->ddl);
    free(m->ddl_file);
    free(m->wanted);
    free(m->conflict);
    free(m->from_file);
    free(m->from_gtids);
}

void shard_group_fini(struct shard_group *g)
{
    for (unsigned i = 0; i < g->n; i++)
        member_fini(&g->members[i]);
    for (unsigned i = 0; i < g->n_history; i++)
        free(g->history[i]);
    free(g->members);
    free(g->history);
    free(g->schema);
    free(g->table);
    free(g->runner);
    *g = (struct shard_group){ .mode = SHARD_OFF };
}

struct shard_member *shard_find(const struct shard_group *g, const char *source, const char *schema,
                                const char *table)
{
    for (unsigned i = 0; i < g->n; i++) {
        struct shard_member *m = &g->members[i];

        if (strcmp(m->source, source) == 0 && strcmp(m->schema, schema) == 0 &&
            strcmp(m->table, table) == 0)
            return m;
    }
    return NULL;
}

struct shard_member *shard_join(struct shard_group *g, const char *source, const char *schema,
                                const char *table, const char *now)
{
    struct shard_member *m;

    g->members = xrealloc(g->members, (g->n + 1) * sizeof *g->members);
    m = &g->members[g->n++];
    *m = (struct shard_member){ .source = xstrdup(source),
                                .schema = xstrdup(schema),
                                .table = xstrdup(table),
                                .now = now ? xstrdup(now) : NULL,
                                .step = g->step };
    return m;
}

void shard_leave(struct shard_group *g, struct shard_member *m)
{
    size_t at = (size_t)(m - g->members);

    member_fini(m);
    memmove(m, m + 1, (g->n - at - 1) * sizeof *m);
    g->n--;
}

void shard_know(struct shard_group *g, const char *create)
{
    for (unsigned i = 0; i < g->n; i++)
        if (!g->members[i].now)
            g->members[i].now = xstrdup(create);
}

/* --- asking and going on --- */

static bool is_runner(const struct shard_group *g, const struct shard_member *m)
{
    SCOPED(freep) char *name = xasprintf("%s/%s/%s", m->source, m->schema, m->table);

    return strcmp(g->runner, name) == 0;
}

enum shard_verdict shard_ask(const struct shard_group *g, const struct shard_member *m,
                             const char *ddl, const char *after, struct err *why)
{
    if (g->runner)
        return is_runner(g, m) ? SHARD_RUN : SHARD_WAIT;
    switch (m->word) {
    case SHARD_EXEC:
        return SHARD_RUN;
    case SHARD_SKIP:
    case SHARD_ADOPT:
        return g->mode == SHARD_PESSIMISTIC ? pessimist_ask_left_out(g, m) : SHARD_PASS;
    case SHARD_ASK:
    case SHARD_N_WORDS:
        break;
    }
    return g->mode == SHARD_OPTIMISTIC ? optimist_ask(g, m, after, why)
                                       : pessimist_ask(g, m, ddl, why);
}

/* --- clause by clause --- */

/* What optimist_ask() looks at and optimist_done() changes. */
static void copy_for_asking(const struct shard_group *g, struct shard_group *ret)
{
    *ret = (struct shard_group){ .mode = g->mode, .n = g->n, .incomplete = g->incomplete };
    ret->members = xcalloc(g->n + 1, sizeof *ret->members);
    for (unsigned i = 0; i < g->n; i++) {
        const struct shard_member *from = &g->members[i];
        struct shard_member *to = &ret->members[i];

        *to = (struct shard_member){ .state = from->state, .word = from->word };
        replace(&to->source, from->source);
        replace(&to->schema, from->schema);
        replace(&to->table, from->table);
        replace(&to->now, from->now);
        replace(&to->dropped, from->dropped);
        replace(&to->ddl, from->ddl);
        replace(&to->wanted, from->wanted);
    }
}

bool shard_ask_clauses(const struct shard_group *g, const struct shard_member *m,
                       char *const *steps, unsigned n, bool *run)
{
    SCOPED(shard_group_fini) struct shard_group plan = { .n = 0 };
    struct shard_member *me;

    if (g->mode != SHARD_OPTIMISTIC || m->word != SHARD_ASK || n < 2 ||
        (g->runner && !is_runner(g, m)))
        return false;
    copy_for_asking(g, &plan);
    me = &plan.members[m - g->members];
    for (unsigned i = 0; i < n; i++) {
        struct err why = ERR_INIT;
        enum shard_verdict v = optimist_ask(&plan, me, steps[i], &why);

        if (v != SHARD_RUN && v != SHARD_PASS)
            return false;
        if (run)
            run[i] = v == SHARD_RUN;
        optimist_done(&plan, me, steps[i], v == SHARD_RUN);
    }
    return true;
}

void shard_wait_clauses(struct shard_member *m, char *const *steps, unsigned n)
{
    forget_clauses(m);
    m->steps = xcalloc(n + 1, sizeof *m->steps);
    for (unsigned i = 0; i < n; i++)
        m->steps[m->n_steps++] = xstrdup(steps[i]);
}

/* --- going on --- */

void shard_wait(struct shard_member *m, const char *ddl, const char *after, const char *why,
                int64_t now_us)
{
    bool same = m->ddl && strcmp(m->ddl, ddl) == 0;

    m->state = SHARD_WAITS;
    m->word = same ? m->word : SHARD_ASK;
    m->since_us = same && m->since_us ? m->since_us : now_us;
    forget_clauses(m);
    replace(&m->ddl, ddl);
    replace(&m->wanted, after);
    replace(&m->conflict, why);
}

void shard_done(struct shard_group *g, struct shard_member *m, const char *ddl, const char *after,
                bool ran)
{
    bool skips = m->word == SHARD_SKIP;

    if (m->state == SHARD_PICKED)
        m->state = SHARD_PASSING;
    m->word = SHARD_ASK;
    m->since_us = 0;
    replace(&m->conflict, NULL);
    replace(&m->wanted, NULL);
    replace(&m->ddl, NULL);
    replace(&m->ddl_file, NULL);
    m->ddl_at = 0;
    forget_clauses(m);
    free(g->runner);
    g->runner = NULL;
    if (g->mode == SHARD_PESSIMISTIC)
        pessimist_done(g, m, ddl, ran);
    else if (!skips)
        optimist_done(g, m, after, ran);
}

static bool may_pass(const struct shard_group *g, struct shard_member *m)
{
    struct err why = ERR_INIT;
    enum shard_verdict v = SHARD_PASS;

    if (!shard_ask_clauses(g, m, m->steps, m->n_steps, NULL))
        v = shard_ask(g, m, m->ddl, m->wanted, &why);
    replace(&m->conflict, v == SHARD_CONFLICT ? why.text : NULL);
    return v == SHARD_RUN || v == SHARD_PASS;
}

static void release(struct shard_member *m, enum shard_word word)
{
    m->state = SHARD_RELEASED;
    m->word = word;
}

void shard_settle(struct shard_group *g)
{
    if (g->runner)
        return;
    for (unsigned i = 0; i < g->n; i++)
        if (g->members[i].state == SHARD_WAITS && may_pass(g, &g->members[i]))
            release(&g->members[i], g->members[i].word);
}

/* --- the operator --- */

bool shard_left_out(const struct shard_member *m)
{
    return m->word == SHARD_SKIP || m->word == SHARD_ADOPT;
}

/* The first of those before the DDL that the group is at ('here'), or of all. */
static struct shard_member *first_waiting(const struct shard_group *g, bool here)
{
    struct shard_member *first = NULL;

    for (unsigned i = 0; i < g->n; i++) {
        struct shard_member *m = &g->members[i];

        if (m->ddl && (!here || (m->step == g->step && !shard_left_out(m))) &&
            (!first || m->since_us < first->since_us))
            first = m;
    }
    return first;
}

struct shard_member *shard_owner(const struct shard_group *g)
{
    struct shard_member *first = first_waiting(g, g->mode == SHARD_PESSIMISTIC);

    return first ? first : first_waiting(g, false);
}

bool shard_locked(const struct shard_group *g)
{
    return shard_owner(g) || (g->mode == SHARD_OPTIMISTIC && optimist_differ(g));
}

bool shard_synced(const struct shard_group *g, const struct shard_member *m)
{
    if (g->mode == SHARD_OPTIMISTIC)
        return optimist_synced(g, m);
    return (m->ddl && m->step == g->step && !m->conflict) || m->step > g->step;
}

static bool is_open(const struct shard_member *m)
{
    return m->state == SHARD_WAITS || (m->state == SHARD_RELEASED && m->ddl);
}

int shard_order(struct shard_group *g, struct shard_member *m, enum shard_word word,
                struct err *err)
{
    bool any = false, whole = !m && word != SHARD_EXEC;

    if (!m && word == SHARD_EXEC)
        m = shard_owner(g);
    for (unsigned i = 0; i < g->n; i++)
        any = any || is_open(&g->members[i]);
    if (!any || (m && !is_open(m)))
        return err_set(err, -ENOENT, "no DDL lock exists%s: nothing waits",
                       m ? " for this table" : "");
    if (whole && g->mode == SHARD_PESSIMISTIC) {
        SCOPED(freep) char *ddl = xstrdup(shard_owner(g)->ddl);

        pessimist_step(g, ddl);
        shard_settle(g);
        return 0;
    }
    for (unsigned i = 0; i < g->n; i++)
        if (m == &g->members[i] || (whole && is_open(&g->members[i])))
            release(&g->members[i], word);
    if (m && g->mode == SHARD_PESSIMISTIC && shard_left_out(m)) {
        m->state = SHARD_WAITS; /* for the others' to be run */
        replace(&m->conflict, NULL);
        shard_settle(g);
    }
    return 0;
}

void shard_drop(struct shard_group *g, struct shard_member *m)
{
    if (m) {
        shard_leave(g, m);
        shard_settle(g);
        return;
    }
    free(g->runner);
    g->runner = NULL;
    for (unsigned i = 0; i < g->n; i++) {
        if (is_open(&g->members[i]))
            release(&g->members[i], SHARD_ASK);
        else if (!g->members[i].ddl)
            replace(&g->members[i].now, NULL);
        replace(&g->members[i].dropped, NULL);
    }
}
