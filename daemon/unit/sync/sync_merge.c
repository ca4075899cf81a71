#include "unit/sync/sync_merge.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "sink/statement.h"

#define INDEX_MIN ((size_t)256)

void merge_init(struct merge *m, const struct target_table *t)
{
    *m = (struct merge){ .table = t };
}

void merge_fini(struct merge *m)
{
    free(m->entries);
    free(m->index);
    *m = (struct merge){ 0 };
}

void merge_clear(struct merge *m)
{
    if (m->n_entries)
        memset(m->index, 0, m->index_size * sizeof *m->index);
    m->n_entries = 0;
    m->safe = false;
}

/* --- keys --- */

static uint64_t hash_value(const struct value *v, uint64_t seed)
{
    if (v->kind >= VALUE_TEXT)
        return XXH3_64bits_withSeed(v->p, v->size, seed);
    if (v->kind == VALUE_NULL)
        return seed * 31 + 7;
    return XXH3_64bits_withSeed(&v->u, sizeof v->u, seed);
}

static uint64_t hash_key(const struct target_table *t, const struct value *row)
{
    uint64_t h = 0;

    for (unsigned p = 0; p < t->n_key; p++)
        h = hash_value(&row[t->key[p]], h);
    return h;
}

static bool same_key(const struct target_table *t, const struct value *a, const struct value *b)
{
    for (unsigned p = 0; p < t->n_key; p++)
        if (!value_same(&a[t->key[p]], &b[t->key[p]]))
            return false;
    return true;
}

static void grow_index(struct merge *m)
{
    size_t size = m->index_size ? m->index_size * 2 : INDEX_MIN;

    free(m->index);
    m->index = xcalloc(size, sizeof *m->index);
    m->index_size = size;
    for (size_t i = 0; i < m->n_entries; i++) {
        size_t at = m->entries[i].hash & (size - 1);

        while (m->index[at])
            at = (at + 1) & (size - 1);
        m->index[at] = (uint32_t)i + 1;
    }
}

/* The entry of the key that the row 'key' has (every kind of row has it at its start); a new one is
 * NET_NOTHING without a row. */
static struct merge_entry *entry_of(struct merge *m, struct value *key)
{
    uint64_t hash = hash_key(m->table, key);
    size_t at;

    if (2 * (m->n_entries + 1) > m->index_size)
        grow_index(m);
    for (at = hash & (m->index_size - 1); m->index[at]; at = (at + 1) & (m->index_size - 1)) {
        struct merge_entry *e = &m->entries[m->index[at] - 1];

        if (e->hash == hash && same_key(m->table, e->row, key))
            return e;
    }
    GROW(m->entries, m->n_entries, m->cap_entries);
    m->entries[m->n_entries] = (struct merge_entry){ .hash = hash, .of = m->of, .row = key };
    m->index[at] = (uint32_t)++m->n_entries;
    return &m->entries[m->n_entries - 1];
}

/* --- what one change makes of an entry --- */

static bool moves_unique(const struct target_table *t, const struct value *after,
                         const struct value *before)
{
    if (t->any_update_moves)
        return true;
    for (unsigned i = 0; i < t->n_cols; i++)
        if (t->cols[i].in_unique && after[i].kind != VALUE_ABSENT &&
            !value_same(&after[i], &before[i]))
            return true;
    return false;
}

/* May a row with this key appear, as far as the group knows? */
static bool may_appear(const struct merge_entry *e)
{
    return e->net == NET_NOTHING || e->net == NET_DELETE;
}

static bool is_of_another(const struct merge_entry *e, const struct merge *m)
{
    return e->of != m->of;
}

static void insert(struct merge_entry *e, const struct merge *m, struct value *row,
                   struct arena *arena)
{
    const struct target_table *t = m->table;
    struct value *both;

    e->of = m->of;
    if (e->net == NET_NOTHING) {
        e->net = NET_INSERT;
        e->row = row;
        return;
    }
    e->gone = e->row;
    if (!statement_full(t, row) || moves_unique(t, row, e->gone)) {
        e->net = NET_REPLACE;
        e->row = row;
        return;
    }
    both = arena_alloc(arena, 2 * (size_t)t->n_cols * sizeof *both);
    memcpy(both, row, t->n_cols * sizeof *both);
    memcpy(both + t->n_cols, e->gone, t->n_cols * sizeof *both);
    e->net = NET_UPDATE;
    e->row = both;
}

static bool delete (struct merge_entry *e, const struct merge *m, struct value *row)
{
    switch (e->net) {
    case NET_NOTHING:
        e->row = row;
        e->net = NET_DELETE;
        return true;
    case NET_INSERT:
        e->row = row;
        e->net = m->safe ? NET_DELETE : NET_NOTHING;
        return true;
    case NET_UPDATE:
        e->row += m->table->n_cols; /* the row as it was first */
        e->net = NET_DELETE;
        return true;
    case NET_REPLACE:
        e->row = (struct value *)(uintptr_t)e->gone;
        e->net = NET_DELETE;
        return true;
    case NET_DELETE:
        return false;
    }
    return false;
}

static void overlay(const struct target_table *t, struct value *under, const struct value *over)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (over[i].kind != VALUE_ABSENT)
            under[i] = over[i];
}

/* Partial JSON without the value before it: the target has to work it out, in the order of the
 * source. */
static bool has_diff(const struct target_table *t, const struct value *row)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (t->cols[i].class == TARGET_JSON && row[i].kind == VALUE_JSON_DIFF)
            return true;
    return false;
}

/* An update that keeps its row key. */
static bool update(struct merge_entry *e, const struct target_table *t, struct value *row)
{
    bool moves = moves_unique(t, row, row + t->n_cols);

    switch (e->net) {
    case NET_INSERT:
    case NET_REPLACE:
        overlay(t, e->row, row);
        return true;
    case NET_UPDATE:
        if (!moves) {
            overlay(t, e->row, row);
            return true;
        }
        if (!statement_full(t, row))
            return false;
        e->gone = e->row + t->n_cols;
        e->row = row;
        e->net = NET_REPLACE;
        return true;
    case NET_DELETE:
        return false;
    case NET_NOTHING:
        if (moves && !statement_full(t, row))
            return false;
        e->net = moves ? NET_REPLACE : NET_UPDATE;
        e->gone = row + t->n_cols;
        e->row = row;
        return true;
    }
    return false;
}

/* Images may leave out what did not change; the key has to be there. */
static void complete_key(const struct target_table *t, struct value *row)
{
    for (unsigned p = 0; p < t->n_key; p++)
        if (row[t->key[p]].kind == VALUE_ABSENT)
            row[t->key[p]] = row[t->n_cols + t->key[p]];
}

static bool has_key(const struct target_table *t, const struct value *row)
{
    for (unsigned p = 0; p < t->n_key; p++)
        if (row[t->key[p]].kind == VALUE_ABSENT)
            return false;
    return t->n_key > 0;
}

static bool move(struct merge *m, struct value *row, struct arena *arena)
{
    const struct target_table *t = m->table;

    if (!statement_full(t, row) || !may_appear(entry_of(m, row)) ||
        is_of_another(entry_of(m, row + t->n_cols), m) ||
        !delete (entry_of(m, row + t->n_cols), m, row + t->n_cols))
        return false;
    insert(entry_of(m, row), m, row, arena);
    return true;
}

bool merge_add(struct merge *m, enum rows_kind kind, struct value *row, struct arena *arena)
{
    const struct target_table *t = m->table;
    struct merge_entry *e;

    if (!has_key(t, kind == ROWS_UPDATE ? row + t->n_cols : row))
        return false;
    switch (kind) {
    case ROWS_INSERT:
        e = entry_of(m, row);
        if (!may_appear(e))
            return false;
        insert(e, m, row, arena);
        return true;
    case ROWS_DELETE:
        e = entry_of(m, row);
        return !is_of_another(e, m) && delete (e, m, row);
    case ROWS_UPDATE:
        if (has_diff(t, row))
            return false;
        complete_key(t, row);
        if (!same_key(t, row, row + t->n_cols))
            return move(m, row, arena);
        e = entry_of(m, row);
        return !is_of_another(e, m) && update(e, t, row);
    }
    return false;
}

/* --- the result --- */

size_t merge_rows(const struct merge *m, enum rows_kind kind, const struct value **ret)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_entries; i++) {
        const struct merge_entry *e = &m->entries[i];

        if (kind == ROWS_DELETE && e->net == NET_REPLACE)
            ret[n++] = e->gone;
        else if ((kind == ROWS_DELETE && e->net == NET_DELETE) ||
                 (kind == ROWS_UPDATE && e->net == NET_UPDATE) ||
                 (kind == ROWS_INSERT && (e->net == NET_INSERT || e->net == NET_REPLACE)))
            ret[n++] = e->row;
    }
    return n;
}
