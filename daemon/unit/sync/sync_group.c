#include "unit/sync/sync_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* More than this is not kept for the next group. */
#define KEEP_ENTRIES ((size_t)1 << 16)

void group_init(struct group *g)
{
    *g = (struct group){ 0 };
}

void group_fini(struct group *g)
{
    for (size_t i = 0; i < g->cap_tables; i++)
        merge_fini(&g->tables[i].merge);
    free(g->tables);
    free(g->aliases);
    free(g->changes);
    free(g->scratch);
    arena_fini(&g->values);
    raw_hold_fini(&g->hold);
    position_fini(&g->pos);
    group_init(g);
}

static void clear_table(struct group_table *t)
{
    if (t->merge.cap_entries > KEEP_ENTRIES)
        merge_fini(&t->merge);
    else
        merge_clear(&t->merge);
    t->ordered = false;
}

void group_clear(struct group *g)
{
    for (size_t i = 0; i < g->n_tables; i++)
        clear_table(&g->tables[i]);
    g->n_tables = 0;
    g->n_aliases = 0;
    g->n_changes = 0;
    arena_clear(&g->values);
    raw_hold_clear(&g->hold);
    g->n_txns = 0;
    g->n_rows = 0;
    g->has_plain = false;
    g->size = 0;
    g->first_commit_us = 0;
}

bool group_empty(const struct group *g)
{
    return g->n_txns == 0;
}

static bool same_target(const struct target_table *a, const struct target_table *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->db, b->db) == 0;
}

/* The newest of the group: merged beside another of the same target that it is not alike, their
 * order would be lost. */
static void order_shards(struct group *g)
{
    struct group_table *new = &g->tables[g->n_tables - 1];

    for (size_t i = 0; i + 1 < g->n_tables; i++)
        if (same_target(g->tables[i].merge.table, new->merge.table))
            g->tables[i].ordered = new->ordered = true;
}

static size_t add_table(struct group *g, const struct target_table *t)
{
    for (size_t i = 0; i < g->n_tables; i++)
        if (target_table_alike(g->tables[i].merge.table, t))
            return i;
    if (g->n_tables == g->cap_tables) {
        size_t cap = g->cap_tables * 2 + 8;

        g->tables = xrealloc(g->tables, cap * sizeof *g->tables);
        memset(g->tables + g->cap_tables, 0, (cap - g->cap_tables) * sizeof *g->tables);
        g->cap_tables = cap;
    }
    g->tables[g->n_tables++].merge.table = t;
    order_shards(g);
    return g->n_tables - 1;
}

/* A group has few tables; the last one met is the likeliest. */
static struct group_table *table_of(struct group *g, const struct target_table *t)
{
    for (size_t i = g->n_aliases; i-- > 0;)
        if (g->aliases[i].table == t)
            return &g->tables[g->aliases[i].at];
    GROW(g->aliases, g->n_aliases, g->cap_aliases);
    g->aliases[g->n_aliases++] = (struct group_alias){ t, add_table(g, t) };
    return &g->tables[g->aliases[g->n_aliases - 1].at];
}

static void append(struct group *g, const struct group_change *c)
{
    GROW(g->changes, g->n_changes, g->cap_changes);
    g->changes[g->n_changes++] = *c;
}

void group_add(struct group *g, const struct target_table *t, enum rows_kind kind, bool safe,
               bool no_foreign_key_checks, struct value *row)
{
    struct group_table *gt;

    g->n_rows++;
    safe = safe || !t->transactional;
    g->has_plain = g->has_plain || !t->transactional;
    if (!g->in_order && !t->foreign_keys && t->n_key > 0) {
        gt = table_of(g, t);
        gt->merge.safe = gt->merge.safe || safe;
        gt->merge.of = t;
        if (!gt->ordered && merge_add(&gt->merge, kind, row, &g->values))
            return;
        gt->ordered = true;
    }
    append(g, &(struct group_change){ t, kind, safe, no_foreign_key_checks, row });
}

/* --- writing --- */

static const struct value **scratch(struct group *g, size_t n)
{
    if (n > g->cap_scratch) {
        g->cap_scratch = n + n / 2;
        g->scratch = xrealloc(g->scratch, g->cap_scratch * sizeof *g->scratch);
    }
    return g->scratch;
}

static int write_merged(struct group *g, struct group_table *gt, struct sink *s, struct err *err)
{
    static const enum rows_kind order[] = { ROWS_DELETE, ROWS_UPDATE, ROWS_INSERT };
    const struct value **rows = scratch(g, gt->merge.n_entries);
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(order) && rc == 0; i++) {
        struct sink_batch b = { .table = gt->merge.table,
                                .kind = order[i],
                                .rows = rows,
                                .n_rows = merge_rows(&gt->merge, order[i], rows),
                                .safe = gt->merge.safe };

        rc = sink_rows(s, &b, err);
    }
    return rc;
}

static bool alike(const struct group_change *a, const struct group_change *b)
{
    return a->table == b->table && a->kind == b->kind && a->safe == b->safe &&
           a->no_foreign_key_checks == b->no_foreign_key_checks;
}

/* Neighbours that are alike go as one batch. */
static size_t write_run(struct group *g, size_t at, struct sink *s, int *rc, struct err *err)
{
    const struct group_change *first = &g->changes[at];
    const struct value **rows = scratch(g, g->n_changes);
    size_t n = 0;

    while (at + n < g->n_changes && alike(first, &g->changes[at + n])) {
        rows[n] = g->changes[at + n].row;
        n++;
    }
    *rc = sink_rows(s,
                    &(struct sink_batch){ .table = first->table,
                                          .kind = first->kind,
                                          .rows = rows,
                                          .n_rows = n,
                                          .ordered = true,
                                          .safe = first->safe,
                                          .no_foreign_key_checks = first->no_foreign_key_checks },
                    err);
    return n;
}

int group_write(struct group *g, struct sink *s,
                bool (*skip)(void *arg, const struct target_table *t), void *arg, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < g->n_tables && rc == 0; i++)
        if (!skip || !skip(arg, g->tables[i].merge.table))
            rc = write_merged(g, &g->tables[i], s, err);
    for (size_t i = 0; i < g->n_changes && rc == 0;) {
        if (skip && skip(arg, g->changes[i].table))
            i++;
        else
            i += write_run(g, i, s, &rc, err);
    }
    return rc;
}
