/* Rows events of a whole transaction, into a group. */
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "unit/refill/refill.h"
#include "unit/sync/sync_drop.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_shard.h"
#include "unit/sync/sync_watch.h"

/* A filter leaves out this kind of change: decided once a table, without a look at the rows. */
static bool is_ignored(const struct sync_table *t, const struct event *ev)
{
    enum rows_kind kind;

    return t && t->ignored && rows_kind_of(ev->type, &kind) && t->ignored & (1u << kind);
}

static int find_table(struct sync_run *r, const struct event *ev, struct sync_table **ret,
                      struct err *err)
{
    uint64_t id;
    int rc = rows_table_id(ev, &r->grouper.fmt, &id, err);

    if (rc < 0)
        return rc;
    *ret = sync_tables_by_id(r->tables, id);
    if (is_ignored(*ret, ev)) {
        *ret = NULL;
        atomic_fetch_add_explicit(&r->sync->ignored, 1, memory_order_relaxed);
        return 0;
    }
    /* MySQL and MariaDB end a statement with a rows event of table 0x00ffffff without rows. */
    return *ret || id == 0x00ffffff ? 0
                                    : err_set(err, -EBADMSG, "rows of table id %llu without a map",
                                              (unsigned long long)id);
}

enum copy_when sync_when(const struct sync_run *r, const char *schema, const char *name)
{
    enum copy_when again = refill_when(r, schema, name), first;

    if (!r->at) /* a DDL that was begun before the last start: the copy had not seen it */
        return COPY_APPLY;
    if (again == COPY_SKIP || !r->has_handover || r->handover.n_windows == 0)
        return again;
    first = copy_window_when(copy_handover_find(&r->handover, schema, name), r->job->by_gtid,
                             r->at_gtid, r->at);
    return first == COPY_APPLY ? again : first;
}

static bool any_copied(const struct sync_run *r)
{
    return (r->has_handover && r->handover.n_windows > 0) || refill_any(r->refill) || r->shards;
}

static int name_table(struct sync_run *r, const struct event *ev, char schema[static 200],
                      char name[static 200], struct err *err)
{
    struct table_map map;
    int rc;

    arena_clear(&r->scratch);
    rc = table_map_decode(ev, &r->grouper.fmt, &r->scratch, &map, err);
    if (rc < 0)
        return rc;
    snprintf(schema, 200, "%.*s", SLICE_ARG(map.db));
    snprintf(name, 200, "%.*s", SLICE_ARG(map.name));
    return 0;
}

static int find_shape(struct sync_run *r, const struct event *ev, struct sync_table **t,
                      struct err *err)
{
    struct position until = { .offset = 0 };
    int rc = sync_tables_map(r->tables, ev, &r->grouper.fmt, r->cp.seq, t, &until, err);

    if (rc == -EAGAIN && r->look_ahead) {
        rc = r->look_ahead(r, ev, &until, err);
        position_fini(&until);
        if (rc < 0)
            return rc;
        sync_tables_accept(r->tables);
        rc = sync_tables_map(r->tables, ev, &r->grouper.fmt, r->cp.seq, t, &until, err);
    }
    if (rc == -EAGAIN) {
        position_fini(&r->hold_until);
        r->hold_until = until;
        r->hold_why = *err;
    }
    return rc;
}

/* Rows that the copy has are not even mapped: a DDL after them may have changed the table's shape,
 * and the target has the shape that the copy found. */
static int map_copied(struct sync_run *r, const struct event *ev, struct err *err)
{
    char schema[200], name[200];
    struct sync_table *t;
    int rc = name_table(r, ev, schema, name, err);

    if (rc < 0)
        return rc;
    if (sync_shard_skips(r, schema, name) || sync_when(r, schema, name) == COPY_SKIP) {
        sync_tables_pass_by(r->tables, ev);
        return 0;
    }
    rc = find_shape(r, ev, &t, err);
    if (rc < 0 && refill_outran(r, schema, name)) {
        *err = ERR_INIT;
        sync_tables_pass_by(r->tables, ev);
        return 0;
    }
    if (rc == 0 && t->in_scope)
        t->has_window = (r->has_handover && copy_handover_find(&r->handover, schema, name)) ||
                        refill_concerns(r->refill, schema, name);
    return rc;
}

static int map_table(struct sync_run *r, const struct event *ev, struct err *err)
{
    struct sync_table *t;
    int rc;

    if (any_copied(r))
        return map_copied(r, ev, err);
    rc = find_shape(r, ev, &t, err);
    if (rc == 0)
        t->has_window = false;
    return rc;
}

int sync_find_tables(struct sync_run *r, struct raw_txn *txn, bool *any, struct err *err)
{
    *any = false;
    for (size_t i = 0; i < txn->n_events; i++) {
        struct raw_event *e = &txn->events[i];
        struct event ev = raw_event_view(e);
        int rc;

        if (e->step == TXN_MAP)
            rc = map_table(r, &ev, err);
        else if (e->step == TXN_ROWS)
            rc = find_table(r, &ev, &e->table, err);
        else
            continue;
        if (rc < 0)
            return rc;
        *any = *any || (e->table && e->table->in_scope);
    }
    return 0;
}

/* The target may have another key than the source, whose images can leave columns out. */
static int check_key(const struct target_table *t, enum rows_kind kind, const struct value *row,
                     struct err *err)
{
    const struct value *before = kind == ROWS_UPDATE ? row + t->n_cols : row;

    for (unsigned p = 0; p < t->n_key && kind != ROWS_INSERT; p++)
        if (before[t->key[p]].kind == VALUE_ABSENT) {
            err_set(err, -ENOTSUP,
                    "the target finds rows by column '%s', which the source left out of a change "
                    "(binlog_row_image of a session is not FULL): give the target's table the "
                    "source's key, and resume",
                    t->cols[t->key[p]].name);
            return err_because(err, REASON_ROW_IMAGE);
        }
    return 0;
}

/* DM may have applied it before its checkpoint became ours. */
static bool is_doubtful(const struct sync_run *r)
{
    return r->safe_to.file[0] && position_compare(r->at, &r->safe_to) <= 0;
}

/* The time that a start was given for safe mode begins with the first change. */
static bool in_safe_time(struct sync_run *r, uint32_t timestamp)
{
    if (r->job->safe_us <= 0)
        return false;
    if (!r->safe_until_s)
        r->safe_until_s = timestamp + (r->job->safe_us + 999999) / 1000000;
    return timestamp < r->safe_until_s;
}

static int add_rows(struct sync_run *r, const struct raw_event *e, struct rows *rows,
                    enum copy_when how, struct sync_watch *watch, struct group *g, struct err *err)
{
    const struct sync_table *t = e->table;
    unsigned n = t->target->n_cols;
    bool safe =
        how == COPY_SAFE || r->job->safe_mode || in_safe_time(r, e->timestamp) || is_doubtful(r);
    bool as_source = r->source_cascades || rows->flags & ROWS_FLAG_NO_FOREIGN_KEY_CHECKS;
    bool unchecked = r->job->foreign_keys == FOREIGN_KEYS_AS_SOURCE
                         ? as_source
                         : r->job->foreign_keys == FOREIGN_KEYS_OFF;
    int rc;

    for (uint64_t done = 0;; done++) {
        struct value *row =
            arena_alloc(&g->values, (rows->kind == ROWS_UPDATE ? (size_t)2 : 1) * n * sizeof *row);

        rc = rows->kind == ROWS_UPDATE   ? rows_next(rows, row + n, row, err)
             : rows->kind == ROWS_INSERT ? rows_next(rows, NULL, row, err)
                                         : rows_next(rows, row, NULL, err);
        if (rc > 0)
            extra_fill(&t->extra, rows->kind, row, n);
        if (rc <= 0) {
            atomic_fetch_add_explicit(&r->sync->changes[rows->kind], done, memory_order_relaxed);
            histogram_observe(&r->sync->event_rows, (int64_t)done);
            return rc;
        }
        rc = check_key(t->target, rows->kind, row, err);
        if (rc == 0 && t->drops)
            rc = drops_row(t->drops, rows->kind, row, n, err);
        if (rc < 0)
            return rc;
        if (rc > 0) {
            atomic_fetch_add_explicit(&r->sync->rows_ignored, 1, memory_order_relaxed);
            continue;
        }
        group_add(g, t->target, rows->kind, safe, unchecked, row);
        if (watch)
            watch->row(watch, r->job->source, t, rows->kind, row);
    }
}

/* NULL: nobody; else with a reference. */
static struct sync_watch *watch_of(struct sync *s)
{
    struct sync_watch *w = NULL;

    if (!atomic_load_explicit(&s->watched, memory_order_relaxed))
        return NULL;
    mutex_lock(&s->unit.lock);
    if (s->watch)
        w = sync_watch_ref(s->watch);
    mutex_unlock(&s->unit.lock);
    return w;
}

int sync_add_event(struct sync_run *r, const struct raw_event *e, struct group *g, struct err *err)
{
    struct event ev = raw_event_view(e);
    struct table_map map;
    struct sync_watch *watch;
    enum copy_when how;
    struct rows rows;
    int rc;

    if (!e->table || !e->table->in_scope)
        return 0;
    how = e->table->has_window ? sync_when(r, e->table->schema, e->table->name) : COPY_APPLY;
    if (how == COPY_SKIP)
        return 0;
    map = *e->table->map;
    rc = rows_table_id(&ev, &r->grouper.fmt, &map.table_id, err); /* it may have a new one */
    if (rc == 0)
        rc = rows_open(&rows, &ev, &r->grouper.fmt, &map, &g->values, err);
    watch = watch_of(r->sync);
    if (rc == 0)
        rc = add_rows(r, e, &rows, how, watch, g, err);
    sync_watch_unref(watch);
    return rc < 0 ? err_wrap(err, "table %s.%s", e->table->schema, e->table->name) : 0;
}

int sync_add_rows(struct sync_run *r, const struct raw_txn *txn, struct group *g, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < txn->n_events && rc == 0; i++)
        if (txn->events[i].step == TXN_ROWS)
            rc = sync_add_event(r, &txn->events[i], g, err);
    return rc;
}
