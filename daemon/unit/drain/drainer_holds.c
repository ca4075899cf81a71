/*
 * What journals keep for a drainer.  It holds those that it reads (drain_feed.c), also while it is
 * paused; here they are let go: when it is offline or removed, and at a start those of pumps that
 * it reads no more, for a hold that nobody moves keeps a journal for ever.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "journal/journal.h"
#include "unit/drain/drain_feed.h"
#include "unit/drain/drainer_priv.h"
#include "unit/relay/relay.h"
#include "unit/source/source.h"

struct going {
    const char *who;
    const struct drain_feed *feed; /* NULL: it reads none */
    const struct journal *at_hand;
    bool is;
};

static void see_lane(void *arg, const struct drain_lane *l)
{
    struct going *g = arg;

    g->is = g->is || l->journal == g->at_hand;
}

static void see_hold(void *arg, const char *who, uint64_t seq)
{
    struct going *g = arg;

    (void)seq;
    g->is = g->is || strcmp(who, g->who) == 0;
}

static bool is_read(struct going *g, const struct journal *j)
{
    g->at_hand = j;
    g->is = false;
    if (g->feed)
        drain_feed_lanes(g->feed, see_lane, g);
    return g->is;
}

static bool is_held(struct going *g, struct journal *j)
{
    g->is = false;
    journal_holds(j, see_hold, g);
    return g->is;
}

static void look_at_source(void *arg, struct node *n)
{
    struct going *g = arg;
    struct source *s = source_of(n);
    struct journal *j = source_journal(s);
    struct err err = ERR_INIT;

    if (j && !is_read(g, j) && is_held(g, j) && journal_release(j, g->who, &err) < 0)
        log_warn(g->who, "the journal %s keeps what it read: %s", journal_name(j), err.text);
    journal_close(j);
}

static void let_go(struct registrant *r, const struct drain_feed *f)
{
    SCOPED(freep) char *who = xasprintf("drainers/%s", r->name);
    struct going g = { .who = who, .feed = f };

    if (r->config.sources)
        node_each(r->config.sources, look_at_source, &g);
}

void drainer_let_go(struct registrant *r)
{
    let_go(r, NULL);
}

void drainer_let_go_others(struct drainer *d, const struct drain_feed *f)
{
    let_go(&d->reg, f);
}
