/*
 * A range undone: its transactions backwards, each turned around (flashback).
 *
 * The stream is read forwards once to know which transactions there are, and then each again from
 * the last to the first.  A statement in the range cannot be undone, nor a change whose row images
 * are not whole: both are refused by name before anything is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/scope.h"
#include "sink/change_sql.h"
#include "unit/drain/drain_decode.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drain_target.h"
#include "unit/drain/drainer_priv.h"

struct found {
    const struct drain_lane *lane;
    struct journal_record record;
};

struct reverse {
    struct drain_run *run;
    struct drain_judge *judge;
    struct drain_decoder *decoder;
    struct drain_feed *feed;
    struct drain_item item;
    struct found *found;
    size_t n, cap;
    struct change *undo;
    size_t cap_undo;
};

/* --- forwards --- */

static int next_event(void *arg, struct slice *ret, struct err *err)
{
    struct reverse *v = arg;

    return drain_feed_event(v->feed, &v->item, ret, err);
}

static bool has_all(const struct change_table *t, const struct value *row)
{
    for (unsigned i = 0; i < t->n_cols; i++)
        if (!t->cols[i].generated && row[i].kind == VALUE_ABSENT)
            return false;
    return true;
}

/* The row as it was must be known whole, or at least all of it that was changed. */
static bool can_undo(const struct change *c)
{
    switch (c->kind) {
    case ROWS_INSERT:
        return true;
    case ROWS_DELETE:
        return has_all(c->table, c->before);
    case ROWS_UPDATE:
        for (unsigned i = 0; i < c->table->n_cols; i++)
            if (c->after[i].kind != VALUE_ABSENT && c->before[i].kind == VALUE_ABSENT)
                return false;
        return true;
    }
    return false;
}

static int check(const struct reverse *v, const struct drain_decoded *got, struct err *err)
{
    unsigned long long ts = v->item.record.commit_ts;

    if (got->has_ddl)
        return err_set(err, -ENOTSUP,
                       "commit_ts %llu is a statement, which cannot be undone; undo what is after "
                       "it, and before it, apart: %.*s",
                       ts, SLICE_HEAD(got->ddl.query, 300));
    for (size_t i = 0; i < got->rows.n_changes; i++)
        if (!can_undo(&got->rows.changes[i]))
            return err_set(err, -ENOTSUP,
                           "commit_ts %llu: what a row of %s.%s was before is not all in the "
                           "binlog (binlog_row_image is not FULL)",
                           ts, got->rows.changes[i].table->schema,
                           got->rows.changes[i].table->name);
    return 0;
}

static int find(struct reverse *v, struct err *err)
{
    struct drain_decoded got;
    int rc = drain_decode(v->decoder, &v->item, next_event, v, &got, err);

    if (rc == 0)
        rc = check(v, &got, err);
    if (rc < 0 || !got.has_rows)
        return rc;
    GROW(v->found, v->n, v->cap);
    v->found[v->n++] = (struct found){ v->item.lane, v->item.record };
    return 0;
}

static int forwards(struct reverse *v, struct err *err)
{
    struct unit *u = &v->run->drainer->sync.unit;
    struct drain_place place;

    for (;;) {
        int rc = drain_feed_next(v->feed, &v->item, 100, err);

        if (rc < 0)
            return rc;
        if (unit_stopping(u))
            return err_set(err, -ECANCELED, "stopping");
        drain_feed_place(v->feed, &place);
        if (rc > 0 && v->item.record.commit_ts > v->run->stop_ts)
            return 0;
        if (rc == 0 && !place.lane && place.ts >= v->run->stop_ts)
            return 0;
        if (rc > 0 && (rc = find(v, err)) < 0)
            return rc;
    }
}

/* --- backwards --- */

struct again {
    struct journal_reader *reader;
};

static int again_event(void *arg, struct slice *ret, struct err *err)
{
    struct again *a = arg;

    return journal_reader_event(a->reader, ret, err);
}

static int write_undo(struct reverse *v, const struct change_txn *t, struct err *err)
{
    struct drain_place at = { t->commit_ts, NULL };
    struct change_txn undo = *t;

    if (v->cap_undo < t->n_changes) {
        v->cap_undo = t->n_changes;
        v->undo = xrealloc(v->undo, v->cap_undo * sizeof *v->undo);
    }
    for (size_t i = 0; i < t->n_changes; i++)
        change_undo(&t->changes[t->n_changes - 1 - i], &v->undo[i]);
    undo.changes = v->undo;
    return drain_run_write(v->run, &undo, &at, err);
}

static int undo_one(struct reverse *v, const struct found *f, struct journal_reader *r,
                    struct err *err)
{
    struct drain_lane *lane = (struct drain_lane *)f->lane;
    struct drain_item item = { .lane = lane, .record = f->record };
    struct journal_record rec;
    struct again a = { r };
    struct drain_decoded got;
    int rc = journal_reader_seek(r, f->record.seq, err);

    if (rc == 0)
        rc = drain_lane_place(lane, f->record.seq, err);
    if (rc == 0)
        rc = journal_reader_next(r, &rec, 0, err);
    if (rc >= 0)
        rc = drain_decode(v->decoder, &item, again_event, &a, &got, err);
    return rc == 0 && got.has_rows ? write_undo(v, &got.rows, err) : rc;
}

static int backwards(struct reverse *v, struct err *err)
{
    struct unit *u = &v->run->drainer->sync.unit;
    struct journal_reader *r = NULL;
    const struct drain_lane *of = NULL;
    int rc = 0;

    for (size_t i = v->n; i-- > 0 && rc == 0;) {
        if (unit_stopping(u))
            rc = err_set(err, -ECANCELED, "stopping");
        if (rc == 0 && of != v->found[i].lane) {
            journal_reader_free(r);
            of = v->found[i].lane;
            r = journal_reader_new(of->journal, JOURNAL_DURABLE);
        }
        if (rc == 0)
            rc = undo_one(v, &v->found[i], r, err);
    }
    journal_reader_free(r);
    return rc;
}

int drain_reverse(struct drain_run *r, struct err *err)
{
    struct drainer *d = r->drainer;
    struct reverse v = { .run = r };
    struct drain_decoder_config dc = { .sources = d->reg.config.sources,
                                       .filter = r->target.filter,
                                       .conns = &r->target.job.conns,
                                       .unit = &d->sync.unit };
    struct drain_feed_config fc = { .pumps = d->pumps,
                                    .names = doc_at(r->doc, "pumps"),
                                    .detect_us = 1000000,
                                    .opened = drain_decoder_opened,
                                    .closed = drain_decoder_closed };
    int rc = drain_judge_new(&v.judge, d, &r->target, r->doc, err);

    dc.judge = v.judge;
    v.decoder = fc.arg = drain_decoder_new(&dc);
    if (rc == 0)
        rc = drain_feed_open(&v.feed, &fc, &r->place, err);
    if (rc == 0) {
        drain_target_feed(&r->target, d, v.feed);
        rc = forwards(&v, err);
        if (rc == 0)
            rc = backwards(&v, err);
        drain_target_feed(&r->target, d, NULL);
    }
    if (rc == 0)
        drain_run_pass(r, &(struct drain_place){ r->stop_ts, NULL });
    drain_feed_close(v.feed);
    drain_decoder_free(v.decoder);
    drain_judge_free(v.judge);
    free(v.found);
    free(v.undo);
    return rc;
}
