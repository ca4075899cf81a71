#include "binlog/txn.h"

#include <errno.h>
#include <inttypes.h>
#include <strings.h>

#include "base/cursor.h"
#include "binlog/control.h"
#include "binlog/gtid_event.h"

void grouper_init(struct grouper *g, enum flavor flavor, const struct position *start)
{
    *g = (struct grouper){ .fmt.flavor = flavor };
    position_copy(&g->pos, start);
    memcpy(g->file, start->file, sizeof g->file);
    g->offset = start->offset;
}

void grouper_fini(struct grouper *g)
{
    position_fini(&g->pos);
    buf_fini(&g->scratch);
    buf_fini(&g->xid_text);
    *g = (struct grouper){ 0 };
}

/* Made for this connection: a rotation has its own idea of the position, a heartbeat has no size in
 * the file (and, on MariaDB, no flag that says so). */
static bool in_file(const struct event *ev)
{
    return ev->type != EVENT_ROTATE && ev->type != EVENT_HEARTBEAT &&
           ev->type != EVENT_HEARTBEAT_V2 && !(ev->flags & EVENT_FLAG_ARTIFICIAL);
}

/* The header's position has 32 bits and files may be larger; events may also be left out of a
 * dump.  So the offset grows by what was read, then up to where the header says. */
static void advance(struct grouper *g, const struct event *ev)
{
    if (ev->in_payload || ev->next_pos == 0)
        return;
    g->offset += ev->raw.size;
    g->offset += (uint32_t)(ev->next_pos - (uint32_t)g->offset);
}

static void settle(struct grouper *g)
{
    memcpy(g->pos.file, g->file, sizeof g->pos.file);
    g->pos.offset = g->offset;
}

static int begin(struct grouper *g, const struct event *ev)
{
    g->in_txn = true;
    g->opened = false;
    g->half_alter = false;
    g->ddl_in_txn = false;
    g->standalone = false;
    g->size = ev->raw.size;
    g->commit_us = (int64_t)ev->timestamp * 1000000;
    return TXN_BEGIN;
}

static int end(struct grouper *g, enum txn_step step)
{
    g->in_txn = false;
    g->opened = false;
    if (g->gtid.number && g->pos.gtids)
        gtid_set_add(g->pos.gtids, &g->gtid);
    return (int)step;
}

static int on_nothing(struct grouper *g, const struct event *ev, struct err *err)
{
    (void)g;
    (void)ev;
    (void)err;
    return TXN_NOTHING;
}

static int on_format(struct grouper *g, const struct event *ev, struct err *err)
{
    uint32_t created;
    int rc = format_decode(ev, &g->fmt, &created, err);

    if (rc < 0)
        return rc;
    if (created && g->in_txn && !(ev->flags & EVENT_FLAG_ARTIFICIAL)) {
        g->in_txn = g->opened = false;
        g->gtid.number = 0; /* it was not used up: it comes again */
        return TXN_ROLLBACK;
    }
    return TXN_FORMAT;
}

static int on_rotate(struct grouper *g, const struct event *ev, struct err *err)
{
    struct rotate r;
    int rc = rotate_decode(ev, &r, err);

    if (rc < 0)
        return rc;
    if (r.file.size >= sizeof g->file)
        return err_set(err, -EBADMSG, "rotate event: a file name of %zu bytes", r.file.size);
    memcpy(g->file, r.file.data, r.file.size);
    g->file[r.file.size] = '\0';
    g->offset = r.offset;
    return TXN_ROTATE;
}

/* Tells how far the source's dump is when it has nothing for us. */
static int on_heartbeat(struct grouper *g, const struct event *ev, struct err *err)
{
    struct heartbeat hb;
    int rc = heartbeat_decode(ev, g->fmt.flavor, &hb, err);

    if (rc < 0)
        return rc;
    if (g->in_txn || !slice_eq(hb.file, slice_str(g->file)))
        return TXN_NOTHING;
    if (!hb.whole)
        hb.offset = g->offset + (uint32_t)((uint32_t)hb.offset - (uint32_t)g->offset);
    if (hb.offset > g->offset)
        g->offset = hb.offset;
    return TXN_NOTHING;
}

/* What the files before this one hold: the start of the set, if it was not given. */
static int on_known_gtids(struct grouper *g, const struct event *ev, struct err *err)
{
    if (g->pos.gtids || (ev->flags & EVENT_FLAG_ARTIFICIAL))
        return TXN_NOTHING;
    return gtid_set_decode(&g->pos.gtids, g->fmt.flavor, ev->body, err) < 0 ? -EBADMSG
                                                                            : TXN_NOTHING;
}

static int on_gtid(struct grouper *g, const struct event *ev, struct err *err)
{
    struct gtid_event e;
    int rc = gtid_event_decode(ev, &e, err);

    if (rc < 0)
        return rc;
    if (g->in_txn && !g->opened)
        return err_set(err, -EBADMSG, "a transaction begins before the one before it has ended");
    if (g->opened)
        end(g, TXN_ROLLBACK); /* it was empty */
    begin(g, ev);
    g->gtid = e.gtid;
    if (e.immediate_commit_us)
        g->commit_us = e.immediate_commit_us;
    g->standalone = e.flags & GTID_STANDALONE && ev->type == EVENT_MARIADB_GTID;
    g->half_alter = e.flags_extra & (GTID_EXTRA_START_ALTER | GTID_EXTRA_ROLLBACK_ALTER);
    g->opened = ev->type != EVENT_MARIADB_GTID || g->standalone;
    g->ddl_in_txn = e.flags & GTID_DDL && ev->type == EVENT_MARIADB_GTID && !g->standalone;
    return TXN_BEGIN;
}

enum verb { OTHER, BEGIN, COMMIT, ROLLBACK, XA_START, XA_END, XA_COMMIT, XA_ROLLBACK };

/* The texts are the servers' own, not the users': one spelling each. */
static const struct {
    const char *text;
    bool whole; /* the statement is this and no more */
    enum verb verb;
} verbs[] = {
    { "BEGIN", true, BEGIN },           { "COMMIT", true, COMMIT },
    { "ROLLBACK", true, ROLLBACK },     { "XA START ", false, XA_START },
    { "XA BEGIN ", false, XA_START },   { "XA END ", false, XA_END },
    { "XA COMMIT ", false, XA_COMMIT }, { "XA ROLLBACK ", false, XA_ROLLBACK },
};

static enum verb verb_of(struct slice sql, struct slice *rest)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        size_t n = strlen(verbs[i].text);

        if (sql.size < n || (verbs[i].whole && sql.size != n) ||
            strncasecmp((const char *)sql.data, verbs[i].text, n) != 0)
            continue;
        *rest = slice_of(sql.data + n, sql.size - n);
        return verbs[i].verb;
    }
    return OTHER;
}

static int end_xa(struct grouper *g, struct slice xid, enum txn_step step)
{
    while (xid.size && xid.data[xid.size - 1] == ' ')
        xid.size--;
    buf_clear(&g->xid_text);
    for (size_t i = 0; i < xid.size; i++) {
        uint8_t c = xid.data[i];

        buf_byte(&g->xid_text, (char)(c >= 'A' && c <= 'F' ? c | 0x20 : c)); /* digits of X'..' */
    }
    g->xid = slice_of(g->xid_text.data, g->xid_text.size);
    return end(g, step);
}

/* A statement that is none of the transaction's own. */
static int on_statement(struct grouper *g)
{
    if (g->half_alter)
        return end(g, TXN_ROLLBACK);
    if (!g->in_txn)
        g->gtid.number = 0;
    if (!g->in_txn || g->opened)
        return end(g, TXN_DDL);
    return TXN_STATEMENT;
}

static int on_query(struct grouper *g, const struct event *ev, struct err *err)
{
    struct slice rest;
    enum verb verb;
    int rc = query_decode(ev, &g->fmt, &g->scratch, &g->query, err);

    if (rc < 0)
        return rc;
    verb = verb_of(g->query.sql, &rest);
    switch (verb) {
    case BEGIN:
    case XA_START:
        if (g->in_txn) {
            g->opened = false;
            return TXN_NOTHING;
        }
        g->gtid.number = 0;
        return begin(g, ev);
    case COMMIT:
        return end(g, TXN_COMMIT);
    case ROLLBACK:
        return end(g, TXN_ROLLBACK);
    case XA_END:
        return TXN_NOTHING;
    case XA_COMMIT:
        return end_xa(g, rest, TXN_XA_COMMIT);
    case XA_ROLLBACK:
        return end_xa(g, rest, TXN_XA_ROLLBACK);
    case OTHER:
        break;
    }
    return on_statement(g);
}

static int on_xid(struct grouper *g, const struct event *ev, struct err *err)
{
    (void)ev;
    if (!g->in_txn)
        return err_set(err, -EBADMSG, "a commit without a transaction");
    return end(g, TXN_COMMIT);
}

static void add_hex(struct buf *b, struct slice s)
{
    static const char digits[] = "0123456789abcdef";

    buf_str(b, "X'");
    for (size_t i = 0; i < s.size; i++) {
        buf_byte(b, digits[s.data[i] >> 4]);
        buf_byte(b, digits[s.data[i] & 15]);
    }
    buf_byte(b, '\'');
}

static int on_xa_prepare(struct grouper *g, const struct event *ev, struct err *err)
{
    struct cursor c = cursor_of(ev->body);
    bool one_phase = cursor_u8(&c);
    uint32_t format = cursor_u32(&c);
    uint32_t gtrid_size = cursor_u32(&c), bqual_size = cursor_u32(&c);
    struct slice gtrid = cursor_bytes(&c, gtrid_size), bqual = cursor_bytes(&c, bqual_size);

    if (c.bad || !g->in_txn)
        return err_set(err, -EBADMSG, "XA prepare event: %s",
                       c.bad ? "cut short" : "no transaction is open");
    buf_clear(&g->xid_text);
    add_hex(&g->xid_text, gtrid);
    buf_byte(&g->xid_text, ',');
    add_hex(&g->xid_text, bqual);
    buf_byte(&g->xid_text, ',');
    buf_u64_text(&g->xid_text, format);
    g->xid = slice_of(g->xid_text.data, g->xid_text.size);
    return end(g, one_phase ? TXN_COMMIT : TXN_XA_PREPARE);
}

static int inside(struct grouper *g, const struct event *ev, enum txn_step step, struct err *err)
{
    if (!g->in_txn)
        return err_set(err, -EBADMSG, "%s event outside of a transaction",
                       event_type_name(ev->type));
    g->opened = false;
    return (int)step;
}

static int on_map(struct grouper *g, const struct event *ev, struct err *err)
{
    return inside(g, ev, TXN_MAP, err);
}

static int on_rows(struct grouper *g, const struct event *ev, struct err *err)
{
    return inside(g, ev, TXN_ROWS, err);
}

static int on_payload(struct grouper *g, const struct event *ev, struct err *err)
{
    if (!g->in_txn)
        return err_set(err, -EBADMSG, "%s event outside of a transaction",
                       event_type_name(ev->type));
    return g->whole_payloads ? end(g, TXN_COMMIT) : TXN_PAYLOAD;
}

static int on_context(struct grouper *g, const struct event *ev, struct err *err)
{
    (void)g;
    (void)ev;
    (void)err;
    return TXN_CONTEXT;
}

static int on_incident(struct grouper *g, const struct event *ev, struct err *err)
{
    (void)g;
    (void)ev;
    (void)err;
    return TXN_INCIDENT;
}

typedef int (*event_handler)(struct grouper *g, const struct event *ev, struct err *err);

static const event_handler handlers[256] = {
    [EVENT_QUERY] = on_query,
    [EVENT_STOP] = on_nothing,
    [EVENT_ROTATE] = on_rotate,
    [EVENT_INTVAR] = on_context,
    [EVENT_APPEND_BLOCK] = on_context,
    [EVENT_DELETE_FILE] = on_context,
    [EVENT_RAND] = on_context,
    [EVENT_USER_VAR] = on_context,
    [EVENT_FORMAT_DESCRIPTION] = on_format,
    [EVENT_XID] = on_xid,
    [EVENT_BEGIN_LOAD_QUERY] = on_context,
    [EVENT_EXECUTE_LOAD_QUERY] = on_query,
    [EVENT_TABLE_MAP] = on_map,
    [EVENT_WRITE_ROWS_V1] = on_rows,
    [EVENT_UPDATE_ROWS_V1] = on_rows,
    [EVENT_DELETE_ROWS_V1] = on_rows,
    [EVENT_INCIDENT] = on_incident,
    [EVENT_HEARTBEAT] = on_heartbeat,
    [EVENT_IGNORABLE] = on_nothing,
    [EVENT_ROWS_QUERY] = on_nothing,
    [EVENT_WRITE_ROWS_V2] = on_rows,
    [EVENT_UPDATE_ROWS_V2] = on_rows,
    [EVENT_DELETE_ROWS_V2] = on_rows,
    [EVENT_GTID] = on_gtid,
    [EVENT_ANONYMOUS_GTID] = on_gtid,
    [EVENT_PREVIOUS_GTIDS] = on_known_gtids,
    [EVENT_TRANSACTION_CONTEXT] = on_nothing,
    [EVENT_VIEW_CHANGE] = on_nothing,
    [EVENT_XA_PREPARE] = on_xa_prepare,
    [EVENT_PARTIAL_UPDATE_ROWS] = on_rows,
    [EVENT_TRANSACTION_PAYLOAD] = on_payload,
    [EVENT_HEARTBEAT_V2] = on_heartbeat,
    [EVENT_GTID_TAGGED] = on_gtid,
    [EVENT_MARIADB_ANNOTATE_ROWS] = on_nothing,
    [EVENT_MARIADB_BINLOG_CHECKPOINT] = on_nothing,
    [EVENT_MARIADB_GTID] = on_gtid,
    [EVENT_MARIADB_GTID_LIST] = on_known_gtids,
    [EVENT_MARIADB_START_ENCRYPTION] = on_nothing,
    [EVENT_MARIADB_QUERY_COMPRESSED] = on_query,
    [EVENT_MARIADB_WRITE_ROWS_COMPRESSED_V1] = on_rows,
    [EVENT_MARIADB_UPDATE_ROWS_COMPRESSED_V1] = on_rows,
    [EVENT_MARIADB_DELETE_ROWS_COMPRESSED_V1] = on_rows,
};

int grouper_feed(struct grouper *g, const struct event *ev, struct err *err)
{
    event_handler handler = handlers[ev->type];
    bool was_open = g->in_txn;
    int step;

    if (!handler && !(ev->flags & EVENT_FLAG_IGNORABLE))
        return err_set(err, -EBADMSG, "binlog event of type %u at %s:%" PRIu64 " is not known",
                       ev->type, g->file, g->offset);
    if (in_file(ev))
        advance(g, ev);
    step = handler ? handler(g, ev, err) : TXN_NOTHING;
    if (step < 0)
        return err_wrap(err, "%s before %" PRIu64, g->file, g->offset);
    if (g->in_txn && was_open)
        g->size += ev->raw.size;
    if (!g->in_txn)
        settle(g);
    return step;
}
