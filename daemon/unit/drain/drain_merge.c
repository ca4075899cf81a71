#include "unit/drain/drain_merge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct lane {
    char *name; /* NULL: removed */
    bool has_head;
    uint64_t ts;   /* of the head */
    uint64_t safe; /* no later item up to this */
};

/* The heap has the lanes with a head, least first; those without are few and looked through. */
struct drain_merge {
    struct lane *lanes;
    unsigned n;
    unsigned *heap, n_heap;
};

struct drain_merge *drain_merge_new(void)
{
    return xcalloc(1, sizeof(struct drain_merge));
}

void drain_merge_free(struct drain_merge *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->n; i++)
        free(m->lanes[i].name);
    free(m->lanes);
    free(m->heap);
    free(m);
}

unsigned drain_merge_add(struct drain_merge *m, const char *name)
{
    m->lanes = xrealloc(m->lanes, (m->n + 1) * sizeof *m->lanes);
    m->heap = xrealloc(m->heap, (m->n + 1) * sizeof *m->heap);
    m->lanes[m->n] = (struct lane){ .name = xstrdup(name) };
    return m->n++;
}

/* --- the heap --- */

static bool earlier(const struct drain_merge *m, unsigned a, unsigned b)
{
    const struct lane *x = &m->lanes[a], *y = &m->lanes[b];

    return x->ts != y->ts ? x->ts < y->ts : strcmp(x->name, y->name) < 0;
}

static void swap(unsigned *a, unsigned *b)
{
    unsigned t = *a;

    *a = *b;
    *b = t;
}

static void sift_up(struct drain_merge *m, unsigned i)
{
    while (i > 0 && earlier(m, m->heap[i], m->heap[(i - 1) / 2])) {
        swap(&m->heap[i], &m->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static void sift_down(struct drain_merge *m, unsigned i)
{
    for (;;) {
        unsigned least = i;

        for (unsigned c = 2 * i + 1; c <= 2 * i + 2 && c < m->n_heap; c++)
            if (earlier(m, m->heap[c], m->heap[least]))
                least = c;
        if (least == i)
            return;
        swap(&m->heap[i], &m->heap[least]);
        i = least;
    }
}

static void heap_drop(struct drain_merge *m, unsigned at)
{
    m->heap[at] = m->heap[--m->n_heap];
    if (at < m->n_heap) {
        sift_up(m, at);
        sift_down(m, at);
    }
}

/* --- lanes --- */

void drain_merge_remove(struct drain_merge *m, unsigned lane)
{
    struct lane *l = &m->lanes[lane];

    for (unsigned i = 0; l->has_head && i < m->n_heap; i++)
        if (m->heap[i] == lane) {
            heap_drop(m, i);
            break;
        }
    free(l->name);
    *l = (struct lane){ .name = NULL };
}

void drain_merge_head(struct drain_merge *m, unsigned lane, uint64_t ts)
{
    struct lane *l = &m->lanes[lane];

    assert(l->name && !l->has_head);
    l->has_head = true;
    l->ts = ts;
    m->heap[m->n_heap] = lane;
    sift_up(m, m->n_heap++);
}

void drain_merge_safe(struct drain_merge *m, unsigned lane, uint64_t ts)
{
    struct lane *l = &m->lanes[lane];

    assert(l->name && !l->has_head);
    if (ts > l->safe)
        l->safe = ts;
}

/* The lane without a head that promises least; -1: all have one. */
static int slowest(const struct drain_merge *m)
{
    int found = -1;

    for (unsigned i = 0; i < m->n; i++)
        if (m->lanes[i].name && !m->lanes[i].has_head &&
            (found < 0 || m->lanes[i].safe < m->lanes[found].safe))
            found = (int)i;
    return found;
}

int drain_merge_take(struct drain_merge *m, unsigned *lane)
{
    int slow = slowest(m);

    if (m->n_heap == 0 && slow < 0)
        return -1;
    if (m->n_heap == 0 || (slow >= 0 && m->lanes[slow].safe < m->lanes[m->heap[0]].ts)) {
        *lane = (unsigned)slow;
        return 0;
    }
    *lane = m->heap[0];
    m->lanes[*lane].has_head = false;
    /* The next of the same lane is later. */
    m->lanes[*lane].safe = m->lanes[*lane].ts;
    heap_drop(m, 0);
    return 1;
}

uint64_t drain_merge_done(const struct drain_merge *m)
{
    uint64_t least = UINT64_MAX;
    bool any = false;

    for (unsigned i = 0; i < m->n; i++) {
        const struct lane *l = &m->lanes[i];
        uint64_t done = l->has_head ? l->ts - 1 : l->safe;

        if (l->name && done < least)
            least = done;
        any = any || l->name;
    }
    return any ? least : 0;
}

bool drain_place_before(const struct drain_place *p, uint64_t ts, const char *lane)
{
    if (ts != p->ts)
        return ts > p->ts;
    return p->lane && strcmp(lane, p->lane) > 0;
}
