#include "unit/drain/drain_table.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/address.h"
#include "mysql/server.h"
#include "mysql/table.h"
#include "unit/drain/drain_ahead.h"
#include "unit/schema/schema_shape.h"
#include "unit/source/source_def.h"

#define BODY_ID_SIZE 6
#define PATIENCE_US ((int64_t)10000000)

struct slot {
    uint64_t id;
    struct drain_table *table;
};

enum { SLOTS = 1024 }; /* by id; what falls out comes again with the next TABLE_MAP */

struct drain_tables {
    struct mysql_params from;
    const struct router *router;
    struct unit *unit;
    struct mysql_conn *source;
    int64_t asked_in_vain_us; /* monotonic: when the source last did not answer; 0: it does */
    struct drain_table **list;
    size_t n;
    struct slot slots[SLOTS];
    struct arena scratch;
};

struct drain_tables *drain_tables_new(const struct mysql_params *from, const struct router *router,
                                      struct unit *u)
{
    struct drain_tables *ts = xcalloc(1, sizeof *ts);

    mysql_params_copy(&ts->from, from);
    ts->router = router;
    ts->unit = u;
    return ts;
}

static void table_fini(struct drain_table *t)
{
    free(t->map);
    free(t->schema);
    free(t->name);
    free(t->body);
    arena_fini(&t->arena);
    free(t);
}

void drain_tables_free(struct drain_tables *ts)
{
    if (!ts)
        return;
    for (size_t i = 0; i < ts->n; i++)
        table_fini(ts->list[i]);
    free(ts->list);
    mysql_conn_close(ts->source);
    mysql_params_fini(&ts->from);
    arena_fini(&ts->scratch);
    free(ts);
}

/* --- columns --- */

static char *keep(struct drain_table *t, const char *text, size_t size)
{
    char *copy = arena_alloc(&t->arena, size + 1);

    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static char *keep_str(struct drain_table *t, const char *text)
{
    return keep(t, text, strlen(text));
}

/* "decimal(10,2)" has 10 and 2; "varchar(255)" 255. */
static void sizes_of(const char *column_type, struct change_column *c)
{
    const char *at = strchr(column_type, '(');
    char *end;

    if (!at || c->type == COL_ENUM || c->type == COL_SET)
        return;
    c->flen = (unsigned)strtoul(at + 1, &end, 10);
    if (*end == ',')
        c->decimals = (unsigned)strtoul(end + 1, NULL, 10);
}

static bool holds_bytes(const struct table_column *def)
{
    static const char *const types[] = { "binary",     "varbinary", "tinyblob", "blob",
                                         "mediumblob", "longblob",  "vector" };

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strcmp(def->data_type, types[i]) == 0)
            return true;
    return false;
}

static char *numbered(struct drain_table *t, unsigned i)
{
    char text[16];

    snprintf(text, sizeof text, "@%u", i + 1);
    return keep_str(t, text);
}

/* What the rows themselves say; 'def' (NULL: not known) what the definition adds. */
static void set_column(struct drain_table *t, unsigned i, const struct table_column *def)
{
    const struct column *from = &t->map->cols[i];
    struct change_column *to = &t->change.cols[i];

    *to = (struct change_column){ .type = from->type,
                                  .is_unsigned = from->is_unsigned,
                                  .binary = from->collation == COLLATION_BINARY,
                                  .primary = from->primary_key };
    if (t->map->has_names)
        to->name = keep(t, (const char *)from->name.data, from->name.size);
    else if (def)
        to->name = keep_str(t, def->name);
    else
        to->name = numbered(t, i);
    if (!def)
        return;
    to->binary = holds_bytes(def);
    to->generated = def->generated;
    sizes_of(def->column_type, to);
}

static const struct table_column *column_called(const struct table_def *def, struct slice name)
{
    for (unsigned i = 0; def && i < def->n_cols; i++)
        if (strlen(def->cols[i].name) == name.size &&
            strncasecmp(def->cols[i].name, (const char *)name.data, name.size) == 0)
            return &def->cols[i];
    return NULL;
}

/* --- keys --- */

static int place_of(const struct drain_table *t, const char *name)
{
    for (unsigned i = 0; i < t->change.n_cols; i++)
        if (strcasecmp(t->change.cols[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool add_key(struct drain_table *t, const struct table_def *def, const struct table_key *k)
{
    struct change_key *to = &t->change.keys[t->change.n_keys];

    *to = (struct change_key){ .name = keep_str(t, k->primary ? "PRIMARY" : k->name) };
    to->cols = arena_alloc(&t->arena, k->n_parts * sizeof *to->cols);
    for (unsigned i = 0; i < k->n_parts; i++) {
        int at = k->cols[i] < def->n_cols ? place_of(t, def->cols[k->cols[i]].name) : -1;

        if (at < 0)
            return false;
        to->cols[to->n_cols++] = (unsigned)at;
        if (k->primary)
            t->change.cols[at].primary = true;
    }
    t->change.n_keys++;
    return true;
}

static void set_keys(struct drain_table *t, const struct table_def *def)
{
    t->change.keys = arena_alloc(&t->arena, (def->n_keys + 1) * sizeof *t->change.keys);
    for (unsigned i = 0; i < def->n_keys; i++)
        if (def->keys[i].unique && !def->keys[i].functional)
            add_key(t, def, &def->keys[i]);
}

/* Without a definition the names alone tell the primary key. */
static void set_primary(struct drain_table *t)
{
    struct change_key *k = arena_alloc(&t->arena, sizeof *k);

    *k = (struct change_key){ .name = "PRIMARY" };
    k->cols = arena_alloc(&t->arena, (t->change.n_cols + 1) * sizeof *k->cols);
    for (unsigned i = 0; i < t->change.n_cols; i++)
        if (t->change.cols[i].primary)
            k->cols[k->n_cols++] = i;
    t->change.keys = k;
    t->change.n_keys = k->n_cols > 0;
}

/* --- finding out --- */

static int read_def(struct drain_tables *ts, const struct drain_table *t, struct table_def **ret,
                    struct err *err)
{
    int rc;

    if (!ts->from.host)
        return err_set(err, -ENOENT, "the source cannot be asked");
    if (ts->asked_in_vain_us && clock_mono_us() - ts->asked_in_vain_us < PATIENCE_US)
        return err_set(err, -ETIMEDOUT, "the source did not answer a moment ago");
    rc = source_def_read(&ts->source, &ts->from, t->schema, t->name, ret, err);
    ts->asked_in_vain_us = ts->source ? 0 : clock_mono_us();
    return rc;
}

/* Without names in the rows the definition must be that of their moment. */
static int by_definition(struct drain_tables *ts, struct drain_table *t,
                         const struct drain_lane *lane, uint64_t seq, struct err *err)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    struct position until = { .offset = 0 };
    struct table_def *def;
    int rc = read_def(ts, t, &def, err);

    if (rc < 0)
        return err_wrap(err, "its columns are not named in the binlog (SET GLOBAL "
                             "binlog_row_metadata=FULL at the source does), and");
    rc = server_end(ts->source, &until, err);
    if (rc == 0)
        rc = shape_fit(t->map, def, cols, err);
    if (rc == 0)
        rc = drain_ahead(lane, seq, &until, t->schema, t->name, ts->unit, err);
    if (rc == 0) {
        shape_complete(t->map, cols);
        shape_say(t->map, NULL);
        for (unsigned i = 0; i < t->map->n_cols; i++)
            set_column(t, i, cols[i]);
        set_keys(t, def);
    }
    position_fini(&until);
    table_free(def);
    return rc;
}

/* With names the definition only adds to what is known. */
static void by_names(struct drain_tables *ts, struct drain_table *t)
{
    struct err ignored = ERR_INIT;
    struct table_def *def = NULL;
    bool all = true;

    if (read_def(ts, t, &def, &ignored) < 0)
        def = NULL;
    for (unsigned i = 0; i < t->map->n_cols; i++) {
        const struct table_column *c = column_called(def, t->map->cols[i].name);

        if (c)
            t->map->cols[i].address = (uint8_t)address_of_type(c->data_type);
        set_column(t, i, c);
        all = all && c;
    }
    shape_say(t->map, NULL);
    if (def && all)
        set_keys(t, def);
    else
        set_primary(t);
    table_free(def);
}

/* For who only looks: a name that may be of another moment is better than none. */
static void by_any_name(struct drain_tables *ts, struct drain_table *t)
{
    SCOPED(freep) const struct table_column **cols = xcalloc(t->map->n_cols + 1, sizeof *cols);
    struct table_def *def = NULL;
    struct err ignored = ERR_INIT;
    bool fits = read_def(ts, t, &def, &ignored) == 0 && shape_fit(t->map, def, cols, &ignored) == 0;

    if (fits) {
        shape_complete(t->map, cols);
        shape_say(t->map, NULL);
    }
    for (unsigned i = 0; i < t->map->n_cols; i++)
        set_column(t, i, fits ? cols[i] : NULL);
    t->names = fits ? "source" : "nobody";
    table_free(def);
}

static int resolve(struct drain_tables *ts, struct drain_table *t, const struct drain_lane *lane,
                   uint64_t seq, const struct route *to, struct err *err)
{
    t->change.schema = keep_str(t, to->to_schema);
    t->change.name = keep_str(t, to->to_table);
    t->change.n_cols = t->map->n_cols;
    t->change.cols = arena_alloc(&t->arena, (t->map->n_cols + 1) * sizeof *t->change.cols);
    t->names = t->map->has_names ? "binlog" : "source";
    if (t->map->has_names)
        by_names(ts, t);
    else if (ts->unit)
        return by_definition(ts, t, lane, seq, err);
    else
        by_any_name(ts, t);
    return 0;
}

/* --- TABLE_MAP --- */

static struct slice body_of(const struct event *ev)
{
    return ev->body.size > BODY_ID_SIZE
               ? slice_of(ev->body.data + BODY_ID_SIZE, ev->body.size - BODY_ID_SIZE)
               : slice_of(NULL, 0);
}

static uint64_t id_of(const struct event *ev)
{
    struct cursor c = cursor_of(ev->body);

    return cursor_le(&c, BODY_ID_SIZE);
}

static int make(struct drain_tables *ts, const struct drain_lane *lane, uint64_t seq,
                const struct event *ev, const struct event_format *fmt, struct drain_table **ret,
                struct err *err)
{
    struct slice body = body_of(ev);
    struct drain_table *t;
    struct table_map map;
    struct route to;
    int rc;

    arena_clear(&ts->scratch);
    rc = table_map_decode(ev, fmt, &ts->scratch, &map, err);
    if (rc < 0)
        return rc;
    t = xcalloc(1, sizeof *t);
    t->map = table_map_dup(&map);
    t->schema = xstrndup((const char *)map.db.data, map.db.size);
    t->name = xstrndup((const char *)map.name.data, map.name.size);
    t->body = xmemdup(body.data, body.size);
    t->body_size = body.size;
    t->in_scope = router_table(ts->router, t->schema, t->name, &to);
    if (t->in_scope)
        rc = resolve(ts, t, lane, seq, &to, err);
    t->change.names = t->names;
    if (rc < 0) {
        err_wrap(err, "table %s.%s", t->schema, t->name);
        table_fini(t);
        return rc;
    }
    *ret = t;
    return 0;
}

int drain_tables_map(struct drain_tables *ts, const struct drain_lane *lane, uint64_t seq,
                     const struct event *ev, const struct event_format *fmt, struct err *err)
{
    struct slice body = body_of(ev);
    struct slot *slot = &ts->slots[id_of(ev) % SLOTS];
    struct drain_table *t = NULL;
    int rc;

    assert(body.data);
    if (slot->table && slot->id == id_of(ev) && slot->table->body_size == body.size &&
        memcmp(slot->table->body, body.data, body.size) == 0)
        return 0;
    for (size_t i = 0; i < ts->n && !t; i++)
        if (ts->list[i]->body_size == body.size &&
            memcmp(ts->list[i]->body, body.data, body.size) == 0)
            t = ts->list[i];
    if (!t) {
        rc = make(ts, lane, seq, ev, fmt, &t, err);
        if (rc < 0)
            return rc;
        ts->list = xrealloc(ts->list, (ts->n + 1) * sizeof *ts->list);
        ts->list[ts->n++] = t;
    }
    *slot = (struct slot){ id_of(ev), t };
    return 0;
}

const struct drain_table *drain_tables_by_id(const struct drain_tables *ts, uint64_t table_id)
{
    const struct slot *s = &ts->slots[table_id % SLOTS];

    return s->table && s->id == table_id ? s->table : NULL;
}

void drain_tables_forget(struct drain_tables *ts, struct slice schema, struct slice name)
{
    size_t kept = 0;

    for (size_t i = 0; i < ts->n; i++) {
        struct drain_table *t = ts->list[i];

        if (slice_eq(slice_str(t->schema), schema) &&
            (name.size == 0 || slice_eq(slice_str(t->name), name)))
            table_fini(t);
        else
            ts->list[kept++] = t;
    }
    ts->n = kept;
    memset(ts->slots, 0, sizeof ts->slots);
}
