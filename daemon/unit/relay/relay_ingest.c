#include "unit/relay/relay_ingest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/scope.h"

void ingest_init(struct ingest *in, struct journal *j, const struct position *head,
                 uint32_t incarnation)
{
    *in = (struct ingest){ .journal = j, .incarnation = incarnation };
    position_copy(&in->head, head);
}

void ingest_fini(struct ingest *in)
{
    position_fini(&in->head);
    grouper_fini(&in->grouper);
    gtid_set_free(in->skip);
    buf_fini(&in->expect);
    buf_fini(&in->format);
    *in = (struct ingest){ 0 };
}

void ingest_connect(struct ingest *in, enum flavor flavor, const struct position *from)
{
    journal_drop(in->journal);
    grouper_fini(&in->grouper);
    grouper_init(&in->grouper, flavor, from);
    in->grouper.whole_payloads = true;
    memcpy(in->at_file, from->file, sizeof in->at_file);
    in->at = from->offset;
    in->open = in->skipping = false;
    in->gtid.number = 0;
    buf_clear(&in->format);
}

uint32_t binlog_file_number(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? (uint32_t)strtoul(dot + 1, NULL, 10) : 0;
}

/* --- what is in the file --- */

/* What heads a file is sent again when a dump begins inside it, and then says that it ends nowhere.
 */
static bool heads_file(const struct event *ev)
{
    return ev->type == EVENT_FORMAT_DESCRIPTION || ev->type == EVENT_ROTATE ||
           ev->type == EVENT_MARIADB_START_ENCRYPTION;
}

static bool in_file(const struct event *ev)
{
    if (ev->type == EVENT_HEARTBEAT || ev->type == EVENT_HEARTBEAT_V2 ||
        ev->flags & EVENT_FLAG_ARTIFICIAL)
        return false;
    return ev->next_pos != 0 || !heads_file(ev);
}

/* As the grouper counts, for rotations too: the header has 32 bits, and what a dump leaves out
 * is jumped over. */
static uint64_t end_of(const struct ingest *in, const struct event *ev)
{
    uint64_t end = in->at + ev->raw.size;

    return ev->next_pos ? end + (uint32_t)(ev->next_pos - (uint32_t)end) : end;
}

static bool same_file(const struct ingest *in)
{
    return strcmp(in->at_file, in->head.file) == 0;
}

/* --- what is stored already --- */

static int compare(struct ingest *in, const struct event *ev, uint64_t end, struct err *err)
{
    uint64_t from = end - ev->raw.size, at = from - in->expect_from;

    if (from < in->expect_from || in->expect.size == 0)
        return 0;
    if (at + ev->raw.size <= in->expect.size &&
        memcmp(in->expect.data + at, ev->raw.data, ev->raw.size) == 0)
        return 0;
    return err_set(err, -EREMCHG, "at %s:%" PRIu64 " the source has other events than we stored",
                   in->at_file, from);
}

static int end_of_stored(struct ingest *in, uint64_t end, struct err *err)
{
    if (end > in->head.offset)
        return err_set(err, -EREMCHG,
                       "the source has an event across %s:%" PRIu64 ", where what we stored ends",
                       in->head.file, in->head.offset);
    if (end == in->head.offset)
        buf_fini(&in->expect);
    return 0;
}

/* --- records --- */

static int begin_file(struct ingest *in, const struct event *ev, uint64_t from, struct err *err)
{
    struct journal_file f = { .incarnation = in->incarnation,
                              .no = binlog_file_number(in->at_file),
                              .format = ev->type == EVENT_FORMAT_DESCRIPTION
                                            ? ev->raw
                                            : slice_of(in->format.data, in->format.size),
                              .at_from = in->head.gtids,
                              .from = from };

    if (!f.format.size)
        return err_set(err, -EBADMSG, "%s: an event before the format description", in->at_file);
    memcpy(f.name, in->at_file, sizeof f.name);
    memcpy(in->head.file, in->at_file, sizeof in->head.file);
    in->head.offset = from;
    return journal_file_begin(in->journal, &f, err);
}

static int64_t commit_us(const struct ingest *in, const struct journal_record *r,
                         const struct event *ev)
{
    return r->kind == JOURNAL_TXN ? in->grouper.commit_us : (int64_t)ev->timestamp * 1000000;
}

/* Ends the open record at 'end' of the current file. */
static int commit(struct ingest *in, struct journal_record *r, uint64_t end, struct err *err)
{
    int rc;

    r->incarnation = in->incarnation;
    r->file_no = binlog_file_number(in->head.file);
    r->from = in->head.offset;
    r->to = end;
    rc = journal_commit(in->journal, r, err);
    if (rc < 0)
        return rc;
    in->head.offset = end;
    if (r->gtid.number && in->head.gtids)
        gtid_set_add(in->head.gtids, &r->gtid);
    in->open = false;
    in->gtid.number = 0;
    return 0;
}

/* A transaction that has no end: the source died while it wrote it, or it is empty.  The bytes are
 * in its file, so they are in the journal. */
static int commit_rest(struct ingest *in, const struct event *next, struct ingest_did *did,
                       struct err *err)
{
    struct journal_record r = { .kind = JOURNAL_TXN, .type = in->last_type };

    if (next->type != EVENT_FORMAT_DESCRIPTION && next->type != EVENT_ROTATE)
        r.gtid = in->gtid; /* empty, and used up */
    if (in->skipping) {
        in->open = in->skipping = false;
        return 0;
    }
    did->committed = true;
    did->record = r;
    return commit(in, &did->record, in->at, err);
}

static unsigned flags_of(int step)
{
    switch ((enum txn_step)step) {
    case TXN_DDL:
        return JOURNAL_DDL;
    case TXN_XA_PREPARE:
    case TXN_XA_COMMIT:
    case TXN_XA_ROLLBACK:
        return JOURNAL_XA;
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
    case TXN_BEGIN:
    case TXN_MAP:
    case TXN_ROWS:
    case TXN_STATEMENT:
    case TXN_CONTEXT:
    case TXN_COMMIT:
    case TXN_ROLLBACK:
    case TXN_PAYLOAD:
    case TXN_INCIDENT:
        break;
    }
    return 0;
}

/* Is the transaction that begins one of 'skip'? */
static bool skipped(struct ingest *in, const struct gtid *g)
{
    struct gtid passed = *g;

    if (!in->skip || !g->number)
        return false;
    if (gtid_set_has(in->skip, g))
        return true;
    if (g->flavor == FLAVOR_MARIADB && g->number) {
        /* Of its domain nothing of what we have comes any more. */
        passed.number = 0;
        gtid_set_add(in->skip, &passed);
    }
    return false;
}

/* An event that is in the file and not yet in the journal. */
static int store(struct ingest *in, const struct event *ev, int step, uint64_t end,
                 struct ingest_did *did, struct err *err)
{
    uint64_t from = end - ev->raw.size;
    bool txn = ev->type != EVENT_FORMAT_DESCRIPTION &&
               (in->open || in->grouper.in_txn || flags_of(step) || step == TXN_BEGIN ||
                step == TXN_COMMIT || step == TXN_ROLLBACK);
    int rc = 0;

    in->last_type = ev->type;
    if (!in->open && txn) {
        in->gtid = in->grouper.gtid;
        in->skipping = skipped(in, &in->gtid);
        in->open = true;
    }
    if (!same_file(in))
        rc = begin_file(in, ev, from, err);
    if (rc == 0 && !in->skipping)
        rc = journal_add(in->journal, ev->raw, err);
    if (rc < 0 || in->grouper.in_txn)
        return rc;
    if (in->skipping) {
        in->open = in->skipping = false;
        did->known = true;
        return 0;
    }
    did->committed = true;
    did->record = (struct journal_record){ .kind = txn ? JOURNAL_TXN : JOURNAL_EVENT,
                                           .type = ev->type,
                                           .flags = flags_of(step),
                                           .gtid = txn ? in->gtid : (struct gtid){ .number = 0 } };
    did->record.commit_us = commit_us(in, &did->record, ev);
    return commit(in, &did->record, end, err);
}

/* --- events --- */

static void remember_format(struct ingest *in, const struct event *ev)
{
    if (ev->type != EVENT_FORMAT_DESCRIPTION)
        return;
    buf_clear(&in->format);
    buf_add(&in->format, ev->raw.data, ev->raw.size);
}

/* The transaction that was open cannot go on after this one. */
static bool cut_short(const struct ingest *in, const struct event *ev, int step)
{
    if (!in->open)
        return false;
    return step == TXN_BEGIN || (step == TXN_ROLLBACK && ev->type == EVENT_FORMAT_DESCRIPTION) ||
           (step == TXN_ROTATE && !in_file(ev));
}

static void move_on(struct ingest *in, const struct event *ev, uint64_t end)
{
    if (ev->type == EVENT_ROTATE) {
        memcpy(in->at_file, in->grouper.file, sizeof in->at_file);
        in->at = in->grouper.offset;
    } else if (in_file(ev)) {
        in->at = end;
    }
}

static int parse(struct ingest *in, struct slice raw, struct event *ev, struct err *err)
{
    int rc = event_parse(raw, &in->grouper.fmt, true, ev, err);

    return rc < 0 ? err_wrap(err, "%s after %" PRIu64, in->at_file, in->at) : 0;
}

int ingest_event(struct ingest *in, struct slice raw, struct ingest_did *ret, struct err *err)
{
    struct event ev;
    uint64_t end;
    int step, rc = parse(in, raw, &ev, err);

    *ret = (struct ingest_did){ .committed = false };
    if (rc < 0)
        return rc;
    end = end_of(in, &ev);
    step = grouper_feed(&in->grouper, &ev, err);
    if (step < 0)
        return step;
    ret->alive = ev.type == EVENT_HEARTBEAT || ev.type == EVENT_HEARTBEAT_V2;
    ret->incident = step == TXN_INCIDENT;
    remember_format(in, &ev);
    if (cut_short(in, &ev, step))
        rc = commit_rest(in, &ev, ret, err);
    if (rc == 0 && in_file(&ev)) {
        if (same_file(in) && end - ev.raw.size < in->head.offset) {
            rc = compare(in, &ev, end, err);
            if (rc == 0)
                rc = end_of_stored(in, end, err);
            ret->known = rc == 0 && end == in->head.offset;
        } else {
            rc = store(in, &ev, step, end, ret, err);
        }
    }
    if (rc == 0)
        move_on(in, &ev, end);
    return rc;
}
