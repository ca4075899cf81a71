/*
 * From pumps into another journal, which a server can serve: the events as they are, but for their
 * places in the file and checksums, in files of the journal's own.
 *
 * All pumps are of one flavour.  What comes again after a crash is known by its GTID, and is there
 * once; without GTIDs it may be there twice.  Tables cannot be left out: events are not opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/scope.h"
#include "unit/drain/drain_decode.h"
#include "unit/drain/drain_sink.h"
#include "unit/drain/drain_target.h"
#include "unit/drain/drainer_priv.h"

#define IDLE_MS 100
#define SAVE_US ((int64_t)1000000)
#define FILE_SIZE ((uint64_t)512 << 20)
#define TAIL 200000      /* records that may come again */
#define HEADER_SIZE_AT 9 /* of the event's size; its end follows */
#define HEADER_END_AT 13

struct copy {
    struct drain_run *run;
    struct drain_judge *judge;
    struct drain_feed *feed;
    struct drain_item item;
    struct journal *to;
    struct journal_head head;
    struct gtid_set *has; /* all in the journal; MariaDB: the last of each domain */
    uint64_t *tail;       /* what its newest records are, sorted: these may come again */
    size_t n_tail;
    bool writing, known; /* known: a format description was written, or is there */
    struct event_format format;
    struct buf format_raw;
    char *name;
    uint32_t file_no;
    uint64_t offset;
    struct buf bytes;
    int64_t save_us;
};

/* --- events as they are to stand in our file --- */

static void put_le(char *at, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        at[i] = (char)(v >> (8 * i));
}

/* Appends the event with size, end and checksum of this file, at offset + bytes.size. */
static void put_event(struct copy *c, const struct event *ev, struct buf *out)
{
    size_t at = out->size, size = EVENT_HEADER_SIZE + ev->body.size;
    bool crc = c->format.checksum != 0 || ev->type == EVENT_FORMAT_DESCRIPTION;

    size += crc ? EVENT_CHECKSUM_SIZE : 0;
    buf_add(out, ev->raw.data, EVENT_HEADER_SIZE);
    buf_add(out, ev->body.data, ev->body.size);
    put_le(out->data + at + HEADER_SIZE_AT, size, 4);
    put_le(out->data + at + HEADER_END_AT, c->offset + at + size, 4);
    if (crc)
        buf_le(out, event_crc32((const uint8_t *)out->data + at, out->size - at), 4);
}

static int commit(struct copy *c, struct journal_record *r, struct slice bytes, struct err *err)
{
    int rc = journal_add(c->to, bytes, err);

    r->incarnation = c->head.incarnation;
    r->file_no = c->file_no;
    r->from = c->offset;
    r->to = c->offset + bytes.size;
    if (rc == 0)
        rc = journal_commit(c->to, r, err);
    if (rc == 0)
        c->offset = r->to;
    return rc;
}

/* --- files --- */

static int put_format(struct copy *c, struct err *err)
{
    SCOPED(buf_fini) struct buf bytes = BUF_INIT;
    struct event_format none = { 0 };
    struct journal_record r = { .kind = JOURNAL_EVENT, .type = EVENT_FORMAT_DESCRIPTION };
    struct event ev;
    int rc = event_parse(slice_of(c->format_raw.data, c->format_raw.size), &none, false, &ev, err);

    if (rc < 0)
        return rc;
    put_event(c, &ev, &bytes);
    return commit(c, &r, slice_of(bytes.data, bytes.size), err);
}

static int begin_file(struct copy *c, struct err *err)
{
    struct journal_file f = { .incarnation = c->head.incarnation,
                              .no = ++c->file_no,
                              .from = 4,
                              .format = slice_of(c->format_raw.data, c->format_raw.size),
                              .at_from = c->has };
    int rc;

    snprintf(f.name, sizeof f.name, "%s-bin.%06u", c->name, c->file_no);
    c->offset = 4;
    rc = journal_file_begin(c->to, &f, err);
    return rc == 0 ? put_format(c, err) : rc;
}

/* The end of the file says which is next. */
static int rotate(struct copy *c, struct err *err)
{
    SCOPED(buf_fini) struct buf raw = BUF_INIT, out = BUF_INIT;
    struct journal_record r = { .kind = JOURNAL_EVENT, .type = EVENT_ROTATE };
    struct event ev = { .type = EVENT_ROTATE };
    int rc;

    buf_le(&raw, (uint64_t)(clock_wall_us() / 1000000), 4);
    buf_byte(&raw, EVENT_ROTATE);
    buf_le(&raw, 1, 4);
    buf_le(&raw, 0, 8 + 2);
    buf_le(&raw, 4, 8);
    buf_printf(&raw, "%s-bin.%06u", c->name, c->file_no + 1);
    ev.raw = slice_of(raw.data, raw.size);
    ev.body = slice_of(raw.data + EVENT_HEADER_SIZE, raw.size - EVENT_HEADER_SIZE);
    put_event(c, &ev, &out);
    rc = commit(c, &r, slice_of(out.data, out.size), err);
    return rc == 0 ? begin_file(c, err) : rc;
}

/* The first lane's format is that of the file. */
static int need_format(struct copy *c, const struct drain_lane *lane, struct err *err)
{
    struct journal_file f = { .no = 0 };
    int rc;

    if (c->known && lane->grouper.fmt.flavor != c->format.flavor)
        return err_set(err, -EINVAL,
                       "pump %s is of another flavour than the journal: MySQL and MariaDB cannot "
                       "be in one binlog",
                       lane->name);
    if (c->known)
        return 0;
    rc = journal_file_of(lane->journal, c->item.record.seq, &f, err);
    if (rc == 0) {
        buf_add(&c->format_raw, f.format.data, f.format.size);
        c->format = lane->grouper.fmt;
        c->known = true;
        rc = begin_file(c, err);
    }
    journal_file_fini(&f);
    return rc;
}

/* --- transactions --- */

static int take_events(struct copy *c, struct err *err)
{
    struct drain_lane *lane = c->item.lane;
    struct slice raw;
    int rc;

    buf_clear(&c->bytes);
    drain_judge_begin(c->judge, &c->item);
    lane->grouper.whole_payloads = true;
    while ((rc = drain_feed_event(c->feed, &c->item, &raw, err)) > 0) {
        struct event ev;
        int step = event_parse(raw, &lane->grouper.fmt, false, &ev, err);

        if (step == 0)
            step = grouper_feed(&lane->grouper, &ev, err);
        if (step >= 0)
            step = drain_judge_event(c->judge, &lane->grouper, &ev, step, err);
        if (step < 0)
            return step;
        put_event(c, &ev, &c->bytes);
        atomic_fetch_add_explicit(&c->run->drainer->sync.events, 1, memory_order_relaxed);
    }
    return rc;
}

/* --- what a crash may bring again: exactly these, whatever a set of GTIDs means --- */

static uint64_t hash_of(const struct gtid *g)
{
    struct gtid plain;

    memset(&plain, 0, sizeof plain);
    plain.flavor = g->flavor;
    memcpy(plain.uuid, g->uuid, sizeof plain.uuid);
    snprintf(plain.tag, sizeof plain.tag, "%s", g->tag);
    plain.domain = g->domain;
    plain.server_id = g->server_id;
    plain.number = g->number;
    return XXH3_64bits(&plain, sizeof plain);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static bool is_repeated(const struct copy *c, const struct gtid *g)
{
    uint64_t hash = hash_of(g);

    return c->n_tail && g->number && bsearch(&hash, c->tail, c->n_tail, sizeof hash, by_value);
}

/* The savepoint is a second old at most. */
static int read_tail(struct copy *c, struct err *err)
{
    struct journal_reader *r = journal_reader_new(c->to, JOURNAL_DURABLE);
    uint64_t from = c->head.next_seq > TAIL ? c->head.next_seq - TAIL : 1;
    struct journal_record rec;
    struct journal_state st;
    int rc;

    journal_state(c->to, &st);
    rc = journal_reader_seek(r, from > st.first_seq ? from : st.first_seq, err);
    c->tail = xcalloc(TAIL, sizeof *c->tail);
    while (rc >= 0 && c->n_tail < TAIL && (rc = journal_reader_next(r, &rec, 0, err)) > 0)
        if (rec.gtid.number)
            c->tail[c->n_tail++] = hash_of(&rec.gtid);
    if (c->n_tail)
        qsort(c->tail, c->n_tail, sizeof *c->tail, by_value);
    journal_reader_free(r);
    return rc < 0 ? rc : 0;
}

static int one_transaction(struct copy *c, struct err *err)
{
    struct journal_record r = c->item.record;
    int rc = need_format(c, c->item.lane, err);

    if (rc == 0 && r.size > DRAIN_TXN_MAX)
        rc = err_set(err, -EFBIG, "transaction %llu has %llu bytes (skip_txn leaves it out)",
                     (unsigned long long)r.commit_ts, (unsigned long long)r.size);
    if (rc == 0 && c->offset > FILE_SIZE)
        rc = rotate(c, err);
    if (rc == 0)
        rc = take_events(c, err);
    if (rc < 0 || drain_judge_left_out(c->judge) || is_repeated(c, &r.gtid))
        return rc;
    r.flags &= ~(unsigned)(JOURNAL_SKEWED | JOURNAL_LARGE);
    rc = commit(c, &r, slice_of(c->bytes.data, c->bytes.size), err);
    if (rc == 0 && r.gtid.number && c->has)
        gtid_set_add(c->has, &r.gtid);
    atomic_fetch_add(&c->run->drainer->sync.transactions, 1);
    drainer_wrote(c->run->drainer);
    return rc;
}

/* --- the run --- */

static int save(struct copy *c, bool end, struct err *err)
{
    struct drain_run *r = c->run;
    struct journal_state st;
    struct drain_place safe = { r->place.ts, NULL };
    int rc = journal_flush(c->to, err);

    c->save_us = clock_mono_us() + SAVE_US;
    journal_state(c->to, &st);
    if (rc == 0 && st.next_seq > 1)
        rc = journal_wait_durable(c->to, st.next_seq - 1, -1, err);
    if (rc == 0)
        rc = drainer_savepoint_save(r->drainer, &r->place, end, false, err);
    if (rc < 0)
        return rc;
    drainer_publish(r->drainer, &r->place);
    drainer_show_pulled(r->drainer, c->feed);
    registrant_beat(&r->drainer->reg);
    return drain_feed_hold(c->feed, &safe, err);
}

/* 1: the range is at its end. */
static int one_turn(struct copy *c, struct err *err)
{
    struct drain_run *r = c->run;
    struct drain_place place;
    uint64_t ignored;
    bool over;
    int rc = drain_feed_next(c->feed, &c->item, IDLE_MS, err);

    if (rc < 0)
        return rc;
    over = rc > 0 && r->stop_ts && c->item.record.commit_ts > r->stop_ts;
    if (rc > 0 && !over)
        rc = one_transaction(c, err);
    if (rc < 0)
        return rc;
    drain_feed_place(c->feed, &place);
    over = over || (r->stop_ts && !place.lane && place.ts >= r->stop_ts);
    if (over)
        place = (struct drain_place){ r->stop_ts, NULL };
    drain_run_pass(r, &place);
    if (rc == 0 && clock_mono_us() >= c->save_us)
        rc = journal_idle(c->to, &ignored, err);
    return rc < 0 ? rc : over;
}

static int follow(struct copy *c, struct err *err)
{
    int rc = 0;

    while (rc == 0) {
        if (unit_stopping(&c->run->drainer->sync.unit))
            rc = err_set(err, -ECANCELED, "stopping");
        else
            rc = one_turn(c, err);
        if (rc >= 0 && (rc > 0 || clock_mono_us() >= c->save_us)) {
            int saved = save(c, rc > 0, err);

            rc = saved < 0 ? saved : rc;
        }
    }
    return rc > 0 ? 0 : rc;
}

static int finish(struct copy *c, int rc, struct err *err)
{
    struct err why = ERR_INIT;

    if (rc != -ECANCELED || save(c, true, &why) == 0)
        return rc;
    *err = why;
    return why.code;
}

/* What all lanes had before is before the journal, too. */
static void add_before(void *arg, const struct drain_lane *lane)
{
    struct copy *c = arg;
    struct err ignored = ERR_INIT;
    struct gtid_set *before = NULL;
    uint64_t seq;

    if (journal_find_ts(lane->journal, c->run->place.ts + 1, &seq, &ignored) == 0)
        before = journal_gtids_before(lane->journal, seq, &ignored);
    if (before && !c->has)
        c->has = gtid_set_copy(before);
    else if (before && gtid_set_flavor(c->has) == gtid_set_flavor(before))
        gtid_set_union(c->has, before);
    gtid_set_free(before);
}

static int go_on(struct copy *c, struct err *err)
{
    struct journal_file f = { .no = 0 };
    struct event_format none = { 0 };
    struct position start = { .offset = 4 };
    struct grouper g;
    struct event ev;
    int rc = journal_file_of(c->to, c->head.next_seq - 1, &f, err);

    if (rc < 0)
        return rc;
    buf_add(&c->format_raw, f.format.data, f.format.size);
    grouper_init(&g, FLAVOR_MYSQL, &start);
    rc = event_parse(f.format, &none, false, &ev, err);
    if (rc == 0)
        rc = grouper_feed(&g, &ev, err);
    c->format = g.fmt;
    c->known = rc >= 0;
    c->file_no = f.no;
    c->offset = c->head.pos.offset;
    c->has = gtid_set_copy(c->head.pos.gtids);
    grouper_fini(&g);
    journal_file_fini(&f);
    return rc < 0 ? rc : read_tail(c, err);
}

static int open_journal(struct copy *c, struct err *err)
{
    SCOPED(freep) char *id = xasprintf("drainer %.40s", c->run->drainer->reg.name);
    int rc = journal_open(c->run->drainer->reg.config.journals, c->name, true, &c->to, err);

    if (rc == 0)
        rc = journal_write_begin(c->to, &c->head, err);
    c->writing = rc == 0;
    if (rc < 0)
        return err_wrap(err, "journal %s", c->name);
    if (c->head.next_seq > 1)
        return go_on(c, err);
    drain_feed_lanes(c->feed, add_before, c);
    rc = journal_incarnation(c->to, id, c->has, err);
    c->head.incarnation++;
    return rc;
}

static int check(const struct drain_run *r, struct err *err)
{
    static const char *const lists[] = { "syncer.replicate_do_db", "syncer.replicate_do_table",
                                         "syncer.ignore_table", "syncer.table_migrate_rule" };

    if (!json_string_length(doc_at(r->doc, "to.journal")))
        return err_set(err, -EINVAL, "to.journal: its name is not said");
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (json_array_size(doc_at(r->doc, lists[i])))
            return err_set(err, -ENOTSUP, "%s: a journal takes transactions whole", lists[i]);
    return 0;
}

static int open_feed(struct copy *c, struct err *err)
{
    struct drain_run *r = c->run;
    struct drain_feed_config fc = {
        .pumps = r->drainer->pumps,
        .names = doc_at(r->doc, "pumps"),
        .owner = r->target.job.path,
        .detect_us = json_integer_value(doc_at(r->doc, "detect_interval")) * 1000000,
        .dedup = json_is_true(doc_at(r->doc, "syncer.dedup_gtid")),
    };
    struct drainer_savepoint at = { .ts = 0 };
    struct drain_place start;
    int rc = drainer_start_place(r->drainer, r->doc, &at, err);

    if (rc < 0)
        return rc;
    json_decref(at.skip);
    start = (struct drain_place){ at.ts, strcmp(at.lane, DRAIN_ALL_LANES) == 0 ? NULL : at.lane };
    drain_run_pass(r, &start);
    rc = drain_feed_open(&c->feed, &fc, &r->place, err);
    return rc == 0 ? drain_feed_hold(c->feed, &r->place, err) : rc;
}

int drain_journal(struct drain_run *r, struct err *err)
{
    struct copy c = { .run = r };
    struct err ignored = ERR_INIT;
    int rc = check(r, err);

    c.name = xstrdup(json_string_value(doc_at(r->doc, "to.journal")) ?: "");
    if (rc == 0)
        rc = drain_judge_new(&c.judge, r->drainer, &r->target, r->doc, err);
    if (rc == 0)
        rc = open_feed(&c, err);
    if (rc == 0)
        rc = open_journal(&c, err);
    if (rc == 0) {
        drain_target_feed(&r->target, r->drainer, c.feed);
        drainer_let_go_others(r->drainer, c.feed);
        rc = follow(&c, err);
        rc = finish(&c, rc, err);
        drain_target_feed(&r->target, r->drainer, NULL);
    }
    if (c.writing && journal_write_end(c.to, rc < 0 ? &ignored : err) < 0 && rc == 0)
        rc = err->code;
    journal_close(c.to);
    journal_head_fini(&c.head);
    drain_feed_close(c.feed);
    drain_judge_free(c.judge);
    gtid_set_free(c.has);
    free(c.tail);
    buf_fini(&c.bytes);
    buf_fini(&c.format_raw);
    free(c.name);
    return rc;
}
