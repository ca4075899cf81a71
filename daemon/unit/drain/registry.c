#include "unit/drain/registry.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOGICAL_BITS 18

struct slot {
    unsigned number;
    struct card card;
};

struct registry {
    struct mutex lock;
    struct slot *slots GUARDED;
    unsigned n GUARDED, last_number GUARDED;
    uint64_t last_ts GUARDED;
};

const char *const node_state_names[] = {
    [NODE_ONLINE] = "online",   [NODE_PAUSING] = "pausing", [NODE_PAUSED] = "paused",
    [NODE_CLOSING] = "closing", [NODE_OFFLINE] = "offline", NULL,
};

int node_state_of(const char *name)
{
    for (int i = 0; name && node_state_names[i]; i++)
        if (strcmp(node_state_names[i], name) == 0)
            return i;
    return -1;
}

struct registry *registry_new(void)
{
    struct registry *r = xcalloc(1, sizeof *r);

    mutex_init(&r->lock);
    return r;
}

void registry_free(struct registry *r) NO_THREAD_CHECK
{
    if (!r)
        return;
    free(r->slots);
    mutex_fini(&r->lock);
    free(r);
}

/* --- cards --- */

static void card_copy(struct card *to, const struct card *from)
{
    *to = *from;
    to->name = xstrdup(from->name);
    to->node_id = xstrdup(from->node_id);
    to->host = xstrdup(from->host);
    to->labels = json_deep_copy(from->labels);
    to->pumps = json_deep_copy(from->pumps);
}

static void card_fini(struct card *c)
{
    free(c->name);
    free(c->node_id);
    free(c->host);
    json_decref(c->labels);
    json_decref(c->pumps);
}

static struct slot *slot_of(struct registry *r, unsigned number) REQUIRES(r->lock)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->slots[i].number == number)
            return &r->slots[i];
    return NULL;
}

unsigned registry_add(struct registry *r, const struct card *c)
{
    unsigned number;

    mutex_lock(&r->lock);
    number = ++r->last_number;
    r->slots = xrealloc(r->slots, (r->n + 1) * sizeof *r->slots);
    r->slots[r->n].number = number;
    card_copy(&r->slots[r->n++].card, c);
    mutex_unlock(&r->lock);
    return number;
}

void registry_set(struct registry *r, unsigned number, const struct card *c)
{
    struct slot *s;

    mutex_lock(&r->lock);
    s = slot_of(r, number);
    if (s) {
        card_fini(&s->card);
        card_copy(&s->card, c);
    }
    mutex_unlock(&r->lock);
}

void registry_remove(struct registry *r, unsigned number)
{
    struct slot *s;

    mutex_lock(&r->lock);
    s = slot_of(r, number);
    if (s) {
        card_fini(&s->card);
        memmove(s, s + 1, (size_t)(r->slots + r->n - (s + 1)) * sizeof *s);
        r->n--;
    }
    mutex_unlock(&r->lock);
}

/* --- what is asked --- */

uint64_t registry_fresh_ts(struct registry *r)
{
    uint64_t ts = (uint64_t)(clock_wall_us() / 1000) << LOGICAL_BITS;

    mutex_lock(&r->lock);
    if (ts <= r->last_ts)
        ts = r->last_ts + 1;
    for (unsigned i = 0; i < r->n; i++)
        if (ts <= r->slots[i].card.max_commit_ts)
            ts = r->slots[i].card.max_commit_ts + 1;
    r->last_ts = ts;
    mutex_unlock(&r->lock);
    return ts;
}

static json_t *status_of(const struct card *c)
{
    json_t *label =
        json_object_size(c->labels) ? json_pack("{s:O}", "labels", c->labels) : json_null();

    return json_pack("{s:s, s:s, s:s, s:b, s:i, s:o, s:I, s:I}", "nodeId", c->node_id, "host",
                     c->host, "state", node_state_names[c->state], "isAlive", 0, "score", 0,
                     "label", label, "maxCommitTS", (json_int_t)c->max_commit_ts, "updateTS",
                     (json_int_t)c->update_ts);
}

json_t *registry_nodes(struct registry *r, enum card_kind kind)
{
    json_t *all = json_array();

    mutex_lock(&r->lock);
    for (unsigned i = 0; i < r->n; i++)
        if (r->slots[i].card.kind == kind)
            json_array_append_new(all, status_of(&r->slots[i].card));
    mutex_unlock(&r->lock);
    return all;
}

static bool reads(const struct card *c, const char *pump)
{
    const json_t *name;
    size_t i;

    if (c->kind != CARD_DRAINER || c->of_files)
        return false;
    json_array_foreach (c->pumps, i, name)
        if (strcmp(json_string_value(name), pump) == 0)
            return true;
    return json_array_size(c->pumps) == 0;
}

uint64_t registry_drained_ts(struct registry *r, const char *pump, char *who)
{
    uint64_t least = UINT64_MAX;

    mutex_lock(&r->lock);
    for (unsigned i = 0; i < r->n; i++) {
        const struct card *c = &r->slots[i].card;

        if (c->state == NODE_OFFLINE || c->max_commit_ts >= least || !reads(c, pump))
            continue;
        least = c->max_commit_ts;
        if (who)
            snprintf(who, 256, "%s", c->name);
    }
    mutex_unlock(&r->lock);
    return least;
}
