/* Steps of the grouper -> whole transactions -> the queue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/scope.h"
#include "unit/sync/sync_applied.h"
#include "unit/sync/sync_ddl.h"
#include "unit/sync/sync_priv.h"
#include "unit/sync/sync_spill.h"

#define SPILL_SIZE ((size_t)16 << 20) /* a larger transaction goes to disk */
#define HELD_SIZE ((size_t)64 << 20)

/* --- the open transaction --- */

struct savepoint {
    char *name;
    size_t n_events; /* of the transaction, also when it went to disk */
};

static void drop_savepoints(struct sync_run *r, unsigned keep)
{
    while (r->n_savepoints > keep)
        free(r->savepoints[--r->n_savepoints].name);
}

void sync_txn_drop(struct sync_run *r)
{
    raw_txn_clear(&r->txn);
    spill_free(r->spill);
    r->spill = NULL;
    sync_ddl_free(r->inner_ddl);
    r->inner_ddl = NULL;
    drop_savepoints(r, 0);
}

int sync_txn_add(struct sync_run *r, const struct event *ev, int step, struct err *err)
{
    int rc;

    raw_txn_add(&r->raw, &r->txn, ev, (uint8_t)step);
    if (r->spill) {
        rc = spill_add(r->spill, &r->txn.events[0], err);
        raw_txn_clear(&r->txn);
        return rc;
    }
    if (r->txn.size < SPILL_SIZE)
        return 0;
    rc = spill_new(&r->spill, r->job->data_dir, &r->txn, err);
    raw_txn_clear(&r->txn);
    atomic_fetch_add(&r->sync->spilled, 1);
    return rc;
}

/* --- savepoints: the servers write them only around changes that they cannot take back --- */

size_t sync_txn_events(const struct sync_run *r)
{
    return r->spill ? spill_events(r->spill) : r->txn.n_events;
}

static struct slice after_word(struct slice sql, const char *word)
{
    size_t n = strlen(word);

    if (sql.size <= n || strncasecmp((const char *)sql.data, word, n) != 0)
        return slice_of(NULL, 0);
    return slice_of(sql.data + n, sql.size - n);
}

static void savepoint_set(struct sync_run *r, struct slice name)
{
    r->savepoints = xrealloc(r->savepoints, (r->n_savepoints + 1) * sizeof *r->savepoints);
    r->savepoints[r->n_savepoints++] =
        (struct savepoint){ xstrndup((const char *)name.data, name.size), sync_txn_events(r) };
}

static int savepoint_return(struct sync_run *r, struct slice name, struct err *err)
{
    for (unsigned i = r->n_savepoints; i-- > 0;) {
        if (!slice_eq(slice_str(r->savepoints[i].name), name))
            continue;
        drop_savepoints(r, i + 1);
        if (r->spill)
            return spill_truncate(r->spill, r->savepoints[i].n_events, err);
        raw_txn_truncate(&r->txn, r->savepoints[i].n_events);
        return 0;
    }
    return err_set(err, -EBADMSG, "ROLLBACK TO an unknown savepoint %.*s", SLICE_ARG(name));
}

int sync_txn_statement(struct sync_run *r, struct slice sql, struct err *err)
{
    struct slice name = after_word(sql, "SAVEPOINT ");

    if (name.size) {
        savepoint_set(r, name);
        return 0;
    }
    name = after_word(sql, "ROLLBACK TO SAVEPOINT ");
    if (!name.size)
        name = after_word(sql, "ROLLBACK TO ");
    return name.size ? savepoint_return(r, name, err) : 0;
}

/* --- whole transactions --- */

const struct position *sync_txn_end(const struct sync_run *r)
{
    return r->mark ? r->mark : &r->grouper.pos;
}

static int enqueue(struct sync_run *r, const struct gtid *gtid, const struct position *pos,
                   int64_t commit_us, bool any, struct err *err)
{
    struct queue_txn txn = { .gtid = gtid,
                             .pos = pos,
                             .commit_us = commit_us,
                             .raw = any ? &r->txn : NULL,
                             .size = any ? r->txn.size : 0 };
    int rc = r->mode->add(r, &txn, err);

    if (rc == 0 && applied_is_over(r->applied)) {
        rc = r->mode->drain(r, err);
        if (rc == 0)
            rc = applied_remove(r->applied, r->admin, &r->cp, err);
    }
    atomic_store(&r->sync->read_commit_us, commit_us);
    atomic_store(&r->sync->has_txn, true);
    raw_txn_clear(&r->txn);
    return rc;
}

static void tell_held(struct sync_run *r)
{
    atomic_store(&r->sync->held_us, r->n_held ? r->held[0].commit_us : 0);
}

/* Keeps the transaction until the stream is where its table's definition was read. */
static int hold(struct sync_run *r, struct err *err)
{
    struct held *h;

    r->held_size += r->txn.size;
    if (r->held_size > HELD_SIZE)
        return err_set(err, -EINVAL,
                       "%s; the source's cannot be told before the stream is at %s:%llu, and too "
                       "much comes before: give the target's table the same columns in the same "
                       "order (SET GLOBAL binlog_row_metadata=FULL at the source avoids this)",
                       r->hold_why.text, r->hold_until.file,
                       (unsigned long long)r->hold_until.offset);
    r->held = xrealloc(r->held, (r->n_held + 1) * sizeof *r->held);
    h = &r->held[r->n_held++];
    *h = (struct held){ .raw = r->txn, .gtid = r->grouper.gtid, .commit_us = r->grouper.commit_us };
    memcpy(h->pos.file, r->grouper.pos.file, sizeof h->pos.file);
    h->pos.offset = r->grouper.pos.offset;
    r->txn = (struct raw_txn){ 0 };
    tell_held(r);
    return sync_txn_unhold(r, err);
}

static int queue_open(struct sync_run *r, const struct gtid *gtid, const struct position *pos,
                      int64_t commit_us, struct err *err)
{
    bool any = false;
    int rc;

    if (applied_take(r->applied, gtid, pos))
        return enqueue(r, gtid, pos, commit_us, false, err);
    r->at_gtid = gtid;
    r->at = pos;
    rc = sync_find_tables(r, &r->txn, &any, err);
    return rc < 0 ? rc : enqueue(r, gtid, pos, commit_us, any, err);
}

int sync_txn_unhold(struct sync_run *r, struct err *err)
{
    struct raw_txn open = r->txn;
    int rc = 0;
    unsigned i;

    if (r->n_held == 0 || position_compare(&r->grouper.pos, &r->hold_until) < 0)
        return 0;
    sync_tables_accept(r->tables);
    for (i = 0; i < r->n_held && rc == 0; i++) {
        struct held *h = &r->held[i];

        r->txn = h->raw;
        rc = queue_open(r, &h->gtid, &h->pos, h->commit_us, err);
        h->raw = r->txn;
        if (rc == -EAGAIN)
            break; /* another table: the rest waits on */
        raw_txn_fini(&h->raw);
    }
    memmove(r->held, r->held + i, (r->n_held - i) * sizeof *r->held);
    r->n_held -= i;
    tell_held(r);
    r->txn = open;
    if (r->n_held == 0)
        r->held_size = 0;
    return rc == -EAGAIN ? 0 : rc;
}

int sync_txn_none_held(const struct sync_run *r, const char *what, struct err *err)
{
    if (r->n_held == 0)
        return 0;
    return err_set(err, -EINVAL,
                   "%s; and %s comes before the source's can be told: make the target's table as "
                   "the source's was at the task's position, or copy it again (SET GLOBAL "
                   "binlog_row_metadata=FULL at the source avoids this)",
                   r->hold_why.text, what);
}

static int commit_rows(struct sync_run *r, struct err *err)
{
    struct grouper *g = &r->grouper;
    int rc;

    r->at_gtid = &g->gtid;
    r->at = &g->pos;
    if (r->spill) {
        rc = sync_txn_none_held(r, "a large transaction", err);
        if (rc == 0 && applied_take(r->applied, &g->gtid, &g->pos))
            return enqueue(r, &g->gtid, sync_txn_end(r), g->commit_us, false, err);
        return rc < 0 ? rc : sync_write_spill(r, r->spill, sync_txn_end(r), err);
    }
    rc = r->n_held ? -EAGAIN : queue_open(r, &g->gtid, sync_txn_end(r), g->commit_us, err);
    return rc == -EAGAIN ? hold(r, err) : rc;
}

static int on_commit(struct sync_run *r, struct err *err)
{
    int rc = 0;

    if (r->inner_ddl) {
        rc = sync_txn_none_held(r, "a DDL", err);
        if (rc == 0)
            rc = sync_ddl_run_kept(r, r->inner_ddl, err);
    }
    if (rc == 0)
        rc = commit_rows(r, err);
    sync_txn_drop(r);
    return rc;
}

int sync_txn_pass_by(struct sync_run *r, struct err *err)
{
    sync_txn_drop(r);
    if (r->n_held)
        return hold(r, err);
    return enqueue(r, &r->grouper.gtid, sync_txn_end(r), r->grouper.commit_us, false, err);
}

static int on_xa(struct sync_run *r, int step, struct err *err)
{
    SCOPED(freep)
    char *xid = xasprintf("%s%s%.*s", r->lane ? r->lane : "", r->lane ? "/" : "",
                          SLICE_ARG(r->grouper.xid));
    int rc;

    if (step == TXN_XA_PREPARE) {
        rc = sync_xa_prepare(r, xid, err);
        return rc < 0 ? rc : sync_txn_pass_by(r, err);
    }
    sync_txn_drop(r);
    if (step == TXN_XA_COMMIT) {
        rc = sync_xa_load(r, xid, err);
        if (rc == 0)
            rc = commit_rows(r, err);
    } else {
        rc = sync_txn_pass_by(r, err);
    }
    if (rc == 0)
        rc = r->mode->drain(r, err); /* the body goes once its end is in the target */
    sync_txn_drop(r);
    if (r->n_held) /* it may be among those that wait in memory: the body stays */
        return rc;
    return rc < 0 ? rc : sync_xa_drop(r, xid, err);
}

int sync_txn_event(struct sync_run *r, const struct event *ev, int step, struct err *err)
{
    if (r->judge && (step = r->judge(r, ev, step, err)) < 0)
        return step;
    switch ((enum txn_step)step) {
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
        return r->grouper.in_txn ? 0 : sync_txn_unhold(r, err);
    case TXN_CONTEXT:
        return 0; /* what it is for is refused if it is in scope */
    case TXN_BEGIN:
        sync_txn_drop(r);
        return 0;
    case TXN_MAP:
    case TXN_ROWS:
        return sync_txn_add(r, ev, step, err);
    case TXN_STATEMENT:
        return sync_statement_inside(r, err);
    case TXN_COMMIT:
        return on_commit(r, err);
    case TXN_ROLLBACK:
        return sync_txn_pass_by(r, err);
    case TXN_DDL:
        return sync_statement_ddl(r, err);
    case TXN_XA_PREPARE:
    case TXN_XA_COMMIT:
    case TXN_XA_ROLLBACK:
        return on_xa(r, step, err);
    case TXN_PAYLOAD:
        return sync_payload(r, ev, err);
    case TXN_INCIDENT:
        return err_set(err, -ENODATA,
                       "the source says that it lost events before %s:%llu: copy the task again",
                       r->grouper.file, (unsigned long long)r->grouper.offset);
    }
    return 0;
}
