#include "binlog/gtid_set.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"

#define UUID_SIZE 16
#define NUMBER_MAX ((uint64_t)INT64_MAX) /* MySQL's GNO_END: no transaction has it */

struct gtid_set {
    enum flavor flavor;
    struct gtid_member *members; /* sorted by identity */
    size_t n_members, cap;
};

static int identity_compare(const struct gtid *a, const struct gtid *b)
{
    int d;

    if (a->flavor == FLAVOR_MARIADB)
        return a->domain < b->domain ? -1 : a->domain > b->domain;
    d = memcmp(a->uuid, b->uuid, UUID_SIZE);
    return d ? d : strcmp(a->tag, b->tag);
}

/* Index of the first member not before 'g'. */
static size_t member_at(const struct gtid_set *s, const struct gtid *g)
{
    size_t low = 0, high = s->n_members;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (identity_compare(&s->members[mid].id, g) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static struct gtid_member *member_find(const struct gtid_set *s, const struct gtid *g)
{
    size_t i = member_at(s, g);

    return i < s->n_members && identity_compare(&s->members[i].id, g) == 0 ? &s->members[i] : NULL;
}

static struct gtid_member *member_get(struct gtid_set *s, const struct gtid *g)
{
    size_t i = member_at(s, g);

    if (i < s->n_members && identity_compare(&s->members[i].id, g) == 0)
        return &s->members[i];
    if (s->n_members == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        s->members = xrealloc(s->members, s->cap * sizeof *s->members);
    }
    memmove(&s->members[i + 1], &s->members[i], (s->n_members - i) * sizeof *s->members);
    s->n_members++;
    s->members[i] = (struct gtid_member){ .id = *g };
    s->members[i].id.number = 0;
    return &s->members[i];
}

static void member_remove(struct gtid_set *s, struct gtid_member *m)
{
    size_t i = (size_t)(m - s->members);

    free(m->intervals);
    s->n_members--;
    memmove(m, m + 1, (s->n_members - i) * sizeof *m);
}

/* Index of the first interval whose end is not before 'number'. */
static size_t interval_at(const struct gtid_member *m, uint64_t number)
{
    size_t low = 0, high = m->n_intervals;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (m->intervals[mid].to < number)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Puts 'with' in place of the intervals first .. first + n - 1 (n may be 0; n_with at most 2). */
static void intervals_replace(struct gtid_member *m, size_t first, size_t n,
                              const struct gtid_interval *with, size_t n_with)
{
    if (m->n_intervals + n_with - n > m->cap) {
        m->cap = m->cap ? m->cap * 2 : 4;
        m->intervals = xrealloc(m->intervals, m->cap * sizeof *m->intervals);
    }
    memmove(&m->intervals[first + n_with], &m->intervals[first + n],
            (m->n_intervals - first - n) * sizeof *m->intervals);
    if (n_with)
        memcpy(&m->intervals[first], with, n_with * sizeof *with);
    m->n_intervals = m->n_intervals + n_with - n;
}

static void interval_add(struct gtid_member *m, struct gtid_interval v)
{
    size_t first, end;

    if (m->n_intervals && m->intervals[m->n_intervals - 1].to == v.from) {
        m->intervals[m->n_intervals - 1].to = v.to; /* the next number: nearly always so */
        return;
    }
    first = end = interval_at(m, v.from);
    for (; end < m->n_intervals && m->intervals[end].from <= v.to; end++) {
        if (m->intervals[end].from < v.from)
            v.from = m->intervals[end].from;
        if (m->intervals[end].to > v.to)
            v.to = m->intervals[end].to;
    }
    intervals_replace(m, first, end - first, &v, 1);
}

static void interval_subtract(struct gtid_member *m, struct gtid_interval v)
{
    for (size_t i = interval_at(m, v.from); i < m->n_intervals && m->intervals[i].from < v.to;) {
        struct gtid_interval old = m->intervals[i], left[2];
        size_t n = 0;

        if (old.from < v.from)
            left[n++] = (struct gtid_interval){ old.from, v.from < old.to ? v.from : old.to };
        if (old.to > v.to)
            left[n++] = (struct gtid_interval){ v.to, old.to };
        intervals_replace(m, i, 1, left, n);
        i += n;
    }
}

static bool interval_inside(const struct gtid_member *m, struct gtid_interval v)
{
    size_t i = interval_at(m, v.from + 1);

    return i < m->n_intervals && m->intervals[i].from <= v.from && v.to <= m->intervals[i].to;
}

struct gtid_set *gtid_set_new(enum flavor flavor)
{
    struct gtid_set *s = xcalloc(1, sizeof *s);

    s->flavor = flavor;
    return s;
}

void gtid_set_free(struct gtid_set *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_members; i++)
        free(s->members[i].intervals);
    free(s->members);
    free(s);
}

struct gtid_set *gtid_set_copy(const struct gtid_set *s)
{
    struct gtid_set *copy;

    if (!s)
        return NULL;
    copy = gtid_set_new(s->flavor);
    gtid_set_union(copy, s);
    return copy;
}

const struct gtid_member *gtid_set_members(const struct gtid_set *s, size_t *n)
{
    *n = s->n_members;
    return s->members;
}

enum flavor gtid_set_flavor(const struct gtid_set *s)
{
    return s->flavor;
}

void gtid_set_add(struct gtid_set *s, const struct gtid *g)
{
    struct gtid_member *m;

    if (g->number == 0 || g->flavor != s->flavor ||
        (g->flavor == FLAVOR_MYSQL && g->number >= NUMBER_MAX))
        return;
    m = member_get(s, g);
    if (s->flavor == FLAVOR_MARIADB)
        m->id = *g; /* the last one, whichever its number */
    else
        interval_add(m, (struct gtid_interval){ g->number, g->number + 1 });
}

int gtid_set_add_interval(struct gtid_set *s, const struct gtid *id, uint64_t from, uint64_t to)
{
    if (s->flavor != FLAVOR_MYSQL || id->flavor != FLAVOR_MYSQL || from == 0 || from >= to ||
        to > NUMBER_MAX)
        return -EINVAL;
    interval_add(member_get(s, id), (struct gtid_interval){ from, to });
    return 0;
}

bool gtid_set_has(const struct gtid_set *s, const struct gtid *g)
{
    const struct gtid_member *m = g->flavor == s->flavor ? member_find(s, g) : NULL;

    if (!m || g->number == 0)
        return false;
    if (s->flavor == FLAVOR_MARIADB)
        return g->number <= m->id.number;
    return interval_inside(m, (struct gtid_interval){ g->number, g->number + 1 });
}

bool gtid_set_empty(const struct gtid_set *s)
{
    return s->n_members == 0;
}

bool gtid_set_subset(const struct gtid_set *a, const struct gtid_set *b)
{
    for (size_t i = 0; i < a->n_members; i++) {
        const struct gtid_member *in = &a->members[i], *of = member_find(b, &in->id);

        if (a->flavor != b->flavor || !of)
            return false;
        if (a->flavor == FLAVOR_MARIADB && in->id.number > of->id.number)
            return false;
        for (size_t k = 0; k < in->n_intervals; k++)
            if (!interval_inside(of, in->intervals[k]))
                return false;
    }
    return true;
}

bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b)
{
    return a->flavor == b->flavor && gtid_set_subset(a, b) && gtid_set_subset(b, a);
}

void gtid_set_union(struct gtid_set *to, const struct gtid_set *from)
{
    if (to->flavor != from->flavor)
        return;
    for (size_t i = 0; i < from->n_members; i++) {
        const struct gtid_member *m = &from->members[i];
        struct gtid_member *into = member_get(to, &m->id);

        if (into->id.number < m->id.number)
            into->id = m->id;
        for (size_t k = 0; k < m->n_intervals; k++)
            interval_add(into, m->intervals[k]);
    }
}

void gtid_set_subtract(struct gtid_set *from, const struct gtid_set *what)
{
    if (from->flavor != FLAVOR_MYSQL || what->flavor != FLAVOR_MYSQL)
        return;
    for (size_t i = 0; i < what->n_members; i++) {
        const struct gtid_member *m = &what->members[i];
        struct gtid_member *of = member_find(from, &m->id);

        for (size_t k = 0; of && k < m->n_intervals; k++)
            interval_subtract(of, m->intervals[k]);
        if (of && of->n_intervals == 0)
            member_remove(from, of);
    }
}
