/* pump_time.c - a time stamp for who is to read pumps from now on.  See pumps_fresh_ts(). */
#include <string.h>

#include "base/clock.h"
#include "journal/commit_ts.h"
#include "journal/journal.h"
#include "unit/drain/pump.h"
#include "unit/drain/pump_priv.h"

#define PROMISE_MS 2000
#define BEHIND_US ((int64_t)10000000)

/* One that is far behind gives transactions the times that they had; the promise of a time that is
 * much later would take that away. */
static bool is_present(const struct pump_view *v, struct journal_state *state)
{
    if (!v->journal || v->state == NODE_OFFLINE)
        return false;
    journal_state(v->journal, state);
    return state->writing && clock_wall_us() - commit_ts_us(state->last_ts) < BEHIND_US;
}

static uint64_t latest(const struct pump_view *views, size_t n, uint64_t ts)
{
    for (size_t i = 0; i < n; i++) {
        struct journal_state state;

        if (is_present(&views[i], &state) && state.last_ts > ts)
            ts = state.last_ts;
    }
    return ts;
}

/* What splits this journal, however far it is. */
static uint64_t own_ts(const struct pump_view *v)
{
    struct journal_state state;
    struct err ignored = ERR_INIT;
    uint64_t ts;

    if (journal_promise(v->journal, 0, PROMISE_MS, &ts, &ignored) == 0)
        return ts;
    journal_state(v->journal, &state);
    return state.safe_ts;
}

/* Nothing that is stored later is as early as 'fresh' in those that are at the present.  Of the
 * others that are called 'name' (NULL: any) the least that splits one of them; UINT64_MAX: none. */
static uint64_t promise(const struct pump_view *views, size_t n, uint64_t fresh, const char *name)
{
    uint64_t least = UINT64_MAX, own, got;

    for (size_t i = 0; i < n; i++) {
        struct journal_state state;
        struct err late = ERR_INIT;

        if (is_present(&views[i], &state) &&
            journal_promise(views[i].journal, fresh, PROMISE_MS, &got, &late) == 0)
            continue;
        if (!views[i].journal || views[i].state == NODE_OFFLINE ||
            (name && strcmp(views[i].name, name) != 0))
            continue;
        own = own_ts(&views[i]);
        least = own && own < least ? own : least;
    }
    return least;
}

static uint64_t split(struct node *pumps, const json_t *names, const char *name, struct registry *r)
{
    size_t n;
    struct pump_view *views = pump_views(pumps, names, &n);
    uint64_t fresh = latest(views, n, registry_fresh_ts(r));
    uint64_t least = promise(views, n, fresh, name);

    pump_views_free(views, n);
    return least < fresh ? least : fresh;
}

uint64_t pumps_fresh_ts(struct node *pumps, const json_t *names, struct registry *r)
{
    return split(pumps, names, NULL, r);
}

json_t *pump_get_fresh(const struct node *n, const struct attr *a, struct err *err)
{
    const struct registrant *r = &pump_of(n)->reg;

    (void)a, (void)err;
    return json_integer((json_int_t)split(n->parent, NULL, r->name, r->config.registry));
}
