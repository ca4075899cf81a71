#include "unit/relay/relay_print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <xxhash.h>

#include "base/scope.h"
#include "binlog/payload.h"
#include "mysql/stream.h"

#define PAYLOAD_LIMIT ((size_t)1 << 30)
#define TABLE_ID_AND_FLAGS 8
#define SHOWN 5 /* places */

/* --- one transaction --- */

static void mix(struct txn_print *p, const void *data, size_t size)
{
    p->hash = XXH3_64bits_withSeed(data, size, p->hash);
}

static void mix_event(struct txn_print *p, const struct event *ev)
{
    uint32_t head[2] = { ev->timestamp, ev->server_id };

    mix(p, head, sizeof head);
    p->n_events++;
}

static bool is_v2(uint8_t type)
{
    return type == EVENT_WRITE_ROWS_V2 || type == EVENT_UPDATE_ROWS_V2 ||
           type == EVENT_DELETE_ROWS_V2 || type == EVENT_PARTIAL_UPDATE_ROWS;
}

/* The rows, without the number of the table and what version 2 has in between. */
static void mix_rows(struct txn_print *p, const struct event *ev)
{
    size_t skip = TABLE_ID_AND_FLAGS;

    if (is_v2(ev->type) && ev->body.size >= skip + 2)
        skip += ev->body.data[skip] | (size_t)ev->body.data[skip + 1] << 8;
    if (ev->body.size <= skip)
        return;
    mix_event(p, ev);
    mix(p, ev->body.data + skip, ev->body.size - skip);
}

void txn_print_add(struct txn_print *p, const struct grouper *g, const struct event *ev, int step)
{
    switch ((enum txn_step)step) {
    case TXN_BEGIN:
        *p = (struct txn_print){ .hash = 0 };
        break;
    case TXN_ROWS:
        mix_rows(p, ev);
        break;
    case TXN_STATEMENT:
    case TXN_DDL:
    case TXN_XA_COMMIT:
    case TXN_XA_ROLLBACK:
        mix_event(p, ev);
        mix(p, g->query.sql.data, g->query.sql.size);
        break;
    case TXN_NOTHING:
    case TXN_FORMAT:
    case TXN_ROTATE:
    case TXN_MAP:
    case TXN_CONTEXT:
    case TXN_COMMIT:
    case TXN_ROLLBACK:
    case TXN_XA_PREPARE:
    case TXN_PAYLOAD:
    case TXN_INCIDENT:
        break;
    }
}

/* --- events, one by one --- */

struct prints {
    struct grouper grouper;
    struct txn_print open;
    uint64_t last[RELAY_PRINTS]; /* the newest first */
    unsigned n;
};

static void prints_fini(struct prints *p)
{
    grouper_fini(&p->grouper);
}

static void keep(struct prints *p)
{
    if (!p->open.n_events)
        return;
    memmove(p->last + 1, p->last, sizeof p->last - sizeof *p->last);
    p->last[0] = p->open.hash;
    p->n += p->n < RELAY_PRINTS;
    p->open = (struct txn_print){ .hash = 0 };
}

static int feed(struct prints *p, const struct event *ev, struct err *err);

static int feed_inner(void *prints, const struct event *inner, struct err *err)
{
    return feed(prints, inner, err);
}

/* 1 after the last event of a transaction that counts. */
static int feed(struct prints *p, const struct event *ev, struct err *err)
{
    int step = grouper_feed(&p->grouper, ev, err);
    bool whole;

    if (step < 0)
        return step;
    if (step == TXN_PAYLOAD) {
        int rc = payload_each(ev, PAYLOAD_LIMIT, feed_inner, p, err);

        return rc < 0 ? rc : p->open.n_events == 0;
    }
    txn_print_add(&p->open, &p->grouper, ev, step);
    whole = !p->grouper.in_txn && p->open.n_events;
    if (whole)
        keep(p);
    return whole;
}

static int feed_raw(struct prints *p, struct slice raw, struct err *err)
{
    struct event ev;
    int rc = event_parse(raw, &p->grouper.fmt, false, &ev, err);

    return rc < 0 ? rc : feed(p, &ev, err);
}

/* --- the last of the journal --- */

static int feed_format(struct prints *p, struct journal *j, uint64_t seq, struct err *err)
{
    struct journal_file f;
    int rc = journal_file_of(j, seq, &f, err);

    if (rc < 0)
        return rc;
    rc = feed_raw(p, f.format, err);
    journal_file_fini(&f);
    return rc < 0 ? rc : 0;
}

static int feed_records(struct prints *p, struct journal *j, uint64_t from, struct err *err)
{
    struct journal_reader *reader = journal_reader_new(j, JOURNAL_WRITTEN);
    struct journal_record r;
    struct slice raw;
    int rc = journal_reader_seek(reader, from, err);

    if (rc == 0)
        rc = feed_format(p, j, from, err);
    while (rc >= 0 && (rc = journal_reader_next(reader, &r, 0, err)) > 0)
        while ((rc = journal_reader_event(reader, &raw, err)) > 0)
            if ((rc = feed_raw(p, raw, err)) < 0)
                break;
    journal_reader_free(reader);
    return rc < 0 ? rc : 0;
}

static int last_prints(struct journal *j, enum flavor flavor, struct prints *p, struct err *err)
{
    struct position none = { .offset = 0 };
    struct journal_state state;
    int rc = 0;

    journal_state(j, &state);
    for (uint64_t back = 64; rc == 0; back *= 16) {
        uint64_t from =
            state.next_seq > state.first_seq + back ? state.next_seq - back : state.first_seq;

        prints_fini(p);
        *p = (struct prints){ .n = 0 };
        grouper_init(&p->grouper, flavor, &none);
        rc = feed_records(p, j, from, err);
        if (p->n == RELAY_PRINTS || from == state.first_seq)
            break;
    }
    return rc;
}

/* --- in the server's files --- */

struct found {
    unsigned n;
    struct buf text;
    char example[BINLOG_NAME_SIZE + 24];
};

static void note(struct found *f, const struct position *pos)
{
    if (f->n < SHOWN)
        buf_printf(&f->text, "%s%s:%" PRIu64, f->n ? ", " : "", pos->file, pos->offset);
    snprintf(f->example, sizeof f->example, "%s:%" PRIu64, pos->file, pos->offset);
    f->n++;
}

/* Reads on into the next file as long as what began in this one may end there. */
static bool over(const struct prints *p, const char *file, unsigned *beyond, int fed)
{
    if (strcmp(p->grouper.file, file) == 0 || !p->grouper.file[0])
        return false;
    *beyond += fed > 0;
    return *beyond >= RELAY_PRINTS;
}

static int search_stream(struct mysql_stream *s, const struct prints *wanted, const char *file,
                         struct found *ret, struct err *err)
{
    SCOPED(prints_fini) struct prints p = { .n = 0 };
    struct position start = { .offset = 4 };
    unsigned beyond = 0;
    struct slice raw;
    int rc;

    snprintf(start.file, sizeof start.file, "%s", file);
    grouper_init(&p.grouper, mysql_stream_flavor(s), &start);
    while ((rc = mysql_stream_next(s, &raw, err)) > 0) {
        int fed = feed_raw(&p, raw, err);

        if (fed < 0)
            return fed;
        if (over(&p, file, &beyond, fed))
            return 0;
        if (fed > 0 && p.n >= wanted->n &&
            memcmp(p.last, wanted->last, wanted->n * sizeof *p.last) == 0)
            note(ret, &p.grouper.pos);
    }
    return rc;
}

static int search_file(const struct mysql_params *params, const struct prints *wanted,
                       const char *file, struct found *ret, struct err *err)
{
    struct mysql_stream_options o = { .stop_at_end = true };
    struct position start = { .offset = 4 };
    struct mysql_stream *s;
    int rc;

    snprintf(start.file, sizeof start.file, "%s", file);
    rc = mysql_stream_open(&s, params, &start, &o, err);
    if (rc < 0)
        return rc;
    rc = search_stream(s, wanted, file, ret, err);
    mysql_stream_close(s);
    return rc;
}

int relay_print_search(struct journal *j, const struct mysql_params *params, enum flavor flavor,
                       const struct binlog_files *files, char example[static BINLOG_NAME_SIZE + 24],
                       struct buf *ret, struct err *err)
{
    SCOPED(prints_fini) struct prints wanted = { .n = 0 };
    struct found found = { .n = 0 };
    int rc = last_prints(j, flavor, &wanted, err);

    for (unsigned i = files->n; rc == 0 && wanted.n && found.n == 0 && i-- > 0;)
        rc = search_file(params, &wanted, files->files[i].name, &found, err);
    example[0] = '\0';
    if (found.n == 1)
        memcpy(example, found.example, sizeof found.example);
    if (!wanted.n)
        buf_str(ret, "Nothing stored here tells a place there.");
    else if (found.n)
        buf_printf(ret, "The last %u transactions stored here end there at %s%s.", wanted.n,
                   found.text.data, found.n > 1 ? ", which leaves it open" : "");
    else
        buf_printf(ret, "The last %u transactions stored here are not in its binlog.", wanted.n);
    buf_fini(&found.text);
    return rc;
}
