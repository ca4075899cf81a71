#include "unit/verify/verify_past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/scope.h"
#include "binlog/payload.h"
#include "mysql/stream.h"
#include "unit/verify/verify_past_priv.h"

#define EVENT_LIMIT ((size_t)1 << 30)
#define ROWS_AT_ONCE 10000

struct verify_past {
    struct verify_past_config c;
    struct mysql_stream *stream;
    struct grouper grouper;
    struct past_tables tables;
    uint64_t *prepared; /* hashes of XA transactions whose rows were seen */
    size_t n_prepared, cap_prepared;
    size_t taken; /* rows, in the step at hand */
};

int verify_past_open(struct verify_past **ret, const struct verify_past_config *c,
                     const struct position *from, struct err *err)
{
    struct mysql_stream_options o = { .stop_at_end = true };
    struct verify_past *p = xcalloc(1, sizeof *p);
    int rc = mysql_stream_open(&p->stream, &c->job->from, from, &o, err);

    if (rc < 0) {
        free(p);
        return rc;
    }
    p->c = *c;
    p->tables = (struct past_tables){ .c = &p->c, .arena = ARENA_INIT };
    grouper_init(&p->grouper, mysql_stream_flavor(p->stream), from);
    *ret = p;
    return 0;
}

void verify_past_stop(struct verify_past *p)
{
    mysql_stream_shutdown(p->stream);
}

void verify_past_close(struct verify_past *p)
{
    if (!p)
        return;
    mysql_stream_close(p->stream);
    grouper_fini(&p->grouper);
    past_tables_fini(&p->tables);
    free(p->prepared);
    free(p);
}

/* --- XA: the rows come with the PREPARE, and count with the COMMIT --- */

static uint64_t xid_of(const struct verify_past *p)
{
    return XXH3_64bits(p->grouper.xid.data, p->grouper.xid.size);
}

static void prepared(struct verify_past *p)
{
    GROW(p->prepared, p->n_prepared, p->cap_prepared);
    p->prepared[p->n_prepared++] = xid_of(p);
}

static void committed(struct verify_past *p)
{
    uint64_t xid = xid_of(p);

    for (size_t i = 0; i < p->n_prepared; i++)
        if (p->prepared[i] == xid)
            return;
    p->c.unsure(p->c.arg, NULL, NULL);
}

/* --- events --- */

static int feed(struct verify_past *p, const struct event *ev, struct err *err);

static int feed_inner(void *past, const struct event *inner, struct err *err)
{
    return feed(past, inner, err);
}

static int take_rows(struct verify_past *p, const struct event *ev, struct err *err)
{
    size_t n = 0;
    int rc = past_tables_rows(&p->tables, ev, &p->grouper.fmt, &n, err);

    p->taken += n;
    return rc;
}

static int feed(struct verify_past *p, const struct event *ev, struct err *err)
{
    int step = grouper_feed(&p->grouper, ev, err), rc = 0;

    if (step < 0)
        return step;
    switch ((enum txn_step)step) {
    case TXN_MAP:
        rc = past_tables_map(&p->tables, ev, &p->grouper.fmt, err);
        break;
    case TXN_ROWS:
        rc = take_rows(p, ev, err);
        break;
    case TXN_STATEMENT:
    case TXN_DDL:
        past_tables_statement(&p->tables, &p->grouper.query, p->grouper.fmt.flavor);
        break;
    case TXN_PAYLOAD:
        rc = payload_each(ev, EVENT_LIMIT, feed_inner, p, err);
        break;
    case TXN_XA_PREPARE:
        prepared(p);
        break;
    case TXN_XA_COMMIT:
        committed(p);
        break;
    case TXN_INCIDENT: /* nobody knows what is not there */
        p->c.unsure(p->c.arg, NULL, NULL);
        break;
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
    case TXN_BEGIN:
    case TXN_CONTEXT:
    case TXN_COMMIT:
    case TXN_ROLLBACK:
    case TXN_XA_ROLLBACK:
        break;
    }
    if (!p->grouper.in_txn)
        past_tables_ended(&p->tables);
    return rc;
}

int verify_past_step(struct verify_past *p, struct position *at, struct err *err)
{
    struct slice raw;
    int rc = 1;

    p->taken = 0;
    while (p->taken < ROWS_AT_ONCE && (rc = mysql_stream_next(p->stream, &raw, err)) > 0) {
        struct event ev;

        rc = event_parse(raw, &p->grouper.fmt, true, &ev, err);
        if (rc == 0)
            rc = feed(p, &ev, err);
        if (rc < 0)
            return err_wrap(err, "the binlog of source %s", p->c.job->source);
    }
    if (rc < 0)
        return err_wrap(err, "the binlog of source %s", p->c.job->source);
    memcpy(at->file, p->grouper.pos.file, sizeof at->file);
    at->offset = p->grouper.pos.offset;
    return p->taken >= ROWS_AT_ONCE;
}
