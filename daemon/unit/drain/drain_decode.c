#include "unit/drain/drain_decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/payload.h"
#include "mysql/quote.h"
#include "unit/source/source.h"

struct drain_decoder {
    struct drain_decoder_config config;
    struct arena arena, scan;
    /* of the record at hand */
    const struct drain_item *item;
    struct grouper *grouper;
    struct drain_decoded *ret;
    bool whole; /* its end was there, and it counts */
};

struct drain_decoder *drain_decoder_new(const struct drain_decoder_config *c)
{
    struct drain_decoder *d = xcalloc(1, sizeof *d);

    d->config = *c;
    return d;
}

void drain_decoder_free(struct drain_decoder *d)
{
    if (!d)
        return;
    arena_fini(&d->arena);
    arena_fini(&d->scan);
    free(d);
}

/* --- lanes --- */

int drain_decoder_opened(void *decoder, struct drain_lane *lane, struct err *err)
{
    struct drain_decoder *d = decoder;
    struct source *source = source_find(d->config.sources, lane->source);
    struct mysql_params from = { .port = 0 };
    struct err ignored = ERR_INIT;

    (void)err;
    if (source && source_params(source, &from, &ignored) < 0)
        from = (struct mysql_params){ .port = 0 };
    source_unref(source);
    from.set = d->config.conns;
    lane->data = drain_tables_new(&from, drain_filter_router(d->config.filter), d->config.unit);
    mysql_params_fini(&from);
    return 0;
}

void drain_decoder_closed(void *decoder, struct drain_lane *lane)
{
    (void)decoder;
    drain_tables_free(lane->data);
    lane->data = NULL;
}

static struct drain_tables *tables_of(struct drain_decoder *d)
{
    return d->item->lane->data;
}

/* --- rows --- */

static struct change *new_change(struct drain_decoder *d)
{
    struct change_txn *t = &d->ret->rows;

    if (t->n_changes == t->cap_changes) {
        size_t cap = t->cap_changes ? 2 * t->cap_changes : 16;
        struct change *more = arena_alloc(&d->arena, cap * sizeof *more);

        if (t->n_changes)
            memcpy(more, t->changes, t->n_changes * sizeof *more);
        t->changes = more;
        t->cap_changes = cap;
    }
    return &t->changes[t->n_changes++];
}

static struct value *new_row(struct drain_decoder *d, unsigned n)
{
    return arena_alloc(&d->arena, (n ? n : 1) * sizeof(struct value));
}

static int add_rows(struct drain_decoder *d, const struct drain_table *t, struct rows *rows,
                    struct err *err)
{
    unsigned n = t->map->n_cols;

    for (;;) {
        struct change c = { .table = &t->change, .kind = rows->kind };
        int rc;

        if (rows->kind != ROWS_INSERT)
            c.before = new_row(d, n);
        if (rows->kind != ROWS_DELETE)
            c.after = new_row(d, n);
        rc = rows_next(rows, c.before, c.after, err);
        if (rc <= 0)
            return rc;
        *new_change(d) = c;
    }
}

/* The event is copied: values point into it, and the stream goes on. */
static int on_rows(struct drain_decoder *d, const struct event *ev, struct err *err)
{
    struct event mine = *ev;
    const struct drain_table *t;
    struct table_map map;
    struct rows rows;
    uint64_t id;
    int rc = rows_table_id(ev, &d->grouper->fmt, &id, err);

    if (rc < 0)
        return rc;
    t = drain_tables_by_id(tables_of(d), id);
    if (!t)
        return id == 0x00ffffff ? 0
                                : err_set(err, -EBADMSG, "rows of table id %llu without a map",
                                          (unsigned long long)id);
    if (!t->in_scope)
        return 0;
    mine.body.data = arena_dup(&d->arena, ev->body.data, ev->body.size);
    map = *t->map;
    map.table_id = id;
    rc = rows_open(&rows, &mine, &d->grouper->fmt, &map, &d->arena, err);
    if (rc == 0)
        rc = add_rows(d, t, &rows, err);
    return rc < 0 ? err_wrap(err, "table %s.%s", t->schema, t->name) : 0;
}

/* --- statements --- */

struct names {
    char schema[256], table[256];
};

static void names_of(const struct query *q, const struct ddl_name *n, struct names *ret)
{
    struct slice schema = n->schema.size ? n->schema : q->db;

    snprintf(ret->schema, sizeof ret->schema, "%.*s", SLICE_ARG(schema));
    snprintf(ret->table, sizeof ret->table, "%.*s", SLICE_ARG(n->table));
}

static bool in_scope(struct drain_decoder *d, const struct query *q, const struct ddl_name *n,
                     struct route *to)
{
    const struct router *router = drain_filter_router(d->config.filter);
    struct names at;

    names_of(q, n, &at);
    if (n->table.size == 0)
        return router_schema(router, at.schema, to);
    return router_table(router, at.schema, at.table, to);
}

struct renaming {
    struct drain_decoder *decoder;
    const struct query *query;
};

/* Names that stay as they are stand as they were written. */
static bool rename_name(void *arg, const struct ddl_name *n, struct buf *quoted)
{
    struct renaming *m = arg;
    struct names at;
    struct route to;

    names_of(m->query, n, &at);
    if (!in_scope(m->decoder, m->query, n, &to) ||
        (strcmp(to.to_schema, at.schema) == 0 &&
         (n->table.size == 0 || strcmp(to.to_table, at.table) == 0)))
        return false;
    sql_table(quoted, to.to_schema, n->table.size ? to.to_table : NULL);
    return true;
}

enum use { USE_SKIP, USE_PASS, USE_REFUSE, USE_INNER };

static enum use use_of(enum ddl_class class, bool in)
{
    switch (class) {
    case DDL_CREATE_DATABASE:
    case DDL_DROP_DATABASE:
    case DDL_ALTER_DATABASE:
    case DDL_CREATE_TABLE:
    case DDL_CREATE_TABLE_LIKE:
    case DDL_CREATE_TABLE_SELECT:
    case DDL_DROP_TABLE:
    case DDL_ALTER_TABLE:
    case DDL_RENAME_TABLE:
    case DDL_TRUNCATE_TABLE:
    case DDL_CREATE_INDEX:
    case DDL_DROP_INDEX:
    case DDL_CREATE_SEQUENCE:
    case DDL_ALTER_SEQUENCE:
    case DDL_DROP_SEQUENCE:
        return in ? USE_PASS : USE_SKIP;
    case DDL_DML:
    case DDL_UNKNOWN:
        return in ? USE_REFUSE : USE_SKIP;
    case DDL_TRANSACTION:
        return USE_INNER;
    case DDL_CREATE_VIEW:
    case DDL_DROP_VIEW:
    case DDL_ALTER_VIEW:
    case DDL_TRIGGER:
    case DDL_ROUTINE:
    case DDL_EVENT:
    case DDL_ACCOUNT:
    case DDL_ADMIN:
    case DDL_N_CLASSES:
        break;
    }
    return USE_SKIP;
}

static struct slice dup_slice(struct drain_decoder *d, const void *p, size_t size)
{
    return slice_of(size ? arena_dup(&d->arena, p, size) : NULL, size);
}

static void pass(struct drain_decoder *d, const struct query *q, const struct ddl *ddl)
{
    SCOPED(buf_fini) struct buf text = BUF_INIT;
    struct renaming m = { d, q };
    struct change_txn *t = &d->ret->ddl;

    ddl_rewrite(q->sql, ddl, rename_name, &m, &text);
    t->ddl = true;
    t->query = dup_slice(d, text.data, text.size);
    t->schema = dup_slice(d, q->db.data, q->db.size);
    t->creates_schema = ddl->class == DDL_CREATE_DATABASE;
    if (ddl->n_names) {
        struct slice schema = ddl->names[0].schema;

        t->table = dup_slice(d, ddl->names[0].table.data, ddl->names[0].table.size);
        if (schema.size && !t->creates_schema && !q->db.size)
            t->schema = dup_slice(d, schema.data, schema.size);
    }
    d->ret->has_ddl = true;
}

static void forget_tables(struct drain_decoder *d, const struct query *q, const struct ddl *ddl)
{
    for (unsigned i = 0; i < ddl->n_names; i++)
        drain_tables_forget(tables_of(d), ddl->names[i].schema.size ? ddl->names[i].schema : q->db,
                            ddl->names[i].table);
}

static int refuse(const struct query *q, struct err *err)
{
    return err_set(
        err, -ENOTSUP,
        "the source logged a change as a statement, or one of a kind not known (skip_txn "
        "leaves it out): %.*s",
        SLICE_HEAD(q->sql, 300));
}

static bool begins(struct slice sql, const char *word)
{
    return sql.size >= strlen(word) && strncasecmp((const char *)sql.data, word, strlen(word)) == 0;
}

static int on_statement(struct drain_decoder *d, struct err *err)
{
    const struct query *q = &d->grouper->query;
    bool in = false;
    struct route to;
    struct ddl ddl;

    arena_clear(&d->scan);
    ddl_scan(q->sql, false, false, &d->scan, &ddl);
    for (unsigned i = 0; i < ddl.n_names; i++)
        in = in || in_scope(d, q, &ddl.names[i], &to);
    switch (use_of(ddl.class, in && !ddl.temporary)) {
    case USE_PASS:
        forget_tables(d, q, &ddl);
        pass(d, q, &ddl);
        return 0;
    case USE_REFUSE:
        return refuse(q, err);
    case USE_INNER:
        return begins(q->sql, "ROLLBACK TO")
                   ? err_set(err, -ENOTSUP,
                             "a part of the transaction was rolled back, which only "
                             "a MySQL target takes")
                   : 0;
    case USE_SKIP:
        break;
    }
    return 0;
}

/* --- events --- */

static int on_event(struct drain_decoder *d, const struct event *ev, struct err *err);

static int on_inner(void *decoder, const struct event *inner, struct err *err)
{
    return on_event(decoder, inner, err);
}

/* The body of a prepared transaction is in an earlier record of the journal. */
static int prepared_body(struct drain_decoder *d, struct err *err);

static int on_step(struct drain_decoder *d, const struct event *ev, int step, struct err *err)
{
    switch ((enum txn_step)step) {
    case TXN_MAP:
        return drain_tables_map(tables_of(d), d->item->lane, d->item->record.seq, ev,
                                &d->grouper->fmt, err);
    case TXN_ROWS:
        return on_rows(d, ev, err);
    case TXN_STATEMENT:
        return on_statement(d, err);
    case TXN_DDL:
        d->whole = true;
        return on_statement(d, err);
    case TXN_COMMIT:
        d->whole = true;
        return 0;
    case TXN_XA_COMMIT:
        d->whole = true;
        return prepared_body(d, err);
    case TXN_PAYLOAD:
        return payload_each(ev, DRAIN_TXN_MAX, on_inner, d, err);
    case TXN_INCIDENT:
        return err_set(err, -ENODATA, "the source says that it lost events before this one");
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
    case TXN_BEGIN:
    case TXN_CONTEXT:
    case TXN_ROLLBACK:
    case TXN_XA_PREPARE:
    case TXN_XA_ROLLBACK:
        break;
    }
    return 0;
}

static int on_event(struct drain_decoder *d, const struct event *ev, struct err *err)
{
    int step = grouper_feed(d->grouper, ev, err);

    if (step >= 0 && d->config.judge)
        step = drain_judge_event(d->config.judge, d->grouper, ev, step, err);
    return step < 0 ? step : on_step(d, ev, step, err);
}

static int on_raw(struct drain_decoder *d, struct slice raw, struct err *err)
{
    struct event ev;
    int rc = event_parse(raw, &d->grouper->fmt, false, &ev, err);

    return rc < 0 ? rc : on_event(d, &ev, err);
}

/* --- XA --- */

static int find_prepared(struct drain_decoder *d, struct journal *j, struct slice xid,
                         uint64_t *seq, struct err *err)
{
    struct drain_lane scan = { .journal = j };
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct journal_record rec;
    struct journal_state state;
    struct slice raw;
    int rc;

    journal_state(j, &state);
    *seq = 0;
    rc = journal_reader_seek(r, state.first_seq, err);
    if (rc == 0)
        rc = drain_lane_place(&scan, state.first_seq, err);
    while (rc == 0 && (rc = journal_reader_next(r, &rec, 0, err)) > 0) {
        if (rec.seq >= d->item->record.seq) {
            rc = 0;
            break;
        }
        rc = 0;
        if (rec.kind == JOURNAL_TXN && !(rec.flags & JOURNAL_XA))
            continue;
        while (rc >= 0 && (rc = journal_reader_event(r, &raw, err)) > 0) {
            struct event ev;

            rc = event_parse(raw, &scan.grouper.fmt, false, &ev, err);
            if (rc == 0)
                rc = grouper_feed(&scan.grouper, &ev, err);
            if (rc == TXN_XA_PREPARE && slice_eq(scan.grouper.xid, xid))
                *seq = rec.seq;
        }
    }
    journal_reader_free(r);
    grouper_fini(&scan.grouper);
    if (rc == 0 && *seq == 0)
        rc = err_set(err, -ENODATA,
                     "the body of the prepared transaction %.*s is not in the "
                     "journal any more",
                     SLICE_ARG(xid));
    return rc;
}

static int read_prepared(struct drain_decoder *d, struct journal *j, uint64_t seq, struct err *err)
{
    struct drain_lane scan = { .journal = j };
    struct journal_reader *r = journal_reader_new(j, JOURNAL_DURABLE);
    struct grouper *mine = d->grouper;
    struct journal_record rec;
    struct slice raw;
    int rc = journal_reader_seek(r, seq, err);

    if (rc == 0)
        rc = drain_lane_place(&scan, seq, err);
    if (rc == 0)
        rc = journal_reader_next(r, &rec, 0, err);
    d->grouper = &scan.grouper;
    while (rc > 0 && (rc = journal_reader_event(r, &raw, err)) > 0) {
        rc = on_raw(d, raw, err);
        rc = rc < 0 ? rc : 1;
    }
    d->grouper = mine;
    journal_reader_free(r);
    grouper_fini(&scan.grouper);
    return rc;
}

static int prepared_body(struct drain_decoder *d, struct err *err)
{
    SCOPED(freep) char *xid = xstrndup((const char *)d->grouper->xid.data, d->grouper->xid.size);
    struct journal *j = d->item->lane->journal;
    uint64_t seq;
    int rc = find_prepared(d, j, slice_str(xid), &seq, err);

    return rc < 0 ? rc : read_prepared(d, j, seq, err);
}

/* --- a record --- */

static void finish(struct drain_decoder *d)
{
    struct drain_decoded *ret = d->ret;
    bool out = !d->whole || (d->config.judge && drain_judge_left_out(d->config.judge));

    ret->has_ddl = ret->has_ddl && !out;
    ret->has_rows = ret->rows.n_changes > 0 && !out;
    ret->ddl.commit_ts = ret->rows.commit_ts = d->item->record.commit_ts;
    ret->ddl.commit_us = ret->rows.commit_us = d->item->record.commit_us;
}

int drain_decode(struct drain_decoder *d, const struct drain_item *item, drain_event_fn next,
                 void *arg, struct drain_decoded *ret, struct err *err)
{
    struct slice raw;
    int rc;

    if (item->record.size > DRAIN_TXN_MAX)
        return err_set(err, -EFBIG,
                       "pump %s: transaction %llu has %llu bytes, more than %llu can be made one "
                       "message of (skip_txn leaves it out)",
                       item->lane->name, (unsigned long long)item->record.commit_ts,
                       (unsigned long long)item->record.size, (unsigned long long)DRAIN_TXN_MAX);
    arena_clear(&d->arena);
    *ret = (struct drain_decoded){ .has_ddl = false };
    d->item = item;
    d->grouper = &item->lane->grouper;
    d->ret = ret;
    d->whole = false;
    if (d->config.judge)
        drain_judge_begin(d->config.judge, item);
    while ((rc = next(arg, &raw, err)) > 0) {
        rc = on_raw(d, raw, err);
        if (rc < 0)
            break;
    }
    finish(d);
    return rc < 0 ? err_wrap(err, "pump %s, commit_ts %llu", item->lane->name,
                             (unsigned long long)item->record.commit_ts)
                  : 0;
}
