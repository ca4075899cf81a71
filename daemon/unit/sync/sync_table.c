#include "unit/sync/sync_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "route/filter.h"
#include "unit/schema/schema_store.h"
#include "unit/sync/sync_definition.h"
#include "unit/sync/sync_drop.h"

#define BODY_ID_SIZE 6 /* a TABLE_MAP's body begins with its table id */

struct slot {
    uint64_t table_id;
    struct sync_table *table; /* NULL: free */
};

struct sync_tables {
    struct definitions defs;
    struct sync_table **list;
    unsigned n, cap;
    struct slot *slots; /* open addressing by table id */
    size_t n_slots, n_used;
    struct sync_table passed_by; /* not in scope */
    struct arena arena;
};

struct sync_tables *sync_tables_new(const struct job *job, struct mysql_conn *target)
{
    struct sync_tables *ts = xcalloc(1, sizeof *ts);

    ts->defs = (struct definitions){ .job = job, .target = target, .known.job = job };
    return ts;
}

static void sync_table_free(struct sync_table *t)
{
    free(t->schema);
    free(t->name);
    free(t->map);
    free(t->body);
    target_table_free(t->target);
    drops_free(t->drops);
    free(t);
}

void sync_tables_free(struct sync_tables *ts)
{
    if (!ts)
        return;
    for (unsigned i = 0; i < ts->n; i++)
        sync_table_free(ts->list[i]);
    free(ts->list);
    known_fini(&ts->defs.known);
    free(ts->slots);
    arena_fini(&ts->arena);
    mysql_conn_close(ts->defs.source);
    free(ts);
}

/* --- by table id --- */

static size_t slot_at(const struct sync_tables *ts, uint64_t id)
{
    size_t at = (size_t)(id * 0x9e3779b97f4a7c15u >> 32) & (ts->n_slots - 1);

    while (ts->slots[at].table && ts->slots[at].table_id != id)
        at = (at + 1) & (ts->n_slots - 1);
    return at;
}

struct sync_table *sync_tables_by_id(const struct sync_tables *ts, uint64_t table_id)
{
    return ts->n_slots ? ts->slots[slot_at(ts, table_id)].table : NULL;
}

static void put_slot(struct sync_tables *ts, uint64_t id, struct sync_table *t)
{
    if (2 * (ts->n_used + 1) > ts->n_slots) {
        struct slot *old = ts->slots;
        size_t n = ts->n_slots;

        ts->n_slots = n ? 2 * n : 64;
        ts->slots = xcalloc(ts->n_slots, sizeof *ts->slots);
        for (size_t i = 0; i < n; i++)
            if (old[i].table)
                ts->slots[slot_at(ts, old[i].table_id)] = old[i];
        free(old);
    }
    struct slot *s = &ts->slots[slot_at(ts, id)];

    if (!s->table)
        ts->n_used++;
    *s = (struct slot){ id, t };
}

static void forget_slots(struct sync_tables *ts)
{
    if (ts->n_slots)
        memset(ts->slots, 0, ts->n_slots * sizeof *ts->slots);
    ts->n_used = 0;
}

/* --- TABLE_MAP --- */

static struct slice body_of(const struct event *ev)
{
    return ev->body.size > BODY_ID_SIZE
               ? slice_of(ev->body.data + BODY_ID_SIZE, ev->body.size - BODY_ID_SIZE)
               : slice_of(NULL, 0);
}

static bool is_of(const struct sync_table *t, struct slice body)
{
    return body.data && t->body_size == body.size && memcmp(t->body, body.data, body.size) == 0;
}

static void list_add(struct sync_tables *ts, struct sync_table *t)
{
    GROW(ts->list, ts->n, ts->cap);
    ts->list[ts->n++] = t;
}

static int make_table(struct sync_tables *ts, const struct event *ev,
                      const struct event_format *fmt, uint64_t seq, struct sync_table **ret,
                      uint64_t *id, struct position *hold_until, struct err *err)
{
    struct slice body = body_of(ev);
    struct sync_table *t = xcalloc(1, sizeof *t);
    struct table_map map;
    struct route to;
    int rc;

    arena_clear(&ts->arena);
    rc = table_map_decode(ev, fmt, &ts->arena, &map, err);
    if (rc < 0) {
        free(t);
        return rc;
    }
    *id = map.table_id;
    t->map = table_map_dup(&map);
    t->schema = xstrndup((const char *)map.db.data, map.db.size);
    t->name = xstrndup((const char *)map.name.data, map.name.size);
    t->body = xmemdup(body.data, body.size);
    t->body_size = body.size;
    t->ignored = filter_rows(ts->defs.job->filter, t->schema, t->name);
    t->in_scope = t->ignored != FILTER_ROWS_ALL &&
                  router_table(ts->defs.job->router, t->schema, t->name, &to);
    if (t->in_scope)
        rc = definitions_complete(&ts->defs, t, &to, seq, hold_until, err);
    if (rc < 0) {
        err_wrap(err, "table %s.%s", t->schema, t->name);
        sync_table_free(t);
        return rc;
    }
    if (t->in_scope)
        t->target->may_lack = t->drops || t->ignored;
    *ret = t;
    return 0;
}

static uint64_t id_of(const struct event *ev)
{
    uint64_t id = 0;

    for (size_t i = 0; i < BODY_ID_SIZE && ev->body.size > BODY_ID_SIZE; i++)
        id |= (uint64_t)ev->body.data[i] << (8 * i);
    return id;
}

void sync_tables_accept(struct sync_tables *ts)
{
    known_accept(&ts->defs.known);
}

void sync_tables_tell(struct sync_tables *ts, const char *schema, const char *name,
                      const char *create)
{
    known_tell(&ts->defs.known, schema, name, create);
}

void sync_tables_pass_by(struct sync_tables *ts, const struct event *ev)
{
    put_slot(ts, id_of(ev), &ts->passed_by);
}

int sync_tables_map(struct sync_tables *ts, const struct event *ev, const struct event_format *fmt,
                    uint64_t seq, struct sync_table **ret, struct position *hold_until,
                    struct err *err)
{
    struct slice body = body_of(ev);
    uint64_t id = id_of(ev);
    struct sync_table *t;
    int rc;

    t = sync_tables_by_id(ts, id);
    if (t && is_of(t, body)) {
        *ret = t;
        return 0;
    }
    for (unsigned i = 0; i < ts->n; i++) { /* the same table under a new id */
        if (is_of(ts->list[i], body)) {
            put_slot(ts, id, ts->list[i]);
            *ret = ts->list[i];
            return 0;
        }
    }
    rc = make_table(ts, ev, fmt, seq, &t, &id, hold_until, err);
    if (rc < 0)
        return rc;
    list_add(ts, t);
    put_slot(ts, id, t);
    *ret = t;
    return 0;
}

/* --- DDL --- */

/* In any case: a server with lower_case_table_names logs a DDL as it was typed, and rows by the
 * lower-case name. */
static bool covers(const char *schema, const char *name, const char *t_schema, const char *t_name)
{
    return (!schema || strcasecmp(schema, t_schema) == 0) &&
           (!name || strcasecmp(name, t_name) == 0);
}

static void forget(struct sync_tables *ts, const char *schema, const char *name)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < ts->n; i++) {
        struct sync_table *t = ts->list[i];

        if (covers(schema, name, t->schema, t->name))
            sync_table_free(t);
        else
            ts->list[kept++] = t;
    }
    ts->n = kept;
    forget_slots(ts);
}

void sync_tables_forget(struct sync_tables *ts)
{
    forget(ts, NULL, NULL);
}

static void forget_known(struct sync_tables *ts, const char *schema, const char *name)
{
    forget(ts, schema, name);
    known_forget(&ts->defs.known, schema, name);
}

/* Nothing is known of it any more. */
static int table_gone(struct sync_tables *ts, const char *schema, const char *name, struct err *err)
{
    int rc = schema_store_drop(ts->defs.job, schema, name, err);

    forget_known(ts, schema, name);
    if (rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    return 0;
}

static int table_changed(struct sync_tables *ts, const char *schema, const char *name,
                         enum sync_change change, uint64_t seq, struct err *err)
{
    struct known_table *known = NULL;
    int rc;

    if (change == SYNC_CHANGE_CREATED)
        return known_save(&ts->defs.known, schema, name, true, seq, err);
    rc = known_load(&ts->defs.known, schema, name, &known, err);
    if (rc == -ENOENT) /* never met: found out when its first row comes */
        return 0;
    if (rc < 0)
        return rc;
    return known_save(&ts->defs.known, schema, name, known->mirror && change == SYNC_CHANGE_BOTH,
                      seq, err);
}

int sync_tables_changed(struct sync_tables *ts, const char *schema, const char *name,
                        enum sync_change change, uint64_t seq, struct err *err)
{
    int rc = 0;

    forget(ts, schema, name);
    if (schema && change == SYNC_CHANGE_DROPPED)
        return table_gone(ts, schema, name, err);
    if (schema && name)
        return table_changed(ts, schema, name, change, seq, err);
    for (unsigned i = 0; i < ts->defs.known.n && rc == 0; i++) {
        const struct known_table *m = &ts->defs.known.all[i];

        if (covers(schema, name, m->schema, m->name) && change == SYNC_CHANGE_SOURCE)
            rc = known_save(&ts->defs.known, m->schema, m->name, false, seq, err);
    }
    return rc;
}

int sync_tables_renamed(struct sync_tables *ts, const struct schema_rename *names, unsigned n,
                        uint64_t seq, uint64_t hash, struct err *err)
{
    int rc = schema_store_rename(ts->defs.job, names, n, seq, hash, err);

    for (unsigned i = 0; i < n; i++) {
        forget_known(ts, names[i].from_schema, names[i].from_table);
        forget_known(ts, names[i].schema, names[i].table);
    }
    return rc;
}
