#include "unit/verify/verify_pending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "base/thread.h"

struct verify_pending {
    struct sync_watch watch; /* first */
    uint64_t max_rows;
    struct mutex lock;
    struct verify_pending_table *tables GUARDED;
    unsigned n GUARDED, last GUARDED; /* 'last': the one found last */
    uint64_t rows GUARDED;
    struct verify_pending_counts counts GUARDED;
};

/* --- keys as read_range.h has them --- */

static void add_hex(struct buf *out, const uint8_t *p, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        buf_byte(out, digits[p[i] >> 4]);
        buf_byte(out, digits[p[i] & 15]);
    }
}

static bool add_part(struct buf *out, const struct value *v)
{
    char text[32];
    int n;

    switch (v->kind) {
    case VALUE_INT:
        n = snprintf(text, sizeof text, "%lld", (long long)v->i);
        break;
    case VALUE_UINT:
        n = snprintf(text, sizeof text, "%llu", (unsigned long long)v->u);
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        add_hex(out, v->p, v->size);
        return true;
    default:
        return false;
    }
    add_hex(out, (const uint8_t *)text, (size_t)n);
    return true;
}

/* Of an image that says all, or as the other one has it. */
static bool key_of(const struct verify_pending_row *r, const struct value *row,
                   const struct value *other, struct buf *out)
{
    for (unsigned i = 0; i < r->n_key; i++) {
        const struct value *v = &row[r->key[i]];

        buf_str(out, i ? "," : "");
        if (!add_part(out, v->kind == VALUE_ABSENT && other ? &other[r->key[i]] : v))
            return false;
    }
    return r->n_key > 0;
}

/* --- taking them in --- */

static bool is_of(const struct verify_pending_table *p, const struct verify_pending_row *r)
{
    return strcmp(p->name, r->name) == 0 && strcmp(p->db, r->db) == 0 &&
           strcmp(p->source, r->source) == 0;
}

static struct verify_pending_table *table_of(struct verify_pending *p,
                                             const struct verify_pending_row *r) REQUIRES(p->lock)
{
    if (p->last < p->n && is_of(&p->tables[p->last], r))
        return &p->tables[p->last];
    for (p->last = 0; p->last < p->n; p->last++)
        if (is_of(&p->tables[p->last], r))
            return &p->tables[p->last];
    p->tables = xrealloc(p->tables, (p->n + 1) * sizeof *p->tables);
    p->tables[p->n] = (struct verify_pending_table){ .source = xstrdup(r->source),
                                                     .db = xstrdup(r->db),
                                                     .name = xstrdup(r->name) };
    return &p->tables[p->n++];
}

static void add(struct verify_pending *p, const struct verify_pending_row *r,
                const struct value *row, const struct value *other)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    bool named = key_of(r, row, other, &key);
    struct verify_pending_table *of;

    mutex_lock(&p->lock);
    of = table_of(p, r); /* told of also if its rows have no names */
    p->counts.over = p->counts.over || p->rows >= p->max_rows;
    if (named && !p->counts.over) {
        verify_set_add(&of->keys, key.data ? key.data : "", NULL, 0);
        p->rows++;
        p->counts.pending[r->kind]++;
    }
    mutex_unlock(&p->lock);
}

void verify_pending_add(struct verify_pending *p, const struct verify_pending_row *r)
{
    mutex_lock(&p->lock);
    p->counts.processed[r->kind]++;
    mutex_unlock(&p->lock);
    if (r->after)
        add(p, r, r->after, r->before);
    if (r->before) /* the old key: nothing may be there, or another row */
        add(p, r, r->before, NULL);
}

/* 'row' of an update: what it is, and behind it what it was. */
static void take_row(struct sync_watch *w, const char *source, const struct sync_table *t,
                     enum rows_kind kind, const struct value *row)
{
    struct verify_pending_row r = { .source = source,
                                    .db = t->schema,
                                    .name = t->name,
                                    .kind = kind,
                                    .key = t->target->key,
                                    .n_key = t->target->n_key };

    r.after = kind == ROWS_DELETE ? NULL : row;
    r.before = kind == ROWS_INSERT ? NULL : kind == ROWS_DELETE ? row : row + t->target->n_cols;
    verify_pending_add((struct verify_pending *)w, &r);
}

/* --- its life --- */

void verify_pending_tables_free(struct verify_pending_table *tables, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(tables[i].source);
        free(tables[i].db);
        free(tables[i].name);
        verify_set_fini(&tables[i].keys);
    }
    free(tables);
}

static void free_pending(struct sync_watch *w) NO_THREAD_CHECK
{
    struct verify_pending *p = (struct verify_pending *)w;

    verify_pending_tables_free(p->tables, p->n);
    mutex_fini(&p->lock);
    free(p);
}

struct verify_pending *verify_pending_new(uint64_t max_rows)
{
    struct verify_pending *p = xcalloc(1, sizeof *p);

    atomic_init(&p->watch.refs, 1);
    p->watch.row = take_row;
    p->watch.free = free_pending;
    p->max_rows = max_rows;
    mutex_init(&p->lock);
    return p;
}

struct sync_watch *verify_pending_watch(struct verify_pending *p)
{
    return &p->watch;
}

/* Sorted: a name after the same is dropped. */
static void once(struct verify_set *s)
{
    size_t kept = 0;

    verify_set_sort(s);
    for (size_t i = 0; i < s->n; i++) {
        if (kept && strcmp(s->items[kept - 1].key, s->items[i].key) == 0)
            free(s->items[i].key);
        else
            s->items[kept++] = s->items[i];
    }
    s->n = kept;
}

struct verify_pending_table *verify_pending_take(struct verify_pending *p, unsigned *n)
{
    struct verify_pending_table *tables;

    mutex_lock(&p->lock);
    tables = p->tables;
    *n = p->n;
    p->tables = NULL;
    p->n = p->last = 0;
    p->rows = 0;
    memset(p->counts.pending, 0, sizeof p->counts.pending);
    mutex_unlock(&p->lock);
    for (unsigned i = 0; i < *n; i++)
        once(&tables[i].keys);
    return tables;
}

void verify_pending_counts(struct verify_pending *p, struct verify_pending_counts *ret)
{
    mutex_lock(&p->lock);
    *ret = p->counts;
    mutex_unlock(&p->lock);
}

void verify_pending_clear(struct verify_pending *p)
{
    unsigned n;
    struct verify_pending_table *tables = verify_pending_take(p, &n);

    mutex_lock(&p->lock);
    memset(&p->counts, 0, sizeof p->counts);
    mutex_unlock(&p->lock);
    verify_pending_tables_free(tables, n);
}
