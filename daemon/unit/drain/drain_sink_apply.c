/*
 * Decoded transactions into MySQL or MariaDB: what comes from files, and undo.
 *
 * They are merged into groups as those of a stream are (sync_group.h), each group one transaction
 * of the target with the place in it.  An undo is one transaction of the target, whole or not at
 * all.  A statement commits by itself: what says that it is there already, or gone already, counts
 * as done, so that it may come again after a crash.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/address.h"
#include "mysql/quote.h"
#include "mysql/table.h"
#include "sink/sink_mysql.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drainer_priv.h"
#include "unit/sync/sync_group.h"

#define GROUP_ROWS 10000
#define GROUP_SIZE ((size_t)16 << 20)

struct known_table {
    char *schema, *name, **cols;
    unsigned n_cols;
    struct target_table *target;
};

struct apply {
    struct drain_sink sink; /* first */
    struct drainer *drainer;
    const struct job *job;
    struct mysql_conn *admin;
    struct checkpoint cp;
    struct sink *mysql;
    struct group group;
    struct known_table *tables;
    size_t n_tables, last_table;
    struct buf mark;
    struct drain_place place;
    char place_lane[256];
    uint64_t last_ts;
    bool whole; /* an undo: one transaction */
    bool open;  /* it has begun */
};

static struct apply *of(struct drain_sink *s)
{
    return (struct apply *)s;
}

/* --- opening --- */

static void forget(struct apply *a)
{
    for (size_t i = 0; i < a->n_tables; i++) {
        struct known_table *t = &a->tables[i];

        for (unsigned c = 0; c < t->n_cols; c++)
            free(t->cols[c]);
        free(t->cols);
        free(t->schema);
        free(t->name);
        target_table_free(t->target);
    }
    a->n_tables = 0;
}

static void apply_close(struct drain_sink *sink)
{
    struct apply *a = of(sink);

    if (a->open)
        sink_rollback(a->mysql);
    group_fini(&a->group);
    forget(a);
    free(a->tables);
    sink_close(a->mysql);
    mysql_conn_close(a->admin);
    checkpoint_fini(&a->cp);
    buf_fini(&a->mark);
    free(a);
}

/* The target's word on how far it is, unless the operator has written another. */
static int agree(struct apply *a, const struct drain_sink_config *c, struct drain_place *start,
                 struct err *err)
{
    struct drainer_savepoint at = { .ts = 0 };
    struct position pos = { .offset = start->ts };
    int rc = drainer_start_place(a->drainer, c->doc, &at, err);

    if (rc < 0)
        return rc;
    json_decref(at.skip);
    snprintf(pos.file, sizeof pos.file, "%s", start->lane ? start->lane : DRAIN_ALL_LANES);
    if (!checkpoint_has_position(&a->cp) || at.by_hand || at.fresh)
        return checkpoint_set(&a->cp, a->admin, &pos, "drainer", err);
    snprintf(a->place_lane, sizeof a->place_lane, "%s", a->cp.pos.file);
    start->ts = a->cp.pos.offset;
    start->lane = strcmp(a->place_lane, DRAIN_ALL_LANES) == 0 ? NULL : a->place_lane;
    return 0;
}

static int apply_open(const struct drain_sink_config *c, struct drain_place *start,
                      struct drain_sink **ret, struct err *err)
{
    struct apply *a = xcalloc(1, sizeof *a);
    const struct job *job = &c->target->job;
    bool reverse = json_is_true(doc_at(c->doc, "syncer.reverse"));
    struct checkpoint_key key = { job->meta_schema, job->task, "pumps",
                                  reverse ? "reverse" : "files" };
    int rc = mysql_conn_open(&a->admin, &job->to, err);

    a->sink.ops = &drain_sink_apply;
    a->drainer = c->drainer;
    a->job = job;
    a->whole = reverse;
    if (reverse) /* where it is once it is done */
        a->place.ts = (uint64_t)json_integer_value(doc_at(c->doc, "stop_commit_ts"));
    group_init(&a->group);
    a->group.in_order = reverse;
    if (rc < 0)
        err_of_target(err);
    if (rc == 0)
        rc = mysql_conn_execf(a->admin, err, "SET SESSION sql_mode='STRICT_ALL_TABLES'");
    if (rc == 0)
        rc = checkpoint_take(a->admin, &key, FLAVOR_MARIADB, &a->cp, err);
    if (rc == 0)
        rc = agree(a, c, start, err);
    if (rc == 0)
        rc = sink_open(&a->mysql, &job->to, &a->cp, err);
    if (rc == 0 && json_is_true(doc_at(c->doc, "syncer.loopback_control"))) {
        rc = drain_target_marks(a->admin, err);
        drain_target_mark_sql((uint64_t)json_integer_value(doc_at(c->doc, "syncer.channel_id")),
                              &a->mark);
    }
    if (rc < 0) {
        apply_close(&a->sink);
        return rc;
    }
    *ret = &a->sink;
    return 0;
}

/* --- tables --- */

static bool is_of(const struct known_table *k, const struct change_table *t)
{
    if (k->n_cols != t->n_cols || strcmp(k->name, t->name) != 0 ||
        strcmp(k->schema, t->schema) != 0)
        return false;
    for (unsigned i = 0; i < t->n_cols; i++)
        if (strcmp(k->cols[i], t->cols[i].name) != 0)
            return false;
    return true;
}

static int make_target(struct apply *a, const struct known_table *k, struct target_table **ret,
                       struct err *err)
{
    struct table_def *def;
    int rc = table_read(a->admin, k->schema, k->name, &def, err);

    if (rc == -ENOENT)
        return err_set(err, rc, "the target has no table %s.%s", k->schema, k->name);
    if (rc < 0)
        return rc;
    rc = target_table_new(def, (const char *const *)k->cols, k->n_cols, ret, err);
    table_free(def);
    return rc < 0 ? err_wrap(err, "table %s.%s", k->schema, k->name) : 0;
}

static int add_table(struct apply *a, const struct change_table *t, struct target_table **ret,
                     struct err *err)
{
    struct known_table *k;
    int rc;

    a->tables = xrealloc(a->tables, (a->n_tables + 1) * sizeof *a->tables);
    k = &a->tables[a->n_tables++];
    *k = (struct known_table){ .schema = xstrdup(t->schema),
                               .name = xstrdup(t->name),
                               .cols = xcalloc(t->n_cols + 1, sizeof(char *)),
                               .n_cols = t->n_cols };
    for (unsigned i = 0; i < t->n_cols; i++)
        k->cols[i] = xstrdup(t->cols[i].name);
    rc = make_target(a, k, &k->target, err);
    *ret = k->target;
    return rc;
}

static int table_of(struct apply *a, const struct change_table *t, struct target_table **ret,
                    struct err *err)
{
    for (size_t i = 0; i < a->n_tables; i++) {
        size_t at = (a->last_table + i) % a->n_tables;

        if (is_of(&a->tables[at], t) && a->tables[at].target) {
            a->last_table = at;
            *ret = a->tables[at].target;
            return 0;
        }
    }
    return add_table(a, t, ret, err);
}

/* --- rows --- */

/* What drains has an address as its text, a column of the type takes its bytes. */
static void copy_value(struct arena *arena, enum address_kind address, const struct value *from,
                       struct value *to)
{
    uint8_t bytes[16];

    *to = *from;
    if (address && (from->kind == VALUE_BYTES || from->kind == VALUE_TEXT) &&
        address_bytes(address, (const char *)from->p, from->size, bytes)) {
        to->kind = VALUE_BYTES;
        to->size = (uint32_t)address_size(address);
        to->p = arena_dup(arena, bytes, to->size);
    } else if (from->kind >= VALUE_TEXT) {
        to->p = arena_dup(arena, from->p, from->size);
    }
}

static void copy_values(struct arena *arena, const struct target_table *t, const struct value *from,
                        struct value *to)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        copy_value(arena, (enum address_kind)t->cols[i].address, &from[i], &to[i]);
}

static int add_change(struct apply *a, const struct change *c, struct err *err)
{
    unsigned n = c->table->n_cols;
    struct target_table *t;
    struct value *row;
    int rc = table_of(a, c->table, &t, err);

    if (rc < 0)
        return rc;
    row = arena_alloc(&a->group.values, (c->kind == ROWS_UPDATE ? 2u : 1u) * n * sizeof *row);
    copy_values(&a->group.values, t, c->after ? c->after : c->before, row);
    if (c->kind == ROWS_UPDATE)
        copy_values(&a->group.values, t, c->before, row + n);
    group_add(&a->group, t, c->kind, a->job->safe_mode, true, row);
    return 0;
}

static int begin(struct apply *a, const struct position *pos, struct err *err)
{
    if (a->open)
        return 0;
    sink_begin(a->mysql, pos, 0);
    a->open = true;
    return a->mark.size ? sink_statement(a->mysql, slice_of(a->mark.data, a->mark.size), err) : 0;
}

/* What has been gathered, with the place; 'end': it is committed. */
static int flush(struct apply *a, bool end, struct err *err)
{
    struct position pos = { .offset = a->place.ts };
    int rc;

    if (a->place.ts == 0 || (!a->open && a->group.n_rows == 0 && a->cp.pos.offset == pos.offset))
        return 0;
    snprintf(pos.file, sizeof pos.file, "%s", a->place.lane ? a->place.lane : DRAIN_ALL_LANES);
    rc = begin(a, &pos, err);
    if (rc == 0)
        rc = group_write(&a->group, a->mysql, NULL, NULL, err);
    if (rc == 0)
        group_clear(&a->group);
    if (rc == 0 && end)
        rc = sink_commit(a->mysql, err);
    if (rc < 0) {
        sink_rollback(a->mysql);
        a->open = false;
        return rc;
    }
    if (end) {
        a->open = false;
        atomic_fetch_add(&a->drainer->sync.groups, 1);
    }
    return 0;
}

/* --- statements --- */

/* Source: the error messages of both servers: database, table, column, index, key that exists or
 * does not. */
static bool done_already(const struct err *err)
{
    static const unsigned codes[] = { 1007, 1008, 1050, 1051, 1060, 1061, 1091, 1146 };

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (err->sql == codes[i])
            return true;
    return false;
}

static int run_statement(struct apply *a, const struct change_txn *t, struct err *err)
{
    SCOPED(buf_fini) struct buf use = BUF_INIT;
    struct mysql_conn *c = sink_conn(a->mysql);
    int rc = 0;

    if (t->schema.size && !t->creates_schema) {
        buf_str(&use, "USE ");
        sql_ident(&use, t->schema);
        rc = mysql_conn_exec(c, slice_of(use.data, use.size), NULL, err);
    }
    if (rc == 0 && a->job->sql_mode)
        rc = sql_exec(c, err, "SET SESSION sql_mode=%q", a->job->sql_mode);
    if (rc == 0)
        rc = mysql_conn_exec(c, t->query, NULL, err);
    if (rc == 0 && a->job->sql_mode)
        rc = sink_session(a->mysql, NULL, err);
    if (rc < 0 && done_already(err)) {
        log_info(a->drainer->sync.unit.path, "%s: taken as done: %.*s", err->text,
                 SLICE_HEAD(t->query, 200));
        *err = ERR_INIT;
        rc = 0;
    }
    return rc < 0 ? err_wrap(err, "commit_ts %llu: %.*s", (unsigned long long)t->commit_ts,
                             SLICE_HEAD(t->query, 200))
                  : 0;
}

/* --- the sink --- */

static void arrive(struct apply *a, const struct drain_place *at)
{
    if (at->lane)
        snprintf(a->place_lane, sizeof a->place_lane, "%s", at->lane);
    a->place = (struct drain_place){ at->ts, at->lane ? a->place_lane : NULL };
}

static bool is_full(const struct apply *a)
{
    return a->group.n_rows >= GROUP_ROWS || a->group.values.size >= GROUP_SIZE;
}

static int write_rows(struct apply *a, const struct change_txn *t, struct err *err)
{
    for (size_t i = 0; i < t->n_changes; i++) {
        int rc = add_change(a, &t->changes[i], err);

        if (rc < 0)
            return err_wrap(err, "commit_ts %llu", (unsigned long long)t->commit_ts);
    }
    return 0;
}

static int apply_write(struct drain_sink *sink, const struct change_txn *t,
                       const struct drain_place *at, struct err *err)
{
    struct apply *a = of(sink);
    int rc = 0;

    if (t->ddl || (is_full(a) && t->commit_ts != a->last_ts))
        rc = flush(a, !a->whole, err);
    if (rc < 0)
        return rc;
    a->last_ts = t->commit_ts;
    if (!a->whole)
        arrive(a, at);
    if (!t->ddl)
        return write_rows(a, t, err);
    rc = run_statement(a, t, err);
    forget(a);
    return rc < 0 ? rc : flush(a, true, err);
}

static int apply_sync(struct drain_sink *sink, bool wait, struct drain_place *ret, struct err *err)
{
    struct apply *a = of(sink);
    int rc;

    if (a->whole && !wait)
        return 0;
    rc = flush(a, true, err);
    *ret = a->place;
    return rc < 0 ? rc : 1;
}

const struct drain_sink_ops drain_sink_apply = {
    .open = apply_open, .write = apply_write, .sync = apply_sync, .close = apply_close
};
