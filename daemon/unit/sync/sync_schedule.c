#include "unit/sync/sync_schedule.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ENTRIES_MIN ((size_t)1024)

void schedule_init(struct schedule *s, const struct schedule_limits *limits)
{
    *s = (struct schedule){ .limits = *limits };
}

void schedule_fini(struct schedule *s)
{
    for (int i = 0; i < SCHEDULE_BATCHES; i++)
        free(s->batches[i].keys);
    free(s->entries);
    *s = (struct schedule){ 0 };
}

/* --- who touches what --- */

static uint64_t name_of(uint64_t key)
{
    uint64_t name = key & ~FOOTPRINT_SHARED;

    return name ? name : 2;
}

/* The entry of a key, or the free one where it would be. */
static struct conflict_entry *find(const struct schedule *s, uint64_t name)
{
    size_t at = (size_t)(name * 0x9e3779b97f4a7c15u >> 20) & (s->n_entries - 1);

    while (s->entries[at].key && s->entries[at].key != name)
        at = (at + 1) & (s->n_entries - 1);
    return &s->entries[at];
}

static bool is_touched(const struct conflict_entry *e)
{
    return e->alone || e->shared;
}

/* Leaves out what no batch touches any more. */
static void rebuild(struct schedule *s)
{
    struct conflict_entry *old = s->entries;
    size_t n = s->n_entries, live = 0;

    for (size_t i = 0; i < n; i++)
        live += is_touched(&old[i]);
    s->n_entries = ENTRIES_MIN;
    while (s->n_entries < 4 * live)
        s->n_entries *= 2;
    s->entries = xcalloc(s->n_entries, sizeof *s->entries);
    s->n_used = live;
    for (size_t i = 0; i < n; i++)
        if (is_touched(&old[i]))
            *find(s, old[i].key) = old[i];
    free(old);
}

static struct conflict_entry *entry_of(struct schedule *s, uint64_t name)
{
    struct conflict_entry *e;

    if (2 * (s->n_used + 1) > s->n_entries)
        rebuild(s);
    e = find(s, name);
    if (!e->key) {
        e->key = name;
        s->n_used++;
    }
    return e;
}

static void own(struct batch *b, uint64_t name)
{
    GROW(b->keys, b->n_keys, b->cap_keys);
    b->keys[b->n_keys++] = name;
}

/* The batches that hold something that 'f' conflicts with. */
static uint64_t conflicts(const struct schedule *s, const struct footprint *f)
{
    uint64_t found = 0;

    for (size_t i = 0; i < f->n && s->n_entries; i++) {
        const struct conflict_entry *e = find(s, name_of(f->keys[i]));

        found |= e->alone | (f->keys[i] & FOOTPRINT_SHARED ? 0 : e->shared);
    }
    return found;
}

static void touch_all(struct schedule *s, const struct footprint *f, int batch)
{
    uint64_t bit = (uint64_t)1 << batch;

    for (size_t i = 0; i < f->n; i++) {
        struct conflict_entry *e = entry_of(s, name_of(f->keys[i]));

        if (!((e->alone | e->shared) & bit))
            own(&s->batches[batch], e->key);
        if (f->keys[i] & FOOTPRINT_SHARED)
            e->shared |= bit;
        else
            e->alone |= bit;
    }
}

/* --- batches --- */

/* The open batch with the least in it, among those of 'which' that wait for all of 'found'
 * anyway; -1: none.  *n counts the open ones of 'which'. */
static int least_open(const struct schedule *s, uint64_t which, uint64_t found, int *n)
{
    int least = -1;

    *n = 0;
    for (int i = 0; i < SCHEDULE_BATCHES; i++) {
        const struct batch *b = &s->batches[i];

        if (b->state != BATCH_OPEN || !(which >> i & 1))
            continue;
        ++*n;
        if (!(found & ~b->after) && (least < 0 || b->n_txns < s->batches[least].n_txns))
            least = i;
    }
    return least;
}

static void close_all(struct schedule *s, uint64_t which)
{
    for (int i = 0; i < SCHEDULE_BATCHES; i++)
        if (which >> i & 1 && s->batches[i].state == BATCH_OPEN)
            s->batches[i].state = BATCH_CLOSED;
}

static int open_batch(struct schedule *s)
{
    for (int i = 0; i < SCHEDULE_BATCHES; i++) {
        if (s->batches[i].state == BATCH_FREE) {
            s->batches[i].state = BATCH_OPEN;
            return i;
        }
    }
    return -1;
}

static int choose(struct schedule *s, uint64_t found)
{
    int n, at = least_open(s, found, 0, &n), fresh = -1;

    if (n == 1)
        return at;
    if (n > 1)
        close_all(s, found);
    at = least_open(s, UINT64_MAX, found, &n);
    if (n < (int)s->limits.n_open)
        fresh = open_batch(s);
    if (fresh >= 0 || at >= 0)
        return fresh >= 0 ? fresh : at;
    return least_open(s, UINT64_MAX, 0, &n);
}

static bool is_full(const struct schedule *s, const struct batch *b)
{
    const struct schedule_limits *l = &s->limits;

    return b->n_txns >= l->max_txns || (l->max_rows && b->n_rows >= l->max_rows) ||
           b->size >= l->max_size;
}

int schedule_add(struct schedule *s, const struct footprint *f, uint64_t seq, uint64_t n_rows,
                 size_t size)
{
    uint64_t found = conflicts(s, f);
    int at = choose(s, found);
    struct batch *b;

    if (at < 0)
        return -1;
    b = &s->batches[at];
    b->after |= found & ~((uint64_t)1 << at);
    if (b->n_txns++ == 0)
        b->first_seq = seq;
    b->n_rows += n_rows;
    b->size += size;
    touch_all(s, f, at);
    if (is_full(s, b))
        b->state = BATCH_CLOSED;
    return at;
}

int schedule_take(struct schedule *s)
{
    int best = -1;

    for (int i = 0; i < SCHEDULE_BATCHES; i++) {
        const struct batch *b = &s->batches[i];

        if ((b->state == BATCH_OPEN || b->state == BATCH_CLOSED) && b->n_txns && !b->after &&
            (best < 0 || b->first_seq < s->batches[best].first_seq))
            best = i;
    }
    if (best >= 0)
        s->batches[best].state = BATCH_RUNNING;
    return best;
}

void schedule_done(struct schedule *s, int batch)
{
    struct batch *b = &s->batches[batch];
    uint64_t bit = (uint64_t)1 << batch;

    for (size_t i = 0; i < b->n_keys; i++) {
        struct conflict_entry *e = find(s, b->keys[i]);

        e->alone &= ~bit;
        e->shared &= ~bit;
    }
    for (int i = 0; i < SCHEDULE_BATCHES; i++)
        s->batches[i].after &= ~bit;
    *b = (struct batch){ .keys = b->keys, .cap_keys = b->cap_keys };
}

bool schedule_empty(const struct schedule *s)
{
    for (int i = 0; i < SCHEDULE_BATCHES; i++)
        if (s->batches[i].state != BATCH_FREE)
            return false;
    return true;
}
