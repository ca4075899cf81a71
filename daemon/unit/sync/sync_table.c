#include "unit/sync/sync_table.h"
#include "mysql/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/scope.h"
#include "route/filter.h"
#include "route/shard_table.h"
#include "unit/source/source_def.h"
#include "unit/sync/sync_drop.h"
#include "unit/sync/sync_schema.h"
#include "unit/sync/sync_shape.h"

#define BODY_ID_SIZE 6 /* a TABLE_MAP's body begins with its table id */

/* What is remembered of a table beyond one TABLE_MAP, and kept: sync_schema.h. */
struct memory {
    char *schema, *name;
    bool mirror;                /* the target goes through the same DDL */
    struct table_def *given;    /* set by hand; NULL: none was */
    struct table_def *proposal; /* the source's, waiting for the stream */
    bool accepted;              /* the stream was there */
    struct table_def *told;     /* sync_tables_tell() */
};

struct slot {
    uint64_t table_id;
    struct sync_table *table; /* NULL: free */
};

struct sync_tables {
    const struct job *job;
    struct mysql_conn *target, *source; /* 'source' is ours */
    struct sync_table **list;
    unsigned n, cap;
    struct memory *memories;
    unsigned n_memories, cap_memories;
    struct slot *slots; /* open addressing by table id */
    size_t n_slots, n_used;
    struct sync_table passed_by; /* not in scope */
    struct arena arena;
};

struct sync_tables *sync_tables_new(const struct job *job, struct mysql_conn *target)
{
    struct sync_tables *ts = xcalloc(1, sizeof *ts);

    ts->job = job;
    ts->target = target;
    return ts;
}

static void known_free(struct sync_table *t)
{
    free(t->schema);
    free(t->name);
    free(t->map);
    free(t->body);
    target_table_free(t->target);
    drops_free(t->drops);
    free(t);
}

static void memory_fini(struct memory *m)
{
    free(m->schema);
    free(m->name);
    table_free(m->given);
    table_free(m->proposal);
    table_free(m->told);
}

void sync_tables_free(struct sync_tables *ts)
{
    if (!ts)
        return;
    for (unsigned i = 0; i < ts->n; i++)
        known_free(ts->list[i]);
    for (unsigned i = 0; i < ts->n_memories; i++)
        memory_fini(&ts->memories[i]);
    free(ts->list);
    free(ts->memories);
    free(ts->slots);
    arena_fini(&ts->arena);
    mysql_conn_close(ts->source);
    free(ts);
}

void sync_tables_set_target(struct sync_tables *ts, struct mysql_conn *target)
{
    ts->target = target;
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

/* --- what is remembered --- */

static struct memory *memory_of(struct sync_tables *ts, const char *schema, const char *name)
{
    for (unsigned i = 0; i < ts->n_memories; i++)
        if (strcmp(ts->memories[i].schema, schema) == 0 && strcmp(ts->memories[i].name, name) == 0)
            return &ts->memories[i];
    return NULL;
}

static struct memory *memory_add(struct sync_tables *ts, const char *schema, const char *name)
{
    GROW(ts->memories, ts->n_memories, ts->cap_memories);
    ts->memories[ts->n_memories] =
        (struct memory){ .schema = xstrdup(schema), .name = xstrdup(name) };
    return &ts->memories[ts->n_memories++];
}

static int load_memory(struct sync_tables *ts, const char *schema, const char *name,
                       struct memory **ret, struct err *err)
{
    SCOPED(buf_fini) struct buf set = BUF_INIT;
    struct table_def *given = NULL;
    enum schema_kept kept;
    int rc;

    *ret = memory_of(ts, schema, name);
    if (*ret)
        return 0;
    rc = sync_schema_get(ts->job, schema, name, &kept, &set, err);
    if (rc == 0 && kept == SCHEMA_SET)
        rc = sync_schema_def(slice_of(set.data, set.size), schema, name, &given, err);
    if (rc < 0)
        return rc;
    *ret = memory_add(ts, schema, name);
    (*ret)->mirror = kept == SCHEMA_MIRROR;
    (*ret)->given = given;
    return 0;
}

static int save_memory(struct sync_tables *ts, const char *schema, const char *name, bool mirror,
                       uint64_t seq, struct err *err)
{
    struct memory *m = memory_of(ts, schema, name);

    if (!m)
        m = memory_add(ts, schema, name);
    m->mirror = mirror;
    m->accepted = false;
    table_free(m->proposal);
    table_free(m->given);
    table_free(m->told);
    m->proposal = m->given = m->told = NULL;
    return sync_schema_put(ts->job, schema, name, mirror ? SCHEMA_MIRROR : SCHEMA_APART, seq, err);
}

/* Where the binlog has the names, nothing needs to be known but that the table is there. */
static int save_named(struct sync_tables *ts, const struct sync_table *t, uint64_t seq,
                      struct err *err)
{
    struct memory *m;
    int rc = load_memory(ts, t->schema, t->name, &m, err);

    if (rc != -ENOENT)
        return rc;
    memory_add(ts, t->schema, t->name);
    return sync_schema_put(ts->job, t->schema, t->name, SCHEMA_NAMED, seq, err);
}

int sync_tables_mirrored(const struct job *job, const char *schema, const char *name, bool on_disk,
                         struct err *err)
{
    return on_disk ? sync_schema_put(job, schema, name, SCHEMA_MIRROR, 0, err)
                   : sync_schema_put_later(job, schema, name, SCHEMA_MIRROR, 0, err);
}

/* --- finding out --- */

static bool fits(const struct sync_table *t, const struct table_def *def)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    struct err ignored = ERR_INIT;

    return shape_fit(t->map, def, cols, &ignored) == 0;
}

/* The target is where the stream is, by what a checkpoint means, so its definition is of the right
 * moment where the source's may be ahead.  Not if its columns are others by design: then the
 * shapes differ, or the source has the same columns in another order, or bytes where the target
 * has what is made of an address. */
static bool mirrors(const struct sync_table *t, const struct table_def *now,
                    const struct table_def *target)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    struct err ignored = ERR_INIT;

    return shape_fit(t->map, target, cols, &ignored) == 0 && !shape_guesses(t->map, cols, now) &&
           !(now && shape_permuted(now, target));
}

/* Why the target's definition is not asked. */
static void misfit(const struct sync_table *t, const struct table_def *target, struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);

    if (shape_fit(t->map, target, cols, err) == 0)
        err_set(err, -EAGAIN, "it has the columns in another order");
    err_wrap(err, "the target's table is not as the source's was");
}

/* Whose definition tells the columns of the rows: *ret is 'target', or another to be freed. */
static int choose_def(struct sync_tables *ts, const struct sync_table *t, struct table_def *target,
                      uint64_t seq, struct table_def **ret, struct position *hold_until,
                      struct err *err)
{
    struct memory *m = NULL;
    struct table_def *now;
    int rc = load_memory(ts, t->schema, t->name, &m, err);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (m && m->told && fits(t, m->told)) {
        *ret = m->told;
        return 0;
    }
    if (m && m->mirror && fits(t, target)) {
        *ret = target;
        return 0;
    }
    if (m && m->given) {
        *ret = m->given;
        return 0;
    }
    if (m && m->accepted && m->proposal) {
        *ret = m->proposal;
        return 0;
    }
    rc = source_def_read(&ts->source, &ts->job->from, t->schema, t->name, &now, err);
    if (rc < 0 && rc != -ENOENT)
        return rc;
    if (mirrors(t, rc == 0 ? now : NULL, target)) {
        if (rc == 0)
            table_free(now);
        *ret = target;
        return save_memory(ts, t->schema, t->name, true, seq, err);
    }
    if (rc == -ENOENT)
        return err_set(err, -EINVAL,
                       "the source has dropped or renamed it since, so its columns can only be "
                       "known from names in the binlog: SET GLOBAL binlog_row_metadata=FULL at the "
                       "source, or copy the task's tables again");
    rc = server_end(ts->source, hold_until, err);
    if (rc == 0 && !m)
        rc = sync_schema_put(ts->job, t->schema, t->name, SCHEMA_APART, seq, err);
    if (rc < 0) {
        table_free(now);
        return rc;
    }
    if (!m)
        m = memory_add(ts, t->schema, t->name);
    table_free(m->proposal);
    m->proposal = now;
    misfit(t, target, err);
    return err->code = -EAGAIN;
}

void sync_tables_accept(struct sync_tables *ts)
{
    for (unsigned i = 0; i < ts->n_memories; i++)
        if (ts->memories[i].proposal)
            ts->memories[i].accepted = true;
}

static void tell_column(const struct shard_column *from, struct table_column *to)
{
    *to = (struct table_column){
        .name = xstrdup(from->name),
        .data_type = xstrndup(from->type, strcspn(from->type, "( ")),
        .column_type = xstrdup(from->type),
        .is_unsigned = from->is_unsigned,
        .nullable = from->nullable,
        .generated = from->generated != NULL,
        .is_virtual = from->generated && strstr(from->generated, " virtual"),
        .auto_increment = from->auto_increment,
    };
    to->json = strcmp(to->data_type, "json") == 0;
}

static struct table_def *def_of_create(const char *create)
{
    struct shard_table s;
    struct err ignored = ERR_INIT;
    struct table_def *def = NULL;

    if (shard_table_parse(slice_str(create), &s, &ignored) == 0) {
        def = xcalloc(1, sizeof *def);
        def->n_cols = s.n_cols;
        def->cols = xcalloc(s.n_cols, sizeof *def->cols);
        for (unsigned i = 0; i < s.n_cols; i++)
            tell_column(&s.cols[i], &def->cols[i]);
    }
    shard_table_fini(&s);
    return def;
}

void sync_tables_tell(struct sync_tables *ts, const char *schema, const char *name,
                      const char *create)
{
    struct err ignored = ERR_INIT;
    struct memory *m = NULL;
    int rc = load_memory(ts, schema, name, &m, &ignored);

    if (rc == -ENOENT)
        m = memory_add(ts, schema, name);
    else if (rc < 0 || !m->mirror)
        return;
    table_free(m->told);
    m->told = def_of_create(create);
}

static char **names_of_map(const struct table_map *map)
{
    char **names = xcalloc(map->n_cols + 1, sizeof *names);

    for (unsigned i = 0; i < map->n_cols; i++)
        names[i] = xstrndup((const char *)map->cols[i].name.data, map->cols[i].name.size);
    return names;
}

static void names_free(char **names, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* The target's columns by the names in the map; NULL where it has none. */
static void columns_by_name(const struct table_def *def, char *const *names, unsigned n,
                            const struct table_column **cols)
{
    for (unsigned i = 0; i < n; i++) {
        cols[i] = NULL;
        for (unsigned c = 0; c < def->n_cols; c++)
            if (strcasecmp(def->cols[c].name, names[i]) == 0)
                cols[i] = &def->cols[c];
    }
}

/* Names do not tell an address from a CHAR of its size: for such columns 'cols' gets the source's,
 * as far as it has them now.  '*now' is to be freed; NULL: there was no need to ask. */
static int ask_addresses(struct sync_tables *ts, const struct sync_table *t,
                         const struct table_column **cols, struct table_def **now, struct err *err)
{
    int rc = 0;

    *now = NULL;
    for (unsigned i = 0; i < t->map->n_cols; i++) {
        int at;

        if (!cols[i] || !shape_asks(&t->map->cols[i], cols[i]))
            continue;
        if (!*now)
            rc = source_def_read(&ts->source, &ts->job->from, t->schema, t->name, now, err);
        if (rc < 0)
            return rc == -ENOENT ? 0 : rc;
        at = table_column_find(*now, cols[i]->name);
        if (at >= 0)
            cols[i] = &(*now)->cols[at];
    }
    return 0;
}

static int complete_named(struct sync_tables *ts, struct sync_table *t,
                          const struct table_def *target, const char *const *names,
                          const struct table_column **cols, struct err *err)
{
    struct table_def *now = NULL;
    int rc = extra_target(ts->job, t->schema, t->name, target, names, t->map->n_cols, &t->extra,
                          &t->target, err);

    if (rc == 0)
        rc = ask_addresses(ts, t, cols, &now, err);
    if (rc == 0) {
        shape_complete(t->map, cols);
        shape_say(t->map, t->target);
        rc = drops_new(ts->job, t->schema, t->name, t->map, cols, names, &t->drops, err);
    }
    table_free(now);
    return rc;
}

static int complete_by_names(struct sync_tables *ts, struct sync_table *t,
                             const struct table_def *target, struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    char **names = names_of_map(t->map);
    int rc;

    columns_by_name(target, names, t->map->n_cols, cols);
    rc = complete_named(ts, t, target, (const char *const *)names, cols, err);
    names_free(names, t->map->n_cols);
    return rc;
}

/* Only somebody who knows it can tell how the table was. */
static int changed_since(const struct sync_tables *ts, const struct sync_table *t, struct err *err)
{
    const struct err why = *err;

    return err_set(
        err, -EINVAL,
        "%s, since the source has changed it meanwhile: write its CREATE TABLE of then to "
        "sources/%s/schemas/%s/%s.sql of the task, and resume (SET GLOBAL "
        "binlog_row_metadata=FULL at the source avoids this)",
        why.text, ts->job->source, t->schema, t->name);
}

static int complete_by_def(struct sync_tables *ts, struct sync_table *t,
                           const struct table_def *def, const struct table_def *target,
                           struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    SCOPED(freep) const char **names = xcalloc(t->map->n_cols + 1, sizeof *names);
    int rc = shape_fit(t->map, def, cols, err);

    if (rc < 0)
        return changed_since(ts, t, err);
    for (unsigned i = 0; i < t->map->n_cols; i++)
        names[i] = cols[i]->name;
    rc = extra_target(ts->job, t->schema, t->name, target, names, t->map->n_cols, &t->extra,
                      &t->target, err);
    if (rc < 0)
        return rc;
    shape_complete(t->map, cols);
    shape_say(t->map, t->target);
    return drops_new(ts->job, t->schema, t->name, t->map, cols, names, &t->drops, err);
}

static int resolve(struct sync_tables *ts, struct sync_table *t, const struct route *to,
                   uint64_t seq, struct position *hold_until, struct err *err)
{
    struct table_def *target, *def = NULL;
    int rc = router_check(ts->job->router, t->schema, t->name, err);

    if (rc < 0)
        return rc;
    rc = table_read(ts->target, to->to_schema, to->to_table, &target, err);
    if (rc == -ENOENT) {
        err_set(err, rc, "the target has no table %s.%s", to->to_schema, to->to_table);
        return err_because(err, REASON_NO_TABLE);
    }
    if (rc < 0)
        return rc;
    if (target->versioned) {
        table_free(target);
        return err_set(err, -ENOTSUP,
                       "it is WITH SYSTEM VERSIONING: its binlog has versions of rows and not the "
                       "changes to them; leave it out (block_allow_list/ignore_tables)");
    }
    if (t->map->has_names) {
        rc = complete_by_names(ts, t, target, err);
        if (rc == 0)
            rc = save_named(ts, t, seq, err);
    } else {
        rc = choose_def(ts, t, target, seq, &def, hold_until, err);
        if (rc == 0)
            rc = complete_by_def(ts, t, def, target, err);
    }
    table_free(target);
    return rc;
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
    t->ignored = filter_rows(ts->job->filter, t->schema, t->name);
    t->in_scope =
        t->ignored != FILTER_ROWS_ALL && router_table(ts->job->router, t->schema, t->name, &to);
    if (t->in_scope)
        rc = resolve(ts, t, &to, seq, hold_until, err);
    if (rc < 0) {
        err_wrap(err, "table %s.%s", t->schema, t->name);
        known_free(t);
        return rc;
    }
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
            known_free(t);
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

/* What the store has of it, if anything, is read when it is needed.  'name' NULL: of all tables of
 * the schema. */
static void forget_memory(struct sync_tables *ts, const char *schema, const char *name)
{
    forget(ts, schema, name);
    for (unsigned i = ts->n_memories; i-- > 0;) {
        struct memory *m = &ts->memories[i];

        if (strcmp(m->schema, schema) != 0 || (name && strcmp(m->name, name) != 0))
            continue;
        memory_fini(m);
        *m = ts->memories[--ts->n_memories];
    }
}

/* Nothing is known of it any more. */
static int table_gone(struct sync_tables *ts, const char *schema, const char *name, struct err *err)
{
    int rc = sync_schema_drop(ts->job, schema, name, err);

    forget_memory(ts, schema, name);
    if (rc != -ENOENT)
        return rc;
    *err = ERR_INIT;
    return 0;
}

static int table_changed(struct sync_tables *ts, const char *schema, const char *name,
                         enum sync_change change, uint64_t seq, struct err *err)
{
    struct memory *known = NULL;
    int rc;

    if (change == SYNC_CHANGE_CREATED)
        return save_memory(ts, schema, name, true, seq, err);
    rc = load_memory(ts, schema, name, &known, err);
    if (rc == -ENOENT) /* never met: found out when its first row comes */
        return 0;
    if (rc < 0)
        return rc;
    return save_memory(ts, schema, name, known->mirror && change == SYNC_CHANGE_BOTH, seq, err);
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
    for (unsigned i = 0; i < ts->n_memories && rc == 0; i++) {
        struct memory *m = &ts->memories[i];

        if (covers(schema, name, m->schema, m->name) && change == SYNC_CHANGE_SOURCE)
            rc = save_memory(ts, m->schema, m->name, false, seq, err);
    }
    return rc;
}

int sync_tables_renamed(struct sync_tables *ts, const struct schema_rename *names, unsigned n,
                        uint64_t seq, uint64_t hash, struct err *err)
{
    int rc = sync_schema_rename(ts->job, names, n, seq, hash, err);

    for (unsigned i = 0; i < n; i++) {
        forget_memory(ts, names[i].from_schema, names[i].from_table);
        forget_memory(ts, names[i].schema, names[i].table);
    }
    return rc;
}
