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
    struct verify_marks *marks;
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

static bool key_of(const struct target_table *t, const struct value *row, struct buf *out)
{
    for (unsigned i = 0; i < t->n_key; i++) {
        buf_str(out, i ? "," : "");
        if (!add_part(out, &row[t->key[i]]))
            return false;
    }
    return t->n_key > 0;
}

/* --- taking them in --- */

static bool is_of(const struct verify_pending_table *p, const char *source,
                  const struct sync_table *t)
{
    return strcmp(p->name, t->name) == 0 && strcmp(p->db, t->schema) == 0 &&
           strcmp(p->source, source) == 0;
}

static struct verify_pending_table *table_of(struct verify_pending *p, const char *source,
                                             const struct sync_table *t) REQUIRES(p->lock)
{
    if (p->last < p->n && is_of(&p->tables[p->last], source, t))
        return &p->tables[p->last];
    for (p->last = 0; p->last < p->n; p->last++)
        if (is_of(&p->tables[p->last], source, t))
            return &p->tables[p->last];
    p->tables = xrealloc(p->tables, (p->n + 1) * sizeof *p->tables);
    p->tables[p->n] = (struct verify_pending_table){ .source = xstrdup(source),
                                                     .db = xstrdup(t->schema),
                                                     .name = xstrdup(t->name) };
    return &p->tables[p->n++];
}

static void add(struct verify_pending *p, const char *source, const struct sync_table *t,
                enum rows_kind kind, const struct value *row)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    bool named = key_of(t->target, row, &key), is_new;
    struct verify_pending_table *of;
    unsigned before;

    mutex_lock(&p->lock);
    before = p->n;
    of = table_of(p, source, t); /* told of also if its rows have no names */
    p->counts.over = p->counts.over || p->rows >= p->max_rows;
    if (named && !p->counts.over) {
        verify_set_add(&of->keys, key.data ? key.data : "", NULL, 0);
        p->rows++;
        p->counts.pending[kind]++;
    }
    is_new = p->n > before;
    mutex_unlock(&p->lock);
    if (is_new && p->marks)
        verify_marks_add(p->marks, source, t->schema, t->name);
}

bool verify_pending_has(void *pending, const struct verify_mark *mark)
{
    struct verify_pending *p = pending;
    bool has = false;

    mutex_lock(&p->lock);
    for (unsigned i = 0; i < p->n && !has; i++)
        has = strcmp(p->tables[i].name, mark->name) == 0 &&
              strcmp(p->tables[i].db, mark->db) == 0 &&
              strcmp(p->tables[i].source, mark->source) == 0;
    mutex_unlock(&p->lock);
    return has;
}

static void take_row(struct sync_watch *w, const char *source, const struct sync_table *t,
                     enum rows_kind kind, const struct value *row)
{
    struct verify_pending *p = (struct verify_pending *)w;

    mutex_lock(&p->lock);
    p->counts.processed[kind]++;
    mutex_unlock(&p->lock);
    add(p, source, t, kind, row);
    if (kind == ROWS_UPDATE) /* the old key: nothing may be there, or another row */
        add(p, source, t, kind, row + t->target->n_cols);
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
    if (p->marks)
        verify_marks_free(p->marks);
    mutex_fini(&p->lock);
    free(p);
}

struct verify_pending *verify_pending_new(uint64_t max_rows, struct verify_marks *marks)
{
    struct verify_pending *p = xcalloc(1, sizeof *p);

    atomic_init(&p->watch.refs, 1);
    p->watch.row = take_row;
    p->watch.free = free_pending;
    p->max_rows = max_rows;
    p->marks = marks;
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
