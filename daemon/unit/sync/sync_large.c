/* Transactions that do not fit into a group: applied event by event, and XA bodies. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/scope.h"
#include "binlog/payload.h"
#include "store/key.h"
#include "store/store.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_spill.h"

#define EVENT_LIMIT ((size_t)1 << 30) /* of one event inside a payload */
#define XA_CHUNK ((size_t)64 << 10)

/* --- TRANSACTION_PAYLOAD --- */

static int on_inner(void *run, const struct event *inner, struct err *err)
{
    struct sync_run *r = run;
    int rc = grouper_feed(&r->grouper, inner, err);

    return rc < 0 ? rc : sync_txn_event(r, inner, rc, err);
}

int sync_payload(struct sync_run *r, const struct event *ev, struct err *err)
{
    return payload_each(ev, EVENT_LIMIT, on_inner, r, err);
}

/* --- large transactions --- */

static int write_event(struct sync_run *r, struct raw_event *e, struct group *g, bool plain,
                       struct err *err)
{
    struct raw_txn one = { .events = e, .n_events = 1 };
    bool any;
    int rc = sync_find_tables(r, &one, &any, err);

    if (rc < 0 || e->step != TXN_ROWS)
        return rc;
    rc = sync_add_event(r, e, g, err);
    if (rc == 0)
        rc = sync_write_rows(r, r->main.sink, g, plain, err);
    return rc;
}

/* One pass over the events: the rows of transactional tables, or ('plain') of the others.
 * With 'found' it ends at the first of a table without transactions. */
static int write_pass(struct sync_run *r, struct spill *s, struct group *g, bool plain, bool *found,
                      uint64_t *n_rows, struct err *err)
{
    struct raw_event e;
    int rc = spill_rewind(s, err);

    *n_rows = 0;
    while (rc == 0 && (rc = spill_next(s, &e, err)) > 0) {
        rc = write_event(r, &e, g, plain, err);
        *n_rows += g->n_rows;
        if (found)
            *found = *found || g->has_plain;
        if (rc == 0) /* what it has as text points into the event no more */
            group_clear(g);
        if (unit_stopping(&r->sync->unit))
            rc = err_set(err, -ECANCELED, "stopping");
        if (rc == 0 && found && *found)
            return 0;
    }
    return rc;
}

static int begin(struct sync_run *r, const struct position *pos, struct err *err)
{
    sink_begin(r->main.sink, pos, 0);
    return r->also.size ? sink_statement(r->main.sink, r->also, err) : 0;
}

/* Tables without transactions are rare here, so they are noticed in the pass for the others, which
 * then begins again after theirs. */
static int write_passes(struct sync_run *r, struct spill *s, struct group *g,
                        const struct position *pos, uint64_t *n_rows, struct err *err)
{
    bool others = false;
    int rc;

    rc = begin(r, pos, err);
    if (rc == 0)
        rc = write_pass(r, s, g, false, &others, n_rows, err);
    if (rc < 0 || !others)
        return rc;
    sink_rollback(r->main.sink);
    sink_begin_plain(r->main.sink);
    rc = write_pass(r, s, g, true, NULL, n_rows, err);
    if (rc == 0)
        rc = sink_flush(r->main.sink, err);
    if (rc < 0)
        return rc;
    rc = begin(r, pos, err);
    return rc == 0 ? write_pass(r, s, g, false, NULL, n_rows, err) : rc;
}

static int write_all(struct sync_run *r, struct spill *s, struct group *g,
                     const struct position *pos, struct err *err)
{
    uint64_t n_rows = 0;
    int rc = write_passes(r, s, g, pos, &n_rows, err);

    atomic_store(&r->main.writing_us, clock_mono_us());
    if (rc == 0)
        rc = sink_commit(r->main.sink, err);
    atomic_store(&r->main.writing_us, 0);
    if (rc == 0)
        atomic_fetch_add(&r->sync->rows, n_rows);
    return rc;
}

int sync_write_spill(struct sync_run *r, struct spill *s, const struct position *pos,
                     struct err *err)
{
    struct group g;
    int rc = r->mode->drain(r, err);

    if (rc < 0)
        return rc;
    group_init(&g);
    g.in_order = true;
    rc = write_all(r, s, &g, pos, err);
    group_fini(&g);
    if (rc < 0) {
        sink_rollback(r->main.sink);
        return err_wrap(err, "a large transaction");
    }
    atomic_fetch_add(&r->sync->transactions, 1);
    atomic_fetch_add(&r->sync->groups, 1);
    unit_progressed(&r->sync->unit);
    r->mode->passed(r, pos);
    sync_publish(r);
    return 0;
}

/* --- prepared transactions: the body waits in the store --- */

static int need_store(const struct sync_run *r, struct err *err)
{
    return r->job->store ? 0 : err_set(err, -ENOTSUP, "prepared transactions need a store");
}

struct xa_writer {
    struct sync_run *run;
    const char *xid;
    struct buf bytes;
    uint32_t chunk;
};

static int xa_flush(struct xa_writer *w, bool last, struct err *err)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;
    const struct checkpoint_key *of = &w->run->cp.key;
    int rc;

    if (!last && w->bytes.size < XA_CHUNK)
        return 0;
    key_xa(&key, of->task, of->source, w->xid, w->chunk++);
    rc = store_put(w->run->job->store, STORE_CHECKPOINT, key_slice(&key),
                   slice_of(w->bytes.data, w->bytes.size), last, err);
    buf_clear(&w->bytes);
    return rc;
}

int sync_xa_prepare(struct sync_run *r, const char *xid, struct err *err)
{
    struct xa_writer w = { .run = r, .xid = xid };
    struct raw_event e;
    int rc = need_store(r, err);

    if (rc == 0) /* of the same name, ended by a run that was killed before it could clear up */
        rc = sync_xa_drop(r, xid, err);
    if (rc == 0 && r->spill)
        rc = spill_rewind(r->spill, err);
    while (rc == 0 && r->spill && (rc = spill_next(r->spill, &e, err)) > 0) {
        raw_event_pack(&e, &w.bytes);
        rc = xa_flush(&w, false, err);
    }
    for (size_t i = 0; i < r->txn.n_events && rc == 0; i++) {
        raw_event_pack(&r->txn.events[i], &w.bytes);
        rc = xa_flush(&w, false, err);
    }
    if (rc == 0)
        rc = xa_flush(&w, true, err);
    buf_fini(&w.bytes);
    return rc < 0 ? err_wrap(err, "prepared transaction %s", xid) : 0;
}

static struct store_iter *xa_iter(struct sync_run *r, const char *xid)
{
    SCOPED(buf_fini) struct buf key = BUF_INIT;

    key_prefix(&key, KEY_XA, r->cp.key.task, r->cp.key.source, xid, NULL);
    return store_iter_new(r->job->store, STORE_CHECKPOINT, key_slice(&key));
}

/* Chunks end between events, so each is unpacked by itself. */
static int load_chunk(struct sync_run *r, struct slice value, struct err *err)
{
    struct cursor c = cursor_of(value);
    struct raw_event e;
    int rc;

    while ((rc = raw_event_unpack(&c, &e)) > 0) {
        struct event ev = raw_event_view(&e);

        rc = sync_txn_add(r, &ev, e.step, err);
        if (rc < 0)
            return rc;
    }
    return rc < 0 ? err_set(err, rc, "a damaged body in the store") : 0;
}

int sync_xa_load(struct sync_run *r, const char *xid, struct err *err)
{
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    bool found = false;
    int rc = need_store(r, err);

    if (rc < 0)
        return rc;
    it = xa_iter(r, xid);
    while ((rc = store_iter_next(it, &key, &value, err)) > 0) {
        found = true;
        rc = load_chunk(r, value, err);
        if (rc < 0)
            break;
    }
    if (rc == 0 && !found)
        rc = err_set(err, -ENODATA, "it was prepared before the stream began: copy the task again");
    return rc < 0 ? err_wrap(err, "prepared transaction %s", xid) : 0;
}

int sync_xa_drop(struct sync_run *r, const char *xid, struct err *err)
{
    SCOPED(store_batch_freep) struct store_batch *b = store_batch_new();
    SCOPED(store_iter_freep) struct store_iter *it = NULL;
    struct slice key, value;
    int rc = need_store(r, err);

    if (rc < 0)
        return rc;
    it = xa_iter(r, xid);
    while ((rc = store_iter_next(it, &key, &value, err)) > 0)
        store_batch_delete(b, STORE_CHECKPOINT, key);
    return rc < 0 ? rc : store_batch_commit(r->job->store, b, false, err);
}
