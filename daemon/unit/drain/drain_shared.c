#include "unit/drain/drain_shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "route/router.h"

/* Sets of hashes: what was seen (lane and name at the source), and whose each target is. */
struct entry {
    uint64_t hash; /* 0: free */
    const struct drain_lane *lane;
};

struct set {
    struct entry *at;
    size_t size, n; /* size: a power of two */
};

struct drain_shared {
    const struct router *router;
    struct set seen, targets;
    bool any;
};

struct drain_shared *drain_shared_new(const struct router *router)
{
    struct drain_shared *s = xcalloc(1, sizeof *s);

    s->router = router;
    return s;
}

void drain_shared_free(struct drain_shared *s)
{
    if (!s)
        return;
    free(s->seen.at);
    free(s->targets.at);
    free(s);
}

bool drain_shared_any(const struct drain_shared *s)
{
    return s->any;
}

static struct entry *slot(const struct set *t, uint64_t hash)
{
    size_t i = hash & (t->size - 1);

    while (t->at[i].hash && t->at[i].hash != hash)
        i = (i + 1) & (t->size - 1);
    return &t->at[i];
}

static void grow(struct set *t)
{
    struct set bigger = { .size = t->size ? 2 * t->size : 256, .n = t->n };

    bigger.at = xcalloc(bigger.size, sizeof *bigger.at);
    for (size_t i = 0; i < t->size; i++)
        if (t->at[i].hash)
            *slot(&bigger, t->at[i].hash) = t->at[i];
    free(t->at);
    *t = bigger;
}

/* The entry of the hash, made if it is new: then *is_new. */
static struct entry *find(struct set *t, uint64_t hash, bool *is_new)
{
    struct entry *e;

    if (2 * (t->n + 1) > t->size)
        grow(t);
    e = slot(t, hash | 1);
    *is_new = e->hash == 0;
    if (*is_new)
        t->n++;
    e->hash = hash | 1;
    return e;
}

static void see_target(struct drain_shared *s, const struct drain_lane *lane, struct slice schema,
                       struct slice table)
{
    char schema_text[256], table_text[256], both[512];
    struct entry *e;
    struct route to;
    bool is_new;

    snprintf(schema_text, sizeof schema_text, "%.*s", SLICE_ARG(schema));
    snprintf(table_text, sizeof table_text, "%.*s", SLICE_ARG(table));
    if (!router_table(s->router, schema_text, table_text, &to))
        return;
    snprintf(both, sizeof both, "%s.%s", to.to_schema, to.to_table);
    e = find(&s->targets, XXH3_64bits(both, strlen(both)), &is_new);
    if (is_new)
        e->lane = lane;
    else if (e->lane != lane)
        s->any = true;
}

void drain_shared_see(struct drain_shared *s, const struct drain_lane *lane, const struct event *ev)
{
    struct cursor c = cursor_of(ev->body);
    struct slice schema, table;
    bool is_new;

    cursor_skip(&c, 8); /* the table's id, flags */
    schema = cursor_bytes(&c, cursor_u8(&c));
    cursor_skip(&c, 1);
    table = cursor_bytes(&c, cursor_u8(&c));
    if (c.bad)
        return;
    find(&s->seen, XXH3_64bits_withSeed(schema.data, schema.size + 2 + table.size, (uintptr_t)lane),
         &is_new);
    if (is_new)
        see_target(s, lane, schema, table);
}
