#include "unit/sync/sync_ledger.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void ledger_init(struct ledger *l, const struct position *from)
{
    *l = (struct ledger){ .cap = 0 };
    ledger_pass(l, from);
}

static struct ledger_entry *entry(const struct ledger *l, uint64_t seq)
{
    return &l->entries[seq & (l->cap - 1)];
}

static void drop(struct ledger_entry *e)
{
    gtid_set_free(e->gtids);
    free(e->file);
    *e = (struct ledger_entry){ .done = false };
}

void ledger_fini(struct ledger *l)
{
    for (uint64_t seq = l->low_seq + 1; seq <= l->last_seq; seq++)
        drop(entry(l, seq));
    free(l->entries);
    free(l->last_file);
    position_fini(&l->low);
    *l = (struct ledger){ .cap = 0 };
}

void ledger_pass(struct ledger *l, const struct position *pos)
{
    assert(l->low_seq == l->last_seq);
    position_copy(&l->low, pos);
    free(l->last_file);
    l->last_file = xstrdup(pos->file);
    l->has_gtids = pos->gtids != NULL;
}

size_t ledger_size(const struct ledger *l)
{
    return (size_t)(l->last_seq - l->low_seq);
}

static void grow(struct ledger *l)
{
    struct ledger old = *l;

    l->cap = old.cap ? 2 * old.cap : 256;
    l->entries = xcalloc(l->cap, sizeof *l->entries);
    for (uint64_t seq = l->low_seq + 1; seq <= l->last_seq; seq++)
        *entry(l, seq) = *entry(&old, seq);
    free(old.entries);
}

uint64_t ledger_add(struct ledger *l, const struct gtid *gtid, const struct position *pos,
                    int64_t commit_us)
{
    struct ledger_entry *e;

    if (ledger_size(l) == l->cap)
        grow(l);
    e = entry(l, ++l->last_seq);
    *e = (struct ledger_entry){ .gtid = *gtid, .offset = pos->offset, .commit_us = commit_us };
    if (!l->has_gtids && pos->gtids) {
        e->gtids = gtid_set_copy(pos->gtids);
        l->has_gtids = true;
    }
    if (strcmp(l->last_file, pos->file) != 0) {
        e->file = xstrdup(pos->file);
        free(l->last_file);
        l->last_file = xstrdup(pos->file);
    }
    return l->last_seq;
}

static void apply(const struct ledger_entry *e, struct position *to)
{
    if (!to->gtids && e->gtids)
        to->gtids = gtid_set_copy(e->gtids);
    else if (e->gtid.number && to->gtids)
        gtid_set_add(to->gtids, &e->gtid);
    if (e->file)
        snprintf(to->file, sizeof to->file, "%s", e->file);
    to->offset = e->offset;
}

void ledger_done(struct ledger *l, uint64_t seq)
{
    assert(seq > l->low_seq && seq <= l->last_seq);
    entry(l, seq)->done = true;
    while (l->low_seq < l->last_seq && entry(l, l->low_seq + 1)->done) {
        struct ledger_entry *e = entry(l, ++l->low_seq);

        apply(e, &l->low);
        drop(e);
    }
}

void ledger_before(const struct ledger *l, uint64_t seq, struct position *ret)
{
    position_copy(ret, &l->low);
    for (uint64_t s = l->low_seq + 1; s < seq; s++)
        apply(entry(l, s), ret);
}

int64_t ledger_oldest_us(const struct ledger *l)
{
    return l->low_seq < l->last_seq ? entry(l, l->low_seq + 1)->commit_us : 0;
}
